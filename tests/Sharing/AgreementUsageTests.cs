using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>What was given through an agreement is counted before it is given: a report may name more, never less.</summary>
public sealed class AgreementUsageTests
{
    private static readonly TimeSpan s_length = TimeSpan.FromSeconds(2);
    private static readonly DateTimeOffset s_now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_was_given_never_exceeds_what_is_reported_whatever_is_told_and_forgotten()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            long? limit = random.Next(2) == 0 ? random.Next(50, 400) : null;
            var state = new AgreementUsageState();
            var (now, given, refused) = (s_now, 0L, 0);
            var held = new List<(Guid Id, long Rows, int Requests, long Used, int Asked)>();
            for (var step = 0; step < 120; step++)
            {
                now += TimeSpan.FromSeconds(random.Next(0, 6));
                var wanted = random.Next(1, 40);
                var id = Guid.NewGuid();
                var (next, result) = AgreementUsageRules.Take(state, Request(id, wanted, limit), s_length, now);
                if (result.Requests == 0)
                {
                    refused++;
                    Assert.True(wanted > result.Left && result.Left >= 0);
                }
                else
                {
                    // A repeat is the same allowance.
                    Assert.Equal(result, AgreementUsageRules.Take(next, Request(id, wanted, limit), s_length, now).Result);
                    var used = random.Next(1, (int)Math.Min(result.Rows, 60) + 1);
                    given += used;
                    held.Add((id, result.Rows, result.Requests, used, 1));
                }

                state = next;
                if (held.Count > 0 && random.Next(3) > 0)
                {
                    // Told, or forgotten with whoever held it.
                    var one = held[random.Next(held.Count)];
                    held.Remove(one);
                    if (random.Next(3) > 0) state = AgreementUsageRules.Settle(state, [new(one.Id, [new(UsageOperations.Values, "indicator:x", one.Asked, one.Used, null)])]).State;
                }

                if (random.Next(4) == 0) state = AgreementUsageRules.Sweep(state, now).State;
                Assert.True(Reported(state) >= given, $"seed {seed} step {step}: {Reported(state)} reported, {given} given");
                if (limit is { } most) Assert.True(AgreementUsageRules.Taken(state, DateOnly.FromDateTime(s_now.UtcDateTime)) <= most);
            }

