namespace DataHub.Indicators;

/// <summary>Orders that a filter compares by where the runtime has none.</summary>
internal static class FilterOrder
{
    /// <summary>By Unicode scalar values, as keys are ordered: UTF-16 units, but surrogates stand for what is above all others.</summary>
    public static int Texts(string a, string b)
    {
        var same = a.AsSpan().CommonPrefixLength(b);
        if (same == a.Length || same == b.Length) return a.Length.CompareTo(b.Length);
        return Rank(a[same]).CompareTo(Rank(b[same]));

        static int Rank(char unit) => char.IsSurrogate(unit) ? unit + char.MaxValue : unit;
    }

    /// <summary>Exact: neither is rounded to the other's type.</summary>
    /// <param name="b">No NaN.</param>
    public static int Numbers(long a, double b)
    {
        // 2^63, which a long does not reach.
        if (b >= 9_223_372_036_854_775_808.0) return -1;
        if (b < -9_223_372_036_854_775_808.0) return 1;
        var whole = (long)b;
        return a != whole ? a.CompareTo(whole) : 0.0.CompareTo(b - whole);
    }
}
