using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>Values as a table: area (where grouped by it), from, to, the dimensions by their names, value, count, state.</summary>
internal static class ValuesTable
{
    private static readonly string[] s_names = ["indicator", "area", "areaName", "from", "to", "value", "count", "state", "coverage", "series", "seriesBefore", "target", "unit", "definition", "version"];
    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder };

    /// <summary>What an indicator's definition says.</summary>
    /// <param name="pathBase">Stands before the paths that the metadata names.</param>
    /// <param name="latest">Only for the name of the file.</param>
    public static AnswerMetadata Metadata(IndicatorInfo info, string pathBase, bool latest)
    {
        var (spec, path) = (info.Definition.Spec, $"{pathBase}/api/v1/indicators/{info.Id}");
        return new("indicator", info.Id, spec.Title, info.Publisher, info.License, spec.TimeZone, path, path + "/csvw")
        {
            Unit = spec.Unit,
            Definition = info.Definition.Version,
            AreaSystem = spec.ByArea ? info.AreaSystem : null,
            AreaVersion = spec.ByArea && info.AreaSystem is not null ? info.AreaVersion : null,
            FileName = latest ? info.Id + "-latest" : info.Id,
        };
    }

    /// <summary>The same with what this version of the values says.</summary>
    public static AnswerMetadata Metadata(ValuesPage page, string pathBase, bool latest) => Metadata(page.Indicator, pathBase, latest) with
    {
        Version = page.Version,
        Watermark = page.Watermark,
        AsOf = page.AsOf == DateTimeOffset.MinValue ? null : page.AsOf,
        ExplainedBy = $"{pathBase}/api/v1/indicators/{page.Indicator.Id}/explain?asOf={page.Watermark}&definition={page.Indicator.Definition.Version.ToString(System.Globalization.CultureInfo.InvariantCulture)}",
    };

    /// <summary>The columns of an indicator's values.</summary>
    /// <param name="nested">Dimensions in one column, as an object, as JSON has them; coverage too.</param>
    public static FieldSpec[] Fields(IndicatorSpec spec, bool nested)
    {
        var fields = new List<FieldSpec>();
        if (spec.ByArea) fields.Add(AnswerTable.Field("area", FieldType.String));
        fields.Add(AnswerTable.Field("from", FieldType.DateTime));
        fields.Add(AnswerTable.Field("to", FieldType.DateTime));
        if (!nested) fields.AddRange(spec.Dimensions.Select(name => AnswerTable.Field(Column(name), FieldType.String)));
        else if (spec.Dimensions.Length > 0) fields.Add(AnswerTable.Field("dimensions", FieldType.Object));
        fields.Add(AnswerTable.Field("value", FieldType.Number, spec.Unit));
        fields.Add(AnswerTable.Field("count", FieldType.Integer));
        fields.Add(AnswerTable.Field("state", FieldType.String));
        if (spec.Coverage is true && nested) fields.Add(AnswerTable.Field("coverage", FieldType.Object));
        if (spec.Coverage is true && !nested)
        {
            fields.Add(AnswerTable.Field("series", FieldType.Integer));
            fields.Add(AnswerTable.Field("seriesBefore", FieldType.Integer));
        }

        if (spec.Target is not null) fields.Add(AnswerTable.Field("target", FieldType.String));
        return [.. fields];
    }

    /// <summary>The column of a dimension: its name, but <c>dimensions.count</c> where a column of the hub has that name.</summary>
    private static string Column(string dimension) => s_names.Contains(dimension, StringComparer.Ordinal) ? "dimensions." + dimension : dimension;

    /// <inheritdoc cref="Fields"/>
    public static AnswerTable Of(ValuesPage page, AnswerMetadata metadata, bool nested)
    {
        var (spec, rows) = (page.Indicator.Definition.Spec, page.Rows);
        var columns = new List<Feeds.Column>();
        if (spec.ByArea) columns.Add(Feeds.Column.OfTexts(Array.ConvertAll(rows, row => row.Area)));
        columns.Add(Feeds.Column.OfIntegers(Array.ConvertAll(rows, row => row.From.UtcTicks)));
        columns.Add(Feeds.Column.OfIntegers(Array.ConvertAll(rows, row => row.To.UtcTicks)));
        if (!nested)
        {
            for (var d = 0; d < spec.Dimensions.Length; d++)
            {
                var dimension = d;
                columns.Add(Feeds.Column.OfTexts(Array.ConvertAll(rows, row => row.Dimensions?[dimension])));
            }
        }
        else if (spec.Dimensions.Length > 0)
        {
            columns.Add(Feeds.Column.OfTexts(Array.ConvertAll(rows, row => Object(spec.Dimensions, row.Dimensions))));
        }

        columns.Add(Feeds.Column.OfNumbers(Array.ConvertAll(rows, row => row.Value ?? double.NaN)));
        columns.Add(Feeds.Column.OfIntegers(Array.ConvertAll(rows, row => row.Count ?? Feeds.Column.NullInteger)));
        columns.Add(Feeds.Column.OfTexts(Array.ConvertAll(rows, string? (row) => Word(row.State))));
        if (spec.Coverage is true && nested)
        {
            columns.Add(Feeds.Column.OfTexts(Array.ConvertAll(rows, row => row.Coverage is { } coverage
                ? string.Create(CultureInfo.InvariantCulture, $$"""{"series":{{coverage.Series}},"before":{{coverage.Before}}}""") : null)));
        }
        else if (spec.Coverage is true)
        {
            columns.Add(Feeds.Column.OfIntegers(Array.ConvertAll(rows, row => row.Coverage?.Series ?? Feeds.Column.NullInteger)));
            columns.Add(Feeds.Column.OfIntegers(Array.ConvertAll(rows, row => row.Coverage?.Before ?? Feeds.Column.NullInteger)));
        }

        if (spec.Target is not null) columns.Add(Feeds.Column.OfTexts(Array.ConvertAll(rows, row => row.Target is { } target ? Word(target) : null)));
        return new() { Fields = Fields(spec, nested), Columns = [.. columns], Count = rows.Length, Metadata = metadata };
    }

    /// <summary>The same with the areas' names and geometries.</summary>
    /// <param name="tree">Of the version that the values are rolled up in; null where there is none.</param>
    public static AnswerTable WithAreas(ValuesPage page, AnswerMetadata metadata, AreaTree? tree)
    {
        var table = Of(page, metadata, nested: false);
        if (!page.Indicator.Definition.Spec.ByArea) return table;
        var geometry = AnswerGeoJson.Areas(tree);
        var names = Array.ConvertAll(page.Rows, row => row.Area is not null && tree is not null && tree.TryGet(row.Area, out var area) ? area.Name : null);
        return new()
        {
            Fields = [table.Fields[0], AnswerTable.Field("areaName", FieldType.String), .. table.Fields[1..]],
            Columns = [table.Columns[0], Feeds.Column.OfTexts(names), .. table.Columns[1..]],
            Count = table.Count,
            Metadata = metadata,
            Geometry = row => geometry(page.Rows[row].Area),
        };
    }

    /// <summary>
    /// Several indicators in one table: indicator, area (where any is grouped by it), from, to, every dimension that any
    /// has, value, count, state, coverage and target (where any has them), unit, definition, version.
    /// </summary>
    public static AnswerTable Long(ValuesPage[] pages, string pathBase, bool nested)
    {
        var tables = Array.ConvertAll(pages, page => Of(page, Metadata(page, pathBase, latest: false), nested));
        FieldSpec[] before = [AnswerTable.Field("indicator", FieldType.String)];
        FieldSpec[] after = [AnswerTable.Field("unit", FieldType.String), AnswerTable.Field("definition", FieldType.Integer), AnswerTable.Field("version", FieldType.Integer)];
        string[] first = ["area", "from", "to"], last = ["value", "count", "state", "coverage", "series", "seriesBefore", "target"];
        var all = tables.SelectMany(table => table.Fields).DistinctBy(field => field.Name, StringComparer.Ordinal).ToArray();
        FieldSpec[] fields =
        [
            .. before, .. all.Where(field => first.Contains(field.Name)).OrderBy(field => Array.IndexOf(first, field.Name)),
            .. all.Where(field => !first.Contains(field.Name) && !last.Contains(field.Name)), .. all.Where(field => last.Contains(field.Name)), .. after,
        ];
        return new()
        {
            Fields = fields,
            Columns = Array.ConvertAll(fields, field => Joined(field, pages, tables)),
            Count = tables.Sum(table => table.Count),
            Metadata = tables[0].Metadata,
        };
    }

    private static Feeds.Column Joined(FieldSpec field, ValuesPage[] pages, AnswerTable[] tables)
    {
        switch (field.Name)
        {
            case "indicator": return Feeds.Column.OfTexts([.. pages.SelectMany(page => Enumerable.Repeat(page.Indicator.Id, page.Rows.Length))]);
            case "unit": return Feeds.Column.OfTexts([.. pages.SelectMany(page => Enumerable.Repeat(page.Indicator.Definition.Spec.Unit, page.Rows.Length))]);
            case "definition": return Feeds.Column.OfIntegers([.. pages.SelectMany(page => Enumerable.Repeat((long)page.Indicator.Definition.Version, page.Rows.Length))]);
            case "version": return Feeds.Column.OfIntegers([.. pages.SelectMany(page => Enumerable.Repeat(page.Version, page.Rows.Length))]);
        }

        var parts = tables.Select(table => (Column: Array.FindIndex(table.Fields, f => f.Name == field.Name) is >= 0 and var c ? table.Columns[c] : null, table.Count)).ToArray();
        return field.Type switch
        {
            FieldType.Number => Feeds.Column.OfNumbers([.. parts.SelectMany(part => part.Column!.Numbers!)]),
            FieldType.Integer or FieldType.DateTime => Feeds.Column.OfIntegers([.. parts.SelectMany(part => part.Column?.Integers ?? Enumerable.Repeat(Feeds.Column.NullInteger, part.Count))]),
            // An indicator without this dimension, or without areas, has nothing there.
            _ => Feeds.Column.OfTexts([.. parts.SelectMany(part => part.Column?.Texts ?? new string?[part.Count])]),
        };
    }

    public static string Word(TargetState state) => state switch
    {
        TargetState.Met => "met",
        TargetState.Open => "open",
        _ => "missed",
    };

    public static string Word(ValueState state) => state switch
    {
        ValueState.Suppressed => "suppressed",
        ValueState.Preliminary => "preliminary",
        ValueState.Stale => "stale",
        ValueState.Missing => "missing",
        ValueState.Undefined => "undefined",
        _ => "ok",
    };

    private static string? Object(string[] names, string?[]? dimensions)
    {
        if (dimensions is null) return null;
        var buffer = new ArrayBufferWriter<byte>(64);
        using var writer = new Utf8JsonWriter(buffer, s_json);
        writer.WriteStartObject();
        for (var i = 0; i < names.Length; i++) writer.WriteString(names[i], dimensions[i]);
        writer.WriteEndObject();
        writer.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
