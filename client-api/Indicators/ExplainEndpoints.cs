using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Pipelines;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Indicators;

/// <summary>Where a number comes from, and by which definitions (design I8).</summary>
internal static class ExplainEndpoints
{
    /// <summary>Rows of a page where the caller names no limit, and at most.</summary>
    private const int DefaultLimit = 100, MaxLimit = 10_000;

    private const string Definition = """
        { "version": 3, "title": { "de": "Stickstoffdioxid, Stundenmittel" }, "description": null, "dataset": "air-quality", "measure": { "function": "mean", "field": "no2" },
          "window": "PT1H", "timeZone": "Europe/Berlin", "groupBy": ["area"], "decimals": 1, "unit": "ug/m3", "access": "open", "disclosure": { "minimumCount": 0 } }
        """;

    private const string Example = $$"""
        { "indicator": "no2-hourly", "definition": {{Definition}}, "watermark": "w1.kw", "asOf": "2026-11-23T08:31:02Z", "areaSystem": "demo", "areaVersion": 1,
          "area": "01", "from": "2026-11-23T08:00:00Z", "to": "2026-11-23T09:00:00Z", "value": 23.4, "count": 1, "state": "ok", "recomputed": 23.4,
          "rowCount": 1, "sources": [ { "feed": "messnetz", "rows": 1, "receipts": 1 } ],
          "rows": [ { "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "0110", "no2": 23.4, "@area": "0110",
            "receipt": "01M85TE81WJVE9C37DP5NKMBKC", "feed": "messnetz", "receivedAt": "2026-11-23T08:31:02Z",
            "corrections": [ { "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "0110", "no2": 32.4, "@area": "0110",
              "receipt": "01M85TBBW8N6WJ7CR5KQ8YJ3ZD", "feed": "messnetz", "receivedAt": "2026-11-23T08:01:02Z" } ] } ], "next": null }
        """;

    private const string DefinitionsExample = $$"""{ "indicator": "no2-hourly", "present": 3, "definitions": [ {{Definition}} ], "next": null }""";

    private static readonly LocalText s_indicator = new("Indikator", "Indicator");
    private static readonly string[] s_known = ["from", "level", "area", "whole", CellParameters.Prefix + "…", "asOf", "watermark", "definition", "limit", "after"];
    private static readonly string[] s_list = ["limit", "after"];

