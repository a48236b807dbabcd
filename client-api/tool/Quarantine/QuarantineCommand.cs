using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DataHub.Tool;

/// <summary><c>datahub quarantine</c>: rows that did not pass, and the way back.</summary>
internal static class QuarantineCommand
{
    private const int Page = 1000, LongestShown = 120;

    public static Command Make(Common common)
    {
        var command = new Command("quarantine", Words.Say("Zeilen, die nicht zulässig waren: ansehen, in Ordnung bringen, aufgeben", "Rows that did not pass: look at them, put them right, give them up"));
        foreach (var sub in (Command[])[List(common), Groups(common), Replay(common), Discard(common), Acts(common)]) command.Subcommands.Add(sub);
        return command;
    }

    private static Argument<string> Dataset() => new("DATASET") { HelpName = Words.Say("DATENSATZ", "DATASET"), Description = Words.Say("Kennung des Datensatzes", "Id of the dataset") };

    private static Option<string?> Text(string name, string de, string en, string help = "TEXT") => new(name) { HelpName = help, Description = Words.Say(de, en) };

    private static Option<int> Limit() => new("--limit") { HelpName = "N", DefaultValueFactory = _ => 100, Description = Words.Say("So viele zeigen; 0: alle", "Show so many; 0: all") };

    private static string Address(string dataset, string rest) => $"api/v1/datasets/{Uri.EscapeDataString(dataset)}/quarantine{rest}";

    private static Command List(Common common)
    {
        var (dataset, limit) = (Dataset(), Limit());
        Option<string?>[] filters = [Text("--feed", "Nur diese Datenquelle", "Only this feed"), Text("--cause", "Nur diese Ursache, wie unter groups", "Only this cause, as in groups"), Text("--value", "Nur Zeilen, deren Fehler diesen Wert nennt", "Only rows whose error tells this value"), Text("--receipt", "Nur diese Lieferung", "Only this push"), Text("--state", "open, accepted, duplicate, discarded, erased oder all", "open, accepted, duplicate, discarded, erased or all")];
        var command = new Command("ls", Words.Say("Zeilen, neueste zuerst", "Rows, newest first"));
        command.Arguments.Add(dataset);
        foreach (var filter in filters) command.Options.Add(filter);
        command.Options.Add(limit);
        command.Runs(common, async (parsed, report, cancellationToken) =>
        {
            using var hub = common.Connect(parsed, report);
            var query = new StringBuilder();
            foreach (var filter in filters)
            {
                if (parsed.GetValue(filter) is { } value) query.Append('&').Append(filter.Name.AsSpan(2)).Append('=').Append(Uri.EscapeDataString(value));
            }

            return await PagesAsync(hub, report, Address(parsed.GetValue(dataset)!, "?" + query.ToString().TrimStart('&')), "rows", parsed.GetValue(limit),
                [Words.Say("Kennung", "Id"), Words.Say("Quelle", "Feed"), Words.Say("Zeile", "Row"), Words.Say("Stand", "State"), Words.Say("Ursache", "Cause"), Words.Say("Fehler", "Error"), Words.Say("Inhalt", "Content")],
                row => [Of(row, "id"), Of(row, "feed"), Of(row, "row"), Of(row, "state"), Of(row, "cause"), Errors(row), Short(Of(row, "raw"))], cancellationToken);
        });
        return command;
    }

