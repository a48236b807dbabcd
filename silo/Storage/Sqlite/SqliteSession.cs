using System.Diagnostics.CodeAnalysis;

using Microsoft.Data.Sqlite;

using SQLitePCL;

namespace DataHub.Storage.Sqlite;

/// <summary>One connection with its prepared statements. One thread at a time.</summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly sqlite3 _database;

    // By reference: the texts are constants, and hashing one anew for every row would cost more than many a statement.
    private readonly Dictionary<string, SqliteStatement> _statements = new(ReferenceEqualityComparer.Instance);

    private SqliteSession(SqliteConnection connection)
    {
        _connection = connection;
        _database = connection.Handle!;
    }

    /// <param name="path">The database's file; made where it is not there, unless <paramref name="pragmas"/> say query_only.</param>
    /// <param name="pragmas">Run once, in order.</param>
    [SuppressMessage("Security", "CA2100", Justification = "Only constants and validated numbers.")]
    public static SqliteSession Open(string path, IEnumerable<string> pragmas)
    {
        // Own pools: ADO.NET's would keep the file open after it was closed.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        try
        {
            connection.Open();
            foreach (var pragma in pragmas)
            {
                using var command = connection.CreateCommand();
                command.CommandText = pragma;
                command.ExecuteNonQuery();
            }

            return new(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public bool InTransaction => raw.sqlite3_get_autocommit(_database) == 0;

    /// <summary>The prepared statement of a constant text, ready to be bound.</summary>
    public SqliteStatement Statement(string sql)
    {
        if (_statements.TryGetValue(sql, out var statement)) return statement;
        statement = new(_database, sql);
        _statements.Add(sql, statement);
        return statement;
    }

    /// <summary>A statement of its own, for a text that is open several times at once; the caller disposes it.</summary>
    public SqliteStatement Another(string sql) => new(_database, sql);

    public int Run(string sql) => Statement(sql).Run();

    /// <summary>The first column of the first row as a number; null where there is no row.</summary>
    public long? Number(string sql)
    {
        var statement = Statement(sql);
        if (!statement.Step()) return null;
        var number = statement.Int64(0);
        statement.Reset();
        return number;
    }

    /// <summary>Several statements in one text, as in a migration.</summary>
    public void Script(string sql) => SqliteException.ThrowExceptionForRC(raw.sqlite3_exec(_database, sql), _database);

    /// <summary>Writes the write-ahead log back and empties its file, outside of any transaction.</summary>
    /// <returns>False where a reader still needs it.</returns>
    public bool Checkpoint()
    {
        Reset();
        return Number("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
    }

    /// <summary>Lets go of whatever statements were left in the middle, so that a transaction can end.</summary>
    public void Reset()
    {
        foreach (var statement in _statements.Values) statement.Reset();
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values) statement.Dispose();
        _statements.Clear();
        _connection.Dispose();
    }
}
