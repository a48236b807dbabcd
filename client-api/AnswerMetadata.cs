using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub;

/// <summary>What an answer says about itself, the same in every format: as members where a format has room for them, else as headers.</summary>
/// <param name="Kind"><c>dataset</c>, <c>indicator</c> or <c>step</c>: the name of the member that holds the id.</param>
/// <param name="TimeZone">IANA name: of the indicator's windows, or of days in a dataset's rows. Instants are always UTC.</param>
/// <param name="DescribedBy">Path of the description: the dataset with its contract, or the indicator with its definition.</param>
/// <param name="Columns">Path of the columns' description as CSVW.</param>
internal sealed record AnswerMetadata(string Kind, string Id, LocalText Title, string Publisher, string? License, string TimeZone, string DescribedBy, string Columns)
{
    /// <summary>Of an indicator's value; rows name theirs per field, in the description.</summary>
    public string? Unit { get; init; }

    /// <summary>Version of the indicator's definition.</summary>
    public int? Definition { get; init; }

    /// <summary>Version of the dataset's contract.</summary>
    public int? Contract { get; init; }

    /// <summary>Version of the indicator's values.</summary>
    public long? Version { get; init; }

    /// <summary>How far the answer is current.</summary>
    public string? Watermark { get; init; }

    /// <summary>When the newest row behind an indicator's values was received; null where there is none.</summary>
    public DateTimeOffset? AsOf { get; init; }

    /// <summary>Path at which each of an indicator's values is explained as of this answer, to be completed by from, area and dimensions.</summary>
    public string? ExplainedBy { get; init; }

    public string? AreaSystem { get; init; }

    public int? AreaVersion { get; init; }

    /// <summary>Of a step's table.</summary>
    public AnswerSource? Source { get; init; }

    /// <summary>Name of the file that a download is saved as, without its ending.</summary>
    public required string FileName { get; init; }

    /// <summary>All that is known, as members of the object that is being written.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteString(Kind, Id);
        writer.WritePropertyName("title");
        JsonSerializer.Serialize(writer, Title, WireJson.Options);
        writer.WriteString("publisher", Publisher);
        writer.WriteString("license", License);
        if (Kind == "indicator") writer.WriteString("unit", Unit);
        if (Definition is { } definition) writer.WriteNumber("definition", definition);
        if (Contract is { } contract) writer.WriteNumber("contract", contract);
        if (Version is { } version) writer.WriteNumber("version", version);
        if (Watermark is not null) writer.WriteString("watermark", Watermark);
        if (Kind == "indicator") writer.WriteString("asOf", AsOf is { } asOf ? AnswerText.Instant(asOf.UtcTicks) : null);
        writer.WriteString("timeZone", TimeZone);
        if (AreaSystem is not null)
        {
            writer.WriteString("areaSystem", AreaSystem);
            writer.WriteNumber("areaVersion", AreaVersion ?? 0);
        }

        writer.WriteString("describedBy", DescribedBy);
        if (ExplainedBy is not null) writer.WriteString("explainedBy", ExplainedBy);
        Source?.Write(writer);
    }

    /// <summary>What JSON has beside the members that stand in it anyway.</summary>
    public void WriteRest(Utf8JsonWriter writer)
    {
        writer.WritePropertyName("title");
        JsonSerializer.Serialize(writer, Title, WireJson.Options);
        writer.WriteString("publisher", Publisher);
        writer.WriteString("timeZone", TimeZone);
        writer.WriteString("describedBy", DescribedBy);
        if (ExplainedBy is not null) writer.WriteString("explainedBy", ExplainedBy);
    }

    /// <summary>The same as texts by name, for formats that keep pairs of texts.</summary>
    public Dictionary<string, string> Pairs()
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal) { [Kind] = Id, ["title.de"] = Title.De };
        Add("title.en", Title.En);
        Add("publisher", Publisher);
        Add("license", License);
        Add("unit", Unit);
        Add("definition", Definition?.ToString(CultureInfo.InvariantCulture));
        Add("contract", Contract?.ToString(CultureInfo.InvariantCulture));
        Add("version", Version?.ToString(CultureInfo.InvariantCulture));
        Add("watermark", Watermark);
        Add("asOf", AsOf is { } asOf ? AnswerText.Instant(asOf.UtcTicks) : null);
        Add("timeZone", TimeZone);
        Add("areaSystem", AreaSystem);
        Add("areaVersion", AreaVersion?.ToString(CultureInfo.InvariantCulture));
        Add("describedBy", DescribedBy);
        Add("explainedBy", ExplainedBy);
        foreach (var (name, value) in Source?.Pairs() ?? []) Add(name, value);
        return pairs;

        void Add(string name, string? value)
        {
            if (value is not null) pairs[name] = value;
        }
    }

    /// <summary>
    /// The same as headers <c>DataHub-…</c>, with what is not ASCII percent-encoded; titles stand in what the link
    /// <c>describedby</c> leads to. How far an answer is current says <c>DataHub-Watermark</c>, which is set apart.
    /// </summary>
    public List<(string Name, string Value)> Headers()
    {
        var headers = new List<(string, string)>();
        Add("License", License);
        Add("Publisher", Publisher);
        Add("Unit", Unit);
        Add("Definition", Definition?.ToString(CultureInfo.InvariantCulture));
        Add("Contract", Contract?.ToString(CultureInfo.InvariantCulture));
        Add("Version", Version?.ToString(CultureInfo.InvariantCulture));
        Add("As-Of", AsOf is { } asOf ? AnswerText.Instant(asOf.UtcTicks) : null);
        Add("Time-Zone", TimeZone);
        return headers;

        void Add(string name, string? value)
        {
            if (value is not null) headers.Add(("DataHub-" + name, Ascii(value)));
        }

        static string Ascii(string text) => text.All(c => c is > ' ' and < (char)127 and not '%') ? text : Uri.EscapeDataString(text);
    }
}
