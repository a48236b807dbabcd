using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Erasures of rows that pipelines have read or brought, through the public routes, and then a look into every file of the hub.</summary>
public sealed class ErasureReachTests
{
    private const string Person = "Erika Mustermann", Loud = "ERIKA MUSTERMANN";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tables_of_runs_that_read_the_rows_are_deleted_and_no_file_has_them_any_more(bool restart)
    {
        await using var hub = await StartAsync();
        var admin = await DatasetAsync(hub);
        await PushAsync(admin, string.Join('\n', Enumerable.Range(0, 3_000).Select(i => Row($"r{i}", i == 1_234 ? Person : $"Max {i}"))));
        await Pipes.PutJobAsync(admin, "lesen", """
            { "title": "Lesen", "agency": "amt", "steps": [
              { "id": "zeilen", "read": { "dataset": "personen" } },
              { "id": "pruefung", "check": { "input": "zeilen", "rules": [ { "column": "name", "pattern": "Max.*", "severity": "warn" } ] } },
              { "id": "laut", "transform": { "inputs": ["zeilen"], "sql": "SELECT id, upper(name) AS name FROM zeilen" } } ] }
            """);
        var run = await Pipes.RunAsync(admin, "lesen", new { });
        var id = run.GetProperty("id").GetString();
        Assert.Contains(Loud, await Pipes.TableAsync(admin, run, "laut"), StringComparison.Ordinal);
        Assert.NotEmpty(ErasureTests.Findings(hub.Folder, Loud));

        var requested = await EraseAsync(admin, Person);
        if (restart)
        {
            await hub.RestartAsync();
            admin = hub.Admin;
        }

        var erasure = await DoneAsync(admin, requested);
        Assert.Equal((1, 1, 0), (erasure.GetProperty("keys").GetInt32(), erasure.GetProperty("runs").GetInt32(), erasure.GetProperty("files").GetArrayLength()));
        foreach (var step in new[] { "zeilen", "laut" })
        {
            var gone = (await RefusedAsync(admin.GetAsync($"api/v1/runs/{id}/steps/{step}/table"), 410, "tables-erased")).RootElement;
            Assert.StartsWith("Tabellen gelöscht, weil Zeilen von „personen“ gelöscht wurden, am ", gone.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        var after = (await OkAsync(admin.GetAsync($"api/v1/runs/{id}"))).RootElement;
        Assert.Equal("personen", after.GetProperty("tablesErased").GetProperty("dataset").GetString());
        foreach (var step in new[] { "zeilen", "laut" })
        {
            foreach (var member in new[] { "rowsOut", "sha256", "state", "columns" }) Assert.Equal(Pipes.Step(run, step).GetProperty(member).GetRawText(), Pipes.Step(after, step).GetProperty(member).GetRawText());
        }

        using (var request = new HttpRequestMessage(HttpMethod.Get, $"runs/{id}") { Headers = { Authorization = new("Bearer", hub.AdminKey) } })
        {
            request.Headers.Accept.ParseAdd("text/html");
            using var page = await admin.SendAsync(request);
            Assert.Contains("Tabellen gelöscht, weil Zeilen von", System.Net.WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        }

        Assert.Empty(ErasureTests.Findings(hub.Folder, Person));
        Assert.Empty(ErasureTests.Findings(hub.Folder, Loud));

        // What reads now has everybody else, and another erasure of somebody who is not there leaves it what it is.
        var second = await Pipes.RunAsync(admin, "lesen", new { });
        Assert.Equal(2_999, Pipes.Step(second, "laut").GetProperty("rowsOut").GetInt32());
        await PushAsync(admin, Row("spaet", "Max Spät"));
        Assert.Equal(0, (await DoneAsync(admin, await EraseAsync(admin, "Niemand"))).GetProperty("keys").GetInt32());
        Assert.DoesNotContain(Loud, await Pipes.TableAsync(admin, second, "laut"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_brought_the_rows_are_named_or_where_a_run_fetched_them_deleted()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var server = builder.Build();
        server.Run(http => http.Response.WriteAsync($"id,name,opened\nf1,{Person},2026-11-20T08:00:00Z\n"));
        await server.StartAsync();
        var address = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        await using var hub = await StartAsync(new Dictionary<string, string?> { ["DataHub:Pipelines:PullHosts"] = new Uri(address).Authority });
        var admin = await DatasetAsync(hub);
        await OkAsync(admin.PutAsync("api/v1/datasets/namen", Dataset("namen")));
        var file = await Pipes.UploadAsync(admin, "liste.csv", $"id,name,opened\nu1,{Person},2026-11-20T08:00:00Z\nu2,Max,2026-11-20T08:00:00Z\n");
        await Pipes.PutJobAsync(admin, "laden", Write("""{ "file": {} }"""));
        await Pipes.PutJobAsync(admin, "holen", Write($$"""{ "url": "{{address}}/f.csv", "file": {} }"""));
        await Pipes.PutJobAsync(admin, "weiter", """
            { "title": "Weiter", "agency": "amt", "steps": [ { "id": "zeilen", "read": { "dataset": "personen" } }, { "id": "hinein", "write": { "input": "zeilen", "dataset": "namen" } } ] }
            """);
        var loaded = await Pipes.RunAsync(admin, "laden", new { files = new { datei = file } });
        var fetched = await Pipes.RunAsync(admin, "holen", new { });
        await Pipes.RunAsync(admin, "weiter", new { });
        var snapshot = fetched.GetProperty("inputs")[0].GetProperty("file").GetString();
        await OkAsync(admin.GetAsync("api/v1/files/" + snapshot));

        var id = await EraseAsync(admin, Person);
        var erasure = await DoneAsync(admin, id);
        Assert.Equal((2, 3), (erasure.GetProperty("keys").GetInt32(), erasure.GetProperty("runs").GetInt32()));
        Assert.Equal($$"""[{"id":"{{file}}","name":"liste.csv"}]""", erasure.GetProperty("files").GetRawText());
        Assert.Equal("[\"namen\"]", erasure.GetProperty("derived").GetRawText());
        await RefusedAsync(admin.GetAsync("api/v1/files/" + snapshot), 404, "not-found");
        foreach (var run in new[] { loaded, fetched }) await RefusedAsync(admin.GetAsync($"api/v1/runs/{run.GetProperty("id").GetString()}/steps/datei/table"), 410, "tables-erased");

        // What is named is done by hand; then nothing is left to do, nor to find.
        await OkAsync(admin.DeleteAsync("api/v1/files/" + file));
        await DoneAsync(admin, await EraseAsync(admin, Person, "namen"), "namen");
        var left = (await OkAsync(admin.GetAsync($"api/v1/datasets/personen/erasures/{id}"))).RootElement;
        Assert.Equal((0, 1), (left.GetProperty("files").GetArrayLength(), left.GetProperty("allFiles").GetInt32()));
        Assert.Empty(ErasureTests.Findings(hub.Folder, Person));
    }

    [Fact]
    public async Task A_run_under_way_that_has_read_the_rows_is_ended_and_cannot_be_resumed()
    {
        await using var hub = await StartAsync();
        var admin = await DatasetAsync(hub);
        await PushAsync(admin, string.Join('\n', Enumerable.Range(0, 3_000).Select(i => Row($"r{i}", i == 7 ? Person : $"Max {i}"))));
        await Pipes.PutJobAsync(admin, "lang", """
            { "title": "Lang", "agency": "amt", "steps": [
              { "id": "zeilen", "read": { "dataset": "personen" } },
              { "id": "alle", "transform": { "inputs": ["zeilen"], "sql": "SELECT count(*) AS n FROM zeilen a, zeilen b, zeilen c WHERE a.name || b.name < c.name" } } ] }
            """);
        var id = await Pipes.StartAsync(admin, "lang", new { });
        for (var tries = 0; ; tries++, await Task.Delay(50))
        {
            var now = (await OkAsync(admin.GetAsync($"api/v1/runs/{id}"))).RootElement;
            if (Pipes.Step(now, "alle").GetProperty("state").GetString() == "running") break;
            Assert.True(tries < 400, now.GetRawText());
        }

        var erasure = await DoneAsync(admin, await EraseAsync(admin, Person));
        Assert.Equal(1, erasure.GetProperty("runs").GetInt32());
        var ended = (await OkAsync(admin.GetAsync($"api/v1/runs/{id}"))).RootElement;
        Assert.Equal("abort", ended.GetProperty("state").GetString());
        Assert.Contains("weil Zeilen von „personen“ gelöscht wurden", ended.GetProperty("cause").GetString(), StringComparison.Ordinal);
        await RefusedAsync(admin.PostAsync($"api/v1/runs/{id}/acts", new StringContent("{ \"act\": \"resume\" }", Encoding.UTF8, "application/json")), 409, "conflict");
        Assert.Empty(ErasureTests.Findings(hub.Folder, Person));
    }

    private static string Write(string read) => $$"""
        { "title": "Laden", "agency": "amt", "steps": [ { "id": "datei", "read": {{read}} }, { "id": "hinein", "write": { "input": "datei", "dataset": "personen" } } ] }
        """;

    private static string Row(string id, string name) => JsonSerializer.Serialize(new { id, name, opened = "2026-11-20T08:00:00Z" });

    private static StringContent Dataset(string id) => new($$"""
        { "title": "{{id}}", "publisher": "amt", "kind": "records", "access": "internal", "license": "dl-de/by-2-0", "legalBasis": "Art. 6 DSGVO", "schema": { "primaryKey": ["id"], "fields": [
          { "name": "id", "type": "string" }, { "name": "name", "type": "string", "role": "personal" }, { "name": "opened", "type": "datetime", "role": "opened" } ] } }
        """, Encoding.UTF8, "application/json");

    private static async Task<HttpClient> DatasetAsync(HubFixture hub)
    {
        var admin = await hub.AgencyAsync("amt", KeyRole.Admin);
        await OkAsync(admin.PutAsync("api/v1/datasets/personen", Dataset("personen")));
        return admin;
    }

    private static async Task PushAsync(HttpClient client, string rows)
    {
        using var body = new StringContent(rows, Encoding.UTF8, "application/x-ndjson");
        var watermark = (await OkAsync(client.PostAsync("api/v1/datasets/personen/feeds/default/records", body))).RootElement.GetProperty("watermark").GetString();
        await OkAsync(client.GetAsync($"api/v1/datasets/personen/records?limit=1&watermark={watermark}"));
    }

    private static async Task<string> EraseAsync(HttpClient admin, string name, string dataset = "personen") => (await OkAsync(admin.PostAsJsonAsync(
        $"api/v1/datasets/{dataset}/erasures", new { where = new { name }, reason = "Antrag", authority = "Art. 17 DSGVO" }))).RootElement.GetProperty("id").GetString()!;

    private static async Task<JsonElement> DoneAsync(HttpClient admin, string id, string dataset = "personen")
    {
        var until = DateTime.UtcNow.AddSeconds(60);
        while (true)
        {
            var erasure = (await OkAsync(admin.GetAsync($"api/v1/datasets/{dataset}/erasures/{id}"))).RootElement;
            if (erasure.GetProperty("state").GetString() == "done") return erasure;
            Assert.True(DateTime.UtcNow < until, $"not done: {erasure}");
            await Task.Delay(50);
        }
    }
}
