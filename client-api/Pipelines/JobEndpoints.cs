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
            .Takes("draft", "true: the new version does not become the current one; it is tried, run in the shadow, and promoted later.", Microsoft.OpenApi.JsonSchemaType.Boolean)
            .Accepts<JobSpec>("application/json", JobYaml.Type).Produces<JobJson>().Produces<JobJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 409, 422);
        group.MapRead("{job}", GetAsync).WithSummary("One job with its definition and all its versions; as application/yaml the definition alone, ready to be edited and put again.")
            .Takes("version", "An earlier definition; absent: the current one.", Microsoft.OpenApi.JsonSchemaType.Integer).Takes("format", "json or yaml; absent: by Accept.").Produces<JobJson>().Produces(StatusCodes.Status200OK, contentType: JobYaml.Type).Refuses(400, 404);
        group.MapPost("{job}/shadow", ShadowAsync).WithSummary("Has a version run in the shadow of the current one from the next run on: on the same inputs, writing and publishing nothing. version null ends that; so does a new current version.")
            .Accepts<ShadowJson>("application/json").Produces<JobJson>().Refuses(400, 401, 403, 404, 422);
        group.MapRead("{job}/diff", DiffAsync).WithSummary("What differs between two versions of a job's definition, place by place; steps and triggers go by their ids.")
            .Takes("from", "The earlier version; absent: the one before to.", Microsoft.OpenApi.JsonSchemaType.Integer).Takes("to", "The later version; absent: the newest.", Microsoft.OpenApi.JsonSchemaType.Integer).Produces<JobDiffJson>().Refuses(400, 404);
        group.MapPost("{job}/promotion", PromoteAsync).WithSummary("Makes an existing version the current one, forward or back.")
            .Accepts<PromotionJson>("application/json").Produces<JobJson>().Refuses(400, 401, 403, 404, 422);
        group.MapPost("{job}/runs", StartAsync).WithSummary("Starts a run: pins its inputs, and answers before its first step. One run of a job goes at a time; others wait.")
            .WithDescription("files names the uploaded file for each step that reads one. repeats takes the very inputs of an earlier run. Idempotency-Key: a ULID that becomes the run's id; a repeat starts nothing.")
            .Accepts<RunOrderJson>("application/json").Produces<RunJson>(StatusCodes.Status202Accepted).Refuses(400, 401, 403, 404, 409, 422, 503);
        group.MapRead("{job}/runs", RunsAsync).WithSummary("The runs of a job that are remembered, newest first.").Produces<RunListJson>().Refuses(400, 404);
        group.MapRead("{job}/triggers", TriggersAsync).WithSummary("How the triggers of a job stand: when a schedule is due next, which run each started last, and why one could not.").Produces<TriggersJson>().Refuses(404);
        group.MapRead("{job}/backfill", BackfillAsync).WithSummary("The newest backfill of a job: how far it has come, and why it stopped. id null: there was none.").Produces<BackfillAnswerJson>().Refuses(404);
        group.MapPost("{job}/backfill", StartBackfillAsync).WithSummary("Runs a job over a time that has passed: one run for each time of its schedule, in order, one at a time; other runs go before. With preview it only says which.")
            .WithDescription("Times after from and up to to. trigger names the schedule, where the job has several; schedule says other times. Periods that have a complete run are left out, unless again is true. A run that does not become complete stops it. At most 1,000 periods. Idempotency-Key: a ULID that becomes the backfill's id; a repeat starts nothing.")
            .Accepts<BackfillOrderJson>("application/json").Produces<BackfillAnswerJson>().Produces<BackfillAnswerJson>(StatusCodes.Status202Accepted).Refuses(400, 401, 403, 404, 409, 422, 503);
        group.MapPost("{job}/backfill/acts", ActOnBackfillAsync).WithSummary("Goes on with a backfill that stopped (resume), or gives it up (cancel); a run under way goes on.")
            .Accepts<BackfillActJson>("application/json").Produces<BackfillAnswerJson>().Refuses(400, 401, 403, 404, 409, 422, 503);
    }

    private static async Task<IResult> TriggersAsync(string job, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!CatalogIds.IsValid(job) || await grains.GetGrain<IPipelineJobGrain>(job).StatusAsync(http.Caller()) is not { } triggers) return Problems.NotFound(http, Job, job);
        var language = Language.Of(http);
        return TypedResults.Ok(new TriggersJson([.. triggers.Select(trigger => new TriggerStatusJson(trigger.Trigger, trigger.Next, trigger.Run, trigger.At, trigger.Refusal?.In(language)))]));
    }

    private static async Task<IResult> BackfillAsync(string job, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!CatalogIds.IsValid(job)) return Problems.NotFound(http, Job, job);
        var result = await grains.GetGrain<IPipelineJobGrain>(job).GetBackfillAsync(http.Caller());
        return result.Refusal == CatalogRefusal.NotFound ? Problems.NotFound(http, Job, job) : TypedResults.Ok(BackfillAnswerJson.Of(result, Language.Of(http)));
    }

    private static async Task<IResult> StartBackfillAsync(string job, HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        var (body, problem) = await http.ReadJsonAsync<BackfillOrderJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(job)) return Problems.NotFound(http, Job, job);
        if (RunIdOf(http, time, out var id) is { } wrong) return wrong;
        if (body!.Schedule is { } schedule && (schedule.Cron is null || schedule.TimeZone is null || schedule.CatchUp is null)) return Problems.Problem(http, ProblemTypes.InvalidJob, new("schedule: An einer Stelle steht null.", "schedule: There is null where something has to be."));
        var spec = new BackfillSpec(body.From, body.To) { Trigger = body.Trigger, Schedule = body.Schedule, Again = body.Again };
        var grain = grains.GetGrain<IPipelineJobGrain>(job);
        return Answer(http, job, body.Preview ? await grain.PreviewBackfillAsync(http.Caller(), spec) : await grain.StartBackfillAsync(http.Caller(), id, spec), !body.Preview);
    }

    private static async Task<IResult> ActOnBackfillAsync(string job, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<BackfillActJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(job)) return Problems.NotFound(http, Job, job);
        if (body!.Act is not ("resume" or "cancel")) return Problems.Problem(http, ProblemTypes.InvalidJob, new($"act: „{body.Act}“ gibt es nicht; erlaubt sind resume und cancel.", $"act: There is no “{body.Act}”; allowed are resume and cancel."));
        return Answer(http, job, await grains.GetGrain<IPipelineJobGrain>(job).ActOnBackfillAsync(http.Caller(), body.Act == "resume"), isAccepted: false);
    }

    private static IResult Answer(HttpContext http, string job, BackfillResult result, bool isAccepted)
    {
        if (result.Refusal == CatalogRefusal.NotFound) return Unknown(http, Job, job);
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidJob);
        var json = BackfillAnswerJson.Of(result, Language.Of(http));
        return isAccepted ? TypedResults.Accepted($"/api/v1/jobs/{job}/backfill", json) : TypedResults.Ok(json);
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
        var (spec, problem) = JobYaml.IsYaml(http.Request.ContentType) ? await http.ReadYamlAsync<JobSpec>() : await http.ReadJsonAsync<JobSpec>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(job)) return Problems.Problem(http, ProblemTypes.InvalidId, new($"„{job}“ ist keine Kennung.", $"“{job}” is no id."), ("id", job));
        if (http.Request.Query["draft"].ToString() is not ("" or "true" or "false") and var said) return Requests.InvalidParameter(http, "draft", new($"draft: „{said}“ ist weder true noch false.", $"draft: “{said}” is neither true nor false."));
        var grain = grains.GetGrain<IPipelineJobGrain>(job);
        var result = http.Request.Query["draft"] == "true" ? await grain.DraftAsync(http.Caller(), spec!) : await grain.PutAsync(http.Caller(), spec!);
        if (result.Refusal != CatalogRefusal.None) return Refused(http, result);
        var json = JobJson.Of(result.Job!);
        return result.Created ? TypedResults.Created($"/api/v1/jobs/{job}", json) : TypedResults.Ok(json);
    }

    private static async Task<IResult> GetAsync(string job, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Vary = "Accept";
        if (VersionOf(http, "version", out var version) is { } wrong) return wrong;
        var format = http.Request.Query["format"].ToString();
        if (format is not ("" or "json" or "yaml")) return Requests.InvalidParameter(http, "format", new("format ist json oder yaml.", "format is json or yaml."));
        if (!CatalogIds.IsValid(job) || await grains.GetGrain<IPipelineJobGrain>(job).GetAsync(http.Caller(), version) is not { } info) return Problems.NotFound(http, Job, job);
        return format == "yaml" || (format.Length == 0 && JobYaml.IsAsked(http)) ? TypedResults.Text(JobYaml.Write(info.Spec), JobYaml.Type) : TypedResults.Ok(JobJson.Of(info));
    }

    private static async Task<IResult> ShadowAsync(string job, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<ShadowJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(job)) return Problems.NotFound(http, Job, job);
        var result = await grains.GetGrain<IPipelineJobGrain>(job).ShadowAsync(http.Caller(), body!.Version);
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(JobJson.Of(result.Job!)) : result.Refusal == CatalogRefusal.NotFound ? Unknown(http, Job, job) : Refused(http, result);
    }

    private static async Task<IResult> DiffAsync(string job, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (VersionOf(http, "from", out var from) is { } wrong) return wrong;
        if (VersionOf(http, "to", out var to) is { } unfit) return unfit;
        var grain = grains.GetGrain<IPipelineJobGrain>(job);
        if (!CatalogIds.IsValid(job) || await grain.GetAsync(http.Caller(), null) is not { } current) return Problems.NotFound(http, Job, job);
        to ??= current.Versions.Length;
        from ??= Math.Max(1, to.Value - 1);
        if (await grain.GetAsync(http.Caller(), from) is not { } earlier || await grain.GetAsync(http.Caller(), to) is not { } later)
            return Requests.InvalidParameter(http, "from", new($"from, to: Fassungen von 1 bis {current.Versions.Length}.", $"from, to: versions of 1 to {current.Versions.Length}."));
        return TypedResults.Ok(new JobDiffJson(job, earlier.Version, later.Version, JobDiff.Of(earlier.Spec, later.Spec)));
    }

    private static IResult? VersionOf(HttpContext http, string name, out int? version)
    {
        version = null;
        if (http.Request.Query[name].ToString() is not { Length: > 0 } text) return null;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return Requests.InvalidParameter(http, name, new($"{name} ist eine Zahl.", $"{name} is a number."));
        version = number;
        return null;
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
        if (RunIdOf(http, time, out var id) is { } wrong) return wrong;
        if (body!.Files?.Any(file => file.Value is null) is true) return Problems.Problem(http, ProblemTypes.InvalidJob, new("files: Zu einem Schritt steht null statt einer Datei.", "files: A step has null instead of a file."));
        var order = new RunOrder(id, [.. (body!.Files ?? []).Select(file => new NamedFile(file.Key, file.Value))]) { Version = body.Version, Repeats = body.Repeats, Period = body.Period };
        var result = await grains.GetGrain<IPipelineJobGrain>(job).StartAsync(http.Caller(), order);
        if (result.Refusal == CatalogRefusal.NotFound) return Unknown(http, Job, job);
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidJob);
        return TypedResults.Accepted($"/api/v1/runs/{id}", RunJson.Of(result.Run!, Language.Of(http), time.GetUtcNow()));
    }

    /// <summary>The id that the caller says, or a new one.</summary>
    private static IResult? RunIdOf(HttpContext http, TimeProvider time, out string id)
    {
        id = http.Request.Headers["Idempotency-Key"].ToString();
        if (id.Length == 0) id = ReceiptIds.New(time.GetUtcNow());
        return ReceiptIds.IsValid(id) ? null : Requests.InvalidParameter(http, "Idempotency-Key", new("Idempotency-Key ist hier eine ULID (26 Zeichen); sie wird die Kennung.", "Idempotency-Key is a ULID here (26 characters); it becomes the id."));
    }

    private static async Task<IResult> RunsAsync(string job, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        http.Response.Headers.CacheControl = "no-store";
        if (!CatalogIds.IsValid(job) || await grains.GetGrain<IPipelineJobGrain>(job).RunsAsync(http.Caller()) is not { } runs) return Problems.NotFound(http, Job, job);
        // By the time of the order: an id may be made of the time that a run is for.
        var ordered = runs.OrderByDescending(run => run.At).ThenByDescending(run => run.Id, StringComparer.Ordinal).ToArray();
        var page = ordered.Skip(after is null ? 0 : Array.FindIndex(ordered, run => run.Id == after) + 1).Take(limit).ToArray();
        return TypedResults.Ok(new RunListJson(
            [.. page.Select(run => new RunEntryJson(run.Id, RunWords.Of(run.State), run.Version, run.At, run.By, run.Ended) { Trigger = run.Trigger, Period = run.Period, Backfill = run.Backfill, ShadowOf = run.ShadowOf })], page.Length == limit ? http.Next(page[^1].Id, limit) : null));
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
            http, ProblemTypes.InvalidJob, first.Path.Length == 0 ? first.Detail : new($"{first.Path}: {first.Detail.De}", $"{first.Path}: {first.Detail.In("en")}"),
            ("errors", result.Problems.Select(problem => new JobProblemJson(problem.Path, problem.Detail.In(language))).ToArray()));
    }
}

