using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.AspNetCore.Http;

namespace DataHub.Pipelines;

/// <summary>Takes the forms of the pages of runs: the same grain calls as the interface's, in the name of whoever has signed in.</summary>
internal sealed class RunActs(IGrainFactory grains, RunPages pages, TimeProvider time)
{
    public Task ActAsync(HttpContext http, string run) => StewardActs.ActAsync(http, fields => fields["act"], entry => entry.Form == "form-" + RunForms.Abort ? pages.StopAsync(http, run, entry) : pages.OneAsync(http, run, entry), async fields =>
    {
        if (!ReceiptIds.IsValid(run)) return StewardActs.Outcome.Refused(CatalogRefusal.NotFound, null);
        var grain = grains.GetGrain<IPipelineRunGrain>(run);
        switch (fields["act"])
        {
            case RunForms.Abort:
                if (Reason(fields["reason"]) is { } why) return StewardActs.Outcome.Refused(CatalogRefusal.Invalid, why) with { Faults = new Dictionary<string, LocalText> { ["reason"] = why } };
                return Of(await grain.AbortAsync(http.Caller(), fields["reason"]));
            case RunForms.Resume:
                return Of(await grain.ResumeAsync(http.Caller()));
            default:
                return StewardActs.Outcome.Refused(CatalogRefusal.Invalid, new($"„{fields["act"]}“ gibt es nicht; erlaubt sind abort und resume.", $"There is no “{fields["act"]}”; allowed are abort and resume."));
        }

        StewardActs.Outcome Of(RunResult result) => StewardActs.Outcome.Of(result.Refusal, result.Detail, "/runs/" + run, RunPages.Standing);
    });

    public Task StartAsync(HttpContext http, string job) => StewardActs.ActAsync(http, fields => fields["repeats"].Length > 0 ? RunForms.Repeat : RunForms.Start, entry => AgainAsync(http, job, entry), async fields =>
    {
        if (!CatalogIds.IsValid(job)) return StewardActs.Outcome.Refused(CatalogRefusal.NotFound, null);
        // Sent twice, it is one run.
        var id = ReceiptIds.IsValid(fields["id"]) ? fields["id"] : ReceiptIds.New(time.GetUtcNow());
        var files = fields.All.Where(field => field.Key.StartsWith(RunForms.Files, StringComparison.Ordinal)).Select(field => new NamedFile(field.Key[RunForms.Files.Length..], fields[field.Key])).Where(file => file.File.Length > 0);
        var result = await grains.GetGrain<IPipelineJobGrain>(job).StartAsync(http.Caller(), new(id, [.. files]) { Repeats = fields.Optional("repeats") });
        return StewardActs.Outcome.Of(result.Refusal, result.Detail, "/runs/" + id, RunPages.Standing);
    });

    private Task AgainAsync(HttpContext http, string job, StewardEntry entry) =>
        entry.Form == "form-" + RunForms.Repeat && entry.Values?["repeats"].ToString().Trim() is { } run && ReceiptIds.IsValid(run) ? pages.OneAsync(http, run, entry) : pages.JobAsync(http, job, entry);

    private static LocalText? Reason(string reason) => reason.Length switch
    {
        0 => new("Hier ist zu sagen, warum der Lauf beendet wird.", "Say here why the run is ended."),
        > RunForms.MaxReason => new($"Höchstens {RunForms.MaxReason} Zeichen.", $"At most {RunForms.MaxReason} characters."),
        _ => null,
    };
}
