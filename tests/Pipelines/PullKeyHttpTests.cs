using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Security.Cryptography;
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

/// <summary>A hub that reads rows of another with a key, over HTTP between the two, and a third that must not get it.</summary>
public sealed class PullKeyHttpTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Path, string Authorization, string Purpose)> _asked = [];
    private readonly Dictionary<string, Func<HttpContext, Task>> _answers = [];
    private readonly List<WebApplication> _servers = [];
    private HubFixture _other = null!, _hub = null!;
    private string _first = "", _second = "";

    public async Task InitializeAsync()
    {
        (_first, _second) = (await ServerAsync(), await ServerAsync());
        _other = await StartAsync();
        _hub = await StartAsync(new Dictionary<string, string?> { ["DataHub:Pipelines:PullHosts"] = $"{_other.Address.Authority};{new Uri(_first).Authority};{new Uri(_second).Authority}" });
    }

    public async Task DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _other.DisposeAsync();
        foreach (var server in _servers) await server.DisposeAsync();
    }

    [Fact]
    public async Task Rows_of_another_hub_that_are_not_open_are_read_with_a_key_and_a_repeat_reads_the_same_bytes()
    {
        var admin = await _hub.AgencyAsync("stadt", KeyRole.Admin);
        var theirs = await DatasetAsync();
        await RowsAsync(theirs, 0, 12_000);

        await Pipes.PutJobAsync(admin, "nachbar", Job("stadt", ""));
        var refused = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "nachbar", new { }));
        Assert.Equal("fail", refused.GetProperty("state").GetString());
        Assert.Contains("dort ist ein Schlüssel nötig (read.key)", refused.GetProperty("cause").GetString(), StringComparison.Ordinal);

        var key = await _other.KeyAsync("umwelt", KeyRole.Read);
        await PutKeyAsync(admin, "stadt", key, 201);
        await Pipes.PutJobAsync(admin, "nachbar", Job("stadt", """, "key": "nachbar" """));
        var first = await Pipes.RunAsync(admin, "nachbar", new { });
        var input = first.GetProperty("inputs")[0];
        Assert.Equal("zahl\r\n12000\r\n", await Pipes.TableAsync(admin, first, "zahl"));
        Assert.Equal(("luft.ndjson", new Uri(_other.Address, "api/v1/datasets/luft/records").AbsoluteUri), (input.GetProperty("name").GetString(), input.GetProperty("url").GetString()));
        Assert.True(Watermark.TryParse(input.GetProperty("watermark").GetString(), out var watermark));
        Assert.Equal("luft", watermark!.Dataset);

        // What stands in the file is what the other hub's own pages say.
        var expected = new StringBuilder();
        for (var path = "api/v1/datasets/luft/records?limit=777&format=ndjson"; path is not null;)
        {
            using var answer = await theirs.GetAsync(path);
            expected.Append(await answer.Content.ReadAsStringAsync());
            path = answer.Headers.TryGetValues("Link", out var links) ? links.Where(link => link.Contains("rel=\"next\"", StringComparison.Ordinal)).Select(link => link[2..link.IndexOf('>', StringComparison.Ordinal)]).FirstOrDefault() : null;
        }

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(expected.ToString()))), input.GetProperty("sha256").GetString());

        await RowsAsync(theirs, 12_000, 5);
        var again = await Pipes.RunAsync(admin, "nachbar", new { repeats = first.GetProperty("id").GetString() });
        Assert.Equal(Pipes.Step(first, "zeilen").GetProperty("sha256").GetString(), Pipes.Step(again, "zeilen").GetProperty("sha256").GetString());
        Assert.Equal(input.GetRawText(), again.GetProperty("inputs")[0].GetRawText());
        var later = await Pipes.RunAsync(admin, "nachbar", new { });
        Assert.Contains("12005", await Pipes.TableAsync(admin, later, "zahl"), StringComparison.Ordinal);
        Assert.NotEqual(input.GetProperty("watermark").GetString(), later.GetProperty("inputs")[0].GetProperty("watermark").GetString());

        // The definition goes out and in as YAML, and the diff names what was changed.
        using var yaml = await admin.GetAsync("api/v1/jobs/nachbar?format=yaml");
        var text = await yaml.Content.ReadAsStringAsync();
        Assert.Contains("key: nachbar", text, StringComparison.Ordinal);
        await OkAsync(admin.PutAsync("api/v1/jobs/nachbar", new StringContent(text, Encoding.UTF8, "application/yaml")));
        Assert.Equal(2, (await OkAsync(admin.GetAsync("api/v1/jobs/nachbar"))).RootElement.GetProperty("version").GetInt32());
        Assert.Equal("steps[zeilen].read.key", (await OkAsync(admin.GetAsync("api/v1/jobs/nachbar/diff?from=1&to=2"))).RootElement.GetProperty("changes")[0].GetProperty("path").GetString());

        // A key that the other hub takes back, one that may not, a dataset that is not there, a watermark of a hub that was restored.
        foreach (var (secret, what, said) in new[]
        {
            ("dh_unbekannt", """, "key": "nachbar" """, "der Schlüssel „nachbar“ gilt dort nicht (mehr) (die Antwort ist 401)"),
            (await _other.KeyAsync("fremd", KeyRole.Read), """, "key": "nachbar", "purpose": "planung" """, "der Schlüssel „nachbar“ darf das dort nicht lesen, auch nicht für den Zweck „planung“ (die Antwort ist 403)"),
            (key, $$""", "key": "nachbar", "watermark": "{{new Watermark(Guid.NewGuid(), "luft", [0])}}" """, "der andere Hub wurde aus einer Sicherung wiederhergestellt"),
        })
        {
            await PutKeyAsync(admin, "stadt", secret, 200);
            await Pipes.PutJobAsync(admin, "nachbar", Job("stadt", what));
            var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "nachbar", new { }));
            Assert.Equal(("fail", 1), (failed.GetProperty("state").GetString(), Pipes.Step(failed, "zeilen").GetProperty("attempts").GetInt32()));
            Assert.Contains(said, failed.GetProperty("cause").GetString(), StringComparison.Ordinal);
        }

        await Pipes.PutJobAsync(admin, "nachbar", Job("stadt", """, "key": "nachbar" """).Replace("\"luft\"", "\"nichts\"", StringComparison.Ordinal));
        Assert.Contains("diesen Datensatz gibt es dort nicht", (await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "nachbar", new { }))).GetProperty("cause").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_goes_to_its_host_only_and_is_never_told_again()
    {
        var admin = await _hub.AgencyAsync("huten", KeyRole.Admin);
        var host = new Uri(_first).Authority;
        Task<HttpResponseMessage> Put(object body, string key = "geheim") => admin.PutAsJsonAsync($"api/v1/agencies/huten/pull-keys/{key}", body);
        using (var made = await Put(new { host, key = "dh_ganzgeheim" }))
        {
            Assert.Equal(201, (int)made.StatusCode);
            Assert.DoesNotContain("ganzgeheim", await made.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Answer("/da", http => http.Response.WriteAsync("Nr\n1\n"));
        Answer("/weiter", http => Redirect(http, _second + "/da"));
        Answer("/verboten", http => Redirect(http, _second + "/nein"));
        Answer("/nein", http =>
        {
            http.Response.StatusCode = 401;
            return Task.CompletedTask;
        });
        foreach (var (path, sent) in new[] { ("/da", new[] { "Bearer dh_ganzgeheim" }), ("/weiter", ["Bearer dh_ganzgeheim", ""]) })
        {
            _asked.Clear();
            await Pipes.PutJobAsync(admin, "huten", FileJob(_first + path));
            await Pipes.RunAsync(admin, "huten", new { });
            Assert.Equal(sent, _asked.Select(asked => asked.Authorization));
            Assert.Equal(sent.Select(one => one.Length > 0 ? "planung" : ""), _asked.Select(asked => asked.Purpose));
        }

        await Pipes.PutJobAsync(admin, "huten", FileJob(_first + "/verboten"));
        Assert.Contains("eine Weiterleitung führte auf einen anderen Server", (await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "huten", new { }))).GetProperty("cause").GetString(), StringComparison.Ordinal);

        // A job cannot take it elsewhere, nor name one that is not there.
        foreach (var (definition, said) in new[] { (FileJob(_second + "/da"), $"wird nur an „{host}“ gesandt"), (FileJob(_first + "/da").Replace("geheim", "anderer", StringComparison.Ordinal), "Einen Schlüssel „anderer“ für andere Server hat „huten“ nicht") })
        {
            var wrong = (await RefusedAsync(admin.PutAsync("api/v1/jobs/huten", new StringContent(definition, Encoding.UTF8, "application/json")), 422, "invalid-job")).RootElement.GetProperty("errors")[0];
            Assert.Equal("steps[0].read.key", wrong.GetProperty("path").GetString());
            Assert.Contains(said, wrong.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        // Put in its place, told of, deleted: and what was to use it says so.
        await Pipes.PutJobAsync(admin, "huten", FileJob(_first + "/da"));
        var second = (await OkAsync(Put(new { host, key = "dh_neu" }))).RootElement;
        Assert.Equal((2, host), (second.GetProperty("version").GetInt32(), second.GetProperty("host").GetString()));
        Assert.Equal(2, (await OkAsync(Put(new { host, key = "dh_neu" }))).RootElement.GetProperty("version").GetInt32());
        _asked.Clear();
        await Pipes.RunAsync(admin, "huten", new { });
        Assert.Equal("Bearer dh_neu", _asked.Single().Authorization);
        await OkAsync(Put(new { host = _other.Address.Authority, key = "dh_neu" }));
        Assert.Contains("wird nur an", (await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "huten", new { }))).GetProperty("cause").GetString(), StringComparison.Ordinal);
        Assert.Equal("geheim", (await OkAsync(admin.GetAsync("api/v1/agencies/huten/pull-keys"))).RootElement.GetProperty("keys")[0].GetProperty("name").GetString());
        await _hub.RestartAsync();
        admin = _hub.Admin;
        Assert.Equal(3, (await OkAsync(admin.GetAsync("api/v1/agencies/huten/pull-keys/geheim"))).RootElement.GetProperty("version").GetInt32());
        await OkAsync(admin.DeleteAsync("api/v1/agencies/huten/pull-keys/geheim"));
        await RefusedAsync(admin.GetAsync("api/v1/agencies/huten/pull-keys/geheim"), 404, "not-found");
        await RefusedAsync(admin.DeleteAsync("api/v1/agencies/huten/pull-keys/geheim"), 404, "not-found");
        Assert.Empty((await OkAsync(admin.GetAsync("api/v1/agencies/huten/pull-keys"))).RootElement.GetProperty("keys").EnumerateArray());
        Assert.Contains("hat „huten“ nicht (mehr)", (await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "huten", new { }))).GetProperty("cause").GetString(), StringComparison.Ordinal);
        var noted = (await OkAsync(admin.GetAsync("api/v1/audit?agency=huten&limit=200"))).RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetRawText()).Where(entry => entry.Contains("pull-key.", StringComparison.Ordinal)).ToArray();
        Assert.Equal((3, 1), (noted.Count(entry => entry.Contains("pull-key.set", StringComparison.Ordinal)), noted.Count(entry => entry.Contains("pull-key.deleted", StringComparison.Ordinal))));
        Assert.DoesNotContain(noted, entry => entry.Contains("dh_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pages_of_two_watermarks_are_asked_for_again_and_what_is_no_list_of_a_hub_is_refused()
    {
        var admin = await _hub.AgencyAsync("seiten", KeyRole.Admin);
        var (times, elsewhere, isHub) = (0, "", true);
        Answer("/api/v1/datasets/luft/records", http =>
        {
            var isFirst = !http.Request.Query.ContainsKey("after");
            if (isFirst) times++;
            // While the first attempt goes from page to page, a row comes.
            if (isHub) http.Response.Headers["DataHub-Watermark"] = times == 1 && isFirst ? "w1.alt" : "w1.neu";
            if (isFirst)
            {
                http.Response.Headers.Append("Link", "</api/v1/datasets/luft>; rel=\"describedby\"; type=\"application/json\"");
                http.Response.Headers.Append("Link", $"<{elsewhere}/api/v1/datasets/luft/records?limit=10000&format=ndjson&after=r1.1.AA>; rel=\"next\"");
            }

            return http.Response.WriteAsync(isFirst ? "{\"nr\":1}\n{\"nr\":2}\n" : "{\"nr\":3}\n");
        });
        var definition = $$"""{ "title": "Seiten", "agency": "seiten", "steps": [ { "id": "zeilen", "read": { "hub": "{{_first}}/", "dataset": "luft" } } ] }""";
        await Pipes.PutJobAsync(admin, "seiten", definition);
        var run = await Pipes.RunAsync(admin, "seiten", new { });
        Assert.Equal(2, Pipes.Step(run, "zeilen").GetProperty("attempts").GetInt32());
        Assert.Equal("nr\r\n1\r\n2\r\n3\r\n", await Pipes.TableAsync(admin, run, "zeilen"));
        Assert.Equal("w1.neu", run.GetProperty("inputs")[0].GetProperty("watermark").GetString());

        elsewhere = _second;
        Assert.Contains("die nächste Seite liegt woanders", (await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "seiten", new { }))).GetProperty("cause").GetString(), StringComparison.Ordinal);
        (elsewhere, isHub) = ("", false);
        Assert.Contains("die Antwort ist nicht die eines Hubs", (await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "seiten", new { }))).GetProperty("cause").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_key_and_who_may_not_is_refused()
    {
        var admin = await _hub.AgencyAsync("befugt", KeyRole.Admin);
        foreach (var (host, key) in new[] { ("", "dh_a"), ("https://a.example", "dh_a"), ("a.example/pfad", "dh_a"), ("wer@a.example", "dh_a"), ("a.example", ""), ("a.example", "dh a"), ("a.example", "dh_a\r\nX: y"), ("a.example", new string('a', 4_097)) })
            await RefusedAsync(admin.PutAsJsonAsync("api/v1/agencies/befugt/pull-keys/k", new { host, key }), 422);
        await RefusedAsync(admin.PutAsJsonAsync("api/v1/agencies/befugt/pull-keys/K", new { host = "a.example", key = "dh_a" }), 400, "invalid-id");
        await RefusedAsync(_hub.Admin.PutAsJsonAsync("api/v1/agencies/gibt-es-nicht/pull-keys/k", new { host = "a.example", key = "dh_a" }), 404, "not-found");
        foreach (var client in new[] { await _hub.AgencyAsync("befugt", KeyRole.Push), await _hub.AgencyAsync("dritte", KeyRole.Admin) })
        {
            await RefusedAsync(client.PutAsJsonAsync("api/v1/agencies/befugt/pull-keys/k", new { host = "a.example", key = "dh_a" }), 403);
            await RefusedAsync(client.GetAsync("api/v1/agencies/befugt/pull-keys"), 403);
            await RefusedAsync(client.GetAsync("api/v1/agencies/befugt/pull-keys/k"), 403);
            await RefusedAsync(client.DeleteAsync("api/v1/agencies/befugt/pull-keys/k"), 403);
        }

        foreach (var (read, path) in new[]
        {
            ($$"""{ "hub": "{{_first}}" }""", "dataset"), ("""{ "hub": "https://a.example?x=1", "dataset": "luft" }""", "hub"), ($$"""{ "hub": "{{_first}}", "dataset": "luft", "url": "{{_first}}/a", "file": {} }""", "url"),
            ($$"""{ "hub": "{{_first}}", "dataset": "luft", "ofPeriod": true }""", "ofPeriod"), ($$"""{ "hub": "{{_first}}", "dataset": "luft", "file": { "type": "csv" } }""", "file.type"),
            ($$"""{ "hub": "{{_first}}", "dataset": "luft", "watermark": "w 1" }""", "watermark"), ("""{ "dataset": "luft", "watermark": "w1.AQ" }""", "watermark"), ("""{ "dataset": "luft", "key": "k" }""", "key"),
            ($$"""{ "hub": "{{_first}}", "dataset": "luft", "key": "K" }""", "key"), ($$"""{ "hub": "{{_first}}", "dataset": "luft", "purpose": "zwei Worte" }""", "purpose"), ("""{ "hub": "https://a.example", "dataset": "luft" }""", "hub"),
        })
        {
            var errors = (await RefusedAsync(admin.PutAsync("api/v1/jobs/befugt", Definition("befugt", read)), 422, "invalid-job")).RootElement.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("path").GetString());
            Assert.Contains("steps[0].read." + path, errors);
        }

        // What is computed from the members is none itself.
        foreach (var member in new[] { "own", "address", "format", "isNamed" })
            await RefusedAsync(admin.PutAsync("api/v1/jobs/befugt", Definition("befugt", $$"""{ "hub": "{{_first}}", "dataset": "luft", "{{member}}": null }""")), 400, "invalid-json");
    }

    private static Task Redirect(HttpContext http, string place)
    {
        http.Response.Redirect(place);
        return Task.CompletedTask;
    }

    private static StringContent Definition(string agency, string read) => new($$"""{ "title": "Lesen", "agency": "{{agency}}", "steps": [ { "id": "zeilen", "read": {{read}} } ] }""", Encoding.UTF8, "application/json");

    private static string FileJob(string url) => $$"""
        { "title": "Holen", "agency": "huten", "steps": [ { "id": "datei", "read": { "url": "{{url}}", "key": "geheim", "purpose": "planung", "file": { "type": "csv" } } } ] }
        """;

    private static async Task RowsAsync(HttpClient client, int first, int count)
    {
        for (var from = first; from < first + count; from += 4_000)
        {
            var rows = Enumerable.Range(from, Math.Min(4_000, first + count - from)).Select(i => JsonSerializer.Serialize(new { station = $"s{i % 50:00}", time = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(i), no2 = i * 0.25 }));
            using var body = new StringContent(string.Join('\n', rows), Encoding.UTF8, "application/x-ndjson");
            var pushed = (await OkAsync(client.PostAsync("api/v1/datasets/luft/feeds/default/records", body))).RootElement.GetProperty("watermark").GetString();
            await OkAsync(client.GetAsync($"api/v1/datasets/luft/records?limit=1&watermark={pushed}"));
        }
    }

    private async Task<HttpClient> DatasetAsync()
    {
        var theirs = await _other.AgencyAsync("umwelt", KeyRole.Admin);
        await OkAsync(theirs.PutAsync("api/v1/datasets/luft", new StringContent("""
            { "title": "Luft", "publisher": "umwelt", "kind": "observations", "access": "internal", "license": "dl-de/by-2-0",
              "schema": { "primaryKey": ["station", "time"], "fields": [
                { "name": "station", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" }, { "name": "no2", "type": "number", "role": "measure" } ] } }
            """, Encoding.UTF8, "application/json")));
        return theirs;
    }

    private async Task PutKeyAsync(HttpClient admin, string agency, string key, int status)
    {
        using var answer = await admin.PutAsJsonAsync($"api/v1/agencies/{agency}/pull-keys/nachbar", new { host = _other.Address.Authority, key });
        Assert.Equal(status, (int)answer.StatusCode);
    }

    private string Job(string agency, string members) => $$"""
        { "title": "Nachbar", "agency": "{{agency}}", "steps": [
          { "id": "zeilen", "read": { "hub": "{{_other.Address.GetLeftPart(UriPartial.Authority)}}", "dataset": "luft"{{members}} } },
          { "id": "zahl", "transform": { "inputs": ["zeilen"], "sql": "SELECT count(*) AS zahl FROM zeilen WHERE no2 >= 0 AND time >= TIMESTAMP '2026-01-01'" } } ] }
        """;

    private void Answer(string path, Func<HttpContext, Task> answer) => _answers[path] = answer;

    private async Task<string> ServerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.Run(http =>
        {
            _asked.Enqueue((http.Request.Path, http.Request.Headers.Authorization.ToString(), http.Request.Headers["DataHub-Purpose"].ToString()));
            return _answers[http.Request.Path](http);
        });
        await server.StartAsync();
        _servers.Add(server);
        return server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
    }
}
