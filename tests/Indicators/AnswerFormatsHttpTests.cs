using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

/// <summary>Rows and values in every format, read as their readers read them.</summary>
public sealed class AnswerFormatsHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private static readonly TableSchema s_schema = Contracts.Schema(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series),
        Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
        Contracts.Field("area", FieldType.String, FieldRole.Area),
        Contracts.Field("no2", FieldType.Number, FieldRole.Measure) with { Unit = "ug/m3" },
        Contracts.Field("lon", FieldType.Number, FieldRole.Longitude),
        Contracts.Field("lat", FieldType.Number, FieldRole.Latitude));

    [Fact]
    public async Task German_csv_has_semicolons_decimal_commas_and_a_byte_order_mark()
    {
        var (rows, values) = await CityAsync("german");
        using var answer = await hub.Anonymous.GetAsync(rows + "&format=csv-de");
        Assert.Equal("text/csv; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            "\uFEFFstation;time;area;no2;lon;lat\r\n"
            + "a;2026-03-02T08:00:00Z;x,y;20,25;13,4;52,5\r\n"
            + "\"b;\"\"ü\"\"\";2026-03-02T08:30:00Z;;-0,1;;\r\n"
            + "c;2026-03-02T09:00:00Z;;;;\r\n",
            Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync()));
        using var number = await hub.Anonymous.GetAsync(values + "&format=csv-de");
        Assert.Equal("\uFEFFfrom;to;value;count;state;series;seriesBefore\r\n2026-03-02T08:00:00Z;2026-03-02T09:00:00Z;10,075;2;ok;2;0\r\n", Encoding.UTF8.GetString(await number.Content.ReadAsByteArrayAsync()));
    }

    [Fact]
    public async Task Ndjson_has_one_row_per_line_and_its_metadata_first_if_asked()
    {
        var (rows, values) = await CityAsync("lines");
        foreach (var path in new[] { rows, values })
        {
            var json = (await OkAsync(hub.Anonymous.GetAsync(path))).RootElement;
            var lines = (await hub.Anonymous.GetStringAsync(path + "&format=ndjson")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(json.GetProperty("rows").EnumerateArray().Select(row => row.GetRawText()), lines);

            var withMeta = (await hub.Anonymous.GetStringAsync(path + "&format=ndjson&meta=true")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(lines, withMeta[1..]);
            var meta = JsonDocument.Parse(withMeta[0]).RootElement.GetProperty("@meta");
            foreach (var member in new[] { "title", "license", "publisher", "timeZone", "describedBy" }) Assert.Equal(json.GetProperty(member).GetRawText(), meta.GetProperty(member).GetRawText());
        }

        var problem = await RefusedAsync(hub.Anonymous.GetAsync(rows + "&format=csv&meta=true"), 400, "invalid-parameter");
        Assert.Equal("meta", problem.RootElement.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Formats_without_room_for_metadata_say_it_in_headers_and_behind_a_link()
    {
        var (rows, values) = await CityAsync("told");
        using var csv = await hub.Anonymous.GetAsync(values + "&format=csv-de");
        Assert.Equal(
            ("1", "ug/m3", "told-agency", "Europe/Berlin"),
            (Header(csv, "DataHub-Definition"), Header(csv, "DataHub-Unit"), Header(csv, "DataHub-Publisher"), Header(csv, "DataHub-Time-Zone")));
        Assert.Equal("attachment; filename=\"told.csv\"", csv.Content.Headers.GetValues("Content-Disposition").Single());
        Assert.True(long.Parse(Header(csv, "DataHub-Version"), CultureInfo.InvariantCulture) > 0);
        Assert.StartsWith("w1.", Header(csv, "DataHub-Watermark"), StringComparison.Ordinal);

        var link = csv.Headers.GetValues("Link").Single();
        Assert.Equal("</api/v1/indicators/told/csvw?format=csv-de>; rel=\"describedby\"; type=\"application/csvm+json\"", link);
        using var described = await hub.Anonymous.GetAsync(link[1..link.IndexOf('>')]);
        Assert.Equal("application/csvm+json", described.Content.Headers.ContentType?.MediaType);
        var table = JsonDocument.Parse(await described.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(";", table.GetProperty("dialect").GetProperty("delimiter").GetString());
        var header = (await csv.Content.ReadAsStringAsync()).TrimStart('\uFEFF').Split("\r\n")[0];
        Assert.Equal(header.Split(';'), table.GetProperty("tableSchema").GetProperty("columns").EnumerateArray().Select(c => c.GetProperty("titles").GetString()));

        using var rowsCsv = await hub.Anonymous.GetAsync(rows + "&format=csv");
        Assert.Equal(("1", "attachment; filename=\"told.csv\""), (Header(rowsCsv, "DataHub-Contract"), rowsCsv.Content.Headers.GetValues("Content-Disposition").Single()));
        var rowsTable = (await OkAsync(hub.Anonymous.GetAsync("api/v1/datasets/told/csvw"))).RootElement;
        Assert.Equal("ug/m3", rowsTable.GetProperty("tableSchema").GetProperty("columns")[3].GetProperty("schema:unitText").GetString());
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/nobody/csvw"), 404);
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/told/csvw?format=json"), 400);
    }

    [Fact]
    public async Task Every_format_has_its_own_strong_tag_and_answers_304_and_head()
    {
        var (rows, values) = await CityAsync("tags");
        foreach (var path in new[] { rows, values })
        {
            var tags = new HashSet<string>();
            foreach (var format in AnswerFormats.Words)
            {
                var named = $"{path}&format={format}";
                using var first = await hub.Anonymous.GetAsync(named);
                Assert.Equal(HttpStatusCode.OK, first.StatusCode);
                Assert.True(tags.Add(first.Headers.ETag!.Tag), $"{named} has the tag of another format");
                using var same = await hub.Anonymous.SendAsync(new(HttpMethod.Get, named) { Headers = { IfNoneMatch = { first.Headers.ETag! } } });
                Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
                using var head = await hub.Anonymous.SendAsync(new(HttpMethod.Head, named));
                Assert.Equal((first.Headers.ETag, first.Content.Headers.ContentLength), (head.Headers.ETag, head.Content.Headers.ContentLength));
                Assert.Contains("Accept", first.Headers.Vary);
            }
        }
    }

    [Theory]
    [InlineData("text/csv;q=0.5, application/x-ndjson;q=0.9, application/json;q=0.1", "application/x-ndjson")]
    [InlineData("application/ndjson", "application/x-ndjson")]
    [InlineData("*/*;q=0.1, text/*", "text/csv")]
    [InlineData("application/*, application/json;q=0", "application/x-ndjson")]
    [InlineData("*/*", "application/json")]
    public async Task Accept_chooses_by_weight_and_the_most_specific_range(string accept, string type)
    {
        await hub.AgencyAsync("accepted-agency");
        await hub.PutAirQualityAsync("accepted", "accepted-agency");
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/datasets/accepted/records") { Headers = { { "Accept", accept } } };
        using var answer = await hub.Anonymous.SendAsync(request);
        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Who_asks_for_another_format_is_told_which_there_are()
    {
        await hub.AgencyAsync("formats-agency");
        await hub.PutAirQualityAsync("formats", "formats-agency");
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/datasets/formats/records") { Headers = { { "Accept", "application/xml" } } };
        var refused = await RefusedAsync(hub.Anonymous.SendAsync(request), 406, "not-acceptable");
        Assert.Equal(AnswerFormats.Types, refused.RootElement.GetProperty("available").EnumerateArray().Select(t => t.GetString()));
        var unknown = await RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/formats/records?format=xlsx"), 400, "invalid-parameter");
        foreach (var word in AnswerFormats.Words) Assert.Contains(word, unknown.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static string Header(HttpResponseMessage answer, string name) => answer.Headers.GetValues(name).Single();

    /// <summary>A dataset with three rows and an indicator of the same name over the whole city; gives the paths of both, up to date.</summary>
    private async Task<(string Rows, string Values)> CityAsync(string name)
    {
        var agency = await hub.AgencyAsync($"{name}-agency", KeyRole.Admin);
        await hub.PutDatasetAsync(name, $"{name}-agency", DatasetKind.Observations, s_schema);
        await OkAsync(agency.PutAsJsonAsync($"api/v1/indicators/{name}", new
        {
            title = new { de = "Stickstoffdioxid" },
            dataset = name,
            measure = new { function = "mean", field = "no2" },
            window = "PT1H",
            groupBy = Array.Empty<string>(),
            unit = "ug/m3",
            access = "open",
        }));
        const string Rows = """
            [ { "station": "a", "time": "2026-03-02T08:00:00Z", "area": "x,y", "no2": 20.25, "lon": 13.4, "lat": 52.5 },
              { "station": "b;\"ü\"", "time": "2026-03-02T08:30:00Z", "no2": -0.1 },
              { "station": "c", "time": "2026-03-02T09:00:00Z" } ]
            """;
        var pushed = (await OkAsync(agency.PostAsync($"api/v1/datasets/{name}/feeds/default/records", new StringContent(Rows, Encoding.UTF8, new MediaTypeHeaderValue("application/json"))))).RootElement;
        Assert.Equal(3, pushed.GetProperty("accepted").GetInt32());
        var watermark = pushed.GetProperty("watermark").GetString();
        return ($"api/v1/datasets/{name}/records?watermark={watermark}", $"api/v1/indicators/{name}/values?watermark={watermark}");
    }
}
