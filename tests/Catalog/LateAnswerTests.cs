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

    [Fact]
    public async Task A_stream_ends_in_order_with_the_first_news_after_its_key_was_revoked()
    {
        await OkAsync(PutAsync("internal"));
        await OkAsync(_admin.PutAsJsonAsync("api/v1/indicators/summe", new { title = "Summe", dataset = "luft", measure = new { function = "sum", field = "value" }, window = "PT1H" }));
        var key = (await OkAsync(_admin.PostAsJsonAsync("api/v1/agencies/amt/keys", new { role = "read" }))).RootElement;
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/indicators/summe/changes?from=2026-11-01T00:00:00Z") { Headers = { { "Accept", "text/event-stream" } } };
        using var answer = await _hub.With(key.GetProperty("key").GetString()).SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        string? line;
        while ((line = await reader.ReadLineAsync()) is not null && !line.StartsWith("data:", StringComparison.Ordinal))
        {
            // Until it shows what stands.
        }

        Assert.NotNull(line);
        await OkAsync(_admin.DeleteAsync($"api/v1/agencies/amt/keys/{key.GetProperty("id").GetString()}"));
        await Task.Delay(s_past);
        await OkAsync(_admin.PostAsync("api/v1/datasets/luft/feeds/default/records", new StringContent("""[{"station":"b","time":"2026-11-01T00:05:00Z","value":4711}]""", Encoding.UTF8, "application/json")));
        Assert.DoesNotContain("4711", await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(20)), StringComparison.Ordinal);
    }

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
