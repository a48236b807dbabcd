using System.Text.Json;
using System.Text.Json.Serialization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Pipelines;

/// <summary>Runs of pipelines: how they stand, what they made, ending and resuming them.</summary>
internal static class RunEndpoints
{
    public static readonly LocalText Run = new("Lauf", "Run");

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
            .Produces<RunDifferencesJson>().Refuses(404, 409, 422, 503);
        group.MapRead("{run}/steps/{step}/table", TableEndpoints.GetAsync).WithSummary("The table that a step made, whole, in the format of ?format= or Accept; CSV where none is named.")
            .WithDescription("Its link describedby leads to what is known of it: run, job and version, inputs with hashes and watermarks, columns, rows, hash, engine. The same stands in Parquet as pairs of the file, in XLSX on the sheet Metadaten, in GeoJSON beside the features. GeoJSON needs the columns lon and lat, or well-known text in geometry, geom or wkt; XLSX takes 1,048,575 rows and 20,000,000 cells.")
            .Takes("format", $"One of {string.Join(", ", AnswerFormats.TableWords)}; goes before Accept. csv-de has semicolons, decimal commas and a byte order mark.")
            .Takes("meta", "true: the first line is {\"@meta\":{…}}; ndjson only.", JsonSchemaType.Boolean)
            .Produces<JsonDocument>(StatusCodes.Status200OK, AnswerFormats.TableTypes[0], AnswerFormats.TableTypes[1..]).Refuses(400, 404, 406, 410);
        group.MapRead("{run}/steps/{step}/format", TableEndpoints.FormatAsync).WithSummary("The format by which the next file is read in the same way as the one that a step read: what was said of it and what was found out, ready for the job's definition.")
            .Produces<StepFormatJson>().Refuses(404);
        group.MapRead("{run}/steps/{step}/table/metadata", TableEndpoints.MetadataAsync).WithSummary("What is known of a step's table, as CSV on the Web (W3C): its columns, and in notes run, job and version, inputs with hashes and watermarks, rows, hash and engine.")
            .Takes("format", "csv or csv-de: which of the two it describes.")
            .Produces<JsonDocument>(StatusCodes.Status200OK, AnswerCsvw.ContentType).Produces(StatusCodes.Status304NotModified).Refuses(400, 404);
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
        if (result.Refusal == CatalogRefusal.NotFound) return result.Detail is null || query.Step is null ? Problems.NotFound(http, Run, run) : Problems.NotFound(http, TableEndpoints.Step, query.Step);
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(RunDifferencesJson.Of(result)) : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidJob);

        string? Said(string name) => http.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;
    }

    private static async Task<RunInfo?> FindAsync(string run, HttpContext http, IGrainFactory grains) =>
        ReceiptIds.IsValid(run) ? await grains.GetGrain<IPipelineRunGrain>(run).GetAsync(http.Caller()) : null;
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
