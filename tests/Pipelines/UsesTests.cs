using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Forward from a push or a dataset to what uses it, and why a dataset is stale, through the public routes.</summary>
public sealed class UsesTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Loans = "Zweigstelle;Tag;Ausleihen\nMitte;2026-11-02;120\n";

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
            title = "Ausleihen teilen",
            provider = "vorwaerts",
            recipient = "unbeteiligt",
            dataset = "vor-roh",
            purposes = new[] { new { id = "probe", text = "Probe" } },
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
    public async Task Why_a_dataset_is_stale_is_said_in_words_over_its_inputs()
    {
        var admin = await hub.AgencyAsync("veraltet", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "alt-roh", "veraltet");
        await Pipes.LoansAsync(admin, "alt-fertig", "veraltet");
        await Pipes.PutJobAsync(admin, "alt-laden", RunHttpTests.Job("veraltet", "alt-roh"));
        await Pipes.PutJobAsync(admin, "alt-weiter", OriginTests.Copy("veraltet", "alt-roh", "alt-fertig"));
        Assert.Equal(["never-run", "input-stale"], await CodesAsync(admin, "alt-fertig"));

        await Pipes.RunAsync(admin, "alt-laden", new { files = new { datei = await Pipes.UploadAsync(admin, "gut.csv", Loans) } });
        await Pipes.RunAsync(admin, "alt-weiter", new { });
        Assert.Empty(await CodesAsync(admin, "alt-fertig"));

        var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "alt-laden", new { files = new { datei = await Pipes.UploadAsync(admin, "schlecht.csv", Loans + Loans[(Loans.IndexOf('\n', StringComparison.Ordinal) + 1)..]) } }));
        var quarantined = (await RefusedAsync(SendAsync(admin, "alt-roh", "Mitte", -1), 422)).RootElement.GetProperty("receipt").GetString();
        var stale = await StaleAsync(admin, "alt-roh");
        Assert.Equal(["all-quarantined", "run-failed"], stale.GetProperty("reasons").EnumerateArray().Select(reason => reason.GetProperty("code").GetString()));
        Assert.Equal(quarantined, stale.GetProperty("reasons")[0].GetProperty("receipt").GetString());
        Assert.Equal(failed.GetProperty("id").GetString(), stale.GetProperty("reasons")[1].GetProperty("run").GetString());
        Assert.Contains("Schritt „pruefung“: 2 Zeilen haben in zweigstelle, tag dasselbe", stale.GetProperty("reasons")[1].GetProperty("text").GetString(), StringComparison.Ordinal);
        // What went to quarantine is nothing that a run could take over.
        Assert.Equal(["input-stale"], await CodesAsync(admin, "alt-fertig"));

        await PushAsync(admin, "alt-roh", "Mitte", 7);
        stale = await StaleAsync(admin, "alt-fertig");
        Assert.True(stale.GetProperty("stale").GetBoolean());
        Assert.Equal(["not-started-since", "input-stale"], stale.GetProperty("reasons").EnumerateArray().Select(reason => reason.GetProperty("code").GetString()));
        Assert.Equal(["run-failed"], stale.GetProperty("reasons")[1].GetProperty("behind").EnumerateArray().Select(reason => reason.GetProperty("code").GetString()));

        // The page that explains a number says so to those who may know, and to nobody else.
        Assert.Contains("Warum das nicht aktuell ist", await (await admin.GetAsync("indicators/alt-fertig-daily/explain?from=2026-11-02")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("nicht aktuell ist", await (await hub.Anonymous.GetAsync("indicators/alt-fertig-daily/explain?from=2026-11-02")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/alt-fertig/staleness"), 401);
        await RefusedAsync((await hub.AgencyAsync("andere", KeyRole.Admin)).GetAsync("api/v1/datasets/alt-fertig/staleness"), 403);
        await RefusedAsync(admin.GetAsync("api/v1/datasets/alt-nichts/staleness"), 404);
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

        Assert.Equal(["not-started-since"], (await CodesAsync(admin, "kreis-b")).Where(code => code != "input-stale"));
        var uses = await UsesAsync(admin, "api/v1/datasets/kreis-a/uses");
        Assert.Equal(["0 kreis-hin", "1 kreis-her"], uses.Where(use => use.GetProperty("kind").GetString() == "run").Select(use => $"{use.GetProperty("level").GetInt32()} {use.GetProperty("job").GetString()}"));
        var explained = (await OkAsync(admin.GetAsync($"api/v1/indicators/kreis-a-daily/explain?from=2026-11-02&watermark={Pipes.Step(run, "schreiben").GetProperty("watermark").GetString()}"))).RootElement;
        Assert.Equal(["kreis-her", "kreis-hin"], explained.GetProperty("runs").EnumerateArray().Select(one => one.GetProperty("job").GetString()));
    }

    private static async Task<string[]> CodesAsync(HttpClient client, string dataset) => [.. (await StaleAsync(client, dataset)).GetProperty("reasons").EnumerateArray().Select(reason => reason.GetProperty("code").GetString()!)];

    private static async Task<JsonElement> StaleAsync(HttpClient client, string dataset) => (await OkAsync(client.GetAsync($"api/v1/datasets/{dataset}/staleness"))).RootElement;

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

/// <summary>Each cause of staleness by itself.</summary>
public sealed class StalenessRulesTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 28, 9, 0, 0, TimeSpan.Zero);
    private static readonly DatasetFacts s_fine = new("d", false, null, TimeSpan.Zero, [new("f", TimeSpan.FromHours(1), FeedSilence.Active, s_now, s_now, new("r", s_now, 3, 0))], [new("j", [Run("2", RunState.Complete)], [new("e", s_now.AddHours(-2), null)])]);

    [Fact]
    public void What_is_current_has_no_reason_and_each_cause_has_its_own()
    {
        Assert.Equal((false, ""), Told(s_fine));
        Assert.Equal((true, "Der Datensatz ist stillgelegt und nimmt keine Zeilen mehr."), Told(s_fine with { IsRetired = true }));
        Assert.Equal((true, "Der Datensatz nimmt keine Zeilen mehr, seit die Vereinbarung „v“ zu Ende ist."), Told(s_fine with { FrozenBy = "v" }));
        Assert.Equal((true, "Die Indikatoren sind noch nicht so weit: Die älteste Lieferung, die sie nicht enthalten, wartet seit 5 Minuten."), Told(s_fine with { FoldLag = TimeSpan.FromMinutes(5) }));
        Assert.Equal(
            (true, "Die Datenquelle „f“ schweigt: Die letzte Lieferung kam am 28.11.2026, 06:00:00\u00a0Uhr, erwartet wird mindestens alle 60 Minuten eine."),
            Told(s_fine with { Feeds = [s_fine.Feeds[0] with { Silence = FeedSilence.Silent, LastReceived = s_now.AddHours(-4), SilentFrom = s_now.AddHours(-3) }] }));
        Assert.Equal((true, "Von der Datenquelle „f“ kam noch nie eine Lieferung."), Told(s_fine with { Feeds = [new("f", TimeSpan.FromHours(1), FeedSilence.Waiting, null, null, null)] }));
        Assert.Equal((true, "Von der letzten Lieferung der Datenquelle „f“ (28.11.2026, 10:00:00\u00a0Uhr) stehen alle 3 von 3 Zeilen in Quarantäne."), Told(s_fine with { Feeds = [s_fine.Feeds[0] with { Last = new("r", s_now, 3, 3) }] }));
        Assert.Equal((false, "Von der letzten Lieferung der Datenquelle „f“ (28.11.2026, 10:00:00\u00a0Uhr) steht 1 von 3 Zeilen in Quarantäne."), Told(s_fine with { Feeds = [s_fine.Feeds[0] with { Last = new("r", s_now, 3, 1) }] }));
    }

    [Fact]
    public void Runs_say_why_they_bring_nothing()
    {
        Assert.Equal((true, "Der Job „j“, der den Datensatz schreibt, wurde noch nie gestartet."), Told(Of()));
        Assert.Equal((true, "Der letzte Lauf des Jobs „j“ scheiterte am 28.11.2026, 09:30:00\u00a0Uhr: Schritt „x“: leer."), Told(Of(Run("2", RunState.Fail, "Schritt „x“: leer."), Run("1", RunState.Complete))));
        Assert.Equal((true, "Der letzte Lauf des Jobs „j“ wurde beendet am 28.11.2026, 09:30:00\u00a0Uhr."), Told(Of(Run("2", RunState.Abort))));
        Assert.Equal((false, ""), Told(Of(Run("2", RunState.Complete), Run("1", RunState.Fail))));
        Assert.Equal((false, "Ein Lauf des Jobs „j“ ist seit 28.11.2026, 09:00:00\u00a0Uhr unterwegs."), Told(Of(Run("2", RunState.Running), Run("1", RunState.Complete))));
        Assert.Equal(
            (true, "Ein Lauf des Jobs „j“ wartet seit 28.11.2026, 09:00:00\u00a0Uhr hinter dem Lauf 2. Ein Lauf des Jobs „j“ ist seit 28.11.2026, 09:00:00\u00a0Uhr unterwegs."),
            Told(Of(Run("3", RunState.Start), Run("2", RunState.Running))));

        static DatasetFacts Of(params RunFacts[] runs) => s_fine with { Jobs = [new("j", runs, [])] };
    }

    [Fact]
    public void Inputs_that_are_newer_or_stale_themselves_are_named()
    {
        var behind = new Staleness("e", true, [new("feed-waiting", true, new("Nichts.", "Nothing.")), new("run-under-way", false, new("Läuft.", "Runs."))]);
        Assert.Equal(
            (true, "In „e“ kamen am 28.11.2026, 09:50:00\u00a0Uhr Zeilen; der Job „j“, der sie übernimmt, wurde zuletzt am 28.11.2026, 09:00:00\u00a0Uhr gestartet."),
            Told(s_fine with { Jobs = [s_fine.Jobs[0] with { Inputs = [new("e", s_now.AddMinutes(-10), null)] }] }));
        var told = StalenessRules.Judge(s_fine with { Jobs = [s_fine.Jobs[0] with { Inputs = [new("e", null, behind)] }] }, s_now);
        var reason = Assert.Single(told.Reasons);
        Assert.Equal(("input-stale", "e", "feed-waiting"), (reason.Code, reason.Dataset, Assert.Single(reason.Behind).Code));
        Assert.All(told.Reasons, one => Assert.NotEqual(one.Text.De, one.Text.In("en")));
    }

    private static RunFacts Run(string id, RunState state, string? cause = null) => new(id, state, s_now.AddHours(-1), s_now.AddMinutes(-30), cause is null ? null : new(cause, cause));

    private static (bool, string) Told(DatasetFacts facts)
    {
        var told = StalenessRules.Judge(facts, s_now);
        return (told.IsStale, string.Join(' ', told.Reasons.Select(reason => reason.Text.De)));
    }
}
