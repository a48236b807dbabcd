using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Files that runs fetch from a server of this test.</summary>
public sealed class PullHttpTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Path, string Condition)> _asked = [];
    private readonly Dictionary<string, Func<HttpContext, Task>> _answers = [];
    private WebApplication _server = null!;
    private HubFixture _hub = null!;
    private string _address = "";

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(http =>
        {
            _asked.Enqueue((http.Request.Path, http.Request.Headers.IfNoneMatch.ToString() + http.Request.Headers.IfModifiedSince));
            return _answers[http.Request.Path](http);
        });
        await _server.StartAsync();
        _address = _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _hub = await HubFixture.StartAsync(new Dictionary<string, string?>
        {
            ["DataHub:Pipelines:PullHosts"] = $"{new Uri(_address).Authority}",
            ["DataHub:Pipelines:MaxFileMiB"] = "1",
        });
    }

    public async Task DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_file_is_fetched_before_the_first_step_and_while_it_is_the_same_it_is_fetched_once()
    {
        var admin = await _hub.AgencyAsync("holen", KeyRole.Admin);
        var (content, tag) = ("Nr\n1\n2\n", "\"eins\"");
        Answer("/daten.csv", http =>
        {
            if (tag.Length > 0) http.Response.Headers.ETag = tag;
            if (tag.Length > 0 && http.Request.Headers.IfNoneMatch == tag)
            {
                http.Response.StatusCode = 304;
                return Task.CompletedTask;
            }

            http.Response.Headers.ContentDisposition = "attachment; filename=\"liste.csv\"";
            return http.Response.WriteAsync(content);
        });
        Answer("/alt", http =>
        {
            http.Response.Redirect("/daten.csv?stand=1");
            return Task.CompletedTask;
        });
        await Pipes.PutJobAsync(admin, "holen", Job("holen", "/alt"));

        var first = await Pipes.RunAsync(admin, "holen", new { });
        Assert.Equal("Nr\r\n1\r\n2\r\n", await Pipes.TableAsync(admin, first, "datei"));
        var input = first.GetProperty("inputs")[0];
        Assert.Equal(("liste.csv", _address + "/alt"), (input.GetProperty("name").GetString(), input.GetProperty("url").GetString()));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(content))), input.GetProperty("sha256").GetString());

        var second = await Pipes.RunAsync(admin, "holen", new { });
        Assert.Equal(input.GetRawText(), second.GetProperty("inputs")[0].GetRawText());
        Assert.Contains("ist unverändert", Pipes.Step(second, "datei").GetProperty("notes")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal([("/alt", ""), ("/daten.csv", ""), ("/alt", ""), ("/daten.csv", tag)], _asked);

        // What is repeated is not fetched again, whatever stands there by now.
        (content, tag) = ("Nr\n3\n", "\"zwei\"");
        var again = await Pipes.RunAsync(admin, "holen", new { repeats = first.GetProperty("id").GetString() });
        Assert.Equal(Pipes.Step(first, "datei").GetProperty("sha256").GetString(), Pipes.Step(again, "datei").GetProperty("sha256").GetString());
        Assert.Equal(4, _asked.Count);
        var third = await Pipes.RunAsync(admin, "holen", new { });
        Assert.Equal("Nr\r\n3\r\n", await Pipes.TableAsync(admin, third, "datei"));

        // A host that says nothing of its content: the same bytes are the same file.
        tag = "";
        var fourth = await Pipes.RunAsync(admin, "holen", new { });
        Assert.Equal(third.GetProperty("inputs")[0].GetProperty("file").GetString(), fourth.GetProperty("inputs")[0].GetProperty("file").GetString());

        // A file that was deleted is fetched again, without a condition.
        await OkAsync(admin.DeleteAsync("api/v1/files/" + fourth.GetProperty("inputs")[0].GetProperty("file").GetString()));
        var fifth = await Pipes.RunAsync(admin, "holen", new { });
        Assert.Equal("", _asked.Last().Condition);
        Assert.NotEqual(fourth.GetProperty("inputs")[0].GetProperty("file").GetString(), fifth.GetProperty("inputs")[0].GetProperty("file").GetString());
        Assert.Equal("Nr\r\n3\r\n", await Pipes.TableAsync(admin, fifth, "datei"));
    }

    [Fact]
    public async Task What_cannot_be_fetched_says_why_and_no_other_host_is_asked()
    {
        var admin = await _hub.AgencyAsync("unholbar", KeyRole.Admin);
        Answer("/fort", http =>
        {
            http.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        Answer("/hinaus", http =>
        {
            http.Response.Redirect("http://169.254.169.254/latest/meta-data/");
            return Task.CompletedTask;
        });
        Answer("/kreis", http =>
        {
            http.Response.Redirect("/kreis");
            return Task.CompletedTask;
        });
        Answer("/leer", _ => Task.CompletedTask);
        Answer("/gross", async http =>
        {
            // Without a length: it shows while it comes.
            for (var i = 0; i < 20; i++) await http.Response.Body.WriteAsync(new byte[100_000]);
        });
        Answer("/gepackt", http =>
        {
            http.Response.Headers.ContentEncoding = "gzip";
            return http.Response.WriteAsync("x");
        });
        foreach (var (path, said) in new[]
        {
            ("/fort?geheim=1", "/fort ließ sich nicht holen: die Antwort ist 404."), ("/hinaus", "Von „169.254.169.254“ holt dieser Hub nichts"), ("/kreis", "mehr als 5 Weiterleitungen"), ("/leer", "die Datei ist leer"),
            ("/gross", "mehr als 1 MiB"), ("/gepackt", "gepackt"),
        })
        {
            await Pipes.PutJobAsync(admin, "unholbar", Job("unholbar", path));
            var run = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "unholbar", new { }));
            Assert.Equal(("fail", 1), (run.GetProperty("state").GetString(), Pipes.Step(run, "datei").GetProperty("attempts").GetInt32()));
            Assert.Contains(said, run.GetProperty("cause").GetString(), StringComparison.Ordinal);
            Assert.DoesNotContain("geheim", run.GetProperty("cause").GetString(), StringComparison.Ordinal);
        }

        foreach (var (url, code) in new[] { ("http://andere.example/a.csv", 422), (_address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) + "/daten.csv", 422), ("ftp://127.0.0.1/a.csv", 422) })
        {
            var refused = await RefusedAsync(admin.PutAsync("api/v1/jobs/unholbar", new StringContent(Job("unholbar", "").Replace(_address, url, StringComparison.Ordinal), Encoding.UTF8, "application/json")), code, "invalid-job");
            Assert.Equal("steps[0].read.url", refused.RootElement.GetProperty("errors")[0].GetProperty("path").GetString());
        }
    }

    [Fact]
    public async Task A_server_that_stumbles_is_asked_again()
    {
        var admin = await _hub.AgencyAsync("stolpern", KeyRole.Admin);
        var times = 0;
        Answer("/daten.csv", http =>
        {
            if (++times > 1) return http.Response.WriteAsync("Nr\n1\n");
            http.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await Pipes.PutJobAsync(admin, "stolpern", Job("stolpern", "/daten.csv"));
        var run = await Pipes.RunAsync(admin, "stolpern", new { });
        Assert.Equal(2, Pipes.Step(run, "datei").GetProperty("attempts").GetInt32());
        Assert.Equal(JsonValueKind.String, run.GetProperty("inputs")[0].GetProperty("file").ValueKind);
    }

    [Fact]
    public async Task A_run_in_the_shadow_reads_what_the_run_beside_it_fetched()
    {
        var admin = await _hub.AgencyAsync("mitlesen", KeyRole.Admin);
        var times = 0;
        Answer("/daten.csv", http => http.Response.WriteAsync($"Nr\n{++times}\n"));
        await Pipes.PutJobAsync(admin, "mitlesen", Job("mitlesen", "/daten.csv"));
        await OkAsync(admin.PutAsync("api/v1/jobs/mitlesen?draft=true", new StringContent(Job("mitlesen", "/daten.csv").Replace("Holen", "Anders", StringComparison.Ordinal), Encoding.UTF8, "application/json")));
        await OkAsync(admin.PostAsync("api/v1/jobs/mitlesen/shadow", new StringContent("{ \"version\": 2 }", Encoding.UTF8, "application/json")));
        var live = await Pipes.RunAsync(admin, "mitlesen", new { });
        var shadow = (await OkAsync(admin.GetAsync("api/v1/jobs/mitlesen/runs"))).RootElement.GetProperty("runs").EnumerateArray().Single(run => run.TryGetProperty("shadowOf", out _));
        var ended = await Pipes.EndAsync(admin, shadow.GetProperty("id").GetString()!);
        Assert.Equal("complete", ended.GetProperty("state").GetString());
        Assert.Equal(live.GetProperty("inputs").GetRawText(), ended.GetProperty("inputs").GetRawText());
        Assert.Equal(1, times);
    }

    [Fact]
    public async Task A_failed_run_names_what_it_fetched_and_reads_the_same_when_it_goes_on()
    {
        var admin = await _hub.AgencyAsync("kaputt", KeyRole.Admin);
        var times = 0;
        Answer("/daten.xlsx", http => http.Response.WriteAsync($"keine Tabelle {++times}"));
        await Pipes.PutJobAsync(admin, "kaputt", Job("kaputt", "/daten.xlsx").Replace("csv", "xlsx", StringComparison.Ordinal));
        var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "kaputt", new { }));
        var id = failed.GetProperty("id").GetString()!;
        Assert.Equal("fail", failed.GetProperty("state").GetString());
        Assert.Contains("wurde geholt", Pipes.Step(failed, "datei").GetProperty("notes")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        var file = failed.GetProperty("inputs")[0].GetProperty("file").GetString();

        await OkAsync(admin.PostAsync($"api/v1/runs/{id}/acts", new StringContent("{ \"act\": \"resume\" }", Encoding.UTF8, "application/json")));
        var resumed = await Pipes.EndAsync(admin, id);
        var repeated = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "kaputt", new { repeats = id }));
        Assert.Equal((file, file, 1), (Assert.Single(resumed.GetProperty("inputs").EnumerateArray()).GetProperty("file").GetString(), repeated.GetProperty("inputs")[0].GetProperty("file").GetString(), times));
    }

    [Fact]
    public async Task What_the_hubs_own_store_refuses_is_not_laid_at_the_servers_door()
    {
        Answer("/daten.csv", http => http.Response.WriteAsync("Nr\n1\n"));
        using var pull = new HttpFilePull(Options.Create(new PipelineOptions { PullHosts = new Uri(_address).Authority }));
        await Assert.ThrowsAsync<IOException>(() => pull.PullAsync(new(new(_address + "/daten.csv")), _ => throw new IOException("disk full"), CancellationToken.None));
    }

    [Fact]
    public async Task A_name_that_leads_inside_is_not_asked_though_it_is_listed()
    {
        var place = new UriBuilder(_address) { Host = "localhost" }.Uri;
        using var pull = new HttpFilePull(Options.Create(new PipelineOptions { PullHosts = place.Authority }));
        var refused = await Assert.ThrowsAsync<StepException>(() => pull.PullAsync(new(place), _ => Task.CompletedTask, CancellationToken.None));
        Assert.Contains("führt zu einer Adresse im Inneren", refused.Reason.De, StringComparison.Ordinal);
        Assert.False(refused.IsTransient);
        Assert.Empty(_asked);
    }

    private void Answer(string path, Func<HttpContext, Task> answer) => _answers[path] = answer;

    private string Job(string agency, string path) => $$"""
        { "title": "Holen", "agency": "{{agency}}", "steps": [ { "id": "datei", "read": { "url": "{{_address + path}}", "file": { "type": "csv" } } } ] }
        """;
}
