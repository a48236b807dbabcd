using DataHub.Catalog;

using Orleans.Runtime;
using Orleans.Storage;

namespace DataHub.Support;

/// <summary>What the storage of grains' state promises. An adapter's tests derive from it and say how to make one.</summary>
public abstract class GrainStorageConformance : IAsyncLifetime
{
    private protected IGrainStorage Storage { get; private set; } = null!;

    /// <summary>A storage of the test's own, empty at first.</summary>
    private protected abstract Task<IGrainStorage> CreateAsync();

    protected abstract Task CloseAsync();

    public async Task InitializeAsync() => Storage = await CreateAsync();

    public Task DisposeAsync() => CloseAsync();

    [ConformanceFact]
    public async Task What_was_written_is_read()
    {
        foreach (var grain in new[] { "agency/senumvk", "agency/größe", "indicator/a+b", "shard/0000000000000003", "thing/8b5f1f8a00000000000000000000abcd" })
        {
            var id = GrainId.Parse(grain, null);
            var state = await ReadAsync(id);
            Assert.False(state.RecordExists);
            state.State = Agency("Umwelt");
            await Storage.WriteStateAsync("agency", id, state);

            var read = await ReadAsync(id);

            Assert.True(read.RecordExists);
            Assert.Equal("Umwelt", read.State!.Name.De);
            Assert.Equal(state.ETag, read.ETag);
            Assert.False((await ReadAsync(GrainId.Create("agency", "another"))).RecordExists);
            Assert.False((await ReadAsync(id, "keys")).RecordExists);
        }
    }

    [ConformanceFact]
    public async Task Every_write_continues_the_one_before()
    {
        var id = GrainId.Create("agency", "a");
        var state = await ReadAsync(id);
        for (var i = 0; i < 3; i++)
        {
            state.State = Agency($"v{i}");
            await Storage.WriteStateAsync("agency", id, state);
        }

        var read = await ReadAsync(id);
        Assert.Equal(("v2", state.ETag), (read.State!.Name.De, read.ETag));
    }

    [ConformanceFact]
    public async Task A_writer_that_holds_an_older_version_is_refused()
    {
        var id = GrainId.Create("agency", "a");
        var (one, two) = (await ReadAsync(id), await ReadAsync(id));
        one.State = Agency("one");
        await Storage.WriteStateAsync("agency", id, one);
        two.State = Agency("two");
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync("agency", id, two));

        two = await ReadAsync(id);
        one.State = Agency("one again");
        await Storage.WriteStateAsync("agency", id, one);
        two.State = Agency("two");
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync("agency", id, two));
        Assert.Equal("one again", (await ReadAsync(id)).State!.Name.De);
    }

    [ConformanceFact]
    public async Task Of_many_concurrent_first_writes_one_wins_and_the_grain_reads_it()
    {
        const int Writers = 16;
        var id = GrainId.Create("agency", "contested");
        var states = await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => ReadAsync(id)));
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writes = states.Select((state, i) => Task.Run(async () =>
        {
            await start.Task;
            state.State = Agency($"w{i}");
            try
            {
                await Storage.WriteStateAsync("agency", id, state);
                return state;
            }
            catch (InconsistentStateException)
            {
                return null;
            }
        })).ToArray();
        start.SetResult();

        var winner = Assert.Single(await Task.WhenAll(writes), w => w is not null)!;

        var read = await ReadAsync(id);
        Assert.Equal((winner.State!.Name.De, winner.ETag), (read.State!.Name.De, read.ETag));
    }

    [ConformanceFact]
    public async Task A_cleared_state_is_gone_and_can_be_written_again()
    {
        var id = GrainId.Create("agency", "a");
        var state = await ReadAsync(id);
        state.State = Agency("one");
        await Storage.WriteStateAsync("agency", id, state);
        var stale = await ReadAsync(id);

        await Storage.ClearStateAsync("agency", id, state);

        Assert.False((await ReadAsync(id)).RecordExists);
        stale.State = Agency("stale");
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync("agency", id, stale));
        var fresh = await ReadAsync(id);
        fresh.State = Agency("two");
        await Storage.WriteStateAsync("agency", id, fresh);
        Assert.Equal("two", (await ReadAsync(id)).State!.Name.De);
    }

    [ConformanceFact]
    public async Task Many_grains_at_once_are_all_stored()
    {
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            var id = GrainId.Create("agency", $"many-{i}");
            var state = await ReadAsync(id);
            state.State = Agency($"n{i}");
            await Storage.WriteStateAsync("agency", id, state);
        }));

        for (var i = 0; i < 100; i++) Assert.Equal($"n{i}", (await ReadAsync(GrainId.Create("agency", $"many-{i}"))).State!.Name.De);
    }

    private async Task<GrainState<AgencyInfo>> ReadAsync(GrainId id, string name = "agency")
    {
        var state = new GrainState<AgencyInfo>(new("", new("", null)));
        await Storage.ReadStateAsync(name, id, state);
        return state;
    }

    private static AgencyInfo Agency(string name) => new("a", new(name, null));
}
