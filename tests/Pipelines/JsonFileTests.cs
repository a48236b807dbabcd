using System.Globalization;
using System.Text;

using static DataHub.Pipelines.FileReading;

namespace DataHub.Pipelines;

/// <summary>What JSON, NDJSON and GeoJSON are taken for, and that no value becomes another on the way.</summary>
public sealed class JsonFileTests
{
    [Theory]
    [InlineData("a.json", """[ { "a": 1, "b": "x" }, { "c": true, "a": 2 } ]""", "Gelesen als JSON.")]
    [InlineData("a.json", """{ "title": "t", "next": null, "meta": { "rows": [1, 2] }, "rows": [ { "a": 1, "b": "x" }, { "c": true, "a": 2 } ], "n": 2 }""", "Gelesen als JSON, Liste „rows“.")]
    [InlineData("a.ndjson", "{ \"a\": 1, \"b\": \"x\" }\n\n{ \"c\": true, \"a\": 2 }\n", "Gelesen als NDJSON.")]
    [InlineData("a.jsonl", "{\"a\":1,\"b\":\"x\"}{\"c\":true,\"a\":2}", "Gelesen als NDJSON.")]
    public async Task Objects_are_rows_and_their_names_columns(string title, string json, string note)
    {
        foreach (var content in new byte[][] { Encoding.UTF8.GetBytes(json), [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(json)] })
        {
            var (columns, rows, notes) = await ReadAsync(title, content);
            Assert.Equal(("a:integer b:string c:boolean", "1|x|", "2||true", note), (columns, rows[0], rows[1], notes[0]));
        }
    }

    [Theory]
    [InlineData("12345678901234567890", "string", "12345678901234567890")]
    [InlineData("9007199254740993", "integer", "9007199254740993")]
    [InlineData("0.1", "number", "0.1")]
    [InlineData("1.0", "number", "1")]
    [InlineData("-0.0", "number", "0")]
    [InlineData("\"01100101\"", "string", "01100101")]
    [InlineData("\"12\"", "string", "12")]
    [InlineData("\"true\"", "string", "true")]
    [InlineData("\" K\\u00f6penick\\n\\ud83d\\ude00 \"", "string", " Köpenick\n😀 ")]
    [InlineData("\"2026-11-02\"", "date", "2026-11-02")]
    [InlineData("\"2026-11-02T08:00:00+01:00\"", "datetime", "2026-11-02T07:00:00Z")]
    [InlineData("\"2026-11-02T08:00:00\"", "string", "2026-11-02T08:00:00")]
    [InlineData("\"2.11.2026\"", "string", "2.11.2026")]
    public async Task No_value_becomes_another(string value, string type, string told)
    {
        var (columns, rows, _) = await ReadAsync("a.json", Encoding.UTF8.GetBytes($"[{{\"wert\":{value},\"x\":1}}]"));
        Assert.Equal(($"wert:{type} x:integer", told + "|1"), (columns, rows[0]));
    }

    [Fact]
    public async Task What_is_of_several_types_is_text_as_it_was_written()
    {
        Assert.Equal(["1.50", "2026-11-02", "true", "x"], (await ReadAsync("a.json", """[{"a":1.50},{"a":"2026-11-02"},{"a":true},{"a":"x"}]"""u8.ToArray())).Rows);
        Assert.Equal(["9007199254740993", "0.5"], (await ReadAsync("a.json", """[{"a":9007199254740993},{"a":0.5}]"""u8.ToArray())).Rows);
    }

