using System.Runtime.InteropServices;

using DataHub.Indicators;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>Cells in PostgreSQL. A flush is one round trip and one commit.</summary>
internal sealed class PostgresCellStore(PostgresDatabase database) : ICellStore
{
    /// <summary>Rows that one transaction of a drop takes away.</summary>
    private const long DropStepRows = 2_000;

    private const string SelectPositions =
        """
        SELECT indicator, version, sequence, last_window, accepted, received_at, fill_as_of, fill_rows, fill_time, fill_key FROM fold_position
        WHERE partition_key = $1 ORDER BY indicator, version
        """;

    public async Task<IReadOnlyList<DefinitionPosition>> PositionsAsync(string partition, CancellationToken cancellationToken) => await database.ReadAsync(
        new PostgresStatement(SelectPositions).Bind(partition),
        static row => new DefinitionPosition(row.GetString(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), new DateTimeOffset(row.GetInt64(5), TimeSpan.Zero))
        {
            Fill = row.IsDBNull(6) ? null : new(row.GetInt64(6), row.GetInt64(7), row.IsDBNull(8) ? null : new(row.GetInt64(8), row.Blob(9))),
        },
        cancellationToken);

    /// <summary>A definition that is there moves from where it is expected; one that is not is made where none is expected (−1).</summary>
    private const string Move =
        """
        WITH move AS (
          SELECT * FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bigint[], $14::bigint[])
            AS m (indicator, version, expected, sequence, last_window, accepted, received_at, fill_as_of, fill_rows, fill_time, fill_key, expected_as_of, expected_rows)),
        moved AS (
          UPDATE fold_position p SET sequence = m.sequence, last_window = m.last_window, accepted = m.accepted, received_at = m.received_at,
            fill_as_of = m.fill_as_of, fill_rows = m.fill_rows, fill_time = m.fill_time, fill_key = m.fill_key
          FROM move m
          WHERE p.partition_key = $1 AND p.indicator = m.indicator AND p.version = m.version AND p.sequence = m.expected
            AND p.fill_as_of IS NOT DISTINCT FROM m.expected_as_of AND p.fill_rows IS NOT DISTINCT FROM m.expected_rows
          RETURNING 1),
        made AS (
          INSERT INTO fold_position (partition_key, indicator, version, sequence, last_window, accepted, received_at, fill_as_of, fill_rows, fill_time, fill_key)
          SELECT $1, indicator, version, sequence, last_window, accepted, received_at, fill_as_of, fill_rows, fill_time, fill_key FROM move
          WHERE expected = -1 AND expected_as_of IS NULL AND expected_rows IS NULL
          ON CONFLICT (partition_key, indicator, version) DO NOTHING
          RETURNING 1)
        SELECT require((SELECT count(*) FROM moved) + (SELECT count(*) FROM made) = cardinality($2::text[]), 'DH001')
        """;

    private const string PutCells =
        """
        INSERT INTO cell (fold_id, window_from, area, dimensions, sequence, state, value, row_count)
        SELECT p.id, c.window_from, c.area, c.dimensions, c.sequence, c.state, c.value, c.row_count
        FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bytea[], $9::float8[], $10::bigint[])
          AS c (indicator, version, window_from, area, dimensions, sequence, state, value, row_count)
        JOIN fold_position p ON p.partition_key = $1 AND p.indicator = c.indicator AND p.version = c.version
        ON CONFLICT (fold_id, window_from, area, dimensions) DO UPDATE SET
          sequence = excluded.sequence, state = excluded.state, value = excluded.value, row_count = excluded.row_count
        """;

    private const string TouchWindows =
        """
        INSERT INTO window_change AS w (fold_id, window_from, sequence)
        SELECT p.id, c.window_from, c.sequence
        FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS c (indicator, version, window_from, sequence)
        JOIN fold_position p ON p.partition_key = $1 AND p.indicator = c.indicator AND p.version = c.version
        ON CONFLICT (fold_id, window_from) DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > w.sequence
        """;

