namespace DataHub.Catalog;

/// <summary>
/// A date or time format in the words of Python's <c>strptime</c>, as Table Schema uses them: <c>%Y %y %m %d %j %H %I %M
/// %S %f %p %b %B %a %A %z %Z %%</c>. Names of months and days are English or German; white space matches white space.
/// </summary>
internal sealed class StrptimePattern
{
    private static readonly string[][] s_months =
    [
        ["january", "januar", "jänner", "jan"], ["february", "februar", "feb"], ["march", "märz", "mar", "mär", "mrz"], ["april", "apr"],
        ["may", "mai"], ["june", "juni", "jun"], ["july", "juli", "jul"], ["august", "aug"], ["september", "sept", "sep"],
        ["october", "oktober", "oct", "okt"], ["november", "nov"], ["december", "dezember", "dec", "dez"],
    ];

    private static readonly string[][] s_days =
        [["monday", "montag", "mon", "mo", "tuesday", "dienstag", "tue", "di", "wednesday", "mittwoch", "wed", "mi", "thursday", "donnerstag", "thu", "do",
          "friday", "freitag", "fri", "fr", "saturday", "samstag", "sonnabend", "sat", "sa", "sunday", "sonntag", "sun", "so"]];

    private readonly string _format;

    private StrptimePattern(string format) => _format = format;

    /// <summary>Whether the pattern has a time zone in it.</summary>
    public bool HasOffset => Has("zZ");

    /// <exception cref="FormatException">Names the directive that is not known, or what is missing for the type.</exception>
    public static StrptimePattern Compile(string format, FieldType type)
    {
        if (format.StartsWith("fmt:", StringComparison.Ordinal)) format = format[4..];
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%') continue;
            if (++i == format.Length || !"YymdjHIMSfpbBaAzZ%".Contains(format[i], StringComparison.Ordinal))
                throw new FormatException(i == format.Length ? "%" : $"%{format[i]}");
        }

