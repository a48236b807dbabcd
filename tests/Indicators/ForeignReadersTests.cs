using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using DuckDB.NET.Data;

using Microsoft.Data.Sqlite;

using NetTopologySuite.Geometries;
using NetTopologySuite.IO;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

/// <summary>Answers as programs read them that know nothing of the hub: what they hold equals the JSON answer bit for bit.</summary>
public sealed class ForeignReadersTests(HubFixture hub) : IClassFixture<HubFixture>, IDisposable
{
    private const string Areas =
        """
        { "type": "FeatureCollection", "features": [
          { "type": "Feature", "properties": { "id": "01", "name": "Mitte" },
            "geometry": { "type": "Polygon", "coordinates": [ [ [13.301234567890123, 52.5], [13.5, 52.50000000000001], [13.499999999999998, 52.6], [13.3, 52.6], [13.301234567890123, 52.5] ] ] } },
          { "type": "Feature", "properties": { "id": "02", "name": "Süd \"S\"" },
            "geometry": { "type": "MultiPolygon", "coordinates": [ [ [ [13.0, 52.0], [13.1, 52.0], [13.1, 52.1], [13.0, 52.0] ] ], [ [ [13.2, 52.0], [13.3, 52.0], [13.3, 52.1], [13.2, 52.0] ] ] ] } },
          { "type": "Feature", "properties": { "id": "03", "name": "Nirgends" }, "geometry": null } ] }
        """;

    private static readonly double[] s_numbers = [.. Numbers()];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [GdalFact]
    public async Task Gdal_reads_the_same_values_with_the_areas_polygons()
    {
        var (_, values) = await CityAsync("gdal-values");
        var json = await OkAsync(hub.Anonymous.GetAsync(values));
        var features = await GdalAsync(values);
        var rows = json.RootElement.GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(rows.Length, features.Count);
        Assert.True(rows.Length > 40);
        for (var i = 0; i < rows.Length; i++)
        {
            var properties = features[i].Properties;
            Assert.Equal(rows[i].GetProperty("area").GetString(), properties["area"]);
            Assert.Equal(Bits(rows[i].GetProperty("value")), Bits(properties["value"]));
            Assert.Equal(rows[i].GetProperty("count").GetInt64(), properties["count"]);
            Assert.Equal(rows[i].GetProperty("state").GetString(), properties["state"]);
            Assert.Equal(rows[i].GetProperty("from").GetDateTimeOffset(), Instant(properties["from"]));
            Assert.Equal(rows[i].GetProperty("to").GetDateTimeOffset(), Instant(properties["to"]));
            Assert.Equal(rows[i].GetProperty("area").GetString() switch { "01" => "Mitte", "02" => "Süd \"S\"", "03" => "Nirgends", _ => null }, properties["areaName"]);
            Assert.Equal(Corners(AreaOf(rows[i].GetProperty("area").GetString())), Corners(features[i].Geometry));
        }

        // What stands beside the features.
        var answer = (await OkAsync(hub.Anonymous.GetAsync(values + "&format=geojson"))).RootElement;
        foreach (var member in new[] { "indicator", "version", "watermark", "definition", "unit", "license", "asOf", "title", "publisher", "timeZone", "describedBy" })
            Assert.Equal(json.RootElement.GetProperty(member).GetRawText(), answer.GetProperty(member).GetRawText());
    }

