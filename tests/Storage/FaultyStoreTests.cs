using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Hosting;
using DataHub.Storage.Sqlite;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using Orleans.Runtime;
using Orleans.Storage;

namespace DataHub.Storage;

/// <summary>The tests' own tools do what they say.</summary>
public sealed class FaultyStoreTests : IAsyncLifetime
{
    private const string Append = nameof(ILogStore.AppendAsync);

    private readonly SqliteFolder _folder = new();
    private FaultyLogStore _log = null!;
    private long _epoch;

    public async Task InitializeAsync()
    {
        _log = new(new SqliteLogStore(_folder.Open("log.db", "Log"), TimeProvider.System));
        _epoch = (await _log.ClaimAsync(0, default)).Epoch;
    }

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    [Fact]
    public async Task Refused_does_nothing_and_answer_lost_does_it()
    {
        _log.Faults.FailNext(Append, WriteFault.Refused);
        _log.Faults.FailNext(Append, WriteFault.AnswerLost, after: 1);

        await Assert.ThrowsAsync<StoreFaultException>(() => AppendAsync(1));
        Assert.Equal(0, await _log.HeadAsync("air/0", default));
        Assert.True(await AppendAsync(1));
        await Assert.ThrowsAsync<StoreFaultException>(() => AppendAsync(2));
        Assert.Equal(2, await _log.HeadAsync("air/0", default));
        Assert.True(await AppendAsync(3));
        Assert.Equal(4, _log.Faults.Calls(Append));
    }

    [Fact]
    public async Task Calls_are_held_before_they_begin_or_before_they_answer()
    {
        var begin = _log.Faults.Hold(Append);
        var first = AppendAsync(1);
        await begin.Reached;
        Assert.Equal(0, await _log.HeadAsync("air/0", default));
        begin.Release();
        Assert.True(await first);

        var answer = _log.Faults.HoldAnswers(Append);
        var second = AppendAsync(2);
        await answer.Reached;
        Assert.Equal(2, await _log.HeadAsync("air/0", default));
        Assert.False(second.IsCompleted);
        answer.Release();
        Assert.True(await second);
    }

    [Fact]
    public async Task A_lost_answer_of_the_grains_storage_leaves_the_state_stored_and_its_version_unknown()
    {
        var faults = new StoreFaults();
        using var folder = new TemporaryFolder();
        using var host = SqliteHost.Build(folder.FullName, also: silo => silo.AddGrainStorageFaults(SqliteStorageExtensions.StateProvider, faults));
        await host.StartAsync();
        var storage = host.Services.GetRequiredKeyedService<IGrainStorage>(SqliteStorageExtensions.StateProvider);
        var id = GrainId.Create("agency", "a");
        var state = new GrainState<AgencyInfo>(new("a", new("Umwelt", null)));
        faults.FailNext(nameof(IGrainStorage.WriteStateAsync), WriteFault.AnswerLost);

        await Assert.ThrowsAsync<StoreFaultException>(() => storage.WriteStateAsync("agency", id, state));

        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("agency", id, state));
        var read = new GrainState<AgencyInfo>(new("", new("", null)));
        await storage.ReadStateAsync("agency", id, read);
        Assert.Equal("Umwelt", read.State!.Name.De);
        await host.StopAsync();
    }

    private Task<bool> AppendAsync(long position) => _log.AppendAsync(0, _epoch, position - 1, [LogBatches.At(0, position, "air/0", position)], default);
}
