using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using Orleans.Storage;

namespace DataHub.Sharing;

/// <summary>What is stored of an agreement when the store fails.</summary>
public sealed class SharingAgreementGrainTests : IAsyncLifetime
{
    private static readonly Caller s_amt = new("amt", KeyRole.Admin, "1");

    private readonly StoreFaults _faults = new();
    private HubFixture _hub = null!;

    private ISharingAgreementGrain Agreement => _hub.Grains.GetGrain<ISharingAgreementGrain>("v");

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(services: services =>
        {
            var registered = services.Last(service => service.ServiceType == typeof(IGrainStorage) && Equals(service.ServiceKey, "state"));
            services.AddKeyedSingleton<IGrainStorage>("state", (provider, key) => new FaultyGrainStorage((IGrainStorage)registered.KeyedImplementationFactory!(provider, key), _faults));
        });
        foreach (var agency in new[] { "amt", "bezirk" }) await _hub.AgencyAsync(agency);
        await _hub.PutAirQualityAsync("luft", "amt", access: AccessClass.Internal);
        Assert.Equal(CatalogRefusal.None, (await Agreement.PutAsync(s_amt, AgreementRulesTests.Terms() with { Use = new() { Publication = PublicationRule.Free }, Duties = [new("bericht", DutyKind.Report, new("Bericht", null)) { Every = "P1M" }] }, null)).Refusal);
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Theory]
    [InlineData(WriteFault.Refused, AgreementState.Draft)]
    [InlineData(WriteFault.AnswerLost, AgreementState.Offered)]
    public async Task An_act_whose_write_failed_is_found_as_it_was_stored(WriteFault fault, AgreementState expected)
    {
        _faults.FailNext(nameof(IGrainStorage.WriteStateAsync), fault);

        await Assert.ThrowsAnyAsync<Exception>(() => Agreement.ActAsync(s_amt, new(AgreementAct.Offer)));

        AgreementInfo? found = null;
        for (var attempt = 0; attempt < 50 && found?.State != expected; attempt++)
        {
            // The activation that does not know retires; the next one reads what stands.
            found = await Agreement.GetAsync(s_amt);
            if (found?.State != expected) await Task.Delay(50);
        }

        Assert.Equal(expected, found!.State);
        Assert.Equal(expected == AgreementState.Offered ? 2 : 1, (await Agreement.EventsAsync(s_amt, 0, 10))!.Length);
    }
}
