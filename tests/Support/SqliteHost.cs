using System.Net;
using System.Net.Sockets;

using DataHub.Hosting;
using DataHub.Storage.Sqlite;

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DataHub.Support;

/// <summary>A silo with nothing but its storage.</summary>
internal static class SqliteHost
{
    public static IHost Build(string folder, Action<SqliteStorageOptions>? configure = null, Action<ISiloBuilder>? also = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(FreePort(), FreePort()).AddSqliteStorage(options =>
            {
                options.Folder = folder;
                configure?.Invoke(options);
            });
            also?.Invoke(silo);
        });
        return builder.Build();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
