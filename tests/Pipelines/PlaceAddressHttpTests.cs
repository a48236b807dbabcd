using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Reports;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Rows that find their areas by their addresses, through the public routes of a whole hub.</summary>
public sealed class PlaceAddressHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Sample = "lor/adressen_sample_1in40.csv", Hierarchy = "lor/lor_2021_hierarchie.csv";

    private const string Address = """ "address": { "street": "strasse", "number": "haus", "register": { "table": "register", "street": "str", "number": "nr", "area": "gebiet" } } """;

    private const string Register = "str,nr,plz,gebiet\nHauptstraße,1,10115,a\nHauptstraße,1,12345,b\nHauptstraße,2,10115,a\nBergstraße,12,10115,b\nBergstraße,14,10115,b\nFernweg,1,10115,zz\n,1,10115,a\n";

    /// <summary>The sample's own addresses, spelt in other ways: where each lies the file itself says, row by row.</summary>
    [SharedDataFact(Sample, Hierarchy)]
    public async Task Every_address_of_the_city_finds_its_area_however_it_is_spelt_and_none_is_guessed()
    {
        var lines = SharedData.Text(Sample).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.TrimEnd('\r').Split(',')).ToArray();
        Assert.Equal(10_025, lines.Length);
        Assert.All(lines, cells => Assert.Equal(7, cells.Length));
        var admin = await hub.AgencyAsync("adressen", KeyRole.Admin);
        await OkAsync(hub.Admin.PutAsync("api/v1/areas/lor-adressen", new StringContent(IncidentReportsTests.AreaTree(), Encoding.UTF8, "text/csv")));
        const string By = """ "street": "strasse", "number": "haus", "register": { "table": "register", "street": "str_name", "number": "hnr", "suffix": "hnr_zusatz", "area": "PLR_ID" """;
        await Pipes.PutJobAsync(admin, "adressen", $$"""
            { "title": "Adressen", "agency": "adressen", "steps": [
              { "id": "register", "read": { "file": {} } },
              { "id": "datei", "read": { "file": {} } },
              { "id": "ohne", "place": { "input": "datei", "areaSystem": "lor-adressen", "into": "plr", "address": { {{By}} } } } },
              { "id": "mit", "place": { "input": "datei", "areaSystem": "lor-adressen", "into": "plr", "maxOutside": 0, "address": { "postcode": "plz", {{By}}, "postcode": "plz" } } } },
              { "id": "bezirk", "place": { "input": "datei", "areaSystem": "lor-adressen", "level": 0, "into": "bez", "address": { {{By}} } } } } ] }
            """);
        var register = await Pipes.UploadAsync(admin, "adressen.csv", SharedData.Bytes(Sample));
        var spelt = new StringBuilder("id,strasse,haus,plz\n");
        for (var i = 0; i < lines.Length; i++)
        {
            var (street, number) = Spelt(lines[i][2], lines[i][0], lines[i][1], i % 5);
            spelt.Append(i).Append(',').Append(street).Append(',').Append(number).Append(',').Append(lines[i][3]).Append('\n');
        }

        var run = await Pipes.RunAsync(admin, "adressen", new { files = new { register, datei = await Pipes.UploadAsync(admin, "anders.csv", spelt.ToString()) } }, 120);
        foreach (var (step, cut, withPostcode) in new[] { ("ohne", 8, false), ("mit", 8, true), ("bezirk", 2, false) })
        {
            var areas = lines.GroupBy(Key).ToDictionary(group => group.Key, group => group.Select(cells => cells[6][..cut]).Distinct().ToArray());
            var table = (await Pipes.TableAsync(admin, run, step)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).ToArray();
            var expected = lines.Select((cells, i) => $"{i}:{(areas[Key(cells)] is [var one] ? one : "")}");
            Assert.Equal(expected, table.Select(line => $"{line[..line.IndexOf(',', StringComparison.Ordinal)]}:{line[(line.LastIndexOf(',') + 1)..]}"));
            Assert.Equal(withPostcode, areas.Values.All(one => one.Length == 1));

            string Key(string[] cells) => string.Join('|', cells[..3]) + (withPostcode ? "|" + cells[3] : "");
        }

        Assert.Contains(Notes(run, "mit"), note => note == "Das Register „register“ hat 10025 Zeilen mit 9998 Hausnummern.");
        Assert.Contains(Notes(run, "ohne"), note => note.Contains(" Zeilen haben eine Adresse, die im Register „register“ in mehreren Gebieten steht; mit einer Postleitzahl (postcode) ließe sie sich vielleicht unterscheiden, zum Beispiel „", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_not_in_the_register_or_there_twice_is_counted_and_told_and_left_empty()
    {
        var admin = await hub.AgencyAsync("melden", KeyRole.Admin);
        await PutAreasAsync("melden");
        await Pipes.PutJobAsync(admin, "melden", Job("melden", $$"""{ "id": "p", "place": { "input": "datei", "areaSystem": "melden", "into": "ort", {{Address}} } }"""));
        var register = await Pipes.UploadAsync(admin, "r.csv", Register);
        var file = await Pipes.UploadAsync(admin, "a.csv", "strasse,haus\nHauptstr.,1\nHAUPTSTRASSE,2\nBergstr,12-14\nTalweg,9\n,9\nFernweg,1\nTalweg,9\n");
        var run = await Pipes.RunAsync(admin, "melden", new { files = new { register, datei = file } });
        Assert.Equal("strasse,haus,ort\r\nHauptstr.,1,\r\nHAUPTSTRASSE,2,a\r\nBergstr,12-14,b\r\nTalweg,9,\r\n,9,\r\nFernweg,1,\r\nTalweg,9,\r\n", await Pipes.TableAsync(admin, run, "p"));
        Assert.Equal(
        [
            "Gebiete nach „melden“ in Fassung 1.",
            "Das Register „register“ hat 7 Zeilen mit 5 Hausnummern.",
            "1 Zeilen des Registers haben keine lesbare Adresse.",
            "1 Zeilen des Registers liegen in keinem Gebiet.",
            "2 Zeilen haben eine Adresse, die nicht im Register „register“ steht, zum Beispiel „Talweg 9“ (Zeile 4).",
            "1 Zeilen haben eine Adresse, die im Register „register“ in mehreren Gebieten steht; mit einer Postleitzahl (postcode) ließe sie sich vielleicht unterscheiden, zum Beispiel „Hauptstr. 1“ (Zeile 1).",
            "1 Zeilen liegen in keinem Gebiet.",
            "1 Zeilen sagen nicht, wo sie liegen.",
        ], Notes(run, "p"));
        Assert.Equal(14, Pipes.Step(run, "p").GetProperty("rowsIn").GetInt64());
        var events = (await OkAsync(admin.GetAsync($"api/v1/runs/{run.GetProperty("id").GetString()}/lineage"))).RootElement.GetProperty("events").GetRawText();
        Assert.Contains($"run/{run.GetProperty("id").GetString()}/register", events, StringComparison.Ordinal);

        // The same in YAML, with a limit that is said with examples.
        var yaml = await (await admin.GetAsync("api/v1/jobs/melden?format=yaml")).Content.ReadAsStringAsync();
        Assert.Contains("register:\n", yaml, StringComparison.Ordinal);
        await OkAsync(admin.PutAsync("api/v1/jobs/melden", new StringContent(yaml.Replace("into: ort", "into: ort\n    maxOutside: 2", StringComparison.Ordinal), Encoding.UTF8, "application/yaml")));
        Assert.Equal("steps[p].place.maxOutside", (await OkAsync(admin.GetAsync("api/v1/jobs/melden/diff?from=1&to=2"))).RootElement.GetProperty("changes")[0].GetProperty("path").GetString());
        var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "melden", new { files = new { register, datei = file } }));
        Assert.Equal("Schritt „p“: Mehr als 2 Zeilen liegen in keinem Gebiet von „melden“ (maxOutside), zum Beispiel Zeile 6.", failed.GetProperty("cause").GetString());
        Assert.Contains(Notes(failed, "p"), note => note.Contains("„Talweg 9“ (Zeile 4)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_register_may_have_points_and_addresses_of_people_are_not_told()
    {
        var admin = await hub.AgencyAsync("punkte", KeyRole.Admin);
        await PutAreasAsync("punkte");
        await OkAsync(admin.PostAsJsonAsync("api/v1/agencies/punkte/pseudonym-keys/zweck/rotation", new { }));
        await Pipes.PutJobAsync(admin, "punkte", Job("punkte", $$"""
            { "id": "p", "place": { "input": "datei", "areaSystem": "punkte", "level": 1, "into": "ort", {{Address.Replace("\"area\": \"gebiet\"", "\"lon\": \"x\", \"lat\": \"y\"", StringComparison.Ordinal)}} } },
            { "id": "q", "pseudonymise": { "input": "p", "columns": ["strasse"], "purpose": "zweck" } }
            """));
        var register = await Pipes.UploadAsync(admin, "r.csv", "str,nr,x,y\nHauptstraße,1,0.5,0.5\nHauptstraße,2,1.5,0.5\nHauptstraße,3,,\n");
        var run = await Pipes.RunAsync(admin, "punkte", new { files = new { register, datei = await Pipes.UploadAsync(admin, "a.csv", "strasse,haus\nHauptstr.,1\nHauptstr.,2\nHauptstr.,3\nHauptstr.,4\n") } });
        Assert.Equal("strasse,haus,ort\r\nHauptstr.,1,a\r\nHauptstr.,2,b\r\nHauptstr.,3,\r\nHauptstr.,4,\r\n", await Pipes.TableAsync(admin, run, "p"));
        Assert.Contains("1 Zeilen haben eine Adresse, die nicht im Register „register“ steht.", Notes(run, "p"));
    }

    [Fact]
    public async Task A_register_that_is_too_large_or_whose_columns_do_not_fit_is_refused_in_words()
    {
        var admin = await hub.AgencyAsync("register", KeyRole.Admin);
        await PutAreasAsync("register");
        await Pipes.PutJobAsync(admin, "register", $$"""
            { "title": "x", "agency": "register", "steps": [
              { "id": "datei", "read": { "file": {} } },
              { "id": "register", "transform": { "inputs": ["datei"], "sql": "SELECT 'Weg' AS str, i AS nr, 'a' AS gebiet FROM datei, range({{JobLimits.RegisterRows + 1}}) AS r(i)" } },
              { "id": "p", "place": { "input": "datei", "areaSystem": "register", "into": "ort", {{Address}} } } ] }
            """);
        var file = await Pipes.UploadAsync(admin, "a.csv", "strasse,haus\nWeg,1\n");
        var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "register", new { files = new { datei = file } }), 120);
        Assert.Equal("Schritt „p“: Ein Register von Adressen hat höchstens 1000000 Zeilen; „register“ hat 1000001.", failed.GetProperty("cause").GetString());

        const string Typed = """{ "type": "csv", "columns": [ { "header": "strasse", "type": "string" }, { "header": "haus", "type": "string" }, { "header": "zahl", "type": "number" } ] }""";
        foreach (var (address, path) in new[]
        {
            (Address + """, "lon": "x", "lat": "y" """, "steps[2].place"),
            (Address + """, "column": "x" """, "steps[2].place"),
            (Address.Replace("\"table\": \"register\"", "\"table\": \"spaeter\"", StringComparison.Ordinal), "steps[2].place"),
            (Address.Replace("\"area\"", "\"lon\"", StringComparison.Ordinal), "steps[2].place.address.register"),
            (Address.Replace("\"area\"", "\"lon\": \"x\", \"lat\": \"y\", \"area\"", StringComparison.Ordinal), "steps[2].place.address.register"),
            (Address.Replace("\"haus\",", "\"haus\", \"postcode\": \"plz\",", StringComparison.Ordinal), "steps[2].place.address.register.postcode"),
            (Address.Replace("\"haus\"", "\"zahl\"", StringComparison.Ordinal), "steps[2].place"),
            (Address.Replace("\"nr\"", "\"hausnummer\"", StringComparison.Ordinal), "steps[2].place"),
        })
        {
            var refused = await RefusedAsync(admin.PutAsync("api/v1/jobs/register", new StringContent($$"""
                { "title": "x", "agency": "register", "steps": [
                  { "id": "datei", "read": { "file": {{Typed}} } },
                  { "id": "register", "transform": { "inputs": ["datei"], "sql": "SELECT strasse AS str, 1 AS nr, 'a' AS gebiet FROM datei" } },
                  { "id": "p", "place": { "input": "datei", "areaSystem": "register", "into": "ort", {{address}} } } ] }
                """, Encoding.UTF8, "application/json")), 422, "invalid-job");
            Assert.Equal(path, refused.RootElement.GetProperty("errors")[0].GetProperty("path").GetString());
        }

        foreach (var broken in new[] { Address.Replace("\"nr\"", "null", StringComparison.Ordinal), Address.Replace("\"street\": \"strasse\"", "\"street\": null", StringComparison.Ordinal) })
        {
            await RefusedAsync(admin.PutAsync("api/v1/jobs/register", new StringContent(
                $$"""{ "title": "x", "agency": "register", "steps": [ { "id": "datei", "read": { "file": {} } }, { "id": "p", "place": { "input": "datei", "areaSystem": "register", "into": "ort", {{broken}} } } ] }""", Encoding.UTF8, "application/json")), 422, "invalid-job");
        }
    }

    /// <summary>An address as people write it.</summary>
    private static (string Street, string Number) Spelt(string street, string number, string suffix, int way) => way switch
    {
        1 => (street.ToLowerInvariant().Replace("straße", "str.", StringComparison.Ordinal), $"{number} {suffix.ToLowerInvariant()}"),
        2 => (street.ToUpperInvariant().Replace('-', ' '), number + suffix),
        3 => (street.Replace("ß", "ss", StringComparison.Ordinal).Replace(' ', '-'), $"{number}  {suffix.ToLowerInvariant()}"),
        4 => (" " + street.Replace("Straße", "Str", StringComparison.Ordinal).Replace("straße", "str", StringComparison.Ordinal).Replace(" ", "  ", StringComparison.Ordinal), number.Length == 0 ? "" : $"Nr. 0{number}{suffix}"),
        _ => (street, number + suffix),
    };

    private static string[] Notes(JsonElement run, string step) => [.. Pipes.Step(run, step).GetProperty("notes").EnumerateArray().Select(note => note.GetProperty("text").GetString()!)];

    private static string Job(string agency, string steps) => $$"""
        { "title": "Orte", "agency": "{{agency}}", "steps": [ { "id": "register", "read": { "file": { "decimalChar": "." } } }, { "id": "datei", "read": { "file": {} } }, {{steps}} ] }
        """;

    /// <summary>Two squares side by side.</summary>
    private async Task PutAreasAsync(string system) => await OkAsync(hub.Admin.PutAsync($"api/v1/areas/{system}", new StringContent("""
        { "type": "FeatureCollection", "features": [
          { "type": "Feature", "properties": { "id": "stadt", "name": "Stadt", "level": 0 }, "geometry": null },
          { "type": "Feature", "properties": { "id": "a", "parent": "stadt", "name": "West", "level": 1 }, "geometry": { "type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,1],[0,0]]] } },
          { "type": "Feature", "properties": { "id": "b", "parent": "stadt", "name": "Ost", "level": 1 }, "geometry": { "type": "Polygon", "coordinates": [[[1,0],[2,0],[2,1],[1,1],[1,0]]] } } ] }
        """, Encoding.UTF8, "application/geo+json")));
}
