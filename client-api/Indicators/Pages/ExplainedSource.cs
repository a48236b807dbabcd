using System.Collections.Immutable;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Pipelines;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>Reads what the page shows that explains a number, as whoever asks may see it.</summary>
internal sealed class ExplainedSource(IClusterClient cluster, AreaDirectory areas, CitySource city, TimeProvider time)
{
    /// <summary>Rows of a page where the address names no limit, and at most.</summary>
    private const int DefaultLimit = 50, MaxLimit = 500;

    private static readonly string[] s_known = ["from", "level", "area", "whole", CellParameters.Prefix + "…", "asOf", "watermark", "definition", "limit", "after", "lang", Authentication.PurposeParameter];

    /// <returns>The view; or the status to answer with, and why.</returns>
    public async Task<(ExplainedView? View, int Status, string? Why)> ReadAsync(HttpContext http, string indicator, PageQuery query)
    {
        if (!CatalogIds.IsValid(indicator)) return (null, StatusCodes.Status404NotFound, null);
        var (cell, invalid) = ValuesParameters.Read(http, latest: false, s_known, CellParameters.Prefix, ownPages: true);
        if (invalid is not null) return Wrong(invalid);
        if (RowsParameters.Limit(http, MaxLimit, DefaultLimit, out var limit) is { } badLimit) return Wrong(badLimit);
        RowCursor? after = null;
        if (RowsParameters.Text(http, "after") is { } text && !CellParameters.TryRow(text, out after)) return Wrong(RowsParameters.BadCursor(http));

        var dimensions = CellParameters.Dimensions(http);
        var result = await cluster.GetGrain<IIndicatorGrain>(indicator).ExplainAsync(http.Caller(), new(cell!, dimensions, after, limit)).WaitAsync(http.RequestAborted);
        if (result.Page is not { } page)
        {
            return (null, result.Refusal switch
            {
                // What somebody may not read is not there for them.
                ReadRefusal.NotFound or ReadRefusal.Forbidden => StatusCodes.Status404NotFound,
                ReadRefusal.Invalid => StatusCodes.Status400BadRequest,
                ReadRefusal.Gone => StatusCodes.Status410Gone,
                ReadRefusal.TooMany => StatusCodes.Status422UnprocessableEntity,
                ReadRefusal.TooOften => StatusCodes.Status429TooManyRequests,
                _ => StatusCodes.Status503ServiceUnavailable,
            }, result.Refusal is ReadRefusal.Forbidden ? null : result.Detail?.In(query.Language));
        }

        return (await ViewAsync(http, page, query, cell!, dimensions, limit, after is not null), StatusCodes.Status200OK, null);

        (ExplainedView?, int, string?) Wrong(IResult problem) => (null, StatusCodes.Status400BadRequest, Problems.DetailOf(problem)?.In(query.Language));
    }

