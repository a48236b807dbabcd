using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

using static DataHub.Tool.QuarantineCommand;

namespace DataHub.Tool;

/// <summary><c>datahub tail</c>: an indicator's values as they change.</summary>
internal static class TailCommand
{
    public static Command Make(Common common)
    {
        var indicator = new Argument<string>("INDICATOR") { HelpName = Words.Say("INDIKATOR", "INDICATOR"), Description = Words.Say("Kennung des Indikators", "Id of the indicator") };
        Option<string?>[] selection =
        [
            new("--level") { HelpName = "N", Description = Words.Say("Ebene der Gebiete; 0 ist die gröbste", "Level of the areas; 0 is the coarsest") },
            new("--area") { HelpName = "ID", Description = Words.Say("Nur dieses Gebiet", "Only this area") },
            new("--from") { HelpName = Words.Say("ZEIT", "TIME"), Description = Words.Say("Fenster ab hier statt nur des letzten: 2026-11-23 oder 2026-11-23T08:00:00Z", "Windows from here instead of the last only: 2026-11-23 or 2026-11-23T08:00:00Z") },
            new("--to") { HelpName = Words.Say("ZEIT", "TIME"), Description = Words.Say("Fenster bis hier", "Windows up to here") },
            new("--whole") { HelpName = "true|false", Description = Words.Say("Werte über alle Gebiete", "Values over all areas") },
        ];
        var after = new Option<string?>("--last-event-id") { HelpName = "ID", Description = Words.Say("Nach diesem Ereignis fortsetzen; die Kennung steht mit --json bei jedem", "Go on after this event; with --json each has its id") };
        var events = new Option<int>("--events") { HelpName = "N", Description = Words.Say("Nach so vielen Ereignissen enden; 0: nie", "End after so many events; 0: never") };
        var silence = new Option<string>("--silence") { HelpName = Words.Say("ZEIT", "TIME"), DefaultValueFactory = _ => "60s", Description = Words.Say("Nach so langer Stille neu verbinden", "Connect anew after silence for so long") };
        var command = new Command("tail", Words.Say(
            "Zeigt die Werte eines Indikators und dann jede Änderung. Nach einem Abbruch der Verbindung geht es weiter, wo es aufhörte.",
            "Shows the values of an indicator and then every change. After a lost connection it goes on where it stopped.")) { indicator };
        foreach (var option in (Option[])[.. selection, after, events, silence]) command.Options.Add(option);
        command.Runs(common, async (parsed, report, cancellationToken) =>
        {
            using var hub = common.Connect(parsed, report, TimeSpan.FromMinutes(10));
            var query = string.Join('&', selection.Where(option => parsed.GetValue(option) is not null).Select(option => $"{option.Name[2..]}={Uri.EscapeDataString(parsed.GetValue(option)!)}"));
            var path = $"api/v1/indicators/{Uri.EscapeDataString(parsed.GetValue(indicator)!)}/changes{(query.Length > 0 ? "?" + query : "")}";
            return await FollowAsync(hub, report, path, parsed.GetValue(after), parsed.GetValue(events), Common.Duration("--silence", parsed.GetValue(silence))!.Value, cancellationToken);
        });
        return command;
    }

    private static async Task<int> FollowAsync(HubConnection hub, Report report, string path, string? lastId, int most, TimeSpan silence, CancellationToken cancellationToken)
    {
        var seen = 0;
        var began = TimeProvider.System.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            string why;
            TimeSpan? named = null;
            try
            {
                using var response = await hub.OpenAsync(path, lastId, cancellationToken);
                if (response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType != "text/event-stream")
                {
                    report.Error(Words.Say($"{path}: kein Strom von Ereignissen.", $"{path}: no stream of events."));
                    return ExitCode.Refused;
                }

                if (!response.IsSuccessStatusCode)
                {
                    var answer = await ProblemAsync(response, cancellationToken);
                    if (!HubConnection.IsForLater(response.StatusCode))
                    {
                        report.Refusal(path, answer);
                        return ExitCode.Refused;
                    }

                    (why, named) = (answer.Problem, hub.After(response.Headers.RetryAfter));
                }
                else
                {
                    (attempt, began) = (0, TimeProvider.System.GetTimestamp());
                    var events = new ServerEvents(await response.Content.ReadAsStreamAsync(cancellationToken));
                    try
                    {
                        await foreach (var one in events.ReadAsync(silence, cancellationToken))
                        {
                            (lastId, attempt, began) = (one.Id ?? lastId, 0, TimeProvider.System.GetTimestamp());
                            Tell(report, one);
                            if (++seen == most) return ExitCode.Done;
                        }

                        why = Words.Say("Der Hub hat die Verbindung beendet", "The hub ended the connection");
                    }
                    finally
                    {
                        named = events.Retry;
                    }
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                why = Words.Say("keine Antwort", "no answer");
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException or TimeoutException)
            {
                why = (e.InnerException ?? e).Message;
            }

            await hub.LaterAsync(why, named, attempt, began, cancellationToken);
        }
    }

    private static async Task<HubAnswer> ProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
            return new((int)response.StatusCode, document.RootElement.Clone());
        }
        catch (JsonException)
        {
            return new((int)response.StatusCode, null);
        }
    }

    private static void Tell(Report report, ServerEvent one)
    {
        JsonNode? data;
        try
        {
            data = JsonNode.Parse(one.Data);
        }
        catch (JsonException)
        {
            data = one.Data;
        }

        if (report.IsJson)
        {
            report.Result(null, one.Type, new() { ["id"] = one.Id, ["data"] = data });
            return;
        }

        var document = JsonSerializer.SerializeToElement(data);
        if (one.Type == "reset") report.Note(Words.Say("Die Werte werden von Anfang an gezeigt.", "The values are shown from the beginning."));
        foreach (var row in Members(document, "rows")) report.Say(Line(one.Type == "state" ? " " : "~", row));
        foreach (var row in Members(document, "removed")) report.Say(Line("-", row));
    }

    /// <summary>Sign, window, area, dimensions, value, rows and state, with tabs between.</summary>
    private static string Line(string sign, JsonElement row)
    {
        var dimensions = row.ValueKind == JsonValueKind.Object && row.TryGetProperty("dimensions", out var given) && given.ValueKind == JsonValueKind.Object
            ? string.Join(' ', given.EnumerateObject().Select(dimension => $"{dimension.Name}={dimension.Value}"))
            : "";
        string[] cells = [sign, Of(row, "from"), Of(row, "area"), dimensions, Of(row, "value"), Of(row, "count"), Of(row, "state")];
        return string.Join('\t', cells.Select(Report.Flat));
    }
}
