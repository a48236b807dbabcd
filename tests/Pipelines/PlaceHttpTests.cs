using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Rows that find their areas, and what they come to there, through the public routes of a whole hub.</summary>
public sealed class PlaceHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Points = "Nr,Lon,Lat\n1,0.5,0.5\n2,1,0.5\n3,5,5\n4,,\n5,1.5,0.5\n";

    [Fact]
    public async Task Points_find_the_areas_of_the_version_that_is_pinned_and_a_boundary_is_decided_as_in_a_push()
    {
        var admin = await hub.AgencyAsync("orte", KeyRole.Admin);
        await PutAreasAsync("orte", "b", "a");
        await Pipes.PutJobAsync(admin, "orte", Job("orte", """{ "id": "fein", "place": { "input": "datei", "lon": "lon", "lat": "lat", "areaSystem": "orte", "into": "gebiet" } }, { "id": "grob", "place": { "input": "datei", "lon": "lon", "lat": "lat", "areaSystem": "orte", "level": 0, "into": "bezirk" } }"""));
        var file = await Pipes.UploadAsync(admin, "a.csv", Points);
        var first = await Pipes.RunAsync(admin, "orte", new { files = new { datei = file } });
        Assert.Equal("Nr,Lon,Lat,gebiet\r\n1,0.5,0.5,b\r\n2,1,0.5,a\r\n3,5,5,\r\n4,,,\r\n5,1.5,0.5,a\r\n", await Pipes.TableAsync(admin, first, "fein"));
        Assert.Equal("Nr,Lon,Lat,bezirk\r\n1,0.5,0.5,stadt\r\n2,1,0.5,stadt\r\n3,5,5,\r\n4,,,\r\n5,1.5,0.5,stadt\r\n", await Pipes.TableAsync(admin, first, "grob"));
        Assert.Equal(["Gebiete nach „orte“ in Fassung 1.", "1 Zeilen liegen in keinem Gebiet.", "1 Zeilen sagen nicht, wo sie liegen."], Pipes.Step(first, "fein").GetProperty("notes").EnumerateArray().Select(note => note.GetProperty("text").GetString()));

        var events = (await OkAsync(admin.GetAsync($"api/v1/runs/{first.GetProperty("id").GetString()}/lineage"))).RootElement.GetProperty("events");
        Assert.Contains("areas/orte", events[0].GetProperty("inputs").EnumerateArray().Select(input => input.GetProperty("name").GetString()));

        // The areas change their ids: new runs see it, a repeat does not.
        await PutAreasAsync("orte", "a", "b");
        var other = await Pipes.RunAsync(admin, "orte", new { files = new { datei = file } });
        Assert.Equal([1, 2], new[] { first, other }.Select(run => run.GetProperty("areas")[0].GetProperty("version").GetInt32()));
        Assert.Contains("1,0.5,0.5,a\r\n2,1,0.5,a\r\n", await Pipes.TableAsync(admin, other, "fein"), StringComparison.Ordinal);
        var again = await Pipes.RunAsync(admin, "orte", new { repeats = first.GetProperty("id").GetString() });
        foreach (var step in new[] { "fein", "grob" }) Assert.Equal(Pipes.Step(first, step).GetProperty("sha256").GetString(), Pipes.Step(again, step).GetProperty("sha256").GetString());
    }

    [Fact]
    public async Task Ids_are_lifted_to_a_level_and_more_than_may_lie_outside_fail_the_step()
    {
        var admin = await hub.AgencyAsync("codes", KeyRole.Admin);
        await PutAreasAsync("codes", "b", "a");
        const string Lift = """{ "id": "p", "place": { "input": "datei", "column": "ort", "areaSystem": "codes", "level": 0, "into": "bezirk", "maxOutside": 1 } }""";
        await Pipes.PutJobAsync(admin, "codes", Job("codes", Lift));
        var file = await Pipes.UploadAsync(admin, "a.csv", "Nr,Ort\n1,a\n2,stadt\n3,zz\n4,\n");
        Assert.Equal("Nr,Ort,bezirk\r\n1,a,stadt\r\n2,stadt,stadt\r\n3,zz,\r\n4,,\r\n", await Pipes.TableAsync(admin, await Pipes.RunAsync(admin, "codes", new { files = new { datei = file } }), "p"));

        await Pipes.PutJobAsync(admin, "codes", Job("codes", Lift.Replace("\"maxOutside\": 1", "\"maxOutside\": 0", StringComparison.Ordinal)));
        var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "codes", new { files = new { datei = file } }));
        Assert.Equal("Schritt „p“: Mehr als 0 Zeilen liegen in keinem Gebiet von „codes“ (maxOutside), zum Beispiel Zeile 3.", failed.GetProperty("cause").GetString());
    }

    [Fact]
    public async Task What_cannot_be_placed_or_aggregated_is_refused_with_its_place_when_the_job_is_put()
    {
        var admin = await hub.AgencyAsync("ortsfehler", KeyRole.Admin);
        await PutAreasAsync("ortsfehler", "b", "a");
        await Pipes.LoansAsync(admin, "ortsfehler", "ortsfehler");
        foreach (var (step, path) in new[]
        {
            ("""{ "id": "p", "place": { "input": "z", "column": "branch", "areaSystem": "gibt-es-nicht", "into": "x" } }""", "steps[1].place.areaSystem"),
            ("""{ "id": "p", "place": { "input": "z", "column": "branch", "areaSystem": "ortsfehler", "level": 2, "into": "x" } }""", "steps[1].place.level"),
            ("""{ "id": "p", "place": { "input": "z", "column": "branch", "lon": "loans", "lat": "loans", "areaSystem": "ortsfehler", "into": "x" } }""", "steps[1].place"),
            ("""{ "id": "p", "place": { "input": "z", "column": "loans", "areaSystem": "ortsfehler", "into": "x" } }""", "steps[1].place"),
            ("""{ "id": "p", "place": { "input": "z", "column": "branch", "areaSystem": "ortsfehler", "into": "Loans" } }""", "steps[1].place"),
            ("""{ "id": "p", "aggregate": { "input": "z", "by": ["branch"], "measures": [ { "name": "n", "function": "sum", "column": "branch" } ] } }""", "steps[1].aggregate"),
            ("""{ "id": "p", "aggregate": { "input": "z", "by": [{ "time": "time", "unit": "decade" }], "measures": [ { "name": "n", "function": "count" } ] } }""", "steps[1].aggregate.by[0].unit"),
            ("""{ "id": "p", "aggregate": { "input": "z", "by": [{ "time": "time", "unit": "month", "zone": "Europa/Berlin" }], "measures": [ { "name": "n", "function": "count" } ] } }""", "steps[1].aggregate.by[0].zone"),
            ("""{ "id": "p", "aggregate": { "input": "z", "by": [{ "time": "time", "unit": "month", "zone": "W. Europe Standard Time" }], "measures": [ { "name": "n", "function": "count" } ] } }""", "steps[1].aggregate.by[0].zone"),
            ("""{ "id": "p", "aggregate": { "input": "z", "by": ["branch"], "measures": [ { "name": "branch", "function": "count" } ], "minimumCount": 1 } }""", "steps[1].aggregate.minimumCount"),
            ("""{ "id": "p", "aggregate": { "input": "z", "by": [], "measures": [ { "name": "q", "function": "quantile", "column": "loans" } ] } }""", "steps[1].aggregate.measures[0].share"),
            ("""{ "id": "p", "aggregate": { "input": "z", "by": ["branch"], "measures": [ { "name": "s", "function": "sum", "column": "loans" } ] } }, { "id": "t", "transform": { "inputs": ["p"], "sql": "SELECT summe FROM p" } }""", "steps[2].transform.sql"),
        })
        {
            var refused = await RefusedAsync(admin.PutAsync("api/v1/jobs/ortsfehler", Json($$"""{ "title": "x", "agency": "ortsfehler", "steps": [ { "id": "z", "read": { "dataset": "ortsfehler" } }, {{step}} ] }""")), 422, "invalid-job");
            Assert.Equal(path, refused.RootElement.GetProperty("errors")[0].GetProperty("path").GetString());
        }

        await RefusedAsync(admin.PutAsync("api/v1/jobs/ortsfehler", Json("""{ "title": "x", "agency": "ortsfehler", "steps": [ { "id": "z", "read": { "file": {} } }, { "id": "p", "aggregate": { "input": "z", "by": [{ "time": "a", "einheit": "month" }], "measures": [] } } ] }""")), 400, "invalid-json");
    }

    [Fact]
    public async Task Groups_by_area_and_month_are_told_unless_they_are_small_whatever_the_order_of_rows()
    {
        var admin = await hub.AgencyAsync("gruppen", KeyRole.Admin);
        const string Steps = """
            { "id": "datei", "read": { "file": { "decimalChar": "." } } },
            { "id": "g", "aggregate": { "input": "datei", "by": ["Bezirk", { "time": "Tag", "unit": "month", "name": "monat" }], "minimumCount": 2,
                "measures": [ { "name": "summe", "function": "sum", "column": "x" }, { "name": "n", "function": "count" } ] } }
            """;
        await Pipes.PutJobAsync(admin, "gruppen", $$"""{ "title": "x", "agency": "gruppen", "steps": [ {{Steps}} ] }""");
        string[] lines = ["Mitte,2026-03-01,10000000000000000", "Mitte,2026-03-31,1.5", "Mitte,2026-03-15,-10000000000000000", "Mitte,2026-04-01,2.5", "Pankow,2026-03-01,0.25", "Pankow,2026-03-02,0.5"];
        var hashes = new HashSet<string>();
        JsonElement run = default;
        foreach (var order in new[] { lines, [.. lines.Reverse()] })
        {
            var file = await Pipes.UploadAsync(admin, "a.csv", "Bezirk,Tag,x\n" + string.Join('\n', order) + "\n");
            run = await Pipes.RunAsync(admin, "gruppen", new { files = new { datei = file } });
            hashes.Add(Pipes.Step(run, "g").GetProperty("sha256").GetString()!);
        }

        Assert.Single(hashes);
        var table = (await Pipes.TableAsync(admin, run, "g")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("Bezirk,monat,summe,n", table[0]);
        Assert.StartsWith("Mitte,2026-03-01,", table[1], StringComparison.Ordinal);
        Assert.Equal(["Pankow,2026-03-01,0.75,2"], table[2..]);
        Assert.Equal("1 Gruppe mit weniger als 2 Zeilen ist weggelassen.", Pipes.Step(run, "g").GetProperty("notes")[0].GetProperty("text").GetString());
        // As it was put, it is shown.
        var shown = (await OkAsync(admin.GetAsync("api/v1/jobs/gruppen"))).RootElement.GetProperty("definition").GetProperty("steps")[1].GetProperty("aggregate").GetProperty("by");
        Assert.Equal("""["Bezirk",{"time":"Tag","unit":"month","name":"monat"}]""", JsonSerializer.Serialize(shown));
    }

    /// <summary>Two squares side by side.</summary>
    private async Task PutAreasAsync(string system, string west, string east) => await OkAsync(hub.Admin.PutAsync($"api/v1/areas/{system}", new StringContent($$"""
        { "type": "FeatureCollection", "features": [
          { "type": "Feature", "properties": { "id": "stadt", "name": "Stadt", "level": 0 }, "geometry": null },
          { "type": "Feature", "properties": { "id": "{{west}}", "parent": "stadt", "name": "West", "level": 1 }, "geometry": { "type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,1],[0,0]]] } },
          { "type": "Feature", "properties": { "id": "{{east}}", "parent": "stadt", "name": "Ost", "level": 1 }, "geometry": { "type": "Polygon", "coordinates": [[[1,0],[2,0],[2,1],[1,1],[1,0]]] } } ] }
        """, Encoding.UTF8, "application/geo+json")));

    private static string Job(string agency, string steps) => $$"""
        { "title": "Orte", "agency": "{{agency}}", "steps": [ { "id": "datei", "read": { "file": { "decimalChar": "." } } }, {{steps}} ] }
        """;

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
