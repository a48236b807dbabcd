using System.Runtime.InteropServices;

using DataHub.Indicators;

namespace DataHub.Storage.Sqlite;

/// <summary>Cells in <c>cells.db</c>.</summary>
internal sealed class SqliteCellStore(SqliteFile file) : ICellStore
{
    /// <summary>Expected position of a definition that does not exist yet.</summary>
    private const long Absent = -1;

    /// <summary>Rows that one transaction of a drop takes away.</summary>
    private const int DropStepRows = 2_000;

    public SqliteFile File => file;

    private const string SelectPositions =
        """
        SELECT indicator, version, sequence, last_window, accepted, received_at, fill_as_of, fill_rows, fill_time, fill_key FROM fold_position
        WHERE partition_key = ?1 ORDER BY indicator, version
        """;

    public Task<IReadOnlyList<DefinitionPosition>> PositionsAsync(string partition, CancellationToken cancellationToken) => file.LookUpAsync<IReadOnlyList<DefinitionPosition>>(
        session =>
        {
            var positions = new List<DefinitionPosition>();
            var statement = session.Statement(SelectPositions).Bind(1, partition);
            while (statement.Step())
            {
                positions.Add(new(
                    statement.Text(0), statement.Int32(1), statement.Int64(2), statement.Int64(3), statement.Int64(4), new DateTimeOffset(statement.Int64(5), TimeSpan.Zero))
                {
                    Fill = statement.IsNull(6) ? null : new(statement.Int64(6), statement.Int64(7), statement.IsNull(8) ? null : new(statement.Int64(8), statement.Blob(9))),
                });
            }

            return positions;
        },
        cancellationToken);

    public Task<bool> FlushAsync(string partition, IReadOnlyList<DefinitionMove> moves, IReadOnlyList<StoredCell> cells, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(moves);
        ArgumentNullException.ThrowIfNull(cells);
        return file.WriteAsync(session => Flush(session, partition, moves, cells), cancellationToken);
    }

    private const string Move =
        """
        INSERT INTO fold_position (id, partition_key, indicator, version, sequence, last_window, accepted, received_at, fill_as_of, fill_rows, fill_time, fill_key)
        VALUES (1 + max(ifnull((SELECT max(id) FROM fold_position), 0), ifnull((SELECT max(fold_id) FROM dropped_fold), 0)), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (partition_key, indicator, version) DO UPDATE SET
          sequence = excluded.sequence, last_window = excluded.last_window, accepted = excluded.accepted, received_at = excluded.received_at,
          fill_as_of = excluded.fill_as_of, fill_rows = excluded.fill_rows, fill_time = excluded.fill_time, fill_key = excluded.fill_key
        RETURNING id
        """;

    private const string PutCell =
        """
        INSERT INTO cell (fold_id, window_from, area, dimensions, sequence, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (fold_id, window_from, area, dimensions) DO UPDATE SET sequence = excluded.sequence, state = excluded.state
        """;

    private const string TouchWindow =
        """
        INSERT INTO window_change (fold_id, window_from, sequence) VALUES (?1, ?2, ?3)
        ON CONFLICT (fold_id, window_from) DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence
        """;

    private static bool Flush(SqliteSession session, string partition, IReadOnlyList<DefinitionMove> moves, IReadOnlyList<StoredCell> cells)
    {
        foreach (var move in moves)
        {
            var found = Find(session, partition, move.Indicator, move.Version);
            if ((found?.Sequence ?? Absent) != move.Expected || found?.FillAsOf != move.ExpectedFill?.AsOf || found?.FillRows != move.ExpectedFill?.Rows) return false;
        }

        var ids = new Dictionary<(string Indicator, int Version), long>(moves.Count);
        foreach (var move in moves)
        {
            var statement = session.Statement(Move).Bind(1, partition).Bind(2, move.Indicator).Bind(3, move.Version)
                .Bind(4, move.Sequence).Bind(5, move.LastWindow).Bind(6, move.Accepted).Bind(7, move.ReceivedAt.UtcTicks)
                .Bind(8, move.Fill?.AsOf).Bind(9, move.Fill?.Rows).Bind(10, move.Fill?.After?.Time).Bind(11, move.Fill?.After?.Key);
            statement.Step();
            ids.Add((move.Indicator, move.Version), statement.Int64(0));
            statement.Run();
        }

        var put = session.Statement(PutCell);
        var touched = new Dictionary<(long Id, long Window), long>();
        foreach (var cell in cells)
        {
            if (!ids.TryGetValue((cell.Indicator, cell.Version), out var id))
            {
                throw new ArgumentException($"Partition {partition}: a cell of {cell.Indicator} version {cell.Version}, which does not move in this flush.", nameof(cells));
            }

            put.Bind(1, id).Bind(2, cell.Window).Bind(3, cell.Area).Bind(4, cell.Dimensions).Bind(5, cell.Sequence).Bind(6, cell.State).Run();
            ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(touched, (id, cell.Window), out _);
            last = Math.Max(last, cell.Sequence);
        }

        var touch = session.Statement(TouchWindow);
        foreach (var ((id, window), sequence) in touched) touch.Bind(1, id).Bind(2, window).Bind(3, sequence).Run();
        return true;
    }

    private const string SelectCells =
        """
        SELECT window_from, area, dimensions, sequence, state FROM cell
        WHERE fold_id = ?1 AND window_from >= ?2 AND window_from < ?3
        ORDER BY window_from, area, dimensions LIMIT ?4
        """;

