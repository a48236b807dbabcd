namespace DataHub.Catalog;

/// <summary>
/// How one feed writes CSV, saved with it. What is null is not said: the file itself shows it, or the contract does.
/// </summary>
[GenerateSerializer, Immutable, Alias("datahub.CsvProfile")]
public sealed record CsvProfile
{
    /// <summary><c>;</c>, <c>,</c>, <c>|</c> or a tab.</summary>
    [Id(0)] public string? Delimiter { get; init; }

    /// <summary>One of <see cref="CsvProfileCheck.Encodings"/>.</summary>
    [Id(1)] public string? Encoding { get; init; }

    /// <summary><c>.</c> or <c>,</c>.</summary>
    [Id(2)] public string? DecimalChar { get; init; }

    /// <summary>Between groups of three digits: <c>.</c>, <c>,</c>, a space or an apostrophe.</summary>
    [Id(3)] public string? GroupChar { get; init; }

    /// <summary>Of fields of type date, in the words of <c>strptime</c>.</summary>
    [Id(4)] public string? DateFormat { get; init; }

    /// <summary>Of fields of type datetime, in the words of <c>strptime</c>.</summary>
    [Id(5)] public string? DateTimeFormat { get; init; }

    /// <summary>Cells that mean null, beside the contract's <c>missingValues</c>.</summary>
    [Id(6)] public string[] NullValues { get; init; } = [];

    /// <summary>Cells that mean true, instead of the contract's; null: the contract's.</summary>
    [Id(7)] public string[]? TrueValues { get; init; }

    /// <summary>Cells that mean false, instead of the contract's; null: the contract's.</summary>
    [Id(8)] public string[]? FalseValues { get; init; }

    /// <summary>Columns whose name is not that of their field.</summary>
    [Id(9)] public CsvColumn[] Header { get; init; } = [];

    /// <summary>Columns that are passed over.</summary>
    [Id(10)] public string[] Ignore { get; init; } = [];

    /// <summary>Lines before the header.</summary>
    [Id(11)] public int SkipRows { get; init; }

    /// <summary>Whether two profiles say the same.</summary>
    public static bool Same(CsvProfile? a, CsvProfile? b)
    {
        if (a is null || b is null) return a is null && b is null;
        var bare = b with { NullValues = a.NullValues, TrueValues = a.TrueValues, FalseValues = a.FalseValues, Header = a.Header, Ignore = a.Ignore };
        return a == bare && Equal(a.NullValues, b.NullValues) && Equal(a.TrueValues, b.TrueValues) && Equal(a.FalseValues, b.FalseValues)
            && a.Header.AsSpan().SequenceEqual(b.Header) && Equal(a.Ignore, b.Ignore);

        static bool Equal(string[]? x, string[]? y) => x is null || y is null ? x is null && y is null : x.AsSpan().SequenceEqual(y);
    }
}

/// <summary>A column that means a field of another name.</summary>
/// <param name="Column">As it stands in the header.</param>
/// <param name="Field">Name of the contract's field, or <c>@delete</c>.</param>
[GenerateSerializer, Immutable, Alias("datahub.CsvColumn")]
public sealed record CsvColumn([property: Id(0)] string Column, [property: Id(1)] string Field);
