using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Reports;

/// <summary>Real reports, pushed as they are published, beside counts made from the file by other means.</summary>
public sealed class IncidentReportsTests
{
    private const string Reports = "reports/fahrraddiebstahl_2022_h1.csv";
    private const string Areas = "lor/lor_2021_hierarchie.csv";

    // The file has no id and twenty identical rows: the number of its line is the key.
    private const string Dataset = """
        { "title": "Fahrraddiebstähle", "publisher": "polizei", "kind": "records", "access": "open", "license": "CC BY-SA 3.0 DE", "areaSystem": "lor-2021",
          "schema": { "primaryKey": "ZEILE", "fields": [
            { "name": "ZEILE", "type": "integer" },
            { "name": "ANGELEGT_AM", "type": "date", "format": "%d.%m.%Y" },
            { "name": "TATZEIT_ANFANG_DATUM", "type": "date", "format": "%d.%m.%Y", "role": "opened", "constraints": { "required": true } },
            { "name": "TATZEIT_ANFANG_STUNDE", "type": "integer", "constraints": { "minimum": 0, "maximum": 23 } },
            { "name": "TATZEIT_ENDE_DATUM", "type": "date", "format": "%d.%m.%Y" },
            { "name": "TATZEIT_ENDE_STUNDE", "type": "integer", "constraints": { "minimum": 0, "maximum": 23 } },
            { "name": "LOR", "type": "string", "role": "area", "constraints": { "required": true, "pattern": "[0-9]{8}" } },
            { "name": "SCHADENSHOEHE", "type": "integer", "role": "measure", "unit": "EUR", "constraints": { "minimum": 0 } },
            { "name": "VERSUCH", "type": "boolean", "trueValues": ["Ja"], "falseValues": ["Nein", "Unbekannt"] },
            { "name": "ART_DES_FAHRRADS", "type": "string", "role": "dimension" },
            { "name": "DELIKT", "type": "string", "constraints": { "enum": ["Fahrraddiebstahl", "Keller- und Bodeneinbruch"] } },
            { "name": "ERFASSUNGSGRUND", "type": "string" } ] } }
        """;

    [SharedDataFact(Reports, Areas)]
    public async Task Counts_per_planning_area_and_day_equal_those_of_the_file()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = hub.With(await hub.KeyAsync("polizei", KeyRole.Admin));
        var areas = AreaTree();
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/lor-2021", Body(areas, "text/csv")));
        await HubFixture.OkAsync(agency.PutAsync("api/v1/datasets/bike-theft", Body(Dataset, "application/json")));
        await HubFixture.OkAsync(agency.PutAsync("api/v1/indicators/bike-theft-daily", Body(
            """{ "title": "Fahrraddiebstähle je Tag", "dataset": "bike-theft", "measure": { "function": "count" }, "window": "P1D", "groupBy": ["area"], "access": "open" }""", "application/json")));

