using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Indicators;

/// <summary>What moved between two moments.</summary>
internal static class DiffEndpoints
{
    /// <summary>Rows of a page where the caller names no limit, and at most.</summary>
    private const int DefaultLimit = 100, MaxLimit = 1_000;

    private const string Example = """
        { "indicator": "no2-hourly", "definition": 3, "unit": "ug/m3", "since": "w1.kw", "until": "w1.kx",
          "cells": [ { "area": "01", "from": "2026-11-23T08:00:00Z", "to": "2026-11-23T09:00:00Z",
            "before": { "value": 32.4, "count": 1, "state": "ok" }, "after": { "value": 23.4, "count": 1, "state": "ok" }, "moved": 1,
            "rows": [ { "change": "corrected", "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "0110", "no2": 23.4, "@area": "0110",
              "receipt": "01M85TE81WJVE9C37DP5NKMBKC", "feed": "messnetz", "receivedAt": "2026-11-23T08:31:02Z",
              "before": { "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "0110", "no2": 32.4, "@area": "0110",
                "receipt": "01M85TBBW8N6WJ7CR5KQ8YJ3ZD", "feed": "messnetz", "receivedAt": "2026-11-23T08:01:02Z" } } ] } ], "next": null }
        """;

    private static readonly LocalText s_indicator = new("Indikator", "Indicator");
    private static readonly string[] s_known = ["since", "until", "from", "to", "level", "area", "whole", CellParameters.Prefix + "…", "watermark", "definition", "limit", "after"];

    public static void MapDiffEndpoints(this IEndpointRouteBuilder routes) => routes.MapRead("/api/v1/indicators/{indicator}/diff", DiffAsync)
        .WithTags("Indicators")
        .WithSummary("What moved values between two moments: each cell before and after, and the rows that were new, corrected or retracted, with receipt, feed and time received. Both moments in the areas of the later one. Rows are for those who may read the dataset; of suppressed values only the publisher's readers get them. A formula's value is moved by the rows that moved what it is made of, in other areas and windows too where it looks at these: each row says which inputs it came through, and each input has the link to its own difference.")
        .Takes("since", "The earlier moment: an instant with Z or offset, a day (its begin in the indicator's time zone) or the watermark of an answer; must be there.")
        .Takes("until", "The later moment, as since; absent: now.")
        .Takes("from", "Windows that begin at or after: a day or an instant with Z or offset.")
        .Takes("to", "Windows that begin before; as from.")
        .Takes("level", "Areas rolled up to this level; 0 is the coarsest.", JsonSchemaType.Integer)
        .Takes("area", "Only this area, or with a deeper level what lies in it there.")
        .Takes("whole", "true: all areas together.", JsonSchemaType.Boolean)
        .Takes("dim.{field}", "Only cells with this value of a dimension, such as dim.kind=bike; empty: without one.")
        .Takes("watermark", "The later moment must include this; else 503 after a bounded wait.")
        .Takes("definition", "By this version of the definition.", JsonSchemaType.Integer)
        .Takes("limit", $"Rows of the page, all cells together, 1 to {MaxLimit}; {DefaultLimit} where absent.", JsonSchemaType.Integer)
        .Takes("after", "Continues a page; as in the answer's next, which stays between the same watermarks.")
        .Produces<JsonDocument>().Produces(StatusCodes.Status304NotModified).Refuses(400, 401, 403, 404, 410, 422, 429, 503)
        .WithDescription(IndicatorEndpoints.ThroughAgreement)
        .Example(Example, StatusCodes.Status200OK);

