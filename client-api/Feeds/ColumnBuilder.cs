using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>One column while rows are added.</summary>
internal struct ColumnBuilder(ColumnKind kind, int capacity)
{
    private string?[]? _texts = kind == ColumnKind.Text ? new string?[capacity] : null;
    private double[]? _numbers = kind == ColumnKind.Number ? new double[capacity] : null;
    private long[]? _integers = kind == ColumnKind.Integer ? new long[capacity] : null;
    private byte[]? _booleans = kind == ColumnKind.Boolean ? new byte[capacity] : null;

    public readonly void SetNull(int row)
    {
        switch (kind)
        {
            case ColumnKind.Text: _texts![row] = null; break;
            case ColumnKind.Number: _numbers![row] = double.NaN; break;
            case ColumnKind.Integer: _integers![row] = Column.NullInteger; break;
            default: _booleans![row] = Column.NullBoolean; break;
        }
    }

    public readonly void Set(int row, in FieldValue value)
    {
        switch (kind)
        {
            case ColumnKind.Text: _texts![row] = value.Text; break;
            case ColumnKind.Number: _numbers![row] = value.Number; break;
            case ColumnKind.Integer: _integers![row] = value.Integer; break;
            default: _booleans![row] = (byte)value.Integer; break;
        }
    }

    public readonly bool IsNull(int row) => kind switch
    {
        ColumnKind.Text => _texts![row] is null,
        ColumnKind.Number => double.IsNaN(_numbers![row]),
        ColumnKind.Integer => _integers![row] == Column.NullInteger,
        _ => _booleans![row] == Column.NullBoolean,
    };

    public readonly string? Text(int row) => _texts![row];

    public readonly double Number(int row) => _numbers![row];

    public readonly long Integer(int row) => _integers![row];

    public void Resize(int capacity)
    {
        switch (kind)
        {
            case ColumnKind.Text: Array.Resize(ref _texts, capacity); break;
            case ColumnKind.Number: Array.Resize(ref _numbers, capacity); break;
            case ColumnKind.Integer: Array.Resize(ref _integers, capacity); break;
            default: Array.Resize(ref _booleans, capacity); break;
        }
    }

    /// <summary>The column over the builder's own array.</summary>
    public readonly Column View() => new() { Kind = kind, Texts = _texts, Numbers = _numbers, Integers = _integers, Booleans = _booleans };
}