    private static Command Groups(Common common)
    {
        var dataset = Dataset();
        Option<string?>[] filters = [Text("--feed", "Nur diese Datenquelle", "Only this feed"), Text("--state", "open, accepted, duplicate, discarded oder erased", "open, accepted, duplicate, discarded or erased")];
        var command = new Command("groups", Words.Say("Zeilen nach ihrer Ursache, häufigste zuerst", "Rows by their cause, most frequent first"));
        command.Arguments.Add(dataset);
        foreach (var filter in filters) command.Options.Add(filter);
        command.Runs(common, async (parsed, report, cancellationToken) =>
        {
            using var hub = common.Connect(parsed, report);
            var query = string.Join('&', filters.Where(filter => parsed.GetValue(filter) is not null).Select(filter => $"{filter.Name[2..]}={Uri.EscapeDataString(parsed.GetValue(filter)!)}"));
            return await PagesAsync(hub, report, Address(parsed.GetValue(dataset)!, "/groups?" + query), "groups", 0,
                [Words.Say("Ursache", "Cause"), Words.Say("Zeilen", "Rows"), Words.Say("älteste", "oldest"), Words.Say("neueste", "newest"), Words.Say("Werte", "Values")],
                group => [Of(group, "cause"), Of(group, "rows"), Of(group, "oldest"), Of(group, "newest"), Short(string.Join(", ", Members(group, "values").Select(value => $"{Of(value, "value")} ({Of(value, "rows")})")))], cancellationToken);
        });
        return command;
    }

    private static Command Acts(Common common)
    {
        var (dataset, limit) = (Dataset(), Limit());
        var command = new Command("acts", Words.Say("Wer wann was getan hat, neueste zuerst", "Who did what and when, newest first"));
        command.Arguments.Add(dataset);
        command.Options.Add(limit);
        command.Runs(common, async (parsed, report, cancellationToken) =>
        {
            using var hub = common.Connect(parsed, report);
            return await PagesAsync(hub, report, Address(parsed.GetValue(dataset)!, ""), "acts", parsed.GetValue(limit),
                [Words.Say("Vorgang", "Act"), Words.Say("Art", "Kind"), Words.Say("wann", "when"), Words.Say("Behörde", "Agency"), Words.Say("Grund", "Reason"), Words.Say("angenommen", "accepted"), Words.Say("schon bekannt", "known"), Words.Say("aufgegeben", "given up")],
                act => [Of(act, "act"), Of(act, "kind"), Of(act, "at"), Of(act, "agency"), Of(act, "reason"), Of(act, "accepted"), Of(act, "duplicate"), Of(act, "discarded")], cancellationToken, "/acts");
        });
        return command;
    }