    public Task<IReadOnlyList<StoredCell>> ReadAsync(string partition, string indicator, int version, long from, long to, int limit, CancellationToken cancellationToken) =>
        file.ScanAsync<IReadOnlyList<StoredCell>>(
            session =>
            {
                var cells = new List<StoredCell>();
                if (Find(session, partition, indicator, version) is not { } found) return cells;
                var statement = session.Statement(SelectCells).Bind(1, found.Id).Bind(2, from).Bind(3, to).Bind(4, limit);
                var (area, dimensions) = ("", "");
                while (statement.Step())
                {
                    area = Same(statement.Text(1), area);
                    dimensions = Same(statement.Text(2), dimensions);
                    cells.Add(new(indicator, version, statement.Int64(0), area, dimensions, statement.Int64(3), statement.Blob(4)));
                }

                return cells;
            },
            cancellationToken);

    private const string SelectTouchedWindows =
        "SELECT window_from FROM window_change INDEXED BY window_change_by_sequence WHERE fold_id = ?1 AND sequence > ?2 AND window_from >= ?3 AND window_from < ?4 LIMIT ?5";

    public Task<IReadOnlyList<long>> TouchedWindowsAsync(string partition, string indicator, int version, long after, long from, long to, int limit, CancellationToken cancellationToken) =>
        file.ScanAsync<IReadOnlyList<long>>(
            session =>
            {
                var windows = new List<long>();
                if (Find(session, partition, indicator, version) is not { } found) return windows;
                var statement = session.Statement(SelectTouchedWindows).Bind(1, found.Id).Bind(2, after).Bind(3, from).Bind(4, to).Bind(5, limit);
                while (statement.Step()) windows.Add(statement.Int64(0));
                return windows;
            },
            cancellationToken);

    private const string CountCells =
        "SELECT count(*) FROM (SELECT 1 FROM cell WHERE fold_id = ?1 AND window_from >= ?2 AND window_from < ?3 LIMIT ?4)";

    public Task<int> CountAsync(string partition, string indicator, int version, long from, long to, int limit, CancellationToken cancellationToken) => file.ScanAsync(
        session =>
        {
            if (Find(session, partition, indicator, version) is not { } found) return 0;
            var statement = session.Statement(CountCells).Bind(1, found.Id).Bind(2, from).Bind(3, to).Bind(4, limit);
            statement.Step();
            var count = statement.Int32(0);
            statement.Reset();
            return count;
        },
        cancellationToken);

    private const string DropPosition = "DELETE FROM fold_position WHERE id = ?1";

    private const string BeginDrop = "INSERT INTO dropped_fold (fold_id, partition_key) VALUES (?1, ?2)";

    private const string SelectDropped = "SELECT fold_id FROM dropped_fold WHERE partition_key = ?1 LIMIT 1";

    private const string DropCells =
        """
        DELETE FROM cell WHERE (fold_id, window_from, area, dimensions) IN
          (SELECT fold_id, window_from, area, dimensions FROM cell WHERE fold_id = ?1 LIMIT ?2)
        """;

    private const string DropWindowChanges =
        "DELETE FROM window_change WHERE (fold_id, window_from) IN (SELECT fold_id, window_from FROM window_change WHERE fold_id = ?1 LIMIT ?2)";

    private const string EndDrop = "DELETE FROM dropped_fold WHERE fold_id = ?1";

    public async Task DropAsync(string partition, string indicator, int version, CancellationToken cancellationToken)
    {
        // Forgotten at once and for good; what nobody finds any more then goes in steps.
        await file.WriteAsync(
            session =>
            {
                if (Find(session, partition, indicator, version) is not { } found) return false;
                session.Statement(BeginDrop).Bind(1, found.Id).Bind(2, partition).Run();
                session.Statement(DropPosition).Bind(1, found.Id).Run();
                return true;
            },
            cancellationToken);
        await FinishDropsAsync(partition, cancellationToken);
    }

    public async Task FinishDropsAsync(string partition, CancellationToken cancellationToken)
    {
        // Most partitions have nothing to drop, and to know that no transaction is needed.
        if (await file.LookUpAsync(session => Dropped(session, partition) is null, cancellationToken)) return;
        while (await file.WriteAsync(session => DropStep(session, partition), cancellationToken))
        {
        }
    }

    /// <returns>Whether there may be more to drop.</returns>
    private static bool DropStep(SqliteSession session, string partition)
    {
        if (Dropped(session, partition) is not { } id) return false;
        if (session.Statement(DropCells).Bind(1, id).Bind(2, DropStepRows).Run() > 0) return true;
        if (session.Statement(DropWindowChanges).Bind(1, id).Bind(2, DropStepRows).Run() > 0) return true;
        session.Statement(EndDrop).Bind(1, id).Run();
        return true;
    }

    private static long? Dropped(SqliteSession session, string partition)
    {
        var statement = session.Statement(SelectDropped).Bind(1, partition);
        if (!statement.Step()) return null;
        var id = statement.Int64(0);
        statement.Reset();
        return id;
    }

    private const string SelectPosition = "SELECT id, sequence, fill_as_of, fill_rows FROM fold_position WHERE partition_key = ?1 AND indicator = ?2 AND version = ?3";

    private static (long Id, long Sequence, long? FillAsOf, long? FillRows)? Find(SqliteSession session, string partition, string indicator, int version)
    {
        var statement = session.Statement(SelectPosition).Bind(1, partition).Bind(2, indicator).Bind(3, version);
        if (!statement.Step()) return null;
        var found = (statement.Int64(0), statement.Int64(1), statement.IsNull(2) ? (long?)null : statement.Int64(2), statement.IsNull(3) ? (long?)null : statement.Int64(3));
        statement.Reset();
        return found;
    }

    /// <summary>Neighbours often repeat a text; one string does for all of them.</summary>
    private static string Same(string text, string last) => text == last ? last : text;
}