internal sealed record JobSummaryJson(string Id, LocalText Title, string Agency, string? Dataspace, int Version);

internal sealed record JobListJson(JobSummaryJson[] Jobs, string? Next);

/// <param name="Version">Of the definition that is shown.</param>
/// <param name="Current">That new runs use.</param>
internal sealed record JobJson(string Id, int Version, int Current, JobSpec Definition, JobVersionJson[] Versions)
{
    /// <summary>The version that runs in the shadow of the current one; absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Shadow { get; init; }

    public static JobJson Of(JobInfo info) => new(info.Id, info.Version, info.Current, info.Spec, [.. info.Versions.Select(version => new JobVersionJson(version.Number, version.At, version.By))]) { Shadow = info.Shadow };
}

/// <param name="Version">Null: none.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ShadowJson([property: JsonRequired] int? Version);

internal sealed record JobDiffJson(string Id, int From, int To, JobChangeJson[] Changes);

internal sealed record JobVersionJson(int Version, DateTimeOffset At, string By);

internal sealed record JobProblemJson(string Path, string Detail);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PromotionJson([property: JsonRequired] int Version);

/// <param name="Files">By the id of the step that reads it.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RunOrderJson(Dictionary<string, string>? Files = null, int? Version = null, string? Repeats = null, RunPeriod? Period = null);

