using Microsoft.AspNetCore.Http;

namespace DataHub;

/// <summary>The language of an answer to people: German unless English is asked for.</summary>
public static class Language
{
    public const string German = "de";
    public const string English = "en";

    /// <summary>
    /// By Accept-Language (RFC 9110 §12.5.4): English where it has a higher weight than German, or the same and comes
    /// first; else German. <c>*</c> stands for German.
    /// </summary>
    public static string Of(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        double german = -1, english = -1;
        var germanFirst = false;
        foreach (var header in http.Request.Headers.AcceptLanguage)
        {
            foreach (var range in (header ?? "").Split(',', 32, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var semicolon = range.IndexOf(';', StringComparison.Ordinal);
                var tag = (semicolon < 0 ? range : range[..semicolon]).Trim();
                var weight = semicolon < 0 ? 1 : Weight(range[(semicolon + 1)..]);
                if (Is(tag, German) || tag == "*")
                {
                    if (english < 0) germanFirst = true;
                    german = Math.Max(german, weight);
                }
                else if (Is(tag, English))
                {
                    english = Math.Max(english, weight);
                }
            }
        }

        return english > 0 && (english > german || (english == german && !germanFirst)) ? English : German;
    }

    private static bool Is(string tag, string language) =>
        tag.StartsWith(language, StringComparison.OrdinalIgnoreCase) && (tag.Length == language.Length || tag[language.Length] == '-');

    private static double Weight(string parameter)
    {
        var value = parameter.Trim();
        return value.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(value.AsSpan(2), System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var weight)
            ? Math.Clamp(weight, 0, 1)
            : 0;
    }
}
