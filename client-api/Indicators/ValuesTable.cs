using System.Buffers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>Values as a table: area (where grouped by it), from, to, the dimensions by their names, value, count, state.</summary>
internal static class ValuesTable
{
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
    };

    /// <summary>The columns of an indicator's values.</summary>
    /// <param name="nested">Dimensions in one column, as an object, as JSON has them.</param>
    public static FieldSpec[] Fields(IndicatorSpec spec, bool nested)
    {
        var fields = new List<FieldSpec>();
        if (spec.ByArea) fields.Add(AnswerTable.Field("area", FieldType.String));
        fields.Add(AnswerTable.Field("from", FieldType.DateTime));
        fields.Add(AnswerTable.Field("to", FieldType.DateTime));
        if (!nested) fields.AddRange(spec.Dimensions.Select(name => AnswerTable.Field(name, FieldType.String)));
        else if (spec.Dimensions.Length > 0) fields.Add(AnswerTable.Field("dimensions", FieldType.Object));
        fields.Add(AnswerTable.Field("value", FieldType.Number, spec.Unit));
        fields.Add(AnswerTable.Field("count", FieldType.Integer));
        fields.Add(AnswerTable.Field("state", FieldType.String));
        return [.. fields];
    }

    /// <inheritdoc cref="Fields"/>
    public static AnswerTable Of(ValuesPage page, AnswerMetadata metadata, bool nested)
    {
        var (spec, rows) = (page.Indicator.Definition.Spec, page.Rows);
        var columns = new List<Column>();
        if (spec.ByArea) columns.Add(Column.OfTexts(Array.ConvertAll(rows, row => row.Area)));
        columns.Add(Column.OfIntegers(Array.ConvertAll(rows, row => row.From.UtcTicks)));
        columns.Add(Column.OfIntegers(Array.ConvertAll(rows, row => row.To.UtcTicks)));
        if (!nested)
        {
            for (var d = 0; d < spec.Dimensions.Length; d++)
            {
                var dimension = d;
                columns.Add(Column.OfTexts(Array.ConvertAll(rows, row => row.Dimensions?[dimension])));
            }
        }
        else if (spec.Dimensions.Length > 0)
        {
            columns.Add(Column.OfTexts(Array.ConvertAll(rows, row => Object(spec.Dimensions, row.Dimensions))));
        }

        columns.Add(Column.OfNumbers(Array.ConvertAll(rows, row => row.Value ?? double.NaN)));
        columns.Add(Column.OfIntegers(Array.ConvertAll(rows, row => row.Count ?? Column.NullInteger)));
        columns.Add(Column.OfTexts(Array.ConvertAll(rows, string? (row) => Word(row.State))));
        return new() { Fields = Fields(spec, nested), Columns = [.. columns], Count = rows.Length, Metadata = metadata };
    }

    public static string Word(ValueState state) => state switch
    {
        ValueState.Suppressed => "suppressed",
        ValueState.Preliminary => "preliminary",
        ValueState.Stale => "stale",
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
