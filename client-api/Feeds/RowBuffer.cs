using System.Buffers;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// Rows while they are read, in borrowed arrays; the columns are made of them at the end, as long as they have to be. What
/// is not given back, as after an exception, is collected. For one push and one thread.
/// </summary>
/// <param name="expectedRows">A guess.</param>
internal sealed class RowBuffer(RowLayout layout, int expectedRows)
{
    // By the areas' numbers, one more than the place in the block, and after as many the numbers by their places. Nothing but zeros between pushes.
    [ThreadStatic] private static int[]? t_places;

    private long[] _values = [];
    private string?[] _texts = [];
    private int _value;
    private int _text;
    private RowBlock? _single;

    /// <summary>How many are kept; the one that is being read comes after them.</summary>
    public int Count { get; private set; }

    /// <summary>Begins a row without values, in place of one that was not kept.</summary>
    public void Begin()
    {
        if (_value + layout.Empty.Length > _values.Length || _text + layout.Texts > _texts.Length) Grow();
        layout.Empty.CopyTo(_values.AsSpan(_value));
        _texts.AsSpan(_text, layout.Texts).Clear();
    }

    /// <summary>Keeps the row.</summary>
    /// <param name="number">In the push.</param>
    /// <param name="area">Number of its area; −1: none.</param>
    public void Keep(int number, int area, bool delete)
    {
        _values[_value + RowLayout.Number] = number;
        _values[_value + RowLayout.Area] = area;
        _values[_value + RowLayout.Delete] = delete ? 1 : 0;
        _value += layout.Empty.Length;
        _text += layout.Texts;
        Count++;
    }

    public void SetNull(int ordinal)
    {
        var (kind, at) = layout.Fields[ordinal];
        if (kind == ColumnKind.Text) _texts[_text + at] = null;
        else _values[_value + at] = layout.Empty[at];
    }

    public void Set(int ordinal, in FieldValue value)
    {
        var (kind, at) = layout.Fields[ordinal];
        if (kind == ColumnKind.Text) _texts[_text + at] = value.Text;
        else _values[_value + at] = kind == ColumnKind.Number ? BitConverter.DoubleToInt64Bits(value.Number) : value.Integer;
    }

    public bool IsNull(int ordinal)
    {
        var (kind, at) = layout.Fields[ordinal];
        return kind switch
        {
            ColumnKind.Text => _texts[_text + at] is null,
            ColumnKind.Number => double.IsNaN(BitConverter.Int64BitsToDouble(_values[_value + at])),
            _ => _values[_value + at] == layout.Empty[at],
        };
    }

    public string? Text(int ordinal) => _texts[_text + layout.Fields[ordinal].At];

    public double Number(int ordinal) => BitConverter.Int64BitsToDouble(_values[_value + layout.Fields[ordinal].At]);

    public long Integer(int ordinal) => _values[_value + layout.Fields[ordinal].At];

    /// <summary>The row that is being read as a block of its own, for what reads blocks; good until it is asked for again.</summary>
    public RowBlock Single()
    {
        _single ??= new() { Count = 1, Columns = [.. layout.Fields.Select(field => NewColumn(field.Kind, 1))] };
        for (var c = 0; c < layout.Fields.Length; c++) Copy(_single.Columns[c], layout.Fields[c].At, _value, _text);
        return _single;
    }

    /// <summary>The rows that were kept as a block, and the arrays given back.</summary>
    /// <param name="areas">What the numbers of areas mean; null: rows have none.</param>
    /// <param name="numbered">Whether the rows' numbers are not 1, 2, 3, ….</param>
    /// <param name="deletes">Whether any row retracts its key.</param>
    public RowBlock Finish(IRowAreas? areas, bool numbered, bool deletes)
    {
        var columns = new Column[layout.Fields.Length];
        for (var c = 0; c < columns.Length; c++)
        {
            var (kind, at) = layout.Fields[c];
            Copy(columns[c] = NewColumn(kind, Count), at, 0, 0);
        }

        string[] ids = [];
        var areaOf = areas is null ? null : AreaOf(areas, out ids);
        var numbers = numbered ? GC.AllocateUninitializedArray<int>(Count) : null;
        for (var row = 0; row < numbers?.Length; row++) numbers[row] = (int)Value(row, RowLayout.Number);
        var deleted = deletes ? new bool[Count] : null;
        for (var row = 0; row < deleted?.Length; row++) deleted[row] = Value(row, RowLayout.Delete) != 0;
        Return();
        return new() { Count = Count, Columns = columns, Areas = ids, AreaOf = areaOf, Numbers = numbers, Deletes = deleted };
    }

