using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DataHub.Pipelines;

[Collection(nameof(SqlEngineTests))]
public sealed class SqlEngineTests
{
    private const long Null = Column.NullInteger;
    private static readonly string?[] s_texts = ["", "ä\"';--", null, "𝄞 a\0b\r\n", new('x', 10_000)];

    private readonly DuckDbEngine _engine = new(NullLogger<DuckDbEngine>.Instance);

    [Fact]
    public async Task Values_of_every_type_come_back_as_they_were()
    {
        var last = DateTime.MaxValue.Ticks / 10 * 10;
        Column[] values =
        [
            Column.OfTexts(s_texts),
            Column.OfNumbers([double.MaxValue, double.Epsilon, double.NaN, -1.0 / 3, 0]),
            Column.OfIntegers([long.MaxValue, -long.MaxValue, Null, 0, 1]),
            Column.OfBooleans([1, 0, Column.NullBoolean, 1, 0]),
            Column.OfIntegers([0, DateOnly.MaxValue.DayNumber, Null, 719_162, 1]),
            Column.OfIntegers([0, TimeSpan.TicksPerDay - 10, Null, 36_000_000_000, 10]),
            Column.OfIntegers([0, last, Null, DateTime.UnixEpoch.Ticks, DateTime.UnixEpoch.Ticks - 10]),
        ];
        var order = Column.OfIntegers([0, 1, 2, 3, 4]);

        var (columns, batches) = await _engine.RunAsync([SqlTables.Input("every", [new("o", FieldType.Integer), .. SqlTables.EveryType], [order, .. values])], "SELECT * FROM every");

        Assert.Equal([new("o", FieldType.Integer), .. SqlTables.EveryType], columns);
        Assert.Equal(TableCodec.ToBytes(new() { Count = 5, Columns = [order, .. values] }), TableCodec.ToBytes(Assert.Single(batches)));
    }

