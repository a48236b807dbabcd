using DataHub.Storage.Postgres;

namespace DataHub.Support;

/// <summary>A database of a test's own with the hub's schema; gone with it.</summary>
internal sealed class PostgresScratch : IAsyncDisposable
{
    private readonly List<PostgresDatabase> _opened = [];

    private PostgresScratch(PostgresServer server, string connectionString) => (Server, ConnectionString) = (server, connectionString);

    public PostgresServer Server { get; }

    /// <summary>As the administrator.</summary>
    public string ConnectionString { get; }

    public static async Task<PostgresScratch> CreateAsync()
    {
        var server = await PostgresServer.SharedAsync();
        return new(server, await server.CreateDatabaseAsync());
    }

    /// <summary>Connections of their own, as another process would have them.</summary>
    public PostgresDatabase Open(string? connectionString = null)
    {
        var database = PostgresDatabase.Open(new() { ConnectionString = connectionString ?? ConnectionString });
        _opened.Add(database);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _opened) await database.DisposeAsync();
        await Server.DropDatabaseAsync(ConnectionString);
    }
}
