namespace DataHub.Pipelines;

/// <summary>One row of a result: where it stands now and where it stood in the previous edition; −1: nowhere.</summary>
/// <param name="Position">Among this edition's rows by key.</param>
/// <param name="Before">Among the previous edition's rows by key.</param>
internal readonly record struct ResultSlot(int Position, int Before);

/// <summary>Rows of a result in the order of the key.</summary>
internal static class ResultSlots
{
    public static ResultSlot[] Of(SortedRows rows) => [.. Enumerable.Range(0, rows.Order.Length).Select(position => new ResultSlot(position, -1))];

    /// <summary>Both editions side by side: every key of either once.</summary>
    public static ResultSlot[] Of(SortedRows rows, SortedRows before)
    {
        var slots = new List<ResultSlot>(rows.Order.Length);
        for (int i = 0, j = 0; i < rows.Order.Length || j < before.Order.Length;)
        {
            var order = i == rows.Order.Length ? 1 : j == before.Order.Length ? -1 : KeyOrder.Compare(rows.Key, rows.Order[i], before.Key, before.Order[j]);
            slots.Add(new(order <= 0 ? i++ : -1, order >= 0 ? j++ : -1));
        }

        return [.. slots];
    }
}