    public Task<bool> FlushAsync(string partition, IReadOnlyList<DefinitionMove> moves, IReadOnlyList<StoredCell> cells, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(moves);
        ArgumentNullException.ThrowIfNull(cells);
        var moving = moves.Select(move => (move.Indicator, move.Version)).ToHashSet();
        var touched = new Dictionary<(string Indicator, int Version, long Window), long>();
        foreach (var cell in cells)
        {
            if (!moving.Contains((cell.Indicator, cell.Version)))
            {
                throw new ArgumentException($"Partition {partition}: a cell of {cell.Indicator} version {cell.Version}, which does not move in this flush.", nameof(cells));
            }

            ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(touched, (cell.Indicator, cell.Version, cell.Window), out _);
            last = Math.Max(last, cell.Sequence);
        }

        var statements = new List<PostgresStatement>(3)
        {
            new PostgresStatement(Move).Bind(partition)
                .Bind(Array(moves, m => m.Indicator)).Bind(Array(moves, m => m.Version)).Bind(Array(moves, m => m.Expected)).Bind(Array(moves, m => m.Sequence))
                .Bind(Array(moves, m => m.LastWindow)).Bind(Array(moves, m => m.Accepted)).Bind(Array(moves, m => m.ReceivedAt.UtcTicks))
                .Bind(Array(moves, m => m.Fill?.AsOf)).Bind(Array(moves, m => m.Fill?.Rows)).Bind(Array(moves, m => m.Fill?.After?.Time)).Bind(Array(moves, m => m.Fill?.After?.Key))
                .Bind(Array(moves, m => m.ExpectedFill?.AsOf)).Bind(Array(moves, m => m.ExpectedFill?.Rows)),
        };
        if (cells.Count > 0)
        {
            statements.Add(new PostgresStatement(PutCells).Bind(partition)
                .Bind(Array(cells, c => c.Indicator)).Bind(Array(cells, c => c.Version)).Bind(Array(cells, c => c.Window)).Bind(Array(cells, c => c.Area))
                .Bind(Array(cells, c => c.Dimensions)).Bind(Array(cells, c => c.Sequence)).Bind(Array(cells, c => c.State))
                .Bind(Array(cells, c => c.Value)).Bind(Array(cells, c => c.Rows)));
            KeyValuePair<(string Indicator, int Version, long Window), long>[] windows = [.. touched];
            statements.Add(new PostgresStatement(TouchWindows).Bind(partition)
                .Bind(Array(windows, w => w.Key.Indicator)).Bind(Array(windows, w => w.Key.Version)).Bind(Array(windows, w => w.Key.Window)).Bind(Array(windows, w => w.Value)));
        }

        return database.WriteAsync(statements, cancellationToken);
    }

    private const string SelectCells =
        """
        SELECT window_from, area, dimensions, sequence, state FROM cell
        WHERE fold_id = (SELECT id FROM fold_position WHERE partition_key = $1 AND indicator = $2 AND version = $3) AND window_from >= $4 AND window_from < $5
        ORDER BY window_from, area, dimensions LIMIT $6
        """;

    public async Task<IReadOnlyList<StoredCell>> ReadAsync(string partition, string indicator, int version, long from, long to, int limit, CancellationToken cancellationToken)
    {
        var (area, dimensions) = ("", "");
        return await database.ReadAsync(
            Of(SelectCells, partition, indicator, version).Bind(from).Bind(to).Bind((long)limit),
            row =>
            {
                area = Same(row.GetString(1), area);
                dimensions = Same(row.GetString(2), dimensions);
                return new StoredCell(indicator, version, row.GetInt64(0), area, dimensions, row.GetInt64(3), row.Blob(4));
            },
            cancellationToken);
    }

    private const string SelectTouchedWindows =
        """
        SELECT window_from FROM window_change
        WHERE fold_id = (SELECT id FROM fold_position WHERE partition_key = $1 AND indicator = $2 AND version = $3) AND sequence > $4 AND window_from >= $5 AND window_from < $6
        LIMIT $7
        """;

