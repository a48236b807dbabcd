using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using DuckDB.NET.Data;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>The table of a step in every format, as programs read it that know nothing of the hub.</summary>
public sealed class TableFormatsTests(HubFixture hub) : IClassFixture<HubFixture>, IDisposable
{
    private const string Steps = """
        { "title": { "de": "Tabellen & mehr", "en": "Tables" }, "agency": "formate", "steps": [
          { "id": "datei", "read": { "file": { "type": "csv", "decimalChar": ".", "columns": [
              { "header": "text", "type": "string" }, { "header": "zahl", "type": "number" }, { "header": "ganz", "type": "integer" }, { "header": "ja", "type": "boolean" },
              { "header": "tag", "type": "date" }, { "header": "zeit", "type": "time" }, { "header": "stand", "type": "datetime" }, { "header": "lon", "type": "number" }, { "header": "lat", "type": "number" } ] } } },
          { "id": "ohne", "transform": { "inputs": ["datei"], "sql": "SELECT text, ganz FROM datei" } },
          { "id": "form", "transform": { "inputs": ["datei"], "sql": "SELECT ganz, 'LINESTRING (13 52, 14 53)' AS geometry FROM datei" } } ] }
        """;

    private const string File =
        "text;zahl;ganz;ja;tag;zeit;stand;lon;lat\n" +
        "=1+1;0.1;1;true;2026-11-02;08:30:00;2026-11-02T08:00:00+01:00;13.4;52.5\n" +
        "\"a & <b> _x0041_ \"\"c\"\" é😀\";-1234.5678901234567;9007199254740993;false;1899-12-31;00:00:00;1850-01-01T00:00:00Z;13.404954;52.52\n" +
        ";;;;;;;;\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_format_holds_the_same_rows_and_says_where_they_come_from()
    {
        var (admin, run) = await RunAsync("formate");
        var id = run.GetProperty("id").GetString();
        var path = $"api/v1/runs/{id}/steps/datei/table";

        // Parquet, by DuckDB.
        var parquet = await SaveAsync(admin, path + "?format=parquet", "parquet");
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        Assert.Equal(
            ["=1+1|0.1|1|true|2026-11-02|08:30:00|1793602800000000|13.4|52.5", "a & <b> _x0041_ \"c\" é😀|-1234.5678901234567|9007199254740993|false|1899-12-31|00:00:00|-3786825600000000|13.404954|52.52", "||||||||"],
            Rows(duck, $"SELECT text, zahl, ganz, ja, strftime(tag, '%Y-%m-%d'), left(CAST(zeit AS VARCHAR), 8), epoch_us(stand), lon, lat FROM '{parquet}'"));
        var pairs = Rows(duck, $"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{parquet}')").Select(pair => pair.Split('|', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.Equal((id, "formate", "1", "3", Pipes.Step(run, "datei").GetProperty("sha256").GetString(), run.GetProperty("engine").GetString()), (pairs["run"], pairs["job"], pairs["jobVersion"], pairs["rows"], pairs["sha256"], pairs["engine"]));
        var input = run.GetProperty("inputs")[0];
        Assert.Equal((input.GetProperty("sha256").GetString(), "werte.csv"), (JsonDocument.Parse(pairs["inputs"]).RootElement[0].GetProperty("sha256").GetString(), JsonDocument.Parse(pairs["inputs"]).RootElement[0].GetProperty("name").GetString()));

        // CSV, and its description beside it.
        using var csv = await admin.GetAsync(path);
        Assert.Equal(("text/csv", $"</{path}/metadata>; rel=\"describedby\"; type=\"application/csvm+json\""), (csv.Content.Headers.ContentType!.MediaType, csv.Headers.GetValues("Link").Single()));
        Assert.StartsWith("text,zahl,ganz,ja,tag,zeit,stand,lon,lat\r\n=1+1,0.1,1,true,2026-11-02,08:30:00,2026-11-02T07:00:00Z,13.4,52.5\r\n", await csv.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var described = (await OkAsync(admin.GetAsync(path + "/metadata"))).RootElement;
        Assert.Equal(("/" + path + "?format=csv", "dateTime"), (described.GetProperty("url").GetString(), described.GetProperty("tableSchema").GetProperty("columns")[6].GetProperty("datatype").GetString()));
        Assert.Equal((pairs["sha256"], 3, input.GetProperty("sha256").GetString()), (described.GetProperty("notes")[0].GetProperty("sha256").GetString(), described.GetProperty("notes")[0].GetProperty("rows").GetInt32(), described.GetProperty("notes")[0].GetProperty("inputs")[0].GetProperty("sha256").GetString()));
        Assert.StartsWith("\uFEFFtext;zahl", Encoding.UTF8.GetString(await admin.GetByteArrayAsync(path + "?format=csv-de")), StringComparison.Ordinal);

        // NDJSON and GeoJSON.
        var lines = (await admin.GetStringAsync(path + "?format=ndjson&meta=true")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal((id, 4, 9007199254740993), (lines[0].GetProperty("@meta").GetProperty("run").GetString(), lines.Length, lines[2].GetProperty("ganz").GetInt64()));
        var features = (await OkAsync(admin.GetAsync(path + "?format=geojson"))).RootElement;
        Assert.Equal((id, "[13.404954,52.52]"), (features.GetProperty("run").GetString(), features.GetProperty("features")[1].GetProperty("geometry").GetProperty("coordinates").GetRawText()));
        Assert.Equal(JsonValueKind.Null, features.GetProperty("features")[2].GetProperty("geometry").ValueKind);
        var shapes = (await OkAsync(admin.GetAsync($"api/v1/runs/{id}/steps/form/table?format=geojson"))).RootElement;
        Assert.Equal("""{"type":"LineString","coordinates":[[13,52],[14,53]]}""", shapes.GetProperty("features")[0].GetProperty("geometry").GetRawText());
        await RefusedAsync(admin.GetAsync($"api/v1/runs/{id}/steps/ohne/table?format=geojson"), 406, "not-acceptable");
        await RefusedAsync(admin.GetAsync(path + "?format=json"), 400);
        await RefusedAsync(admin.GetAsync($"api/v1/runs/{id}/steps/nirgends/table/metadata"), 404);
        await RefusedAsync(hub.Anonymous.GetAsync(path + "/metadata"), 404);
        using var asked = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Accept = { new MediaTypeWithQualityHeaderValue(AnswerXlsx.ContentType) } } };
        using var answered = await admin.SendAsync(asked);
        Assert.Equal((AnswerXlsx.ContentType, $"{id}-datei.xlsx"), (answered.Content.Headers.ContentType!.MediaType, answered.Content.Headers.ContentDisposition!.FileName!.Trim('"')));
    }

    [Fact]
    public void A_geometry_that_is_nested_without_end_stays_text()
    {
        var geometry = TableGeometry.Of([new("geometry", FieldType.String, null, FieldRole.None, FieldConstraints.None, null, null, null)])!;
        string[] texts = [Nested(13), Nested(50_000), string.Concat(Enumerable.Repeat("GEOMETRYCOLLECTION(", 50_000))];
        Column[] rows = [Column.OfTexts(texts)];
        Assert.Contains("[1,2]", Encoding.UTF8.GetString(geometry.Row(rows, 0)!), StringComparison.Ordinal);
        Assert.Null(geometry.Row(rows, 1));
        Assert.Null(geometry.Row(rows, 2));

        static string Nested(int depth) => string.Concat(Enumerable.Repeat("GEOMETRYCOLLECTION(", depth)) + "POINT (1 2)" + new string(')', depth);
    }

    [Fact]
    public void The_address_of_a_fetched_file_is_told_without_its_query() =>
        Assert.Equal("http://daten.example:8080/a/b.csv", PinnedInputJson.Of(new("datei") { File = "f", Url = "http://daten.example:8080/a/b.csv?token=geheim" }).Url);

    [GdalFact]
    public async Task A_spreadsheet_has_dates_as_dates_and_texts_as_texts_whatever_they_begin_with()
    {
        var (admin, run) = await RunAsync("mappe");
        var file = await SaveAsync(admin, $"api/v1/runs/{run.GetProperty("id").GetString()}/steps/datei/table?format=xlsx", "xlsx");
        using (var zip = ZipFile.OpenRead(file))
        {
            foreach (var entry in zip.Entries)
            {
                using var text = new StreamReader(entry.Open());
                Assert.DoesNotContain("<f>", await text.ReadToEndAsync(), StringComparison.Ordinal);
            }
        }

        // GDAL names the columns and writes what it read as GeoJSON.
        var rows = (await GdalAsync(file, "datei")).Select(feature => feature.GetProperty("properties")).ToArray();
        Assert.InRange(rows.Length, 2, 3);
        Assert.Equal(("=1+1", 0.1, "2026/11/02"), (rows[0].GetProperty("text").GetString(), rows[0].GetProperty("zahl").GetDouble(), rows[0].GetProperty("tag").GetString()!.Replace('-', '/')));
        Assert.StartsWith("2026/11/02T07:00:00", rows[0].GetProperty("stand").GetString()!.Replace('-', '/').Replace(' ', 'T'), StringComparison.Ordinal);
        Assert.Equal(-1234.5678901234567, rows[1].GetProperty("zahl").GetDouble());
        Assert.Equal("9007199254740993", rows[1].GetProperty("ganz").ToString());
        var pairs = (await GdalAsync(file, "Metadaten")).Select(feature => feature.GetProperty("properties").EnumerateObject().Select(property => property.Value.ToString()).ToArray()).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.Equal((run.GetProperty("id").GetString(), "number"), (pairs["run"], pairs["column.zahl"]));

        // And the hub itself takes it for the same table, but for what Excel has no number for.
        var (columns, own, notes) = await FileReading.ReadAsync("a.xlsx", await System.IO.File.ReadAllBytesAsync(file), new() { TimeZone = "UTC" });
        Assert.Equal("text:string zahl:number ganz:string ja:boolean tag:string zeit:time stand:string lon:number lat:number", columns);
        Assert.Equal("a & <b> _x0041_ \"c\" é😀|-1234.5678901234567|9007199254740993|false|1899-12-31|00:00:00|1850-01-01T00:00:00Z|13.404954|52.52", own[1]);
        Assert.Contains("Nicht gelesen: Metadaten.", notes[0], StringComparison.Ordinal);
    }

    private async Task<(HttpClient Admin, JsonElement Run)> RunAsync(string name)
    {
        var admin = await hub.AgencyAsync(name, KeyRole.Admin);
        await Pipes.PutJobAsync(admin, name, Steps.Replace("formate", name, StringComparison.Ordinal));
        return (admin, await Pipes.RunAsync(admin, name, new { files = new { datei = await Pipes.UploadAsync(admin, "werte.csv", File) } }));
    }

    private async Task<string> SaveAsync(HttpClient client, string path, string ending)
    {
        var file = Path.Combine(_folder.FullName, $"{Guid.NewGuid():N}.{ending}");
        await System.IO.File.WriteAllBytesAsync(file, await client.GetByteArrayAsync(path));
        return file;
    }

    private static async Task<JsonElement[]> GdalAsync(string file, string layer)
    {
        var target = $"{file}.{layer}.geojson";
        using var gdal = Process.Start(new ProcessStartInfo(
            GdalFactAttribute.Ogr2Ogr ?? throw new FileNotFoundException("ogr2ogr is not installed (apt-get install gdal-bin)"), ["-f", "GeoJSON", "-lco", "SIGNIFICANT_FIGURES=17", "--config", "OGR_XLSX_HEADERS", "FORCE", target, file, layer])
        { RedirectStandardError = true })!;
        var errors = await gdal.StandardError.ReadToEndAsync();
        await gdal.WaitForExitAsync();
        Assert.True(gdal.ExitCode == 0, errors);
        return [.. JsonDocument.Parse(await System.IO.File.ReadAllBytesAsync(target)).RootElement.GetProperty("features").EnumerateArray().Select(feature => feature.Clone())];
    }

    private static string[] Rows(DuckDBConnection duck, string sql)
    {
        using var command = duck.CreateCommand();
#pragma warning disable CA2100 // The statements are this file's own.
        command.CommandText = sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "" : reader.GetValue(i) switch
            {
                double number => number.ToString("R", CultureInfo.InvariantCulture),
                bool boolean => boolean ? "true" : "false",
                var other => Convert.ToString(other, CultureInfo.InvariantCulture),
            })));
        }

        return [.. rows];
    }
}
