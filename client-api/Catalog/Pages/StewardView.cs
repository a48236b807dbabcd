using DataHub.Indicators;

namespace DataHub.Catalog;

/// <summary>What a page for those who look after data shows: sections of text and tables, in one language. Immutable.</summary>
/// <param name="Path">Of the page, without its query.</param>
/// <param name="Trail">Where one comes from: text and address.</param>
/// <param name="Intro">A sentence under the heading; null: none.</param>
public sealed record StewardView(Display Display, string Path, bool LanguageChosen, string Heading, (string Text, string Path)[] Trail, string? Intro, StewardSection[] Sections)
{
    /// <summary>Fields by which what is shown is narrowed; null: none.</summary>
    public (string Name, string Label, string? Value)[]? Filters { get; init; }

    /// <summary>Path and query of what comes after; null: nothing.</summary>
    public string? Next { get; init; }

    /// <summary>What has to be seen before everything else; null: nothing.</summary>
    public string? Banner { get; init; }

    /// <summary>Where the reader came from, kept by links to this page in another language; null: nowhere.</summary>
    public string? Back { get; init; }

    /// <summary>An address of the hub's own pages, in the chosen language.</summary>
    public string Href(string path) => LanguageChosen ? path + (path.Contains('?', StringComparison.Ordinal) ? "&lang=" : "?lang=") + Display.Language : path;
}

/// <param name="Id">For links within the page.</param>
/// <param name="Note">What is to be known of it, or why it is not told; null: nothing.</param>
/// <param name="Rows">Empty: <paramref name="Empty"/> is said.</param>
public sealed record StewardSection(string Id, string Heading, string? Note, string[] Columns, StewardCell[][] Rows, string? Empty)
{
    /// <summary>What those who may change here.</summary>
    public StewardForm[] Forms { get; init; } = [];

    /// <summary>What has just been done; null: nothing.</summary>
    public string? Done { get; init; }

    /// <summary>What is shown once, such as a new key; null: nothing.</summary>
    public string? Secret { get; init; }

    /// <summary>Why something was refused that has no form here; null: nothing was.</summary>
    public string? Fault { get; init; }

    /// <summary>Sentences, in parts with a heading each; a part without sentences is not shown.</summary>
    public (string Heading, string[] Lines)[] Parts { get; init; } = [];

    /// <summary>Where one goes on from here: text and address.</summary>
    public (string Text, string Path)[] Links { get; init; } = [];
}

/// <param name="Text">What stands there.</param>
/// <param name="Path">Where it leads; null: nowhere.</param>
/// <param name="Small">More of it, smaller.</param>
public readonly record struct StewardCell(string Text, string? Path = null, string? Small = null)
{
    public static implicit operator StewardCell(string? text) => new(text ?? "–");
}