    private int[] AreaOf(IRowAreas areas, out string[] ids)
    {
        // Taken, so that it is never found with something in it.
        var scratch = t_places?.Length >= 2 * areas.Count ? t_places : new int[2 * areas.Count];
        t_places = null;
        var placeOf = scratch.AsSpan(0, areas.Count);
        var numberAt = scratch.AsSpan(areas.Count, areas.Count);
        var areaOf = GC.AllocateUninitializedArray<int>(Count);
        var places = 0;
        for (var row = 0; row < areaOf.Length; row++)
        {
            var number = (int)Value(row, RowLayout.Area);
            if (number >= 0 && placeOf[number] == 0)
            {
                numberAt[places] = number;
                placeOf[number] = ++places;
            }

            areaOf[row] = number < 0 ? -1 : placeOf[number] - 1;
        }

        ids = new string[places];
        for (var place = 0; place < places; place++)
        {
            ids[place] = areas.Id(numberAt[place]);
            placeOf[numberAt[place]] = 0;
        }

        numberAt[..places].Clear();
        t_places = scratch;
        return areaOf;
    }

    private long Value(int row, int at) => _values[(row * layout.Empty.Length) + at];

    /// <summary>An array whose elements mean nothing yet.</summary>
    private static Column NewColumn(ColumnKind kind, int length) => kind switch
    {
        ColumnKind.Text => Column.OfTexts(new string?[length]),
        ColumnKind.Number => Column.OfNumbers(GC.AllocateUninitializedArray<double>(length)),
        ColumnKind.Integer => Column.OfIntegers(GC.AllocateUninitializedArray<long>(length)),
        _ => Column.OfBooleans(GC.AllocateUninitializedArray<byte>(length)),
    };

    /// <param name="at">The field's place in its array.</param>
    /// <param name="value">Where the first row begins.</param>
    /// <param name="text">The same among the texts.</param>
    private void Copy(Column column, int at, int value, int text)
    {
        var (values, texts) = (_values, _texts);
        switch (column.Kind)
        {
            case ColumnKind.Text:
                var into = column.Texts!;
                for (var (row, from) = (0, text + at); row < into.Length; row++, from += layout.Texts) into[row] = texts[from];
                break;
            case ColumnKind.Number:
                var numbers = column.Numbers!;
                for (var (row, from) = (0, value + at); row < numbers.Length; row++, from += layout.Empty.Length) numbers[row] = BitConverter.Int64BitsToDouble(values[from]);
                break;
            case ColumnKind.Integer:
                var integers = column.Integers!;
                for (var (row, from) = (0, value + at); row < integers.Length; row++, from += layout.Empty.Length) integers[row] = values[from];
                break;
            default:
                var booleans = column.Booleans!;
                for (var (row, from) = (0, value + at); row < booleans.Length; row++, from += layout.Empty.Length) booleans[row] = (byte)values[from];
                break;
        }
    }

    private void Grow()
    {
        var rows = Math.Max(expectedRows, 2 * Count);
        var (values, texts) = (ArrayPool<long>.Shared.Rent(rows * layout.Empty.Length), ArrayPool<string?>.Shared.Rent(rows * layout.Texts));
        _values.AsSpan(0, _value).CopyTo(values);
        _texts.AsSpan(0, _text).CopyTo(texts);
        Return();
        (_values, _texts) = (values, texts);
    }

    private void Return()
    {
        if (_values.Length == 0) return;
        ArrayPool<long>.Shared.Return(_values);
        // Nobody is to keep the texts alive; those of a row that did not pass stand behind the last.
        _texts.AsSpan(0, Math.Min(_texts.Length, _text + layout.Texts)).Clear();
        ArrayPool<string?>.Shared.Return(_texts);
        (_values, _texts) = ([], []);
    }
}
