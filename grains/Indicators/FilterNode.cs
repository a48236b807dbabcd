using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>A filter as it was written, not yet held against fields.</summary>
internal abstract record FilterNode;

internal sealed record FilterConstant(bool Value) : FilterNode;

internal sealed record FilterNot(FilterNode Node) : FilterNode;

/// <summary>AND of two or more.</summary>
internal sealed record FilterAll(FilterNode[] Parts) : FilterNode;

/// <summary>OR of two or more.</summary>
internal sealed record FilterAny(FilterNode[] Parts) : FilterNode;

internal sealed record FilterComparison(FilterOperand Left, FilterOperator Operator, FilterOperand Right) : FilterNode;

internal sealed record FilterIn(FilterOperand Value, FilterOperand[] Items) : FilterNode;

internal sealed record FilterLike(FilterOperand Value, LikePattern Pattern) : FilterNode;

internal sealed record FilterIsNull(FilterField Field) : FilterNode;

internal enum FilterOperator
{
    Equal = 0,
    NotEqual = 1,
    Less = 2,
    LessOrEqual = 3,
    Greater = 4,
    GreaterOrEqual = 5,
}

/// <param name="Position">Where it stands, counted in characters from 1.</param>
internal abstract record FilterOperand(int Position);

/// <param name="Quoted">Whether it was written in double quotes.</param>
internal sealed record FilterField(string Name, bool Quoted, int Position) : FilterOperand(Position);

/// <param name="Written">As it was written, for messages.</param>
internal sealed record FilterLiteral(FilterType Type, string Written, int Position) : FilterOperand(Position)
{
    /// <summary>Of a text.</summary>
    public string Text { get; init; } = "";

    /// <summary>The double nearest to a number.</summary>
    public double Number { get; init; }

    /// <summary>Of a whole number that a column of integers can hold, a boolean (0, 1), a date or an instant, as columns hold them; null for other numbers and for texts.</summary>
    public long? Integer { get; init; }
}

/// <summary>What can be compared with what.</summary>
internal enum FilterType
{
    Number = 0,
    Text = 1,
    Boolean = 2,
    Date = 3,
    Instant = 4,

    /// <summary>Compared with texts such as <c>'08:30'</c>.</summary>
    Time = 5,

    /// <summary>Compared with texts such as <c>'2026-11'</c>.</summary>
    YearMonth = 6,

    /// <summary>Only IS NULL can be asked of it.</summary>
    Opaque = 7,
}

/// <summary>The words for types in messages.</summary>
internal static class FilterTypes
{
    public static FilterType Of(FieldType type) => type switch
    {
        FieldType.Number or FieldType.Integer or FieldType.Year => FilterType.Number,
        FieldType.String or FieldType.Any => FilterType.Text,
        FieldType.Boolean => FilterType.Boolean,
        FieldType.Date => FilterType.Date,
        FieldType.DateTime => FilterType.Instant,
        FieldType.Time => FilterType.Time,
        FieldType.YearMonth => FilterType.YearMonth,
        _ => FilterType.Opaque,
    };

    /// <summary>What a value of the type is called.</summary>
    public static LocalText Word(FilterType type) => type switch
    {
        FilterType.Number => new("eine Zahl", "a number"),
        FilterType.Text => new("ein Text", "a text"),
        FilterType.Boolean => new("TRUE oder FALSE", "TRUE or FALSE"),
        FilterType.Date => new("ein Datum", "a date"),
        FilterType.Instant => new("ein Zeitpunkt", "an instant"),
        FilterType.Time => new("eine Uhrzeit", "a time of day"),
        FilterType.YearMonth => new("ein Monat", "a month"),
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>How a value of the type is written.</summary>
    public static string Example(FilterType type) => type switch
    {
        FilterType.Number => "40.5",
        FilterType.Text => "'Text'",
        FilterType.Boolean => "TRUE",
        FilterType.Date => "DATE('2026-11-24')",
        FilterType.Instant => "TIMESTAMP('2026-11-24T08:00:00+01:00')",
        FilterType.Time => "'08:30:00'",
        FilterType.YearMonth => "'2026-11'",
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}