    [Fact]
    public async Task What_is_finer_than_a_microsecond_is_cut_off()
    {
        var instant = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc).Ticks;
        var (_, batches) = await _engine.RunAsync(
            [SqlTables.Input("fine", [new("dt", FieldType.DateTime), new("t", FieldType.Time)], Column.OfIntegers([instant + 19]), Column.OfIntegers([29]))], "SELECT * FROM fine");
        Assert.Equal([instant + 10, 20L], batches.Values()[0]);
    }

    [Theory]
    [InlineData("SELECT 1::TINYINT AS x", FieldType.Integer, 1L)]
    [InlineData("SELECT 200::UTINYINT AS x", FieldType.Integer, 200L)]
    [InlineData("SELECT sum(i) AS x FROM range(4) AS r(i)", FieldType.Integer, 6L)]
    [InlineData("SELECT 9223372036854775807::UBIGINT AS x", FieldType.Integer, long.MaxValue)]
    [InlineData("SELECT 1.25::DECIMAL(38,10) AS x", FieldType.Number, 1.25)]
    [InlineData("SELECT 0.5::FLOAT AS x", FieldType.Number, 0.5)]
    [InlineData("SELECT 'NaN'::DOUBLE AS x", FieldType.Number, null)]
    [InlineData("SELECT NULL AS x", FieldType.Integer, null)]
    [InlineData("SELECT '{\"a\":1}'::JSON AS x", FieldType.String, "{\"a\":1}")]
    [InlineData("SELECT DATE '0001-01-02' AS x", FieldType.Date, 1L)]
    [InlineData("SELECT TIME '00:00:01' AS x", FieldType.Time, TimeSpan.TicksPerSecond)]
    [InlineData("SELECT TIMESTAMPTZ '0001-01-01 01:00:01+01' AS x", FieldType.DateTime, TimeSpan.TicksPerSecond)]
    [InlineData("SELECT TIMESTAMP_NS '1970-01-01 00:00:00.000001' AS x", FieldType.DateTime, 621_355_968_000_000_010L)]
    public async Task Types_of_results_become_types_of_columns(string sql, FieldType type, object? value)
    {
        var (columns, batches) = await _engine.RunAsync([], sql);
        Assert.Equal([new("x", type)], columns);
        Assert.Equal(value, batches.Values()[0][0]);
    }

    [Fact]
    public async Task Minus_zero_becomes_zero()
    {
        var (_, batches) = await _engine.RunAsync([], "SELECT '-0.0'::DOUBLE AS x");
        Assert.Equal(0L, BitConverter.DoubleToInt64Bits((double)batches.Values()[0][0]!));
    }

    [Theory]
    [InlineData("SELECT [1, 2] AS wrong", nameof(SqlRefusal.Invalid))]
    [InlineData("SELECT {'a': 1} AS wrong", nameof(SqlRefusal.Invalid))]
    [InlineData("SELECT 'x'::BLOB AS wrong", nameof(SqlRefusal.Invalid))]
    [InlineData("SELECT INTERVAL 1 DAY AS wrong", nameof(SqlRefusal.Invalid))]
    [InlineData("SELECT 9223372036854775807::HUGEINT + 1 AS wrong", nameof(SqlRefusal.Failed))]
    [InlineData("SELECT -9223372036854775807 - 1 AS wrong", nameof(SqlRefusal.Failed))]
    [InlineData("SELECT 1 / 0 AS wrong", nameof(SqlRefusal.Failed))]
    [InlineData("SELECT DATE '10000-01-01' AS wrong", nameof(SqlRefusal.Failed))]
    [InlineData("SELECT 'infinity'::TIMESTAMP AS wrong", nameof(SqlRefusal.Failed))]
    public async Task What_columns_cannot_hold_is_refused_with_the_columns_name(string sql, string refusal)
    {
        var refused = await Assert.ThrowsAsync<SqlRefusedException>(() => _engine.RunAsync([], sql));
        Assert.Equal(refusal, refused.Refusal.ToString());
        Assert.Contains("wrong", refused.Reason.De, StringComparison.Ordinal);
        Assert.Contains("wrong", refused.Reason.In("en"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_of_a_row_is_not_told()
    {
        var input = SqlTables.Input("people", [new("name", FieldType.String)], Column.OfTexts(["Müller"]));
        var refused = await Assert.ThrowsAsync<SqlRefusedException>(() => _engine.RunAsync([input], "SELECT name::INTEGER AS n FROM people"));
        Assert.Equal(SqlRefusal.Failed, refused.Refusal);
        Assert.DoesNotContain("Müller", refused.Reason.De + refused.Reason.En, StringComparison.Ordinal);
        Assert.Contains("name", refused.Reason.De, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_that_are_not_there_are_told_with_their_line()
    {
        var refused = await Assert.ThrowsAsync<SqlRefusedException>(() => _engine.DescribeAsync([("every", SqlTables.EveryType)], "SELECT s,\n  missing FROM every", default));
        Assert.Equal(SqlRefusal.Invalid, refused.Refusal);
        Assert.Contains("in line 2", refused.Reason.In("en"), StringComparison.Ordinal);
        Assert.Contains("missing", refused.Reason.In("en"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_statement_is_described_without_rows()
    {
        Assert.Equal(
            [new("s", FieldType.String), new("rows", FieldType.Integer), new("mean", FieldType.Number)],
            await _engine.DescribeAsync([("every", SqlTables.EveryType)], "SELECT s, count(*) AS rows, avg(n) AS mean FROM every GROUP BY s;", default));
    }

    [Theory]
    [InlineData("SELECT l.id, r.area FROM many l JOIN many r ON l.id = r.id + 1 WHERE l.id <= 2", "1,area-000;2,area-001")]
    [InlineData("SELECT id, sum(id) OVER (ORDER BY id) AS s FROM many WHERE id < 3", "0,0;1,1;2,3")]
    [InlineData("WITH few AS (SELECT * FROM many WHERE id < 2), twice AS (SELECT id FROM few UNION ALL SELECT id FROM few) SELECT count(*) AS n FROM twice", "4")]
    [InlineData("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r", "1;2;3")]
    [InlineData("SELECT * FROM (PIVOT (SELECT id % 2 AS odd, area FROM many WHERE id < 5) ON odd IN (0, 1) USING count(*)) WHERE area < 'area-002'", "area-000,1,0;area-001,0,1")]
    [InlineData("SELECT list_sum(list_transform([id, 1], lambda x: x * 2)) AS s FROM many WHERE id = 3", "8")]
    [InlineData("SELECT id FROM many WHERE id < 4 QUALIFY row_number() OVER () <= 2", "0;1")]
    [InlineData("SELECT * EXCLUDE (area, value) FROM many ORDER BY id DESC LIMIT 2", "98;99")]
    [InlineData("SELECT COLUMNS('i.') FROM many WHERE id = 7 -- the seventh", "7")]
    [InlineData("FROM many SELECT id WHERE id = 7", "7")]
    [InlineData("SELECT x FROM (VALUES ('b'), (NULL), ('Z'), ('ä'), ('a')) AS v(x)", "Z;a;b;ä;")]
    public async Task Statements_of_every_shape_run(string sql, string expected)
    {
        var (_, batches) = await _engine.RunAsync([SqlTables.Many("many", 100)], sql);
        Assert.Equal(expected, string.Join(';', batches.Values().Select(row => string.Join(',', row))));
    }

    [Fact]
    public async Task The_order_of_rows_does_not_show()
    {
        var ids = Enumerable.Range(0, 25_000).Select(i => (long)i).ToArray();
        var shuffled = ids.ToArray();
        new Random(7).Shuffle(shuffled);
        const string Sql = "SELECT id % 100 AS g, count(*) AS n, sum(id) AS s, max(id) AS m FROM t GROUP BY g";
        var results = new List<byte[]>();
        foreach (var order in new[] { ids, shuffled, ids })
        {
            var (_, batches) = await _engine.RunAsync([SqlTables.Input("t", [new("id", FieldType.Integer)], Column.OfIntegers(order))], Sql);
            results.Add(TableCodec.ToBytes(Assert.Single(batches)));
        }

        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Fact]
    public async Task Several_statements_run_over_the_same_rows()
    {
        var told = new List<string>();
        await _engine.RunAsync(
            [SqlTables.Many("many", 15_000)], ["SELECT id FROM many", "SELECT count(*) AS n FROM many"], SqlTables.Limits,
            (statement, columns) =>
            {
                told.Add($"{statement} {columns[0].Name}");
                return Task.CompletedTask;
            },
            (statement, batch) =>
            {
                told.Add($"{statement} {batch.Count}");
                return Task.CompletedTask;
            }, default);
        Assert.Equal(["0 id", "0 10000", "0 5000", "1 n", "1 1"], told);
    }

    [Fact]
    public async Task A_million_rows_go_through_in_bounded_memory()
    {
        var log = new PeakLog();
        var limits = SqlTables.Limits with { Memory = 128L << 20, Time = TimeSpan.FromSeconds(180) };
        var (rows, last) = (0L, -1L);
        await new DuckDbEngine(log).RunAsync(
            [SqlTables.Many("many", 1_000_000)], ["SELECT id, area, value, lag(value) OVER (PARTITION BY area ORDER BY id DESC) AS before FROM many"], limits,
            (_, _) => Task.CompletedTask,
            (_, batch) =>
            {
                Assert.Equal(last + 1, batch.Columns[0].Integers![0]);
                rows += batch.Count;
                last = batch.Columns[0].Integers![^1];
                return Task.CompletedTask;
            }, default);
        Assert.Equal(1_000_000, rows);
        if (OperatingSystem.IsLinux()) Assert.InRange(log.PeakBytes, 1, limits.Memory + (384L << 20));
    }

    [Fact]
    public async Task More_rows_than_allowed_are_refused()
    {
        var refused = await Assert.ThrowsAsync<SqlRefusedException>(() => _engine.RunAsync([SqlTables.Many("many", 100)], "SELECT * FROM many", SqlTables.Limits with { Rows = 99 }));
        Assert.Equal(SqlRefusal.TooManyRows, refused.Refusal);
    }

    [Fact]
    public async Task Cancelling_ends_the_worker()
    {
        using var cancelled = new CancellationTokenSource();
        var running = _engine.RunAsync(
            [], ["SELECT count(*) AS n FROM range(1000000000000) AS a, range(1000000) AS b"], SqlTables.Limits,
            (_, _) => cancelled.CancelAsync(), (_, _) => Task.CompletedTask, cancelled.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_failure_of_who_takes_the_rows_is_passed_on_and_ends_the_worker()
    {
        await Assert.ThrowsAsync<TimeZoneNotFoundException>(() => _engine.RunAsync(
            [], ["SELECT 1 AS n"], SqlTables.Limits, (_, _) => Task.CompletedTask, (_, _) => throw new TimeZoneNotFoundException(), default));
    }

    [LinuxFact]
    public async Task The_system_keeps_a_worker_from_the_network_programs_and_large_files()
    {
        using var scratch = SqlScratch.Create();
        await using var worker = SqlWorkerProcess.Start(scratch.Path, SqlWorker.SelfTest);
        var said = await worker.ReadAllAsync();
        Assert.Contains("filtered True", said, StringComparison.Ordinal);
        foreach (var refused in new[] { "socket", "start", "kill" }) Assert.Contains($"{refused} refused", said, StringComparison.Ordinal);
        Assert.DoesNotContain("write done", said, StringComparison.Ordinal);
        Assert.Equal(SqlRefusal.OutOfMemory, (await worker.EndAsync()).Refusal);
    }

    [LinuxFact]
    public async Task A_worker_ends_with_its_silo_while_a_statement_runs()
    {
        using var scratch = SqlScratch.Create();
        await using var worker = SqlWorkerProcess.Start(scratch.Path);
        await worker.SendAsync(SqlWorkerProtocol.Start(new(false, SqlTables.Limits, [], ["SELECT count(*) AS n FROM range(1000000000000) AS a, range(1000000) AS b"])));
        Assert.Equal(SqlWorkerFrame.Ready, (await worker.ReadAsync()).Kind);
        await worker.SendAsync(SqlWorkerProtocol.Frame(SqlWorkerFrame.Loaded));
        Assert.Equal(SqlWorkerFrame.Opened, (await worker.ReadAsync()).Kind);

        worker.CloseInput();

        Assert.Equal(0, (await worker.EndAsync()).ExitCode);
    }

    [LinuxFact]
    public void A_worker_knows_nothing_of_the_silos_environment()
    {
        var start = SqlWorkerProcess.StartInfo("/tmp");
        Assert.Empty(start.Environment.Keys.Except(["PATH", "HOME", "TMPDIR", "LC_ALL", .. start.Environment.Keys.Where(name => name.StartsWith("DOTNET_", StringComparison.Ordinal))]));
    }

    private sealed class PeakLog : ILogger<DuckDbEngine>
    {
        public long PeakBytes { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 4050 && state is IEnumerable<KeyValuePair<string, object?>> values) PeakBytes = (long)values.Single(value => value.Key == "PeakBytes").Value!;
        }
    }
}
