using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using Orleans.Storage;

namespace DataHub.Sharing;

/// <summary>What is stored of a fetch that begins when the store fails.</summary>
public sealed class AgreementRhythmGrainTests : IAsyncLifetime
{
    private readonly StoreFaults _faults = new();
    private HubFixture _hub = null!;

    private IAgreementRhythmGrain Rhythm => _hub.Grains.GetGrain<IAgreementRhythmGrain>("v");

    public async Task InitializeAsync() => _hub = await HubFixture.StartAsync(services: services =>
    {
        var registered = services.Last(service => service.ServiceType == typeof(IGrainStorage) && Equals(service.ServiceKey, "state"));
        services.AddKeyedSingleton<IGrainStorage>("state", (provider, key) => new FaultyGrainStorage((IGrainStorage)registered.KeyedImplementationFactory!(provider, key), _faults));
    });

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Theory]
    [InlineData(WriteFault.Refused)]
    [InlineData(WriteFault.AnswerLost)]
    public async Task A_begin_whose_write_failed_stands_as_it_was_stored_and_can_be_given_back(WriteFault fault)
    {
        var (first, second) = (Request(), Request());
        Assert.Null((await Rhythm.BeginAsync(Caller.Hub, Request() with { Object = "dataset:wasser" })).NotBefore);
        _faults.FailNext(nameof(IGrainStorage.WriteStateAsync), fault);

        await Assert.ThrowsAnyAsync<Exception>(() => Rhythm.BeginAsync(Caller.Hub, first));

        Assert.Equal(fault == WriteFault.AnswerLost, (await BeginAsync(second)).NotBefore is not null);
        if (fault == WriteFault.Refused) return;
        Assert.Null((await BeginAsync(first)).NotBefore);
        await Rhythm.GiveBackAsync(Caller.Hub, first.Id);
        Assert.Null((await BeginAsync(second)).NotBefore);
        Assert.NotNull((await BeginAsync(Request())).NotBefore);
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Rhythm.BeginAsync(Caller.Public, Request()));
    }

    /// <summary>The activation that does not know retires; the next one reads what stands.</summary>
    private async Task<FetchResult> BeginAsync(FetchRequest request)
    {
        for (var tries = 0; ; tries++, await Task.Delay(50))
        {
            try
            {
                return await Rhythm.BeginAsync(Caller.Hub, request);
            }
            catch (Exception) when (tries < 50)
            {
                // Retired meanwhile.
            }
        }
    }

    private static FetchRequest Request() => new(Guid.NewGuid(), "PT1H", "key:bezirk.1", UsageOperations.Rows, "dataset:luft");
}
