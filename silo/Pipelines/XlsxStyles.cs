using System.Buffers;
using System.Globalization;

namespace DataHub.Pipelines;

/// <summary>How a number is shown, as far as it makes it something else.</summary>
internal enum XlsxShown : byte
{
    Number = 0,
    Date = 1,
    DateTime = 2,
    Time = 3,

    /// <summary>Hours, minutes or seconds beyond a day: stays a number of days.</summary>
    Elapsed = 4,

    /// <summary>With leading zeros, such as <c>00000</c>: a name made of digits.</summary>
    Padded = 5,
}

/// <param name="Digits">Of a padded number.</param>
internal readonly record struct XlsxStyle(XlsxShown Shown, int Digits = 0);

/// <summary>The styles of a file, for what they say about numbers: whether these are dates.</summary>
internal sealed class XlsxStyles
{
    /// <summary>Of cells: Excel has 65,490 at most.</summary>
    private const int Most = 100_000;

    /// <summary>Longest pattern: Excel has 255 characters at most.</summary>
    private const int Longest = 1_024;

    private static readonly SearchValues<char> s_clock = SearchValues.Create("hHmMsS");

    private readonly List<XlsxStyle> _styles = [];

    public XlsxStyle this[int style] => (uint)style < (uint)_styles.Count ? _styles[style] : default;

    public static XlsxStyles Read(XlsxPart part)
    {
        var (styles, patterns) = (new XlsxStyles(), new Dictionary<int, XlsxStyle>());
        using var xml = new XlsxXml(part);
        while (xml.Read())
        {
            if (!xml.IsStart) continue;
            if (xml.Name == "numFmt" && Number(xml.Attribute("numFmtId")) is { } id && patterns.Count < Most)
            {
                patterns[id] = Of(xml.Attribute("formatCode") ?? "");
            }
            else if (xml.Name == "cellXfs" && !xml.IsEmpty)
            {
                var depth = xml.Depth;
                while (xml.Next(depth))
                {
                    if (xml.Name != "xf") continue;
                    if (styles._styles.Count == Most) throw XlsxPackage.Broken($"mehr als {Most} Formate", $"more than {Most} styles");
                    var format = Number(xml.Attribute("numFmtId")) ?? 0;
                    styles._styles.Add(patterns.TryGetValue(format, out var own) ? own : BuiltIn(format));
                }
            }
        }

        return styles;

        static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>What every spreadsheet knows without being told (ECMA-376, 18.8.30), with the dates of East Asian ones.</summary>
    private static XlsxStyle BuiltIn(int format) => new(format switch
    {
        14 or 15 or 16 or 17 or (>= 27 and <= 31) or 36 or (>= 50 and <= 54) or 57 or 58 => XlsxShown.Date,
        18 or 19 or 20 or 21 or 45 or 47 or (>= 32 and <= 35) or 55 or 56 => XlsxShown.Time,
        22 => XlsxShown.DateTime,
        46 => XlsxShown.Elapsed,
        _ => XlsxShown.Number,
    });

    /// <summary>What a pattern such as <c>dd.mm.yyyy hh:mm</c> makes of a number.</summary>
    public static XlsxStyle Of(string pattern)
    {
        if (pattern.Length > Longest) throw XlsxPackage.Broken($"ein Zahlenformat ist länger als {Longest} Zeichen", $"a number format is longer than {Longest} characters");
        if (pattern.Length is > 1 and <= 32 && !pattern.AsSpan().ContainsAnyExcept('0')) return new(XlsxShown.Padded, pattern.Length);
        var (date, time, month, elapsed) = (false, false, false, false);
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (char.ToLowerInvariant(pattern[i]))
            {
                // The first section is that of positive numbers.
                case ';': i = pattern.Length; break;
                case '"': i = To('"', i); break;
                case '\\' or '_' or '*': i++; break;
                case '[':
                    var end = To(']', i);
                    elapsed |= pattern.AsSpan(i + 1, Math.Max(0, end - i - 1)) is { IsEmpty: false } inside && !inside.ContainsAnyExcept(s_clock);
                    i = end;
                    break;
                case 'g' when pattern.AsSpan(i).StartsWith("General", StringComparison.OrdinalIgnoreCase): i += 6; break;
                case 'a' when pattern.AsSpan(i).StartsWith("AM/PM", StringComparison.OrdinalIgnoreCase): i += 4; break;
                case 'y' or 'd': date = true; break;
                case 'h' or 's': time = true; break;
                case 'm': month = true; break;
            }
        }

        // m is a month, except beside hours and seconds, where it is minutes.
        return new(elapsed ? XlsxShown.Elapsed : date && time ? XlsxShown.DateTime : date || (month && !time) ? XlsxShown.Date : time ? XlsxShown.Time : XlsxShown.Number);

        int To(char close, int from) => pattern.IndexOf(close, from + 1) is >= 0 and var at ? at : pattern.Length;
    }

    /// <summary>A number as its style shows it. Days are counted as Excel does, from 1900 with a 29 February that never was, or from 1904.</summary>
    public static TypedCell Shown(TypedCell number, XlsxStyle style, bool from1904)
    {
        var value = number.Kind == CellKind.Integer ? number.Whole : number.Number;
        switch (style.Shown)
        {
            case XlsxShown.Padded when number.Kind == CellKind.Integer && number.Whole >= 0:
                return TypedCell.Of(number.Whole.ToString(CultureInfo.InvariantCulture).PadLeft(style.Digits, '0'));
            case XlsxShown.Time when value is >= 0 and < 1:
                var time = Milliseconds(value);
                return time < MillisecondsOfDay ? new(CellKind.Time, time * TimeSpan.TicksPerMillisecond) : new(CellKind.Time, 0);
            case XlsxShown.Date or XlsxShown.DateTime or XlsxShown.Time:
                break;
            default:
                return number;
        }

        var days = Math.Floor(value);
        var rest = Milliseconds(value - days);
        if (rest == MillisecondsOfDay) (days, rest) = (days + 1, 0);
        var first = from1904 ? 0 : 1;
        if (days < first || days > 2_958_465 - (from1904 ? 1_462 : 0) || (!from1904 && days == 60))
            return TypedCell.Wrong($"{number.Shown} ist kein Datum, das es gibt.", $"{number.Shown} is no date that there is.");
        var day = from1904 ? s_1904 + (long)days : s_1900 + (long)days - (days > 60 ? 1 : 0);
        return rest == 0 ? new(CellKind.Date, day) : new(CellKind.Local, (day * TimeSpan.TicksPerDay) + (rest * TimeSpan.TicksPerMillisecond));
    }

    private const int MillisecondsOfDay = 86_400_000;

    /// <summary>Day 0: before 1900-01-01, and 1904-01-01.</summary>
    private static readonly long s_1900 = new DateOnly(1899, 12, 31).DayNumber, s_1904 = new DateOnly(1904, 1, 1).DayNumber;

    private static long Milliseconds(double share) => (long)Math.Round(share * MillisecondsOfDay, MidpointRounding.AwayFromZero);
}