    private static Command Replay(Common common)
    {
        var command = new Command("replay", Words.Say("Prüft Zeilen neu, wie sie kamen oder nach einer Regel berichtigt", "Checks rows anew, as they came or put right by a rule"));
        var rename = Rule("--rename", 3, "FELD VON NACH: ein Wert wird anders geschrieben", "FIELD FROM TO: a value is written another way");
        var shift = Rule("--shift-decimal", 2, "FELD STELLEN: das Komma rückt nach rechts (negativ: nach links)", "FIELD PLACES: the point moves to the right (negative: to the left)");
        var unit = Rule("--unit", 2, "FELD EINHEIT: die Einheit, in der die Werte kamen", "FIELD UNIT: the unit in which the values came");
        var comma = Rule("--decimal-comma", 1, "FELD: die Werte haben ein Dezimalkomma", "FIELD: the values have a decimal comma");
        var renameField = Rule("--rename-field", 2, "VON NACH: die Spalte heißt im Vertrag anders", "FROM TO: the column has another name in the contract");
        var drop = Rule("--drop", 1, "FELD: die Spalte wird weggelassen", "FIELD: the column is left out");
        Option<string[]>[] rules = [rename, shift, unit, comma, renameField, drop];
        foreach (var rule in rules) command.Options.Add(rule);
        Acting(command, common, "replay", parsed =>
        {
            var given = rules.Where(rule => parsed.GetValue(rule) is { Length: > 0 }).ToArray();
            if (given.Length > 1) throw new UsageException(Words.Say("Höchstens eine Regel je Aufruf.", "At most one rule a call."));
            if (given.Length == 0) return null;
            var words = parsed.GetValue(given[0])!;
            if (given[0] == renameField) return new() { ["field"] = words[0], ["renameField"] = words[1] };
            var body = new JsonObject { ["field"] = words[0] };
            if (given[0] == rename) body["rename"] = new JsonObject { ["from"] = words[1], ["to"] = words[2] };
            else if (given[0] == unit) body["unit"] = words[1];
            else if (given[0] == comma) body["decimalComma"] = true;
            else if (given[0] == drop) body["drop"] = true;
            else if (int.TryParse(words[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var places)) body["shiftDecimal"] = places;
            else throw new UsageException(Words.Say($"--shift-decimal: „{words[1]}“ ist keine ganze Zahl.", $"--shift-decimal: “{words[1]}” is no integer."));
            return body;
        });
        return command;

        static Option<string[]> Rule(string name, int words, string de, string en) => new(name) { HelpName = Words.Say(de, en).Split(':')[0], Description = Words.Say(de, en), Arity = new ArgumentArity(words, words), AllowMultipleArgumentsPerToken = true };
    }

    private static Command Discard(Common common)
    {
        var command = new Command("discard", Words.Say("Gibt Zeilen auf; sie bleiben verzeichnet", "Gives rows up; they stay on record"));
        Acting(command, common, "discard", _ => null);
        return command;
    }

    /// <summary>Selection, reason and the loop over pages, which replay and discard share.</summary>
    private static void Acting(Command command, Common common, string kind, Func<ParseResult, JsonObject?> rule)
    {
        var dataset = Dataset();
        Option<string?>[] filters = [Text("--cause", "Nur diese Ursache, wie unter groups", "Only this cause, as in groups"), Text("--value", "Nur Zeilen, deren Fehler diesen Wert nennt", "Only rows whose error tells this value"), Text("--feed", "Nur diese Datenquelle", "Only this feed"), Text("--receipt", "Nur diese Lieferung", "Only this push")];
        var ids = new Option<string[]>("--id") { HelpName = "q0.17.3", Description = Words.Say("Nur diese Zeile; mehrfach möglich", "Only this row; may be repeated") };
        var all = new Option<bool>("--all") { Description = Words.Say("Alles, was offen ist", "Everything that is open") };
        var reason = new Option<string?>("--reason") { HelpName = "TEXT", Required = kind == "discard", Description = Words.Say("Grund; er wird verzeichnet", "Reason; it is recorded") };
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = Words.Say("Nur sagen, was geschähe", "Only say what would happen") };
        command.Arguments.Add(dataset);
        foreach (var option in (Option[])[.. filters, ids, all, reason, dryRun]) command.Options.Add(option);
        command.Runs(common, async (parsed, report, cancellationToken) =>
        {
            var body = new JsonObject { ["select"] = Select(parsed), ["limit"] = Page };
            if (rule(parsed) is { } given) body["rule"] = given;
            if (parsed.GetValue(reason) is { } why) body["reason"] = why;
            using var hub = common.Connect(parsed, report);
            return await ActAsync(hub, report, parsed.GetValue(dataset)!, kind, body, parsed.GetValue(dryRun), cancellationToken);
        });

        JsonObject Select(ParseResult parsed)
        {
            var select = new JsonObject();
            if (parsed.GetValue(ids) is { Length: > 0 } rows) select["ids"] = new JsonArray([.. rows.Select(id => (JsonNode)id)]);
            foreach (var filter in filters)
            {
                if (parsed.GetValue(filter) is { } value) select[filter.Name[2..]] = value;
            }

            if (select.Count == 0 != parsed.GetValue(all)) throw new UsageException(Words.Say("Welche Zeilen? --cause, --value, --feed, --receipt, --id, oder --all für alle.", "Which rows? --cause, --value, --feed, --receipt, --id, or --all for all of them."));
            return select;
        }
    }

