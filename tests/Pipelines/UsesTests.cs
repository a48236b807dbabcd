using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Forward from a push or a dataset to what uses it, through the public routes.</summary>
public sealed class UsesTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task A_push_leads_forward_to_indicators_agreements_jobs_runs_and_what_those_wrote()
    {
        var admin = await hub.AgencyAsync("vorwaerts", KeyRole.Admin);
        var stranger = await hub.AgencyAsync("unbeteiligt", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "vor-roh", "vorwaerts");
        await Pipes.LoansAsync(admin, "vor-fertig", "vorwaerts");
        await Pipes.PutJobAsync(admin, "vor-weiter", OriginTests.Copy("vorwaerts", "vor-roh", "vor-fertig"));
        await OkAsync(admin.PutAsJsonAsync("api/v1/agreements/vor-teilen", new
        {
            title = "Ausleihen teilen", provider = "vorwaerts", recipient = "unbeteiligt", dataset = "vor-roh", purposes = new[] { new { id = "probe", text = "Probe" } },
            term = new { from = "2026-12-01T00:00:00Z", until = "2027-12-01T00:00:00Z", notice = "P1M" },
        }));
        var first = await PushAsync(admin, "vor-roh", "Mitte", 1);
        var run = await Pipes.RunAsync(admin, "vor-weiter", new { });
        var second = await PushAsync(admin, "vor-roh", "Pankow", 2);

        var uses = await UsesAsync(admin, $"api/v1/receipts/{first}/uses");
        var id = run.GetProperty("id").GetString();
        Assert.Equal(
            ["0 agreement vor-teilen", "0 indicator vor-roh-daily", "0 job vor-weiter", $"0 run {id}", "1 indicator vor-fertig-daily"],
            uses.Select(use => $"{use.GetProperty("level").GetInt32()} {use.GetProperty("kind").GetString()} {use.GetProperty("id").GetString()}"));
        Assert.Equal(("DRAFT", "/agreements/vor-teilen"), (uses[0].GetProperty("state").GetString(), uses[0].GetProperty("page").GetString()));
        Assert.Equal(("vor-weiter", "complete", run.GetProperty("inputs")[0].GetProperty("watermark").GetString()), (uses[3].GetProperty("job").GetString(), uses[3].GetProperty("state").GetString(), uses[3].GetProperty("watermark").GetString()));
        var wrote = Assert.Single(uses[3].GetProperty("wrote").EnumerateArray());
        Assert.Equal(("vor-fertig", Pipes.Step(run, "schreiben").GetProperty("receipt").GetString()), (wrote.GetProperty("dataset").GetString(), wrote.GetProperty("receipt").GetString()));
        Assert.Equal("vor-fertig", uses[4].GetProperty("dataset").GetString());

        // What came later no run has read; of the whole dataset all is told, page by page the same.
        Assert.Equal(["agreement", "indicator", "job"], (await UsesAsync(admin, $"api/v1/receipts/{second}/uses")).Select(use => use.GetProperty("kind").GetString()));
        Assert.Equal(uses.Select(use => use.GetRawText()), (await UsesAsync(admin, "api/v1/datasets/vor-roh/uses?limit=2")).Select(use => use.GetRawText()));

        // Whoever knows of less is told of less, and not that there is more.
        foreach (var client in new[] { stranger, hub.Anonymous })
        {
            var told = (await OkAsync(client.GetAsync("api/v1/datasets/vor-roh/uses"))).RootElement;
            Assert.Equal(["vor-roh-daily"], told.GetProperty("uses").EnumerateArray().Select(use => use.GetProperty("id").GetString()).Where(one => one != "vor-teilen"));
            Assert.True(told.GetProperty("complete").GetBoolean());
        }

        await RefusedAsync(stranger.GetAsync($"api/v1/receipts/{first}/uses"), 404);
        await RefusedAsync(hub.Anonymous.GetAsync($"api/v1/receipts/{first}/uses"), 401);
        await RefusedAsync(admin.GetAsync("api/v1/datasets/vor-nichts/uses"), 404);
        await RefusedAsync(admin.GetAsync("api/v1/datasets/vor-roh/uses?after=x"), 400);
    }

    [Fact]
    public async Task Jobs_in_a_circle_are_followed_once()
    {
        var admin = await hub.AgencyAsync("kreis", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "kreis-a", "kreis");
        await Pipes.LoansAsync(admin, "kreis-b", "kreis");
        await Pipes.PutJobAsync(admin, "kreis-hin", OriginTests.Copy("kreis", "kreis-a", "kreis-b"));
        await Pipes.PutJobAsync(admin, "kreis-her", OriginTests.Copy("kreis", "kreis-b", "kreis-a"));
        await PushAsync(admin, "kreis-a", "Mitte", 1);
        await Pipes.RunAsync(admin, "kreis-hin", new { });
        var run = await Pipes.RunAsync(admin, "kreis-her", new { });

        var uses = await UsesAsync(admin, "api/v1/datasets/kreis-a/uses");
        Assert.Equal(["0 kreis-hin", "1 kreis-her"], uses.Where(use => use.GetProperty("kind").GetString() == "run").Select(use => $"{use.GetProperty("level").GetInt32()} {use.GetProperty("job").GetString()}"));
        var explained = (await OkAsync(admin.GetAsync($"api/v1/indicators/kreis-a-daily/explain?from=2026-11-02&watermark={Pipes.Step(run, "schreiben").GetProperty("watermark").GetString()}"))).RootElement;
        Assert.Equal(["kreis-her", "kreis-hin"], explained.GetProperty("runs").EnumerateArray().Select(one => one.GetProperty("job").GetString()));
    }

    private static async Task<JsonElement[]> UsesAsync(HttpClient client, string path)
    {
        var all = new List<JsonElement>();
        for (string? next = path; next is not null;)
        {
            var page = (await OkAsync(client.GetAsync(next))).RootElement;
            all.AddRange(page.GetProperty("uses").EnumerateArray());
            next = page.GetProperty("next").GetString()?.TrimStart('/');
        }

        return [.. all];
    }

    private static async Task<string> PushAsync(HttpClient client, string dataset, string branch, int loans) => (await OkAsync(SendAsync(client, dataset, branch, loans))).RootElement.GetProperty("receipt").GetString()!;

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string dataset, string branch, int loans) =>
        client.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", new StringContent($$"""[{"branch":"{{branch}}","time":"2026-11-02T00:00:00Z","loans":{{loans}}}]""", Encoding.UTF8, "application/json"));
}
