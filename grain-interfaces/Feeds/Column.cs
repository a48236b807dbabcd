namespace DataHub.Feeds;

/// <summary>How a field's values lie in memory.</summary>
public enum ColumnKind : byte
{
    /// <summary>UTF-16 text; null is null. Also objects, arrays, durations and points, as canonical text.</summary>
    Text = 0,

    /// <summary>IEEE 754 double; NaN is null (a NaN never passes the contract); never −0.</summary>
    Number = 1,

    /// <summary>
    /// 64-bit integer; <see cref="Column.NullInteger"/> is null. Also instants (100 ns ticks since 0001-01-01 UTC),
    /// dates (days since 0001-01-01), times (ticks since midnight), years, and months since year 0.
    /// </summary>
    Integer = 2,

    /// <summary>0 false, 1 true, 255 null.</summary>
    Boolean = 3,
}

/// <summary>One field of many rows. Exactly one of the arrays is set, by <see cref="Kind"/>; all are as long as the block.</summary>
public sealed class Column
{
    public const long NullInteger = long.MinValue;
    public const byte NullBoolean = 255;

    public ColumnKind Kind { get; init; }
    public string?[]? Texts { get; init; }
    public double[]? Numbers { get; init; }
    public long[]? Integers { get; init; }
    public byte[]? Booleans { get; init; }

    public static Column OfTexts(string?[] values) => new() { Kind = ColumnKind.Text, Texts = values };
    public static Column OfNumbers(double[] values) => new() { Kind = ColumnKind.Number, Numbers = values };
    public static Column OfIntegers(long[] values) => new() { Kind = ColumnKind.Integer, Integers = values };
    public static Column OfBooleans(byte[] values) => new() { Kind = ColumnKind.Boolean, Booleans = values };

    public int Length => Kind switch
    {
        ColumnKind.Text => Texts!.Length,
        ColumnKind.Number => Numbers!.Length,
        ColumnKind.Integer => Integers!.Length,
        _ => Booleans!.Length,
    };

    public bool IsNull(int row) => Kind switch
    {
        ColumnKind.Text => Texts![row] is null,
        ColumnKind.Number => double.IsNaN(Numbers![row]),
        ColumnKind.Integer => Integers![row] == NullInteger,
        _ => Booleans![row] == NullBoolean,
    };

    /// <summary>The value as a double: numbers and integers (rounded to nearest as IEEE conversion does); NaN where null.</summary>
    public double AsNumber(int row) => Kind switch
    {
        ColumnKind.Number => Numbers![row],
        ColumnKind.Integer => Integers![row] == NullInteger ? double.NaN : Integers[row],
        _ => double.NaN,
    };

    /// <summary>The same rows in another order or a part of them.</summary>
    public Column Take(ReadOnlySpan<int> rows)
    {
        switch (Kind)
        {
            case ColumnKind.Text: return OfTexts(Pick(Texts!, rows));
            case ColumnKind.Number: return OfNumbers(Pick(Numbers!, rows));
            case ColumnKind.Integer: return OfIntegers(Pick(Integers!, rows));
            default: return OfBooleans(Pick(Booleans!, rows));
        }
    }

    private static T[] Pick<T>(T[] from, ReadOnlySpan<int> rows)
    {
        var picked = new T[rows.Length];
        for (var i = 0; i < rows.Length; i++) picked[i] = from[rows[i]];
        return picked;
    }
}