    private static async Task<int> ActAsync(HubConnection hub, Report report, string dataset, string kind, JsonObject body, bool dryRun, CancellationToken cancellationToken)
    {
        long selected = 0, accepted = 0, duplicate = 0, discarded = 0, still = 0;
        while (true)
        {
            var text = body.ToJsonString();
            var answer = await hub.SendAsync(() => new(HttpMethod.Post, new Uri(hub.Hub, Address(dataset, $"/{kind}{(dryRun ? "?dryRun=true" : "")}"))) { Content = new StringContent(text, Encoding.UTF8, "application/json") }, cancellationToken);
            if (!answer.IsSuccess)
            {
                report.Refusal($"{kind} {dataset}", answer);
                return ExitCode.Refused;
            }

            selected += answer.Number("selected");
            accepted += answer.Number("accepted");
            duplicate += answer.Number("duplicate");
            discarded += answer.Number("discarded");
            still += answer.Number("stillQuarantined");
            foreach (var error in Members(answer.Body!.Value, "errors"))
            {
                report.Result(null, "error", JsonObject.Create(error)!);
                if (!report.IsJson) report.Note($"{Of(error, "id")}: {Of(error, "field")}: {Report.Flat(Of(error, "detail"))} [{Of(error, "code")}]");
            }

            report.Result(null, "act", new() { ["act"] = answer.Text("act"), ["selected"] = answer.Number("selected"), ["accepted"] = answer.Number("accepted"), ["duplicate"] = answer.Number("duplicate"), ["discarded"] = answer.Number("discarded"), ["stillQuarantined"] = answer.Number("stillQuarantined"), ["watermark"] = answer.Text("watermark") });
            if (answer.Text("next") is not { } next) break;
            report.Note(Words.Say($"{Words.Number(selected)} Zeilen …", $"{Words.Number(selected)} rows …"));
            body["after"] = next;
        }

        report.Result(Words.Say(
            $"{Words.Number(selected)} Zeilen: {Words.Number(accepted)} angenommen, {Words.Number(duplicate)} schon bekannt, {Words.Number(discarded)} aufgegeben, {Words.Number(still)} weiter in Quarantäne",
            $"{Words.Number(selected)} rows: {Words.Number(accepted)} accepted, {Words.Number(duplicate)} known already, {Words.Number(discarded)} given up, {Words.Number(still)} still quarantined")
            + (dryRun ? Words.Say(" (Probe, nichts geändert)", " (dry run, nothing changed)") : ""),
            "sum", new() { ["selected"] = selected, ["accepted"] = accepted, ["duplicate"] = duplicate, ["discarded"] = discarded, ["stillQuarantined"] = still, ["dryRun"] = dryRun });
        return still > 0 ? ExitCode.Quarantined : ExitCode.Done;
    }

    /// <summary>Follows the pages of a list and shows so many entries of it.</summary>
    private static async Task<int> PagesAsync(HubConnection hub, Report report, string address, string list, int limit, string[] columns, Func<JsonElement, string[]> show, CancellationToken cancellationToken, string? part = null)
    {
        if (limit < 0) throw new UsageException(Words.Say("--limit: ab 0.", "--limit: from 0."));
        var (path, query) = address.Split('?', 2) is [var p, var q] ? (p, q) : (address, "");
        var page = list == "groups" ? "" : $"limit={(limit == 0 ? Page : Math.Min(limit, Page)).ToString(CultureInfo.InvariantCulture)}";
        string? next = $"{path}{part}?{string.Join('&', new[] { page, query }.Where(text => text.Length > 0))}";
        var shown = new List<string[]>();
        var left = limit == 0 ? int.MaxValue : limit;
        while (next is not null && left > 0)
        {
            var answer = await hub.GetAsync(next, cancellationToken);
            if (!answer.IsSuccess)
            {
                report.Refusal(path, answer);
                return ExitCode.Refused;
            }

            foreach (var entry in Members(answer.Body!.Value, list).Take(left))
            {
                left--;
                if (report.IsJson) report.Document(entry, _ => { });
                else shown.Add(show(entry));
            }

            next = answer.Text("next");
        }

        if (!report.IsJson) report.Table(columns, shown);
        if (next is not null) report.Note(Words.Say("Es gibt mehr (--limit).", "There are more (--limit)."));
        return ExitCode.Done;
    }

    internal static IEnumerable<JsonElement> Members(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    internal static string Of(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : "";

    private static string Errors(JsonElement row) => Short(string.Join("; ", Members(row, "errors").Select(error => $"{Of(error, "field")}: {Of(error, "detail")}")));

    private static string Short(string text) => text.Length <= LongestShown ? text : text[..(LongestShown - 1)] + "…";
}
