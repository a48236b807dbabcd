using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Gathers the values of one column, batch by batch.</summary>
/// <param name="comma">Decimals are written with a comma.</param>
/// <param name="zone">Of instants that are written without an offset; null: these are none.</param>
/// <param name="format">Of dates, times and instants in the words of <c>strptime</c>; null: ISO 8601, of dates the German form too.</param>
internal sealed class ColumnBuilder(TableColumn column, bool comma, string? format, TimeZoneInfo? zone = null)
{
    private readonly StrptimePattern? _pattern = format is null ? null : StrptimePattern.Compile(format, column.Type);
    private readonly TextPool _pool = new();
    private string?[] _texts = [];
    private double[] _numbers = [];
    private long[] _integers = [];
    private byte[] _booleans = [];

    public TableColumn Column => column;

    /// <summary>The pattern of its dates, where one was said.</summary>
    public string? Format => format;

    /// <summary>Its decimals are written with a comma.</summary>
    public bool HasComma => comma;

    /// <summary>Begins a batch of at most so many rows.</summary>
    public void Begin(int rows)
    {
        switch (column.Kind)
        {
            case ColumnKind.Text: _texts = new string?[rows]; break;
            case ColumnKind.Number: _numbers = new double[rows]; break;
            case ColumnKind.Integer: _integers = new long[rows]; break;
            default: _booleans = new byte[rows]; break;
        }
    }

    public void SetNull(int row)
    {
        switch (column.Kind)
        {
            case ColumnKind.Text: _texts[row] = null; break;
            case ColumnKind.Number: _numbers[row] = double.NaN; break;
            case ColumnKind.Integer: _integers[row] = Feeds.Column.NullInteger; break;
            default: _booleans[row] = Feeds.Column.NullBoolean; break;
        }
    }

    /// <returns>False: the text is no value of the column's type.</returns>
    public bool Set(int row, ReadOnlySpan<char> text)
    {
        long integer;
        switch (column.Type)
        {
            case FieldType.String:
                _texts[row] = _pool.Get(text);
                return true;
            case FieldType.Number:
                return comma ? CellReader.TryNumber(text, ',', '.', out _numbers[row]) : CellReader.TryNumber(text, '.', ',', out _numbers[row]);
            case FieldType.Boolean:
                var is_ = CellReader.TryBoolean(text, out var boolean);
                _booleans[row] = boolean ? (byte)1 : (byte)0;
                return is_;
            case FieldType.Integer:
                if (CellReader.TryInteger(text, out _integers[row])) return true;
                // 1.234.567, as a file with decimal commas writes it.
                if (!CellReader.TryNumber(text, comma ? ',' : '.', comma ? '.' : ',', out var number) || number != Math.Truncate(number) || Math.Abs(number) >= 1L << 53) return false;
                _integers[row] = (long)number;
                return true;
            case FieldType.Date when _pattern is null:
                var date = CellReader.TryDate(text, german: false, out integer) || CellReader.TryDate(text, german: true, out integer);
                _integers[row] = integer;
                return date;
            case FieldType.Time when _pattern is null:
                return CellReader.TryTime(text, out _integers[row]);
            case FieldType.DateTime when _pattern is null:
                return CellReader.TryInstant(text, zone, out _integers[row]);
            default:
                return CellReader.TryPattern(text, _pattern!, column.Type, zone, out _integers[row]);
        }
    }

    /// <returns>False: it stands for no value.</returns>
    public bool SetInteger(int row, long value)
    {
        _integers[row] = value;
        return value != Feeds.Column.NullInteger;
    }

    /// <param name="value">Finite, and no −0.</param>
    public bool SetNumber(int row, double value)
    {
        _numbers[row] = value;
        return true;
    }

    public bool SetBoolean(int row, bool value)
    {
        _booleans[row] = value ? (byte)1 : (byte)0;
        return true;
    }

    /// <summary>The first rows of the batch.</summary>
    public Column Finish(int rows) => column.Kind switch
    {
        ColumnKind.Text => Feeds.Column.OfTexts(Cut(_texts, rows)),
        ColumnKind.Number => Feeds.Column.OfNumbers(Cut(_numbers, rows)),
        ColumnKind.Integer => Feeds.Column.OfIntegers(Cut(_integers, rows)),
        _ => Feeds.Column.OfBooleans(Cut(_booleans, rows)),
    };

    private static T[] Cut<T>(T[] values, int rows) => values.Length == rows ? values : values[..rows];
}