            state = AgreementUsageRules.Sweep(state, now + TimeSpan.FromHours(1)).State;
            Assert.Empty(state.Out);
            Assert.True(Reported(state) >= given);
            if (limit is not null) Assert.True(refused > 0);
        }

        static long Reported(AgreementUsageState state) => state.Entries.Sum(entry => entry.Rows) + state.Out.Sum(one => one.Rows);
    }

    [Fact]
    public void A_day_of_many_readers_is_counted_together_and_nothing_is_lost()
    {
        var state = new AgreementUsageState();
        for (var i = 0; i < AgreementUsageRules.MaxEntriesOfDay + 300; i++)
        {
            var id = Guid.NewGuid();
            state = AgreementUsageRules.Take(state, Request(id, 1, null) with { Subject = $"key:bezirk.{i}" }, s_length, s_now).State;
            state = AgreementUsageRules.Settle(state, [new(id, [new(UsageOperations.Latest, "indicator:x", 1, 2, "w")])]).State;
        }

        Assert.InRange(state.Entries.Length, AgreementUsageRules.MaxEntriesOfDay, AgreementUsageRules.MaxEntriesOfDay + 10);
        Assert.Equal(2 * (AgreementUsageRules.MaxEntriesOfDay + 300), state.Entries.Sum(entry => entry.Rows));
    }

    [Fact]
    public async Task After_a_kill_the_report_names_no_less_than_was_given_and_says_that_it_is_an_upper_bound()
    {
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName);
        try
        {
            var admin = Client(hub.Address, (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim());
            foreach (var agency in new[] { "amt", "bezirk" }) await OkAsync(admin.PutAsJsonAsync($"api/v1/agencies/{agency}", new { name = agency }));
            var (amt, bezirk) = (Client(hub.Address, await KeyAsync(admin, "amt")), Client(hub.Address, await KeyAsync(admin, "bezirk")));
            bezirk.DefaultRequestHeaders.Add("DataHub-Purpose", "planung");
            await OkAsync(amt.PutAsync("api/v1/datasets/luft", new StringContent("""
                { "title": "Luft", "publisher": "amt", "license": "dl-de/by-2-0", "kind": "observations", "access": "internal",
                  "schema": { "primaryKey": ["station", "time"], "fields": [ { "name": "station", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" }, { "name": "value", "type": "number", "role": "measure" } ] } }
                """, Encoding.UTF8, "application/json")));
            await OkAsync(amt.PutAsJsonAsync("api/v1/indicators/summe", new { title = "Summe", dataset = "luft", measure = new { function = "sum", field = "value" }, window = "PT1H" }));
            await OkAsync(amt.PostAsJsonAsync("api/v1/datasets/luft/feeds/default/records", Enumerable.Range(0, 7).Select(i => new { station = "a", time = $"2026-11-01T0{i}:00:00Z", value = i })));
            await OkAsync(amt.PutAsync("api/v1/agreements/v", new StringContent($$"""
                { "title": "Probe", "provider": "amt", "recipient": "bezirk", "dataset": "luft", "purposes": [ { "id": "planung", "text": "Planung" } ], "legalBasis": "§ 12 EGovG", "use": { "publication": "aggregatesOnly" },
                  "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht", "every": "P30D", "missed": "notice" } ],
                  "term": { "from": "{{DateTimeOffset.UtcNow.AddMinutes(-5):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "until": "{{DateTimeOffset.UtcNow.AddYears(1):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "notice": "P1M" } }
                """, Encoding.UTF8, "application/json")));
            foreach (var (client, act) in new[] { (amt, "acknowledge-charter"), (amt, "offer"), (bezirk, "acknowledge-charter"), (amt, "agree"), (bezirk, "agree") }) await OkAsync(client.PostAsJsonAsync("api/v1/agreements/v/acts", new { act }));

            // Killed while answers are given, before anything of the last second can have been told.
            var given = 0;
            for (var until = DateTime.UtcNow.AddSeconds(20); given < 40 && DateTime.UtcNow < until;)
            {
                using var answer = await bezirk.GetAsync("api/v1/indicators/summe/values");
                if (answer.IsSuccessStatusCode) given += JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("rows").GetArrayLength();
                else await Task.Delay(50);
            }

            Assert.True(given >= 40);
            await hub.KillAsync();
            var port = hub.Address.Port;
            await hub.DisposeAsync();
            hub = await HubProcess.StartAsync(folder.FullName, port);
            var report = (await OkAsync(amt.GetAsync("api/v1/agreements/v/usage"))).RootElement;
            var (entries, open) = (report.GetProperty("entries").EnumerateArray().ToArray(), report.GetProperty("open").EnumerateArray().ToArray());
            Assert.NotEmpty(open);
            Assert.All(open, one => Assert.True(one.GetProperty("upperBound").GetBoolean()));
            Assert.True(entries.Concat(open).Sum(one => one.GetProperty("rows").GetInt64()) >= given, $"{given} values given: {report}");
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    private static AllowanceRequest Request(Guid id, long rows, long? perDay) =>
        new(id, rows, new("v", "v v1", 1, "amt", "bezirk", "luft", perDay), "key:bezirk.1", "planung") { Requests = 10, MostRows = 100 };

    private static HttpClient Client(Uri address, string key)
    {
        var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return client;
    }

    private static async Task<string> KeyAsync(HttpClient admin, string agency) =>
        (await OkAsync(admin.PostAsJsonAsync($"api/v1/agencies/{agency}/keys", new { role = "admin" }))).RootElement.GetProperty("key").GetString()!;
}
