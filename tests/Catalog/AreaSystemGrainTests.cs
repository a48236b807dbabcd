using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using Orleans.Storage;

namespace DataHub.Catalog;

public sealed class AreaSystemGrainTests : IAsyncLifetime
{
    private static readonly Caller s_admin = new(Caller.PlatformAgency, KeyRole.Admin, "k");

    private readonly StoreFaults _faults = new();
    private HubFixture _hub = null!;

    public async Task InitializeAsync() => _hub = await HubFixture.StartAsync(services: services =>
    {
        var registered = services.Last(s => s.ServiceType == typeof(IGrainStorage) && Equals(s.ServiceKey, "state"));
        services.Remove(registered);
        services.AddKeyedSingleton<IGrainStorage>("state", (provider, key) => new FaultyGrainStorage((IGrainStorage)registered.KeyedImplementationFactory!(provider, key), _faults));
    });

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task A_version_whose_write_was_answered_as_failed_is_found_and_putting_it_again_changes_nothing()
    {
        // The list of systems is written before.
        _faults.FailNext(nameof(IGrainStorage.WriteStateAsync), WriteFault.AnswerLost, after: 1);
        await Assert.ThrowsAnyAsync<Exception>(() => PutAsync("lost", "Eins"));

        Assert.Equal("Eins", (await System("lost").GetAsync(s_admin, null))!.Areas[0].Name);
        Assert.Equal(new AreaSystemResult(AreaRefusal.None, 1, 1, null), await PutAsync("lost", "Eins"));
    }

    [Fact]
    public async Task A_version_that_was_not_stored_is_not_there_and_can_be_put_again()
    {
        _faults.FailNext(nameof(IGrainStorage.WriteStateAsync), WriteFault.Refused, after: 1);
        await Assert.ThrowsAnyAsync<Exception>(() => PutAsync("refused", "Eins"));

        Assert.Null(await System("refused").GetAsync(s_admin, null));
        Assert.Equal(new AreaSystemResult(AreaRefusal.None, 1, 1, null) { Changed = true }, await PutAsync("refused", "Eins"));
    }

    [Fact]
    public async Task Who_reads_while_a_version_is_written_sees_the_one_before()
    {
        await PutAsync("busy", "Eins");
        using var held = _faults.HoldAnswers(nameof(IGrainStorage.WriteStateAsync));
        var putting = PutAsync("busy", "Zwei");
        await held.Reached;

        Assert.Equal(1, (await System("busy").PresentAsync(s_admin))!.Version);
        Assert.Equal("Eins", (await System("busy").GetAsync(s_admin, null))!.Areas[0].Name);
        held.Release();

        Assert.Equal(2, (await putting).Version);
        Assert.Equal(2, (await System("busy").PresentAsync(s_admin))!.Version);
        Assert.Equal("Eins", (await System("busy").GetAsync(s_admin, 1))!.Areas[0].Name);
        Assert.Null(await System("busy").GetAsync(s_admin, 3));
    }

    [Fact]
    public async Task Datasets_attach_side_by_side_also_when_a_write_fails()
    {
        await PutAsync("attached", "Eins");
        _faults.FailNext(nameof(IGrainStorage.WriteStateAsync), WriteFault.AnswerLost);

        var attaching = Enumerable.Range(0, 10).Select(i => System("attached").AttachAsync(Caller.Hub, $"dataset-{i}")).ToArray();
        await Task.WhenAll(attaching.Select(a => a.ContinueWith(_ => true, TaskScheduler.Default)));

        Assert.Contains(attaching, a => a.IsFaulted);
        foreach (var i in Enumerable.Range(0, 10)) Assert.Equal(1, await System("attached").AttachAsync(Caller.Hub, $"dataset-{i}"));
        Assert.Equal(0, await System("nowhere").AttachAsync(Caller.Hub, "dataset-0"));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => System("attached").AttachAsync(Caller.Public, "dataset-0"));
    }

    private IAreaSystemGrain System(string id) => _hub.Grains.GetGrain<IAreaSystemGrain>(id);

    private Task<AreaSystemResult> PutAsync(string id, string name) => System(id).PutAsync(s_admin, null, [new("01", null, name, 0, null, null)], null);
}
