using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>From an uploaded file to a published number, through the public routes of a whole hub.</summary>
public sealed class RunHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Loans = "Zweigstelle;Tag;Ausleihen\nMitte;2026-11-02;120\nPankow;2026-11-02;80\nMitte;2026-11-03;1.200\n";

    [Fact]
    public async Task A_file_becomes_rows_of_a_dataset_and_a_published_number()
    {
        var admin = await hub.AgencyAsync("bibliothek", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "ausleihen", "bibliothek");
        await Pipes.PutJobAsync(admin, "ausleihen-laden", Job("bibliothek", "ausleihen"));
        var file = await Pipes.UploadAsync(admin, "ausleihen.csv", Loans);

        var run = await Pipes.RunAsync(admin, "ausleihen-laden", new { files = new { datei = file } });

        Assert.Equal(3, Pipes.Step(run, "datei").GetProperty("rowsOut").GetInt64());
        Assert.Equal(3, Pipes.Step(run, "schreiben").GetProperty("rowsOut").GetInt64());
        var watermark = Pipes.Step(run, "schreiben").GetProperty("watermark").GetString();
        var values = await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/ausleihen-daily/values?watermark={watermark}"));
        Assert.Equal([200.0, 1200.0], values.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("value").GetDouble()));
        var receipt = await OkAsync(admin.GetAsync("api/v1/receipts/" + Pipes.Step(run, "schreiben").GetProperty("receipt").GetString()));
        Assert.Equal(3, receipt.RootElement.GetProperty("accepted").GetInt32());
    }

    [Fact]
    public async Task An_Excel_table_becomes_rows_of_a_dataset_and_a_published_number()
    {
        var admin = await hub.AgencyAsync("tabelle", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "tabelle", "tabelle");
        await Pipes.PutJobAsync(admin, "tabelle", Job("tabelle", "tabelle").Replace("\"type\": \"csv\", \"decimalChar\": \",\", ", "\"sheet\": \"Zahlen\", ", StringComparison.Ordinal));
        var book = new XlsxBook().Sheet(XlsxBook.Row(1, "Hinweise"), "Deckblatt").Sheet(
            XlsxBook.Row(1, "Ausleihen, Stand November") + XlsxBook.Row(3, "Zweigstelle", "Tag", "Ausleihen")
            + XlsxBook.Row(4, "Mitte", XlsxBook.Number("46328", 1), XlsxBook.Number("120")) + XlsxBook.Row(5, "Pankow", XlsxBook.Number("46328", 1), XlsxBook.Number("80"))
            + XlsxBook.Row(6, "Mitte", XlsxBook.Number("46329", 1), "<c r=\"@\"><f>SUM(C4:C5)*6</f><v>1200</v></c>"), "Zahlen").ToBytes();
        var file = await Pipes.UploadAsync(admin, "ausleihen.xlsx", book);

        var run = await Pipes.RunAsync(admin, "tabelle", new { files = new { datei = file } });

        Assert.Contains("Gelesen als XLSX, Blatt „Zahlen“, Überschriften in Zeile 3. Nicht gelesen: Deckblatt.", Pipes.Step(run, "datei").GetProperty("notes")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        var values = await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/tabelle-daily/values?watermark={Pipes.Step(run, "schreiben").GetProperty("watermark").GetString()}"));
        Assert.Equal([200.0, 1200.0], values.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("value").GetDouble()));

        // Equal inputs by another way: the same table.
        var csv = await hub.AgencyAsync("tabelle-csv", KeyRole.Admin);
        await Pipes.LoansAsync(csv, "tabelle-csv", "tabelle-csv");
        await Pipes.PutJobAsync(csv, "tabelle-csv", Job("tabelle-csv", "tabelle-csv"));
        var other = await Pipes.RunAsync(csv, "tabelle-csv", new { files = new { datei = await Pipes.UploadAsync(csv, "a.csv", Loans) } });
        Assert.Equal(Pipes.Step(other, "datei").GetProperty("sha256").GetString(), Pipes.Step(run, "datei").GetProperty("sha256").GetString());

        // What was found out about it can be taken over.
        var format = (await OkAsync(admin.GetAsync($"api/v1/runs/{run.GetProperty("id").GetString()}/steps/datei/format"))).RootElement.GetProperty("file");
        Assert.Equal(("xlsx", "Zahlen", 3), (format.GetProperty("type").GetString(), format.GetProperty("sheet").GetString(), format.GetProperty("headerRow").GetInt32()));
        Assert.Equal(JsonValueKind.Null, (await OkAsync(admin.GetAsync($"api/v1/runs/{run.GetProperty("id").GetString()}/steps/passend/format"))).RootElement.GetProperty("file").ValueKind);
        await Pipes.PutJobAsync(admin, "tabelle", $$"""{ "title": "x", "agency": "tabelle", "steps": [ { "id": "datei", "read": { "file": {{format.GetRawText()}} } } ] }""");
        Assert.Equal(Pipes.Step(run, "datei").GetProperty("sha256").GetString(), Pipes.Step(await Pipes.RunAsync(admin, "tabelle", new { files = new { datei = file } }), "datei").GetProperty("sha256").GetString());

        var macros = await Pipes.UploadAsync(admin, "ausleihen.xlsm", new XlsxBook().Sheet("").With("xl/vbaProject.bin", "x").ToBytes());
        run = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "tabelle", new { files = new { datei = macros } }));
        Assert.Equal("Schritt „datei“: Die Datei hat Makros; solche nimmt der Hub nicht. Ohne Makros als .xlsx speichern.", run.GetProperty("cause").GetString());
        await RefusedAsync(admin.PutAsync("api/v1/jobs/tabelle", Json("""{ "title": "x", "agency": "tabelle", "steps": [ { "id": "a", "read": { "file": { "type": "xlsx", "delimiter": ";", "timeZone": "Mars" } } } ] }""")), 422, "invalid-job");
    }

    [Fact]
    public async Task The_same_run_again_gives_the_same_bytes_and_writes_no_row_twice()
    {
        var admin = await hub.AgencyAsync("wieder", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "wieder", "wieder");
        await Pipes.PutJobAsync(admin, "wieder", Job("wieder", "wieder"));
        var file = await Pipes.UploadAsync(admin, "a.csv", Loans);
        var first = await Pipes.RunAsync(admin, "wieder", new { files = new { datei = file } });
        var again = await Pipes.RunAsync(admin, "wieder", new { repeats = first.GetProperty("id").GetString() });
        foreach (var step in new[] { "datei", "passend" }) Assert.Equal(Pipes.Step(first, step).GetProperty("sha256").GetString(), Pipes.Step(again, step).GetProperty("sha256").GetString());
        Assert.Equal(await Pipes.TableAsync(admin, first, "passend"), await Pipes.TableAsync(admin, again, "passend"));
        Assert.Equal(0, Pipes.Step(again, "schreiben").GetProperty("rowsOut").GetInt64());
        var counts = await OkAsync(admin.GetAsync("api/v1/datasets/wieder/conservation"));
        Assert.Equal(3, counts.RootElement.GetProperty("feeds")[0].GetProperty("accepted").GetInt64());
        Assert.Equal(3, counts.RootElement.GetProperty("feeds")[0].GetProperty("duplicate").GetInt64());
    }

    [Fact]
    public async Task A_check_that_fails_stops_the_run_before_anything_is_written_and_says_why()
    {
        var admin = await hub.AgencyAsync("pruefen", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "pruefen", "pruefen");
        await Pipes.PutJobAsync(admin, "pruefen", Job("pruefen", "pruefen"));
        var file = await Pipes.UploadAsync(admin, "a.csv", Loans + "Mitte;2026-11-03;5\nPankow;2026-11-04;\n");
        var run = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "pruefen", new { files = new { datei = file } }));
        Assert.Equal("fail", run.GetProperty("state").GetString());
        Assert.Contains("2 Zeilen haben in zweigstelle, tag dasselbe wie eine andere", run.GetProperty("cause").GetString(), StringComparison.Ordinal);
        Assert.Contains(Pipes.Step(run, "pruefung").GetProperty("notes").EnumerateArray(), note => note.GetProperty("text").GetString() == "In 1 Zeile fehlt „ausleihen“." && note.GetProperty("severity").GetString() == "warning");
        Assert.Equal("start", Pipes.Step(run, "schreiben").GetProperty("state").GetString());
        var counts = await OkAsync(admin.GetAsync("api/v1/datasets/pruefen/conservation"));
        Assert.Empty(counts.RootElement.GetProperty("feeds").EnumerateArray());
    }

    [Fact]
    public async Task What_is_wrong_with_a_definition_is_named_with_its_place()
    {
        var admin = await hub.AgencyAsync("falsch", KeyRole.Admin);
        var refused = await RefusedAsync(admin.PutAsync("api/v1/jobs/falsch", Json("""
            { "title": "Falsch", "agency": "falsch", "steps": [
              { "id": "A", "read": { "file": {} } },
              { "id": "b", "transform": { "inputs": ["gibt_es_nicht"], "sql": "SELECT 1" } },
              { "id": "b", "check": { "input": "b", "rules": [ { "column": "x" } ] } },
              { "id": "c" } ] }
            """)), 422, "invalid-job");
        Assert.Equal(["steps[0].id", "steps[1].transform", "steps[2].id", "steps[2].check.rules[0]", "steps[3]"], refused.RootElement.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("path").GetString()));
        await RefusedAsync(admin.PutAsync("api/v1/jobs/falsch", Json("""{ "title": "Falsch", "agency": "falsch", "steps": [ { "id": "a", "lesen": {} } ] }""")), 400, "invalid-json");
        await RefusedAsync(admin.GetAsync("api/v1/jobs/falsch"), 404);
    }

    [Fact]
    public async Task A_file_that_does_not_fit_fails_with_row_and_column()
    {
        var admin = await hub.AgencyAsync("unpassend", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "unpassend", "unpassend");
        await Pipes.PutJobAsync(admin, "unpassend", Job("unpassend", "unpassend"));
        var file = await Pipes.UploadAsync(admin, "a.csv", Loans + "Pankow;2026-11-05;viele\n");
        var run = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "unpassend", new { files = new { datei = file } }));
        Assert.Equal("Schritt „datei“: Zeile 5, Spalte „Ausleihen“: „viele“ ist kein Wert der Art integer.", run.GetProperty("cause").GetString());

        var later = await Pipes.UploadAsync(admin, "b.csv", "Zweigstelle;Tag\nMitte;2026-11-02\n");
        run = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "unpassend", new { files = new { datei = later } }));
        Assert.Contains("Die Spalte „Ausleihen“ fehlt; die Datei hat (Trennzeichen ;): Zweigstelle, Tag.", run.GetProperty("cause").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_that_breaks_off_goes_on_where_it_stood()
    {
        var admin = await hub.AgencyAsync("stueckweise", KeyRole.Push);
        var content = RandomNumberGenerator.GetBytes(3_000_000);
        using var begin = new HttpRequestMessage(HttpMethod.Post, "api/v1/files");
        begin.Headers.Add("Tus-Resumable", "1.0.0");
        begin.Headers.Add("Upload-Length", "3000000");
        begin.Headers.Add("Upload-Metadata", $"filename {Convert.ToBase64String(Encoding.UTF8.GetBytes("groß.csv"))},sha256 {Convert.ToBase64String(SHA256.HashData(content))}");
        using var made = await admin.SendAsync(begin);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var location = made.Headers.Location!.ToString();

        Assert.Equal((HttpStatusCode.NoContent, "1500000"), await PieceAsync(0, content[..1_500_000]));
        // A repeat of what was taken is told where it goes on.
        Assert.Equal((HttpStatusCode.Conflict, "1500000"), await PieceAsync(0, content[..1_500_000]));
        using var head = await admin.SendAsync(new(HttpMethod.Head, location));
        Assert.Equal("1500000", head.Headers.GetValues("Upload-Offset").Single());
        Assert.Equal((HttpStatusCode.NoContent, "3000000"), await PieceAsync(1_500_000, content[1_500_000..]));

        var file = (await OkAsync(admin.GetAsync(location))).RootElement;
        Assert.Equal("groß.csv", file.GetProperty("name").GetString());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), file.GetProperty("sha256").GetString());
        await RefusedAsync(hub.Anonymous.GetAsync(location), 404);
        using var gone = await admin.DeleteAsync(location);
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        await RefusedAsync(admin.GetAsync(location), 404);

        async Task<(HttpStatusCode, string)> PieceAsync(int offset, byte[] piece)
        {
            using var patch = new HttpRequestMessage(HttpMethod.Patch, location) { Content = new ByteArrayContent(piece) { Headers = { ContentType = Pipes.Pieces } } };
            patch.Headers.Add("Upload-Offset", offset.ToString(System.Globalization.CultureInfo.InvariantCulture));
            using var answer = await admin.SendAsync(patch);
            return (answer.StatusCode, answer.Headers.GetValues("Upload-Offset").Single());
        }
    }

    [SharedDataFact("mss/mss_2021_index_indikatoren.csv", "mss/mss_2021_indizes_bezirk_01_02.csv")]
    public async Task The_social_index_of_the_citys_own_file_has_the_official_classes()
    {
        var admin = await hub.AgencyAsync("stadtentwicklung", KeyRole.Admin);
        await Pipes.PutJobAsync(admin, "sozialindex", """
            { "title": "Monitoring Soziale Stadtentwicklung", "agency": "stadtentwicklung", "steps": [
              { "id": "indikatoren", "read": { "file": {} } },
              { "id": "index", "recipe": { "input": "indikatoren", "name": "social-monitoring" } },
              { "id": "klassen", "transform": { "inputs": ["index"], "sql": "SELECT PLR_ID, status_class, dynamics_class FROM index WHERE status_class IS NOT NULL" } } ] }
            """);
        var file = await Pipes.UploadAsync(admin, "mss_2021.csv", SharedData.Bytes("mss/mss_2021_index_indikatoren.csv"));
        var run = await Pipes.RunAsync(admin, "sozialindex", new { files = new { indikatoren = file } });

        var classes = (await Pipes.TableAsync(admin, run, "klassen")).Split("\r\n").Skip(1).Where(line => line.Length > 0).Select(line => line.Split(',')).ToDictionary(cells => cells[0], cells => (cells[1], cells[2]));
        var official = SharedData.Text("mss/mss_2021_indizes_bezirk_01_02.csv").Split('\n').Skip(1).Where(line => line.TrimEnd().EndsWith("gültig", StringComparison.Ordinal))
            .Select(line => line.Split(',')).ToDictionary(cells => cells[1].Trim('"'), cells => (cells[5], cells[7]));
        Assert.Equal(536, classes.Count);
        Assert.InRange(official.Count, 80, 85);
        foreach (var (area, expected) in official) Assert.Equal((area, expected), (area, classes[area]));
    }

    [Fact]
    public async Task A_run_that_is_ended_can_be_resumed_from_where_it_stood()
    {
        var admin = await hub.AgencyAsync("beenden", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "beenden", "beenden");
        await Pipes.PutJobAsync(admin, "beenden", Job("beenden", "beenden"));
        var file = await Pipes.UploadAsync(admin, "a.csv", Loans + "Pankow;2026-11-06;-5\n");
        var id = await Pipes.StartAsync(admin, "beenden", new { files = new { datei = file } });
        var failed = await Pipes.EndAsync(admin, id);
        Assert.Equal("Schritt „pruefung“: In 1 Zeile liegt „ausleihen“ außerhalb von mindestens 0, zum Beispiel -5.", failed.GetProperty("cause").GetString());
        await RefusedAsync(admin.PostAsJsonAsync($"api/v1/runs/{id}/acts", new { act = "abort", reason = "zu spät" }), 409);

        // Resumed, it fails where it failed before: the step before is not done again.
        await OkAsync(admin.PostAsJsonAsync($"api/v1/runs/{id}/acts", new { act = "resume" }));
        var again = await Pipes.EndAsync(admin, id);
        Assert.Equal((1, 2), (Pipes.Step(again, "datei").GetProperty("attempts").GetInt32(), Pipes.Step(again, "pruefung").GetProperty("attempts").GetInt32()));

        // A version without the check takes the same file.
        await Pipes.PutJobAsync(admin, "beenden", Job("beenden", "beenden").Replace(", { \"column\": \"ausleihen\", \"minimum\": 0 }", "", StringComparison.Ordinal));
        var other = await Pipes.RunAsync(admin, "beenden", new { repeats = id });
        Assert.Equal(2, other.GetProperty("version").GetInt32());
        Assert.Contains("1 in Quarantäne", string.Concat(Pipes.Step(other, "schreiben").GetProperty("notes").EnumerateArray().Select(note => note.GetProperty("text").GetString())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_condition_that_is_more_than_one_fills_no_memory_and_passes_for_no_answer()
    {
        var admin = await hub.AgencyAsync("bedingung", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "bedingung", "bedingung");
        foreach (var sql in new[] { "false) IS NOT TRUE UNION ALL SELECT i FROM range(50000000) AS r(i) WHERE (false", "false) IS NOT TRUE UNION ALL SELECT 'x' WHERE (false" })
        {
            await Pipes.PutJobAsync(admin, "bedingung", $$"""
                { "title": "x", "agency": "bedingung", "steps": [ { "id": "zeilen", "read": { "dataset": "bedingung" } }, { "id": "p", "check": { "input": "zeilen", "rules": [ { "sql": "{{sql}}" } ] } } ] }
                """);
            var run = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "bedingung", new { }));
            Assert.Equal(("fail", 1), (run.GetProperty("state").GetString(), Pipes.Step(run, "p").GetProperty("attempts").GetInt32()));
        }
    }

    [Fact]
    public async Task A_file_that_was_deleted_is_not_taken_for_an_empty_one()
    {
        var admin = await hub.AgencyAsync("geloescht", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "geloescht", "geloescht");
        await Pipes.PutJobAsync(admin, "geloescht", Job("geloescht", "geloescht"));
        var file = await Pipes.UploadAsync(admin, "a.csv", Loans);
        var first = await Pipes.RunAsync(admin, "geloescht", new { files = new { datei = file } });
        using var gone = await admin.DeleteAsync("api/v1/files/" + file);
        Assert.Equal("1.0.0", gone.Headers.GetValues("Tus-Resumable").Single());
        var again = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "geloescht", new { repeats = first.GetProperty("id").GetString() }));
        Assert.Equal("Schritt „datei“: Die Datei ist nicht mehr da.", again.GetProperty("cause").GetString());
    }

    [Fact]
    public async Task Sql_that_cannot_run_is_refused_when_the_job_is_put()
    {
        var admin = await hub.AgencyAsync("sqlfehler", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "sqlfehler", "sqlfehler");
        foreach (var (sql, word) in new[] { ("SELECT branch, lons FROM zeilen", "lons"), ("SELECT now() AS t FROM zeilen", "now"), ("SELECT * FROM read_csv('/etc/passwd')", "read_csv") })
        {
            var refused = await RefusedAsync(admin.PutAsync("api/v1/jobs/sqlfehler", Json($$"""
                { "title": "x", "agency": "sqlfehler", "steps": [ { "id": "zeilen", "read": { "dataset": "sqlfehler" } }, { "id": "t", "transform": { "inputs": ["zeilen"], "sql": "{{sql}}" } } ] }
                """)), 422, "invalid-job");
            Assert.Equal("steps[1].transform.sql", refused.RootElement.GetProperty("errors")[0].GetProperty("path").GetString());
            Assert.Contains(word, refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Runs_of_a_job_go_one_after_the_other_and_one_that_waits_can_be_seen_and_ended()
    {
        var admin = await hub.AgencyAsync("reihe", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "reihe", "reihe");
        await Pipes.PutJobAsync(admin, "reihe", """
            { "title": "x", "agency": "reihe", "steps": [ { "id": "zeilen", "read": { "dataset": "reihe" } }, { "id": "lang", "transform": { "inputs": ["zeilen"], "sql": "SELECT (SELECT count(*) FROM zeilen) + sum(i * i % 7) AS n FROM range(400000000) AS r(i)" } } ] }
            """);
        var first = await Pipes.StartAsync(admin, "reihe", new { });
        var second = await Pipes.StartAsync(admin, "reihe", new { });
        var third = await Pipes.StartAsync(admin, "reihe", new { });
        Assert.Equal("start", (await OkAsync(admin.GetAsync("api/v1/runs/" + third))).RootElement.GetProperty("state").GetString());
        await OkAsync(admin.PostAsJsonAsync($"api/v1/runs/{third}/acts", new { act = "abort", reason = "nicht mehr nötig" }));
        await OkAsync(admin.PostAsJsonAsync($"api/v1/runs/{first}/acts", new { act = "abort", reason = "zu langsam" }));
        var ended = await Pipes.EndAsync(admin, third);
        Assert.Contains("nicht mehr nötig", ended.GetProperty("cause").GetString(), StringComparison.Ordinal);

        // Its turn comes when the one before it has ended.
        for (var tries = 0; (await OkAsync(admin.GetAsync("api/v1/runs/" + second))).RootElement.GetProperty("state").GetString() == "start"; tries++, await Task.Delay(100)) Assert.True(tries < 200);
        await OkAsync(admin.PostAsJsonAsync($"api/v1/runs/{second}/acts", new { act = "abort", reason = "Schluss" }));
        var states = (await OkAsync(admin.GetAsync("api/v1/jobs/reihe/runs"))).RootElement.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("id").GetString()).ToArray();
        Assert.Equal(new[] { third, second, first }, states);
    }

    [Fact]
    public async Task Whoever_may_not_read_a_dataset_makes_no_job_that_does()
    {
        var admin = await hub.AgencyAsync("eigen", KeyRole.Admin);
        var other = await hub.AgencyAsync("fremd", KeyRole.Admin);
        await Pipes.LoansAsync(other, "fremd", "fremd");
        await OkAsync(other.PutAsync("api/v1/datasets/fremd-geheim", Json("""
            { "title": "Geheim", "publisher": "fremd", "kind": "observations", "access": "internal", "license": "dl-de/by-2-0",
              "schema": { "primaryKey": ["a", "time"], "fields": [ { "name": "a", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" } ] } }
            """)));
        await RefusedAsync(admin.PutAsync("api/v1/jobs/eigen", Json("""{ "title": "x", "agency": "eigen", "steps": [ { "id": "a", "read": { "dataset": "fremd-geheim" } } ] }""")), 403);
        await RefusedAsync(admin.PutAsync("api/v1/jobs/eigen", Json("""{ "title": "x", "agency": "eigen", "steps": [ { "id": "a", "read": { "dataset": "fremd" } }, { "id": "b", "write": { "input": "a", "dataset": "fremd" } } ] }""")), 422);
        await RefusedAsync(admin.PutAsync("api/v1/jobs/eigen", Json("""{ "title": "x", "agency": "fremd", "steps": [ { "id": "a", "read": { "dataset": "fremd" } } ] }""")), 403);
        await OkAsync(admin.PutAsync("api/v1/jobs/eigen", Json("""{ "title": "x", "agency": "eigen", "steps": [ { "id": "a", "read": { "dataset": "fremd" } } ] }""")));
        var run = await Pipes.RunAsync(admin, "eigen", new { });
        Assert.Equal(0, Pipes.Step(run, "a").GetProperty("rowsOut").GetInt64());
        await RefusedAsync(other.GetAsync("api/v1/runs/" + run.GetProperty("id").GetString()), 404);
        await RefusedAsync(other.GetAsync("api/v1/jobs/eigen"), 404);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    internal static string Job(string agency, string dataset) => $$"""
        { "title": { "de": "Ausleihen laden", "en": "Load loans" }, "agency": "{{agency}}", "steps": [
          { "id": "datei", "read": { "file": { "type": "csv", "decimalChar": ",", "columns": [
              { "header": "Zweigstelle", "type": "string" }, { "header": "Tag", "type": "date" }, { "header": "Ausleihen", "type": "integer" } ] } } },
          { "id": "pruefung", "check": { "input": "datei", "rules": [
              { "unique": ["zweigstelle", "tag"] }, { "column": "ausleihen", "required": true, "severity": "warn" }, { "column": "ausleihen", "minimum": 0 } ] } },
          { "id": "passend", "transform": { "inputs": ["datei"], "sql": "SELECT zweigstelle AS branch, CAST(tag AS TIMESTAMP) AS time, ausleihen AS loans FROM datei" } },
          { "id": "schreiben", "write": { "input": "passend", "dataset": "{{dataset}}", "maxQuarantined": 1 } } ] }
        """;
}
