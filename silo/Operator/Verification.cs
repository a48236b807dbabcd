using System.Data;
using System.Globalization;
using System.Runtime.CompilerServices;

using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Storage.Postgres;

using Npgsql;

namespace DataHub.Operator;

/// <summary>
/// Folds the rows of history again, by the fold's own code, and compares with the cells that are stored (design I5, I8);
/// and adds up what was received and what became of it (I2).
/// </summary>
/// <remarks>
/// Cells and where they stand are read from one snapshot; history is read as of that sequence, which never changes. So it
/// works while everything runs. In memory is a stretch of windows with so many cells at a time.
/// </remarks>
internal sealed class Verification(PostgresDatabase database, IHistoryStore history, ILogStore log, StoredDescriptions descriptions, TextWriter output)
{
    /// <summary>Stored cells of a stretch where nobody says otherwise.</summary>
    public const int DefaultStretchCells = 50_000;

    private const int ProgressRows = 1_000_000;

    private const int ToldDifferences = 5;

    /// <summary>How long history is waited for where it is behind the fold; zero where no silo runs, because then it does not move.</summary>
    public TimeSpan Patience { get; init; }

    /// <summary>Stored cells of a stretch; a single window may have more.</summary>
    public int StretchCells { get; init; } = DefaultStretchCells;

    private const string SelectPartitions = "SELECT partition_key FROM partition_head ORDER BY partition_key";

    /// <summary>The partitions by dataset.</summary>
    public async Task<ILookup<string, string>> PartitionsAsync(CancellationToken cancellationToken) =>
        (await database.ReadAsync(new(SelectPartitions), static row => row.GetString(0), cancellationToken)).ToLookup(PartitionKeys.Dataset, StringComparer.Ordinal);

    /// <returns>What is wrong with the dataset, in German and English; empty where nothing is.</returns>
    public async Task<VerifiedDataset> VerifyAsync(string dataset, IReadOnlyCollection<string> partitions, CancellationToken cancellationToken)
    {
        var result = new VerifiedDataset();
        foreach (var partition in partitions)
        {
            foreach (var (indicator, version) in await FoldedAsync(partition, cancellationToken))
            {
                if (!descriptions.Definitions.TryGetValue((indicator, version), out var definition))
                {
                    result.Skipped++; // a version that nobody wants any more, to be dropped
                    continue;
                }

                var before = result.Faults.Count;
                await CheckAsync(partition, definition, result, cancellationToken);
                if (result.Faults.Count == before || Patience == TimeSpan.Zero) continue;

                // While everything runs, an erasure or a fold that began anew may have come between: what is wrong is wrong twice.
                result.Faults.RemoveRange(before, result.Faults.Count - before);
                await CheckAsync(partition, definition, result, cancellationToken);
            }

            await BalanceAsync(partition, result, cancellationToken);
        }

        await FeedsAsync(dataset, result, cancellationToken);
        return result;
    }

    private const string SelectFolded = "SELECT indicator, version FROM fold_position WHERE partition_key = $1 AND indicator <> $2 ORDER BY indicator, version";

    private async Task<List<(string Indicator, int Version)>> FoldedAsync(string partition, CancellationToken cancellationToken) => await database.ReadAsync(
        new PostgresStatement(SelectFolded).Bind(partition).Bind(PartitionFold.Position), static row => (row.GetString(0), row.GetInt32(1)), cancellationToken);

    private const string SelectFold = "SELECT id, sequence, fill_as_of FROM fold_position WHERE partition_key = $1 AND indicator = $2 AND version = $3";