internal sealed record RunEntryJson(string Id, string State, int Version, DateTimeOffset At, string By, DateTimeOffset? Ended)
{
    /// <summary>That started it; absent: somebody did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Trigger { get; init; }

    /// <summary>That it is for; absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public RunPeriod? Period { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Backfill { get; init; }

    /// <summary>The run in whose shadow it goes; absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? ShadowOf { get; init; }
}

/// <param name="Next">When it is due; null: it does not go by time.</param>
/// <param name="Run">That it started last.</param>
/// <param name="Refusal">Why the last run could not be started, or what was left out.</param>
internal sealed record TriggerStatusJson(string Id, DateTimeOffset? Next, string? Run, DateTimeOffset? At, string? Refusal);

internal sealed record TriggersJson(TriggerStatusJson[] Triggers);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record BackfillOrderJson([property: JsonRequired] DateTimeOffset From, [property: JsonRequired] DateTimeOffset To, string? Trigger = null, ScheduleTrigger? Schedule = null, bool Again = false, bool Preview = false);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record BackfillActJson([property: JsonRequired] string Act);

/// <param name="Id">Null: a preview, or there was none.</param>
/// <param name="State">running, stopped, complete or cancelled.</param>
/// <param name="Periods">How many runs it has in all.</param>
/// <param name="Done">How many are complete.</param>
/// <param name="Run">Its newest run.</param>
internal sealed record BackfillAnswerJson(string? Id, string? State, DateTimeOffset? From, DateTimeOffset? To, int? Version, string? By, int Periods, int? Done, DateTimeOffset? Reached, string? Run, string? Cause)
{
    /// <summary>Of a preview: what would be run, in order.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public RunPeriod[]? Runs { get; init; }

    public static BackfillAnswerJson Of(BackfillResult result, string language) => result.Backfill is { } backfill
        ? new(backfill.Id, backfill.State.ToString().ToLowerInvariant(), backfill.Spec.From, backfill.Spec.To, backfill.Version, backfill.By, backfill.Periods, backfill.Done, backfill.Reached, backfill.Run, backfill.Cause?.In(language))
        : new(null, null, null, null, null, null, result.Periods.Length, null, null, null, null) { Runs = result.Periods.Length == 0 ? null : [.. result.Periods.Select(period => period.Period)] };
}

internal sealed record RunListJson(RunEntryJson[] Runs, string? Next);
