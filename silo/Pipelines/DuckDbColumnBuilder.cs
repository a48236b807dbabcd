using DataHub.Catalog;
using DataHub.Feeds;

using DuckDB.NET.Data;

namespace DataHub.Pipelines;

/// <summary>Values of one column of a result, one after the other.</summary>
internal sealed class DuckDbColumnBuilder
{
    private readonly DuckDbColumn _column;
    private readonly string?[]? _texts;
    private readonly double[]? _numbers;
    private readonly long[]? _integers;
    private readonly byte[]? _booleans;
    private int _count;

    public DuckDbColumnBuilder(DuckDbColumn column, int capacity)
    {
        _column = column;
        switch (column.Type)
        {
            case FieldType.String: _texts = new string?[capacity]; break;
            case FieldType.Number: _numbers = new double[capacity]; break;
            case FieldType.Boolean: _booleans = new byte[capacity]; break;
            default: _integers = new long[capacity]; break;
        }
    }

    /// <exception cref="SqlRefusedException">The value does not fit the column's type.</exception>
    public void Add(DuckDBDataReader reader, int ordinal)
    {
        var isNull = reader.IsDBNull(ordinal);
        if (_texts is not null) _texts[_count++] = isNull ? null : reader.GetString(ordinal);
        else if (_numbers is not null) _numbers[_count++] = isNull ? double.NaN : Finite(reader.GetDouble(ordinal));
        else if (_booleans is not null) _booleans[_count++] = isNull ? Column.NullBoolean : reader.GetBoolean(ordinal) ? (byte)1 : (byte)0;
        else _integers![_count++] = isNull ? Column.NullInteger : Integer(reader.GetInt64(ordinal));
    }

    public Column ToColumn()
    {
        if (_texts is not null) return Column.OfTexts(_texts[.._count]);
        if (_numbers is not null) return Column.OfNumbers(_numbers[.._count]);
        return _booleans is not null ? Column.OfBooleans(_booleans[.._count]) : Column.OfIntegers(_integers![.._count]);
    }

    private double Finite(double value) => double.IsFinite(value) ? value : throw SqlProblems.Infinite(_column.Name);

    /// <summary>The smallest 64-bit integer means null in columns, so it is as far outside as what is smaller.</summary>
    private long Integer(long value) => _column.Type == FieldType.Integer
        ? value != Column.NullInteger ? value : throw SqlProblems.TooLarge(_column.Name)
        : DuckDbTables.Ticks(_column.Type, value) ?? throw SqlProblems.OutsideCalendar(_column.Name);
}
