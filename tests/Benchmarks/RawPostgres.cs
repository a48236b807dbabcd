using System.Diagnostics;

using Npgsql;

using NpgsqlTypes;

namespace DataHub.Benchmarks;

/// <summary>The limit of durable ingest on PostgreSQL: the same rows into one table without an index, 10,000 a commit.</summary>
internal static class RawPostgres
{
    private const int RowsPerCommit = 10_000;

    /// <summary>Refuses a server on which what is committed may not be on disk.</summary>
    public static async Task RequireDurabilityAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        foreach (var setting in new[] { "fsync", "synchronous_commit", "full_page_writes" })
        {
            await using var show = new NpgsqlCommand($"SHOW {setting}", connection);
            if (await show.ExecuteScalarAsync() is not "on") throw new InvalidOperationException($"{setting} is not on: nothing is measured");
        }
    }

    /// <summary>Binary COPY.</summary>
    /// <returns>Rows per second.</returns>
    public static Task<double> CopyAsync(string connectionString, int rows) => RunAsync(connectionString, rows, async (connection, first, count) =>
    {
        await using var copy = await connection.BeginBinaryImportAsync("COPY raw_row FROM STDIN (FORMAT BINARY)");
        for (var row = first; row < first + count; row++)
        {
            await copy.StartRowAsync();
            await copy.WriteAsync(Rows.Station(row), NpgsqlDbType.Text);
            await copy.WriteAsync(Rows.Time(row), NpgsqlDbType.TimestampTz);
            await copy.WriteAsync(Rows.Area(row), NpgsqlDbType.Text);
            await copy.WriteAsync(Rows.Value(row), NpgsqlDbType.Double);
        }

        await copy.CompleteAsync();
    });

    /// <summary>INSERT … SELECT of arrays.</summary>
    /// <returns>Rows per second.</returns>
    public static Task<double> InsertAsync(string connectionString, int rows) => RunAsync(connectionString, rows, async (connection, first, count) =>
    {
        await using var insert = new NpgsqlCommand("INSERT INTO raw_row SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::float8[])", connection);
        var numbers = Enumerable.Range(first, count).ToArray();
        insert.Parameters.Add(new() { Value = Array.ConvertAll(numbers, Rows.Station) });
        insert.Parameters.Add(new() { Value = Array.ConvertAll(numbers, Rows.Time) });
        insert.Parameters.Add(new() { Value = Array.ConvertAll(numbers, Rows.Area) });
        insert.Parameters.Add(new() { Value = Array.ConvertAll(numbers, Rows.Value) });
        await insert.ExecuteNonQueryAsync();
    });

    private static async Task<double> RunAsync(string connectionString, int rows, Func<NpgsqlConnection, int, int, Task> write)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await ExecuteAsync("DROP TABLE IF EXISTS raw_row");
        await ExecuteAsync("CREATE TABLE raw_row (station text, time timestamptz, area text, no2 float8)");
        await ExecuteAsync("CHECKPOINT");
        var clock = Stopwatch.StartNew();
        for (var done = 0; done < rows; done += RowsPerCommit) await write(connection, done, Math.Min(RowsPerCommit, rows - done));
        return rows / clock.Elapsed.TotalSeconds;

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
