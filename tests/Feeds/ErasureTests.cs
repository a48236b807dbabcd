using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Data.Sqlite;

namespace DataHub.Feeds;

/// <summary>Erasure of a person's rows, through the public routes, and then a look into every file of the hub.</summary>
public sealed class ErasureTests
{
    private const string Key = "away-erika-mustermann", Person = "Erika Mustermann", Mail = "erika@example.org", Other = "Max Beispiel";

    [Fact]
    public async Task After_an_erasure_no_file_and_no_table_holds_the_person_and_every_number_is_right()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        // Many rows around, so that pages split and batches are compressed.
        for (var batch = 0; batch < 12; batch++)
            await PushAsync(agency, string.Join('\n', Enumerable.Range(0, 150).Select(i => Row($"r{batch}-{i}", i % 40 == 7 ? Person : $"{Other} {i}", i % 40 == 7 ? Mail : $"m{batch}-{i}@example.org", i))));
        // Corrected away, corrected towards, come and gone within one push, retracted, quarantined, replayed, given up.
        await PushAsync(agency, Row("away", Person, Mail, 1), key: Key);
        await PushAsync(agency, Row("away", Other, Mail, 2));
        await PushAsync(agency, Row("towards", Other, "max@example.org", 3));
        await PushAsync(agency, Row("towards", Person, "max@example.org", 4));
        await PushAsync(agency, $$"""{{Row("brief", Person, Mail, 5)}}{{"\n"}}{"id":"brief","mail":"{{Mail}}","@delete":true}{{"\n"}}{{Row("after", Other, "o@example.org", 5)}}""");
        await PushAsync(agency, Row("gone", Person, Mail, 6));
        await PushAsync(agency, $$"""{"id":"gone","mail":"{{Mail}}","@delete":true}""");
        await PushAsync(agency, Row("q1", Person, Mail, -1) + "\n" + Row("q2", Person, Mail, -2) + "\n" + Row("q3", Other, "q3@example.org", -3) + "\n{\"id\":\"q4\",\"mial\":\"x\",\"name\":\"" + Person + "\"\n" + Row("q5", Person, Mail, -5));
        await HubFixture.OkAsync(agency.PostAsJsonAsync("api/v1/datasets/persons/quarantine/replay", new { select = new { value = "-1" }, rule = new { field = "amount", rename = new { from = "-1", to = "1" } } }));
        await HubFixture.OkAsync(agency.PostAsJsonAsync("api/v1/datasets/persons/quarantine/discard", new { select = new { value = "-2" }, reason = "doppelt" }));
        await HubFixture.OkAsync(agency.PostAsJsonAsync("api/v1/datasets/persons/quarantine/replay", new { rows = new[] { new { id = await FirstOpenAsync(agency, "-5"), values = new { name = Person, amount = 5 } } } }));
        Assert.NotEmpty(Findings(hub.Folder, Person));

        // Keys of pushes, which nothing could be taken out of, are nowhere in the first place.
        Assert.Empty(Findings(hub.Folder, Key));
        var before = await CountsAsync(agency);

        var admin = await hub.AgencyAsync("persons-agency", KeyRole.Admin);
        var erasure = (await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/datasets/persons/erasures", new { where = new { name = Person }, reason = "Antrag", authority = "Art. 17 DSGVO" }))).RootElement;
        erasure = await DoneAsync(admin, erasure.GetProperty("id").GetString()!);

        Assert.True(erasure.GetProperty("compacted").GetBoolean());
        // 12 × 4 of the many, away, towards, brief, gone, q1, q5.
        Assert.Equal(54, erasure.GetProperty("keys").GetInt32());
        Assert.Equal(4, erasure.GetProperty("quarantined").GetInt32());
        Assert.Empty(Findings(hub.Folder, Person));
        Assert.DoesNotContain(Person, (await HubFixture.OkAsync(admin.GetAsync("api/v1/datasets/persons/quarantine?state=all"))).RootElement.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(Person, (await HubFixture.OkAsync(admin.GetAsync("api/v1/datasets/persons/quarantine/acts"))).RootElement.GetRawText(), StringComparison.Ordinal);

        // Conservation: the retractions came by the way of every row; what was quarantined stays counted.
        var after = await CountsAsync(agency);
        Assert.Equal((before.Quarantined, 1, 2), (after.Quarantined, before.Discarded, after.Discarded));
        Assert.Equal(after.Received, after.Accepted + after.Duplicate + after.Quarantined);
        var rows = await RowsAsync(agency);
        Assert.Equal((12 * 146) + 1, rows.Count);
        await EqualAsync(hub, rows);

        // The same after a restart, from a definition that begins anew, and after history was written anew from the log.
        await hub.RestartAsync();
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync("api/v1/indicators/persons-late", Indicator("sum", "amount")));
        Assert.Empty(Findings(hub.Folder, Person));
        await EqualAsync(hub, rows, "persons-late");
        Assert.Equal(rows, await RowsAsync(hub.Admin));
        Assert.Equal(after, await CountsAsync(hub.Admin));
        var again = await PushAsync(hub.Admin, Row("away", Person, Mail, 1));
        Assert.Equal(rows.Count + 1, (await RowsAsync(hub.Admin, again)).Count);
    }

