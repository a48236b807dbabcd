using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Feeds;

/// <summary>The way back from quarantine, through the public routes of a whole hub.</summary>
public sealed class QuarantineHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task Rows_are_grouped_by_cause_put_right_by_a_rule_and_taken_once()
    {
        var agency = await DatasetAsync("groups");
        await PushAsync(agency, "groups", """[{"station":"a","time":"2026-11-23T08:00:00Z","no2":23400},{"station":"b","time":"2026-11-23T08:00:00Z","no2":31500.5},{"station":"c","time":"2026-11-23T08:00:00Z","no2":-1},{"station":"d","time":"2026-11-23T08:00:00Z","no2":7}]""");
        Assert.Equal("no2:above-maximum 2, no2:below-minimum 1", await GroupsAsync(agency, "groups"));
        object rule = new { select = new { cause = "no2:above-maximum" }, rule = new { field = "no2", unit = "ng/m3" }, reason = "Gerät meldete Nanogramm" };

        var dry = await ActAsync(agency, "groups", "replay?dryRun=true", rule);
        Assert.Equal((2, 2, 0, 0), Outcome(dry));
        Assert.Equal("no2:above-maximum 2, no2:below-minimum 1", await GroupsAsync(agency, "groups"));
        Assert.Equal(JsonValueKind.Null, dry.GetProperty("act").ValueKind);

        var act = await ActAsync(agency, "groups", "replay", rule);
        Assert.Equal((2, 2, 0, 0), Outcome(act));
        Assert.Equal((0, 0, 0, 0), Outcome(await ActAsync(agency, "groups", "replay", rule)));
        Assert.Equal(["d 7", "a 23.4", "b 31.5005"], await RowsAsync(agency, "groups", act));
        Assert.Equal("no2:below-minimum 1", await GroupsAsync(agency, "groups"));
        Assert.Equal((4, 3, 0, 1, 0), await CountsAsync(agency, "groups"));

        var settled = (await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/groups/quarantine?state=accepted"))).RootElement.GetProperty("rows");
        Assert.Equal(["31.5005", "23.4"], settled.EnumerateArray().Select(row => row.GetProperty("corrected").GetProperty("no2").GetString()));
        Assert.All(settled.EnumerateArray(), row => Assert.Equal(act.GetProperty("act").GetString(), row.GetProperty("act").GetString()));
        var recorded = Assert.Single((await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/groups/quarantine/acts"))).RootElement.GetProperty("acts").EnumerateArray());
        Assert.Equal(("replay", "groups-agency", "Gerät meldete Nanogramm", 2), (recorded.GetProperty("kind").GetString(), recorded.GetProperty("agency").GetString(), recorded.GetProperty("reason").GetString(), recorded.GetProperty("accepted").GetInt32()));
        Assert.Equal("ng/m3", recorded.GetProperty("changed").GetProperty("rule").GetProperty("unit").GetString());
        Assert.Equal(0, (await HubFixture.OkAsync(agency.GetAsync($"api/v1/receipts/{act.GetProperty("act").GetString()}"))).RootElement.GetProperty("received").GetInt32());
    }

    [Fact]
    public async Task Single_rows_are_corrected_and_what_still_does_not_pass_stays_as_it_came()
    {
        var agency = await DatasetAsync("single");
        await PushAsync(agency, "single", """[{"station":"a","time":"gestern","no2":1},{"station":"b","no2":"viel"},{"station":"ok","time":"2026-11-23T08:00:00Z","no2":1}]""");
        await PushAsync(agency, "single", "{nothing\n", "application/x-ndjson");
        var rows = (await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/single/quarantine"))).RootElement.GetProperty("rows").EnumerateArray().ToDictionary(row => row.GetProperty("raw").ToString());
        string IdOf(string part) => rows.Single(row => row.Key.Contains(part, StringComparison.Ordinal)).Value.GetProperty("id").GetString()!;

        var act = await ActAsync(agency, "single", "replay", new
        {
            rows = new object[]
            {
                new { id = IdOf("gestern"), values = new { time = "2026-11-22T08:00:00Z" } },
                new { id = IdOf("viel"), values = new { no2 = 5 } },
                new { id = IdOf("nothing"), values = new { station = "ok", time = "2026-11-23T08:00:00Z", no2 = 1 } },
            },
        });

        Assert.Equal((3, 1, 1, 1), Outcome(act));
        var error = Assert.Single(act.GetProperty("errors").EnumerateArray());
        Assert.Equal((IdOf("viel"), "time", "required"), (error.GetProperty("id").GetString(), error.GetProperty("field").GetString(), error.GetProperty("code").GetString()));
        var left = Assert.Single((await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/single/quarantine"))).RootElement.GetProperty("rows").EnumerateArray());
        Assert.Equal("""{"station":"b","no2":"viel"}""", left.GetProperty("raw").GetRawText());
        Assert.Equal((4, 2, 1, 1, 0), await CountsAsync(agency, "single"));
    }

    [Fact]
    public async Task Rows_given_up_keep_counting_as_quarantined_and_cannot_be_replayed()
    {
        var agency = await DatasetAsync("given-up");
        await PushAsync(agency, "given-up", """[{"station":"a","time":"2026-11-23T08:00:00Z","no2":-1},{"station":"b","time":"2026-11-23T08:00:00Z","no2":-2}]""");
        await HubFixture.RefusedAsync(PostAsync(agency, "given-up", "discard", new { select = new { value = "-1" } }), 422, "invalid-act");

        Assert.Equal(1, (await ActAsync(agency, "given-up", "discard", new { select = new { value = "-1" }, reason = "Sensor war abgebaut" })).GetProperty("discarded").GetInt32());

        Assert.Equal((2, 0, 0, 2, 1), await CountsAsync(agency, "given-up"));
        Assert.Equal((1, 0, 0, 1), Outcome(await ActAsync(agency, "given-up", "replay", new { select = new { } })));
        Assert.Equal((1, 1, 0, 0), Outcome(await ActAsync(agency, "given-up", "replay", new { select = new { }, rule = new { field = "no2", rename = new { from = "-2", to = "2" } } })));
        Assert.Equal((2, 1, 0, 1, 1), await CountsAsync(agency, "given-up"));
    }

    [Fact]
    public async Task Every_rule_does_what_it_says()
    {
        var agency = await DatasetAsync("rules");
        await PushAsync(agency, "rules", """[{"station":"a","time":"2026-11-23T08:00:00Z","no2":"1.234,5"},{"station":"b","time":"2026-11-23T08:00:00Z","NO2":8},{"station":"c","time":"2026-11-23T08:00:00Z","no2":9,"note":"x"},{"station":"d","time":"2026-11-23T08:00:00Z","no2":"2.1e6"}]""");

        await Applies(new { field = "no2", decimalComma = true }, "a 1234.5");
        await Applies(new { field = "NO2", renameField = "no2" }, "b 8");
        await Applies(new { field = "note", drop = true }, "c 9");
        await Applies(new { field = "no2", shiftDecimal = -4 }, "d 210");
        Assert.Equal("", await GroupsAsync(agency, "rules"));

        async Task Applies(object rule, string row)
        {
            var act = await ActAsync(agency, "rules", "replay", new { select = new { }, rule });
            Assert.Equal(1, act.GetProperty("accepted").GetInt32());
            Assert.Contains(row, await RowsAsync(agency, "rules", act));
        }
    }

    [Theory]
    [InlineData("""{"select":{"cause":"x"},"rule":{"field":"nobody","shiftDecimal":1}}""", "rule.field")]
    [InlineData("""{"select":{},"rule":{"field":"no2","shiftDecimal":0}}""", "rule.shiftDecimal")]
    [InlineData("""{"select":{},"rule":{"field":"no2","unit":"Cel"}}""", "rule.unit")]
    [InlineData("""{"select":{},"rule":{"field":"no2","unit":"ng/m3","drop":true}}""", "rule")]
    [InlineData("""{"select":{"ids":["17"]}}""", "select.ids")]
    [InlineData("""{"rows":[{"id":"q0.1.0","values":{}},{"id":"q0.1.0","values":{}}]}""", "rows[1].id")]
    [InlineData("""{"select":{},"limit":0}""", "limit")]
    [InlineData("""{}""", "select")]
    [InlineData("""{"select":{},"why":1}""", "why")]
    public async Task What_is_wrong_with_a_request_is_named(string body, string path)
    {
        var agency = await DatasetAsync("named");
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        var problem = await HubFixture.RefusedAsync(agency.PostAsync("api/v1/datasets/named/quarantine/replay", content), 422, "invalid-act");

        Assert.Contains(path, problem.RootElement.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("path").GetString()));
    }

    [Fact]
    public async Task Only_those_who_may_push_may_act()
    {
        await DatasetAsync("mine");
        var other = await hub.AgencyAsync("mine-other");

        await HubFixture.RefusedAsync(PostAsync(hub.Anonymous, "mine", "replay", new { select = new { } }), 401);
        await HubFixture.RefusedAsync(PostAsync(other, "mine", "replay", new { select = new { } }), 403);
        await HubFixture.RefusedAsync(PostAsync(other, "mine", "discard", new { select = new { }, reason = "x" }), 403);
        await HubFixture.RefusedAsync(other.GetAsync("api/v1/datasets/mine/quarantine/groups"), 403);
        await HubFixture.RefusedAsync(other.GetAsync("api/v1/datasets/mine/quarantine/acts"), 403);
        await HubFixture.RefusedAsync(PostAsync(other, "nowhere", "replay", new { select = new { } }), 404);
    }

    [Fact]
    public async Task Many_who_replay_at_once_take_each_row_once()
    {
        var agency = await DatasetAsync("at-once", partitions: 2);
        var rows = Enumerable.Range(0, 300).Select(i => new { station = $"s{i}", time = "2026-11-23T08:00:00Z", no2 = -1 - i });
        await HubFixture.RefusedAsync(agency.PostAsJsonAsync("api/v1/datasets/at-once/feeds/default/records", rows), 422, "all-quarantined");

        var acts = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            var (accepted, next) = (0, (string?)null);
            do
            {
                var act = await ActAsync(agency, "at-once", "replay", new { select = new { feed = "default" }, limit = 40 + i, after = next, rule = new { field = "no2", rename = new { from = $"-{i + 1}", to = "0" } } });
                accepted += act.GetProperty("accepted").GetInt32();
                next = act.GetProperty("next").GetString();
            }
            while (next is not null);
            return accepted;
        }));

        Assert.All(acts, accepted => Assert.InRange(accepted, 0, 1));
        Assert.Equal(6, acts.Sum());
        Assert.Equal((300, 6, 0, 294, 0), await CountsAsync(agency, "at-once"));
        var all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ActAsync(agency, "at-once", "replay", new { select = new { }, limit = 10_000, rule = new { field = "no2", drop = true } })));
        Assert.Equal(294, all.Sum(act => act.GetProperty("accepted").GetInt32()));
        Assert.Equal((300, 300, 0, 0, 0), await CountsAsync(agency, "at-once"));
    }

    private async Task<HttpClient> DatasetAsync(string dataset, int partitions = 1)
    {
        var agency = await hub.AgencyAsync($"{dataset}-agency");
        var schema = Contracts.AirQuality.Schema;
        schema = schema with { Fields = [.. schema.Fields.Select(field => field.Name == "no2" ? field with { Unit = "ug/m3" } : field)] };
        await hub.PutDatasetAsync(dataset, $"{dataset}-agency", DatasetKind.Observations, schema, partitions);
        return agency;
    }

    private static async Task PushAsync(HttpClient client, string dataset, string body, string type = "application/json")
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, type);
        using var answer = await client.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", content);
        Assert.True(answer.IsSuccessStatusCode || (int)answer.StatusCode == 422, await answer.Content.ReadAsStringAsync());
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string dataset, string act, object body) => client.PostAsJsonAsync($"api/v1/datasets/{dataset}/quarantine/{act}", body);

    private static async Task<JsonElement> ActAsync(HttpClient client, string dataset, string act, object body) => (await HubFixture.OkAsync(PostAsync(client, dataset, act, body))).RootElement;

    private static (int Selected, int Accepted, int Duplicate, int Still) Outcome(JsonElement act) => (
        act.GetProperty("selected").GetInt32(), act.GetProperty("accepted").GetInt32(), act.GetProperty("duplicate").GetInt32(), act.GetProperty("stillQuarantined").GetInt32());

    private static async Task<string> GroupsAsync(HttpClient client, string dataset) => string.Join(", ",
        (await HubFixture.OkAsync(client.GetAsync($"api/v1/datasets/{dataset}/quarantine/groups"))).RootElement.GetProperty("groups").EnumerateArray().Select(g => $"{g.GetProperty("cause")} {g.GetProperty("rows")}"));

    private static async Task<string[]> RowsAsync(HttpClient client, string dataset, JsonElement act) =>
        [.. (await HubFixture.OkAsync(client.GetAsync($"api/v1/datasets/{dataset}/records?watermark={act.GetProperty("watermark")}"))).RootElement.GetProperty("rows").EnumerateArray()
            .Select(row => $"{row.GetProperty("station")} {row.GetProperty("no2")}").OrderBy(row => row.Length).ThenBy(row => row, StringComparer.Ordinal)];

    private static async Task<(long Received, long Accepted, long Duplicate, long Quarantined, long Discarded)> CountsAsync(HttpClient client, string dataset)
    {
        var counts = (await HubFixture.OkAsync(client.GetAsync($"api/v1/datasets/{dataset}/conservation"))).RootElement;
        var feed = Assert.Single(counts.GetProperty("feeds").EnumerateArray());
        long Of(string name) => feed.GetProperty(name).GetInt64();
        Assert.Equal(Of("received"), Of("accepted") + Of("duplicate") + Of("quarantined"));
        return (Of("received"), Of("accepted"), Of("duplicate"), Of("quarantined"), Of("discarded"));
    }
}
