using System.Diagnostics;

using Microsoft.Data.Sqlite;

namespace DataHub.Benchmarks;

/// <summary>The limit of durable ingest on SQLite: the same rows into one table without an index, 10,000 a transaction, synchronous FULL.</summary>
internal static class RawInserts
{
    /// <returns>Rows per second.</returns>
    public static double Run(string folder, int rows)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "raw.db");
        File.Delete(path);
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE row (station TEXT, time INTEGER, area TEXT, no2 REAL);");
        using (var check = connection.CreateCommand())
        {
            check.CommandText = "PRAGMA synchronous";
            if (Convert.ToInt64(check.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture) != 2) throw new InvalidOperationException("synchronous is not FULL");
        }

        using var insert = connection.CreateCommand();
        insert.CommandText = "INSERT INTO row VALUES ($1, $2, $3, $4)";
        var station = insert.Parameters.Add("$1", SqliteType.Text);
        var time = insert.Parameters.Add("$2", SqliteType.Integer);
        var area = insert.Parameters.Add("$3", SqliteType.Text);
        var no2 = insert.Parameters.Add("$4", SqliteType.Real);
        insert.Prepare();

        var clock = Stopwatch.StartNew();
        for (var done = 0; done < rows;)
        {
            using var transaction = connection.BeginTransaction();
            insert.Transaction = transaction;
            for (var i = 0; i < 10_000 && done < rows; i++, done++)
            {
                station.Value = Rows.Station(done);
                time.Value = Rows.Time(done).UtcTicks;
                area.Value = Rows.Area(done);
                no2.Value = Rows.Value(done);
                insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }

        return rows / clock.Elapsed.TotalSeconds;

        void Execute(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }
}
