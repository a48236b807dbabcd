using System.Globalization;
using System.Runtime.CompilerServices;

using Parquet;
using Parquet.Schema;

namespace DataHub.Pipelines;

/// <summary>The values of a column in one row group, one after the other.</summary>
internal abstract class ParquetColumn
{
    /// <summary>Digits that a double gives back as they were.</summary>
    private const int ExactDigits = 15;

    /// <summary>Digits of a decimal number that can be read.</summary>
    private const int MostDigits = 28;

    /// <summary>The next value; empty where there is none.</summary>
    public abstract TypedCell Next();

    /// <summary>Whether values of the type can be read.</summary>
    public static bool Knows(DataField field) => Reader(field) is not null;

    /// <summary>Bytes that a value takes in memory while its group is read, whatever it takes in the file.</summary>
    public static long Width(DataField field) => Reader(field)!.Value.Width;

    public static ParquetColumn Read(ParquetRowGroupReader group, DataField field) => Reader(field)!.Value.Read(group);

    private static (Func<ParquetRowGroupReader, ParquetColumn> Read, long Width)? Reader(DataField field)
    {
        var type = field.ClrType;
        if (field is TimeDataField time)
        {
            var ticks = time.Precision switch { TimeUnitPrecision.Millis => TimeSpan.TicksPerMillisecond, TimeUnitPrecision.Micros => TimeSpan.TicksPerMicrosecond, _ => 0 };
            return type == typeof(int) ? Of<int>(value => Time(value, ticks)) : type == typeof(long) ? Of<long>(value => Time(value, ticks)) : type == typeof(TimeSpan) ? Of<TimeSpan>(value => Time(value.Ticks, 1)) : null;
        }

        if (field is DateTimeDataField { DateTimeFormat: DateTimeFormat.Impala }) return null;
        if (field is DateTimeDataField { DateTimeFormat: not DateTimeFormat.Date } instant)
            return Of<DateTime>(value => new(instant.IsAdjustedToUTC ? CellKind.Instant : CellKind.Local, value.Ticks));
        if (field is DecimalDataField { Precision: > MostDigits }) return null;
        return type == typeof(bool) ? Of<bool>(TypedCell.Of)
            : type == typeof(sbyte) ? Of<sbyte>(value => TypedCell.Of((long)value))
            : type == typeof(byte) ? Of<byte>(value => TypedCell.Of((long)value))
            : type == typeof(short) ? Of<short>(value => TypedCell.Of((long)value))
            : type == typeof(ushort) ? Of<ushort>(value => TypedCell.Of((long)value))
            : type == typeof(int) ? Of<int>(value => TypedCell.Of((long)value))
            : type == typeof(uint) ? Of<uint>(value => TypedCell.Of((long)value))
            : type == typeof(long) ? Of<long>(Whole)
            : type == typeof(ulong) ? Of<ulong>(value => value <= long.MaxValue ? TypedCell.Of((long)value) : TypedCell.Of(value.ToString(CultureInfo.InvariantCulture)))
            : type == typeof(float) ? Of<float>(value => TypedCell.Of((double)value))
            : type == typeof(double) ? Of<double>(TypedCell.Of)
            : type == typeof(decimal) ? Of<decimal>(Decimal)
            : type == typeof(DateOnly) ? Of<DateOnly>(value => new(CellKind.Date, value.DayNumber))
            : type == typeof(DateTime) ? Of<DateTime>(value => new(CellKind.Date, value.Ticks / TimeSpan.TicksPerDay))
            : type == typeof(TimeOnly) ? Of<TimeOnly>(value => new(CellKind.Time, value.Ticks))
            : type == typeof(Guid) ? Of<Guid>(value => TypedCell.Of(value.ToString()))
            : type == typeof(string) || type == typeof(ReadOnlyMemory<char>) ? Of<ReadOnlyMemory<char>>(value => Text(value.Span))
            : null;

        // Beside the value its level and its place in the dictionary.
        (Func<ParquetRowGroupReader, ParquetColumn>, long) Of<T>(Func<T, TypedCell> of)
            where T : struct => (group => All(group, of), Unsafe.SizeOf<T>() + 8);

        ParquetColumn All<T>(ParquetRowGroupReader group, Func<T, TypedCell> of)
            where T : struct
        {
            var count = (int)group.RowCount;
            var (values, levels) = (new T[count], field.MaxDefinitionLevel > 0 ? new int[count] : null);
            Memory<int>? room = levels is null ? null : levels.AsMemory();
            group.ReadRawAsync(field, values.AsMemory(), room, null).AsTask().GetAwaiter().GetResult();
            return new Values<T>(values, levels, field.MaxDefinitionLevel, of);
        }
    }

    /// <param name="ticks">Of a unit; 0: units are nanoseconds.</param>
    private static TypedCell Time(long value, long ticks)
    {
        var day = ticks > 0 ? TimeSpan.TicksPerDay / ticks : TimeSpan.TicksPerDay * 100;
        return value < 0 || value >= day
            ? TypedCell.Wrong("Das ist keine Uhrzeit eines Tages (00:00:00 bis unter 24:00:00).", "This is no time of a day (00:00:00 to less than 24:00:00).")
            : new(CellKind.Time, ticks > 0 ? value * ticks : value / 100);
    }

    /// <summary>The least whole number stands for no value in tables.</summary>
    private static TypedCell Whole(long value) => value == long.MinValue ? TypedCell.Of(value.ToString(CultureInfo.InvariantCulture)) : TypedCell.Of(value);

    /// <summary>What has more digits than a double gives back stays as it is written.</summary>
    private static TypedCell Decimal(decimal value)
    {
        var text = value.ToString(CultureInfo.InvariantCulture);
        var digits = text.Count(char.IsAsciiDigit);
        if (value.Scale == 0) return digits <= 18 ? TypedCell.Of((long)value) : TypedCell.Of(text);
        return digits <= ExactDigits ? TypedCell.Of(double.Parse(text, CultureInfo.InvariantCulture)) with { Text = text } : TypedCell.Of(text);
    }

    private static TypedCell Text(ReadOnlySpan<char> text) => text.Length <= CsvFile.LongestCell
        ? TypedCell.Of(text.ToString())
        : TypedCell.Wrong($"Der Text ist länger als {CsvFile.LongestCell} Zeichen.", $"The text is longer than {CsvFile.LongestCell} characters.");

    /// <param name="levels">Null: every row has a value.</param>
    private sealed class Values<T>(T[] values, int[]? levels, int present, Func<T, TypedCell> of) : ParquetColumn
    {
        private int _row, _value;

        public override TypedCell Next() => levels is not null && levels[_row++] < present ? default : of(values[_value++]);
    }
}
