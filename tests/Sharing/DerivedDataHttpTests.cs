using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>What hangs on an agreement is shown before it is revoked, and what is derived from it is handled as agreed.</summary>
public sealed class DerivedDataHttpTests : IAsyncLifetime
{
    private HubFixture _hub = null!;
    private HttpClient _amt = null!, _bezirk = null!;

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Sharing:Allowance"] = "00:00:01" });
        (_amt, _bezirk) = (await _hub.AgencyAsync("amt", KeyRole.Admin), await _hub.AgencyAsync("bezirk", KeyRole.Admin));
        await DatasetAsync(_amt, "luft", "amt");
        await DatasetAsync(_bezirk, "klima", "bezirk");
        await IndicatorAsync(_amt, "luft-summe", "luft", "value");
        await IndicatorAsync(_amt, "luft-geheim", "luft", "note");
        await IndicatorAsync(_bezirk, "klima-summe", "klima", "value");
        await PushAsync(_amt, "luft", 3);
        await PushAsync(_bezirk, "klima", 3);
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task Before_a_revocation_both_sides_see_what_hangs_on_the_agreement()
    {
        await RefusedAsync(DeriveAsync(_bezirk, "klima"), 404);
        await AgreeAsync("frozen", activate: false);
        await RefusedAsync(DeriveAsync(_bezirk, "klima"), 409);
        await OkAsync(ActAsync(_bezirk, "agree"));
        await RefusedAsync(DeriveAsync(_amt, "klima"), 403);
        await RefusedAsync(DeriveAsync(_bezirk, "luft"), 422);
        await RefusedAsync(DeriveAsync(_bezirk, "nichts"), 422);
        await RefusedAsync(DeriveAsync(await _hub.AgencyAsync("dritte", KeyRole.Admin), "klima"), 404);
        await OkAsync(DeriveAsync(_bezirk, "klima"));
        await OkAsync(DeriveAsync(_bezirk, "klima"));
        await ReadAsync("luft-summe");

        JsonElement effect = default;
        await UntilAsync(async () => (effect = (await OkAsync(_amt.GetAsync("api/v1/agreements/v/effect"))).RootElement).GetProperty("readers").EnumerateArray().Any(one => one.GetProperty("operation").GetString() == "values"));
        Assert.Equal("frozen", effect.GetProperty("derived").GetString());
        var indicators = effect.GetProperty("indicators").EnumerateArray().ToDictionary(one => one.GetProperty("id").GetString()!, one => one.GetProperty("notGiven"));
        Assert.Equal(JsonValueKind.Null, indicators["luft-summe"].ValueKind);
        Assert.Contains("note", indicators["luft-geheim"].GetString(), StringComparison.Ordinal);
        var derived = Assert.Single(effect.GetProperty("datasets").EnumerateArray());
        Assert.Equal(("klima", "noted", "Mittel je Block"), (derived.GetProperty("dataset").GetString(), derived.GetProperty("state").GetString(), derived.GetProperty("text").GetString()));
        Assert.Equal(["default"], Texts(derived, "feeds"));
        Assert.Equal(["klima-summe"], Texts(derived, "indicators"));
        Assert.Equal("planung", effect.GetProperty("readers")[0].GetProperty("purpose").GetString());
        Assert.Equal(effect.ToString(), (await OkAsync(_bezirk.GetAsync("api/v1/agreements/v/effect"))).RootElement.ToString());
        await RefusedAsync((await _hub.AgencyAsync("dritte", KeyRole.Admin)).GetAsync("api/v1/agreements/v/effect"), 404);

        // On the page of the revocation it stands before what is said of the act.
        using var request = new HttpRequestMessage(HttpMethod.Get, "agreements/v/revoke") { Headers = { { "Accept-Language", "de" } } };
        using var answer = await _amt.SendAsync(request);
        var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        foreach (var told in new[] { "Werte indicator:luft-summe", "key:bezirk.", "planung", "klima-summe", "Mittel je Block", "Sie nehmen nichts mehr an" }) Assert.Contains(told, page, StringComparison.Ordinal);
        Assert.True(page.IndexOf("id=\"derived-title\"", StringComparison.Ordinal) is > 0 and var effectAt && effectAt < page.IndexOf("id=\"stop-title\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, "kept")]
    [InlineData("kept", "kept")]
    [InlineData("frozen", "frozen")]
    [InlineData("deleted", "deleted")]
    public async Task When_an_agreement_is_over_derived_data_is_handled_as_it_says(string? rule, string state)
    {
        await AgreeAsync(rule);
        await OkAsync(DeriveAsync(_bezirk, "klima"));
        await OkAsync(ActAsync(_amt, "revoke", "Probe"));

        // It goes on although the hub is restarted in the middle of it.
        if (rule == "deleted")
        {
            await _hub.RestartAsync();
            (_amt, _bezirk) = (_hub.With(await _hub.KeyAsync("amt", KeyRole.Admin)), _hub.With(await _hub.KeyAsync("bezirk", KeyRole.Admin)));
        }

        JsonElement derived = default;
        await UntilAsync(async () => (derived = Assert.Single((await OkAsync(_amt.GetAsync("api/v1/agreements/v/effect"))).RootElement.GetProperty("datasets").EnumerateArray())).GetProperty("state").GetString() == state, () => derived.ToString());
        Assert.Equal(state == "deleted" ? 3 : (long?)null, derived.GetProperty("keys").ValueKind == JsonValueKind.Null ? null : derived.GetProperty("keys").GetInt64());

        // A log believes for half a second what the dataset was.
        if (state != "kept") await Task.Delay(600);
        using var push = await TryPushAsync(_bezirk, "klima", 4);
        if (state == "kept")
        {
            Assert.Equal(HttpStatusCode.OK, push.StatusCode);
        }
        else
        {
            Assert.Equal(HttpStatusCode.Conflict, push.StatusCode);
            Assert.Contains("Vereinbarung „v“", await push.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal("v", (await OkAsync(_bezirk.GetAsync("api/v1/datasets/klima"))).RootElement.GetProperty("frozen").GetProperty("agreement").GetString());
        }

        var expected = state == "deleted" ? 0 : state == "kept" ? 4 : 3;
        await UntilAsync(async () => (await OkAsync(_bezirk.GetAsync("api/v1/datasets/klima/records"))).RootElement.GetProperty("rows").GetArrayLength() == expected);
        if (state == "deleted")
        {
            var receipt = (await OkAsync(_bezirk.GetAsync($"api/v1/datasets/klima/erasures/{derived.GetProperty("erasure").GetString()}"))).RootElement;
            Assert.Equal(3, receipt.GetProperty("keys").GetInt32());
            await UntilAsync(async () => (await OkAsync(_bezirk.GetAsync("api/v1/indicators/klima-summe/values"))).RootElement.GetProperty("rows").EnumerateArray().All(row => row.GetProperty("count").GetInt32() == 0));
        }

        foreach (var side in new[] { _amt, _bezirk })
        {
            var noted = Assert.Single((await OkAsync(side.GetAsync("api/v1/audit?action=agreement.derived-settled&limit=100"))).RootElement.GetProperty("entries").EnumerateArray(), entry => entry.GetProperty("detail").GetProperty("state").GetString() == state);
            Assert.Equal("klima", noted.GetProperty("detail").GetProperty("dataset").GetString());
        }

        // What is not derived goes on.
        await PushAsync(_amt, "luft", 5);
    }

    private static string[] Texts(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(one => one.GetString()!)];

    private async Task ReadAsync(string indicator)
    {
        await UntilAsync(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"api/v1/indicators/{indicator}/values") { Headers = { { "DataHub-Purpose", "planung" } } };
            using var answer = await _bezirk.SendAsync(request);
            return answer.IsSuccessStatusCode;
        });
    }

    private static async Task UntilAsync(Func<Task<bool>> until, Func<string>? stands = null)
    {
        for (var tries = 0; !await until(); tries++, await Task.Delay(100)) Assert.True(tries < 300, $"it did not come about: {stands?.Invoke()}");
    }

    private static Task<JsonDocument> DatasetAsync(HttpClient client, string id, string publisher) => OkAsync(client.PutAsJsonAsync($"api/v1/datasets/{id}", new
    {
        title = id,
        publisher,
        license = "dl-de/by-2-0",
        kind = "observations",
        access = "internal",
        schema = new
        {
            primaryKey = new[] { "station", "time" },
            fields = new object[]
            {
                new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure" }, new { name = "note", type = "number", role = "measure" },
            },
        },
    }));

    private static Task<JsonDocument> IndicatorAsync(HttpClient client, string id, string dataset, string field) =>
        OkAsync(client.PutAsJsonAsync($"api/v1/indicators/{id}", new { title = id, dataset, measure = new { function = "sum", field }, window = "PT1H" }));

    private static async Task PushAsync(HttpClient client, string dataset, int rows)
    {
        using var answer = await TryPushAsync(client, dataset, rows);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static Task<HttpResponseMessage> TryPushAsync(HttpClient client, string dataset, int rows) =>
        client.PostAsJsonAsync($"api/v1/datasets/{dataset}/feeds/default/records", Enumerable.Range(1, rows).Select(i => new { station = "a", time = $"2026-11-01T0{i}:00:00Z", value = i, note = i }));

    private static Task<HttpResponseMessage> DeriveAsync(HttpClient client, string dataset) => client.PutAsJsonAsync($"api/v1/agreements/v/derived/{dataset}", new { text = "Mittel je Block" });

    private async Task AgreeAsync(string? derived, bool activate = true)
    {
        var terms = JsonNode.Parse($$"""
            { "title": "Probe", "provider": "amt", "recipient": "bezirk", "dataset": "luft", "purposes": [ { "id": "planung", "text": "Planung" } ], "legalBasis": "§ 12 EGovG",
              "data": { "fields": [ "station", "time", "value" ] }, "use": { "publication": "aggregatesOnly" {{(derived is null ? "" : $", \"derived\": \"{derived}\"")}} },
              "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht", "every": "P30D", "missed": "notice" } ],
              "term": { "from": "{{DateTimeOffset.UtcNow.AddMinutes(-5):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "until": "{{DateTimeOffset.UtcNow.AddYears(1):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "notice": "P1M" } }
            """)!;
        await OkAsync(_amt.PutAsJsonAsync("api/v1/agreements/v", terms));
        foreach (var (client, act) in new[] { (_amt, "acknowledge-charter"), (_amt, "offer"), (_bezirk, "acknowledge-charter"), (_amt, "agree") }) await OkAsync(ActAsync(client, act));
        if (activate) await OkAsync(ActAsync(_bezirk, "agree"));
    }

    private static Task<HttpResponseMessage> ActAsync(HttpClient client, string act, string? reason = null) => client.PostAsJsonAsync("api/v1/agreements/v/acts", new { act, reason });
}
