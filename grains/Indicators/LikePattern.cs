namespace DataHub.Indicators;

/// <summary>
/// A pattern of LIKE (OGC 21-065r2): <c>%</c> stands for any characters, <c>_</c> for one, <c>\</c> before either or before
/// itself takes its meaning away. Case counts. One character is one Unicode scalar value.
/// </summary>
internal sealed class LikePattern
{
    // Instead of a UTF-16 unit.
    private const int Many = -1;
    private const int One = -2;

    private readonly int[] _pattern;
    private readonly string _plain;
    private readonly Shape _shape;

    private LikePattern(int[] pattern)
    {
        _pattern = pattern;
        var (open, close) = (pattern is [Many, ..], pattern is [.., Many]);
        var inner = pattern.AsSpan().Trim(Many);
        var wild = inner.IndexOfAny(Many, One) >= 0;
        _plain = wild ? "" : string.Concat(inner.ToArray().Select(unit => (char)unit));
        _shape = wild ? Shape.Mixed
            : open && close ? Shape.Contains
            : open ? Shape.EndsWith
            : close ? Shape.StartsWith
            : Shape.Whole;
    }

    private enum Shape
    {
        Whole,
        StartsWith,
        EndsWith,
        Contains,
        Mixed,
    }

    /// <summary>Null where the pattern ends in an escape that escapes nothing.</summary>
    public static LikePattern? Parse(string written)
    {
        var pattern = new List<int>(written.Length);
        for (var i = 0; i < written.Length; i++)
        {
            var c = written[i];
            if (c == '\\')
            {
                if (++i == written.Length) return null;
                pattern.Add(written[i]);
            }
            else
            {
                // Two of them say no more than one.
                if (c == '%' && pattern is [.., Many]) continue;
                pattern.Add(c switch { '%' => Many, '_' => One, _ => c });
            }
        }

        return new([.. pattern]);
    }

    /// <summary>As a pattern that means the same, one way for each meaning.</summary>
    public override string ToString() => string.Concat(_pattern.Select(unit => unit switch
    {
        Many => "%",
        One => "_",
        '%' or '_' or '\\' => "\\" + (char)unit,
        _ => ((char)unit).ToString(),
    }));

    public bool Matches(string text) => _shape switch
    {
        Shape.Whole => string.Equals(text, _plain, StringComparison.Ordinal),
        Shape.StartsWith => text.StartsWith(_plain, StringComparison.Ordinal),
        Shape.EndsWith => text.EndsWith(_plain, StringComparison.Ordinal),
        Shape.Contains => text.Contains(_plain, StringComparison.Ordinal),
        _ => Walk(text),
    };

    /// <summary>Goes back to the last <c>%</c> only: its reach is the one thing that can still be changed.</summary>
    private bool Walk(string text)
    {
        var (at, place) = (0, 0);
        var (star, reach) = (-1, 0);
        while (at < text.Length)
        {
            if (place < _pattern.Length && _pattern[place] == Many)
            {
                (star, reach) = (place++, at);
            }
            else if (place < _pattern.Length && (_pattern[place] == One || _pattern[place] == text[at]))
            {
                at += _pattern[place] == One ? Width(text, at) : 1;
                place++;
            }
            else if (star >= 0)
            {
                reach += Width(text, reach);
                (at, place) = (reach, star + 1);
            }
            else
            {
                return false;
            }
        }

        while (place < _pattern.Length && _pattern[place] == Many) place++;
        return place == _pattern.Length;
    }

    private static int Width(string text, int at) => char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
}
