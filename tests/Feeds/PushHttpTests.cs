using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Feeds;

/// <summary>Pushes through the public route of a whole hub.</summary>
public sealed class PushHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string ThreeRows = """
        [ { "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "01100101", "no2": 23.4 },
          { "station": "mc010", "time": "2026-11-23T09:00:00Z", "area": "01100101", "no2": 9999 },
          { "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "01100101", "no2": 23.4 } ]
        """;

    [Fact]
    public async Task A_push_is_answered_with_its_receipt()
    {
        var agency = await DatasetAsync("receipt");
        var receipt = (await HubFixture.OkAsync(PushAsync(agency, "receipt", ThreeRows))).RootElement;
        Assert.Equal(["receipt", "received", "accepted", "duplicate", "quarantined", "watermark", "errors", "errorsLink"], receipt.EnumerateObject().Select(m => m.Name));
        Assert.Equal((3, 1, 1, 1), Counts(receipt));
        Assert.True(ReceiptIds.IsValid(receipt.GetProperty("receipt").GetString()!));
        Assert.True(Watermark.TryParse(receipt.GetProperty("watermark").GetString(), out var watermark));
        Assert.Equal("receipt", watermark!.Dataset);
        Assert.Equal("""{"row":2,"field":"no2","code":"above-maximum","detail":"2000 ist das Maximum","expected":"2000","value":"9999"}""", receipt.GetProperty("errors")[0].GetRawText());
    }

    [Fact]
    public async Task Errors_are_told_in_the_language_that_is_asked_for()
    {
        var agency = await DatasetAsync("language");
        agency.DefaultRequestHeaders.AcceptLanguage.ParseAdd("en");
        var receipt = await HubFixture.OkAsync(PushAsync(agency, "language", ThreeRows));
        Assert.Equal("2000 is the maximum", receipt.RootElement.GetProperty("errors")[0].GetProperty("detail").GetString());
    }

    [Fact]
    public async Task The_same_key_and_body_get_the_same_receipt_and_count_nothing()
    {
        var agency = await DatasetAsync("idempotent");
        var first = await HubFixture.OkAsync(PushAsync(agency, "idempotent", ThreeRows, key: "k-1"));
        var again = await HubFixture.OkAsync(PushAsync(agency, "idempotent", ThreeRows, key: "k-1"));
        Assert.Equal(first.RootElement.GetRawText(), again.RootElement.GetRawText());
        await HubFixture.RefusedAsync(PushAsync(agency, "idempotent", "[]", key: "k-1"), 409, "idempotency-key-reused");
        Assert.Equal((3, 1, 1, 1), await ConservedAsync("idempotent"));
    }

    [Fact]
    public async Task A_push_of_which_nothing_passes_is_422_with_the_same_members_and_stored()
    {
        var agency = await DatasetAsync("nothing");
        var problem = (await HubFixture.RefusedAsync(PushAsync(agency, "nothing", """{"station":"a"}""", key: "k"), 422, "all-quarantined")).RootElement;
        Assert.Equal((1, 0, 0, 1), Counts(problem));
        Assert.Equal("required", problem.GetProperty("errors")[0].GetProperty("code").GetString());
        var again = (await HubFixture.RefusedAsync(PushAsync(agency, "nothing", """{"station":"a"}""", key: "k"), 422, "all-quarantined")).RootElement;
        Assert.Equal(problem.GetRawText(), again.GetRawText());
        Assert.Equal((1, 0, 0, 1), await ConservedAsync("nothing"));
    }

    [Fact]
    public async Task A_dry_run_answers_and_stores_nothing()
    {
        var agency = await DatasetAsync("dry");
        var receipt = (await HubFixture.OkAsync(PushAsync(agency, "dry", ThreeRows, query: "?dryRun=true"))).RootElement;
        Assert.Equal((3, 1, 1, 1), Counts(receipt));
        Assert.Equal(JsonValueKind.Null, receipt.GetProperty("receipt").ValueKind);
        Assert.Equal((0, 0, 0, 0), await ConservedAsync("dry"));
    }

    [Fact]
    public async Task Atomic_takes_all_rows_or_none()
    {
        var agency = await DatasetAsync("atomic");
        var problem = (await HubFixture.RefusedAsync(PushAsync(agency, "atomic", ThreeRows, query: "?atomic=true"), 422, "not-atomic")).RootElement;
        Assert.Equal("above-maximum", problem.GetProperty("errors")[0].GetProperty("code").GetString());
        Assert.Equal((0, 0, 0, 0), await ConservedAsync("atomic"));
        var receipt = (await HubFixture.OkAsync(PushAsync(agency, "atomic", """{"station":"a","time":"2026-11-23T08:00:00Z"}""", query: "?atomic=true"))).RootElement;
        Assert.Equal((1, 1, 0, 0), Counts(receipt));
    }

    [Fact]
    public async Task No_rows_are_fine()
    {
        var agency = await DatasetAsync("empty");
        Assert.Equal((0, 0, 0, 0), Counts((await HubFixture.OkAsync(PushAsync(agency, "empty", "[]"))).RootElement));
    }

    [Fact]
    public async Task Corrections_and_retractions_are_accepted()
    {
        var agency = await DatasetAsync("correct");
        const string Row = """{"station":"a","time":"2026-11-23T08:00:00Z","no2":1}""";
        Assert.Equal((1, 1, 0, 0), Counts((await HubFixture.OkAsync(PushAsync(agency, "correct", Row))).RootElement));
        Assert.Equal((1, 1, 0, 0), Counts((await HubFixture.OkAsync(PushAsync(agency, "correct", Row.Replace("1}", "2}", StringComparison.Ordinal)))).RootElement));
        Assert.Equal((1, 1, 0, 0), Counts((await HubFixture.OkAsync(PushAsync(agency, "correct", "station,time,@delete\na,2026-11-23T08:00:00Z,true\n", "text/csv"))).RootElement));
        // What is not there cannot be taken away.
        Assert.Equal((1, 0, 1, 0), Counts((await HubFixture.OkAsync(PushAsync(agency, "correct", """{"station":"a","time":"2026-11-23T08:00:00Z","@delete":true}"""))).RootElement));
    }

    [Theory]
    [InlineData("application/json; charset=utf-8", """{"station":"json","time":"2026-11-23T08:00:00Z"}""")]
    [InlineData("application/x-ndjson", "{\"station\":\"ndjson\",\"time\":\"2026-11-23T08:00:00Z\"}\n")]
    [InlineData("text/csv", "station,time\r\ncsv,2026-11-23T08:00:00Z\r\n")]
    public async Task Every_format_is_taken(string type, string body)
    {
        var agency = await DatasetAsync("formats");
        Assert.Equal((1, 1, 0, 0), Counts((await HubFixture.OkAsync(PushAsync(agency, "formats", body, type))).RootElement));
    }

    [Fact]
    public async Task Compressed_bodies_are_taken_and_are_the_same_push()
    {
        var agency = await DatasetAsync("packed");
        var plain = await HubFixture.OkAsync(PushAsync(agency, "packed", ThreeRows, key: "k"));
        foreach (var (encoding, compress) in new (string, Func<Stream, Stream>)[]
        {
            ("gzip", s => new GZipStream(s, CompressionLevel.Fastest)), ("br", s => new BrotliStream(s, CompressionLevel.Fastest)), ("deflate", s => new ZLibStream(s, CompressionLevel.Fastest)),
        })
        {
            var packed = new MemoryStream();
            await using (var stream = compress(packed)) await stream.WriteAsync(Encoding.UTF8.GetBytes(ThreeRows));
            var content = new ByteArrayContent(packed.ToArray()) { Headers = { ContentType = new("application/json"), ContentEncoding = { encoding } } };
            var answer = await HubFixture.OkAsync(SendAsync(agency, "packed", content, key: "k"));
            Assert.Equal(plain.RootElement.GetRawText(), answer.RootElement.GetRawText());
        }

        var broken = new ByteArrayContent([1, 2, 3]) { Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } } };
        await HubFixture.RefusedAsync(SendAsync(agency, "packed", broken), 400, "invalid-body");
        var unknown = new ByteArrayContent([1, 2, 3]) { Headers = { ContentType = new("application/json"), ContentEncoding = { "lzma" } } };
        await HubFixture.RefusedAsync(SendAsync(agency, "packed", unknown), 415, "unsupported-type");
    }

    [Fact]
    public async Task A_dry_run_says_row_by_row_what_would_happen_and_stores_nothing()
    {
        var agency = await DatasetAsync("rehearsed");
        await HubFixture.OkAsync(PushAsync(agency, "rehearsed", """[{"station":"a","time":"2026-11-23T08:00:00Z","no2":1},{"station":"b","time":"2026-11-23T08:00:00Z","no2":2}]"""));
        const string Rehearsal = """[{"station":"a","time":"2026-11-23T08:00:00Z","no2":1},{"station":"c","time":"2026-11-23T08:00:00Z","no2":1},{"station":"b","time":"2026-11-23T08:00:00Z","no2":3},{"station":"d","no2":-1},{"station":"a","time":"2026-11-23T08:00:00Z","@delete":true}]""";

        for (var again = 0; again < 2; again++)
        {
            var dry = (await HubFixture.OkAsync(PushAsync(agency, "rehearsed", Rehearsal, query: "?dryRun=true"))).RootElement;
            Assert.Equal(["1 duplicate", "2 new", "3 correction", "4 quarantined", "5 retraction"], dry.GetProperty("rows").EnumerateArray().Select(row => $"{row.GetProperty("row")} {row.GetProperty("outcome").GetString()}"));
            Assert.Equal((5, 3, 1, 1), Counts(dry));
            Assert.Equal(JsonValueKind.Null, dry.GetProperty("receipt").ValueKind);
        }
    }

    [Fact]
    public async Task What_cannot_be_pushed_is_refused_with_the_reason()
    {
        var agency = await DatasetAsync("refusals");
        await HubFixture.RefusedAsync(PushAsync(hub.Anonymous, "refusals", ThreeRows), 401, "unauthorized");
        await HubFixture.RefusedAsync(PushAsync(await hub.AgencyAsync("somebody-else"), "refusals", ThreeRows), 403, "forbidden");
        await HubFixture.RefusedAsync(PushAsync(await hub.AgencyAsync("refusals-agency", KeyRole.Read), "refusals", ThreeRows), 403, "forbidden");
        await HubFixture.RefusedAsync(PushAsync(agency, "no-such-dataset", ThreeRows), 404, "not-found");
        await HubFixture.RefusedAsync(PushAsync(agency, "refusals", ThreeRows, feed: "no-such-feed"), 404, "not-found");
        await HubFixture.RefusedAsync(PushAsync(agency, "refusals", ThreeRows, "application/xml"), 415, "unsupported-type");
        await HubFixture.RefusedAsync(PushAsync(agency, "refusals", ThreeRows, "application/json; charset=iso-8859-1"), 415, "unsupported-type");
        await HubFixture.RefusedAsync(PushAsync(agency, "refusals", "[{]"), 400, "invalid-json");
        await HubFixture.RefusedAsync(PushAsync(agency, "refusals", "", "text/csv"), 400, "invalid-csv");
        await HubFixture.RefusedAsync(PushAsync(agency, "refusals", ThreeRows, query: "?dryRun=maybe"), 400, "invalid-parameter");
        await HubFixture.RefusedAsync(PushAsync(agency, "refusals", ThreeRows, key: "with space"), 400, "invalid-parameter");
        await HubFixture.RefusedAsync(PushAsync(agency, "refusals", ThreeRows, key: new string('k', 256)), 400, "invalid-parameter");
        Assert.Equal((0, 0, 0, 0), await ConservedAsync("refusals"));
    }

    [Fact]
    public async Task A_dataset_of_several_partitions_answers_as_one()
    {
        await hub.AgencyAsync("many-agency");
        await hub.PutAirQualityAsync("many", "many-agency", partitions: 4);
        var agency = hub.With(await hub.KeyAsync("many-agency", KeyRole.Push));
        var rows = string.Join(',', Enumerable.Range(0, 40).Select(i => $$"""{"station":"s{{i % 20}}","time":"2026-11-23T08:00:00Z","no2":{{(i % 20 == 7 ? 5_000 : i % 20)}}}"""));
        var first = await HubFixture.OkAsync(PushAsync(agency, "many", $"[{rows}]", key: "k"));
        Assert.Equal((40, 19, 19, 2), Counts(first.RootElement));
        Assert.Equal([8, 28], first.RootElement.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("row").GetInt32()));
        var again = await HubFixture.OkAsync(PushAsync(agency, "many", $"[{rows}]", key: "k"));
        Assert.Equal(first.RootElement.GetRawText(), again.RootElement.GetRawText());
        Assert.Equal((40, 19, 19, 2), await ConservedAsync("many"));
        await HubFixture.RefusedAsync(PushAsync(agency, "many", "[]", query: "?atomic=true"), 400, "invalid-parameter");
    }

    [Fact]
    public async Task A_push_made_while_the_contract_changes_is_made_again()
    {
        var agency = await DatasetAsync("changing");
        await HubFixture.OkAsync(PushAsync(agency, "changing", ThreeRows));
        var schema = Contracts.AirQuality.Schema;
        await hub.PutDatasetAsync("changing", "changing-agency", DatasetKind.Observations, schema with { Fields = [.. schema.Fields, Contracts.Field("note", FieldType.String)] });
        var receipt = await HubFixture.OkAsync(PushAsync(agency, "changing", """{"station":"b","time":"2026-11-23T08:00:00Z","note":"new"}"""));
        Assert.Equal((1, 1, 0, 0), Counts(receipt.RootElement));
    }

    [Fact]
    public async Task Who_pushes_notices_nothing_while_contract_and_areas_get_one_new_version_after_the_other()
    {
        var agency = await hub.AgencyAsync("moving-agency");
        await AreasAsync(0);
        await hub.PutAirQualityAsync("moving", "moving-agency", partitions: 3, areaSystem: "moving");
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/indicators/moving", new StringContent(
            """{"title":"x","dataset":"moving","measure":{"function":"sum","field":"no2"},"window":"P1D","access":"open"}""", Encoding.UTF8, "application/json")));
        using var over = new CancellationTokenSource();
        var pushing = Enumerable.Range(0, 4).Select(client => Task.Run(async () =>
        {
            var pushes = 0;
            for (; !over.IsCancellationRequested; pushes++)
            {
                var rows = Enumerable.Range(0, 5).Select(i => $$"""{"station":"s{{client}}-{{i}}","time":"{{new DateTime(2026, 11, 23, 8, 0, 0, DateTimeKind.Utc).AddSeconds(pushes):yyyy-MM-ddTHH:mm:ssZ}}","area":"01","no2":1}""");
                var receipt = await HubFixture.OkAsync(PushAsync(agency, "moving", $"[{string.Join(',', rows)}]"));
                Assert.Equal((5, 5, 0, 0), Counts(receipt.RootElement));
            }

            return pushes;
        })).ToArray();

        var schema = Contracts.AirQuality.Schema;
        for (var version = 1; version <= 12; version++)
        {
            // What the new versions know passes at once.
            await AreasAsync(version);
            schema = schema with { Fields = [.. schema.Fields, Contracts.Field($"note{version}", FieldType.String)] };
            await hub.PutDatasetAsync("moving", "moving-agency", DatasetKind.Observations, schema, 3, "moving");
            Assert.Equal((1, 1, 0, 0), Counts((await HubFixture.OkAsync(PushAsync(agency, "moving", $$"""{"station":"new","time":"2026-11-23T{{version:00}}:00:00Z","area":"1{{version:00}}","note{{version}}":"x","no2":1}"""))).RootElement));
        }

        await over.CancelAsync();
        var total = ((await Task.WhenAll(pushing)).Sum() * 5) + 12;
        var watermark = (await HubFixture.OkAsync(PushAsync(agency, "moving", "[]"))).RootElement.GetProperty("watermark").GetString();
        var counts = Assert.Single((await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/moving/conservation"))).RootElement.GetProperty("feeds").EnumerateArray());
        Assert.Equal((total, total), (counts.GetProperty("received").GetInt32(), counts.GetProperty("accepted").GetInt32()));
        var cell = Assert.Single((await HubFixture.OkAsync(agency.GetAsync($"api/v1/indicators/moving/values?from=2026-11-23&to=2026-11-24&watermark={watermark}"))).RootElement.GetProperty("rows").EnumerateArray());
        Assert.Equal((total, total), (cell.GetProperty("value").GetInt32(), cell.GetProperty("count").GetInt32()));

        async Task AreasAsync(int version) => await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/moving", new StringContent(
            "id,parent,name,level\n01,,Stadt,0\n" + string.Concat(Enumerable.Range(1, version).Select(i => $"1{i:00},01,Teil {i},1\n")), Encoding.UTF8, "text/csv")));
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_413_with_the_limit()
    {
        await using var small = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Ingest:MaxBodyBytes"] = "2048", ["DataHub:Ingest:MaxRows"] = "5" });
        var agency = await small.AgencyAsync("a");
        await small.PutAirQualityAsync("small", "a");
        var large = "[" + new string(' ', 3_000) + "]";
        Assert.Equal(2_048, (await HubFixture.RefusedAsync(PushAsync(agency, "small", large), 413, "too-large")).RootElement.GetProperty("limit").GetInt64());
        // Small on the way, large when unpacked.
        var packed = new MemoryStream();
        await using (var stream = new GZipStream(packed, CompressionLevel.Fastest)) await stream.WriteAsync(Encoding.UTF8.GetBytes(large));
        await HubFixture.RefusedAsync(SendAsync(agency, "small", new ByteArrayContent(packed.ToArray()) { Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } } }), 413, "too-large");
        // Without a length in the headers.
        await HubFixture.RefusedAsync(SendAsync(agency, "small", new StreamContent(new Chunked(Encoding.UTF8.GetBytes(large))) { Headers = { ContentType = new("application/json") } }), 413, "too-large");
        Assert.Equal(5, (await HubFixture.RefusedAsync(PushAsync(agency, "small", "[{},{},{},{},{},{}]"), 413, "too-many-rows")).RootElement.GetProperty("maxRows").GetInt32());
    }

    /// <summary>A stream that does not say how long it is.</summary>
    private sealed class Chunked(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }

    private async Task<HttpClient> DatasetAsync(string dataset)
    {
        var agency = await hub.AgencyAsync($"{dataset}-agency");
        await hub.PutAirQualityAsync(dataset, $"{dataset}-agency");
        return agency;
    }

    private static Task<HttpResponseMessage> PushAsync(HttpClient client, string dataset, string body, string type = "application/json", string? key = null, string query = "", string feed = "default") =>
        SendAsync(client, dataset, new StringContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } }, key, query, feed);

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string dataset, HttpContent content, string? key = null, string query = "", string feed = "default")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/datasets/{dataset}/feeds/{feed}/records{query}") { Content = content };
        if (key is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return client.SendAsync(request);
    }

    private static (int Received, int Accepted, int Duplicate, int Quarantined) Counts(JsonElement receipt) =>
        (receipt.GetProperty("received").GetInt32(), receipt.GetProperty("accepted").GetInt32(), receipt.GetProperty("duplicate").GetInt32(), receipt.GetProperty("quarantined").GetInt32());

    private async Task<(long, long, long, long)> ConservedAsync(string dataset)
    {
        var conservation = await hub.Grains.GetGrain<IDatasetRowsGrain>(dataset).ConservationAsync(Caller.Hub);
        Assert.Equal(Indicators.ReadRefusal.None, conservation.Refusal);
        return (conservation.Feeds.Sum(f => f.Received), conservation.Feeds.Sum(f => f.Accepted), conservation.Feeds.Sum(f => f.Duplicate), conservation.Feeds.Sum(f => f.Quarantined));
    }
}
