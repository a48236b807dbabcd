namespace DataHub.Catalog;

/// <summary>How large a contract may be. Fixed: a contract that is taken today must compile on every silo tomorrow.</summary>
public static class ContractLimits
{
    /// <summary>Fields of one schema.</summary>
    public const int Fields = 256;

    /// <summary>Fields of a primary key.</summary>
    public const int KeyFields = 8;

    /// <summary>UTF-16 characters of a field's name.</summary>
    public const int NameLength = 128;

    /// <summary>Characters of a text in a field that is part of the key or the series, or names an area; longer ones are quarantined as <c>too-long</c>.</summary>
    public const int KeyTextLength = 512;

    /// <summary>Characters of a <c>pattern</c> or a strptime format.</summary>
    public const int PatternLength = 1_000;

    /// <summary>Values of an <c>enum</c>.</summary>
    public const int EnumValues = 1_000;

    /// <summary>Entries of <c>missingValues</c>, <c>trueValues</c> and <c>falseValues</c> each.</summary>
    public const int Words = 100;

    /// <summary>Characters of one of those entries, of an enum value and of a bound.</summary>
    public const int WordLength = 1_000;

    /// <summary>How deep objects and arrays may lie within one another in a value.</summary>
    public const int JsonDepth = 32;

    /// <summary>Characters of a unit.</summary>
    public const int UnitLength = 64;

    /// <summary>The longest <see cref="TableSchema.MaxFuture"/>.</summary>
    public static TimeSpan MaxFuture { get; } = TimeSpan.FromDays(3_660);

    /// <summary>
    /// How long one value may be matched against a pattern that needs backtracking (look-around, back references);
    /// beyond it the row is quarantined as <c>pattern-timeout</c>. Other patterns are matched in linear time.
    /// </summary>
    public static TimeSpan PatternTimeout { get; } = TimeSpan.FromMilliseconds(50);
}