    private static async Task<IResult> DiffAsync(string indicator, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(indicator)) return Problems.NotFound(http, s_indicator, indicator);
        var (selection, invalid) = ValuesParameters.Read(http, latest: false, s_known, CellParameters.Prefix, ownPages: true);
        if (invalid is not null) return invalid;
        if (RowsParameters.Limit(http, MaxLimit, DefaultLimit, out var limit) is { } badLimit) return badLimit;
        if (ReadMoment(http, "since", out var since) is { } badSince) return badSince;
        if (since is null) return Requests.InvalidParameter(http, "since", new("since fehlt: der frühere Zeitpunkt.", "since is missing: the earlier moment."));
        if (ReadMoment(http, "until", out var until) is { } badUntil) return badUntil;
        DiffCursor? after = null;
        if (RowsParameters.Text(http, "after") is { } text && !CellParameters.TryPlace(text, out after)) return RowsParameters.BadCursor(http);

        var dimensions = CellParameters.Dimensions(http);
        var result = await grains.GetGrain<IIndicatorGrain>(indicator).DiffAsync(http.Caller(), new(selection! with { AsOf = until }, since, dimensions, after, limit));
        if (result.Page is not { } page) return ExplainEndpoints.Refused(http, indicator, result.Refusal, result.Detail, result.Parameter, result.RetryAfter);

        var next = page.Next is null ? null : CellParameters.Link(http, selection!, dimensions, limit)
            .Add("since", page.Since).Add("until", page.Until).Add("definition", ExplainEndpoints.Number(page.Indicator.Definition.Version)).Add("after", CellParameters.Text(page.Next)).ToString();
        http.Response.Headers[Requests.WatermarkHeader] = page.Until;
        var inputs = Array.ConvertAll(page.Indicator.Definition.Inputs ?? [], input => (input, CellParameters.Link(http, selection!, dimensions, limit, $"/api/v1/indicators/{input.Indicator}/diff")
            .Add("since", page.Since).Add("until", page.Until).Add("definition", ExplainEndpoints.Number(input.Version)).ToString()));
        return Rendered.Of(RowsEndpoints.Render(writer => Write(writer, page, next, inputs)), AnswerFormats.ContentType(AnswerFormat.Json)).Answer();
    }

    private static IResult? ReadMoment(HttpContext http, string name, out Moment? moment)
    {
        moment = null;
        return RowsParameters.Text(http, name) is not { } text || ValuesParameters.TryMoment(text, out moment)
            ? null
            : Requests.InvalidParameter(http, name, ValuesParameters.BadMoment(name));
    }

    private static void Write(Utf8JsonWriter writer, DiffPage page, string? next, (IndicatorDefinition Input, string Link)[] inputs)
    {
        var (info, spec) = (page.Indicator, page.Indicator.Definition.Spec);
        var rows = page.Rows is null ? null : new ToldRowsWriter(page.Rows, through: inputs.Length > 0);
        writer.WriteString("indicator", info.Id);
        writer.WriteNumber("definition", info.Definition.Version);
        writer.WriteString("unit", spec.Unit);
        writer.WriteString("since", page.Since);
        writer.WriteString("until", page.Until);
        ExplainEndpoints.WriteInputs(writer, inputs, "movedBy");
        writer.WriteStartArray("cells");
        foreach (var cell in page.Cells)
        {
            writer.WriteStartObject();
            AnswerWriter.WritePlace(writer, spec, (cell.After ?? cell.Before)!.Value);
            WriteValue(writer, spec, "before", cell.Before);
            WriteValue(writer, spec, "after", cell.After);
            if (cell.Moved is { } moved) writer.WriteNumber("moved", moved);
            else writer.WriteNull("moved");
            if (rows is not null && cell.Moved is not null)
            {
                writer.WriteStartArray("rows");
                for (var i = 0; i < cell.Rows.Length; i++)
                    rows.WriteMoved(writer, page.Rows!.Rows[cell.Rows[i]], cell.Through is { } through ? Array.ConvertAll(through[i], input => inputs[input].Input.Indicator) : null);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("next", next);
    }

    private static void WriteValue(Utf8JsonWriter writer, IndicatorSpec spec, string name, IndicatorValue? value)
    {
        writer.WritePropertyName(name);
        if (value is not { } there)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        AnswerWriter.WriteState(writer, spec, there);
        writer.WriteEndObject();
    }
}