        var pattern = new StrptimePattern(format);
        if (type != FieldType.Time && !(pattern.Has("Yy") && (pattern.Has("j") || (pattern.Has("mbB") && pattern.Has("d"))))) throw new FormatException("%Y %m %d");
        if (type == FieldType.Time && !pattern.Has("HI")) throw new FormatException("%H");
        if (pattern.Has("I") && !pattern.Has("p")) throw new FormatException("%I %p");
        return pattern;
    }

    /// <param name="dayNumber">0 where the pattern has no date.</param>
    /// <param name="offset">Null where none was written.</param>
    public bool TryRead(ReadOnlySpan<char> text, out long dayNumber, out long timeTicks, out long? offset)
    {
        (dayNumber, timeTicks, offset) = (0, 0, null);
        int year = 1, month = 1, day = 1, dayOfYear = 0, hour = 0, minute = 0, second = 0;
        long fraction = 0;
        var twelve = false;
        bool? afternoon = null;
        for (var f = 0; f < _format.Length; f++)
        {
            var c = _format[f];
            if (char.IsWhiteSpace(c))
            {
                var spaces = text.Length - text.TrimStart().Length;
                if (spaces == 0 && (f == 0 || !char.IsWhiteSpace(_format[f - 1]))) return false;
                text = text[spaces..];
                continue;
            }

            if (c != '%')
            {
                if (text.IsEmpty || text[0] != c) return false;
                text = text[1..];
                continue;
            }

            switch (_format[++f])
            {
                case 'Y': if (!Number(ref text, 4, 4, out year)) return false; break;
                case 'y':
                    if (!Number(ref text, 2, 2, out year)) return false;
                    // POSIX: 69 to 99 are 1969 to 1999.
                    year += year >= 69 ? 1900 : 2000;
                    break;
                case 'm': if (!Number(ref text, 1, 2, out month)) return false; break;
                case 'd': if (!Number(ref text, 1, 2, out day)) return false; break;
                case 'j': if (!Number(ref text, 1, 3, out dayOfYear) || dayOfYear == 0) return false; break;
                case 'H': if (!Number(ref text, 1, 2, out hour)) return false; break;
                case 'I':
                    if (!Number(ref text, 1, 2, out hour) || hour is < 1 or > 12) return false;
                    twelve = true;
                    break;
                case 'M': if (!Number(ref text, 1, 2, out minute)) return false; break;
                case 'S': if (!Number(ref text, 1, 2, out second)) return false; break;
                case 'f': if (!Fraction(ref text, out fraction)) return false; break;
                case 'p': if (!HalfDay(ref text, out afternoon)) return false; break;
                case 'b' or 'B': if ((month = Word(ref text, s_months) + 1) == 0) return false; break;
                case 'a' or 'A': if (Word(ref text, s_days) < 0) return false; break;
                case 'z': if (!Offset(ref text, out offset)) return false; break;
                case 'Z': if (Word(ref text, [["utc", "gmt", "z"]]) < 0) return false; offset = 0; break;
                default: if (text.IsEmpty || text[0] != '%') return false; text = text[1..]; break;
            }
        }

        if (!text.IsEmpty || hour > 23 || minute > 59 || second > 59) return false;
        if (twelve) hour = (hour % 12) + (afternoon == true ? 12 : 0);
        timeTicks = (((hour * 60L) + minute) * TimeSpan.TicksPerMinute) + (second * TimeSpan.TicksPerSecond) + fraction;
        if (dayOfYear == 0) return ClockText.TryDate(year, month, day, out dayNumber);
        if (year is < 1 or > 9999 || dayOfYear > (DateTime.IsLeapYear(year) ? 366 : 365)) return false;
        dayNumber = new DateOnly(year, 1, 1).DayNumber + dayOfYear - 1;
        return true;
    }

    private bool Has(string directives)
    {
        for (var i = 0; i + 1 < _format.Length; i++)
        {
            if (_format[i] != '%') continue;
            if (directives.Contains(_format[i + 1], StringComparison.Ordinal)) return true;
            i++;
        }

        return false;
    }

    private static bool Number(ref ReadOnlySpan<char> text, int fewest, int most, out int number)
    {
        var digits = 0;
        while (digits < most && digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
        number = 0;
        if (digits < fewest || !ClockText.Digits(text[..digits], out number)) return false;
        text = text[digits..];
        return true;
    }

    private static bool Fraction(ref ReadOnlySpan<char> text, out long ticks)
    {
        ticks = 0;
        var scale = TimeSpan.TicksPerSecond;
        var digits = 0;
        for (; digits < 9 && digits < text.Length && char.IsAsciiDigit(text[digits]); digits++)
        {
            scale /= 10;
            ticks += (text[digits] - '0') * scale;
        }

        text = text[digits..];
        return digits > 0;
    }

    private static bool HalfDay(ref ReadOnlySpan<char> text, out bool? afternoon)
    {
        afternoon = null;
        if (text.Length < 2) return false;
        if (text[..2].Equals("am", StringComparison.OrdinalIgnoreCase)) afternoon = false;
        else if (text[..2].Equals("pm", StringComparison.OrdinalIgnoreCase)) afternoon = true;
        text = text[2..];
        return afternoon is not null;
    }

    private static int Word(ref ReadOnlySpan<char> text, string[][] words)
    {
        // Longer words stand before the shorter ones they begin with.
        for (var i = 0; i < words.Length; i++)
        {
            foreach (var word in words[i])
            {
                if (!text.StartsWith(word, StringComparison.OrdinalIgnoreCase)) continue;
                text = text[word.Length..];
                return i;
            }
        }

        return -1;
    }

    private static bool Offset(ref ReadOnlySpan<char> text, out long? offset)
    {
        foreach (var length in (ReadOnlySpan<int>)[6, 5, 3, 1])
        {
            if (text.Length < length || !ClockText.TryOffset(text[..length], out offset)) continue;
            text = text[length..];
            return true;
        }

        offset = null;
        return false;
    }
}