    [GdalFact]
    public async Task Gdal_reads_the_same_rows_with_their_points_or_areas()
    {
        var (rows, _) = await CityAsync("gdal-rows");
        var json = (await OkAsync(hub.Anonymous.GetAsync(rows))).RootElement.GetProperty("rows").EnumerateArray().ToArray();
        var features = await GdalAsync(rows);
        Assert.Equal(s_numbers.Length, features.Count);
        for (var i = 0; i < json.Length; i++)
        {
            var (properties, geometry) = features[i];
            Assert.Equal(json[i].GetProperty("station").GetString(), properties["station"]);
            Assert.Equal(Bits(json[i].GetProperty("no2")), Bits(properties["no2"]));
            Assert.Equal(json[i].GetProperty("whole").GetInt64(), properties["whole"]);
            if (json[i].GetProperty("lon").ValueKind == JsonValueKind.Number)
                Assert.Equal((json[i].GetProperty("lon").GetDouble(), json[i].GetProperty("lat").GetDouble()), (geometry!.Coordinate.X, geometry.Coordinate.Y));
            else Assert.Equal(Corners(AreaOf(json[i].GetProperty("@area").GetString())), Corners(geometry));
        }

        Assert.Contains(json, row => row.GetProperty("lon").ValueKind == JsonValueKind.Null && row.GetProperty("@area").GetString() == "02");
    }

    [Fact]
    public async Task DuckDb_reads_the_same_values_and_their_metadata()
    {
        var (_, values) = await CityAsync("duck-values");
        var json = (await OkAsync(hub.Anonymous.GetAsync(values))).RootElement;
        var file = await SaveAsync(values, "parquet");
        using var duck = Open();
        Assert.Equal(
            "area VARCHAR, from TIMESTAMP WITH TIME ZONE, to TIMESTAMP WITH TIME ZONE, value DOUBLE, count BIGINT, state VARCHAR, series BIGINT, seriesBefore BIGINT",
            string.Join(", ", Read(duck, $"DESCRIBE SELECT * FROM '{file}'").Select(column => $"{column["column_name"]} {column["column_type"]}")));
        var read = Read(duck, $"SELECT area, epoch_us(\"from\") AS f, epoch_us(\"to\") AS t, value, count, state FROM '{file}'");
        var rows = json.GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(rows.Length, read.Count);
        for (var i = 0; i < rows.Length; i++)
        {
            Assert.Equal(rows[i].GetProperty("area").GetString(), read[i]["area"]);
            Assert.Equal(Bits(rows[i].GetProperty("value")), read[i]["value"] is double value ? BitConverter.DoubleToInt64Bits(value) : null);
            Assert.Equal(rows[i].GetProperty("count").GetInt64(), read[i]["count"]);
            Assert.Equal(rows[i].GetProperty("state").GetString(), read[i]["state"]);
            Assert.Equal(Micros(rows[i].GetProperty("from")), read[i]["f"]);
            Assert.Equal(Micros(rows[i].GetProperty("to")), read[i]["t"]);
        }

        var pairs = Read(duck, $"SELECT decode(key) AS k, decode(value) AS v FROM parquet_kv_metadata('{file}')").ToDictionary(pair => (string)pair["k"]!, pair => (string)pair["v"]!);
        foreach (var member in new[] { "indicator", "version", "watermark", "definition", "unit", "license", "asOf", "publisher", "timeZone", "describedBy" })
            Assert.Equal(json.GetProperty(member).ToString(), pairs[member]);
        Assert.Equal(("Stickstoffdioxid", "Nitrogen dioxide", "fremd"), (pairs["title.de"], pairs["title.en"], pairs["areaSystem"]));
    }