    private async Task<ExplainedView> ViewAsync(HttpContext http, ExplainPage page, PageQuery query, ValuesQuery cell, DimensionValue[] dimensions, int limit, bool later)
    {
        var (info, spec, display) = (page.Indicator, page.Indicator.Definition.Spec, Display.In(query.Language));
        var dataset = await cluster.GetGrain<IDatasetGrain>(spec.Dataset).GetAsync(http.Caller()).WaitAsync(http.RequestAborted);
        var publisher = await cluster.GetGrain<IAgencyGrain>(info.Publisher).GetAsync(http.Caller()).WaitAsync(http.RequestAborted);
        var tree = info.AreaSystem is { } system ? (await areas.GetAsync(system, info.AreaVersion, http.RequestAborted))?.Tree : null;
        var fields = dataset?.Spec.Schema.Fields.Where(field => field.Title is not null).ToDictionary(field => field.Name, field => field.Title!.In(query.Language), StringComparer.Ordinal) ?? [];
        var place = page.Value.Area is { } area ? NameOf(area)!
            : cell.Whole || !spec.ByArea ? display.Say("Ganze Stadt", "Whole city")
            : display.Say("ohne Gebiet", "without an area");

        cell = cell with { To = null, ToDay = null, Level = null };
        var lang = query.LanguageChosen ? query.Language : null;
        string At(string path, int? definition, RowCursor? next) => CellParameters.Link(http, cell, dimensions, limit, path)
            .Add("asOf", page.Watermark).Add("definition", definition is { } number ? ExplainAddress.Number(number) : null).Add("after", next is null ? null : CellParameters.Text(next)).ToString();
        string Here(string path, int definition, RowCursor? next) => new System.Text.StringBuilder(At(path, definition, next)).Add("lang", lang).ToString();

        var (own, version) = (ExplainAddress.Path(info.Id), info.Definition.Version);
        var links = new ExplainedLinks(
            Here(own, version, null), At($"/api/v1/indicators/{info.Id}/explain", version, null), later ? Here(own, version, null) : null, page.Next is { } more ? Here(own, version, more) : null);
        var values = page.Value.Dimensions ?? [];
        var shown = page.Rows is { } rows ? rows.Schema.Fields.Select((field, column) => (Field: field, Column: column)).Where(one => one.Field.Role != FieldRole.Personal).ToArray() : [];
        return new(
            query with { Indicator = info.Id, Area = page.Value.Area, Dimensions = AreaRows.Combination(page.Value.Dimensions) },
            $"{http.Request.PathBase}{http.Request.Path}" + QueryString.Create(http.Request.Query.Where(parameter => parameter.Key != "lang")),
            tree?.System.Title?.In(query.Language) ?? await city.CityAsync(query.Language, http.RequestAborted),
            page, place, display.Unit(spec.Unit), publisher?.Name.In(query.Language) ?? info.Publisher, dataset?.Spec.Title.In(query.Language) ?? spec.Dataset, fields,
            [.. spec.Dimensions.Select((name, i) => (fields.GetValueOrDefault(name, name), values.ElementAtOrDefault(i) ?? display.Say("ohne Angabe", "not stated")))],
            [.. shown.Select(one => (fields.GetValueOrDefault(one.Field.Name, one.Field.Name), one.Field.Type is FieldType.Number or FieldType.Integer))],
            page.Rows is { } told ? [.. told.Rows.Select(row => new ExplainedRow(Version(told, row.Row), [.. row.Before.Reverse().Select(before => Version(told, before))]))] : null,
            [.. (info.Definition.Inputs ?? []).Select(input => (input.Spec.Title.In(query.Language), input.Version, Here(ExplainAddress.Path(input.Indicator), input.Version, null)))],
            links)
        {
            Staleness = http.Caller().IsPublic ? null : (await new StalenessFacts(cluster, http.Caller(), time.GetUtcNow()).JudgeAsync(spec.Dataset).WaitAsync(http.RequestAborted)).Staleness is { Reasons.Length: > 0 } stale ? stale : null,
            Origin = await RunOrigins.OfAsync(cluster, http.Caller(), page.Runs.Select(run => run.By.Run), spec.Dataset, page.AsOf).WaitAsync(http.RequestAborted),
        };

        string? NameOf(string? id) => id is not null && tree is not null && tree.TryGet(id, out var found) ? found.Name : id;

        ExplainedVersion Version(ToldRows told, int row)
        {
            var push = told.Pushes[row];
            return new(
                [.. shown.Select(one => Text(one.Field, told.Block.Columns[one.Column], row))], NameOf(told.Block.AreaId(row)),
                display.Instant(push.ReceivedAt, spec.TimeZone), push.Feed, push.Receipt);
        }

        string Text(FieldSpec field, Column column, int row) =>
            column.IsNull(row) ? "–"
            : field.Type == FieldType.Number ? display.Number(column.Numbers![row], null)
            : field.Type == FieldType.DateTime ? display.Instant(new(column.Integers![row], TimeSpan.Zero), spec.TimeZone)
            : AnswerText.Of(field, column, row);
    }
}
