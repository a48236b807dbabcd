using System.Globalization;
using System.Text.RegularExpressions;

using Npgsql;

namespace DataHub.Benchmarks;

/// <summary>Where PostgreSQL's time goes, by statement (its extension <c>pg_stat_statements</c>).</summary>
internal static partial class Statements
{
    /// <summary>What the server must be started with.</summary>
    public const string Setting = "shared_preload_libraries=pg_stat_statements";

    private const int Shown = 16;

    /// <summary>Forgets what was counted so far.</summary>
    public static async Task ResetAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public; SELECT public.pg_stat_statements_reset()", connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Prints those that took longest since, with what each cost a row.</summary>
    /// <param name="what">Was done since.</param>
    /// <param name="rows">Were pushed since.</param>
    public static async Task PrintAsync(string connectionString, string what, int rows)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT query, calls, total_exec_time, wal_bytes::float8, sum(total_exec_time) OVER () FROM public.pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC LIMIT $1
            """,
            connection);
        command.Parameters.Add(new() { Value = Shown });
        Console.WriteLine();
        Console.WriteLine($"PostgreSQL's statements during: {what}, {rows.ToString("N0", CultureInfo.InvariantCulture)} rows");
        Console.WriteLine();
        Console.WriteLine("| statement | calls | ms | share | µs a row | bytes of write-ahead log a row |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var (calls, ms, wal, all) = (reader.GetInt64(1), reader.GetDouble(2), reader.GetDouble(3), reader.GetDouble(4));
            var text = Space().Replace(reader.GetString(0), " ");
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {(text.Length > 110 ? text[..110] + "…" : text).Replace("|", "¦", StringComparison.Ordinal)} | {calls:N0} | {ms:N0} | {ms / all:P0} | {ms * 1_000 / rows:F2} | {wal / rows:F0} |"));
        }
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
