using System.Globalization;

using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Rows in the order of their keys: texts by code unit, integers by value, null last.</summary>
internal static class KeyOrder
{
    /// <summary>Row numbers so that the keys ascend; equal keys stay in the order of their rows.</summary>
    public static int[] Of(int count, params Column[] keys)
    {
        var rows = new int[count];
        for (var i = 0; i < count; i++) rows[i] = i;
        Array.Sort(rows, (a, b) => Compare(keys, a, b) is var order && order != 0 ? order : a.CompareTo(b));
        return rows;
    }

    public static int Compare(ReadOnlySpan<Column> keys, int a, int b)
    {
        foreach (var key in keys)
        {
            if (Compare(key, a, key, b) is var order && order != 0) return order;
        }

        return 0;
    }

    /// <summary>Two columns of the same kind, text or integer.</summary>
    public static int Compare(Column left, int a, Column right, int b)
    {
        if (left.IsNull(a) || right.IsNull(b)) return left.IsNull(a).CompareTo(right.IsNull(b));
        return left.Kind == ColumnKind.Text ? string.CompareOrdinal(left.Texts![a], right.Texts![b]) : left.Integers![a].CompareTo(right.Integers![b]);
    }

    public static string Text(Column key, int row) => key.Kind == ColumnKind.Text ? key.Texts![row] ?? "" : key.Integers![row].ToString(CultureInfo.InvariantCulture);
}