    private async Task CheckAsync(string partition, IndicatorDefinition definition, VerifiedDataset result, CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var snapshot = await SnapshotAsync(connection, cancellationToken);
        var found = await PostgresDatabase.ReadAsync(
            connection, new PostgresStatement(SelectFold).Bind(partition).Bind(definition.Indicator).Bind(definition.Version),
            static row => (Id: row.GetInt64(0), Sequence: row.GetInt64(1), FillAsOf: row.IsDBNull(2) ? 0 : row.GetInt64(2)), cancellationToken);
        var name = $"{partition} {definition.Indicator} v{definition.Version.ToString(CultureInfo.InvariantCulture)}";
        if (found.Count == 0 || found[0].Sequence < found[0].FillAsOf)
        {
            result.Skipped++;
            await output.WriteLineAsync($"  {name}: wird noch gefüllt / is still being filled");
            return;
        }

        var (fold, sequence, _) = found[0];
        if (!await HistoryReachesAsync(partition, sequence, cancellationToken))
        {
            result.Faults.Add(new(
                $"{name}: die Historie steht noch vor {sequence}; mit laufenden Silos holt sie auf, dann noch einmal prüfen.",
                $"{name}: history stands before {sequence}; it catches up while silos run, verify again then."));
            return;
        }

        var (rows, cells, differences) = (0L, 0L, 0L);
        for (var (from, done) = (long.MinValue, false); !done;)
        {
            var to = await EndOfStretchAsync(connection, fold, from, cancellationToken);
            done = to == long.MaxValue;
            var computed = new RowCells(definition);
            var stored = await StoredAsync(connection, fold, from, to, cancellationToken);
            await foreach (var count in FoldAsync(computed, partition, definition, sequence, from, to, stored.Count, cancellationToken))
            {
                if ((rows + count) / ProgressRows > rows / ProgressRows) await output.WriteLineAsync($"  {name}: {rows + count} Zeilen / rows …");
                rows += count;
            }

            cells += stored.Count(cell => cell.Value.Length > 0);
            foreach (var place in Differences(computed, stored))
            {
                if (++differences <= ToldDifferences) result.Faults.Add(new($"{name}: die Zelle {place} ist anders als neu gefaltet.", $"{name}: the cell {place} differs from what is folded again."));
            }

            from = to;
        }

        if (differences > ToldDifferences) result.Faults.Add(new($"{name}: {differences} Zellen sind anders, die ersten sind genannt.", $"{name}: {differences} cells differ, the first are named."));
        result.Cells += cells;
        result.Definitions++;
        await output.WriteLineAsync($"  {name}: {rows} Zeilen / rows, {cells} Zellen / cells, bis / to {sequence}{(differences == 0 ? "" : $", {differences} anders / differ")}");
    }

    /// <summary>Folds the rows that stood at the sequence and can be in windows of the stretch.</summary>
    /// <returns>Rows, page by page.</returns>
    private async IAsyncEnumerable<long> FoldAsync(
        RowCells computed, string partition, IndicatorDefinition definition, long sequence, long from, long to, int stored, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var dataset = PartitionKeys.Dataset(partition);
        var windows = CalendarWindows.Parse(definition.Spec.Window, definition.Spec.TimeZone);
        var (rowsFrom, rowsTo) = PastRange.OfRows(definition.Spec, windows, from, to);
        var query = new VersionQuery(sequence, rowsFrom, rowsTo, null, null, PastRows.ChunkRows);
        await foreach (var page in new PastRows(history, descriptions).ReadAsync(partition, query, int.MaxValue).WithCancellation(cancellationToken))
        {
            foreach (var rows in page.GroupBy(version => version.Row.ContractVersion))
            {
                var contract = await descriptions.GetAsync(dataset, rows.Key);
                computed.Add(contract, PastRows.Block(contract, [.. rows]));
            }

            var held = computed.Keep(from, to);
            yield return page.Count;
            // Far more cells than are stored: that is a difference, not a reason to fill the memory.
            if (held > (2 * stored) + (2 * DefaultStretchCells)) yield break;
        }
    }

    private static IEnumerable<string> Differences(RowCells computed, Dictionary<(long Window, string Area, string Dimensions), byte[]> stored)
    {
        foreach (var cell in computed.Cells)
        {
            var place = (cell.WindowFrom, cell.Area, cell.Dimensions);
            if (!stored.Remove(place, out var state) || !state.AsSpan().SequenceEqual(cell.State)) yield return Text(place);
        }

        // What has lost all its rows stays as an empty cell.
        foreach (var (place, state) in stored)
        {
            if (state.Length > 0) yield return Text(place);
        }

        static string Text((long Window, string Area, string Dimensions) place) =>
            string.Join(' ', new[] { new DateTime(place.Window, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture), place.Area, place.Dimensions }.Where(part => part.Length > 0));
    }

    private const string SelectEnd = "SELECT window_from FROM cell WHERE fold_id = $1 AND window_from > $2 ORDER BY window_from OFFSET $3 LIMIT 1";

