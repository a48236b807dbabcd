using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>The rhythm of an agreement when the program is killed.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class RhythmKillTests
{
    [Fact]
    public async Task A_fetch_of_which_a_byte_was_given_has_begun_after_a_kill_too()
    {
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName);
        try
        {
            using var admin = With(hub, (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim());
            var (amtKey, bezirkKey) = (await KeyAsync("amt", "admin"), await KeyAsync("bezirk", "admin"));
            var readers = new List<string>();
            for (var number = 0; number < 3; number++) readers.Add(await KeyAsync("bezirk", "read"));
            using var amt = With(hub, amtKey);
            using var bezirk = With(hub, bezirkKey);
            await OkAsync(amt.PutAsJsonAsync("api/v1/datasets/luft", new
            {
                title = "Luft",
                publisher = "amt",
                license = "dl-de/by-2-0",
                kind = "observations",
                access = "internal",
                schema = new
                {
                    primaryKey = new[] { "station", "time" },
                    fields = new object[] { new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure" } },
                },
            }));
            await OkAsync(amt.PostAsJsonAsync("api/v1/datasets/luft/feeds/default/records", new[] { new { station = "a", time = "2026-11-01T01:00:00Z", value = 1 } }));
            await OkAsync(amt.PutAsJsonAsync("api/v1/agreements/v", Terms()));
            foreach (var (client, act) in new[] { (amt, "acknowledge-charter"), (amt, "offer"), (bezirk, "acknowledge-charter"), (amt, "agree"), (bezirk, "agree") }) await OkAsync(client.PostAsJsonAsync("api/v1/agreements/v/acts", new { act }));

            foreach (var reader in readers)
            {
                Assert.Equal(HttpStatusCode.OK, await FetchAsync(hub, reader));
                await hub.KillAsync();
                await hub.DisposeAsync();
                hub = await HubProcess.StartAsync(folder.FullName);
                foreach (var before in readers.Take(readers.IndexOf(reader) + 1)) Assert.Equal(HttpStatusCode.TooManyRequests, await FetchAsync(hub, before));
            }

            async Task<string> KeyAsync(string agency, string role)
            {
                await OkAsync(admin.PutAsJsonAsync($"api/v1/agencies/{agency}", new { name = agency }));
                return (await OkAsync(admin.PostAsJsonAsync($"api/v1/agencies/{agency}/keys", new { role }))).RootElement.GetProperty("key").GetString()!;
            }
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    /// <summary>What a fetch is answered once the agreement is known; nothing is read of it but that it was given.</summary>
    private static async Task<HttpStatusCode> FetchAsync(HubProcess hub, string key)
    {
        using var client = With(hub, key);
        for (var tries = 0; ; tries++, await Task.Delay(50))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/datasets/luft/records") { Headers = { { "DataHub-Purpose", "planung" } } };
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            if (tries == 200 || answer.StatusCode is not (HttpStatusCode.Forbidden or HttpStatusCode.ServiceUnavailable)) return answer.StatusCode;
        }
    }

    private static HttpClient With(HubProcess hub, string key) => new() { BaseAddress = hub.Address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };

    private static JsonNode Terms() => JsonNode.Parse($$"""
        { "title": "Luft für die Planung", "provider": "amt", "recipient": "bezirk", "dataset": "luft", "purposes": [ { "id": "planung", "text": "Bauleitplanung" } ],
          "forbiddenPurposes": [ { "id": "werbung", "text": "Werbung" } ], "legalBasis": "§ 12 EGovG", "delivery": { "rhythm": "P1D" }, "use": { "onwardTransfer": "none", "publication": "aggregatesOnly" },
          "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht über die Nutzung", "every": "P30D", "missed": "notice" } ],
          "term": { "from": "{{Day(-1)}}", "until": "{{Day(300)}}", "notice": "P1M" } }
        """)!;

    private static string Day(int days) => DateTimeOffset.UtcNow.AddDays(days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
