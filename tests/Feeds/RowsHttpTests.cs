using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Feeds;

/// <summary>What became of pushes, read through the public routes of a whole hub.</summary>
public sealed class RowsHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task A_receipt_can_be_read_again_by_those_it_concerns_only()
    {
        var agency = await DatasetAsync("receipts");
        var pushed = (await PushAsync(agency, "receipts", """[{"station":"a","time":"2026-11-23T08:00:00Z"},{"station":"b"}]""")).RootElement;
        var path = $"api/v1/receipts/{pushed.GetProperty("receipt").GetString()}";
        var read = (await HubFixture.OkAsync(agency.GetAsync(path))).RootElement;
        foreach (var member in pushed.EnumerateObject()) Assert.Equal(member.Value.GetRawText(), read.GetProperty(member.Name).GetRawText());
        Assert.Equal(("receipts", "default"), (read.GetProperty("dataset").GetString(), read.GetProperty("feed").GetString()));
        await HubFixture.OkAsync(hub.Admin.GetAsync(path));
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync(path), 401);
        await HubFixture.RefusedAsync((await hub.AgencyAsync("receipts-other")).GetAsync(path), 404);
        await HubFixture.RefusedAsync(agency.GetAsync("api/v1/receipts/01ARZ3NDEKTSV4RRFFQ69G5FAV"), 404);
        await HubFixture.RefusedAsync(agency.GetAsync("api/v1/receipts/none"), 404);
    }

    [Fact]
    public async Task Rows_are_read_with_the_watermark_of_their_push_and_can_be_pushed_again()
    {
        var agency = await DatasetAsync("rows");
        var pushed = await PushAsync(agency, "rows", """[{"station":"b","time":"2026-11-23T08:00:00.5+01:00","no2":1.5,"lon":13.4,"lat":52.5},{"station":"a","time":"2026-11-23T09:00:00Z","area":"x,\"y\""}]""");
        var path = $"api/v1/datasets/rows/records?watermark={pushed.RootElement.GetProperty("watermark").GetString()}";

        using var json = await hub.Anonymous.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, json.StatusCode);
        Assert.True(Watermark.TryParse(json.Headers.GetValues("DataHub-Watermark").Single(), out _));
        Assert.Equal(
            """{"dataset":"rows","license":"dl-de/by-2-0","contract":1,"title":{"de":"rows"},"publisher":"rows-agency","timeZone":"Europe/Berlin","describedBy":"/api/v1/datasets/rows","rows":[{"station":"b","time":"2026-11-23T07:00:00.5Z","area":null,"no2":1.5,"lon":13.4,"lat":52.5},{"station":"a","time":"2026-11-23T09:00:00Z","area":"x,\u0022y\u0022","no2":null,"lon":null,"lat":null}],"next":null}""",
            (await json.Content.ReadAsStringAsync()).Replace("\\\"", "\\u0022", StringComparison.Ordinal));

        var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Accept = { new("text/csv") } } };
        using var csv = await hub.Anonymous.SendAsync(request);
        var text = await csv.Content.ReadAsStringAsync();
        Assert.Equal("station,time,area,no2,lon,lat\r\nb,2026-11-23T07:00:00.5Z,,1.5,13.4,52.5\r\na,2026-11-23T09:00:00Z,\"x,\"\"y\"\"\",,,\r\n", text);
        var again = await PushAsync(agency, "rows", text, "text/csv");
        Assert.Equal(2, again.RootElement.GetProperty("duplicate").GetInt32());
    }

    [Fact]
    public async Task An_answer_has_a_strong_tag_and_is_not_sent_twice()
    {
        var agency = await DatasetAsync("tagged");
        var pushed = await PushAsync(agency, "tagged", """{"station":"a","time":"2026-11-23T09:00:00Z"}""");
        var path = $"api/v1/datasets/tagged/records?watermark={pushed.RootElement.GetProperty("watermark").GetString()}";
        using var first = await hub.Anonymous.GetAsync(path);
        var tag = first.Headers.ETag!;
        Assert.False(tag.IsWeak);
        using var again = await hub.Anonymous.SendAsync(new(HttpMethod.Get, path) { Headers = { IfNoneMatch = { tag } } });
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.True(again.Headers.Contains("DataHub-Watermark"));
        using var head = await hub.Anonymous.SendAsync(new(HttpMethod.Head, path));
        Assert.Equal((HttpStatusCode.OK, tag, 0), (head.StatusCode, head.Headers.ETag, (await head.Content.ReadAsByteArrayAsync()).Length));
        using var crossOrigin = await hub.Anonymous.SendAsync(new(HttpMethod.Get, path) { Headers = { { "Origin", "https://example.org" } } });
        Assert.Equal("*", crossOrigin.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task Rows_are_paged_by_time_and_key_across_partitions()
    {
        var agency = await DatasetAsync("paged", partitions: 3);
        var rows = string.Join(',', Enumerable.Range(0, 25).Select(i => $$"""{"station":"s{{i:00}}","time":"2026-11-{{1 + (i % 7):00}}T00:00:00Z","no2":{{i}}}"""));
        var pushed = await PushAsync(agency, "paged", $"[{rows}]");
        var next = $"api/v1/datasets/paged/records?limit=4&from=2026-11-02T00:00:00Z&to=2026-11-06&watermark={pushed.RootElement.GetProperty("watermark").GetString()}";
        var seen = new List<(string, string)>();
        while (next is not null)
        {
            var page = (await HubFixture.OkAsync(hub.Anonymous.GetAsync(next.TrimStart('/')))).RootElement;
            seen.AddRange(page.GetProperty("rows").EnumerateArray().Select(r => (r.GetProperty("time").GetString()!, r.GetProperty("station").GetString()!)));
            next = page.GetProperty("next").GetString();
        }

        // 2026-11-06 begins in Berlin an hour before it does in UTC.
        var expected = Enumerable.Range(0, 25).Select(i => ($"2026-11-{1 + (i % 7):00}T00:00:00Z", $"s{i:00}")).Where(r => r.Item1[8..10] is "02" or "03" or "04" or "05").Order().ToArray();
        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task Who_asks_wrongly_is_told_what_is_right()
    {
        await DatasetAsync("strict");
        foreach (var (query, parameter) in new[] { ("from=yesterday", "from"), ("from=2026-11-23T08:00:00", "from"), ("from=2026-02-02&to=2026-02-01", "to"), ("limit=0", "limit"), ("limit=10001", "limit"), ("after=x", "after"), ("watermark=x", "watermark"), ("area=01", "area"), ("fields=a", "fields"), ("fields=no2,no2", "fields"), ("filter.nix=a", "filter.nix"), ("filter.no2=1", "filter.no2"), ("filter.station=a&filter.station=b", "filter.station"), ("nix=1", "nix"), ("format=xml", "format") })
        {
            var problem = await HubFixture.RefusedAsync(hub.Anonymous.GetAsync($"api/v1/datasets/strict/records?{query}"), 400, "invalid-parameter");
            Assert.Equal(parameter, problem.RootElement.GetProperty("parameter").GetString());
        }

        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/nobody/records"), 404, "not-found");
        var other = new Watermark(Guid.NewGuid(), "strict", [1]);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync($"api/v1/datasets/strict/records?watermark={other}"), 410, "watermark-gone");
    }

    [Fact]
    public async Task Rows_that_are_not_open_are_the_publishers()
    {
        var agency = await DatasetAsync("closed", access: AccessClass.Internal);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/closed/records"), 401, "unauthorized");
        await HubFixture.RefusedAsync((await hub.AgencyAsync("closed-other", KeyRole.Read)).GetAsync("api/v1/datasets/closed/records"), 403, "forbidden");
        await HubFixture.RefusedAsync(agency.GetAsync("api/v1/datasets/closed/records"), 403, "forbidden");
        await HubFixture.OkAsync((await hub.AgencyAsync("closed-agency", KeyRole.Read)).GetAsync("api/v1/datasets/closed/records"));
    }

    [Fact]
    public async Task Personal_fields_of_open_rows_are_for_the_publisher_only()
    {
        var agency = await hub.AgencyAsync("persons-agency", KeyRole.Admin);
        await hub.PutDatasetAsync("persons", "persons-agency", DatasetKind.Records, Contracts.Schema(["id"], Contracts.Field("id", FieldType.Integer), Contracts.Field("name", FieldType.String, FieldRole.Personal)));
        var pushed = await PushAsync(agency, "persons", """{"id":1,"name":"Erika"}""");
        var path = $"api/v1/datasets/persons/records?watermark={pushed.RootElement.GetProperty("watermark").GetString()}";
        Assert.Equal("Erika", (await HubFixture.OkAsync(agency.GetAsync(path))).RootElement.GetProperty("rows")[0].GetProperty("name").GetString());
        Assert.Null((await HubFixture.OkAsync(hub.Anonymous.GetAsync(path))).RootElement.GetProperty("rows")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Quarantined_rows_are_listed_as_they_came_with_every_reason()
    {
        var agency = await DatasetAsync("quarantine");
        for (var push = 0; push < 3; push++)
            await PushAsync(agency, "quarantine", $"{{\"station\":\"s{push}\"}}\n{{broken\n{{\"station\":\"ok\",\"time\":\"2026-11-23T09:0{push}:00Z\"}}", "application/x-ndjson");

        var next = "api/v1/datasets/quarantine/quarantine?limit=4";
        var seen = new List<JsonElement>();
        while (next is not null)
        {
            var page = (await HubFixture.OkAsync(agency.GetAsync(next.TrimStart('/')))).RootElement;
            seen.AddRange(page.GetProperty("rows").EnumerateArray());
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(6, seen.Count);
        Assert.Equal(seen.Select(Instant).OrderDescending(), seen.Select(Instant));
        Assert.Equal(6, seen.Select(e => e.GetProperty("id").GetString()).Distinct().Count());
        Assert.Equal(["required", "not-json"], seen.SelectMany(e => e.GetProperty("errors").EnumerateArray()).Select(e => e.GetProperty("code").GetString()).Distinct().OrderDescending());
        Assert.Contains(seen, e => e.GetProperty("raw").ValueKind == JsonValueKind.Object && e.GetProperty("raw").GetProperty("station").GetString() == "s1");
        Assert.Contains(seen, e => e.GetProperty("raw").ValueKind == JsonValueKind.String && e.GetProperty("raw").GetString() == "{broken");
        Assert.Empty((await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/quarantine/quarantine?feed=nobody"))).RootElement.GetProperty("rows").EnumerateArray());
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/quarantine/quarantine"), 401);
        await HubFixture.RefusedAsync((await hub.AgencyAsync("quarantine-other")).GetAsync("api/v1/datasets/quarantine/quarantine"), 403);

        static DateTimeOffset Instant(JsonElement row) => row.GetProperty("receivedAt").GetDateTimeOffset();
    }

    [Fact]
    public async Task Counts_are_conserved()
    {
        var agency = await DatasetAsync("conserved", partitions: 2);
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/datasets/conserved/feeds/second", new StringContent("{}", Encoding.UTF8, "application/json")));
        var rows = string.Join(',', Enumerable.Range(0, 30).Select(i => $$"""{"station":"s{{i % 10}}","time":"2026-11-23T09:00:00Z","no2":{{(i == 3 ? -1 : i % 10)}}}"""));
        await PushAsync(agency, "conserved", $"[{rows}]");
        await PushAsync(agency, "conserved", $"[{rows}]", feed: "second");
        var counts = (await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/conserved/conservation"))).RootElement;
        var feeds = counts.GetProperty("feeds").EnumerateArray().ToDictionary(f => f.GetProperty("feed").GetString()!);
        Assert.Equal((1, 30, 10, 19, 1), Of(feeds["default"]));
        Assert.Equal((1, 30, 0, 29, 1), Of(feeds["second"]));
        foreach (var consumer in counts.GetProperty("consumers").EnumerateArray())
            Assert.Equal(10, consumer.GetProperty("applied").GetInt64() + consumer.GetProperty("notYetApplied").GetInt64());
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/conserved/conservation"), 401);

        static (long, long, long, long, long) Of(JsonElement f) => (f.GetProperty("pushes").GetInt64(), f.GetProperty("received").GetInt64(), f.GetProperty("accepted").GetInt64(), f.GetProperty("duplicate").GetInt64(), f.GetProperty("quarantined").GetInt64());
    }

    private async Task<HttpClient> DatasetAsync(string dataset, int partitions = 1, AccessClass access = AccessClass.Open)
    {
        var agency = await hub.AgencyAsync($"{dataset}-agency");
        await hub.PutAirQualityAsync(dataset, $"{dataset}-agency", partitions, access: access);
        return agency;
    }

    private static Task<JsonDocument> PushAsync(HttpClient client, string dataset, string body, string type = "application/json", string feed = "default") =>
        HubFixture.OkAsync(client.PostAsync($"api/v1/datasets/{dataset}/feeds/{feed}/records", new StringContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } }));
}
