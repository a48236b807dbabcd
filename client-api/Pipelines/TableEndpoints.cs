using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Pipelines;

/// <summary>The tables that steps made, in every format, and what is known of them.</summary>
internal static class TableEndpoints
{
    public static readonly LocalText Step = new("Schritt", "Step");

    public static async Task<IResult> GetAsync(string run, string step, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        var (format, problem) = AnswerFormats.ChooseWithMetadata(http, AnswerFormats.TableWords);
        if (problem is not null) return problem;
        var grain = ReceiptIds.IsValid(run) ? grains.GetGrain<IPipelineRunGrain>(run) : null;
        if (grain is null || await grain.TableAsync(http.Caller(), step) is not { } table)
        {
            return grain is not null && await grain.GetAsync(http.Caller()) is { TablesErased: { } erased, Steps: var steps } && Array.Exists(steps, one => one.Id == step && one.Columns.Length > 0)
                ? Problems.Problem(http, ProblemTypes.TablesErased, erased.Words(), ("dataset", erased.Dataset), ("at", erased.At))
                : Problems.NotFound(http, Step, step);
        }

        // Who may see rows need not be the one who may see runs.
        var metadata = Metadata(run, table, await grain.GetAsync(http.Caller()), http);
        var fields = Fields(table);
        if (format == AnswerFormat.GeoJson && TableGeometry.Of(fields) is null)
        {
            return Problems.Problem(http, ProblemTypes.NotAcceptable, new(
                "Die Tabelle hat keine Geometrie: weder lon und lat als Zahlen noch geometry, geom oder wkt als Text (WKT). Als csv, xlsx, parquet oder ndjson abrufen.",
                "The table has no geometry: neither lon and lat as numbers nor geometry, geom or wkt as text (WKT). Take it as csv, xlsx, parquet or ndjson."));
        }

        if (format == AnswerFormat.Xlsx && !AnswerXlsx.Fits(table.RowsOut, fields.Length))
        {
            return Problems.Problem(http, ProblemTypes.NotAcceptable, new(
                $"Ein Tabellenblatt fasst {AnswerXlsx.MostRows - 1} Zeilen und der Hub schreibt höchstens {AnswerXlsx.MostCells} Zellen; die Tabelle hat {table.RowsOut} Zeilen und {fields.Length} Spalten. Als csv oder parquet abrufen.",
                $"A sheet takes {AnswerXlsx.MostRows - 1} rows, and the hub writes at most {AnswerXlsx.MostCells} cells; the table has {table.RowsOut} rows and {fields.Length} columns. Take it as csv or parquet."));
        }

        return new TableAnswer(grain, http.Caller(), table, fields, metadata, format);
    }

    /// <summary>Tells of the table, not of its rows: for whoever may see the run.</summary>
    public static async Task<IResult> MetadataAsync(string run, string step, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        var (german, problem) = AnswerCsvw.Form(http);
        if (problem is not null) return problem;
        if (await MadeAsync(run, step, http, grains) is not var (info, table)) return Problems.NotFound(http, Step, step);
        var metadata = Metadata(run, table, info, http);
        return AnswerCsvw.Write(metadata, Fields(table), metadata.Columns[..metadata.Columns.LastIndexOf('/')], german).Answer();
    }

    public static async Task<IResult> FormatAsync(string run, string step, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        return await MadeAsync(run, step, http, grains) is var (_, table) ? TypedResults.Ok(new StepFormatJson(table.Format)) : Problems.NotFound(http, Step, step);
    }

    /// <summary>A step that made a table, with its run.</summary>
    private static async Task<(RunInfo Run, StepInfo Step)?> MadeAsync(string run, string step, HttpContext http, IGrainFactory grains) =>
        ReceiptIds.IsValid(run) && await grains.GetGrain<IPipelineRunGrain>(run).GetAsync(http.Caller()) is { } info
            && Array.Find(info.Steps, one => one.Id == step && one is { State: RunState.Complete, Columns.Length: > 0 }) is { } table ? (info, table) : null;

    private static FieldSpec[] Fields(StepInfo step) => [.. step.Columns.Select(column => AnswerTable.Field(column.Name, column.Type))];

    private static AnswerMetadata Metadata(string run, StepInfo step, RunInfo? info, HttpContext http)
    {
        var (pinned, path) = (info?.Pinned, $"{http.Request.PathBase}/api/v1/runs/{run}/steps/{step.Id}/table/metadata");
        var title = pinned is null
            ? new LocalText($"Tabelle „{step.Id}“ des Laufs {run}", $"Table “{step.Id}” of the run {run}")
            : new LocalText($"{pinned.Spec.Title.De}: Tabelle „{step.Id}“", $"{pinned.Spec.Title.In("en")}: table “{step.Id}”");
        return new("step", step.Id, title, pinned?.Spec.Agency ?? "", null, "UTC", path, path)
        {
            FileName = $"{run}-{step.Id}",
            Source = new(
                run, step.RowsOut, step.Sha256 is null ? null : Convert.ToHexStringLower(step.Sha256), pinned?.Job, pinned?.Version, pinned?.Engine, pinned?.At,
                pinned is null ? null : [.. pinned.Inputs.Select(PinnedInputJson.Of)]),
        };
    }
}

/// <param name="File">As it stands in a step <c>read</c>; null: the step read no file.</param>
internal sealed record StepFormatJson(FileFormat? File);
