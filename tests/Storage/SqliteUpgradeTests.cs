using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Support;

namespace DataHub.Storage.Sqlite;

/// <summary>Files of earlier versions are brought up to date with what is in them.</summary>
public sealed class SqliteUpgradeTests
{
    [Fact]
    public async Task Definitions_of_the_second_version_stand_where_they_stood_and_go_on_without_a_fill()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.FullName, "cells.db");
        using (var old = SqliteSession.Open(path, ["PRAGMA journal_mode = WAL"]))
        {
            SqliteMigrations.Apply(old, "cells.db", "Cells", [.. SqliteMigrations.Known("Cells").Take(2)], TimeProvider.System);
            old.Script("INSERT INTO fold_position (partition_key, indicator, version, sequence, last_window, accepted, received_at) VALUES ('air/0', 'no2', 3, 7, 20, 9, 100)");
        }

        using var file = SqliteFile.Open(path, "Cells", new(), TimeProvider.System);
        var cells = new SqliteCellStore(file);

        Assert.Equal([new("no2", 3, 7, 20, 9, new DateTimeOffset(100, TimeSpan.Zero))], await cells.PositionsAsync("air/0", default));
        Assert.True(await cells.FlushAsync("air/0", [new("no2", 3, 7, 8, 20, 10, DateTimeOffset.UnixEpoch)], [], default));
    }

    [Fact]
    public async Task Cells_of_the_third_version_are_there_and_can_be_dropped()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.FullName, "cells.db");
        using (var old = SqliteSession.Open(path, ["PRAGMA journal_mode = WAL"]))
        {
            SqliteMigrations.Apply(old, "cells.db", "Cells", [.. SqliteMigrations.Known("Cells").Take(3)], TimeProvider.System);
            old.Script("INSERT INTO fold_position (id, partition_key, indicator, version, sequence, last_window, accepted, received_at) VALUES (1, 'air/0', 'no2', 3, 7, 20, 9, 100)");
            old.Script("INSERT INTO cell (fold_id, window_from, area, dimensions, sequence, state) VALUES (1, 20, '01', '', 7, x'01')");
        }

        using var file = SqliteFile.Open(path, "Cells", new(), TimeProvider.System);
        var cells = new SqliteCellStore(file);

        Assert.Equal(20, Assert.Single(await cells.ReadAsync("air/0", "no2", 3, 0, 100, 10, default)).Window);
        await cells.DropAsync("air/0", "no2", 3, default);
        Assert.Empty(await cells.PositionsAsync("air/0", default));
        Assert.Equal(0, await file.LookUpAsync(session => session.Number("SELECT (SELECT count(*) FROM cell) + (SELECT count(*) FROM dropped_fold)"), default));
    }

    [Fact]
    public async Task Quarantined_rows_of_the_first_version_keep_their_order_and_can_be_replayed_by_name()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.FullName, "history.db");
        using (var old = SqliteSession.Open(path, ["PRAGMA journal_mode = WAL"]))
        {
            SqliteMigrations.Apply(old, "history.db", "History", [.. SqliteMigrations.Known("History").Take(1)], TimeProvider.System);
            old.Script("INSERT INTO history_position (id, partition_key, sequence, accepted) VALUES (1, 'air/0', 3, 7)");
            old.Script("INSERT INTO history_batch (partition_id, sequence, received_at, feed, receipt) VALUES (1, 2, 100, 'default', '01A'), (1, 3, 200, 'default', '01B')");
            foreach (var (receipt, row) in new[] { ("01A", 4), ("01A", 9), ("01B", 1) })
            {
                old.Statement("INSERT INTO quarantine (dataset, feed, partition_id, receipt, received_at, payload) VALUES ('air', 'default', 1, ?1, ?2, ?3)")
                    .Bind(1, receipt).Bind(2, receipt == "01A" ? 100 : 200).Bind(3, LogBatchCodec.EncodeQuarantined(new(row, [new(row, "no2", "required", null, null)], "{}"))).Run();
            }
        }

        using var file = SqliteFile.Open(path, "History", new(), TimeProvider.System);
        var history = new SqliteHistoryStore(file);

        var rows = await history.QuarantineAsync("air", new(null, null, 10, null), default);
        Assert.Equal([("q0.3.0", 1), ("q0.2.1", 9), ("q0.2.0", 4)], rows.Select(row => (row.Id.ToString(), row.Row.Row)));
        Assert.All(rows, row => Assert.Equal(QuarantineState.Open, row.State));
        Assert.Equal(3, Assert.Single(await history.QuarantineGroupsAsync("air", null, QuarantineState.Open, 10, default)).Rows);
        Assert.Equal(new HistoryPosition(3, 7) { Series = 3 }, await history.PositionAsync("air/0", default));
    }

    [Fact]
    public async Task Rows_of_the_fifth_version_whose_key_contains_the_time_are_cut_into_segments_and_the_others_stay()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.FullName, "history.db");
        using (var old = SqliteSession.Open(path, ["PRAGMA journal_mode = WAL"]))
        {
            SqliteMigrations.Apply(old, "history.db", "History", [.. SqliteMigrations.Known("History").Take(5)], TimeProvider.System);
            old.Script("INSERT INTO history_position (id, partition_key, sequence, accepted) VALUES (1, 'air/0', 5, 7), (2, 'cases/0', 2, 2)");
            old.Script("INSERT INTO area (id, area_key) VALUES (1, '01'), (2, '02')");
            old.Script(VersionsBefore("row_version", "time_keyed, ", "1, ", "x'"));
            old.Script("INSERT INTO row_version (partition_id, time, row_key, from_sequence, to_sequence, time_keyed, area_id, contract_version, packed) VALUES (2, 10, x'61', 1, 2, 0, 1, 7, x'7631'), (2, 20, x'61', 2, 9223372036854775807, 0, 2, 7, x'7632')");
        }

        using var file = SqliteFile.Open(path, "History", new(), TimeProvider.System);
        var history = new SqliteHistoryStore(file);

        await AssertVersionsAsync(history);
        Assert.Equal(["a 10 01 v1 @1"], (await history.ReadWindowAsync("cases/0", 1, null, 0, 100, default)).Select(Describe));
        Assert.Equal(["a 20 02 v2 @2"], (await history.FindKeysAsync("cases/0", [new("a"u8.ToArray(), null)], default)).Rows.Select(row => Describe(row!)));
        Assert.True(await history.ApplyAsync("cases/0", 2, [], default));
    }

    /// <summary>Two days: a is corrected, retracted and comes again; b stands; c is retracted for good.</summary>
    /// <param name="bytes">How bytes in hexadecimal digits begin.</param>
    internal static string VersionsBefore(string table, string column, string value, string bytes)
    {
        (string Time, string Key, string From, string To, string Area, string Packed)[] versions =
        [
            ("10", "61", "1", "2", "1", "7631"), ("10", "61", "2", "3", "2", "7632"), ("10", "61", "4", Standing, "NULL", "7633"),
            ("10", "62", "1", Standing, "1", "7731"), ("864000000010", "63", "1", "5", "2", "7831"), ("-5", "64", "1", Standing, "2", "7931"),
        ];
        return $"INSERT INTO {table} (partition_id, time, row_key, from_sequence, to_sequence, {column}area_id, contract_version, packed) VALUES "
            + string.Join(", ", versions.Select(v => $"(1, {v.Time}, {bytes}{v.Key}', {v.From}, {v.To}, {value}{v.Area}, 7, {bytes}{v.Packed}')"));
    }

    private const string Standing = "9223372036854775807";

    internal static async Task AssertVersionsAsync(IHistoryStore history)
    {
        Assert.Equal(["d -5 02 y1 @1", "a 10 01 v1 @1", "b 10 01 w1 @1", "c 864000000010 02 x1 @1"], await AtAsync(1));
        Assert.Equal(["d -5 02 y1 @1", "a 10 02 v2 @2", "b 10 01 w1 @1", "c 864000000010 02 x1 @1"], await AtAsync(2));
        Assert.Equal(["d -5 02 y1 @1", "b 10 01 w1 @1", "c 864000000010 02 x1 @1"], await AtAsync(3));
        Assert.Equal(["d -5 02 y1 @1", "a 10 - v3 @4", "b 10 01 w1 @1"], await AtAsync(5));
        Assert.Equal(new HistoryPosition(5, 7) { Series = 5 }, await history.PositionAsync("air/0", default));
        var found = await history.FindKeysAsync("air/0", [new("a"u8.ToArray(), 10), new("c"u8.ToArray(), 864_000_000_010)], default);
        Assert.Equal(["a 10 - v3 @4", null], found.Rows.Select(row => row is null ? null : Describe(row)));

        async Task<IEnumerable<string>> AtAsync(long asOf) => (await history.ReadWindowAsync("air/0", asOf, null, long.MinValue, long.MaxValue, default)).Select(Describe);
    }

    internal static string Describe(HistoryRow row) =>
        $"{System.Text.Encoding.UTF8.GetString(row.Key)} {row.Time} {row.Area ?? "-"} {System.Text.Encoding.UTF8.GetString(row.Values)} @{row.FromSequence}";
}
