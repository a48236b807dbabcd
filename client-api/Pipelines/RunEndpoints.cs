using System.Buffers;
using System.Text.Json.Serialization;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Pipelines;

/// <summary>Runs of pipelines: how they stand, what they made, ending and resuming them.</summary>
internal static class RunEndpoints
{
    public static readonly LocalText Run = new("Lauf", "Run");

    private static readonly LocalText s_step = new("Schritt", "Step");

    public static void MapRunEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/runs").WithTags("Pipelines");
        group.MapRead("{run}", GetAsync).WithSummary("One run: its state in the words of OpenLineage, its pinned inputs, and each step with counts, progress, notes and the cause of a failure.").Produces<RunJson>().Refuses(404);
        group.MapPost("{run}/acts", ActAsync).WithSummary("Ends a run before its time (abort), or goes on with the step that failed or was stopped (resume).")
            .Accepts<RunActJson>("application/json").Produces<RunJson>().Refuses(400, 401, 403, 404, 409, 422);
        group.MapRead("{run}/lineage", LineageAsync).WithSummary("What happened in a run as events of OpenLineage 2-0-2: of the run, and of each step as a run of its own.")
            .Produces<LineageJson>().Refuses(404);
        group.MapRead("{run}/differences", DifferencesAsync).WithSummary("What differs between a step's tables in an earlier run and in this one: rows added, removed and changed, and the first 1,000 cells.")
            .Takes("with", "The earlier run; absent: the one that this one repeats or shadows.").Takes("step", "Whose tables; absent: the one that is written into a dataset.").Takes("key", "Columns that make out a row, by commas; absent: the primary key of the dataset that the table is written into.")
            .Produces<RunDifferencesJson>().Refuses(404, 409, 422);
        group.MapRead("{run}/steps/{step}/table", TableAsync).WithSummary("The table that a step made, whole, as CSV.")
            .Produces(StatusCodes.Status200OK, contentType: "text/csv").Refuses(404);
    }

    private static async Task<IResult> GetAsync(string run, HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        http.Response.Headers.CacheControl = "no-store";
        return await FindAsync(run, http, grains) is { } info ? TypedResults.Ok(RunJson.Of(info, Language.Of(http), time.GetUtcNow())) : Problems.NotFound(http, Run, run);
    }

    private static async Task<IResult> ActAsync(string run, HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        var (body, problem) = await http.ReadJsonAsync<RunActJson>();
        if (problem is not null) return problem;
        if (!ReceiptIds.IsValid(run)) return JobEndpoints.Unknown(http, Run, run);
        var grain = grains.GetGrain<IPipelineRunGrain>(run);
        if (body!.Act is not ("abort" or "resume")) return Problems.Problem(http, ProblemTypes.InvalidJob, new($"act: „{body.Act}“ gibt es nicht; erlaubt sind abort und resume.", $"act: There is no “{body.Act}”; allowed are abort and resume."));
        if (body.Act == "abort" && string.IsNullOrWhiteSpace(body.Reason)) return Problems.Problem(http, ProblemTypes.InvalidJob, new("reason: Warum wird der Lauf beendet?", "reason: Why is the run ended?"));
        if (body.Reason?.Length > 1_000) return Problems.Problem(http, ProblemTypes.InvalidJob, new("reason: höchstens 1.000 Zeichen.", "reason: at most 1,000 characters."));
        var result = body.Act == "abort" ? await grain.AbortAsync(http.Caller(), body.Reason!) : await grain.ResumeAsync(http.Caller());
        if (result.Refusal == CatalogRefusal.NotFound) return JobEndpoints.Unknown(http, Run, run);
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(RunJson.Of(result.Run!, Language.Of(http), time.GetUtcNow())) : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidJob);
    }

    private static async Task<IResult> LineageAsync(string run, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        return await FindAsync(run, http, grains) is { } info ? TypedResults.Ok(new LineageJson(OpenLineageEvents.Of(info))) : Problems.NotFound(http, Run, run);
    }

    private static async Task<IResult> DifferencesAsync(string run, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!ReceiptIds.IsValid(run)) return Problems.NotFound(http, Run, run);
        var query = new DifferenceQuery(Said("with"), Said("step"), Said("key")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        var result = await grains.GetGrain<IPipelineRunGrain>(run).DifferencesAsync(http.Caller(), query);
        if (result.Refusal == CatalogRefusal.NotFound) return Problems.NotFound(http, result.Detail is null ? Run : s_step, result.Detail is null ? run : query.Step ?? run);
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(RunDifferencesJson.Of(result)) : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidJob);

        string? Said(string name) => http.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;
    }

    private static async Task<IResult> TableAsync(string run, string step, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        // Who may see rows need not be the one who may see runs.
        var grain = ReceiptIds.IsValid(run) ? grains.GetGrain<IPipelineRunGrain>(run) : null;
        if (grain is null || await grain.TableAsync(http.Caller(), step) is not { } table) return Problems.NotFound(http, s_step, step);
        return new TableAnswer(grain, http.Caller(), table, $"{run}-{step}");
    }

    private static async Task<RunInfo?> FindAsync(string run, HttpContext http, IGrainFactory grains) =>
        ReceiptIds.IsValid(run) ? await grains.GetGrain<IPipelineRunGrain>(run).GetAsync(http.Caller()) : null;

    /// <summary>A table, batch by batch: one is in memory.</summary>
    private sealed class TableAnswer(IPipelineRunGrain run, Caller caller, StepInfo step, string name) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.ContentType = "text/csv; charset=utf-8";
            response.Headers.ContentDisposition = $"attachment; filename=\"{name}.csv\"";
            FieldSpec[] fields = [.. step.Columns.Select(column => AnswerTable.Field(column.Name, column.Type))];
            var buffer = new ArrayBufferWriter<byte>(1 << 16);
            AnswerCsv.WriteHeader(Of(RowBlock.Empty), buffer, german: false);
            if (HttpMethods.IsHead(httpContext.Request.Method)) return;
            for (var batch = 0; batch < step.Batches; batch++)
            {
                // Asked for each: what was taken away meanwhile is not given.
                if (await run.OutputAsync(caller, step.Id, batch) is not { } bytes) throw new InvalidDataException($"batch {batch} of step {step.Id} is not there any more");
                AnswerCsv.WriteRows(Of(TableCodec.Read(bytes)), buffer, german: false);
                await response.Body.WriteAsync(buffer.WrittenMemory, httpContext.RequestAborted);
                buffer.ResetWrittenCount();
            }

            if (buffer.WrittenCount > 0) await response.Body.WriteAsync(buffer.WrittenMemory, httpContext.RequestAborted);

            AnswerTable Of(RowBlock rows) => new() { Fields = fields, Columns = rows.Columns, Count = rows.Count, Metadata = null! };
        }
    }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RunActJson([property: JsonRequired] string Act, string? Reason = null);

