using System.Globalization;
using System.Text.Json.Serialization;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Pipelines;

/// <summary>Jobs of pipelines: their definitions, and starting runs of them.</summary>
internal static class JobEndpoints
{
    public static readonly LocalText Job = new("Job", "Job");

    public static void MapJobEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/jobs").WithTags("Pipelines");
        group.MapRead("", ListAsync).WithSummary("Lists the jobs that the caller may see, by id.").Produces<JobListJson>().Paged();
        group.MapPut("{job}", PutAsync).WithSummary("Creates a job or makes a new version of it, which new runs use from then on.")
            .WithDescription($"Steps run in their order; each is exactly one of {string.Join(", ", StepSpec.Kinds)}, and names earlier steps whose tables it takes. Whoever puts a job must be allowed himself to read, push and release what its steps read, write and publish. What is wrong stands in errors, each with its path.")
            .Accepts<JobSpec>("application/json").Produces<JobJson>().Produces<JobJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 409, 422);
        group.MapRead("{job}", GetAsync).WithSummary("One job with its definition and all its versions.")
            .Takes("version", "An earlier definition; absent: the current one.", Microsoft.OpenApi.JsonSchemaType.Integer).Produces<JobJson>().Refuses(400, 404);
        group.MapPost("{job}/promotion", PromoteAsync).WithSummary("Makes an existing version the current one, forward or back.")
            .Accepts<PromotionJson>("application/json").Produces<JobJson>().Refuses(400, 401, 403, 404, 422);
        group.MapPost("{job}/runs", StartAsync).WithSummary("Starts a run: pins its inputs, and answers before its first step. One run of a job goes at a time; others wait.")
            .WithDescription("files names the uploaded file for each step that reads one. repeats takes the very inputs of an earlier run. Idempotency-Key: a ULID that becomes the run's id; a repeat starts nothing.")
            .Accepts<RunOrderJson>("application/json").Produces<RunJson>(StatusCodes.Status202Accepted).Refuses(400, 401, 403, 404, 409, 422, 503);
        group.MapRead("{job}/runs", RunsAsync).WithSummary("The runs of a job that are remembered, newest first.").Produces<RunListJson>().Refuses(400, 404);
    }

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        http.Response.Headers.CacheControl = "no-store";
        var caller = http.Caller();
        if (caller.IsPublic) return TypedResults.Ok(new JobListJson([], null));
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Jobs).ListAsync(caller, after, limit);
        var found = await Task.WhenAll(ids.Select(id => grains.GetGrain<IPipelineJobGrain>(id).GetAsync(caller, null)));
        return TypedResults.Ok(new JobListJson(
            [.. found.OfType<JobInfo>().Select(info => new JobSummaryJson(info.Id, info.Spec.Title, info.Spec.Agency, info.Spec.Dataspace, info.Current))], ids.Length == limit ? http.Next(ids[^1], limit) : null));
    }

    private static async Task<IResult> PutAsync(string job, HttpContext http, IGrainFactory grains)
    {
        var (spec, problem) = await http.ReadJsonAsync<JobSpec>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(job)) return Problems.Problem(http, ProblemTypes.InvalidId, new($"„{job}“ ist keine Kennung.", $"“{job}” is no id."), ("id", job));
        var result = await grains.GetGrain<IPipelineJobGrain>(job).PutAsync(http.Caller(), spec!);
        if (result.Refusal != CatalogRefusal.None) return Refused(http, result);
        var json = JobJson.Of(result.Job!);
        return result.Created ? TypedResults.Created($"/api/v1/jobs/{job}", json) : TypedResults.Ok(json);
    }

    private static async Task<IResult> GetAsync(string job, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        int? version = null;
        if (http.Request.Query["version"].ToString() is { Length: > 0 } text)
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return Requests.InvalidParameter(http, "version", new("version ist eine Zahl.", "version is a number."));
            version = number;
        }

        return CatalogIds.IsValid(job) && await grains.GetGrain<IPipelineJobGrain>(job).GetAsync(http.Caller(), version) is { } info ? TypedResults.Ok(JobJson.Of(info)) : Problems.NotFound(http, Job, job);
    }

    private static async Task<IResult> PromoteAsync(string job, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<PromotionJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(job)) return Problems.NotFound(http, Job, job);
        var result = await grains.GetGrain<IPipelineJobGrain>(job).PromoteAsync(http.Caller(), body!.Version);
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(JobJson.Of(result.Job!)) : result.Refusal == CatalogRefusal.NotFound ? Unknown(http, Job, job) : Refused(http, result);
    }

    private static async Task<IResult> StartAsync(string job, HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        var (body, problem) = await http.ReadJsonAsync<RunOrderJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(job)) return Problems.NotFound(http, Job, job);
        var id = http.Request.Headers["Idempotency-Key"].ToString();
        if (id.Length == 0) id = ReceiptIds.New(time.GetUtcNow());
        else if (!ReceiptIds.IsValid(id)) return Requests.InvalidParameter(http, "Idempotency-Key", new("Idempotency-Key ist hier eine ULID (26 Zeichen); sie wird die Kennung des Laufs.", "Idempotency-Key is a ULID here (26 characters); it becomes the run's id."));
        if (body!.Files?.Any(file => file.Value is null) is true) return Problems.Problem(http, ProblemTypes.InvalidJob, new("files: Zu einem Schritt steht null statt einer Datei.", "files: A step has null instead of a file."));
        var order = new RunOrder(id, [.. (body!.Files ?? []).Select(file => new NamedFile(file.Key, file.Value))]) { Version = body.Version, Repeats = body.Repeats };
        var result = await grains.GetGrain<IPipelineJobGrain>(job).StartAsync(http.Caller(), order);
        if (result.Refusal == CatalogRefusal.NotFound) return Unknown(http, Job, job);
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidJob);
        return TypedResults.Accepted($"/api/v1/runs/{id}", RunJson.Of(result.Run!, Language.Of(http), time.GetUtcNow()));
    }

    private static async Task<IResult> RunsAsync(string job, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        http.Response.Headers.CacheControl = "no-store";
        if (!CatalogIds.IsValid(job) || await grains.GetGrain<IPipelineJobGrain>(job).RunsAsync(http.Caller()) is not { } runs) return Problems.NotFound(http, Job, job);
        var page = runs.Where(run => after is null || string.CompareOrdinal(run.Id, after) < 0).OrderByDescending(run => run.Id, StringComparer.Ordinal).Take(limit).ToArray();
        return TypedResults.Ok(new RunListJson(
            [.. page.Select(run => new RunEntryJson(run.Id, RunWords.Of(run.State), run.Version, run.At, run.By, run.Ended))], page.Length == limit ? http.Next(page[^1].Id, limit) : null));
    }

    /// <summary>Whoever is nobody is asked who he is; whoever is somebody is told that there is none.</summary>
    public static IResult Unknown(HttpContext http, LocalText what, string id) =>
        http.Caller().IsPublic ? Authentication.Forbidden(http, new("Nötig ist ein Schlüssel oder eine Anmeldung.", "A key or a sign-in is needed.")) : Problems.NotFound(http, what, id);

    private static IResult Refused(HttpContext http, JobResult result)
    {
        if (result.Problems.Length == 0) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidJob);
        var language = Language.Of(http);
        var first = result.Problems[0];
        return Problems.Problem(
            http, ProblemTypes.InvalidJob, new($"{first.Path}: {first.Detail.De}", $"{first.Path}: {first.Detail.In("en")}"),
            ("errors", result.Problems.Select(problem => new JobProblemJson(problem.Path, problem.Detail.In(language))).ToArray()));
    }
}

internal sealed record JobSummaryJson(string Id, LocalText Title, string Agency, string? Dataspace, int Version);

internal sealed record JobListJson(JobSummaryJson[] Jobs, string? Next);

/// <param name="Version">Of the definition that is shown.</param>
/// <param name="Current">That new runs use.</param>
internal sealed record JobJson(string Id, int Version, int Current, JobSpec Definition, JobVersionJson[] Versions)
{
    public static JobJson Of(JobInfo info) => new(info.Id, info.Version, info.Current, info.Spec, [.. info.Versions.Select(version => new JobVersionJson(version.Number, version.At, version.By))]);
}

internal sealed record JobVersionJson(int Version, DateTimeOffset At, string By);

internal sealed record JobProblemJson(string Path, string Detail);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PromotionJson([property: JsonRequired] int Version);

/// <param name="Files">By the id of the step that reads it.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RunOrderJson(Dictionary<string, string>? Files = null, int? Version = null, string? Repeats = null);

internal sealed record RunEntryJson(string Id, string State, int Version, DateTimeOffset At, string By, DateTimeOffset? Ended);

internal sealed record RunListJson(RunEntryJson[] Runs, string? Next);
