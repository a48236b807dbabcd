using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Support;

/// <summary>
/// A cluster of real processes on 127.0.0.1 over a real PostgreSQL: silos, and front-ends that know the silos' gateways but
/// not the database. The platform's admin key comes from a file, as an operator's secret would.
/// </summary>
internal sealed class ClusterProcesses : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<HttpClient> _clients = [];
    private readonly PostgresServer _server;
    private readonly string _connectionString;
    private readonly string _reached;
    private readonly bool _ownsServer;

    private ClusterProcesses(PostgresServer server, bool ownsServer, string connectionString, int silos, int frontEnds, IReadOnlyDictionary<string, string>? settings)
    {
        (_server, _ownsServer, _connectionString) = (server, ownsServer, connectionString);
        _reached = settings?.GetValueOrDefault("DATAHUB__POSTGRES__CONNECTIONSTRING") ?? connectionString;
        _ = ApiKey.Create(Caller.PlatformAgency, out var key);
        AdminKey = key;
        var keyFile = Path.Combine(_folder.FullName, "admin.key");
        File.WriteAllText(keyFile, key + "\n");
        var ports = Enumerable.Range(0, silos).Select(_ => (Silo: Ports.Free(), Gateway: Ports.Free())).ToArray();
        Silos =
        [
            .. ports.Select((port, number) => new ClusterMember($"silo-{number}", Program("silo", "DataHub.Silo.dll"), Ports.Free(), With(settings, new()
            {
                ["DATAHUB__POSTGRES__CONNECTIONSTRING"] = connectionString,
                ["DATAHUB__CLUSTER__SILOPORT"] = Text(port.Silo),
                ["DATAHUB__CLUSTER__GATEWAYPORT"] = Text(port.Gateway),
                ["DATAHUB__CLUSTER__ADMINKEYFILE"] = keyFile,
                // The tests' machine is always busy.
                ["DATAHUB__CLUSTER__SHEDATCPU"] = "100",
                ["POD_NAME"] = $"silo-{number}",
            }))),
        ];
        var gateways = string.Join(';', ports.Select(port => $"127.0.0.1:{port.Gateway}"));
        FrontEnds = [.. Enumerable.Range(0, frontEnds).Select(number => new ClusterMember($"front-end-{number}", Program("client-api", "DataHub.ClientApi.dll"), Ports.Free(), With(null, new() { ["DATAHUB__CLUSTER__GATEWAYS"] = gateways })))];
    }

    public ClusterMember[] Silos { get; }

    public ClusterMember[] FrontEnds { get; }

    public IEnumerable<ClusterMember> Members => Silos.Concat(FrontEnds);

    /// <summary>The platform's first admin key.</summary>
    public string AdminKey { get; }

    /// <summary>The administrator's connection to the cluster's database.</summary>
    public string ConnectionString => _connectionString;

    public PostgresServer Server => _server;

    /// <summary>Runs a command of the silo's program to its end, with the silos' way to the database.</summary>
    public Task<(int ExitCode, string Output, string Errors)> CommandAsync(params string[] arguments) =>
        HubProcess.RunAsync(new Dictionary<string, string> { ["DATAHUB__POSTGRES__CONNECTIONSTRING"] = _reached }, arguments);

    /// <summary>Prepares a cluster and starts nothing.</summary>
    /// <param name="settings">Further ones of the silos, such as <c>DATAHUB__LOG__SHARDS</c>.</param>
    /// <param name="ownServer">A PostgreSQL that the test may kill.</param>
    /// <param name="reach">How the silos reach the database, if not directly: makes another connection string of one.</param>
    public static async Task<ClusterProcesses> CreateAsync(
        int silos, int frontEnds, IReadOnlyDictionary<string, string>? settings = null, bool ownServer = false, Func<PostgresServer, string, string>? reach = null)
    {
        var server = ownServer ? await PostgresServer.StartAsync() : await PostgresServer.SharedAsync();
        var connectionString = await server.CreateDatabaseAsync();
        return new(server, ownServer, connectionString, silos, frontEnds, With(settings, reach is null ? [] : new() { ["DATAHUB__POSTGRES__CONNECTIONSTRING"] = reach(server, connectionString) }));
    }

    /// <summary>Starts all at once and waits until all are ready.</summary>
    public static async Task<ClusterProcesses> StartAsync(int silos, int frontEnds, IReadOnlyDictionary<string, string>? settings = null, bool ownServer = false)
    {
        var cluster = await CreateAsync(silos, frontEnds, settings, ownServer);
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

    /// <summary>A client of a front-end that sends a key, or none.</summary>
    public HttpClient Client(int frontEnd, string? key)
    {
        var client = new HttpClient { BaseAddress = FrontEnds[frontEnd].Address, Timeout = TimeSpan.FromSeconds(40) };
        if (key is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        _clients.Add(client);
        return client;
    }

    /// <summary>Makes an agency with a dataset of stations' numbers, and an indicator <c>{dataset}-sum</c> of their sum by the hour.</summary>
    /// <returns>A key that may push.</returns>
    public async Task<string> DescribeAsync(params string[] datasets)
    {
        var admin = Client(0, AdminKey);
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = new { de = "Amt" } }));
        var made = await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/agencies/amt/keys", new { role = "push" }));
        await Parallel.ForEachAsync(datasets, new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (dataset, stop) =>
        {
            await HubFixture.OkAsync(admin.PutAsJsonAsync($"api/v1/datasets/{dataset}", Dataset(dataset), stop));
            await HubFixture.OkAsync(admin.PutAsJsonAsync($"api/v1/indicators/{dataset}-sum", SumOf(dataset), stop));
        });

        return made.RootElement.GetProperty("key").GetString()!;
    }

    /// <summary>A dataset of stations' numbers, published by the agency <c>amt</c>.</summary>
    public static object Dataset(string dataset) => new
    {
        title = new { de = dataset },
        publisher = "amt",
        license = "dl-de/by-2-0",
        kind = "observations",
        access = "open",
        schema = new
        {
            primaryKey = new[] { "station", "time" },
            fields = new object[]
            {
                new { name = "station", type = "string", role = "series" },
                new { name = "time", type = "datetime", role = "time" },
                new { name = "value", type = "number", role = "measure" },
            },
        },
    };

    /// <summary>The indicator of its sum by the hour.</summary>
    public static object SumOf(string dataset) => new
    {
        title = new { de = dataset },
        dataset,
        measure = new { function = "sum", field = "value" },
        window = "PT1H",
        access = "open",
    };

    /// <summary>Pushes one row, of the second of an hour that is over.</summary>
    /// <returns>The answer, not yet looked at.</returns>
    public static Task<HttpResponseMessage> PushAsync(HttpClient client, string dataset, string key, int second, double value)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/datasets/{dataset}/feeds/default/records")
        {
            Content = JsonContent.Create(new[] { new { station = "s", time = new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero).AddSeconds(second), value } }),
        };
        request.Headers.Add("Idempotency-Key", key);
        return client.SendAsync(request);
    }

    /// <summary>Pushes with the same key until it is acknowledged.</summary>
    public static async Task<JsonDocument> UntilTakenAsync(HttpClient client, string dataset, string key, int second, TimeSpan patience)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            using var answer = await PushAsync(client, dataset, key, second, 1);
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.IsSuccessStatusCode) return JsonDocument.Parse(text);
            Assert.True((int)answer.StatusCode == 503 && waited.Elapsed < patience, $"{dataset}: {(int)answer.StatusCode} after {waited.Elapsed}: {text}");
            Assert.DoesNotContain("Orleans", text, StringComparison.Ordinal);
            await Task.Delay(100);
        }
    }

    /// <summary>Sum and number of rows of all hours as of a watermark at least.</summary>
    public static Task<(double Sum, long Count)> SumAsync(HttpClient client, string dataset, string watermark) =>
        SumAsync(client.GetAsync($"api/v1/indicators/{dataset}-sum/values?from=2026-11-23&watermark={Uri.EscapeDataString(watermark)}"));

    /// <summary>Sum and number of rows of all hours in an answer.</summary>
    public static async Task<(double Sum, long Count)> SumAsync(Task<HttpResponseMessage> answer)
    {
        var values = await HubFixture.OkAsync(answer);
        var rows = values.RootElement.GetProperty("rows").EnumerateArray().ToArray();
        return (rows.Sum(row => row.GetProperty("value").GetDouble()), rows.Sum(row => row.GetProperty("count").GetInt64()));
    }

    public static string Watermark(JsonDocument receipt) => receipt.RootElement.GetProperty("watermark").GetString()!;

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        await Task.WhenAll(Members.Select(member => member.DisposeAsync().AsTask()));
        if (_ownsServer) await _server.DisposeAsync();
        else await _server.DropDatabaseAsync(_connectionString);
        _folder.Dispose();
    }

    /// <summary>A program as it was built beside these tests, in the same configuration.</summary>
    private static string Program(string room, string file) =>
        Path.Combine(new DirectoryInfo(Path.GetDirectoryName(HubProcess.Program)!).Parent!.Parent!.Parent!.Parent!.FullName, room, Path.Combine("bin", new DirectoryInfo(Path.GetDirectoryName(HubProcess.Program)!).Parent!.Name, new DirectoryInfo(Path.GetDirectoryName(HubProcess.Program)!).Name), file);

    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string>? settings, Dictionary<string, string> own)
    {
        foreach (var (name, value) in settings ?? new Dictionary<string, string>()) own[name] = value;
        return own;
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