/// <param name="With">The earlier run.</param>
/// <param name="Key">Columns that make out a row.</param>
/// <param name="Same">Rows alike in the columns that both have.</param>
/// <param name="Cells">The first 1,000 that differ.</param>
internal sealed record RunDifferencesJson(
    string With, string Step, string[] Key, long Same, long Changed, long Removed, long Added, string[] ColumnsRemoved, string[] ColumnsAdded, ColumnChangeJson[] Columns, CellChangeJson[] Cells)
{
    public static RunDifferencesJson Of(DifferenceResult result)
    {
        var found = result.Differences!;
        return new(
            result.With!, result.Step!, found.Key, found.Same, found.Changed, found.Removed, found.Added, found.ColumnsOnlyBefore, found.ColumnsOnlyAfter,
            [.. found.Columns.Select(column => new ColumnChangeJson(column.Column, column.Cells))], [.. found.Cells.Select(cell => new CellChangeJson(cell.Row, cell.Column, cell.Before, cell.After))]);
    }
}

internal sealed record ColumnChangeJson(string Column, long Cells);

/// <param name="Row">Values of its key.</param>
internal sealed record CellChangeJson(string Row, string Column, string? Before, string? After);

/// <param name="Events">In the order of their times.</param>
internal sealed record LineageJson(System.Text.Json.Nodes.JsonObject[] Events);
