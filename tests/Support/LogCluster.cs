using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Hosting;
using DataHub.Indicators;

using Microsoft.Extensions.DependencyInjection;

using Orleans.TestingHost;

namespace DataHub.Support;

/// <summary>
/// An in-process cluster over real SQLite stores that can be made to fail. The stores outlive the silos, as files
/// outlive a process.
/// </summary>
public sealed class LogCluster : IAsyncLifetime
{
    private InProcessTestCluster _cluster = null!;

    internal TemporaryStores Stores { get; private set; } = null!;

    internal InProcessTestCluster Cluster => _cluster;

    internal IGrainFactory Grains => _cluster.Client;

    public async Task InitializeAsync()
    {
        Stores = TemporaryStores.Open();
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSettings();
            silo.Services.AddSingleton<ILogStore>(Stores.Log);
            silo.Services.AddSingleton<IHistoryStore>(Stores.History);
            silo.Services.AddSingleton<ICellStore>(Stores.Cells);
            silo.AddGrainState(Stores.StateConnectionString);
            silo.AddLogStreams();
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
        await Grains.GetGrain<IAgencyGrain>("senumvk").PutAsync(Caller.Hub, new("Umwelt", null));
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await Stores.DisposeAsync();
    }
}
