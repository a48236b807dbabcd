using System.Collections.Immutable;

using DataHub.Catalog;
using DataHub.Pipelines;

namespace DataHub.Indicators;

/// <summary>Everything the page shows that explains a number; the page is a pure function of it.</summary>
/// <param name="Query">Language, and the number's indicator and area for the way back.</param>
/// <param name="Address">This page's path and query, without the language.</param>
/// <param name="City">Title of the area system; null where there is none.</param>
/// <param name="Page">What the indicator answered.</param>
/// <param name="Place">The area, or what stands for it.</param>
/// <param name="Unit">As people write it; empty where there is none.</param>
/// <param name="Publisher">Name of the agency.</param>
/// <param name="Dataset">Title of the dataset.</param>
/// <param name="Fields">Titles of the dataset's fields, by name.</param>
/// <param name="Groups">The number's dimensions as people call them, with their values.</param>
/// <param name="Columns">Titles of the rows' fields, and whether they are numbers.</param>
/// <param name="Rows">Of this page; null where the reader may not see rows, and for a formula.</param>
/// <param name="Inputs">Of a formula each input with the address that explains it.</param>
/// <param name="Links">Where else this leads.</param>
public sealed record ExplainedView(
    PageQuery Query,
    string Address,
    string? City,
    ExplainPage Page,
    string Place,
    string Unit,
    string Publisher,
    string Dataset,
    IReadOnlyDictionary<string, string> Fields,
    ImmutableArray<(string Name, string Value)> Groups,
    ImmutableArray<(string Title, bool IsNumber)> Columns,
    ImmutableArray<ExplainedRow>? Rows,
    ImmutableArray<(string Indicator, int Definition, string Href)> Inputs,
    ExplainedLinks Links)
{
    public Display Display { get; } = Display.In(Query.Language);

    /// <summary>The runs behind the rows, as the reader may know of them.</summary>
    public RunOrigins Origin { get; init; } = RunOrigins.None;

    /// <summary>Why the dataset is stale, or what is going on; null where there is nothing to say, or the reader may not know.</summary>
    public Staleness? Staleness { get; init; }

    public IndicatorSpec Spec => Page.Indicator.Definition.Spec;

    /// <summary>This page in a language.</summary>
    public string HrefIn(string language) => Address + (Address.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "lang=" + language;

    /// <summary>A field as people call it.</summary>
    public string Field(string name) => Fields.GetValueOrDefault(name, name);
}

/// <param name="Pinned">This very explanation, whatever comes later.</param>
/// <param name="Json">The same for programs.</param>
/// <param name="First">The first page of rows; null where this is it.</param>
/// <param name="Next">The next page of rows; null where there is none.</param>
public sealed record ExplainedLinks(string Pinned, string Json, string? First, string? Next);

/// <param name="Stands">What went into the number.</param>
/// <param name="Before">What stood before, newest first.</param>
public sealed record ExplainedRow(ExplainedVersion Stands, ImmutableArray<ExplainedVersion> Before);

/// <param name="Cells">The fields as they stand on the page.</param>
/// <param name="Area">Name of the area it was resolved to.</param>
/// <param name="Received">When, by the definition's clock.</param>
public sealed record ExplainedVersion(ImmutableArray<string> Cells, string? Area, string Received, string? Feed, string? Receipt);