    [Theory]
    [InlineData("a.json", """[{"a":1},{"a":2,"a":3}]""", "Eintrag 2: „a“ steht zweimal in dem Objekt.")]
    [InlineData("a.json", """{"rows":[{"a":1},{"a":{"b":1}}]}""", "Eintrag 2, Spalte „a“: Unter rows[1].a steht kein einzelner Wert, sondern ein Objekt oder eine Liste; vor dem Hochladen auflösen oder columns ohne diese Spalte angeben.")]
    [InlineData("a.json", """[{"a":1},[2]]""", "Eintrag 2: Hier steht kein Objekt.")]
    [InlineData("a.json", """{"a":[{"x":1}],"b":[{"x":1}]}""", "Die Datei hat mehr als eine Liste: a, b.")]
    [InlineData("a.json", """{"a":1}""", "Die Datei ist kein JSON mit einer Liste von Objekten.")]
    [InlineData("a.json", "[{\"a\":NaN}]", "Die Datei ist um Zeile 1 kein lesbares JSON.")]
    [InlineData("a.json", "[{\"a\":1},\n{\"a\":", "Die Datei ist um Zeile 2 kein lesbares JSON.")]
    [InlineData("a.json", "[{\"a\":1}] []", "Die Datei ist um Zeile 1 kein lesbares JSON.")]
    [InlineData("a.json", "[{\"a\":1e400}]", "Eintrag 1, Spalte „a“: „1e400“ ist keine Zahl.")]
    public async Task What_is_no_table_is_refused_with_its_place(string title, string json, string reason) => Assert.Equal(reason, await RefusedAsync(title, Encoding.UTF8.GetBytes(json)));

