using System.Globalization;

using DataHub.Catalog;
using DataHub.Support;

using Npgsql;

using ClusterMember = DataHub.Support.ClusterMember;

namespace DataHub.Benchmarks;

/// <summary>Silos and one front-end as processes of their own on 127.0.0.1, over a database of their own.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly PostgresServer _server;
    private readonly string _connectionString;
    private readonly string _folder;
    private readonly ClusterMember[] _silos;
    private readonly ClusterMember _frontEnd;

    private Cluster(PostgresServer server, string connectionString, int silos)
    {
        (_server, _connectionString) = (server, connectionString);
        _folder = Directory.CreateTempSubdirectory("datahub-benchmark-").FullName;
        _ = ApiKey.Create(Caller.PlatformAgency, out var key);
        AdminKey = key;
        var keyFile = Path.Combine(_folder, "admin.key");
        File.WriteAllText(keyFile, key + "\n");
        var ports = Enumerable.Range(0, silos).Select(_ => (Silo: Ports.Free(), Gateway: Ports.Free())).ToArray();
        _silos =
        [
            .. ports.Select((port, number) => new ClusterMember($"silo-{number}", Program("DataHub.Silo.dll"), Ports.Free(), new()
            {
                ["DATAHUB__POSTGRES__CONNECTIONSTRING"] = connectionString,
                ["DATAHUB__CLUSTER__SILOPORT"] = port.Silo.ToString(CultureInfo.InvariantCulture),
                ["DATAHUB__CLUSTER__GATEWAYPORT"] = port.Gateway.ToString(CultureInfo.InvariantCulture),
                ["DATAHUB__CLUSTER__ADMINKEYFILE"] = keyFile,
                // The machine is meant to be full.
                ["DATAHUB__CLUSTER__SHEDATCPU"] = "100",
                ["POD_NAME"] = $"silo-{number}",
            })),
        ];
        var gateways = string.Join(';', ports.Select(port => $"127.0.0.1:{port.Gateway.ToString(CultureInfo.InvariantCulture)}"));
        _frontEnd = new("front-end", Program("DataHub.ClientApi.dll"), Ports.Free(), new() { ["DATAHUB__CLUSTER__GATEWAYS"] = gateways });
    }

    public Uri Address => _frontEnd.Address;

    public string AdminKey { get; }

    public string ConnectionString => _connectionString;

    /// <summary>Starts all at once and waits until all are ready.</summary>
    public static async Task<Cluster> StartAsync(PostgresServer server, int silos)
    {
        var cluster = new Cluster(server, await server.CreateDatabaseAsync(), silos);
        try
        {
            foreach (var member in cluster.Members) member.Start();
            await Task.WhenAll(cluster.Members.Select(member => member.ReadyAsync()));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Of everything that takes part, so far.</summary>
    public async Task<Cpu> CpuAsync()
    {
        var silos = 0.0;
        foreach (var silo in _silos) silos += Cpu.Of(await silo.ProcessIdAsync());
        return new(silos, Cpu.Of(await _frontEnd.ProcessIdAsync()), Cpu.OfFamily(_server.ProcessId), Cpu.OfThisProcess);
    }

    /// <summary>What was written before is on disk, so that no measurement pays for another.</summary>
    public async Task SettleAsync()
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var checkpoint = new NpgsqlCommand("CHECKPOINT", connection);
        await checkpoint.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Members.Select(member => member.DisposeAsync().AsTask()));
        await _server.DropDatabaseAsync(_connectionString);
        Directory.Delete(_folder, recursive: true);
    }

    private IEnumerable<ClusterMember> Members => _silos.Append(_frontEnd);

    private static string Program(string file) => Path.Combine(AppContext.BaseDirectory, file);
}
