using System.CommandLine;
using System.Text.Json;

using static DataHub.Tool.QuarantineCommand;

namespace DataHub.Tool;

/// <summary><c>datahub receipt</c> and <c>datahub status</c>.</summary>
internal static class ReadCommands
{
    public static Command Receipt(Common common)
    {
        var id = new Argument<string>("RECEIPT") { HelpName = Words.Say("QUITTUNG", "RECEIPT"), Description = Words.Say("Kennung der Quittung", "Id of the receipt") };
        var command = new Command("receipt", Words.Say("Zeigt eine Quittung", "Shows a receipt")) { id };
        command.Runs(common, async (parsed, report, cancellationToken) =>
        {
            using var hub = common.Connect(parsed, report);
            var answer = await hub.GetAsync($"api/v1/receipts/{Uri.EscapeDataString(parsed.GetValue(id)!)}", cancellationToken);
            if (!answer.IsSuccess) return Refused(report, parsed.GetValue(id)!, answer);
            report.Document(answer.Body!.Value, receipt =>
            {
                report.Say($"{Of(receipt, "receipt")}  {Of(receipt, "dataset")}/{Of(receipt, "feed")}  {Of(receipt, "receivedAt")}");
                report.Say(new PushCounts(answer.Number("received"), answer.Number("accepted"), answer.Number("duplicate"), answer.Number("quarantined")).ToString());
                var errors = Members(receipt, "errors").ToArray();
                if (errors.Length > 0) report.Table([Words.Say("Zeile", "Row"), Words.Say("Feld", "Field"), "Code", Words.Say("Fehler", "Error"), Words.Say("Wert", "Value")], errors.Select(error => new[] { Of(error, "row"), Of(error, "field"), Of(error, "code"), Of(error, "detail"), Of(error, "value") }));
            });
            return ExitCode.Done;
        });
        return command;
    }

    public static Command Status(Common common)
    {
        var id = new Argument<string>("DATASET") { HelpName = Words.Say("DATENSATZ", "DATASET"), Description = Words.Say("Kennung des Datensatzes", "Id of the dataset") };
        var command = new Command("status", Words.Say("Zeigt, was die Datenquellen eines Datensatzes geliefert haben und was daraus wurde", "Shows what the feeds of a dataset brought and what became of it")) { id };
        command.Runs(common, async (parsed, report, cancellationToken) =>
        {
            using var hub = common.Connect(parsed, report);
            var dataset = $"api/v1/datasets/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
            var counts = await hub.GetAsync(dataset + "/conservation", cancellationToken);
            if (!counts.IsSuccess) return Refused(report, parsed.GetValue(id)!, counts);
            report.Document(counts.Body!.Value, document => report.Table(
                [Words.Say("Quelle", "Feed"), Words.Say("Lieferungen", "Pushes"), Words.Say("erhalten", "received"), Words.Say("angenommen", "accepted"), Words.Say("schon bekannt", "known"), Words.Say("in Quarantäne", "quarantined"), Words.Say("aufgegeben", "given up"), Words.Say("zuletzt", "last")],
                Members(document, "feeds").Select(feed => new[] { Of(feed, "feed"), Of(feed, "pushes"), Of(feed, "received"), Of(feed, "accepted"), Of(feed, "duplicate"), Of(feed, "quarantined"), Of(feed, "discarded"), Of(feed, "lastReceived") })));

            // Hubs of earlier versions do not tell it.
            var state = await hub.GetAsync(dataset + "/state", cancellationToken);
            if (state.IsSuccess)
            {
                report.Document(state.Body!.Value, document => report.Table(
                    [Words.Say("Quelle", "Feed"), Words.Say("Stand", "State"), Words.Say("Rhythmus", "Rhythm"), Words.Say("still ab", "silent from"), Words.Say("neueste Zeile", "newest row"), Words.Say("Verzug (s)", "lag (s)"), Words.Say("abgewiesen in 24 h", "quarantined in 24 h")],
                    Members(document, "feeds").Select(feed => new[] { Of(feed, "feed"), Of(feed, "state"), Of(feed, "rhythm"), Of(feed, "silentFrom"), Of(feed, "newestRow"), Of(feed, "rowLag"), feed.TryGetProperty("lastDay", out var day) ? Of(day, "quarantined") : "" })));
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static int Refused(Report report, string what, HubAnswer answer)
    {
        report.Refusal(what, answer);
        return ExitCode.Refused;
    }
}
