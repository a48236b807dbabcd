using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using Orleans.Storage;

namespace DataHub.Pipelines;

/// <summary>What is left of a key when the store fails while it is destroyed.</summary>
public sealed class PseudonymKeysGrainTests : IAsyncLifetime
{
    private static readonly Caller s_admin = new("amt", KeyRole.Admin, "k");

    private readonly StoreFaults _faults = new();
    private HubFixture _hub = null!;

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(services: services =>
        {
            var registered = services.Last(service => service.ServiceType == typeof(IGrainStorage) && Equals(service.ServiceKey, "state"));
            services.Remove(registered);
            services.AddKeyedSingleton<IGrainStorage>("state", (provider, key) => new FaultyGrainStorage((IGrainStorage)registered.KeyedImplementationFactory!(provider, key), _faults));
        });
        await _hub.AgencyAsync("amt");
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Theory]
    [InlineData(WriteFault.Refused)]
    [InlineData(WriteFault.AnswerLost)]
    public async Task A_destruction_whose_write_failed_stands_as_it_was_stored(WriteFault fault)
    {
        var keys = _hub.Grains.GetGrain<IPseudonymKeysGrain>(PseudonymPurposes.Key("amt", "probe"));
        await keys.RotateAsync(s_admin);
        var secret = await SecretAsync(Caller.Hub);
        Assert.Equal(32, secret!.Length);
        _faults.FailNext(nameof(IGrainStorage.WriteStateAsync), fault);

        await Assert.ThrowsAnyAsync<Exception>(() => keys.DestroyAsync(s_admin, 1, "Zweck erreicht"));

        Assert.Equal(fault == WriteFault.Refused ? secret : null, await SecretAsync(Caller.Hub));
        Assert.Equal(CatalogRefusal.None, (await keys.DestroyAsync(s_admin, 1, "Zweck erreicht")).Refusal);
        Assert.Null(await SecretAsync(Caller.Hub));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => _hub.Grains.GetGrain<IPseudonymSecretGrain>(PseudonymPurposes.Key("amt", "probe")).SecretAsync(s_admin, 1));
    }

    /// <summary>The activation that does not know retires; the next one reads what stands.</summary>
    private async Task<byte[]?> SecretAsync(Caller caller)
    {
        for (var tries = 0; ; tries++, await Task.Delay(50))
        {
            try
            {
                return await _hub.Grains.GetGrain<IPseudonymSecretGrain>(PseudonymPurposes.Key("amt", "probe")).SecretAsync(caller, 1);
            }
            catch (Exception) when (tries < 50)
            {
                // Retired meanwhile.
            }
        }
    }
}
