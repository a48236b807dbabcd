using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Where a page of runs is, and in which language. Immutable.</summary>
/// <param name="Path">Of the page, without its query.</param>
/// <param name="LanguageChosen">Whether the address names the language; then every link does.</param>
/// <param name="Trail">Where one comes from: text and address.</param>
public sealed record RunPlace(Display Display, string Path, bool LanguageChosen, string Heading, (string Text, string Path)[] Trail)
{
    /// <summary>After which time the page is loaded anew, and from where; null: it is not.</summary>
    public (TimeSpan After, string Address)? Again { get; init; }

    /// <summary>What the page in another language keeps of the query; null: nothing.</summary>
    public string? Kept { get; init; }

    /// <summary>An address of the hub's own pages, in the chosen language.</summary>
    public string Href(string path) => LanguageChosen ? With(path, "lang=" + Display.Language) : path;

    /// <summary>The same page in a language.</summary>
    public string In(string language) => Path + "?lang=" + language + (Kept is null ? "" : "&" + Kept);

    private static string With(string path, string query)
    {
        var hash = path.IndexOf('#', StringComparison.Ordinal);
        var (head, tail) = hash < 0 ? (path, "") : (path[..hash], path[hash..]);
        return head + (head.Contains('?', StringComparison.Ordinal) ? "&" : "?") + query + tail;
    }
}
