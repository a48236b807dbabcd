namespace DataHub.Feeds;

/// <summary>What a CSV cell is, read as a number.</summary>
internal enum CsvNumber
{
    /// <summary>Not a number in this form.</summary>
    None = 0,

    /// <summary>A number; its plain form is that of JSON.</summary>
    Plain,

    /// <summary>Two numbers are meant by it, and nothing says which: <c>1.234</c> where German numbers are read too.</summary>
    Ambiguous,
}

/// <summary>
/// Brings numbers as the world writes them into the form of JSON. Nothing is guessed: groups have three digits each or
/// the cell is no number, and what can mean two numbers is said to be ambiguous.
/// </summary>
internal static class CsvNumbers
{
    /// <summary>Room that the plain form of any number needs.</summary>
    public const int Longest = 64;

    /// <summary>Reads by what the profile says.</summary>
    /// <param name="group">Between groups of three digits; null: nothing.</param>
    /// <param name="plain">At least <see cref="Longest"/> long.</param>
    public static CsvNumber Read(ReadOnlySpan<char> text, char point, char? group, Span<char> plain, out int length)
    {
        length = 0;
        var at = 0;
        if (at < text.Length && text[at] is '+' or '-' or '−')
        {
            if (text[at++] != '+') plain[length++] = '-';
        }

        var digits = 0;
        var grouped = false;
        for (; at < text.Length && text[at] != point; at++)
        {
            if (group is { } g && Same(text[at], g))
            {
                // One to three digits before the first, three between.
                if (digits is 0 or > 3 || (grouped && digits != 3)) return CsvNumber.None;
                (grouped, digits) = (true, 0);
                continue;
            }

            if (!char.IsAsciiDigit(text[at])) break;
            if (length == plain.Length) return CsvNumber.None;
            plain[length++] = text[at];
            digits++;
        }

        if (grouped && digits != 3) return CsvNumber.None;
        if (at < text.Length && text[at] == point)
        {
            var whole = length;
            if (length == plain.Length) return CsvNumber.None;
            // JSON has a digit before the point.
            if (!grouped && digits == 0) plain[length++] = '0';
            if (length == plain.Length) return CsvNumber.None;
            plain[length++] = '.';
            var fraction = 0;
            for (at++; at < text.Length && char.IsAsciiDigit(text[at]); at++, fraction++)
            {
                if (length == plain.Length) return CsvNumber.None;
                plain[length++] = text[at];
            }

            if (fraction == 0)
            {
                if (digits == 0) return CsvNumber.None;
                length = whole;
            }
        }
        else if (digits == 0)
        {
            return CsvNumber.None;
        }

        if (at < text.Length && text[at] is 'e' or 'E')
        {
            var exponent = text[at..];
            var sign = exponent.Length > 1 && exponent[1] is '+' or '-' ? 2 : 1;
            if (exponent.Length == sign || exponent[sign..].ContainsAnyExceptInRange('0', '9') || length + exponent.Length > plain.Length) return CsvNumber.None;
            exponent.CopyTo(plain[length..]);
            length += exponent.Length;
            at = text.Length;
        }

        return at == text.Length ? CsvNumber.Plain : CsvNumber.None;
    }

    /// <summary>
    /// Reads a number of a file with semicolons that nothing more is said of. A comma is the decimal separator, and points
    /// before it divide thousands; several points without a comma do so too. A single point is the decimal separator as
    /// everywhere else, except where it can divide thousands as well (<c>1.234</c>): that is ambiguous.
    /// </summary>
    /// <param name="never">The field has no thousands (a longitude or latitude): a single point is never ambiguous.</param>
    public static CsvNumber ReadGerman(ReadOnlySpan<char> text, bool never, Span<char> plain, out int length)
    {
        var commas = text.Count(',');
        var points = text.Count('.');
        if (commas == 1 || points > 1) return Read(text, ',', '.', plain, out length);
        var read = Read(text, '.', null, plain, out length);
        if (read != CsvNumber.Plain || points == 0 || never) return read;
        var unsigned = text.TrimStart("+-−");
        return unsigned.IndexOf('.') is >= 1 and <= 3 && unsigned[0] != '0' && Read(text, ',', '.', stackalloc char[Longest], out _) == CsvNumber.Plain ? CsvNumber.Ambiguous : CsvNumber.Plain;
    }

    /// <summary>Without what stands before and after the number, such as a unit.</summary>
    public static ReadOnlySpan<char> Bare(ReadOnlySpan<char> text)
    {
        var first = text.IndexOfAnyInRange('0', '9');
        if (first < 0) return [];
        var last = text.LastIndexOfAnyInRange('0', '9');
        if (first > 0 && text[first - 1] is '.' or ',') first--;
        if (first > 0 && text[first - 1] is '-' or '+' or '−') first--;
        return text[first..(last + 1)];
    }

    private static bool Same(char c, char group) => c == group || group switch
    {
        // No-break and narrow no-break spaces; the typographic apostrophe.
        ' ' => c is '\u00A0' or '\u202F',
        '\'' or '’' => c is '\'' or '’',
        _ => false,
    };
}
