using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;

using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

using Xunit.Abstractions;

using static DataHub.Support.HubFixture;

namespace DataHub.Catalog;

/// <summary>
/// Whatever is given, revoked, moved, released and withdrawn, in whatever order: people read what the explanation allows,
/// nothing else, and both are what a model says that knows the rules as sentences only.
/// </summary>
public sealed class AccessPropertyTests(ITestOutputHelper output)
{
    private static readonly string[] s_people = ["ada", "ben", "eva"], s_groups = ["a", "b"], s_spaces = ["west", "ost"], s_datasets = ["luft", "laerm"];
    private static readonly string[] s_roles = ["reader", "editor", "developer", "coordinator", "releaser"];

    [Theory]
    [InlineData(1)]
    public async Task No_sequence_of_steps_lets_anybody_read_what_the_explanation_denies_or_the_other_way_round(int seed)
    {
        await using var issuer = await SignInIssuer.StartAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await HubFixture.StartAsync(issuer.Settings(), clock);
        var (random, model) = (new Random(seed), new Model(clock));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = "Amt" }));
        foreach (var space in s_spaces) await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/dataspaces/{space}", new { title = space, owner = "amt" }));
        foreach (var group in s_groups) await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/amt/groups/{group}", new { name = group }));
        foreach (var dataset in s_datasets)
        {
            await PutAsync(dataset);
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/indicators/{dataset}-sum", new { title = dataset, dataset, measure = new { function = "sum", field = "no2" }, window = "PT1H" }));
            await OkAsync(hub.Admin.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", new StringContent("""[{ "station": "a", "time": "2026-03-02T08:00:00Z", "no2": 1 }]""", Encoding.UTF8, "application/json")));
        }

        var people = s_people.Select(person => (Name: person, Client: hub.With(issuer.Token(null, ("sub", person))))).Append((Name: "public", Client: hub.Anonymous)).ToArray();
        var (allowed, denied) = (0, 0);
        for (var step = 0; step < 60; step++)
        {
            var what = await StepAsync();

            // Leases of half a second: by then everybody everywhere knows.
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(300));
            foreach (var (name, client) in people)
            {
                foreach (var dataset in s_datasets)
                {
                    var by = $"seed {seed}, step {step} ({what}): {name}, {dataset}";
                    var explained = (await OkAsync(hub.Admin.GetAsync($"api/v1/access?subject={(name == "public" ? name : "person:oidc:" + name)}&object=dataset:{dataset}&right=read-rows"))).RootElement
                        .GetProperty("rights")[0].GetProperty("allowed").GetBoolean();
                    var value = (await OkAsync(hub.Admin.GetAsync($"api/v1/access?subject={(name == "public" ? name : "person:oidc:" + name)}&object=indicator:{dataset}-sum&right=read-rows"))).RootElement
                        .GetProperty("rights")[0].GetProperty("allowed").GetBoolean();
                    var rows = await client.GetAsync($"api/v1/datasets/{dataset}/records");
                    var values = await client.GetAsync($"api/v1/indicators/{dataset}-sum/values?from=2026-03-02");
                    Assert.True(rows.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound, $"{by}: {(int)rows.StatusCode}");
                    Assert.True(explained == rows.IsSuccessStatusCode, $"{by}: rows {(int)rows.StatusCode}, explained {explained}");
                    Assert.True(value == values.IsSuccessStatusCode, $"{by}: values {(int)values.StatusCode}, explained {value}");
                    Assert.True(model.MayRead(name, dataset, model.Open.Contains(dataset)) == explained, $"{by}: the model says {!explained}");
                    Assert.True(model.MayRead(name, dataset, open: false) == value, $"{by}: the model says {!value} for values");
                    if (explained) allowed++;
                    else denied++;
                }
            }
        }

        output.WriteLine($"{allowed} allowed, {denied} denied");
        Assert.True(allowed > 50 && denied > 50);

        async Task<string> StepAsync()
        {
            var (person, group, space, dataset) = (Any(s_people), Any(s_groups), Any(s_spaces), Any(s_datasets));
            switch (random.Next(9))
            {
                case 0 or 1:
                    var until = random.Next(4) == 0 ? clock.GetUtcNow().AddSeconds(3) : (DateTimeOffset?)null;
                    await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/amt/groups/{group}/members/oidc:{person}", new { why = "Probe", until }));
                    model.Members[(group, person)] = until;
                    return $"{person} joins {group} until {until}";
                case 2:
                    await OkAsync(hub.Admin.DeleteAsync($"api/v1/agencies/amt/groups/{group}/members/oidc:{person}"));
                    model.Members.Remove((group, person));
                    return $"{person} leaves {group}";
                case 3 or 4:
                    var (role, ends, one) = (Any(s_roles), random.Next(4) == 0 ? clock.GetUtcNow().AddSeconds(4) : (DateTimeOffset?)null, model.Space.GetValueOrDefault(dataset) == space && random.Next(2) == 0 ? dataset : null);
                    var made = await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/{space}/grants", new { group = "amt/" + group, role, dataset = one, why = "Probe", until = ends }));
                    model.Grants[(space, made.RootElement.GetProperty("id").GetString()!)] = (group, role, one, ends);
                    return $"{group} becomes {role} in {space}/{one} until {ends}";
                case 5:
                    if (model.Grants.Count == 0) return "nothing";
                    var (where, grant) = Any([.. model.Grants.Keys.OrderBy(key => key)]);
                    await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/{where}/grants/{grant}/revocation", new { why = "Probe" }));
                    model.Grants.Remove((where, grant));
                    return $"{grant} in {where} is revoked";
                case 6:
                    model.Space[dataset] = random.Next(3) == 0 ? null : space;
                    await PutAsync(dataset);
                    return $"{dataset} moves to {model.Space[dataset]}";
                case 7:
                    if (!model.Open.Remove(dataset)) model.Open.Add(dataset);
                    await PutAsync(dataset);
                    return $"{dataset} {(model.Open.Contains(dataset) ? "opens" : "closes")}";
                default:
                    var next = model.Drafts.Contains(dataset) ? "AVAILABLE" : "DRAFT";
                    await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/datasets/{dataset}/release", new { state = next }));
                    if (!model.Drafts.Remove(dataset)) model.Drafts.Add(dataset);
                    return $"{dataset} becomes {next}";
            }
        }

        T Any<T>(T[] of) => of[random.Next(of.Length)];

        async Task PutAsync(string dataset)
        {
            var space = model.Space.GetValueOrDefault(dataset);
            await OkAsync(hub.Admin.PutAsync($"api/v1/datasets/{dataset}", new StringContent(string.Create(CultureInfo.InvariantCulture, $$"""
                { "title": "{{dataset}}", "publisher": "amt", "kind": "observations", "access": "{{(model.Open.Contains(dataset) ? "open" : "internal")}}", "license": "dl-de/by-2-0"{{(space is null ? "" : $", \"dataspace\": \"{space}\"")}},
                  "schema": { "primaryKey": ["station", "time"], "fields": [
                    { "name": "station", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" }, { "name": "no2", "type": "number", "role": "measure" } ] } }
                """), Encoding.UTF8, "application/json")));
        }
    }

    /// <summary>The rules as sentences: open and available is for all; else a living role that reads, through a living membership, where the dataset lies now.</summary>
    private sealed class Model(FakeTimeProvider clock)
    {
        public Dictionary<(string Group, string Person), DateTimeOffset?> Members { get; } = [];

        public Dictionary<(string Space, string Id), (string Group, string Role, string? Dataset, DateTimeOffset? Until)> Grants { get; } = [];

        public Dictionary<string, string?> Space { get; } = [];

        public HashSet<string> Open { get; } = [];

        public HashSet<string> Drafts { get; } = [];

        public bool MayRead(string person, string dataset, bool open)
        {
            if (open && !Drafts.Contains(dataset)) return true;
            var now = clock.GetUtcNow();
            foreach (var ((space, _), (group, role, one, until)) in Grants)
            {
                if (role == "editor" || until <= now || Space.GetValueOrDefault(dataset) != space || (one is not null && one != dataset)) continue;
                if (Members.TryGetValue((group, person), out var member) && (member is null || member > now)) return true;
            }

            return false;
        }
    }
}
