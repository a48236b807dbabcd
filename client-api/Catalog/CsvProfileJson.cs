using System.Text.Json.Serialization;

namespace DataHub.Catalog;

/// <summary>How a feed writes CSV.</summary>
/// <param name="Delimiter">; , | or a tab; without it the header shows.</param>
/// <param name="Encoding">utf-8, utf-16, windows-1252, iso-8859-1 or iso-8859-15; a byte order mark and the content type's charset come first.</param>
/// <param name="DecimalChar">. or ,; without it the contract's, and with semicolons the comma too.</param>
/// <param name="GroupChar">Between groups of three digits: . , a space or an apostrophe.</param>
/// <param name="DateFormat">Of dates, as in Table Schema: %d.%m.%Y.</param>
/// <param name="DateTimeFormat">Of instants: %d.%m.%Y %H:%M.</param>
/// <param name="NullValues">Cells that mean null, beside the contract's missingValues.</param>
/// <param name="TrueValues">Instead of the contract's.</param>
/// <param name="FalseValues">Instead of the contract's.</param>
/// <param name="Header">Name of a column to the field that it means.</param>
/// <param name="Ignore">Columns that are passed over.</param>
/// <param name="SkipRows">Lines before the header.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CsvProfileJson(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Delimiter = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Encoding = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DecimalChar = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? GroupChar = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DateFormat = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DateTimeFormat = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string[]? NullValues = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string[]? TrueValues = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string[]? FalseValues = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Dictionary<string, string>? Header = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string[]? Ignore = null,
    int SkipRows = 0)
{
    public CsvProfile Profile() => new()
    {
        Delimiter = Delimiter,
        Encoding = Encoding,
        DecimalChar = DecimalChar,
        GroupChar = GroupChar,
        DateFormat = DateFormat,
        DateTimeFormat = DateTimeFormat,
        NullValues = NullValues ?? [],
        TrueValues = TrueValues,
        FalseValues = FalseValues,
        Header = [.. (Header ?? []).Select(column => new CsvColumn(column.Key, column.Value))],
        Ignore = Ignore ?? [],
        SkipRows = SkipRows,
    };

    public static CsvProfileJson Of(CsvProfile profile) => new(
        profile.Delimiter, profile.Encoding, profile.DecimalChar, profile.GroupChar, profile.DateFormat, profile.DateTimeFormat,
        profile.NullValues.Length > 0 ? profile.NullValues : null, profile.TrueValues, profile.FalseValues,
        profile.Header.Length > 0 ? profile.Header.ToDictionary(column => column.Column, column => column.Field, StringComparer.Ordinal) : null,
        profile.Ignore.Length > 0 ? profile.Ignore : null, profile.SkipRows);
}