    [Fact]
    public async Task No_depth_no_length_and_no_number_of_names_fills_the_memory()
    {
        Assert.Contains("kein lesbares JSON", await RefusedAsync("a.json", Encoding.UTF8.GetBytes("[{\"a\":" + new string('[', 100_000))), StringComparison.Ordinal);
        Assert.Contains("Ein Text ist länger", await RefusedAsync("a.json", Encoding.UTF8.GetBytes($"[{{\"a\":\"{new string('x', 9_000_000)}\"}}]")), StringComparison.Ordinal);
        Assert.Equal("Die Datei hat mehr als 1000 Spalten.", await RefusedAsync("a.json", Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Range(0, 2_000).Select(i => string.Create(CultureInfo.InvariantCulture, $"{{\"c{i}\":1}}")))}]")));
        Assert.Contains("kein lesbares JSON", await RefusedAsync("a.json", [.. "[{\"a\":\""u8, 0xC3, 0x28, .. "\"}]"u8]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Faults_are_counted_up_to_what_is_allowed_and_columns_that_nobody_wants_have_none()
    {
        var json = """[{"a":1,"b":{}},{"a":"x","b":2},{"b":3},{"a":4}]"""u8.ToArray();
        FileFormat format = new() { Columns = [new("a") { Name = "zahl", Type = "integer" }], MaxFaults = 1 };
        var (columns, rows, notes) = await ReadAsync("a.json", json, format);
        Assert.Equal(("zahl:integer", "1  4"), (columns, string.Join(' ', rows)));
        Assert.Equal("Eintrag 2, Spalte „a“: „x“ ist kein Wert der Art integer.", notes[2]);
        Assert.Equal("Die Spalte „c“ fehlt; die Datei hat: a, b.", await RefusedAsync("a.json", json, new() { Columns = [new("c") { Type = "integer" }] }));
    }

    [Fact]
    public async Task A_file_larger_than_any_buffer_is_the_same_table_however_it_was_cut()
    {
        var json = Encoding.UTF8.GetBytes("[" + string.Join(",\n", Enumerable.Range(0, 25_000).Select(i => string.Create(CultureInfo.InvariantCulture, $"{{\"nr\":{i},\"name\":\"Köpenick {i}\",\"wert\":{i / 8.0}}}"))) + "]");
        foreach (var piece in new[] { 1_000, 1 << 20 })
        {
            var (columns, rows, _) = await new FileReading { Piece = piece }.TellAsync("a.json", json);
            Assert.Equal(("nr:integer name:string wert:number", 25_000, "24999|Köpenick 24999|3124.875"), (columns, rows.Length, rows[^1]));
        }
    }

    [Fact]
    public async Task Points_of_GeoJson_are_two_columns_and_other_geometries_are_text()
    {
        const string Points = """
            { "type": "FeatureCollection", "crs": { "type": "name", "properties": { "name": "urn:ogc:def:crs:OGC:1.3:CRS84" } }, "features": [
              { "type": "Feature", "id": "a1", "geometry": { "type": "Point", "coordinates": [13.404954, 52.52] }, "properties": { "name": "Mitte", "lon": "x" } },
              { "type": "Feature", "properties": { "name": "Nirgends" }, "geometry": null } ] }
            """;
        var (columns, rows, notes) = await ReadAsync("a.geojson", Encoding.UTF8.GetBytes(Points));
        Assert.Equal("lon:number lat:number feature_id:string name:string properties_lon:string", columns);
        Assert.Equal(["13.404954|52.52|a1|Mitte|x", "|||Nirgends|"], rows);
        Assert.Equal("Gelesen als GeoJSON, Liste „features“.", notes[0]);

        const string Shapes = """
            { "features": [
              { "type": "Feature", "properties": { "n": 1 }, "geometry": { "coordinates": [[[13, 52], [14, 52], [14, 53], [13, 52]], [[13.5, 52.2], [13.6, 52.2], [13.6, 52.3], [13.5, 52.2]]], "type": "Polygon" } },
              { "type": "Feature", "properties": { "n": 2 }, "geometry": { "type": "Point", "coordinates": [1e1, 2.50] } },
              { "type": "Feature", "properties": { "n": 3 }, "geometry": { "type": "GeometryCollection", "geometries": [ { "type": "MultiPoint", "coordinates": [[1, 2], [3, 4]] }, { "type": "LineString", "coordinates": [[1, 2], [3, 4]] } ] } },
              { "type": "Feature", "properties": null, "geometry": { "type": "Point", "coordinates": [1, 2, 3] } } ], "type": "FeatureCollection" }
            """;
        (columns, rows, _) = await ReadAsync("a.geojson", Encoding.UTF8.GetBytes(Shapes));
        Assert.Equal("geometry:string n:integer", columns);
        Assert.Equal("POLYGON ((13 52, 14 52, 14 53, 13 52), (13.5 52.2, 13.6 52.2, 13.6 52.3, 13.5 52.2))|1", rows[0]);
        Assert.Equal("POINT (1e1 2.50)|2", rows[1]);
        Assert.Equal("GEOMETRYCOLLECTION (MULTIPOINT (1 2, 3 4), LINESTRING (1 2, 3 4))|3", rows[2]);
        Assert.Equal("POINT Z (1 2 3)|", rows[3]);

        // What is written is what another reader takes for the same geometry.
        foreach (var row in rows)
        {
            var wkt = row.Split('|')[0];
            Assert.Equal(wkt.StartsWith("POINT (", StringComparison.Ordinal) ? "POINT (10 2.5)" : wkt.Replace("MULTIPOINT (1 2, 3 4)", "MULTIPOINT ((1 2), (3 4))", StringComparison.Ordinal), new NetTopologySuite.IO.WKTWriter(3).Write(new NetTopologySuite.IO.WKTReader().Read(wkt)).Replace("Z(", "Z (", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(""" "crs": { "type": "name", "properties": { "name": "urn:ogc:def:crs:EPSG::25833" } }, "features": [] """, "Die Koordinaten sind in „urn:ogc:def:crs:EPSG::25833“")]
    [InlineData(""" "features": [], "crs": { "type": "link" } """, "Die Koordinaten sind in „“")]
    [InlineData(""" "features": [ { "type": "Feature", "properties": {}, "geometry": { "type": "Point", "coordinates": [389000, 5819000] } } ] """, "Eintrag 1: 389000 ist keine Länge in Grad.")]
    [InlineData(""" "features": [ { "type": "Feature", "properties": {}, "geometry": { "type": "Polygon", "coordinates": [1, 2] } } ] """, "Eintrag 1: geometry ist keine Geometrie nach RFC 7946.")]
    [InlineData(""" "features": [ { "type": "Feature", "properties": { "a": [1] }, "geometry": null } ] """, "Eintrag 1, Spalte „a“: Unter features[0].properties.a steht kein einzelner Wert")]
    [InlineData(""" "features": [ { "type": "Punkt" } ] """, "Eintrag 1: Hier steht kein Feature.")]
    public async Task Foreign_coordinates_and_what_is_no_geometry_are_refused(string members, string reason) =>
        Assert.StartsWith(reason, await RefusedAsync("a.geojson", Encoding.UTF8.GetBytes($"{{ \"type\": \"FeatureCollection\", {members} }}")), StringComparison.Ordinal);
}
