using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Feeds;

/// <summary>Columns, filters and pages of rows.</summary>
public sealed class RowsQueryHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private static readonly TableSchema s_schema = Contracts.Schema(
        ["id"],
        Contracts.Field("id", FieldType.Integer),
        Contracts.Field("opened", FieldType.DateTime, FieldRole.Opened),
        Contracts.Field("kind", FieldType.String, FieldRole.Dimension),
        Contracts.Field("done", FieldType.Boolean),
        Contracts.Field("name", FieldType.String, FieldRole.Personal),
        Contracts.Field("cost", FieldType.Number, FieldRole.Measure));

    [Fact]
    public async Task Columns_are_chosen_by_name_and_come_in_the_contracts_order()
    {
        var (agency, path) = await ReportsAsync("columns", """[{"id":1,"opened":"2026-03-02T08:00:00Z","kind":"müll","name":"Erika","cost":2.5}]""");
        Assert.Equal("""[{"kind":"müll","cost":2.5}]""", (await OkAsync(hub.Anonymous.GetAsync(path + "&fields=cost,kind"))).RootElement.GetProperty("rows").GetRawText());
        Assert.Equal("kind,cost\r\nmüll,2.5\r\n", await hub.Anonymous.GetStringAsync(path + "&fields=cost,kind&format=csv"));
        Assert.Equal("{\"id\":1}\n", await hub.Anonymous.GetStringAsync(path + "&fields=id&format=ndjson"));
        var feature = (await OkAsync(hub.Anonymous.GetAsync(path + "&fields=id&format=geojson"))).RootElement.GetProperty("features")[0];
        Assert.Equal("""{"id":1}""", feature.GetProperty("properties").GetRawText());
        // Naming a personal field does not open it.
        Assert.Equal("""[{"name":null}]""", (await OkAsync(hub.Anonymous.GetAsync(path + "&fields=name"))).RootElement.GetProperty("rows").GetRawText());
        Assert.Equal("""[{"name":"Erika"}]""", (await OkAsync(agency.GetAsync(path + "&fields=name"))).RootElement.GetProperty("rows").GetRawText());
        var refused = await RefusedAsync(hub.Anonymous.GetAsync(path + "&fields=kind,farbe"), 400, "invalid-parameter");
        Assert.Contains("farbe", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_are_filtered_by_what_fields_hold()
    {
        var (agency, path) = await ReportsAsync("filters",
            """[{"id":1,"kind":"müll","done":true},{"id":2,"kind":"a&b","done":false},{"id":3,"done":true,"name":"Erika"},{"id":4,"kind":"müll","done":false}]""");
        Assert.Equal("1 4", await IdsAsync("filter.kind=m%C3%BCll"));
        Assert.Equal("2", await IdsAsync("filter.kind=a%26b"));
        Assert.Equal("3", await IdsAsync("filter.kind="));
        Assert.Equal("1 3", await IdsAsync("filter.done=true"));
        Assert.Equal("4", await IdsAsync("filter.done=false&filter.kind=m%C3%BCll"));
        Assert.Equal("2", await IdsAsync("filter.id=2"));
        Assert.Equal("", await IdsAsync("filter.kind=nix"));
        foreach (var (filter, name) in new[] { ("filter.name=Erika", "filter.name"), ("filter.cost=1", "filter.cost"), ("filter.id=zwei", "filter.id"), ("filter.done=ja", "filter.done"), ("filter.=1", "filter.") })
        {
            var refused = await RefusedAsync(agency.GetAsync($"{path}&{filter}"), 400, "invalid-parameter");
            Assert.Equal(name, refused.RootElement.GetProperty("parameter").GetString());
        }

        var many = string.Join('&', Enumerable.Range(0, RowsParameters.MaxFilters + 1).Select(i => $"filter.f{i}=1"));
        await RefusedAsync(hub.Anonymous.GetAsync($"{path}&{many}"), 400, "invalid-parameter");

        async Task<string> IdsAsync(string filter) =>
            string.Join(' ', (await OkAsync(hub.Anonymous.GetAsync($"{path}&{filter}"))).RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("id").GetInt32()));
    }

    [Fact]
    public async Task A_filter_that_finds_little_ends_its_page_early_and_goes_on_behind_the_link()
    {
        await using var small = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Read:MaxScannedRows"] = "1000" });
        var agency = await small.AgencyAsync("rare-agency");
        await small.PutDatasetAsync("rare", "rare-agency", DatasetKind.Records, s_schema, partitions: 2);
        var rows = string.Join('\n', Enumerable.Range(0, 3_500).Select(i => $$"""{"id":{{i}},"opened":"2026-03-{{1 + (i % 28):00}}T08:00:00Z","kind":"{{(i % 700 == 3 ? "rar" : "viel")}}"}"""));
        var watermark = await PushAsync(agency, "rare", rows);
        var (found, pages) = (new List<int>(), 0);
        for (var next = $"api/v1/datasets/rare/records?filter.kind=rar&fields=id,kind&limit=3&watermark={watermark}"; next is not null; pages++)
        {
            var page = (await OkAsync(small.Anonymous.GetAsync(next))).RootElement;
            found.AddRange(page.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("id").GetInt32()));
            Assert.All(page.GetProperty("rows").EnumerateArray(), row => Assert.Equal("rar", row.GetProperty("kind").GetString()));
            next = page.GetProperty("next").GetString()?.TrimStart('/');
        }

        Assert.Equal([3, 703, 1403, 2103, 2803], found.Order());
        Assert.InRange(pages, 4, 7);
    }

    [Theory]
    [InlineData("json", 1)]
    [InlineData("csv", 2)]
    [InlineData("ndjson", 3)]
    public async Task Who_pages_while_others_push_correct_and_delete_sees_every_row_that_stood_exactly_once(string format, int seed)
    {
        var dataset = $"moving-{format}";
        var agency = await hub.AgencyAsync($"{dataset}-agency");
        await hub.PutAirQualityAsync(dataset, $"{dataset}-agency", partitions: 3);
        var random = new Random(seed);
        // Rows that stand throughout, among them such as are corrected, beside others that come and go.
        var standing = Enumerable.Range(0, 400).Select(i => (Station: $"s{i % 37:00}", Time: At(i * 7))).ToArray();
        var watermark = await PushAsync(agency, dataset, string.Join('\n', standing.Select((row, i) => Line(row, i))));
        using var stop = new CancellationTokenSource();
        var pushes = new int[2];
        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(async () =>
        {
            var own = new Random(seed * 100 + writer);
            while (!stop.IsCancellationRequested)
            {
                var lines = Enumerable.Range(0, 20).Select(_ => own.Next(3) switch
                {
                    0 => Line(standing[own.Next(standing.Length)], own.Next(1_000)),
                    1 => Line(($"n{own.Next(20):00}", At(own.Next(3_000))), 1),
                    _ => $$"""{"station":"n{{own.Next(20):00}}","time":"{{At(own.Next(3_000))}}","@delete":true}""",
                });
                await PushAsync(agency, dataset, string.Join('\n', lines));
                Interlocked.Increment(ref pushes[writer]);
            }
        })).ToArray();

        // At least so often, and until every writer was at work meanwhile.
        for (var round = 0; round < 6 || (round < 600 && pushes.Min() <= 2); round++)
        {
            var seen = new List<(string, string)>();
            for (var next = $"api/v1/datasets/{dataset}/records?limit={random.Next(5, 60)}&format={format}&watermark={watermark}"; next is not null;)
            {
                using var answer = await hub.Anonymous.GetAsync(next);
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.IsSuccessStatusCode, text);
                seen.AddRange(Rows(text));
                next = answer.Headers.TryGetValues("Link", out var links)
                    ? links.Where(link => link.EndsWith("rel=\"next\"", StringComparison.Ordinal)).Select(link => link[2..link.IndexOf('>')]).SingleOrDefault()
                    : null;
            }

            Assert.Equal(seen.Count, seen.Distinct().Count());
            Assert.Equal(seen.OrderBy(row => row.Item2, StringComparer.Ordinal).Select(row => row.Item2), seen.Select(row => row.Item2));
            Assert.Empty(standing.Except(seen));
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Assert.All(pushes, count => Assert.True(count > 2));

        static string At(int minutes) => new DateTime(2026, 3, 2, 0, 0, 0, DateTimeKind.Utc).AddMinutes(minutes).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        static string Line((string Station, string Time) row, int no2) => $$"""{"station":"{{row.Station}}","time":"{{row.Time}}","no2":{{no2}}}""";

        IEnumerable<(string, string)> Rows(string text) => format switch
        {
            "json" => JsonDocument.Parse(text).RootElement.GetProperty("rows").EnumerateArray().Select(Of),
            "csv" => text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',')).Select(cells => (cells[0], cells[1])),
            _ => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Of(JsonDocument.Parse(line).RootElement)),
        };

        static (string, string) Of(JsonElement row) => (row.GetProperty("station").GetString()!, row.GetProperty("time").GetString()!);
    }

    private async Task<(HttpClient Agency, string Path)> ReportsAsync(string dataset, string rows)
    {
        var agency = await hub.AgencyAsync($"{dataset}-agency", KeyRole.Admin);
        await hub.PutDatasetAsync(dataset, $"{dataset}-agency", DatasetKind.Records, s_schema);
        var watermark = await PushAsync(agency, dataset, rows, "application/json");
        return (agency, $"api/v1/datasets/{dataset}/records?watermark={watermark}");
    }

    private static async Task<string> PushAsync(HttpClient client, string dataset, string rows, string type = "application/x-ndjson") =>
        (await OkAsync(client.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", new StringContent(rows, Encoding.UTF8, new MediaTypeHeaderValue(type))))).RootElement.GetProperty("watermark").GetString()!;
}