    public static void MapExplainEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/indicators").WithTags("Indicators");
        group.MapRead("{indicator}/explain", ExplainAsync)
            .WithSummary("Where one value comes from: the definition, the rows that went in with receipt, feed, time received and earlier versions, the runs of pipelines that brought them with the files and datasets that those read, and the value folded again from exactly these rows. Personal fields are left out. Rows are for those who may read the dataset; of a suppressed value only the publisher's readers get more than that it is suppressed. A formula names its inputs, each with the link that explains its value at the same place and moment.")
            .Takes("from", "The window that contains it: a day (its begin in the indicator's time zone) or an instant with Z or offset; must be there.")
            .Takes("area", "The value's area; without area and whole the rows that have none, or all where the indicator is not grouped by area.")
            .Takes("level", "The area's level; need not be named.", JsonSchemaType.Integer)
            .Takes("whole", "true: all areas together.", JsonSchemaType.Boolean)
            .Takes("dim.{field}", "The value of a dimension, such as dim.kind=bike; empty: without one. Each dimension of the definition must be there.")
            .Takes("asOf", "As it was known then: an instant with Z or offset, a day, or the watermark of an answer.")
            .Takes("watermark", "The answer must include this; else 503 after a bounded wait.")
            .Takes("definition", "By this version of the definition.", JsonSchemaType.Integer)
            .Takes("limit", $"Rows of the page, 1 to {MaxLimit}; {DefaultLimit} where absent. Value and recomputed are of the rows of all pages.", JsonSchemaType.Integer)
            .Takes("after", "Continues a page; as in the answer's next, which stays at the same watermark.")
            .Produces<JsonDocument>().Produces(StatusCodes.Status304NotModified).Refuses(400, 401, 403, 404, 410, 422, 429, 503)
            .WithDescription(IndicatorEndpoints.ThroughAgreement)
            .Example(Example, StatusCodes.Status200OK);
        group.MapRead("{indicator}/definitions", DefinitionsAsync)
            .WithSummary("The versions of the definition that values can be asked by, oldest first; the last one answers. So many earlier ones are kept as DataHub:Indicator:MaxDefinitions says.")
            .Takes("limit", $"Versions of the page, 1 to {Requests.MaxPage}.", JsonSchemaType.Integer)
            .Takes("after", "Only versions with a greater number; as in the answer's next.", JsonSchemaType.Integer)
            .Produces<JsonDocument>().Refuses(400, 404)
            .Example(DefinitionsExample, StatusCodes.Status200OK);
    }

    private static async Task<IResult> ExplainAsync(string indicator, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(indicator)) return Problems.NotFound(http, s_indicator, indicator);
        var (cell, invalid) = ValuesParameters.Read(http, latest: false, s_known, CellParameters.Prefix, ownPages: true);
        if (invalid is not null) return invalid;
        if (RowsParameters.Limit(http, MaxLimit, DefaultLimit, out var limit) is { } badLimit) return badLimit;
        RowCursor? after = null;
        if (RowsParameters.Text(http, "after") is { } text && !CellParameters.TryRow(text, out after)) return RowsParameters.BadCursor(http);

        var dimensions = CellParameters.Dimensions(http);
        var result = await grains.GetGrain<IIndicatorGrain>(indicator).ExplainAsync(http.Caller(), new(cell!, dimensions, after, limit));
        if (result.Page is not { } page) return Refused(http, indicator, result.Refusal, result.Detail, result.Parameter, result.RetryAfter);

        var next = page.Next is null ? null : CellParameters.Link(http, cell! with { To = null, ToDay = null }, dimensions, limit)
            .Add("asOf", page.Watermark).Add("definition", Number(page.Indicator.Definition.Version)).Add("after", CellParameters.Text(page.Next)).ToString();
        var origin = await RunOrigins.OfAsync(grains, http.Caller(), page.Runs.Select(run => run.By.Run), page.Indicator.Definition.Spec.Dataset, page.AsOf);
        http.Response.Headers[Requests.WatermarkHeader] = page.Watermark;
        return Rendered.Of(RowsEndpoints.Render(writer => Write(writer, page, next, Inputs(http, page, cell!, dimensions, limit), origin)), AnswerFormats.ContentType(AnswerFormat.Json)).Answer();
    }

    private static async Task<IResult> DefinitionsAsync(string indicator, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(indicator) || await grains.GetGrain<IIndicatorGrain>(indicator).DefinitionsAsync(http.Caller()) is not { } all)
            return Problems.NotFound(http, s_indicator, indicator);
        if (RowsParameters.Strict(http, s_list) is { } unknown) return unknown;
        if (RowsParameters.Limit(http, Requests.MaxPage, Requests.MaxPage, out var limit) is { } badLimit) return badLimit;
        var after = 0;
        if (RowsParameters.Text(http, "after") is { } text && !int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out after)) return RowsParameters.BadCursor(http);

        var page = all.Where(one => one.Version > after).Take(limit + 1).ToArray();
        return Rendered.Of(RowsEndpoints.Render(writer =>
        {
            writer.WriteString("indicator", indicator);
            writer.WriteNumber("present", all[^1].Version);
            writer.WriteStartArray("definitions");
            foreach (var one in page.Take(limit)) WriteDefinition(writer, one);
            writer.WriteEndArray();
            writer.WriteString("next", page.Length > limit ? http.Next(Number(page[limit - 1].Version), limit) : null);
        }), AnswerFormats.ContentType(AnswerFormat.Json)).Answer();
    }

    /// <summary>Of a formula each input with its definition's version and where its value at the same place and moment is explained.</summary>
    private static (IndicatorDefinition Input, string Link)[] Inputs(HttpContext http, ExplainPage page, ValuesQuery cell, DimensionValue[] dimensions, int limit) =>
        Array.ConvertAll(page.Indicator.Definition.Inputs ?? [], input => (input, CellParameters.Link(http, cell with { To = null, ToDay = null }, dimensions, limit, $"/api/v1/indicators/{input.Indicator}/explain")
            .Add("asOf", page.Watermark).Add("definition", Number(input.Version)).ToString()));

    private static void Write(Utf8JsonWriter writer, ExplainPage page, string? next, (IndicatorDefinition Input, string Link)[] inputs, RunOrigins origin)
    {
        var (info, value) = (page.Indicator, page.Value);
        writer.WriteString("indicator", info.Id);
        writer.WritePropertyName("definition");
        WriteDefinition(writer, info.Definition);
        WriteMoment(writer, page.Watermark, page.AsOf, info);
        AnswerWriter.WriteMembers(writer, info.Definition.Spec, value);
        WriteNumber(writer, "recomputed", page.Recomputed);
        if (page.RowCount is { } count) writer.WriteNumber("rowCount", count);
        else writer.WriteNull("rowCount");
        writer.WriteStartArray("sources");
        foreach (var source in page.Sources)
        {
            writer.WriteStartObject();
            writer.WriteString("feed", source.Feed);
            writer.WriteNumber("rows", source.Rows);
            writer.WriteNumber("receipts", source.Receipts);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        WriteRuns(writer, page, origin);
        WriteInputs(writer, inputs, "explainedBy");
        if (page.Rows is { } rows)
        {
            var rowWriter = new ToldRowsWriter(rows);
            writer.WriteStartArray("rows");
            foreach (var row in rows.Rows) rowWriter.WriteExplained(writer, row);
            writer.WriteEndArray();
        }

        writer.WriteString("next", next);
    }

    /// <summary>The runs behind the rows, and behind what those read; nothing where the caller may know of none.</summary>
    private static void WriteRuns(Utf8JsonWriter writer, ExplainPage page, RunOrigins origin)
    {
        if (origin.Foreign.Length > 0)
        {
            writer.WritePropertyName("foreignRuns");
            JsonSerializer.Serialize(writer, Array.ConvertAll(origin.Foreign, ForeignWriteJson.Of), WireJson.Options);
        }

        if (origin.Runs.Length == 0) return;
        writer.WritePropertyName("runs");
        JsonSerializer.Serialize(writer, Array.ConvertAll(origin.Runs, run => OriginRunJson.Of(run, page.Runs)), WireJson.Options);
        if (origin.IsPartial || page.AreRunsPartial) writer.WriteBoolean("runsAreAll", false);
    }

    /// <summary>A formula's inputs, each with its definition's version and a link; nothing where there are none.</summary>
    internal static void WriteInputs(Utf8JsonWriter writer, (IndicatorDefinition Input, string Link)[] inputs, string link)
    {
        if (inputs.Length == 0) return;
        writer.WriteStartArray("inputs");
        foreach (var (input, target) in inputs)
        {
            writer.WriteStartObject();
            writer.WriteString("indicator", input.Indicator);
            writer.WriteNumber("definition", input.Version);
            writer.WriteString(link, target);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>As of when an answer from history is, and in which areas.</summary>
    internal static void WriteMoment(Utf8JsonWriter writer, string watermark, DateTimeOffset asOf, IndicatorInfo info)
    {
        writer.WriteString("watermark", watermark);
        writer.WriteString("asOf", asOf == DateTimeOffset.MinValue ? null : AnswerText.Instant(asOf.UtcTicks));
        if (!info.Definition.Spec.ByArea || info.AreaSystem is null) return;
        writer.WriteString("areaSystem", info.AreaSystem);
        writer.WriteNumber("areaVersion", info.AreaVersion);
    }

    /// <summary>A definition as an object, its number as <c>version</c>.</summary>
    internal static void WriteDefinition(Utf8JsonWriter writer, IndicatorDefinition definition)
    {
        writer.WriteStartObject();
        writer.WriteNumber("version", definition.Version);
        foreach (var member in JsonSerializer.SerializeToElement(DefinitionJson.Of(definition), WireJson.Options).EnumerateObject())
        {
            if (!member.NameEquals("definition")) member.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    internal static void WriteNumber(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } number) writer.WriteNumber(name, number);
        else writer.WriteNull(name);
    }

    internal static IResult Refused(HttpContext http, string indicator, ReadRefusal refusal, LocalText? detail, string? parameter, TimeSpan retryAfter) =>
        refusal == ReadRefusal.Invalid && parameter is not null
            ? Requests.InvalidParameter(http, parameter, detail!)
            : IndicatorEndpoints.Refused(http, indicator, new(refusal, null, detail) { RetryAfter = retryAfter });

    internal static string Number(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
