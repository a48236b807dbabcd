namespace DataHub.Feeds;

/// <summary>
/// Many rows of one dataset in columns, checked against one version of its contract, each with the area it was
/// resolved to. Immutable once handed on. Between processes it travels packed (<see cref="PackedRows"/>).
/// </summary>
public sealed class RowBlock
{
    public required int Count { get; init; }

    /// <summary>By the field's ordinal in the contract.</summary>
    public required Column[] Columns { get; init; }

    /// <summary>Ids of the areas that occur in the block.</summary>
    public string[] Areas { get; init; } = [];

    /// <summary>Per row an index into <see cref="Areas"/>, or −1. Null: no row has an area.</summary>
    public int[]? AreaOf { get; init; }

    /// <summary>Per row its number in the push, counted from 1; a CSV header is not a row. Null: 1, 2, 3, ….</summary>
    public int[]? Numbers { get; init; }

    /// <summary>Per row whether it retracts its key (<c>@delete</c>). Null: none does.</summary>
    public bool[]? Deletes { get; init; }

    public static RowBlock Empty { get; } = new() { Count = 0, Columns = [] };

    public string? AreaId(int row) => AreaOf is null || AreaOf[row] < 0 ? null : Areas[AreaOf[row]];

    public int Number(int row) => Numbers is null ? row + 1 : Numbers[row];

    public bool IsDelete(int row) => Deletes is not null && Deletes[row];

    /// <summary>The chosen rows, in the order given. Areas are shared with this block.</summary>
    public RowBlock Take(ReadOnlySpan<int> rows)
    {
        var columns = new Column[Columns.Length];
        for (var c = 0; c < columns.Length; c++) columns[c] = Columns[c].Take(rows);
        var numbers = new int[rows.Length];
        var areaOf = AreaOf is null ? null : new int[rows.Length];
        var deletes = Deletes is null ? null : new bool[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            numbers[i] = Number(rows[i]);
            if (areaOf is not null) areaOf[i] = AreaOf![rows[i]];
            if (deletes is not null) deletes[i] = Deletes![rows[i]];
        }

        return new() { Count = rows.Length, Columns = columns, Areas = Areas, AreaOf = areaOf, Numbers = numbers, Deletes = deletes };
    }
}