        var lines = SharedData.Text(Reports).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.TrimEnd('\r')).ToArray();
        Assert.Equal(10_268, lines.Length);
        var rows = lines.Skip(1).Select((line, i) => $"{i + 2},{line}").ToArray();
        var watermark = await PushAllAsync(agency, $"ZEILE,{lines[0]}", rows);

        var expected = rows.Select(row => row.Split(','))
            .GroupBy(cells => (Area: cells[6], Day: DateOnly.ParseExact(cells[2], "dd.MM.yyyy", CultureInfo.InvariantCulture)))
            .ToDictionary(group => group.Key, group => group.LongCount());
        Assert.Equal(expected, await CountsAsync(hub, $"api/v1/indicators/bike-theft-daily/values?level=3&limit=10000&watermark={watermark}"));

        // Rolled up, nothing is lost on the way: the twelve districts have all of them.
        var districts = await CountsAsync(hub, $"api/v1/indicators/bike-theft-daily/values?level=0&limit=10000&watermark={watermark}");
        Assert.Equal(10_267, districts.Values.Sum());
        Assert.Equal(12, districts.Keys.Select(key => key.Area).Distinct().Count());

        var feed = (await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/bike-theft/conservation"))).RootElement.GetProperty("feeds")[0];
        Assert.Equal((10_267, 0), (feed.GetProperty("accepted").GetInt64(), feed.GetProperty("quarantined").GetInt64()));
        Assert.Equal(feed.GetProperty("received").GetInt64(), feed.GetProperty("accepted").GetInt64() + feed.GetProperty("duplicate").GetInt64());
    }

    private const string CasesDataset = """
        { "title": "Fahrraddiebstähle als Vorgänge", "publisher": "polizei-2", "license": "dl-de/by-2-0", "kind": "records", "access": "open", "areaSystem": "lor-2021-cases", "partitions": 3,
          "schema": { "primaryKey": "id", "fields": [
            { "name": "id", "type": "integer" }, { "name": "opened", "type": "datetime", "role": "opened" }, { "name": "closed", "type": "datetime", "role": "closed" },
            { "name": "lor", "type": "string", "role": "area" }, { "name": "kind", "type": "string", "role": "dimension" } ] } }
        """;

    private sealed record Case(int Id, DateTimeOffset Opened, DateTimeOffset? Closed, string Area, string Kind);

    /// <summary>
    /// Each report is opened, perhaps first in another area or as another kind, moved, closed, perhaps reopened and closed
    /// again, some are deleted in the end; pushes are shuffled where they do not depend on one another.
    /// </summary>
    [SharedDataFact(Reports, Areas)]
    public async Task Open_counts_of_life_cycles_equal_a_query_over_the_file_at_any_instant()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = hub.With(await hub.KeyAsync("polizei-2", KeyRole.Admin));
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/lor-2021-cases", Body(AreaTree(), "text/csv")));
        await HubFixture.OkAsync(agency.PutAsync("api/v1/datasets/bike-cases", Body(CasesDataset, "application/json")));
        await HubFixture.OkAsync(agency.PutAsync("api/v1/indicators/bike-open", Body(
            """{ "title": "Offen", "dataset": "bike-cases", "measure": { "function": "open" }, "window": "PT1H", "groupBy": ["area", "kind"], "access": "open" }""", "application/json")));
        await HubFixture.OkAsync(agency.PutAsync("api/v1/indicators/bike-took", Body(
            """{ "title": "Dauer", "dataset": "bike-cases", "measure": { "function": "p90", "field": "@duration" }, "window": "P1M", "groupBy": ["kind"], "unit": "s", "access": "open" }""", "application/json")));

        var random = new Random(1907);
        var lines = SharedData.Text(Reports).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(l => l.TrimEnd('\r').Split(',')).ToArray();
        var cases = lines.Select((cells, i) =>
        {
            var (opened, closed) = (Instant(cells[1], cells[2]), Instant(cells[3], cells[4]));
            // What ended in the hour in which it began stays open: then there is something to count at any time.
            return new Case(i, opened, closed > opened ? closed : null, cells[5], cells[8]);
        }).ToArray();
        Assert.Contains(cases, c => c.Closed is null);
        var deleted = cases.Where(_ => random.Next(20) == 0).Select(c => c.Id).ToHashSet();

        var begun = cases.Select(c => Row(random.Next(3) == 0 ? c with { Area = cases[random.Next(cases.Length)].Area, Kind = "Fahrrad" } : c, closed: null));
        var moved = cases.SelectMany(c => random.Next(4) == 0 ? [Row(c, c.Opened.AddHours(3)), Row(c, null)] : new[] { Row(c, null) });
        var watermark = "";
        foreach (var stage in new[] { Shuffled(begun), moved.ToArray(), [.. Shuffled(cases.Select(c => Row(c, c.Closed))), .. deleted.Select(id => $$"""{"id":{{id}},"@delete":true}""")] })
        {
            foreach (var chunk in stage.Chunk(2_000))
            {
                var receipt = (await HubFixture.OkAsync(agency.PostAsync("api/v1/datasets/bike-cases/feeds/default/records", Body(string.Join('\n', chunk), "application/x-ndjson")))).RootElement;
                Assert.Equal(0, receipt.GetProperty("quarantined").GetInt32());
                watermark = receipt.GetProperty("watermark").GetString()!;
            }
        }

        var standing = cases.Where(c => !deleted.Contains(c.Id)).ToArray();
        var first = new DateTimeOffset(2021, 12, 20, 0, 0, 0, TimeSpan.Zero);
        for (var i = 0; i < 100; i++)
        {
            var (instant, level) = (first.AddHours(random.Next(24 * 210)), i % 2 == 0 ? 0 : 3);
            var expected = standing.Where(c => c.Opened < instant && (c.Closed is null || c.Closed >= instant))
                .GroupBy(c => (Area: level == 0 ? c.Area[..2] : c.Area, c.Kind)).ToDictionary(group => group.Key, group => group.LongCount());
            var answer = (await HubFixture.OkAsync(hub.Anonymous.GetAsync(
                $"api/v1/indicators/bike-open/values?level={level}&from={instant.AddHours(-1):yyyy-MM-ddTHH:mm:ssZ}&to={instant:yyyy-MM-ddTHH:mm:ssZ}&limit=10000&watermark={watermark}"))).RootElement;
            Assert.Equal(JsonValueKind.Null, answer.GetProperty("next").ValueKind);
            var told = answer.GetProperty("rows").EnumerateArray().Where(row => row.GetProperty("value").GetInt64() != 0)
                .ToDictionary(row => (Area: row.GetProperty("area").GetString()!, Kind: row.GetProperty("dimensions").GetProperty("kind").GetString()!), row => row.GetProperty("value").GetInt64());
            Assert.Equal(expected, told);
        }

        var took = (await HubFixture.OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/bike-took/values?limit=10000&watermark={watermark}"))).RootElement.GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(standing.LongCount(c => c.Closed is not null), took.Sum(row => row.GetProperty("count").GetInt64()));

        string[] Shuffled(IEnumerable<string> rows)
        {
            var all = rows.ToArray();
            random.Shuffle(all);
            return all;
        }

        // The file's hours are those of the clock; whatever zone they are read in is the same on both sides.
        static DateTimeOffset Instant(string day, string hour) =>
            new(DateTime.ParseExact(day, "dd.MM.yyyy", CultureInfo.InvariantCulture).AddHours(int.Parse(hour, CultureInfo.InvariantCulture)), TimeSpan.FromHours(1));

        static string Row(Case c, DateTimeOffset? closed) => JsonSerializer.Serialize(new { id = c.Id, opened = c.Opened, closed, lor = c.Area, kind = c.Kind });
    }

    /// <summary>Shuffled, a third of the rows twice in their push or in a later one, some pushes repeated under their key.</summary>
    /// <returns>The watermark that includes all of it.</returns>
    private static async Task<string> PushAllAsync(HttpClient agency, string header, string[] rows)
    {
        var random = new Random(2022);
        var sent = rows.Concat(rows.Where(_ => random.Next(3) == 0)).ToArray();
        random.Shuffle(sent);
        var watermark = "";
        var accepted = 0;
        foreach (var (chunk, number) in sent.Chunk(700).Select((chunk, i) => (chunk, i)))
        {
            var body = new StringBuilder(header).Append("\r\n").AppendJoin("\r\n", chunk).Append("\r\n").ToString();
            var receipt = await PushAsync(agency, body, $"chunk-{number}");
            accepted += receipt.GetProperty("accepted").GetInt32();
            watermark = receipt.GetProperty("watermark").GetString()!;
            if (number % 3 == 0) Assert.Equal(receipt.GetRawText(), (await PushAsync(agency, body, $"chunk-{number}")).GetRawText());
        }

        Assert.Equal(rows.Length, accepted);
        return watermark;
    }

    private static async Task<JsonElement> PushAsync(HttpClient agency, string body, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/datasets/bike-theft/feeds/default/records") { Content = Body(body, "text/csv") };
        request.Headers.Add("Idempotency-Key", key);
        return (await HubFixture.OkAsync(agency.SendAsync(request))).RootElement;
    }

    private static async Task<Dictionary<(string Area, DateOnly Day), long>> CountsAsync(HubFixture hub, string? next)
    {
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var counts = new Dictionary<(string, DateOnly), long>();
        while (next is not null)
        {
            var page = (await HubFixture.OkAsync(hub.Anonymous.GetAsync(next.TrimStart('/')))).RootElement;
            foreach (var row in page.GetProperty("rows").EnumerateArray())
            {
                var from = TimeZoneInfo.ConvertTime(row.GetProperty("from").GetDateTimeOffset(), berlin);
                Assert.Equal(TimeSpan.Zero, from.TimeOfDay);
                Assert.Equal(row.GetProperty("count").GetInt64(), (long)row.GetProperty("value").GetDouble());
                counts.Add((row.GetProperty("area").GetString()!, DateOnly.FromDateTime(from.DateTime)), row.GetProperty("count").GetInt64());
            }

            next = page.GetProperty("next").GetString();
        }

        return counts;
    }

    /// <summary>District, forecast area, district region, planning area: each id begins with its parent's.</summary>
    internal static string AreaTree()
    {
        var tree = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in SharedData.Text(Areas).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            var cells = line.TrimEnd('\r').Split(',');
            tree[cells[1]] = $"{cells[1]},{cells[3]},{cells[2]},3";
            tree[cells[3]] = $"{cells[3]},{cells[5]},{cells[4]},2";
            tree[cells[5]] = $"{cells[5]},{cells[5][..2]},{cells[6]},1";
            tree[cells[5][..2]] = $"{cells[5][..2]},,{cells[7]},0";
        }

        return "id,parent,name,level\n" + string.Join('\n', tree.Values) + "\n";
    }

    private static StringContent Body(string text, string type) => new(text) { Headers = { ContentType = new MediaTypeHeaderValue(type) { CharSet = "utf-8" } } };
}
