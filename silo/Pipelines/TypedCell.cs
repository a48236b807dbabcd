using System.Globalization;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What a cell holds in a file that has types of its own.</summary>
internal enum CellKind : byte
{
    Empty = 0,
    Text = 1,
    Integer = 2,
    Number = 3,
    Boolean = 4,

    /// <summary>Days since 0001-01-01.</summary>
    Date = 5,

    /// <summary>Ticks since midnight.</summary>
    Time = 6,

    /// <summary>What a clock shows, in ticks; which instant that is depends on its zone.</summary>
    Local = 7,

    /// <summary>UTC ticks.</summary>
    Instant = 8,

    /// <summary>No value, and the file says why.</summary>
    Fault = 9,
}

/// <summary>One value as a file with types gives it.</summary>
/// <param name="Whole">By its kind; 1 is true.</param>
/// <param name="Text">Of a text; of anything else how it is written in the file, null: in the canonical way. Of a fault the word that may stand for no value.</param>
/// <param name="Reason">Of a fault.</param>
internal readonly record struct TypedCell(CellKind Kind, long Whole = 0, double Number = 0, string? Text = null, LocalText? Reason = null)
{
    /// <summary>Digits of a whole number that has a type: what is longer stays a text.</summary>
    private const int MostDigits = 18;

    /// <summary>Beyond this doubles leave whole numbers out.</summary>
    private const long Exact = 1L << 53;

    public static TypedCell Of(string text) => new(CellKind.Text, Text: text);

    public static TypedCell Of(long integer) => new(CellKind.Integer, integer);

    public static TypedCell Of(bool boolean) => new(CellKind.Boolean, boolean ? 1 : 0);

    /// <summary>NaN and infinite numbers are no values.</summary>
    public static TypedCell Of(double number) => double.IsFinite(number)
        ? new(CellKind.Number, Number: number == 0 ? 0 : number)
        : Wrong($"„{number.ToString(CultureInfo.InvariantCulture)}“ ist keine Zahl.", $"“{number.ToString(CultureInfo.InvariantCulture)}” is no number.");

    public static TypedCell Wrong(string de, string en) => new(CellKind.Fault, Reason: new(de, en));

    /// <summary>A number as computers write it. Whole ones of more digits than any type holds stay as they are written.</summary>
    public static TypedCell OfNumber(string text)
    {
        if (text.AsSpan(text is ['-', ..] ? 1 : 0) is { Length: > 0 } digits && !digits.ContainsAnyExceptInRange('0', '9'))
            return digits.Length <= MostDigits ? Of(long.Parse(text, CultureInfo.InvariantCulture)) : Of(text);
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? Of(number)
            : Wrong($"„{CsvFile.Short(text)}“ ist keine Zahl.", $"“{CsvFile.Short(text)}” is no number.");
    }

    /// <summary>A whole number that a double would not hold.</summary>
    public bool IsWide => Kind == CellKind.Integer && Whole is > Exact or < -Exact;

    /// <summary>As it stands in a column of texts.</summary>
    public string Shown => Text ?? Kind switch
    {
        CellKind.Integer => Whole.ToString(CultureInfo.InvariantCulture),
        CellKind.Number => Number.ToString("R", CultureInfo.InvariantCulture),
        CellKind.Boolean => Whole == 1 ? "true" : "false",
        CellKind.Date => DateOnly.FromDayNumber((int)Whole).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        CellKind.Time => new TimeOnly(Whole).ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
        CellKind.Local => new DateTime(Whole).ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
        CellKind.Instant => new DateTime(Whole).ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
        _ => "",
    };

    /// <summary>Puts it into a column.</summary>
    /// <param name="decimalChar">How numbers are written in texts; null: where there is only one way to read one, it is read.</param>
    /// <param name="zone">Of clocks that say none; null: not known.</param>
    /// <returns>What is wrong, or null.</returns>
    public LocalText? Into(ColumnBuilder builder, int row, string? decimalChar, TimeZoneInfo? zone)
    {
        var (type, self) = (builder.Column.Type, this);
        if (type == FieldType.String && Kind != CellKind.Fault) return Set(builder.Set(row, Shown));
        switch (Kind)
        {
            case CellKind.Fault:
                return Reason;
            case CellKind.Integer when type == FieldType.Integer:
                return Set(builder.SetInteger(row, Whole));
            case CellKind.Integer when type == FieldType.Number:
                if (IsWide && (long)(double)Whole != Whole) return new($"{Whole} hat mehr Stellen, als number fasst; integer oder string angeben.", $"{Whole} has more digits than number holds; say integer or string.");
                return Set(builder.SetNumber(row, Whole));
            case CellKind.Number when type == FieldType.Number:
                return Set(builder.SetNumber(row, Number));
            case CellKind.Number when type == FieldType.Integer:
                return Set(Number == Math.Truncate(Number) && Math.Abs(Number) <= Exact && builder.SetInteger(row, (long)Number));
            case CellKind.Boolean when type == FieldType.Boolean:
                return Set(builder.SetBoolean(row, Whole == 1));
            case CellKind.Date when type == FieldType.Date:
            case CellKind.Time when type == FieldType.Time:
            case CellKind.Instant when type == FieldType.DateTime:
                return Set(builder.SetInteger(row, Whole));
            case CellKind.Date or CellKind.Local when type == FieldType.DateTime:
                if (zone is null) return new($"„{Shown}“ hat keine Zeitzone; timeZone angeben, etwa Europe/Berlin.", $"“{Shown}” has no time zone; say timeZone, such as Europe/Berlin.");
                var local = Kind == CellKind.Date ? Whole * TimeSpan.TicksPerDay : Whole;
                if (!CellReader.TryZone(local, zone, out var instant)) return new($"„{Shown}“ gibt es in {zone.Id} nicht oder zweimal (Zeitumstellung).", $"“{Shown}” is not there in {zone.Id}, or twice (the clocks change).");
                return Set(builder.SetInteger(row, instant));
            case CellKind.Text when type is FieldType.Number or FieldType.Integer && decimalChar is null:
                var text = Text.AsSpan().Trim();
                if (type == FieldType.Integer && CellReader.TryInteger(text, out var integer)) return Set(builder.SetInteger(row, integer));
                var (point, comma) = (CellReader.TryNumber(text, '.', ',', out var one), CellReader.TryNumber(text, ',', '.', out var other));
                if (point && comma && one != other) return new($"„{CsvFile.Short(text)}“ lässt sich zweifach lesen; decimalChar angeben.", $"“{CsvFile.Short(text)}” can be read in two ways; say decimalChar.");
                return point || comma ? new TypedCell(CellKind.Number, Number: point ? one : other, Text: Text).Into(builder, row, decimalChar, zone) : Set(false);
            case CellKind.Text:
                return Set(builder.Set(row, Text.AsSpan().Trim()));
            default:
                // A date that is written as a text may be one of a pattern of its own.
                return Set(Text is not null && builder.Set(row, Text.AsSpan().Trim()));
        }

        LocalText? Set(bool done) => done ? null : new($"„{CsvFile.Short(self.Shown)}“ ist kein Wert der Art {ContractCheck.Word(type)}.", $"“{CsvFile.Short(self.Shown)}” is no value of type {ContractCheck.Word(type)}.");
    }

}
