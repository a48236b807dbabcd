using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace DataHub.Pipelines;

/// <summary>
/// German addresses in one form each, by which spellings of the same find each other. The form is for comparing only. Pure.
/// <list type="bullet">
/// <item>Of a street words of letters and digits count, in lower case, whatever stands between them, so Karl-Marx-Straße is Karl
/// Marx Straße; ß is ss; a word that is or ends in <c>str</c> ends in <c>strasse</c>. Where a word ends does matter: Winkler
/// Straße and Winklerstraße are two streets of Berlin. Umlauts stay: ä is not ae. No other word is shortened or completed.</item>
/// <item>Of a number letters are upper case, and blanks and dots count between two digits only: 12 a is 12A, but 12 1/2 is not
/// 121/2. Zeros and <c>Nr.</c> before it do not count. Dashes of all kinds and <c>bis</c> between two numbers make a range, as
/// in 12-14 and 12 a-c; a slash makes none.</item>
/// <item>Of a postcode blanks do not count; one of digits only has at least five, with zeros before it.</item>
/// </list>
/// </summary>
internal static partial class AddressRules
{
    /// <summary>Characters of a name of a street, and of numbers and postcodes: what is longer is no such.</summary>
    public const int LongestStreet = 100, LongestNumber = 20;

    private const string Long = "strasse", Short = "str";

    [GeneratedRegex("^([1-9][0-9]{0,4})([A-Z]{0,2})(?:-|BIS)(?:([1-9][0-9]{0,4})([A-Z]{0,2})|([A-Z]{1,2}))$")]
    private static partial Regex Range();

    /// <summary>The form of a street's name; null where the text names none.</summary>
    public static string? Street(string text)
    {
        if (text.Length > LongestStreet || Composed(text) is not { } composed) return null;
        var form = new StringBuilder(composed.Length + Long.Length);
        var word = 0;
        foreach (var c in composed)
        {
            if (!char.IsLetterOrDigit(c)) EndWord();
            else if (c is 'ß' or 'ẞ') form.Append("ss");
            else form.Append(char.ToLowerInvariant(c));
        }

        EndWord();
        return form.Length == 0 ? null : form.ToString(0, form.Length - 1);

        void EndWord()
        {
            if (form.Length == word) return;
            if (form.Length - word >= Short.Length && form.ToString(form.Length - Short.Length, Short.Length) == Short) form.Append(Long, Short.Length, Long.Length - Short.Length);
            word = form.Append(' ').Length;
        }
    }

    /// <summary>The form of a house's number, empty where there is none; null where the text is no number.</summary>
    /// <param name="suffix">What follows it in a column of its own.</param>
    public static string? Number(string? number, string? suffix = null)
    {
        if (number?.Length > LongestNumber || suffix?.Length > LongestNumber || Composed($"{number} {suffix}") is not { } text) return null;
        var form = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '‐' or '‑' or '‒' or '–' or '—' or '−') form.Append('-');
            else if (c != '.' && !char.IsWhiteSpace(c)) form.Append(char.ToUpperInvariant(c));
            else if (form.Length > 0 && char.IsAsciiDigit(form[^1]) && Next(i) is { } next && char.IsAsciiDigit(next)) form.Append(c == '.' ? '.' : ' ');
        }

        var made = form.ToString();
        if (made.StartsWith("NR", StringComparison.Ordinal) && made.Length > 2 && char.IsAsciiDigit(made[2])) made = made[2..];
        if (made.Length > 1 && made[0] == '0' && made.TrimStart('0') is { Length: > 0 } rest && char.IsAsciiDigit(rest[0])) made = rest;
        return Ends(made) is not var (first, last) ? made : first == last ? first : $"{first}-{last}";

        char? Next(int at)
        {
            while (at < text.Length && (text[at] == '.' || char.IsWhiteSpace(text[at]))) at++;
            return at < text.Length ? text[at] : null;
        }
    }

    /// <summary>The first and the last number of a range; null where it is none.</summary>
    /// <param name="number">In its form.</param>
    public static (string First, string Last)? Ends(string number)
    {
        if (Range().Match(number) is not { Success: true } range) return null;
        var first = range.Groups[1].Value;
        var last = range.Groups[5].Success ? first : range.Groups[3].Value;
        if (int.Parse(last, CultureInfo.InvariantCulture) < int.Parse(first, CultureInfo.InvariantCulture)) return null;
        return (first + range.Groups[2].Value, last + (range.Groups[5].Success ? range.Groups[5].Value : range.Groups[4].Value));
    }

    /// <summary>The form of a postcode; null where the text is none.</summary>
    public static string? Postcode(string text)
    {
        if (text.Length > LongestNumber) return null;
        var made = string.Concat(text.Where(c => !char.IsWhiteSpace(c))).ToUpperInvariant();
        return made.Length == 0 ? null : made.All(char.IsAsciiDigit) ? made.PadLeft(5, '0') : made;
    }

    /// <summary>With letters and their marks in one; null where the text is no Unicode.</summary>
    private static string? Composed(string text)
    {
        try
        {
            return text.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            // Half a surrogate pair: it names nothing.
            return null;
        }
    }
}
