using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Pipelines;

/// <summary>Events of OpenLineage that agencies' own tools send.</summary>
internal static class ForeignLineageEndpoints
{
    private static readonly string[] s_known = ["limit", "after"];
    private static readonly LocalText s_job = new("Job", "Job");

    public static void MapForeignLineageEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/lineage").WithTags("Pipelines");
        group.MapPost("", TellAsync).WithSummary("Takes events of OpenLineage (RunEvent 2-0-2) of an agency's own tools: one, or up to 100 of one job. One that is there already changes nothing.")
            .WithDescription("job.namespace is the agency's id, alone or before a “.” or “:”. Datasets of the namespace datahub with a name such as dataset/air-quality are the hub's: who may read or write them finds the run among their uses. Of a job 200 runs with 100 events each are kept, within a megabyte, for DataHub:Lineage:KeepForeign.")
            .Takes("dataspace", "Whose roles reach the job; absent: keys of the agency only. Fixed by the first event.")
            .Accepts<JsonDocument>("application/json").Produces<ForeignAnswerJson>().Refuses(400, 401, 403, 409, 413, 415, 422);
        group.MapRead("jobs/{namespace}/{name}/runs", RunsAsync).WithSummary("The runs of a job of an agency's own tools with their events as they were sent, the one that was told of last first.")
            .WithDescription("A slash in a name is written %2F.").Takes("limit", "Runs of the page, 1 to 200.", JsonSchemaType.Integer).Takes("after", "From the next of an earlier answer.")
            .Produces<ForeignRunsJson>().Refuses(400, 404);
    }

    private static async Task<IResult> TellAsync(HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        if (http.Caller().IsPublic) return Authentication.Forbidden(http, new("Nötig ist ein Schlüssel oder eine Anmeldung.", "A key or a sign-in is needed."));
        var (body, problem) = await http.ReadJsonAsync<JsonDocument>();
        if (problem is not null) return problem;
        using (body)
        {
            var (events, fault) = OpenLineageCheck.Read(body!.RootElement, http.Request.Query["dataspace"].ToString() is { Length: > 0 } dataspace ? dataspace : null, time.GetUtcNow());
            if (events is null) return Problems.Problem(http, ProblemTypes.InvalidLineage, fault!);
            // All or none: one grain takes them.
            var job = events[0].Job;
            if (Array.Exists(events, one => one.Job != job)) return Problems.Problem(http, ProblemTypes.InvalidLineage, new("$: Ein Aufruf bringt Ereignisse eines Jobs.", "$: A call brings events of one job."));
            var result = await grains.GetGrain<IForeignJobGrain>(ForeignJobs.Key(job.Namespace, job.Name)).TellAsync(http.Caller(), job, Array.ConvertAll(events, one => one.Event));
            if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidLineage);
            return TypedResults.Ok(new ForeignAnswerJson(events.Length, result.New));
        }
    }

    private static async Task<IResult> RunsAsync(string @namespace, string name, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        // The host leaves %2F as it is: a slash would be another route.
        name = name.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        if (RowsParameters.Strict(http, s_known) is { } unknown) return unknown;
        if (RowsParameters.Limit(http, ForeignJobs.Runs, ForeignJobs.Runs, out var limit) is { } badLimit) return badLimit;
        var after = 0;
        if (RowsParameters.Text(http, "after") is { } text && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out after)) return RowsParameters.BadCursor(http);
        if (ForeignJobs.Agency(@namespace) is null || name.Length > ForeignJobs.NameLength || await grains.GetGrain<IForeignJobGrain>(ForeignJobs.Key(@namespace, name)).RunsAsync(http.Caller()) is not { } runs)
            return Problems.NotFound(http, s_job, name);
        var page = runs.Skip(after).Take(limit).ToArray();
        return TypedResults.Ok(new ForeignRunsJson(
            @namespace, name, Array.ConvertAll(page, ForeignRunJson.Of), after + page.Length < runs.Length ? http.Next((after + page.Length).ToString(CultureInfo.InvariantCulture), limit) : null));
    }
}

/// <param name="Received">Events.</param>
/// <param name="New">Of which were not there already.</param>
internal sealed record ForeignAnswerJson(int Received, int New);

internal sealed record ForeignRunsJson(string Namespace, string Name, ForeignRunJson[] Runs, string? Next);

/// <param name="State">Of the last event that says one: start, running, complete, fail, abort or other.</param>
/// <param name="Events">As they were sent, in the order of their times.</param>
internal sealed record ForeignRunJson(Guid Run, string State, DateTimeOffset At, JsonElement[] Events)
{
    public static ForeignRunJson Of(ForeignRun run) => new(
        run.Run, (run.Events.LastOrDefault(one => one.Type != "OTHER")?.Type ?? "OTHER").ToLowerInvariant(), run.Events[^1].At, Array.ConvertAll(run.Events, one => JsonDocument.Parse(one.Json).RootElement));
}
