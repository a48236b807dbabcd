using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Hosting;
using DataHub.Indicators;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.TestingHost;

namespace DataHub.Support;

/// <summary>
/// An in-process cluster over the real stores, each of which can be made to fail. The stores outlive the silos, as files
/// outlive a process; rows go in and cells come out through the grains.
/// </summary>
public sealed class LogCluster : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private InProcessTestCluster _cluster = null!;
    private int _receipts;

    internal TemporaryStores Stores { get; private set; } = null!;

    internal InProcessTestCluster Cluster => _cluster;

    internal IGrainFactory Grains => _cluster.Client;

    public async Task InitializeAsync()
    {
        Stores = TemporaryStores.Open();
        await StartAsync();
        Assert.Equal(CatalogRefusal.None, (await Grains.GetGrain<IAgencyGrain>("senumvk").PutAsync(Caller.Hub, new("Umwelt", null))).Refusal);
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await Stores.DisposeAsync();
    }

    /// <summary>The whole cluster dies without a chance to store anything, and another begins on the same stores.</summary>
    /// <param name="meanwhile">Runs while nobody is there.</param>
    public async Task KillAndRestartAsync(Func<Task>? meanwhile = null)
    {
        foreach (var silo in _cluster.Silos.ToArray()) await _cluster.KillSiloAsync(silo);
        await _cluster.DisposeAsync();
        if (meanwhile is not null) await meanwhile();
        await StartAsync();
    }

    /// <summary>The stream's agents stop and start again from the lowest stored position: everything after it is delivered once more.</summary>
    public async Task RewindStreamsAsync()
    {
        var management = Grains.GetGrain<IManagementGrain>(0);
        await management.SendControlCommandToProvider<PersistentStreamProvider>(LogStream.Provider, (int)PersistentStreamProviderCommand.StopAgents, null!);
        await management.SendControlCommandToProvider<PersistentStreamProvider>(LogStream.Provider, (int)PersistentStreamProviderCommand.StartAgents, null!);
    }

    /// <summary>A dataset of one series of numbers, with a sum and a minimum by the hour.</summary>
    public async Task DescribeAsync(string dataset)
    {
        var schema = new TableSchema(1,
            [
                new("station", FieldType.String, null, FieldRole.Series, new(Required: true), null, null, null),
                new("time", FieldType.DateTime, null, FieldRole.Time, new(Required: true), null, null, null),
                new("value", FieldType.Number, null, FieldRole.Measure, FieldConstraints.None, null, null, null),
            ],
            ["station", "time"], [""]);
        var made = await Grains.GetGrain<IDatasetGrain>(dataset).PutAsync(Caller.Hub, new(new(dataset, null), "senumvk", DatasetKind.Observations, AccessClass.Open, "dl-de/by-2-0", null, schema, null));
        Assert.Equal(CatalogRefusal.None, made.Refusal);
        foreach (var function in new[] { MeasureFunction.Sum, MeasureFunction.Min })
        {
            var put = await Grains.GetGrain<IIndicatorGrain>(Indicator(dataset, function)).PutAsync(Caller.Hub, new(
                new(dataset, null), dataset, function, "value", "PT1H", "Europe/Berlin", false, [], null, null, AccessClass.Open));
            Assert.Equal(CatalogRefusal.None, put.Refusal);
        }
    }

    /// <summary>Pushes until it is acknowledged, with one key.</summary>
    internal async Task<PartReceipt> PushAsync(string dataset, params (int Minute, double Value)[] rows)
    {
        var info = await Grains.GetGrain<IDatasetGrain>(dataset).GetAsync(Caller.Hub);
        var part = Part(dataset, rows);
        for (var attempt = 0; attempt < 100; attempt++)
        {
            try
            {
                var result = await Grains.GetGrain<ILogShardGrain>(info!.Partitions[0].Shard).AppendAsync(Caller.Hub, part);
                if (result.Receipt is { } receipt) return receipt;
                Assert.Equal(AppendRefusal.Unavailable, result.Refusal);
            }
            catch (Exception e) when (e is StoreFaultException or OrleansException or TimeoutException)
            {
                // A writer that could not even claim its shard; the front-end says 503.
            }

            await Task.Delay(20);
        }

        throw new InvalidOperationException($"{dataset}: not acknowledged");
    }

    internal PushPart Part(string dataset, params (int Minute, double Value)[] rows)
    {
        var number = Interlocked.Increment(ref _receipts);
        return new(dataset, PartitionKeys.Of(dataset, 0), "default", $"R{number:D8}", $"key-{number}", [1], 0, 1, 1, 0, Rows(rows), []);
    }

    internal static RowBlock Rows(params (int Minute, double Value)[] rows) => new()
    {
        Count = rows.Length,
        Columns =
        [
            Column.OfTexts([.. rows.Select(_ => "s")]),
            Column.OfIntegers([.. rows.Select(row => Start.AddMinutes(row.Minute).UtcTicks)]),
            Column.OfNumbers([.. rows.Select(row => row.Value)]),
        ],
    };

    /// <summary>The value of the first hour and its number of rows, including a receipt's rows; asked again while the hub says "not yet".</summary>
    internal async Task<(double? Value, long? Count)> FirstHourAsync(string dataset, MeasureFunction function, PartReceipt including)
    {
        var watermark = new Watermark(await Stores.RealLog.IncarnationAsync(CancellationToken.None), dataset, [including.Sequence]);
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var result = await Grains.GetGrain<IIndicatorGrain>(Indicator(dataset, function)).ValuesAsync(Caller.Public, new(null, null, false, null, null, watermark, null, 10));
            if (result.Page is { } page) return page.Rows.Length == 0 ? (null, 0) : (page.Rows[0].Value, page.Rows[0].Count);
            Assert.True(result.Refusal is ReadRefusal.NotYet or ReadRefusal.Unavailable, $"{result.Refusal} {result.Detail}");
            await Task.Delay(50);
        }

        throw new InvalidOperationException($"{dataset}: never answered");
    }

    /// <summary>How far the fold and history of a dataset are stored, read behind everybody's back.</summary>
    internal async Task<(long Fold, long History)> StoredAsync(string dataset)
    {
        var partition = PartitionKeys.Of(dataset, 0);
        var positions = await Stores.RealCells.PositionsAsync(partition, CancellationToken.None);
        return (positions.FirstOrDefault(position => position.Indicator == PartitionFold.Position)?.Sequence ?? 0,
            (await Stores.RealHistory.PositionAsync(partition, CancellationToken.None)).Sequence);
    }

    public static string Indicator(string dataset, MeasureFunction function) => $"{dataset}-{function.ToString().ToLowerInvariant()}";

    private async Task StartAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        // State belongs to a service: the next cluster is the same one.
        builder.Options.ServiceId = "datahub";
        builder.ConfigureSilo((_, silo) =>
        {
            Hub.Settings.AddTo(silo.Services);
            silo.AddSqliteStorage(Stores.Sqlite!);
            silo.Services.Replace(ServiceDescriptor.Singleton<ILogStore>(Stores.Log));
            silo.Services.Replace(ServiceDescriptor.Singleton<IHistoryStore>(Stores.History));
            silo.Services.Replace(ServiceDescriptor.Singleton<ICellStore>(Stores.Cells));
            silo.AddLogStreams();
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }
}
