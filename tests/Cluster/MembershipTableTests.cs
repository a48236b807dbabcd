using System.Net;

using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

using Npgsql;

using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Runtime;

namespace DataHub.Cluster;

/// <summary>The table of silos in PostgreSQL, through Orleans' own provider over the hub's statements.</summary>
[NeedsPostgres]
public sealed class MembershipTableTests : IAsyncLifetime
{
    private static readonly DateTime s_start = new(2026, 11, 23, 8, 0, 0, DateTimeKind.Utc);

    private readonly List<ServiceProvider> _providers = [];
    private PostgresScratch _scratch = null!;
    private IMembershipTable _table = null!;

    public async Task InitializeAsync()
    {
        if (PostgresServer.Missing is not null) return;
        _scratch = await PostgresScratch.CreateAsync();
        _table = await TableAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var provider in _providers) await provider.DisposeAsync();
        if (_scratch is not null) await _scratch.DisposeAsync();
    }

    [PostgresFact]
    public async Task A_new_cluster_has_a_version_and_no_silo()
    {
        var all = await _table.ReadAllAsync();
        Assert.Empty(all.Members);
        Assert.Equal((0, "0"), (all.Version.Version, all.Version.VersionEtag));
        // Whoever comes second finds it.
        Assert.Equal(0, (await (await TableAsync()).ReadAllAsync()).Version.Version);
    }

    [PostgresFact]
    public async Task A_silo_that_was_put_in_is_read_as_it_was_and_raises_the_version()
    {
        var silo = Silo(1);
        Assert.True(await InsertAsync(silo));
        var all = await _table.ReadAllAsync();
        var read = Assert.Single(all.Members).Item1;
        Assert.Equal(1, all.Version.Version);
        Assert.Equal(
            (silo.SiloAddress, silo.SiloName, silo.HostName, silo.Status, silo.ProxyPort, silo.StartTime, silo.IAmAliveTime),
            (read.SiloAddress, read.SiloName, read.HostName, read.Status, read.ProxyPort, read.StartTime, read.IAmAliveTime));
        Assert.Equal(silo.SiloAddress, Assert.Single((await _table.ReadRowAsync(silo.SiloAddress)).Members).Item1.SiloAddress);
        // A row that is not there still comes with the version.
        var none = await _table.ReadRowAsync(Silo(9).SiloAddress);
        Assert.Empty(none.Members);
        Assert.Equal(1, none.Version.Version);
    }

    [PostgresFact]
    public async Task An_insert_by_an_older_version_changes_nothing()
    {
        var old = (await _table.ReadAllAsync()).Version;
        Assert.True(await InsertAsync(Silo(1)));
        Assert.False(await _table.InsertRowAsync(Silo(2), old.Next()));
        await StandsAsync(1, Silo(1).SiloAddress);
    }

    [PostgresFact]
    public async Task The_same_silo_is_put_in_once()
    {
        Assert.True(await InsertAsync(Silo(1)));
        Assert.False(await InsertAsync(Silo(1)));
        await StandsAsync(1, Silo(1).SiloAddress);
    }

    [PostgresFact]
    public async Task An_update_by_an_older_version_changes_nothing()
    {
        var silo = Silo(1);
        Assert.True(await InsertAsync(silo));
        var read = await _table.ReadAllAsync();
        Assert.True(await InsertAsync(Silo(2)));

        silo.Status = SiloStatus.Dead;
        Assert.False(await _table.UpdateRowAsync(silo, read.Members[0].Item2, read.Version.Next()));
        Assert.All((await _table.ReadAllAsync()).Members, member => Assert.Equal(SiloStatus.Active, member.Item1.Status));

        read = await _table.ReadAllAsync();
        silo.AddSuspector(Silo(2).SiloAddress, s_start.AddMinutes(1));
        Assert.True(await _table.UpdateRowAsync(silo, read.Members[0].Item2, read.Version.Next()));
        var dead = (await _table.ReadRowAsync(silo.SiloAddress)).Members[0].Item1;
        Assert.Equal(SiloStatus.Dead, dead.Status);
        Assert.Equal((Silo(2).SiloAddress, s_start.AddMinutes(1)), (dead.SuspectTimes![0].Item1, dead.SuspectTimes[0].Item2));
        Assert.Equal(3, (await _table.ReadAllAsync()).Version.Version);
    }

    [PostgresFact]
    public async Task An_update_of_a_silo_that_is_not_there_changes_nothing()
    {
        Assert.True(await InsertAsync(Silo(1)));
        var read = await _table.ReadAllAsync();
        Assert.False(await _table.UpdateRowAsync(Silo(2), read.Version.VersionEtag, read.Version.Next()));
        await StandsAsync(1, Silo(1).SiloAddress);
    }

    [PostgresFact]
    public async Task Of_many_that_join_at_once_by_the_same_version_one_does()
    {
        var tables = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TableAsync()));
        var version = (await _table.ReadAllAsync()).Version.Next();
        var joined = await Task.WhenAll(tables.Select((table, i) => Task.Run(() => table.InsertRowAsync(Silo(i + 1), version))));
        Assert.Single(joined, true);
        var all = await _table.ReadAllAsync();
        Assert.Equal((1, 1), (all.Members.Count, all.Version.Version));
    }

    [PostgresFact]
    public async Task A_sign_of_life_changes_the_time_and_not_the_version_and_never_goes_back()
    {
        var silo = Silo(1);
        Assert.True(await InsertAsync(silo));
        silo.IAmAliveTime = s_start.AddMinutes(5);
        await _table.UpdateIAmAliveAsync(silo);
        silo.IAmAliveTime = s_start.AddMinutes(4);
        await _table.UpdateIAmAliveAsync(silo);
        var all = await _table.ReadAllAsync();
        Assert.Equal((1, s_start.AddMinutes(5)), (all.Version.Version, all.Members[0].Item1.IAmAliveTime));
    }

    [PostgresFact]
    public async Task Long_dead_silos_are_cleaned_up_and_living_ones_stay()
    {
        var (dead, living) = (Silo(1), Silo(2));
        dead.Status = SiloStatus.Dead;
        Assert.True(await InsertAsync(dead));
        Assert.True(await InsertAsync(living));
        await _table.CleanupDefunctSiloEntriesAsync(s_start.AddDays(-1));
        Assert.Equal(2, (await _table.ReadAllAsync()).Members.Count);
        await _table.CleanupDefunctSiloEntriesAsync(s_start.AddDays(1));
        Assert.Equal(living.SiloAddress, Assert.Single((await _table.ReadAllAsync()).Members).Item1.SiloAddress);
    }

    [PostgresFact]
    public async Task Clusters_of_other_names_do_not_see_each_other()
    {
        Assert.True(await InsertAsync(Silo(1)));
        Assert.Empty((await (await TableAsync("other")).ReadAllAsync()).Members);
        await _table.DeleteMembershipTableEntriesAsync("datahub");
        Assert.Empty((await _table.ReadAllAsync()).Members);
    }

    [PostgresFact]
    public async Task A_client_finds_the_gateways_of_active_silos()
    {
        var (active, dead, withoutGateway) = (Silo(1), Silo(2), Silo(3));
        dead.Status = SiloStatus.Dead;
        withoutGateway.ProxyPort = 0;
        foreach (var silo in new[] { active, dead, withoutGateway }) Assert.True(await InsertAsync(silo));
        var builder = Host.CreateApplicationBuilder();
        builder.UseOrleansClient(client => client
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("datahub", "datahub"))
            .UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", Connection)));
        using var host = builder.Build();
        var gateways = host.Services.GetRequiredService<IGatewayListProvider>();
        await gateways.InitializeGatewayListProvider();
        var found = Assert.Single(await gateways.GetGateways()).ToGatewayAddress()!;
        Assert.Equal(new IPEndPoint(active.SiloAddress.Endpoint.Address, active.ProxyPort), found.Endpoint);
    }

    private string Connection => new NpgsqlConnectionStringBuilder(_scratch.ConnectionString) { SearchPath = "orleans" }.ConnectionString;

    private static MembershipEntry Silo(int number) => new()
    {
        SiloAddress = SiloAddress.New(IPAddress.Parse("10.0.0." + number), 11_111, 100 + number),
        SiloName = "silo-" + number,
        HostName = "host-" + number,
        Status = SiloStatus.Active,
        ProxyPort = 30_000,
        StartTime = s_start,
        IAmAliveTime = s_start,
    };

    private async Task<bool> InsertAsync(MembershipEntry silo) => await _table.InsertRowAsync(silo, (await _table.ReadAllAsync()).Version.Next());

    private async Task StandsAsync(int version, params SiloAddress[] silos)
    {
        var all = await _table.ReadAllAsync();
        Assert.Equal(version, all.Version.Version);
        Assert.Equal(silos, all.Members.Select(member => member.Item1.SiloAddress));
    }

    private async Task<IMembershipTable> TableAsync(string cluster = "datahub")
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.UseOrleans(silo => silo
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster, "datahub"))
            .ConfigureEndpoints(IPAddress.Loopback, 1, 0)
            .UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", Connection)));
        var provider = builder.Services.BuildServiceProvider();
        _providers.Add(provider);
        var table = provider.GetRequiredService<IMembershipTable>();
        await table.InitializeMembershipTableAsync(tryInitTableVersion: true);
        return table;
    }
}