    private async Task<long> EndOfStretchAsync(NpgsqlConnection connection, long fold, long from, CancellationToken cancellationToken) => (await PostgresDatabase.ReadAsync(
        connection, new PostgresStatement(SelectEnd).Bind(fold).Bind(from).Bind((long)StretchCells), static row => row.GetInt64(0), cancellationToken)).FirstOrDefault(long.MaxValue);

    private const string SelectCells = "SELECT window_from, area, dimensions, state FROM cell WHERE fold_id = $1 AND window_from >= $2 AND window_from < $3";

    private static async Task<Dictionary<(long Window, string Area, string Dimensions), byte[]>> StoredAsync(NpgsqlConnection connection, long fold, long from, long to, CancellationToken cancellationToken) =>
        (await PostgresDatabase.ReadAsync(
            connection, new PostgresStatement(SelectCells).Bind(fold).Bind(from).Bind(to),
            static row => (Place: (row.GetInt64(0), row.GetString(1), row.GetString(2)), State: row.Blob(3)), cancellationToken)).ToDictionary(cell => cell.Place, cell => cell.State);

    private const string SelectBalance =
        """
        SELECT coalesce(f.sequence, 0), coalesce(f.accepted, 0), coalesce(p.sequence, 0), coalesce(p.accepted, 0) FROM (SELECT 1) one
        LEFT JOIN fold_position f ON f.partition_key = $1 AND f.indicator = $2
        LEFT JOIN history_position p ON p.partition_key = $1
        """;

    /// <summary>Fold and history must have applied equally many accepted rows; where one is further, the log says what lies between.</summary>
    private async Task BalanceAsync(string partition, VerifiedDataset result, CancellationToken cancellationToken)
    {
        var (foldAt, folded, historyAt, kept) = (await database.ReadAsync(
            new PostgresStatement(SelectBalance).Bind(partition).Bind(PartitionFold.Position),
            static row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)), cancellationToken))[0];
        var (from, to) = (Math.Min(foldAt, historyAt), Math.Max(foldAt, historyAt));
        var between = 0L;
        while (from < to)
        {
            var batches = await log.ReadPartitionAsync(partition, from, maxBatches: 500, maxBytes: 8 << 20, cancellationToken);
            if (batches.Count == 0) break;
            between += batches.Where(batch => batch.Sequence <= to).Sum(batch => (long)batch.Accepted);
            from = batches[^1].Sequence;
        }

        if (foldAt < historyAt) folded += between;
        else kept += between;
        if (folded == kept) return;
        result.Faults.Add(new(
            $"{partition}: die Auswertung hat {folded} angenommene Zeilen angewandt, die Historie {kept} (bis {to}).",
            $"{partition}: the fold has applied {folded} accepted rows, history {kept} (to {to})."));
    }

    private async Task FeedsAsync(string dataset, VerifiedDataset result, CancellationToken cancellationToken)
    {
        foreach (var feed in await history.CountsAsync(dataset, cancellationToken))
        {
            result.Received += feed.Received;
            if (feed.Received == feed.Accepted + feed.Duplicate + feed.Quarantined) continue;
            result.Faults.Add(new(
                $"{dataset}/{feed.Feed}: empfangen {feed.Received}, aber {feed.Accepted} angenommen + {feed.Duplicate} doppelt + {feed.Quarantined} in Quarantäne.",
                $"{dataset}/{feed.Feed}: received {feed.Received}, but {feed.Accepted} accepted + {feed.Duplicate} duplicate + {feed.Quarantined} quarantined."));
        }
    }

    private async Task<bool> HistoryReachesAsync(string partition, long sequence, CancellationToken cancellationToken)
    {
        for (var until = DateTime.UtcNow + Patience; ; await Task.Delay(200, cancellationToken))
        {
            if ((await history.PositionAsync(partition, cancellationToken)).Sequence >= sequence) return true;
            if (DateTime.UtcNow >= until) return false;
        }
    }

    private static async Task<NpgsqlTransaction> SnapshotAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        // Between two stretches there may be much to fold.
        await using var command = new NpgsqlCommand("SET LOCAL idle_in_transaction_session_timeout = 0", connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return transaction;
    }
}

/// <summary>What became of a dataset's verification.</summary>
internal sealed class VerifiedDataset
{
    public int Definitions { get; set; }

    public long Cells { get; set; }

    public long Received { get; set; }

    /// <summary>Definitions that are being filled, or dropped.</summary>
    public int Skipped { get; set; }

    public List<Catalog.LocalText> Faults { get; } = [];
}
