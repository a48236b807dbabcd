using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>A table that a recipe reads.</summary>
/// <param name="Columns">As many as each block has, of the same kinds.</param>
/// <param name="Rows">In any order and any cut.</param>
internal sealed record RecipeTable(TableColumn[] Columns, IReadOnlyList<RowBlock> Rows)
{
    public int Count => Rows.Sum(block => block.Count);

    /// <summary>All values of one column, block after block.</summary>
    /// <exception cref="ArgumentException">A block has other columns than the table says.</exception>
    public Column Whole(int ordinal)
    {
        var kind = Columns[ordinal].Kind;
        foreach (var block in Rows)
        {
            if (block.Columns.Length != Columns.Length || block.Columns[ordinal].Kind != kind || block.Columns[ordinal].Length != block.Count)
                throw new ArgumentException($"Column {Columns[ordinal].Name} is of kind {kind}; a block of rows has something else in its place.", nameof(ordinal));
        }

        if (Rows.Count == 1) return Rows[0].Columns[ordinal];
        var parts = Rows.Select(block => block.Columns[ordinal]);
        return kind switch
        {
            ColumnKind.Text => Column.OfTexts([.. parts.SelectMany(part => part.Texts!)]),
            ColumnKind.Number => Column.OfNumbers([.. parts.SelectMany(part => part.Numbers!)]),
            ColumnKind.Integer => Column.OfIntegers([.. parts.SelectMany(part => part.Integers!)]),
            _ => Column.OfBooleans([.. parts.SelectMany(part => part.Booleans!)]),
        };
    }
}