    [Fact]
    public async Task A_person_is_erased_from_names_of_series_reasons_of_acts_and_rows_that_nothing_could_read()
    {
        const string Zed = "Zaphod \"Zed\" Müßig", Own = "zaphod@example.org", Shared = "familie@example.org";
        await using var hub = await HubFixture.StartAsync();
        var agency = await hub.AgencyAsync("persons-agency");
        await hub.PutDatasetAsync("persons", "persons-agency", DatasetKind.Observations, Contracts.Schema(
            ["mail", "time"],
            Contracts.Field("mail", FieldType.String, FieldRole.Series),
            Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
            Contracts.Field("name", FieldType.String, FieldRole.Personal, new(MaxLength: 30)),
            Contracts.Field("amount", FieldType.Number, FieldRole.Measure, new(Minimum: "0"))), partitions: 2);
        string Measured(string mail, int hour, string name, int amount) => JsonSerializer.Serialize(new { mail, time = $"2026-11-23T{hour:00}:00:00Z", name, amount });
        foreach (var mail in (string[])[Own, "zaphod.zwei@example.org", Shared])
            await PushAsync(agency, Measured(mail, 8, Zed, 1) + "\n" + Measured(mail, 9, Zed, 2));
        await PushAsync(agency, Measured(Shared, 7, Other, 3) + "\n" + Measured("max@example.org", 7, Other, 4));
        // Broken in the middle, as programs write them: with escapes in JSON, with doubled quotes in CSV.
        await PushAsync(agency, Measured(Own, 10, Zed, 1)[..^1]);
        Assert.Contains("\\u00", Measured(Own, 10, Zed, 1), StringComparison.Ordinal);
        using (var csv = new StringContent($"mail,time,name,amount\n{Own},2026-11-23T10:00:00Z,\"Zaphod \"\"Zed\"\" Müßig\",1,2\n", Encoding.UTF8, "text/csv"))
            await HubFixture.RefusedAsync(agency.PostAsync("api/v1/datasets/persons/feeds/default/records", csv), 422, "all-quarantined");
        // Rows of others, and a reason that names the person.
        await PushAsync(agency, string.Join('\n', Enumerable.Range(0, 8).Select(i => Measured($"m{i}@example.org", 8, Other, -1))));
        await HubFixture.OkAsync(agency.PostAsJsonAsync("api/v1/datasets/persons/quarantine/discard", new { select = new { value = "-1" }, reason = $"Angabe von {Zed}" }));
        await HubFixture.OkAsync(hub.Admin.GetAsync("api/v1/datasets/persons/quarantine/acts"));
        Assert.NotEmpty(Findings(hub.Folder, "Zaphod"));

        var erasure = (await HubFixture.OkAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/persons/erasures", new { where = new { name = Zed }, reason = "Antrag", authority = "Art. 17 DSGVO" }))).RootElement;
        erasure = await DoneAsync(hub.Admin, erasure.GetProperty("id").GetString()!);

        Assert.Equal((6, 2), (erasure.GetProperty("keys").GetInt32(), erasure.GetProperty("quarantined").GetInt32()));
        Assert.Empty(Findings(hub.Folder, "Zaphod"));
        Assert.Empty(Findings(hub.Folder, "zaphod"));
        var acts = (await HubFixture.OkAsync(hub.Admin.GetAsync("api/v1/datasets/persons/quarantine/acts"))).RootElement.GetProperty("acts");
        Assert.All(acts.EnumerateArray(), act => Assert.Equal(JsonValueKind.Null, act.GetProperty("reason").ValueKind));
        Assert.Equal(8, acts.EnumerateArray().Sum(act => act.GetProperty("discarded").GetInt32()));

        // A series of which something is left is known as before: what stands is not new. One of which nothing is left begins anew.
        await hub.RestartAsync();
        var again = await PushAsync(hub.Admin, Measured(Shared, 7, Other, 3) + "\n" + Measured(Own, 8, Other, 1));
        var rows = (await HubFixture.OkAsync(hub.Admin.GetAsync($"api/v1/datasets/persons/records?watermark={again}"))).RootElement.GetProperty("rows");
        Assert.Equal([$"{Shared} 3", "max@example.org 4", $"{Own} 1"], rows.EnumerateArray().Select(row => $"{row.GetProperty("mail").GetString()} {row.GetProperty("amount")}"));
        Assert.Equal(1, (await CountsAsync(hub.Admin)).Duplicate);
    }

    [Fact]
    public async Task An_erasure_that_was_interrupted_is_carried_through_after_the_restart()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        for (var batch = 0; batch < 40; batch++)
            await PushAsync(agency, string.Join('\n', Enumerable.Range(0, 50).Select(i => Row($"r{batch}-{i}", i == 7 ? Person : Other, i == 7 ? Mail : $"m{batch}-{i}@example.org", i))));

        var id = (await HubFixture.OkAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/persons/erasures", new { where = new { name = Person }, reason = "Antrag", authority = "Art. 17 DSGVO" }))).RootElement.GetProperty("id").GetString()!;
        await hub.RestartAsync();

        var erasure = await DoneAsync(hub.Admin, id);
        Assert.Equal(40, erasure.GetProperty("keys").GetInt32());
        Assert.Empty(Findings(hub.Folder, Person));
        await EqualAsync(hub, await RowsAsync(hub.Admin));
    }

    [Fact]
    public async Task An_erasure_whose_hub_is_killed_at_any_moment_is_carried_through_and_leaves_every_number_right()
    {
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName);
        var port = hub.Address.Port;
        var admin = (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim();
        using var http = new HttpClient { BaseAddress = hub.Address, DefaultRequestHeaders = { Authorization = new("Bearer", admin) } };
        try
        {
            await HubFixture.OkAsync(http.PutAsJsonAsync("api/v1/agencies/persons-agency", new { name = new { de = "x" } }));
            using (var content = new StringContent(Dataset, Encoding.UTF8, "application/json")) await HubFixture.OkAsync(http.PutAsync("api/v1/datasets/persons", content));
            foreach (var function in (string[])["sum", "max", "count"])
                await HubFixture.OkAsync(http.PutAsJsonAsync($"api/v1/indicators/persons-{function}", Indicator(function, function == "count" ? null : "amount")));
            for (var batch = 0; batch < 120; batch++)
                await PushAsync(http, string.Join('\n', Enumerable.Range(0, 60).Select(i => Row($"r{batch}-{i}", i % 20 == 7 ? Person : Other, i % 20 == 7 ? Mail : $"m{batch}-{i}@example.org", i == 9 ? -1 : i))));
            var before = await CountsAsync(http);
            // Runs have tables of them, which the erasure reaches after it has overwritten the rows.
            using (var job = new StringContent("""
                { "title": "Lesen", "agency": "persons-agency", "steps": [
                  { "id": "zeilen", "read": { "dataset": "persons" } }, { "id": "namen", "transform": { "inputs": ["zeilen"], "sql": "SELECT DISTINCT name FROM zeilen" } } ] }
                """, Encoding.UTF8, "application/json")) await HubFixture.OkAsync(http.PutAsync("api/v1/jobs/lesen", job));
            var runs = new List<string>();
            for (var run = 0; run < 3; run++) runs.Add((await Pipelines.Pipes.RunAsync(http, "lesen", new { })).GetProperty("id").GetString()!);

            var id = (await HubFixture.OkAsync(http.PostAsJsonAsync("api/v1/datasets/persons/erasures", new { where = new { name = Person }, reason = "Antrag", authority = "Art. 17 DSGVO" }))).RootElement.GetProperty("id").GetString()!;
            var random = new Random(11);
            for (var kill = 0; kill < 4; kill++)
            {
                await Task.Delay(random.Next(20, 500));
                await hub.KillAsync();
                await hub.DisposeAsync();
                hub = await HubProcess.StartAsync(folder.FullName, port);
            }

            var erasure = await DoneAsync(http, id);
            Assert.Equal((360, 3), (erasure.GetProperty("keys").GetInt32(), erasure.GetProperty("runs").GetInt32()));
            foreach (var run in runs) await HubFixture.RefusedAsync(http.GetAsync($"api/v1/runs/{run}/steps/namen/table"), 410, "tables-erased");
            Assert.Empty(Findings(folder.FullName, Person));
            var after = await CountsAsync(http);
            Assert.Equal((before.Received + 360, before.Accepted + 360, before.Quarantined), (after.Received, after.Accepted, after.Quarantined));
            var rows = await RowsAsync(http);
            Assert.Equal(120 * 56, rows.Count);
            await EqualAsync(http, rows);
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_person_is_erased_from_a_retired_dataset_too()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        await PushAsync(agency, Row("r", Person, Mail, 1));
        await HubFixture.OkAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/persons/release", new { state = "RETIRED" }));
        await Task.Delay(600);
        var id = (await HubFixture.OkAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/persons/erasures", new { where = new { name = Person }, reason = "Antrag", authority = "Art. 17 DSGVO" }))).RootElement.GetProperty("id").GetString()!;
        Assert.Equal(1, (await DoneAsync(hub.Admin, id)).GetProperty("keys").GetInt32());
        Assert.Empty(Findings(hub.Folder, Person));
    }

    [Fact]
    public async Task Only_admins_may_erase_and_what_is_wrong_is_named()
    {
        await using var hub = await HubFixture.StartAsync();
        var push = await DatasetAsync(hub);
        Task<HttpResponseMessage> Post(HttpClient client, object body) => client.PostAsJsonAsync("api/v1/datasets/persons/erasures", body);

        await HubFixture.RefusedAsync(Post(hub.Anonymous, new { where = new { name = Person }, reason = "x", authority = "y" }), 401);
        await HubFixture.RefusedAsync(Post(push, new { where = new { name = Person }, reason = "x", authority = "y" }), 403);
        await HubFixture.RefusedAsync(Post(hub.Admin, new { where = new { nobody = Person }, reason = "x", authority = "y" }), 422, "invalid-act");
        await HubFixture.RefusedAsync(Post(hub.Admin, new { where = new { amount = "viel" }, reason = "x", authority = "y" }), 422, "invalid-act");
        await HubFixture.RefusedAsync(Post(hub.Admin, new { where = new { name = Person }, reason = $"Antrag von {Person}", authority = "y" }), 422, "invalid-act");
        await HubFixture.RefusedAsync(Post(hub.Admin, new { where = new { }, reason = "x", authority = "y" }), 422, "invalid-act");
        await HubFixture.RefusedAsync(Post(hub.Admin, new { where = new { name = Person } }), 422, "invalid-act");
        await HubFixture.RefusedAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/nowhere/erasures", new { where = new { name = Person }, reason = "x", authority = "y" }), 404);
        await HubFixture.RefusedAsync(hub.Admin.GetAsync("api/v1/datasets/persons/erasures/01ARZ3NDEKTSV4RRFFQ69G5FAV"), 404);
        Assert.Empty((await HubFixture.OkAsync(hub.Admin.GetAsync("api/v1/datasets/persons/erasures"))).RootElement.GetProperty("erasures").EnumerateArray());
    }

    private static async Task<HttpClient> DatasetAsync(HubFixture hub)
    {
        var agency = await hub.AgencyAsync("persons-agency");
        await hub.PutDatasetAsync("persons", "persons-agency", DatasetKind.Records, Contracts.Schema(
            ["id", "mail"],
            Contracts.Field("id", FieldType.String),
            Contracts.Field("mail", FieldType.String),
            Contracts.Field("name", FieldType.String, FieldRole.Personal),
            Contracts.Field("opened", FieldType.DateTime, FieldRole.Opened),
            Contracts.Field("amount", FieldType.Number, FieldRole.Measure, new(Minimum: "0"))));
        foreach (var function in (string[])["sum", "max", "last", "count"])
            await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/indicators/persons-{function}", Indicator(function, function == "count" ? null : "amount")));
        return agency;
    }

    private const string Dataset = """
        { "title": { "de": "Personen" }, "publisher": "persons-agency", "license": "dl-de/by-2-0", "legalBasis": "Art. 6 DSGVO", "kind": "records", "access": "open", "schema": { "primaryKey": ["id", "mail"], "fields": [
          { "name": "id", "type": "string" }, { "name": "mail", "type": "string" }, { "name": "name", "type": "string", "role": "personal" },
          { "name": "opened", "type": "datetime", "role": "opened" }, { "name": "amount", "type": "number", "role": "measure", "constraints": { "minimum": 0 } } ] } }
        """;

    private static object Indicator(string function, string? field) => new { title = "x", dataset = "persons", measure = field is null ? (object)new { function } : new { function, field }, window = "P1D", access = "open" };

    private static string Row(string id, string name, string mail, int amount) =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"id":"{{id}}","mail":"{{mail}}","name":"{{name}}","opened":"2026-11-{{1 + (Math.Abs(amount) % 20):00}}T08:00:00Z","amount":{{amount}}}""");

    private static async Task<string> PushAsync(HttpClient client, string rows, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/datasets/persons/feeds/default/records") { Content = new StringContent(rows, Encoding.UTF8, "application/x-ndjson") };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode || (int)answer.StatusCode == 422, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("watermark").GetString()!;
    }

    private static async Task<string> FirstOpenAsync(HttpClient client, string value) =>
        (await HubFixture.OkAsync(client.GetAsync($"api/v1/datasets/persons/quarantine?value={value}"))).RootElement.GetProperty("rows")[0].GetProperty("id").GetString()!;

    private static async Task<JsonElement> DoneAsync(HttpClient admin, string id)
    {
        var until = DateTime.UtcNow.AddSeconds(60);
        while (true)
        {
            var erasure = (await HubFixture.OkAsync(admin.GetAsync($"api/v1/datasets/persons/erasures/{id}"))).RootElement;
            if (erasure.GetProperty("state").GetString() == "done") return erasure;
            Assert.True(DateTime.UtcNow < until, $"not done: {erasure}");
            await Task.Delay(50);
        }
    }

    private static async Task<Dictionary<string, double>> RowsAsync(HttpClient client, string? watermark = null)
    {
        var rows = new Dictionary<string, double>();
        for (var next = $"api/v1/datasets/persons/records?limit=1000{(watermark is null ? "" : "&watermark=" + watermark)}"; next is not null;)
        {
            var page = (await HubFixture.OkAsync(client.GetAsync(next.TrimStart('/')))).RootElement;
            foreach (var row in page.GetProperty("rows").EnumerateArray()) rows.Add($"{row.GetProperty("opened").GetString()![..10]} {row.GetProperty("id")} {row.GetProperty("mail")}", row.GetProperty("amount").GetDouble());
            next = page.GetProperty("next").GetString();
        }

        return rows;
    }

    /// <summary>Every cell equals what a few lines compute from the rows that stand.</summary>
    private static Task EqualAsync(HubFixture hub, Dictionary<string, double> rows, string? only = null) => EqualAsync(hub.Anonymous, rows, only);

    private static async Task EqualAsync(HttpClient client, Dictionary<string, double> rows, string? only = null)
    {
        var days = rows.GroupBy(row => row.Key[..10]).ToDictionary(day => day.Key, day => day.Select(row => row.Value).ToArray());
        var expected = new Dictionary<string, Func<double[], double>> { ["persons-sum"] = v => v.Sum(), ["persons-max"] = v => v.Max(), ["persons-count"] = v => v.Length, ["persons-late"] = v => v.Sum() };
        foreach (var (indicator, of) in expected.Where(e => only is null ? e.Key != "persons-late" : e.Key == only))
        {
            var until = DateTime.UtcNow.AddSeconds(20);
            while (true)
            {
                using var answer = await client.GetAsync($"api/v1/indicators/{indicator}/values?from=2026-11-01&to=2026-12-01");
                var cells = answer.IsSuccessStatusCode
                    ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("rows").EnumerateArray().Where(cell => cell.GetProperty("count").GetInt64() > 0)
                        .ToDictionary(cell => TimeZoneInfo.ConvertTimeBySystemTimeZoneId(cell.GetProperty("from").GetDateTimeOffset(), "Europe/Berlin").ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), cell => cell.GetProperty("value").GetDouble())
                    : [];
                if (cells.OrderBy(c => c.Key).SequenceEqual(days.Select(day => KeyValuePair.Create(day.Key, of(day.Value))).OrderBy(c => c.Key))) break;
                Assert.True(DateTime.UtcNow < until, $"{indicator}: {string.Join(' ', cells)}");
                await Task.Delay(50);
            }
        }
    }

    private static async Task<(long Received, long Accepted, long Duplicate, long Quarantined, long Discarded)> CountsAsync(HttpClient client)
    {
        var feed = Assert.Single((await HubFixture.OkAsync(client.GetAsync("api/v1/datasets/persons/conservation"))).RootElement.GetProperty("feeds").EnumerateArray());
        long Of(string name) => feed.GetProperty(name).GetInt64();
        return (Of("received"), Of("accepted"), Of("duplicate"), Of("quarantined"), Of("discarded"));
    }

    /// <summary>
    /// Where a text stands: in the raw bytes of every file of the folder, and in every value of every table, unpacked
    /// where it is compressed. Knows nothing of the hub's own formats but that Brotli streams may stand in blobs.
    /// </summary>
    internal static List<string> Findings(string folder, string text)
    {
        var findings = new List<string>();
        byte[][] needles = [Encoding.UTF8.GetBytes(text), Encoding.Unicode.GetBytes(text), Encoding.UTF8.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(text))[..Math.Min(16, text.Length / 3 * 4)])];
        foreach (var file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
        {
            // Held by the running hub; it has the number of its process.
            if (Path.GetFileName(file) == "lock") continue;
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            if (needles.Any(needle => bytes.AsSpan().IndexOf(needle) >= 0)) findings.Add(Path.GetFileName(file));
            if (!file.EndsWith(".db", StringComparison.Ordinal)) continue;

            using var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
            database.Open();
            foreach (var table in Names(database))
            {
                using var command = database.CreateCommand();
#pragma warning disable CA2100 // names of the database's own tables
                command.CommandText = $"SELECT * FROM \"{table}\"";
#pragma warning restore CA2100
                using var reader = command.ExecuteReader();
                while (reader.Read())
                {
                    for (var column = 0; column < reader.FieldCount; column++)
                    {
                        var value = reader.GetValue(column) switch { byte[] blob => blob, string written => Encoding.UTF8.GetBytes(written), _ => [] };
                        if (needles.Any(needle => value.AsSpan().IndexOf(needle) >= 0) || Unpacked(value).Any(unpacked => needles.Any(needle => unpacked.AsSpan().IndexOf(needle) >= 0)))
                            findings.Add($"{Path.GetFileName(file)}: {table}.{reader.GetName(column)}");
                    }
                }
            }
        }

        return findings;
    }

    private static List<string> Names(SqliteConnection database)
    {
        var names = new List<string>();
        using var command = database.CreateCommand();
        command.CommandText = "SELECT name FROM sqlite_master WHERE type = 'table'";
        using var reader = command.ExecuteReader();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    private static IEnumerable<byte[]> Unpacked(byte[] value)
    {
        for (var start = 0; start < Math.Min(value.Length, 12); start++)
        {
            using var brotli = new BrotliStream(new MemoryStream(value, start, value.Length - start), CompressionMode.Decompress);
            using var unpacked = new MemoryStream();
            try
            {
                brotli.CopyTo(unpacked);
            }
            catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
            {
                // No stream begins here.
            }

            if (unpacked.Length > 0) yield return unpacked.ToArray();
        }
    }
}
