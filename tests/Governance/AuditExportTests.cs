using System.Net.Http.Json;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

using static DataHub.Support.HubFixture;

namespace DataHub.Governance;

/// <summary>An export that takes long.</summary>
public sealed class AuditExportTests
{
    [Fact]
    public async Task It_breaks_off_where_its_key_was_revoked_and_does_not_look_like_a_whole_one()
    {
        var faults = new StoreFaults();
        await using var hub = await HubFixture.StartAsync(services: services =>
        {
            var store = services.Last(service => service.ServiceType == typeof(IAuditStore)).ImplementationFactory!;
            services.Replace(ServiceDescriptor.Singleton<IAuditStore>(provider => new FaultyAuditStore(() => (IAuditStore)store(provider), faults)));
        });
        var key = (await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/agencies/platform/keys", new { role = "admin" }))).RootElement;
        var trail = hub.Services.GetRequiredService<AuditTrail>();
        await trail.RecordAsync([.. Enumerable.Range(0, IAuditGrain.MaxEvents + 200).Select(number => AuditEvents.Of(DateTimeOffset.UtcNow, Caller.Public, "signin.failed", null, "hub", AuditOutcome.Refused, ("number", $"{number}")))]);
        var whole = await ExportAsync(hub.Admin);
        Assert.True(whole > IAuditGrain.MaxEvents + 200);

        // Held at its first page, then at its second; in between the key ends.
        using var first = faults.Hold(nameof(IAuditStore.ReadAsync));
        var export = ExportAsync(hub.With(key.GetProperty("key").GetString()));
        await first.Reached;
        using var second = faults.Hold(nameof(IAuditStore.ReadAsync));
        first.Release();
        await second.Reached;
        await OkAsync(hub.Admin.DeleteAsync($"api/v1/agencies/platform/keys/{key.GetProperty("id").GetString()}"));
        await Task.Delay(KeyRing.Lease + TimeSpan.FromMilliseconds(100));
        second.Release();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => export);
    }

    private static async Task<int> ExportAsync(HttpClient client) =>
        (await client.GetStringAsync("api/v1/audit?format=ndjson")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
}