    public async Task<IReadOnlyList<long>> TouchedWindowsAsync(string partition, string indicator, int version, long after, long from, long to, int limit, CancellationToken cancellationToken) =>
        await database.ReadAsync(
            Of(SelectTouchedWindows, partition, indicator, version).Bind(after).Bind(from).Bind(to).Bind((long)limit), static row => row.GetInt64(0), cancellationToken);

    private const string CountCells =
        """
        SELECT count(*) FROM (
          SELECT 1 FROM cell
          WHERE fold_id = (SELECT id FROM fold_position WHERE partition_key = $1 AND indicator = $2 AND version = $3) AND window_from >= $4 AND window_from < $5
          LIMIT $6) c
        """;

    public async Task<int> CountAsync(string partition, string indicator, int version, long from, long to, int limit, CancellationToken cancellationToken) =>
        (await database.ReadAsync(Of(CountCells, partition, indicator, version).Bind(from).Bind(to).Bind((long)limit), static row => (int)row.GetInt64(0), cancellationToken))[0];

    private const string Forget =
        """
        WITH gone AS (DELETE FROM fold_position WHERE partition_key = $1 AND indicator = $2 AND version = $3 RETURNING id)
        INSERT INTO dropped_fold (fold_id, partition_key) SELECT id, $1 FROM gone
        """;

    private const string SelectDropped = "SELECT fold_id FROM dropped_fold WHERE partition_key = $1 LIMIT 1";

    private const string DropCells =
        """
        WITH gone AS (DELETE FROM cell WHERE ctid IN (SELECT ctid FROM cell WHERE fold_id = $1 LIMIT $2) AND fold_id = $1 RETURNING 1)
        SELECT count(*) FROM gone
        """;

    private const string DropWindowChanges =
        """
        WITH gone AS (DELETE FROM window_change WHERE ctid IN (SELECT ctid FROM window_change WHERE fold_id = $1 LIMIT $2) AND fold_id = $1 RETURNING 1)
        SELECT count(*) FROM gone
        """;

    private const string EndDrop = "DELETE FROM dropped_fold WHERE fold_id = $1";

    public async Task DropAsync(string partition, string indicator, int version, CancellationToken cancellationToken)
    {
        // Forgotten at once and for good; what nobody finds any more then goes in steps.
        await database.WriteAsync([Of(Forget, partition, indicator, version)], cancellationToken);
        await FinishDropsAsync(partition, cancellationToken);
    }

    public async Task FinishDropsAsync(string partition, CancellationToken cancellationToken)
    {
        while ((await database.ReadAsync(new PostgresStatement(SelectDropped).Bind(partition), static row => row.GetInt64(0), cancellationToken)) is [var id])
        {
            await DropInStepsAsync(DropCells, id, cancellationToken);
            await DropInStepsAsync(DropWindowChanges, id, cancellationToken);
            await database.WriteAsync([new PostgresStatement(EndDrop).Bind(id)], cancellationToken);
        }
    }

    private async Task DropInStepsAsync(string sql, long id, CancellationToken cancellationToken)
    {
        long gone;
        do
        {
            (_, gone) = await database.WriteAsync([new PostgresStatement(sql).Bind(id).Bind(DropStepRows)], static row => row.GetInt64(0), cancellationToken);
        }
        while (gone > 0);
    }

    private static PostgresStatement Of(string sql, string partition, string indicator, int version) => new PostgresStatement(sql).Bind(partition).Bind(indicator).Bind(version);

    private static TOut[] Array<TIn, TOut>(IReadOnlyList<TIn> items, Func<TIn, TOut> select)
    {
        var values = new TOut[items.Count];
        for (var i = 0; i < values.Length; i++) values[i] = select(items[i]);
        return values;
    }

    /// <summary>Neighbours often repeat a text; one string does for all of them.</summary>
    private static string Same(string text, string last) => text == last ? last : text;
}
