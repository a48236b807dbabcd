using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Tables for statements, and what statements made of them.</summary>
internal static class SqlTables
{
    /// <summary>Enough for small tables on a busy machine.</summary>
    public static SqlLimits Limits { get; } = new(Memory: 256L << 20, Disk: 1L << 30, Time: TimeSpan.FromSeconds(60), Rows: 10_000_000);

    public static TableColumn[] EveryType { get; } =
    [
        new("s", FieldType.String), new("n", FieldType.Number), new("i", FieldType.Integer), new("b", FieldType.Boolean),
        new("d", FieldType.Date), new("t", FieldType.Time), new("dt", FieldType.DateTime),
    ];

    public static SqlInput Input(string name, TableColumn[] columns, params Column[] values) =>
        new(name, columns, Batches(new() { Count = values[0].Length, Columns = values }));

    /// <summary>Integers <c>id</c> from 0, texts <c>area</c> (1000 different), numbers <c>value</c>.</summary>
    public static SqlInput Many(string name, int count) => new(
        name, [new("id", FieldType.Integer), new("area", FieldType.String), new("value", FieldType.Number)], ManyRows(count));

    /// <summary>Runs one statement and gives the columns and batches of its result.</summary>
    public static async Task<(TableColumn[] Columns, List<RowBlock> Batches)> RunAsync(
        this ISqlEngine engine, SqlInput[] inputs, string sql, SqlLimits? limits = null, CancellationToken cancellationToken = default)
    {
        TableColumn[] columns = [];
        var batches = new List<RowBlock>();
        await engine.RunAsync(
            inputs, [sql], limits ?? Limits,
            (_, opened) =>
            {
                columns = opened;
                return Task.CompletedTask;
            },
            (_, batch) =>
            {
                batches.Add(batch);
                return Task.CompletedTask;
            }, cancellationToken);
        return (columns, batches);
    }

    /// <summary>The values of a result, row by row; null where there is none.</summary>
    public static object?[][] Values(this List<RowBlock> batches) =>
        [.. batches.SelectMany(batch => Enumerable.Range(0, batch.Count).Select(row => batch.Columns.Select(column => Value(column, row)).ToArray()))];

    private static object? Value(Column column, int row) => column.IsNull(row) ? null : column.Kind switch
    {
        ColumnKind.Text => column.Texts![row],
        ColumnKind.Number => column.Numbers![row],
        ColumnKind.Integer => column.Integers![row],
        _ => column.Booleans![row] == 1,
    };

    private static async IAsyncEnumerable<RowBlock> Batches(RowBlock rows)
    {
        await Task.Yield();
        yield return rows;
    }

    private static async IAsyncEnumerable<RowBlock> ManyRows(int count)
    {
        for (var from = 0; from < count; from += TableCodec.BatchRows)
        {
            await Task.Yield();
            var ids = Enumerable.Range(from, Math.Min(TableCodec.BatchRows, count - from)).ToArray();
            yield return new()
            {
                Count = ids.Length,
                Columns =
                [
                    Column.OfIntegers(Array.ConvertAll(ids, id => (long)id)),
                    Column.OfTexts(Array.ConvertAll(ids, id => (string?)$"area-{id % 1000:000}")),
                    Column.OfNumbers(Array.ConvertAll(ids, id => id / 7.0)),
                ],
            };
        }
    }
}
