using System.Net.Http.Json;
using System.Text;

using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

using static DataHub.Support.HubFixture;

namespace DataHub.Catalog;

/// <summary>Rows that take long to be found are given by what holds when they are given.</summary>
public sealed class LateAnswerTests : IAsyncLifetime
{
    // The longest that what was settled before is believed, and a little.
    private static readonly TimeSpan s_past = KeyRing.Lease + TimeSpan.FromMilliseconds(100);

    private readonly StoreFaults _faults = new();
    private HubFixture _hub = null!;
    private HttpClient _admin = null!;
    private string _rows = null!;

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(services: services =>
        {
            var store = services.Last(service => service.ServiceType == typeof(IHistoryStore)).ImplementationFactory!;
            services.Replace(ServiceDescriptor.Singleton<IHistoryStore>(provider => new FaultyHistoryStore((IHistoryStore)store(provider), _faults)));
        });
        _admin = _hub.With(await _hub.KeyAsync("amt", KeyRole.Admin));
        await OkAsync(PutAsync("open"));
        var receipt = await OkAsync(_admin.PostAsync("api/v1/datasets/luft/feeds/default/records", new StringContent("""[{"station":"a","time":"2026-11-01T00:00:00Z","value":1}]""", Encoding.UTF8, "application/json")));
        _rows = "api/v1/datasets/luft/records?watermark=" + Uri.EscapeDataString(receipt.RootElement.GetProperty("watermark").GetString()!);
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task Not_to_a_key_that_was_revoked_meanwhile()
    {
        await OkAsync(PutAsync("internal"));
        var key = (await OkAsync(_admin.PostAsJsonAsync("api/v1/agencies/amt/keys", new { role = "read" }))).RootElement;
        var reader = _hub.With(key.GetProperty("key").GetString());
        Assert.Equal(1, (await OkAsync(reader.GetAsync(_rows))).RootElement.GetProperty("rows").GetArrayLength());
        await RefusedAsync(MeanwhileAsync(reader, () => _admin.DeleteAsync($"api/v1/agencies/amt/keys/{key.GetProperty("id").GetString()}")), 401, "unauthorized");
    }

    [Fact]
    public async Task Not_of_a_dataset_that_was_closed_meanwhile() =>
        await RefusedAsync(MeanwhileAsync(_hub.With(null), () => PutAsync("internal")), 401, "unauthorized");

    [Fact]
    public async Task And_to_whoever_may_still_read_them() =>
        Assert.Equal(1, (await OkAsync(MeanwhileAsync(_admin, () => PutAsync("internal")))).RootElement.GetProperty("rows").GetArrayLength());

    private async Task<HttpResponseMessage> MeanwhileAsync(HttpClient reader, Func<Task<HttpResponseMessage>> change)
    {
        using var held = _faults.HoldAnswers(nameof(IHistoryStore.QueryAsync));
        var answer = reader.GetAsync(_rows);
        await held.Reached;
        await OkAsync(change());
        await Task.Delay(s_past);
        held.Release();
        return await answer;
    }

    private Task<HttpResponseMessage> PutAsync(string access) => _admin.PutAsJsonAsync("api/v1/datasets/luft", new
    {
        title = new { de = "luft" },
        publisher = "amt",
        license = "dl-de/by-2-0",
        kind = "observations",
        access,
        schema = new
        {
            primaryKey = new[] { "station", "time" },
            fields = new object[] { new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure" } },
        },
    });
}
