using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>A row that stood otherwise at one moment than at another.</summary>
/// <param name="before">What stood at the earlier moment; null where nothing did.</param>
/// <param name="after">What stood at the later moment; null where nothing did.</param>
internal sealed class ChangedRow(byte[] key, int partition, HistoryVersion? before, HistoryVersion? after)
{
    public long Time { get; } = (after ?? before)!.Row.Time;

    public byte[] Key => key;

    public int Partition => partition;

    public HistoryVersion? Before => before;

    public HistoryVersion? After => after;
}

/// <summary>A row in a cell that it moved. By place, time, key.</summary>
internal sealed record MovedRow(CellRollUp.Place Place, ChangedRow Row) : IComparable<MovedRow>
{
    public int CompareTo(MovedRow? other)
    {
        if (other is null) return 1;
        var order = Place.CompareTo(other.Place);
        if (order == 0) order = Row.Time.CompareTo(other.Row.Time);
        return order != 0 ? order : ByteKeyComparer.Instance.Compare(Row.Key, other.Row.Key);
    }

    public bool IsAfter(DiffCursor cursor)
    {
        var order = Place.CompareTo(new(cursor.Cell.From.UtcTicks, cursor.Cell.Area, cursor.Cell.Dimensions));
        if (order == 0) order = Row.Time.CompareTo(cursor.Row.Time);
        return order > 0 || (order == 0 && ByteKeyComparer.Instance.Compare(Row.Key, cursor.Row.Key) > 0);
    }
}
