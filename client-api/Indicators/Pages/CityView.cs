using System.Collections.Immutable;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>Everything the front page shows; pages are a pure function of it.</summary>
/// <param name="Query">The view that was asked for, with what was chosen for the reader where the address was silent.</param>
/// <param name="City">Title of the area system; null where there is none yet.</param>
/// <param name="Tiles">The overview of open indicators.</param>
/// <param name="NextAfter">Where the overview goes on; null at its end.</param>
/// <param name="Chosen">The chosen indicator; null where there is none yet.</param>
/// <param name="Fingerprint">Equal for equal views: the page need not be rendered again.</param>
public sealed record CityView(
    PageQuery Query,
    string? City,
    ImmutableArray<IndicatorTile> Tiles,
    string? NextAfter,
    ChosenIndicator? Chosen,
    string Fingerprint)
{
    public Display Display { get; } = Display.In(Query.Language);
}

/// <summary>One indicator in the overview, with its latest value for the chosen area or the whole city.</summary>
/// <param name="Value">Null where there is no value, or more than one (<paramref name="Values"/>).</param>
/// <param name="Values">How many values there are: one per combination of dimensions.</param>
/// <param name="CityWide">True where the value is the whole city's although an area is chosen.</param>
public sealed record IndicatorTile(string Id, string Title, string Unit, AreaValue? Value, int Values, bool CityWide);

/// <param name="Info">Its definition.</param>
/// <param name="Unit">As people write it; empty where there is none.</param>
/// <param name="Publisher">Name of the agency.</param>
/// <param name="Dataset">Title of the dataset.</param>
/// <param name="Fields">Titles of the dataset's fields, by name.</param>
/// <param name="AsOf">When the newest row in the answer was received; null where there is none.</param>
/// <param name="Version">Version of the answer.</param>
/// <param name="Watermark">How far it is current; empty where nothing is known.</param>
/// <param name="Levels">The levels it can be shown at; empty where it is not grouped by area.</param>
/// <param name="Level">The level shown.</param>
/// <param name="Area">The chosen area; null: the whole city.</param>
/// <param name="Headline">Latest value of the chosen area or the whole city.</param>
/// <param name="Combinations">Combinations of dimensions to choose from, as JSON arrays and as words.</param>
/// <param name="Table">What the table and the map show.</param>
/// <param name="Course">What the chart shows; null where nothing is known.</param>
/// <param name="Map">Outlines; null where there are none.</param>
/// <param name="Frame">Outlines of the coarsest level, for orientation; null where the map is at that level.</param>
/// <param name="Marked">Outline of the chosen area where it is of another level than the map.</param>
/// <param name="Refusal">Why there are no values.</param>
/// <param name="Trouble">The same in words.</param>
public sealed record ChosenIndicator(
    IndicatorInfo Info,
    string Unit,
    string Publisher,
    string Dataset,
    IReadOnlyDictionary<string, string> Fields,
    DateTimeOffset? AsOf,
    long Version,
    string Watermark,
    ImmutableArray<LevelChoice> Levels,
    int? Level,
    Area? Area,
    AreaValue? Headline,
    ImmutableArray<(string Json, string Words)> Combinations,
    AreaTable Table,
    Course? Course,
    MapShape? Map,
    MapShape? Frame,
    AreaShape? Marked,
    ReadRefusal Refusal,
    string? Trouble)
{
    public IndicatorSpec Spec => Info.Definition.Spec;

    /// <summary>A field as people call it.</summary>
    public string Field(string name) => Fields.GetValueOrDefault(name, name);

    /// <summary>Of which combination of dimensions the numbers are; null where there are none.</summary>
    public string?[]? Dimensions { get; init; }

    /// <summary>Where a number of it is explained.</summary>
    /// <param name="whole">All areas together.</param>
    public string ExplainHref(PageQuery query, DateTimeOffset from, string? area, bool whole) => ExplainAddress.Of(query, Info, from, area, whole, Dimensions);
}

/// <param name="Number">0 is the coarsest.</param>
/// <param name="Areas">How many areas it has.</param>
/// <param name="Title">What its areas are called; null where nobody said.</param>
public sealed record LevelChoice(int Number, int Areas, string? Title);

/// <summary>The one list that the table, the map and its legend are made of.</summary>
/// <param name="Rows">In the order of the table.</param>
/// <param name="Empty">Areas of the level without a row.</param>
/// <param name="Classes">Of the values in the rows.</param>
/// <param name="Cut">Whether there are more rows than one page shows.</param>
public sealed record AreaTable(ImmutableArray<AreaValue> Rows, ImmutableArray<Area> Empty, Choropleth Classes, bool Cut)
{
    public static AreaTable None { get; } = new([], [], Choropleth.Of([]), false);
}

/// <summary>One row: what an area's value is, as it stands on the page.</summary>
/// <param name="Area">Its id; null for the whole city and for rows without an area.</param>
/// <param name="Name">For people.</param>
/// <param name="Within">Name of the coarsest area around it; null at that level.</param>
/// <param name="Value">Null where suppressed.</param>
/// <param name="Text">The value as written.</param>
/// <param name="Window">From when to when, by the definition's clock.</param>
/// <param name="Older">Whether its window is before the newest one in the table.</param>
/// <param name="Shade">Which of the map's shades it has, from 0; -1 for none.</param>
public sealed record AreaValue(
    string? Area,
    string Name,
    string? Within,
    double? Value,
    string Text,
    ValueState State,
    DateTimeOffset From,
    string Window,
    long? Count,
    bool Older,
    int Shade)
{
    /// <summary>Series that reported; null where the indicator does not tell.</summary>
    public SeriesCoverage? Coverage { get; init; }

    /// <summary>How the value stands to the target; null where there is none.</summary>
    public TargetState? Target { get; init; }
}
