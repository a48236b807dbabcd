using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>What a dataset would make of a table before anything is written, through the public routes of a whole hub.</summary>
public sealed class ContractCheckHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Good = "nr,wert,art,plz,ort,name,von,bis\n1,5,a,10115,a,Anna,2026-01-01,2026-02-01\n8,5,b,10115,b,Hans,2026-01-01,\n";

    private const string Bad = Good
        + "2,-1,a,10115,a,Berta,2026-01-01,\n3,5,c,10115,a,Carla,2026-01-01,\n4,5,a,1011,a,Dora,2026-01-01,\n5,5,a,10115,zz,Emil,2026-01-01,\n"
        + "6,,a,10115,a,Frida,2026-01-01,\n7,5,a,10115,a,Friedolin,2026-01-01,\n9,5,a,10115,a,Gerd,2026-01-01,2025-12-31\n10,5,a,10115,a,Ilse,2999-01-01,\n";

    [Fact]
    public async Task A_rule_says_what_a_write_would_quarantine_and_writes_nothing()
    {
        var admin = await DatasetAsync("vertrag");
        await Pipes.PutJobAsync(admin, "vertrag", Job("vertrag", """{ "id": "p", "check": { "input": "datei", "rules": [ { "contract": "vertrag", "severity": "warn" } ] } }"""));
        await Pipes.PutJobAsync(admin, "vertrag-schreiben", Job("vertrag", """{ "id": "w", "write": { "input": "datei", "dataset": "vertrag", "maxQuarantined": 1000 } }"""));
        var file = await Pipes.UploadAsync(admin, "a.csv", Bad);
        var run = await Pipes.RunAsync(admin, "vertrag", new { files = new { datei = file } });
        Assert.Equal(
            ["warning 8 Zeilen gingen nach Fassung 1 des Vertrags von „vertrag“ (Gebiete „vertrag“ in Fassung 1) in die Quarantäne, zum Beispiel Zeile 3, wert: below-minimum (0 ist das Minimum), „-1“."], Notes(run, "p"));
        Assert.Equal(10, Pipes.Step(run, "p").GetProperty("rowsIn").GetInt64());
        Assert.Empty((await OkAsync(admin.GetAsync("api/v1/datasets/vertrag/conservation"))).RootElement.GetProperty("feeds").EnumerateArray());

        // As it said, it comes.
        var written = await Pipes.RunAsync(admin, "vertrag-schreiben", new { files = new { datei = file } });
        Assert.Equal(["info 2 Zeilen angenommen, 0 standen schon so da, 8 in Quarantäne.", "warning Zeile 3, wert: below-minimum 0 -1"], Notes(written, "w")[..2]);

        // By the version that stands when it runs, for a repeat too.
        await PutDatasetAsync(admin, "vertrag", minimum: -5);
        var again = await Pipes.RunAsync(admin, "vertrag", new { repeats = run.GetProperty("id").GetString() });
        Assert.StartsWith("warning 7 Zeilen gingen nach Fassung 2 des Vertrags", Notes(again, "p").Single(), StringComparison.Ordinal);
        Assert.EndsWith("zum Beispiel Zeile 4, art: not-in-enum (Erlaubt sind: a, b), „c“.", Notes(again, "p").Single(), StringComparison.Ordinal);
        var good = await Pipes.RunAsync(admin, "vertrag", new { files = new { datei = await Pipes.UploadAsync(admin, "b.csv", Good) } });
        Assert.Equal(["info Keine Zeile ginge nach Fassung 2 des Vertrags von „vertrag“ (Gebiete „vertrag“ in Fassung 1) in die Quarantäne."], Notes(good, "p"));
    }

    [Fact]
    public async Task Rules_keep_their_places_whether_they_ask_a_contract_or_the_engine()
    {
        var admin = await DatasetAsync("gemischt");
        await PutDatasetAsync(admin, "gemischt-2", minimum: -5, agency: "gemischt");
        await Pipes.PutJobAsync(admin, "gemischt", Job("gemischt", """
            { "id": "p", "check": { "input": "datei", "rules": [
                { "contract": "gemischt", "severity": "warn" }, { "rows": { "minimum": 1 } }, { "contract": "gemischt-2", "severity": "warn" }, { "column": "wert", "minimum": 0, "severity": "warn" }, { "column": "wert", "drift": 0.1, "severity": "warn" } ] } },
            { "id": "t", "transform": { "inputs": ["datei"], "sql": "SELECT * FROM datei" } }
            """));
        const string Lines = "nr,wert,art,plz,ort,name,von,bis\n1,10,a,10115,a,Anna,2026-01-01,\n2,-1,a,10115,a,Berta,2026-01-01,\n";
        var first = await Pipes.RunAsync(admin, "gemischt", new { files = new { datei = await Pipes.UploadAsync(admin, "a.csv", Lines) } });
        var step = await StepAsync(first);
        Assert.Equal([false, true, true, false, true], step.Kept);
        Assert.Equal([null, null, null, null, 4.5], step.Measures);
        Assert.Equal(2, step.RowsIn);
        Assert.Equal(["warning 1 Zeile ginge", "info Keine Zeile ginge", "warning In 1 Zeile"], Notes(first, "p").Select(note => string.Join(' ', note.Split(' ')[..4])));
        var events = (await OkAsync(admin.GetAsync($"api/v1/runs/{first.GetProperty("id").GetString()}/lineage"))).RootElement.GetProperty("events").EnumerateArray();
        var assertions = events.Where(one => one.GetProperty("job").GetProperty("name").GetString() == "gemischt.p" && one.GetProperty("eventType").GetString() == "COMPLETE")
            .Single().GetProperty("inputs")[0].GetProperty("inputFacets").GetProperty("dataQualityAssertions").GetProperty("assertions").EnumerateArray();
        Assert.Equal(["contract False", "row_count True", "contract True", "range False", "drift True"], assertions.Select(one => $"{one.GetProperty("assertion").GetString()} {one.GetProperty("success").GetBoolean()}"));

        // The next run compares with what was measured in that very place.
        var next = await Pipes.RunAsync(admin, "gemischt", new { files = new { datei = await Pipes.UploadAsync(admin, "b.csv", Lines.Replace(",10,", ",20,", StringComparison.Ordinal)) } });
        var kept = (await StepAsync(next)).Kept;
        Assert.Equal([false, true, true, false, false], kept);
        Assert.Contains("(9.5 statt 4.5)", Notes(next, "p")[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blocking_rule_stops_the_run_before_it_writes_and_columns_that_do_not_fit_say_so()
    {
        var admin = await DatasetAsync("sperre");
        await Pipes.PutJobAsync(admin, "sperre", Job("sperre", """
            { "id": "p", "check": { "input": "datei", "rules": [ { "contract": "sperre" } ] } }, { "id": "w", "write": { "input": "datei", "dataset": "sperre", "maxQuarantined": 1000 } }
            """));
        var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "sperre", new { files = new { datei = await Pipes.UploadAsync(admin, "a.csv", Bad) } }));
        Assert.StartsWith("Schritt „p“: 8 Zeilen gingen nach Fassung 1", failed.GetProperty("cause").GetString(), StringComparison.Ordinal);
        var columns = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "sperre", new { files = new { datei = await Pipes.UploadAsync(admin, "b.csv", "nr,wert,farbe\n1,2,rot\n") } }));
        Assert.Equal(
            "Schritt „p“: Keine Zeile ginge nach Fassung 1 des Vertrags von „sperre“ (Gebiete „sperre“ in Fassung 1) hinein. Die Spalten der Tabelle passen nicht zum Vertrag. Nicht im Vertrag: farbe. Im Vertrag verpflichtend und nicht in der Tabelle: von.",
            columns.GetProperty("cause").GetString());
        Assert.Empty((await OkAsync(admin.GetAsync("api/v1/datasets/sperre/conservation"))).RootElement.GetProperty("feeds").EnumerateArray());

        // A dataset that takes no rows any more says it as it does to a push.
        await hub.ReleaseAsync("sperre");
        await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/sperre/release", new { state = "RETIRED" }));
        var retired = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "sperre", new { files = new { datei = await Pipes.UploadAsync(admin, "c.csv", Good) } }));
        Assert.Equal("Schritt „p“: Der Datensatz „sperre“ ist stillgelegt.", retired.GetProperty("cause").GetString());
    }

    [Fact]
    public async Task Values_of_personal_fields_and_of_tables_that_name_people_are_not_told()
    {
        var admin = await DatasetAsync("geheim");
        await OkAsync(admin.PostAsJsonAsync("api/v1/agencies/geheim/pseudonym-keys/zweck/rotation", new { }));
        const string Check = """{ "id": "p", "check": { "input": "datei", "rules": [ { "contract": "geheim", "severity": "warn" } ] } }""";
        const string Long = "nr,wert,art,plz,ort,name,von\n7,5,a,10115,a,Friedolin,2026-01-01\n";
        await Pipes.PutJobAsync(admin, "geheim", Job("geheim", Check));
        var run = await Pipes.RunAsync(admin, "geheim", new { files = new { datei = await Pipes.UploadAsync(admin, "a.csv", Long) } });
        Assert.EndsWith("zum Beispiel Zeile 1, name: too-long (Die Höchstlänge ist 6), „•••“.", Notes(run, "p").Single(), StringComparison.Ordinal);

        await Pipes.PutJobAsync(admin, "geheim", Job("geheim", Check + """, { "id": "q", "pseudonymise": { "input": "datei", "columns": ["name"], "purpose": "zweck" } }"""));
        var naming = await Pipes.RunAsync(admin, "geheim", new { files = new { datei = await Pipes.UploadAsync(admin, "b.csv", Bad) } });
        Assert.EndsWith("zum Beispiel Zeile 3, wert: below-minimum, •••.", Notes(naming, "p").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dataset_that_is_not_there_or_not_ones_own_is_refused_with_its_place_when_the_job_is_put()
    {
        var admin = await DatasetAsync("recht");
        await DatasetAsync("recht-fremd");
        foreach (var (rule, status, path) in new[]
        {
            ("""{ "contract": "gibt-es-nicht" }""", 422, "steps[1].check.rules[1].contract"),
            ("""{ "contract": "recht-fremd" }""", 422, "steps[1].check.rules[1].contract"),
            ("""{ "contract": "Kein Name" }""", 422, "steps[1].check.rules[1].contract"),
            ("""{ "contract": "recht", "column": "wert" }""", 422, "steps[1].check.rules[1].column"),
            ("""{ "contract": "recht", "rows": { "minimum": 1 } }""", 422, "steps[1].check.rules[1]"),
        })
        {
            var refused = await RefusedAsync(
                admin.PutAsync("api/v1/jobs/recht", new StringContent(Job("recht", $$"""{ "id": "p", "check": { "input": "datei", "rules": [ { "rows": { "minimum": 1 } }, {{rule}} ] } }"""), Encoding.UTF8, "application/json")), status, "invalid-job");
            Assert.Equal(path, refused.RootElement.GetProperty("errors")[0].GetProperty("path").GetString());
        }

        await Pipes.PutJobAsync(admin, "recht", Job("recht", """{ "id": "p", "check": { "input": "datei", "rules": [ { "contract": "recht", "severity": "warn" } ] } }"""));
        Assert.Contains("contract: recht", await (await admin.GetAsync("api/v1/jobs/recht?format=yaml")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private async Task<HttpClient> DatasetAsync(string id)
    {
        var admin = await hub.AgencyAsync(id, KeyRole.Admin);
        await OkAsync(hub.Admin.PutAsync($"api/v1/areas/{id}", new StringContent("id,parent,name,level\na,,A,0\nb,,B,0\n", Encoding.UTF8, "text/csv")));
        await PutDatasetAsync(admin, id, minimum: 0);
        return admin;
    }

    private static async Task PutDatasetAsync(HttpClient admin, string id, int minimum, string? agency = null) => await OkAsync(admin.PutAsync($"api/v1/datasets/{id}", new StringContent($$"""
        { "title": "Vorgänge", "publisher": "{{agency ?? id}}", "kind": "records", "access": "internal", "license": "dl-de/by-2-0", "legalBasis": "Art. 6 DSGVO", "areaSystem": "{{agency ?? id}}",
          "schema": { "primaryKey": "nr", "fields": [
            { "name": "nr", "type": "integer" },
            { "name": "wert", "type": "number", "role": "measure", "constraints": { "required": true, "minimum": {{minimum}} } },
            { "name": "art", "type": "string", "constraints": { "enum": ["a", "b"] } },
            { "name": "plz", "type": "string", "constraints": { "pattern": "[0-9]{5}" } },
            { "name": "ort", "type": "string", "role": "area" },
            { "name": "name", "type": "string", "role": "personal", "constraints": { "maxLength": 6 } },
            { "name": "von", "type": "date", "role": "opened", "constraints": { "required": true } },
            { "name": "bis", "type": "date", "role": "closed" } ] } }
        """, Encoding.UTF8, "application/json")));

    private async Task<StepInfo> StepAsync(JsonElement run) =>
        (await hub.Grains.GetGrain<IPipelineRunGrain>(run.GetProperty("id").GetString()!).GetAsync(Caller.Hub))!.Steps.Single(step => step.Id == "p");

    private static string[] Notes(JsonElement run, string step) =>
        [.. Pipes.Step(run, step).GetProperty("notes").EnumerateArray().Select(note => $"{note.GetProperty("severity").GetString()} {note.GetProperty("text").GetString()}")];

    private static string Job(string agency, string steps) => $$"""
        { "title": "Prüfen", "agency": "{{agency}}", "steps": [ { "id": "datei", "read": { "file": { "decimalChar": "." } } }, {{steps}} ] }
        """;
}
