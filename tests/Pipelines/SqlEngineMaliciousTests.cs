using System.Diagnostics;
using System.Globalization;

using DuckDB.NET.Data;

using Microsoft.Extensions.Logging.Abstractions;

namespace DataHub.Pipelines;

/// <summary>SQL that wants more than its tables. Whatever it is, nothing is left of it and the silo goes on.</summary>
[Collection(nameof(SqlEngineTests))]
public sealed class SqlEngineMaliciousTests : IDisposable
{
    private static readonly SqlLimits s_tight = new(Memory: 64L << 20, Disk: 64L << 20, Time: TimeSpan.FromSeconds(2), Rows: 100_000);

    /// <summary>For a worker to start and end on a busy machine, beside the time that SQL has.</summary>
    private static readonly TimeSpan s_generous = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("datahub-tests-");
    private readonly DuckDbEngine _engine;

    public SqlEngineMaliciousTests() => _engine = new(NullLogger<DuckDbEngine>.Instance, _folder.FullName);

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("CREATE TABLE x (a INT)")]
    [InlineData("CREATE VIEW x AS SELECT 1")]
    [InlineData("CREATE MACRO f(a) AS a")]
    [InlineData("CREATE SECRET s (TYPE s3)")]
    [InlineData("INSERT INTO many VALUES (1, 'a', 2)")]
    [InlineData("UPDATE many SET id = 1")]
    [InlineData("DELETE FROM many")]
    [InlineData("DROP TABLE many")]
    [InlineData("COPY many TO '/tmp/stolen.csv'")]
    [InlineData("COPY many FROM '/etc/passwd'")]
    [InlineData("EXPORT DATABASE '/tmp/stolen'")]
    [InlineData("IMPORT DATABASE '/tmp/stolen'")]
    [InlineData("ATTACH '/tmp/other.duckdb'")]
    [InlineData("DETACH tables")]
    [InlineData("INSTALL httpfs")]
    [InlineData("LOAD httpfs")]
    [InlineData("SET enable_external_access = true")]
    [InlineData("RESET enable_external_access")]
    [InlineData("PRAGMA database_list")]
    [InlineData("CALL duckdb_settings()")]
    [InlineData("EXPLAIN SELECT 1")]
    [InlineData("EXPLAIN ANALYZE SELECT 1")]
    [InlineData("PREPARE p AS SELECT 1")]
    [InlineData("EXECUTE p")]
    [InlineData("BEGIN")]
    [InlineData("CHECKPOINT")]
    [InlineData("VACUUM")]
    [InlineData("SHOW TABLES")]
    [InlineData("DESCRIBE many")]
    [InlineData("SUMMARIZE many")]
    [InlineData("SELECT * FROM (DESCRIBE many)")]
    [InlineData("SELECT * FROM (SHOW ALL TABLES)")]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("SELECT 1; DROP TABLE many")]
    [InlineData("SELECT 1 /* ; */; -- \n DROP TABLE many")]
    [InlineData("")]
    [InlineData("-- nothing")]
    public void What_is_not_one_select_is_refused(string sql) => Assert.Equal(SqlRefusal.NotASelect, Assert.Throws<SqlRefusedException>(() => Read(sql)).Refusal);

    [Theory]
    [InlineData("SELECT * FROM '/etc/passwd'")]
    [InlineData("SELECT * FROM \"/etc/passwd\"")]
    [InlineData("SELECT * FROM 'https://example.org/data.csv'")]
    [InlineData("SELECT * FROM 's3://bucket/data.parquet'")]
    [InlineData("SELECT * FROM 'tables.duckdb'")]
    [InlineData("SELECT * FROM sqlite_master")]
    [InlineData("SELECT * FROM \"Sqlite_Master\"")]
    [InlineData("SELECT * FROM sqlite_master, (WITH sqlite_master AS (SELECT 1) SELECT 1)")]
    [InlineData("SELECT * FROM duckdb_tables")]
    [InlineData("SELECT * FROM pg_catalog.pg_class")]
    [InlineData("SELECT * FROM information_schema.tables")]
    [InlineData("SELECT * FROM system.information_schema.columns")]
    [InlineData("SELECT * FROM main.many")]
    [InlineData("SELECT * FROM tables.many")]
    [InlineData("WITH x AS (SELECT * FROM x) SELECT * FROM x")]
    [InlineData("WITH x AS (SELECT * FROM '/etc/passwd') SELECT * FROM x")]
    [InlineData("SELECT (SELECT count(*) FROM '/etc/passwd') AS n")]
    [InlineData("SELECT * FROM many, LATERAL (SELECT * FROM \"/etc/passwd\")")]
    [InlineData("SELECT id FROM many WHERE EXISTS (FROM '/etc/passwd')")]
    [InlineData("SELECT id FROM many UNION ALL SELECT 1 FROM nowhere")]
    public void Tables_beside_the_inputs_are_refused(string sql) => Assert.Equal(SqlRefusal.TableForbidden, Assert.Throws<SqlRefusedException>(() => Read(sql)).Refusal);

    [Theory]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM read_text('/etc/passwd')")]
    [InlineData("SELECT * FROM read_blob('/proc/self/environ')")]
    [InlineData("SELECT * FROM read_parquet('https://example.org/x.parquet')")]
    [InlineData("SELECT * FROM read_json('/etc/passwd')")]
    [InlineData("SELECT * FROM read_duckdb('tables.duckdb')")]
    [InlineData("SELECT * FROM sniff_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM parquet_metadata('/etc/passwd')")]
    [InlineData("SELECT * FROM glob('/*')")]
    [InlineData("SELECT * FROM \"glob\"('/*')")]
    [InlineData("SELECT * FROM query('SELECT 1')")]
    [InlineData("SELECT * FROM query_table('many')")]
    [InlineData("SELECT * FROM json_execute_serialized_sql('{}')")]
    [InlineData("SELECT * FROM duckdb_settings()")]
    [InlineData("SELECT * FROM duckdb_secrets()")]
    [InlineData("SELECT * FROM duckdb_logs()")]
    [InlineData("SELECT * FROM pragma_table_info('many')")]
    [InlineData("SELECT * FROM pragma_database_size()")]
    [InlineData("SELECT * FROM enable_logging()")]
    [InlineData("SELECT * FROM histogram(many, id)")]
    [InlineData("SELECT getenv('PATH') AS x")]
    [InlineData("SELECT \"getenv\"('PATH') AS x")]
    [InlineData("SELECT current_setting('temp_directory') AS x")]
    [InlineData("SELECT getvariable('x') AS x")]
    [InlineData("SELECT version() AS x")]
    [InlineData("SELECT now() AS x")]
    [InlineData("SELECT main.now() AS x")]
    [InlineData("SELECT system.main.lower('A') AS x")]
    [InlineData("SELECT current_timestamp AS x")]
    [InlineData("SELECT CURRENT_DATE AS x")]
    [InlineData("SELECT \"current_user\" AS x")]
    [InlineData("SELECT localtime AS x")]
    [InlineData("SELECT today() AS x")]
    [InlineData("SELECT current_localtimestamp() AS x")]
    [InlineData("SELECT get_current_timestamp() AS x")]
    [InlineData("SELECT ago(INTERVAL 1 DAY) AS x")]
    [InlineData("SELECT age(TIMESTAMP '2000-01-01')::VARCHAR AS x")]
    [InlineData("SELECT txid_current() AS x")]
    [InlineData("SELECT pg_postmaster_start_time() AS x")]
    [InlineData("SELECT pg_sleep(10) AS x")]
    [InlineData("SELECT sleep_ms(10000) AS x")]
    [InlineData("SELECT random() AS x")]
    [InlineData("SELECT setseed(0.5) AS x")]
    [InlineData("SELECT uuid() AS x")]
    [InlineData("SELECT gen_random_uuid() AS x")]
    [InlineData("SELECT nextval('s') AS x")]
    [InlineData("SELECT error('a value') AS x")]
    [InlineData("SELECT write_log('a value') AS x")]
    [InlineData("SELECT reservoir_quantile(id, 0.5) AS x FROM many")]
    [InlineData("SELECT list_aggregate([1, 2], 'reservoir_quantile', 0.5) AS x")]
    [InlineData("SELECT json_serialize_plan('SELECT 1') AS x")]
    [InlineData("SELECT stats(id) AS x FROM many")]
    [InlineData("SELECT id FROM many ORDER BY random()")]
    [InlineData("SELECT id FROM many LIMIT (SELECT (random() * 10)::INTEGER)")]
    [InlineData("SELECT sum(id) FILTER (WHERE random() > 0.5) AS x FROM many")]
    [InlineData("SELECT sum(id) OVER (ORDER BY random()) AS x FROM many")]
    [InlineData("SELECT list_transform([1], lambda x: x + random())[1] AS x")]
    [InlineData("SELECT [random() for x in [1]][1] AS x")]
    [InlineData("SELECT {'a': now()}.a AS x")]
    [InlineData("SELECT CASE WHEN true THEN now() END AS x")]
    [InlineData("SELECT * REPLACE (random() AS id) FROM many")]
    [InlineData("SELECT x FROM (VALUES (1, now())) AS v(y, x)")]
    [InlineData("WITH x AS (SELECT uuid() AS u) SELECT * FROM x")]
    [InlineData("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + random() FROM r WHERE n < 3) SELECT n FROM r")]
    [InlineData("SELECT * FROM many TABLESAMPLE 10%")]
    [InlineData("SELECT * FROM many USING SAMPLE 5")]
    [InlineData("SELECT no_such_function(id) AS x FROM many")]
    public void Files_network_clock_chance_and_system_are_refused(string sql) => Assert.Equal(SqlRefusal.FunctionForbidden, Assert.Throws<SqlRefusedException>(() => Read(sql)).Refusal);

    [Theory]
    [InlineData("SELECT id FROM many")]
    [InlineData("WITH x AS (SELECT * FROM MANY) SELECT lower(area) AS a, sum(value) OVER (PARTITION BY id) AS s FROM x ORDER BY 1 LIMIT 3")]
    public void What_reads_its_tables_is_allowed(string sql) => Read(sql);

    /// <summary>The same through a worker; what is decided is decided above.</summary>
    [Fact]
    public async Task A_worker_refuses_before_it_reads_rows()
    {
        await RefusedAsync("COPY many TO '/tmp/stolen.csv'", SqlRefusal.NotASelect);
        await RefusedAsync("SELECT * FROM '/etc/passwd'", SqlRefusal.TableForbidden);
        await RefusedAsync("SELECT * FROM read_text('/etc/passwd')", SqlRefusal.FunctionForbidden);
        await RefusedAsync("SELECT current_timestamp AS x", SqlRefusal.FunctionForbidden);
    }

    [Theory]
    [InlineData("SELECT 1) UNION (SELECT 2")]
    [InlineData("SELECT 1) AS a; DROP TABLE many; SELECT * FROM (SELECT 1")]
    [InlineData("SELECT 1 /*")]
    [InlineData("SELECT 'open")]
    [InlineData("SELECT ? AS x")]
    [InlineData("SELECT $1 AS x")]
    [InlineData("SELECT area COLLATE nocase AS x FROM many")]
    [InlineData("WITH x AS (INSERT INTO many VALUES (1) RETURNING *) SELECT * FROM x")]
    [InlineData("SELECT missing FROM many")]
    public Task What_does_not_parse_or_fit_is_refused(string sql) => RefusedAsync(sql, SqlRefusal.Invalid);

    [Theory]
    [InlineData("SELECT count(*) AS n FROM range(1000000000000000) AS a, range(1000000) AS b")]
    [InlineData("SELECT count(*) AS n FROM many AS a, many AS b, many AS c, many AS d, many AS e")]
    [InlineData("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) AS n FROM r")]
    public Task Computing_without_end_is_ended(string sql) => RefusedAsync(sql, SqlRefusal.OutOfTime);

    [Theory]
    [InlineData("SELECT length(repeat('x', 4000000000)) AS n")]
    [InlineData("SELECT repeat(repeat('x', 1000000), 1000) AS n")]
    [InlineData("SELECT sum(length(t)) AS n FROM (SELECT min(repeat('x', 200) || b.i) AS t FROM (SELECT unnest(range(3000000)) AS i) AS b GROUP BY b.i)")]
    [InlineData("SELECT len(list(repeat('x', 1000) || b.i)) AS n FROM (SELECT unnest(range(3000000)) AS i) AS b")]
    [InlineData("SELECT len(list(a.range)) AS n FROM range(100000000) AS a")]
    [InlineData("SELECT length(string_agg(repeat('x', 100000), ',')) AS n FROM range(100000)")]
    [InlineData("WITH RECURSIVE r AS (SELECT 'x' AS t UNION ALL SELECT t || t FROM r) SELECT max(length(t)) AS n FROM r")]
    [InlineData("SELECT len(generate_series(1, 100000000)) AS n")]
    public Task Memory_without_end_is_refused(string sql) => RefusedAsync(sql, SqlRefusal.OutOfMemory, s_tight with { Time = TimeSpan.FromSeconds(60) });

    [Fact]
    public Task Rows_for_more_disk_than_allowed_are_refused() =>
        RefusedAsync("SELECT md5(a.range::VARCHAR) AS m, a.range AS n FROM range(5000000) AS a", SqlRefusal.OutOfMemory, s_tight with { Time = TimeSpan.FromSeconds(60), Rows = long.MaxValue, Disk = 8 << 20 });

    [Fact]
    public async Task Deep_nesting_is_refused_and_harms_nobody()
    {
        foreach (var sql in new[]
        {
            $"SELECT {new string('(', 49_000)}1{new string(')', 49_000)} AS x",
            $"SELECT {new string('[', 49_000)}{new string(']', 49_000)}::VARCHAR AS x",
            $"SELECT {string.Concat(Enumerable.Repeat("NOT ", 24_000))}true AS x",
            $"SELECT {string.Concat(Enumerable.Repeat("- ", 49_000))}1 AS x",
            $"SELECT {string.Concat(Enumerable.Repeat("1+", 49_000))}1 AS x",
            $"SELECT 1 AS x FROM {string.Concat(Enumerable.Repeat("(SELECT 1 FROM ", 5_000))}many{new string(')', 5_000)}",
            $"SELECT {string.Concat(Enumerable.Repeat("CASE WHEN true THEN ", 4_000))}1{string.Concat(Enumerable.Repeat(" END", 4_000))} AS x",
            string.Join(" UNION ALL ", Enumerable.Repeat("SELECT 1 AS x", 4_000)),
            $"WITH {string.Join(", ", Enumerable.Range(0, 1_000).Select(i => $"a{i} AS (SELECT * FROM {(i == 0 ? "many" : $"a{i - 1}")} UNION ALL SELECT * FROM {(i == 0 ? "many" : $"a{i - 1}")})"))} SELECT * FROM a999",
        })
        {
            var refused = await Assert.ThrowsAsync<SqlRefusedException>(() => _engine.RunAsync([SqlTables.Many("many", 100)], sql, s_tight));
            Assert.True(refused.Refusal is SqlRefusal.Invalid or SqlRefusal.OutOfMemory or SqlRefusal.OutOfTime, refused.Message);
        }

        NothingIsLeft();
    }

    [Fact]
    public Task Ten_megabytes_of_sql_are_refused_at_once() => RefusedAsync($"SELECT '{new string('x', 10_000_000)}' AS x", SqlRefusal.Invalid);

    [Fact]
    public async Task Half_characters_are_refused()
    {
        foreach (var half in new[] { '\ud800', '\udc00', '\0' }) await RefusedAsync($"SELECT '{half}' AS x", SqlRefusal.Invalid);
    }

    [Fact]
    public async Task A_long_list_runs()
    {
        var (_, batches) = await _engine.RunAsync(
            [SqlTables.Many("many", 100)], $"SELECT id FROM many WHERE id IN ({string.Join(',', Enumerable.Range(99, 15_000).Select(i => i.ToString(CultureInfo.InvariantCulture)))})");
        Assert.Equal([[99L]], batches.Values());
    }

    [Fact]
    public async Task A_statement_that_is_refused_keeps_the_others_from_running()
    {
        var opened = 0;
        await Assert.ThrowsAsync<SqlRefusedException>(() => _engine.RunAsync(
            [], ["SELECT 1 AS x", "SELECT now() AS x"], SqlTables.Limits, (_, _) => Task.FromResult(opened++), (_, _) => Task.CompletedTask, default));
        Assert.Equal(0, opened);
    }

    /// <summary>What a worker does with a statement before everything else, here without one.</summary>
    private static void Read(string sql)
    {
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
#pragma warning disable CA2100 // The statements are this file's own.
        command.CommandText = DuckDbTables.Parsing(sql);
#pragma warning restore CA2100
        SqlGuard.Check((string)command.ExecuteScalar()!, ["many"]);
    }

    private async Task RefusedAsync(string sql, SqlRefusal refusal, SqlLimits? limits = null)
    {
        var watch = Stopwatch.StartNew();
        var refused = await Assert.ThrowsAsync<SqlRefusedException>(() => _engine.RunAsync([SqlTables.Many("many", 100)], sql, limits ?? s_tight));
        Assert.True(refusal == refused.Refusal, $"{refused.Refusal}: {refused.Message}");
        Assert.NotEqual(refused.Reason.De, refused.Reason.En);
        Assert.DoesNotContain("datahub-sql", refused.Reason.De + refused.Reason.En, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, (limits ?? s_tight).Time + s_generous);
        NothingIsLeft();
    }

    /// <summary>Nothing of this engine: other tests of the same process run SQL too.</summary>
    private void NothingIsLeft()
    {
        Assert.Empty(_folder.EnumerateFileSystemInfos());
        if (!OperatingSystem.IsLinux()) return;
        foreach (var child in Directory.EnumerateDirectories($"/proc/{Environment.ProcessId}/task").SelectMany(task => Children(Path.Combine(task, "children"))))
        {
            Assert.DoesNotContain(_folder.FullName, new DirectoryInfo($"/proc/{child}/cwd").LinkTarget ?? "", StringComparison.Ordinal);
        }

        static string[] Children(string file)
        {
            try
            {
                return File.ReadAllText(file).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            }
            catch (IOException)
            {
                // A thread that has just ended.
                return [];
            }
        }
    }
}
