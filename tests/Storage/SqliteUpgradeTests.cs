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
            SqliteMigrations.Apply(old, "cells.db", [.. SqliteMigrations.Known("Cells").Take(2)], TimeProvider.System);
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
            SqliteMigrations.Apply(old, "cells.db", [.. SqliteMigrations.Known("Cells").Take(3)], TimeProvider.System);
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
            SqliteMigrations.Apply(old, "history.db", [.. SqliteMigrations.Known("History").Take(1)], TimeProvider.System);
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
        Assert.Equal(new HistoryPosition(3, 7), await history.PositionAsync("air/0", default));
    }
}
