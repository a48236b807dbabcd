using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Governance;

public sealed class AuditHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task What_is_done_to_agencies_and_keys_is_in_the_log_with_who_did_it()
    {
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/luft", new { name = "Luft" }));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/luft", new { name = "Luft" }));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/luft", new { name = "Luftamt" }));
        var made = (await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/agencies/luft/keys", new { role = "admin", label = "Verwaltung" }))).RootElement;
        var id = made.GetProperty("id").GetString()!;
        var second = (await OkAsync(hub.With(made.GetProperty("key").GetString()).PostAsJsonAsync("api/v1/agencies/luft/keys", new { role = "push" }))).RootElement.GetProperty("id").GetString()!;
        await OkAsync(hub.Admin.DeleteAsync($"api/v1/agencies/luft/keys/{second}"));
        await OkAsync(hub.Admin.DeleteAsync($"api/v1/agencies/luft/keys/{second}"));

        var entries = await EntriesAsync(hub.Admin, "object=agency:luft&order=oldest");
        var admin = $"key:platform.{hub.AdminKey.Split('.')[1]}";
        Assert.Equal(
            [("agency.created", admin), ("agency.renamed", admin), ("key.created", admin), ("key.created", $"key:luft.{id}"), ("key.revoked", admin)],
            entries.Select(entry => (Text(entry, "action"), Text(entry, "actor"))));
        Assert.Equal($$"""{"key":"{{id}}","label":"Verwaltung","role":"admin"}""", entries[2].GetProperty("detail").GetRawText());
        Assert.All(entries, entry => Assert.Equal(("luft", "done"), (Text(entry, "agency"), Text(entry, "outcome"))));
        Assert.DoesNotContain(made.GetProperty("key").GetString()!.Split('.')[2], await hub.Admin.GetStringAsync("api/v1/audit?limit=1000"), StringComparison.Ordinal);
        Assert.Equal(["hub", "hub"], (await EntriesAsync(hub.Admin, "object=agency:platform")).Select(entry => Text(entry, "actor")));
    }

    [Fact]
    public async Task Entries_are_filtered_and_paged_in_both_orders_to_the_end()
    {
        var from = DateTimeOffset.UtcNow.AddSeconds(-1);
        for (var number = 0; number < 5; number++) await hub.KeyAsync("seiten", KeyRole.Push);
        Assert.Equal(5, (await EntriesAsync(hub.Admin, "agency=seiten&action=key.")).Length);
        Assert.Equal(6, (await EntriesAsync(hub.Admin, $"agency=seiten&from={Uri.EscapeDataString(from.ToString("O"))}&limit=2")).Length);
        Assert.Empty(await EntriesAsync(hub.Admin, $"agency=seiten&until={Uri.EscapeDataString(from.ToString("O"))}"));
        Assert.Empty(await EntriesAsync(hub.Admin, "agency=seiten&outcome=refused"));
        Assert.Single(await EntriesAsync(hub.Admin, "agency=seiten&action=agency.created&outcome=done&object=agency:seiten"));
        var newest = (await EntriesAsync(hub.Admin, "agency=seiten&limit=1")).Select(entry => entry.GetProperty("sequence").GetInt64()).ToArray();
        var oldest = (await EntriesAsync(hub.Admin, "agency=seiten&limit=4&order=oldest")).Select(entry => entry.GetProperty("sequence").GetInt64()).ToArray();
        Assert.Equal(oldest.Order(), oldest);
        Assert.Equal(oldest.Reverse(), newest);

        foreach (var wrong in new[] { "agency=", "outcome=maybe", "order=up", "limit=0", "limit=1001", "after=x", "from=gestern", "from=2026-11-27&until=2026-11-26", "unbekannt=1", "format=parquet" })
            await RefusedAsync(hub.Admin.GetAsync($"api/v1/audit?{wrong}"), 400, "invalid-parameter");
        using var head = await hub.Admin.SendAsync(new(HttpMethod.Head, "api/v1/audit"));
        Assert.Equal(System.Net.HttpStatusCode.OK, head.StatusCode);
        Assert.True(head.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task An_agencys_admin_sees_its_agencys_business_and_nobody_else_anything()
    {
        var mine = await hub.AgencyAsync("meine", KeyRole.Admin);
        await hub.KeyAsync("fremde", KeyRole.Admin);
        Assert.Equal(["meine"], (await EntriesAsync(mine, "")).Select(entry => Text(entry, "agency")).Distinct());
        Assert.Equal(2, (await EntriesAsync(mine, "agency=meine")).Length);
        await RefusedAsync(mine.GetAsync("api/v1/audit?agency=fremde"), 403, "forbidden");
        await OkAsync(mine.GetAsync("api/v1/audit/head"));
        await RefusedAsync(mine.PostAsJsonAsync("api/v1/audit/deletions", new { sequences = new[] { 1 }, reason = "r", authority = "a" }), 403, "forbidden");
        var push = hub.With(await hub.KeyAsync("meine", KeyRole.Push));
        foreach (var path in new[] { "api/v1/audit", "api/v1/audit/head" })
        {
            await RefusedAsync(push.GetAsync(path), 403, "forbidden");
            await RefusedAsync(hub.Anonymous.GetAsync(path), 401, "unauthorized");
        }

        await RefusedAsync(hub.Anonymous.PostAsJsonAsync("api/v1/audit/deletions", new { }), 401, "unauthorized");
    }

    [Fact]
    public async Task An_export_is_verified_by_the_program_by_hand_and_after_a_deletion_and_not_after_a_change()
    {
        using var folder = new TemporaryFolder();
        for (var number = 0; number < 3; number++) await hub.KeyAsync("export", KeyRole.Push);
        var gone = (await EntriesAsync(hub.Admin, "agency=export&action=key.&order=oldest"))[0].GetProperty("sequence").GetInt64();
        var noted = (await OkAsync(hub.Admin.GetAsync("api/v1/audit/head"))).RootElement.GetProperty("head").GetString()!;
        var answer = (await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/audit/deletions", new { sequences = new[] { gone }, reason = "Antrag", authority = "Art. 17 DSGVO" }))).RootElement;
        Assert.Equal([gone], answer.GetProperty("deleted").EnumerateArray().Select(place => place.GetInt64()));
        Assert.Equal(JsonValueKind.Null, (await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/audit/deletions", new { sequences = new[] { gone }, reason = "Antrag", authority = "Art. 17 DSGVO" }))).RootElement.GetProperty("entry").ValueKind);
        foreach (var body in new object[] { new { sequences = new[] { 0 }, reason = "r", authority = "a" }, new { sequences = "1", reason = "r", authority = "a" }, new { sequences = new[] { 1 }, reason = "r" }, new { sequences = Array.Empty<int>(), reason = "r", authority = "a" }, new { sequences = new[] { answer.GetProperty("entry").GetInt64() }, reason = "r", authority = "a" } })
            await RefusedAsync(hub.Admin.PostAsJsonAsync("api/v1/audit/deletions", body), 422, "invalid-act");

        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/audit") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("application/x-ndjson") } } };
        using var export = await hub.Admin.SendAsync(request);
        Assert.Equal("application/x-ndjson", export.Content.Headers.ContentType!.MediaType);
        Assert.True(export.Headers.CacheControl!.NoStore);
        var lines = (await export.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(lines, line => line.Contains($"\"sequence\":{gone},\"id\":null,\"at\":null", StringComparison.Ordinal) && line.EndsWith("\"salt\":null,\"content\":null}", StringComparison.Ordinal));

        // As somebody without this program would.
        var link = SHA256.HashData("datahub audit chain 1"u8);
        foreach (var line in lines.Select(line => JsonDocument.Parse(line).RootElement))
        {
            var leaf = Convert.FromHexString(Text(line, "leaf")!);
            if (Text(line, "salt") is { } salt) Assert.Equal(leaf, SHA256.HashData([.. Convert.FromHexString(salt), .. Encoding.UTF8.GetBytes(Text(line, "content")!)]));
            var place = BitConverter.GetBytes(line.GetProperty("sequence").GetInt64());
            Array.Reverse(place);
            link = SHA256.HashData([.. link, .. place, .. leaf]);
            Assert.Equal(Text(line, "link"), Convert.ToHexStringLower(link));
        }

        var file = Path.Combine(folder.FullName, "export.ndjson");
        await VerifiedAsync(lines, 0, "1 rechtmäßig gelöscht / lawfully deleted, 0 Fehler / faults", "--expect", noted);
        await VerifiedAsync(lines, 1, "früher vermerkte Stand", "--expect", "2:" + new string('a', 64));
        await VerifiedAsync([.. lines.Select(line => line.Replace("\"role\":\"push\"", "\"role\":\"read\"", StringComparison.Ordinal))], 1, "sagt etwas anderes");
        await VerifiedAsync([.. lines.Select(line => line.Replace("push", "read", StringComparison.Ordinal))], 1, "Der Inhalt wurde geändert");
        await VerifiedAsync([.. lines.Where((_, index) => index != 1)], 1, "Eintrag 2 fehlt");
        await VerifiedAsync(lines[..^1], 1, $"Eintrag {gone}: Der Inhalt ist verloren");
        await VerifiedAsync([lines[1], lines[0], .. lines[2..]], 1, "Eintrag 1 steht hinter 2");
        await VerifiedAsync(["{}"], 2, "Zeile 1");
        var part = (await hub.Admin.GetStringAsync("api/v1/audit?agency=export&format=ndjson")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await VerifiedAsync(part, 1, "fehlen");
        await VerifiedAsync(part, 0, "0 Fehler", "--part");

        async Task VerifiedAsync(string[] export, int exit, string says, params string[] options)
        {
            await File.WriteAllLinesAsync(file, export);
            var (code, output, errors) = await HubProcess.RunAsync(null, ["audit", "verify", "--file", file, .. options]);
            Assert.True(code == exit, output + errors);
            Assert.Contains(says, output + errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Whatever_tells_closed_rows_and_changes_what_rows_mean_is_noted_and_what_was_refused_too()
    {
        var admin = await hub.AgencyAsync("netz", KeyRole.Admin);
        object[] fields = [new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure", constraints = new { maximum = 10 } }];
        await OkAsync(PutAsync(fields));
        await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/netz-summe", new { title = "Summe", dataset = "netz", measure = new { function = "sum", field = "value" }, window = "PT1H" }));
        var first = await PushAsync("""[{"station":"a","time":"2026-11-01T00:10:00Z","value":1},{"station":"b","time":"2026-11-01T00:20:00Z","value":99}]""");
        var second = await PushAsync("""[{"station":"c","time":"2026-11-01T00:30:00Z","value":2}]""");

        var range = "from=2026-11-01T00:00:00Z";
        Assert.Equal(2, (await OkAsync(admin.GetAsync($"api/v1/indicators/netz-summe/explain?{range}&watermark={second}"))).RootElement.GetProperty("rows").GetArrayLength());
        await OkAsync(admin.GetAsync($"api/v1/indicators/netz-summe/diff?{range}&to=2026-11-02&since={first}&watermark={second}"));
        await OkAsync(admin.GetAsync("api/v1/datasets/netz/quarantine"));
        var read = await EntriesAsync(admin, "agency=netz&action=rows.read&order=oldest");
        Assert.Equal(
            [("explain:netz-summe", "2"), ("diff:netz-summe", "1"), ("quarantine", "1")],
            read.Select(entry => (Text(entry.GetProperty("detail"), "through"), Text(entry.GetProperty("detail"), "rows"))));

        await OkAsync(admin.PutAsJsonAsync("api/v1/datasets/netz/feeds/nord", new { title = "Nord" }));
        await OkAsync(PutAsync([.. fields, new { name = "note", type = "string" }]));
        await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/netz-summe", new { title = "Summe", dataset = "netz", measure = new { function = "sum", field = "value" }, window = "P1D" }));
        var erasure = (await OkAsync(admin.PostAsJsonAsync("api/v1/datasets/netz/erasures", new { where = new { station = "a" }, reason = "Ada Lovelace wünscht es", authority = "Art. 17 DSGVO" }))).RootElement.GetProperty("id").GetString();
        for (var tries = 0; (await EntriesAsync(admin, "action=erasure.done")).Length == 0 && tries < 300; tries++) await Task.Delay(20);
        var changes = await EntriesAsync(admin, "object=dataset:netz&order=oldest");
        Assert.Equal(["dataset.created", "feed.changed", "dataset.changed", "erasure.requested", "erasure.done"], changes.Select(entry => Text(entry, "action")).Where(action => action != "rows.read"));
        Assert.Equal(("1", "2"), (Text(changes[5].GetProperty("detail"), "contractFrom"), Text(changes[5].GetProperty("detail"), "contract")));
        Assert.Equal(erasure, Text(changes[6].GetProperty("detail"), "erasure"));

        // Also where the platform asked for it, the agency whose rows they were reads that it was done.
        var other = (await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/netz/erasures", new { where = new { station = "c" }, reason = "r", authority = "a" }))).RootElement.GetProperty("id").GetString();
        for (var tries = 0; (await EntriesAsync(admin, "action=erasure.done")).Length < 2 && tries < 300; tries++) await Task.Delay(20);
        Assert.Equal([erasure, other], (await EntriesAsync(admin, "action=erasure.done&order=oldest")).Select(entry => Text(entry.GetProperty("detail"), "erasure")));
        Assert.Equal(["1", "2"], (await EntriesAsync(admin, "object=indicator:netz-summe&order=oldest")).Select(entry => Text(entry.GetProperty("detail"), "definition")));
        Assert.DoesNotContain("Lovelace", await hub.Admin.GetStringAsync("api/v1/audit?limit=1000"), StringComparison.Ordinal);

        var curious = await hub.KeyAsync("neugierig", KeyRole.Admin);
        for (var again = 0; again < 3; again++) await RefusedAsync(hub.With(curious).GetAsync("api/v1/datasets/netz/records"), 403);
        JsonElement[] refused = [];
        for (var tries = 0; refused.Length == 0 && tries < 300; tries++, await Task.Delay(20)) refused = await EntriesAsync(hub.Admin, "action=access.refused&agency=neugierig");
        Assert.Equal(($"key:neugierig.{curious.Split('.')[1]}", "refused", "GET /api/v1/datasets/netz/records"), (Text(refused[0], "actor"), Text(refused[0], "outcome"), Text(refused[0].GetProperty("detail"), "request")));

        Task<HttpResponseMessage> PutAsync(object[] fields) => admin.PutAsJsonAsync("api/v1/datasets/netz", new { title = "Netz", publisher = "netz", license = "dl-de/by-2-0", kind = "observations", access = "internal", schema = new { primaryKey = new[] { "station", "time" }, fields } });

        async Task<string> PushAsync(string rows) => Uri.EscapeDataString(Text((await OkAsync(admin.PostAsync("api/v1/datasets/netz/feeds/default/records", new StringContent(rows, Encoding.UTF8, "application/json")))).RootElement, "watermark")!);
    }

    [Fact]
    public async Task An_export_as_csv_has_all_columns_and_one_without_limit_everything()
    {
        await hub.KeyAsync("csv", KeyRole.Push);
        var lines = (await hub.Admin.GetStringAsync("api/v1/audit?format=csv&agency=csv")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("sequence,id,at,action,agency,actor,object,outcome,detail,link,leaf,salt,content", lines[0]);
        Assert.Equal(3, lines.Length);
        Assert.Contains(",agency.created,csv,key:platform.", lines[1], StringComparison.Ordinal);
        Assert.Contains("\"{\"\"key\"\":\"\"", lines[2], StringComparison.Ordinal);

        using var page = await hub.Admin.GetAsync("api/v1/audit?format=ndjson&agency=csv&limit=1&order=newest");
        var next = Assert.Single(page.Headers.GetValues("Link"));
        Assert.Contains("key.created", Assert.Single((await page.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Contains("agency.created", await hub.Admin.GetStringAsync(next[1..next.IndexOf('>', StringComparison.Ordinal)]), StringComparison.Ordinal);
        using var parquet = new HttpRequestMessage(HttpMethod.Get, "api/v1/audit") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("application/vnd.apache.parquet") } } };
        await RefusedAsync(hub.Admin.SendAsync(parquet), 406, "not-acceptable");
    }

    private static string? Text(JsonElement entry, string member) => entry.GetProperty(member).GetString();

    private static async Task<JsonElement[]> EntriesAsync(HttpClient client, string query)
    {
        var found = new List<JsonElement>();
        for (var next = $"/api/v1/audit?{query}"; next is not null;)
        {
            var page = (await OkAsync(client.GetAsync(next))).RootElement;
            found.AddRange(page.GetProperty("entries").EnumerateArray());
            next = page.GetProperty("next").GetString();
        }

        return [.. found];
    }
}
