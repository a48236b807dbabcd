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
    private static string AreaTree()
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