    [Fact]
    public async Task DuckDb_reads_the_same_rows_of_every_type()
    {
        var (rows, _) = await CityAsync("duck-rows");
        var json = (await OkAsync(hub.Anonymous.GetAsync(rows))).RootElement.GetProperty("rows").EnumerateArray().ToArray();
        var file = await SaveAsync(rows, "parquet");
        using var duck = Open();
        Assert.Equal(
            "VARCHAR, TIMESTAMP WITH TIME ZONE, VARCHAR, DOUBLE, BIGINT, BOOLEAN, DATE, TIME, BIGINT, VARCHAR, VARCHAR, DOUBLE, DOUBLE, VARCHAR, VARCHAR",
            string.Join(", ", Read(duck, $"DESCRIBE SELECT * FROM '{file}'").Select(column => column["column_type"])).Replace("TIME WITH TIME ZONE", "TIME", StringComparison.Ordinal).Replace("TIMESTAMP,", "TIMESTAMP WITH TIME ZONE,", StringComparison.Ordinal));
        var read = Read(duck, $"SELECT *, epoch_us(time) AS instant, strftime(day, '%Y-%m-%d') AS d, CAST(clock AS VARCHAR) AS c FROM '{file}'");
        Assert.Equal(json.Length, read.Count);
        for (var i = 0; i < json.Length; i++)
        {
            Assert.Equal(json[i].GetProperty("station").GetString(), read[i]["station"]);
            Assert.Equal(Micros(json[i].GetProperty("time")), read[i]["instant"]);
            Assert.Equal(json[i].GetProperty("@area").GetString(), read[i]["@area"]);
            Assert.Equal(Bits(json[i].GetProperty("no2")), read[i]["no2"] is double value ? BitConverter.DoubleToInt64Bits(value) : null);
            Assert.Equal(json[i].GetProperty("whole").GetInt64(), read[i]["whole"]);
            Assert.Equal(json[i].GetProperty("open").ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => (object?)null }, read[i]["open"]);
            Assert.Equal(json[i].GetProperty("day").GetString(), read[i]["d"]);
            Assert.StartsWith(json[i].GetProperty("clock").GetString()!, (string)read[i]["c"]!, StringComparison.Ordinal);
            Assert.Equal(json[i].GetProperty("built").GetInt64(), read[i]["built"]);
            Assert.Equal(json[i].GetProperty("month").GetString(), read[i]["month"]);
            Assert.Equal(json[i].GetProperty("a.b/c").GetString(), read[i]["a.b/c"]);
            Assert.Equal(json[i].GetProperty("more").GetRawText(), read[i]["more"]);
        }
    }

    [Fact]
    public async Task An_answer_without_rows_is_a_file_too()
    {
        var (rows, values) = await CityAsync("empty-files");
        using var duck = Open();
        foreach (var path in new[] { rows, values })
        {
            var none = path + "&from=2001-01-01&to=2001-01-02";
            Assert.Empty(Read(duck, $"SELECT * FROM '{await SaveAsync(none, "parquet")}'"));
            Assert.Empty((await OkAsync(hub.Anonymous.GetAsync(none + "&format=geojson"))).RootElement.GetProperty("features").EnumerateArray());
            Assert.Empty(await hub.Anonymous.GetStringAsync(none + "&format=ndjson"));
        }
    }

    [Fact]
    public async Task Csv_in_both_forms_and_ndjson_give_back_the_same_doubles()
    {
        var (rows, values) = await CityAsync("csv-doubles");
        using var duck = Open();
        foreach (var (path, column) in new[] { (rows, "no2"), (values, "value") })
        {
            var expected = (await OkAsync(hub.Anonymous.GetAsync(path))).RootElement.GetProperty("rows").EnumerateArray().Select(row => Bits(row.GetProperty(column))).ToArray();
            foreach (var (format, options) in new[] { ("csv", "delim = ','"), ("csv-de", "delim = ';', decimal_separator = ','") })
            {
                var file = await SaveAsync(path, format);
                var read = Read(duck, $"SELECT {column} FROM read_csv('{file}', header = true, {options}, types = {{'{column}': 'DOUBLE'}})");
                Assert.Equal(expected, read.Select(row => row[column] is double value ? BitConverter.DoubleToInt64Bits(value) : (long?)null));
            }

            var lines = Read(duck, $"SELECT {column} FROM read_json('{await SaveAsync(path, "ndjson")}', format = 'newline_delimited', columns = {{'{column}': 'DOUBLE'}})");
            Assert.Equal(expected, lines.Select(row => row[column] is double value ? BitConverter.DoubleToInt64Bits(value) : (long?)null));
        }
    }

    /// <summary>Doubles that lose something unless every digit is kept.</summary>
    private static IEnumerable<double> Numbers()
    {
        double[] special = [0, 0.1 + 0.2, 1.0 / 3, -1.0 / 3, 123456789.12345679, 1e-7, 1e-139, -1e150, 9007199254740993, 4.35, 2.5e20, 52.1234567890123456];
        foreach (var number in special) yield return number;
        var random = new Random(7);
        for (var i = 0; i < 100; i++) yield return (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-20, 20));
    }

    /// <summary>A dataset with a field of every type and an indicator of the same name; gives the paths of both, up to date.</summary>
    private async Task<(string Rows, string Values)> CityAsync(string name)
    {
        await OkAsync(hub.Admin.PutAsync("api/v1/areas/fremd", new StringContent(Areas, Encoding.UTF8, "application/geo+json")));
        var agency = await hub.AgencyAsync("fremd-agency", KeyRole.Admin);
        await OkAsync(agency.PutAsJsonAsync($"api/v1/datasets/{name}", new
        {
            title = new { de = "Luftgüte" },
            publisher = "fremd-agency",
            kind = "observations",
            access = "open",
            license = "dl-de/by-2-0",
            areaSystem = "fremd",
            schema = new
            {
                primaryKey = new[] { "station", "time" },
                fields = new object[]
                {
                    new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "area", type = "string", role = "area" },
                    new { name = "no2", type = "number", role = "measure" }, new { name = "whole", type = "integer" }, new { name = "open", type = "boolean" }, new { name = "day", type = "date" },
                    new { name = "clock", type = "time" }, new { name = "built", type = "year" }, new { name = "month", type = "yearmonth" }, new { name = "a.b/c", type = "string" },
                    new { name = "lon", type = "number", role = "longitude" }, new { name = "lat", type = "number", role = "latitude" }, new { name = "more", type = "object" },
                },
            },
        }));
        await OkAsync(agency.PutAsJsonAsync($"api/v1/indicators/{name}", new
        {
            title = new { de = "Stickstoffdioxid", en = "Nitrogen dioxide" },
            dataset = name,
            measure = new { function = "mean", field = "no2" },
            window = "PT1H",
            groupBy = new[] { "area" },
            unit = "ug/m3",
            access = "open",
        }));
        var lines = new StringBuilder();
        for (var i = 0; i < s_numbers.Length; i++)
        {
            var row = new Dictionary<string, object?>
            {
                ["station"] = $"s{i:000}",
                ["time"] = $"2026-03-{1 + (i % 20):00}T{i % 24:00}:00:00.{i:000}001Z",
                ["no2"] = s_numbers[i],
                ["whole"] = long.MaxValue - i,
                ["open"] = (i % 3) switch { 0 => true, 1 => false, _ => null },
                ["day"] = $"2024-02-{1 + (i % 29):00}",
                ["clock"] = $"{i % 24:00}:30:01",
                ["built"] = 1900 + i,
                ["month"] = $"{1900 + i}-{1 + (i % 12):00}",
                ["a.b/c"] = i % 2 == 0 ? null : $"ä;\"{i},",
                ["more"] = new Dictionary<string, object> { ["n"] = i, ["t"] = "x" },
            };
            // Some have a point, which lies in 01, the others say their area.
            if (i % 2 == 0) (row["lon"], row["lat"]) = (13.400000000000001 + (i * 1e-5), 52.55);
            else row["area"] = i % 4 == 1 ? "02" : "03";
            lines.Append(JsonSerializer.Serialize(row)).Append('\n');
        }

        var pushed = (await OkAsync(agency.PostAsync($"api/v1/datasets/{name}/feeds/default/records", new StringContent(lines.ToString(), Encoding.UTF8, "application/x-ndjson")))).RootElement;
        Assert.True(pushed.GetProperty("accepted").GetInt32() == s_numbers.Length, pushed.GetRawText());
        var watermark = pushed.GetProperty("watermark").GetString();
        return ($"api/v1/datasets/{name}/records?watermark={watermark}", $"api/v1/indicators/{name}/values?watermark={watermark}");
    }

    private async Task<string> SaveAsync(string path, string format)
    {
        var file = Path.Combine(_folder.FullName, $"{Guid.NewGuid():N}.{format}");
        await File.WriteAllBytesAsync(file, await hub.Anonymous.GetByteArrayAsync($"{path}&format={format}"));
        return file;
    }

    /// <summary>What GDAL read: it writes all of it, in binary, into a GeoPackage, from which it is read here.</summary>
    private async Task<List<GdalFeature>> GdalAsync(string path)
    {
        var file = await SaveAsync(path, "geojson");
        var package = file + ".gpkg";
        using var gdal = Process.Start(new ProcessStartInfo(
            GdalFactAttribute.Ogr2Ogr ?? throw new FileNotFoundException("ogr2ogr is not installed (apt-get install gdal-bin)"), ["-f", "GPKG", "-nln", "answer", package, file])
        { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var errors = gdal.StandardError.ReadToEndAsync();
        await gdal.WaitForExitAsync();
        Assert.True(gdal.ExitCode == 0, await errors);

        using var connection = new SqliteConnection($"Data Source={package};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT * FROM answer ORDER BY fid";
        using var reader = command.ExecuteReader();
        var features = new List<GdalFeature>();
        while (reader.Read())
        {
            var properties = new Dictionary<string, object?>();
            for (var c = 0; c < reader.FieldCount; c++) properties[reader.GetName(c)] = reader.IsDBNull(c) ? null : reader.GetValue(c);
            features.Add(new(properties, properties["geom"] is byte[] blob ? Geometry(blob) : null));
        }

        return features;

        // GeoPackage 1.3 §2.1.3: a header, an envelope whose length the flags say, then WKB.
        static Geometry Geometry(byte[] blob)
        {
            var envelope = ((blob[3] >> 1) & 7) switch { 0 => 0, 1 => 32, 2 or 3 => 48, _ => 64 };
            return new WKBReader().Read(blob[(8 + envelope)..]);
        }
    }

    private sealed record GdalFeature(Dictionary<string, object?> Properties, Geometry? Geometry);

    private static DuckDBConnection Open()
    {
        var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        return duck;
    }

    private static List<Dictionary<string, object?>> Read(DuckDBConnection duck, string sql)
    {
        using var command = duck.CreateCommand();
#pragma warning disable CA2100 // The statements are this file's own.
        command.CommandText = sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<Dictionary<string, object?>>();
        while (reader.Read())
        {
            var row = new Dictionary<string, object?>();
            for (var c = 0; c < reader.FieldCount; c++) row[reader.GetName(c)] = reader.IsDBNull(c) ? null : reader.GetValue(c);
            rows.Add(row);
        }

        return rows;
    }

    private static JsonElement AreaOf(string? area) =>
        JsonDocument.Parse(Areas).RootElement.GetProperty("features").EnumerateArray().First(f => f.GetProperty("properties").GetProperty("id").GetString() == area).GetProperty("geometry");

    /// <summary>All numbers of a geometry's coordinates: where a ring begins and how it turns has no meaning.</summary>
    private static double[] Corners(JsonElement geometry)
    {
        if (geometry.ValueKind == JsonValueKind.Null) return [];
        var numbers = new List<double>();
        Walk(geometry.GetProperty("coordinates"));
        return [.. numbers.Distinct().Order()];

        void Walk(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.Number) numbers.Add(element.GetDouble());
            else foreach (var part in element.EnumerateArray()) Walk(part);
        }
    }

    private static double[] Corners(Geometry? geometry) => geometry is null ? [] : [.. geometry.Coordinates.SelectMany(c => new[] { c.X, c.Y }).Distinct().Order()];

    private static long? Bits(object? number) => number is null ? null : BitConverter.DoubleToInt64Bits((double)number);

    private static long? Bits(JsonElement number) => number.ValueKind == JsonValueKind.Null ? null : BitConverter.DoubleToInt64Bits(number.GetDouble());

    private static long Micros(JsonElement instant) => (instant.GetDateTimeOffset() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static DateTimeOffset Instant(object? text) => DateTimeOffset.Parse((string)text!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
