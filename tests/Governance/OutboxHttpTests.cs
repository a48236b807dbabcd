using System.Net.Http.Json;

using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

using static DataHub.Support.HubFixture;

namespace DataHub.Governance;

/// <summary>What was changed while the audit log took nothing is noted later, also when nobody asks for what was changed again.</summary>
public sealed class OutboxHttpTests
{
    [Fact]
    public async Task After_a_restart_what_the_log_has_not_got_yet_is_noted_without_anybody_touching_it()
    {
        var faults = new StoreFaults();
        await using var hub = await HubFixture.StartAsync(
            new Dictionary<string, string?> { ["DataHub:Audit:Patience"] = "00:00:00.050" },
            services: services =>
            {
                var store = services.Last(service => service.ServiceType == typeof(IAuditStore)).ImplementationFactory!;
                services.Replace(ServiceDescriptor.Singleton<IAuditStore>(provider => new FaultyAuditStore(() => (IAuditStore)store(provider), faults)));
            });
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = "Amt" }));
        faults.FailNext(nameof(IAuditStore.AppendAsync), WriteFault.Refused, times: 1_000);
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/amt/groups/leser", new { name = "Leser" }));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/amt/groups/leser/members/oidc:ada", new { why = "Probe" }));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/dataspaces/raum", new { title = "Raum", owner = "amt" }));
        await hub.RestartAsync();
        faults.CallOff();

        string?[] noted = [];
        for (var tries = 0; noted.Length < 4 && tries < 500; tries++, await Task.Delay(20))
            noted = [.. (await OkAsync(hub.Admin.GetAsync("api/v1/audit?agency=amt&order=oldest"))).RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("action").GetString())];
        Assert.Equal(["agency.created", "dataspace.created", "group.created", "member.added"], noted.Order());
    }
}
