using System.Text;

using Microsoft.Data.Sqlite;

using SQLitePCL;

namespace DataHub.Storage.Sqlite;

/// <summary>
/// A prepared statement with positional parameters (<c>?1</c>, <c>?2</c>, …, columns from 0). It works on SQLite's own
/// interface: a batch runs it tens of thousands of times, and ADO.NET's boxed parameters would cost as much as the insert.
/// </summary>
/// <remarks>Belongs to one session and, like it, to one thread at a time.</remarks>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    public SqliteStatement(sqlite3 database, string sql)
    {
        _database = database;
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement), database);
    }

    public SqliteStatement Bind(int parameter, long value) => Checked(raw.sqlite3_bind_int64(_statement, parameter, value));

    public SqliteStatement Bind(int parameter, long? value) => value is { } known ? Bind(parameter, known) : Checked(raw.sqlite3_bind_null(_statement, parameter));

    /// <summary>By length: a text may hold any character, U+0000 among them.</summary>
    public SqliteStatement Bind(int parameter, string? value)
    {
        if (value is null) return Checked(raw.sqlite3_bind_null(_statement, parameter));
        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        var bytes = most <= 512 ? stackalloc byte[most] : new byte[most];
        return Checked(raw.sqlite3_bind_text(_statement, parameter, bytes[..Encoding.UTF8.GetBytes(value, bytes)]));
    }

    /// <summary>Empty stays empty; it does not become null.</summary>
    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> value) =>
        Checked(value.IsEmpty ? raw.sqlite3_bind_zeroblob(_statement, parameter, 0) : raw.sqlite3_bind_blob(_statement, parameter, value));

    /// <summary>Moves to the next row.</summary>
    /// <returns>False at the end; the statement can be bound and run again then.</returns>
    public bool Step()
    {
        var result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW) return true;
        if (result == raw.SQLITE_DONE)
        {
            Reset();
            return false;
        }

        try
        {
            SqliteException.ThrowExceptionForRC(result, _database);
            return false;
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Runs to the end.</summary>
    /// <returns>How many rows were changed, for a statement that changes rows.</returns>
    public int Run()
    {
        while (Step())
        {
        }

        return raw.sqlite3_changes(_database);
    }

    /// <summary>Lets go of the rows not read.</summary>
    public void Reset() => raw.sqlite3_reset(_statement);

    public long Int64(int column) => raw.sqlite3_column_int64(_statement, column);

    public int Int32(int column) => raw.sqlite3_column_int(_statement, column);

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(_statement, column));

    public byte[] Blob(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    public int BlobLength(int column) => raw.sqlite3_column_bytes(_statement, column);

    public void Dispose() => _statement.Dispose();

    private SqliteStatement Checked(int result)
    {
        SqliteException.ThrowExceptionForRC(result, _database);
        return this;
    }
}
