using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

using Orleans.Storage;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>Two agencies and an agreement, over HTTP.</summary>
public sealed class AgreementHttpTests
{
    private static readonly DateTimeOffset s_start = new(2026, 12, 1, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Two_agencies_walk_from_draft_to_revocation_and_restarts_change_nothing()
    {
        var clock = new FakeTimeProvider(s_start);
        await using var hub = await HubFixture.StartAsync(clock: clock);
        string[] keys = [await hub.KeyAsync("amt", KeyRole.Admin), await hub.KeyAsync("bezirk", KeyRole.Admin), await hub.KeyAsync("bezirk", KeyRole.Admin), await hub.KeyAsync("dritte", KeyRole.Admin), await hub.KeyAsync("amt", KeyRole.Read)];
        var (amt, bezirk, second, third, reader) = (hub.With(keys[0]), hub.With(keys[1]), hub.With(keys[2]), hub.With(keys[3]), hub.With(keys[4]));
        await hub.PutAirQualityAsync("luft", "amt", access: AccessClass.Internal);

        // Draft, and what it lacks.
        var terms = Terms();
        terms.Remove("legalBasis");
        var made = (await OkAsync(amt.PutAsJsonAsync("api/v1/agreements/v", terms))).RootElement;
        Assert.Equal(("DRAFT", 1), (made.GetProperty("state").GetString(), made.GetProperty("version").GetInt32()));
        var refused = (await RefusedAsync(ActAsync(amt, "offer"), 409, "conflict")).RootElement;
        Assert.Equal(["transparency"], refused.GetProperty("charter").EnumerateArray().Select(check => check.GetProperty("clause").GetString()));
        Assert.Equal(2, (await OkAsync(amt.PutAsJsonAsync("api/v1/agreements/v", Terms()))).RootElement.GetProperty("version").GetInt32());
        Assert.Equal(2, (await OkAsync(amt.PutAsJsonAsync("api/v1/agreements/v", Terms()))).RootElement.GetProperty("version").GetInt32());
        await RefusedAsync(bezirk.PutAsJsonAsync("api/v1/agreements/v", Terms(rows: 5)), 409, "conflict");
        await StandsAsync(ActAsync(amt, "offer"), "OFFERED");

        // For others it does not exist.
        foreach (var stranger in new[] { third, hub.Anonymous, reader })
        {
            foreach (var path in new[] { "", "/events", "/text", "/odrl" }) await RefusedAsync(stranger.GetAsync("api/v1/agreements/v" + path), 404, "not-found");
            Assert.Empty((await OkAsync(stranger.GetAsync("api/v1/agreements"))).RootElement.GetProperty("agreements").EnumerateArray());
        }

        await RefusedAsync(third.PutAsJsonAsync("api/v1/agreements/v", Terms()), 404, "not-found");
        await RefusedAsync(ActAsync(third, "agree"), 404, "not-found");
        await RefusedAsync(ActAsync(hub.Anonymous, "agree"), 401, "unauthorized");
        foreach (var side in new[] { amt, bezirk, hub.Admin })
            Assert.Equal("v", (await OkAsync(side.GetAsync("api/v1/agreements"))).RootElement.GetProperty("agreements")[0].GetProperty("id").GetString());

        // A counter-offer, four eyes, and the charter before that.
        await RefusedAsync(ActAsync(bezirk, "agree"), 409, "conflict");
        await StandsAsync(ActAsync(bezirk, "acknowledge-charter"), "OFFERED");
        await StandsAsync(ActAsync(bezirk, "agree"), "OFFERED");
        var countered = (await OkAsync(bezirk.PutAsJsonAsync("api/v1/agreements/v", Terms(rows: 5_000)))).RootElement;
        Assert.Equal(("NEGOTIATED", 3, 0), (countered.GetProperty("state").GetString(), countered.GetProperty("version").GetInt32(), countered.GetProperty("signatures").GetArrayLength()));
        await StandsAsync(ActAsync(amt, "acknowledge-charter"), "NEGOTIATED");
        await RefusedAsync(ActAsync(amt, "agree", version: 2), 409, "conflict");
        await StandsAsync(ActAsync(amt, "agree", version: 3), "NEGOTIATED");
        await StandsAsync(ActAsync(bezirk, "agree"), "NEGOTIATED");
        await RefusedAsync(ActAsync(bezirk, "agree"), 409, "conflict");
        await hub.RestartAsync();
        (amt, bezirk, second) = (hub.With(keys[0]), hub.With(keys[1]), hub.With(keys[2]));
        await StandsAsync(ActAsync(second, "agree"), "AGREED");
        await RefusedAsync(amt.PutAsJsonAsync("api/v1/agreements/v", Terms(rows: 6)), 409, "conflict");

        // Times: it begins, a duty is missed.
        clock.SetUtcNow(s_start.AddDays(1));
        await StandsAsync(bezirk.GetAsync("api/v1/agreements/v"), "ACTIVE");
        clock.SetUtcNow(s_start.AddDays(40));
        await hub.RestartAsync();
        (amt, bezirk) = (hub.With(keys[0]), hub.With(keys[1]));

        // Nobody has asked for it: the hub notes by itself what was due while it was down, as of when it was due.
        var noted = await NotedAsync(bezirk, "agreement.suspended");
        Assert.Equal((s_start.AddDays(31), "hub"), (noted.GetProperty("at").GetDateTimeOffset(), noted.GetProperty("actor").GetString()));
        var suspended = await StandsAsync(bezirk.GetAsync("api/v1/agreements/v"), "SUSPENDED");
        Assert.Equal(("hub", s_start.AddDays(31)), (suspended.GetProperty("suspendedBy").GetString(), suspended.GetProperty("duties")[0].GetProperty("missedSince").GetDateTimeOffset()));
        Assert.Equal(["fulfil-duty", "end"], suspended.GetProperty("next").EnumerateArray().Select(act => act.GetString()).OrderDescending());
        await RefusedAsync(ActAsync(amt, "resume"), 409, "conflict");
        await RefusedAsync(ActAsync(bezirk, "fulfil-duty", duty: "bericht"), 422, "invalid-agreement");
        await RefusedAsync(ActAsync(bezirk, "fulfil-duty", duty: "keine", evidence: "x"), 422, "invalid-agreement");
        await StandsAsync(ActAsync(bezirk, "fulfil-duty", duty: "bericht", evidence: "https://bezirk.example/bericht-2026-12"), "SUSPENDED");
        await StandsAsync(ActAsync(amt, "resume"), "ACTIVE");
        await RefusedAsync(ActAsync(amt, "revoke"), 422, "invalid-agreement");
        await StandsAsync(ActAsync(amt, "revoke", reason: "Zweck entfallen"), "REVOKED");
        var before = await TextAsync(amt, "api/v1/agreements/v");
        await hub.RestartAsync();
        (amt, bezirk) = (hub.With(keys[0]), hub.With(keys[1]));
        Assert.Equal(before, await TextAsync(amt, "api/v1/agreements/v"));

        // Everything is on record, for both, and the chain can be verified by anybody.
        string[] acts = ["change", "change", "offer", "acknowledge-charter", "agree", "change", "acknowledge-charter", "agree", "agree", "agree", "activate", "miss-duty", "suspend", "fulfil-duty", "resume", "revoke"];
        var found = new List<JsonElement>();
        for (var next = "/api/v1/agreements/v/events?limit=3"; next is not null;)
        {
            var page = (await OkAsync(bezirk.GetAsync(next))).RootElement;
            found.AddRange(page.GetProperty("events").EnumerateArray());
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(acts, found.Select(one => one.GetProperty("act").GetString()));
        var hash = SHA256.HashData("datahub agreement chain 1"u8);
        foreach (var one in found)
        {
            Assert.Equal(Convert.ToHexStringLower(hash), one.GetProperty("previous").GetString());
            hash = SHA256.HashData([.. hash, .. Encoding.UTF8.GetBytes(one.GetProperty("content").GetString()!)]);
            Assert.Equal(Convert.ToHexStringLower(hash), one.GetProperty("hash").GetString());
        }

        foreach (var (side, agency) in new[] { (amt, "amt"), (bezirk, "bezirk") })
        {
            var log = (await OkAsync(side.GetAsync($"api/v1/audit?agency={agency}&action=agreement.&order=oldest"))).RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("action").GetString()).ToArray();
            Assert.Equal(
                ["drafted", "changed", "offered", "acknowledged", "agreed", "changed", "acknowledged", "agreed", "agreed", "agreed", "activated", "duty-missed", "suspended", "duty-fulfilled", "resumed", "revoked"],
                log.Select(action => action!["agreement.".Length..]));
        }
    }

    [Fact]
    public async Task While_it_runs_the_hub_notes_begin_and_end_by_itself()
    {
        var clock = new FakeTimeProvider(s_start);
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Sharing:CatchUp"] = "00:00:01" }, clock);
        var (amt, bezirk) = (await hub.AgencyAsync("amt", KeyRole.Admin), await hub.AgencyAsync("bezirk", KeyRole.Admin));
        await hub.PutAirQualityAsync("luft", "amt", access: AccessClass.Internal);
        var terms = Terms();
        terms.Remove("fourEyes");
        await OkAsync(amt.PutAsJsonAsync("api/v1/agreements/v", terms));
        await OkAsync(ActAsync(amt, "offer"));
        foreach (var side in new[] { amt, bezirk })
        {
            await OkAsync(ActAsync(side, "acknowledge-charter"));
            await OkAsync(ActAsync(side, "agree"));
        }

        clock.SetUtcNow(s_start.AddDays(2));
        Assert.Equal(s_start.AddDays(1), (await NotedAsync(bezirk, "agreement.activated")).GetProperty("at").GetDateTimeOffset());
        await StandsAsync(ActAsync(bezirk, "end"), "EXPIRING");
        clock.SetUtcNow(s_start.AddDays(33).AddHours(1));
        var ended = await NotedAsync(amt, "agreement.ended");
        Assert.Equal(("hub", s_start.AddDays(33)), (ended.GetProperty("actor").GetString(), ended.GetProperty("at").GetDateTimeOffset()));
        await RefusedAsync(ActAsync(amt, "revoke", reason: "zu spät"), 409, "conflict");
    }

    [Fact]
    public async Task Stored_events_that_were_changed_are_not_answered_from_and_nothing_else_is_held_up()
    {
        await using var hub = await HubFixture.StartAsync();
        var amt = await hub.KeyAsync("amt", KeyRole.Admin);
        await hub.AgencyAsync("bezirk", KeyRole.Admin);
        await hub.PutAirQualityAsync("luft", "amt", access: AccessClass.Internal);
        foreach (var id in new[] { "v", "w" }) await OkAsync(hub.With(amt).PutAsJsonAsync("api/v1/agreements/" + id, Terms()));
        var storage = hub.Services.GetRequiredKeyedService<IGrainStorage>("state");
        var stored = new GrainState<SharingAgreementState>();
        var grain = hub.Grains.GetGrain<ISharingAgreementGrain>("v").GetGrainId();
        await storage.ReadStateAsync("agreement", grain, stored);
        var record = Assert.Single(stored.State!.Log);
        stored.State = stored.State! with { Log = [record with { Content = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(record.Content).Replace("1000", "9000", StringComparison.Ordinal)) }] };
        Assert.NotEqual(record.Content, stored.State.Log[0].Content);
        await storage.WriteStateAsync("agreement", grain, stored);
        await hub.RestartAsync();

        var told = await Assert.ThrowsAsync<AgreementLogException>(() => hub.Grains.GetGrain<ISharingAgreementGrain>("v").GetAsync(Caller.Hub));
        Assert.Contains("agreement v: event 1 does not follow", told.Message, StringComparison.Ordinal);
        using var answer = await hub.With(amt).GetAsync("api/v1/agreements/v");
        Assert.Equal(500, (int)answer.StatusCode);
        await OkAsync(hub.With(amt).GetAsync("api/v1/agreements/w"));
        Assert.Equal("w", (await OkAsync(hub.With(amt).GetAsync("api/v1/agreements"))).RootElement.GetProperty("agreements")[0].GetProperty("id").GetString());
    }

    [Fact]
    public async Task The_text_and_the_policy_say_what_the_terms_say()
    {
        await using var hub = await HubFixture.StartAsync();
        var amt = await hub.AgencyAsync("amt", KeyRole.Admin);
        await hub.AgencyAsync("bezirk", KeyRole.Admin);
        await hub.PutAirQualityAsync("luft", "amt", access: AccessClass.Internal);
        var made = (await OkAsync(amt.PutAsJsonAsync("api/v1/agreements/v", Terms()))).RootElement;
        foreach (var (language, type, says) in new[] { ("de", "text/plain", "Verboten (werbung): Werbung <jeder> Art"), ("en", "text/plain", "Forbidden (werbung): Advertising"), ("de", "text/html", "Verboten (werbung): Werbung &lt;jeder&gt; Art"), ("en", "text/html", "Forbidden (werbung): Advertising") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/agreements/v/text") { Headers = { { "Accept", type }, { "Accept-Language", language } } };
            using var answer = await amt.SendAsync(request);
            Assert.Equal((type, language), (answer.Content.Headers.ContentType?.MediaType, answer.Content.Headers.ContentLanguage.Single()));
            var text = await answer.Content.ReadAsStringAsync();
            Assert.Contains(says, text, StringComparison.Ordinal);
            Assert.Contains(made.GetProperty("termsHash").GetString()!, text, StringComparison.Ordinal);
            Assert.Contains(made.GetProperty("head").GetString()!, text, StringComparison.Ordinal);
            Assert.Contains(language == "de" ? "Kündigungsfrist: 1 Monat (P1M)" : "Notice: 1 month (P1M)", text.Replace("&#252;", "ü", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Contains(language == "de" ? "wiederkehrend, Abstand 30 Tage (P30D); versäumt: Aussetzung" : "recurring, interval 30 days (P30D); missed: suspension", text.Replace("&#228;", "ä", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Contains("no2 &gt; 0".Replace("&gt;", type == "text/html" ? "&gt;" : ">", StringComparison.Ordinal), text, StringComparison.Ordinal);
        }

        using var odrl = await amt.GetAsync("api/v1/agreements/v/odrl");
        Assert.Equal("application/ld+json", odrl.Content.Headers.ContentType?.MediaType);
        var policy = JsonNode.Parse(await odrl.Content.ReadAsStringAsync())!;
        Assert.Equal(("Agreement", "urn:datahub:agreement:v:1", "urn:datahub:agency:amt", "urn:datahub:agency:bezirk"), ((string)policy["@type"]!, (string)policy["uid"]!, (string)policy["assigner"]!, (string)policy["assignee"]!));
        var operands = policy["permission"]![0]!["constraint"]!.AsArray().Select(constraint => (string)constraint!["leftOperand"]!).ToArray();
        Assert.Equal(["purpose", "dateTime", "dateTime", "urn:datahub:odrl:rowsPerDay", "urn:datahub:odrl:fieldRole", "urn:datahub:odrl:filter"], operands);
        Assert.Equal("urn:datahub:purpose:werbung", (string)policy["prohibition"]![0]!["constraint"]![0]!["rightOperand"]!["@id"]!);
        Assert.Equal(("inform", "P30D"), ((string)policy["obligation"]![0]!["action"]!, (string)policy["obligation"]![0]!["constraint"]![0]!["rightOperand"]!["@value"]!));

        Assert.Equal(["use", "urn:datahub:odrl:publishAggregates", "distribute"], policy["permission"]!.AsArray().Select(permission => (string)permission!["action"]!));
        Assert.Equal("obtainConsent", (string)policy["permission"]![2]!["duty"]![0]!["action"]!);

        var charter = (await OkAsync(hub.Anonymous.GetAsync("api/v1/charter"))).RootElement;
        Assert.Equal(("1", 11), (charter.GetProperty("version").GetString(), charter.GetProperty("clauses").GetArrayLength()));
        Assert.All(charter.GetProperty("clauses").EnumerateArray(), clause => Assert.NotEqual(clause.GetProperty("text").GetProperty("de").GetString(), clause.GetProperty("text").GetProperty("en").GetString()));
    }

    [Fact]
    public async Task Terms_that_do_not_hold_are_refused_with_the_member()
    {
        await using var hub = await HubFixture.StartAsync();
        var amt = await hub.AgencyAsync("amt", KeyRole.Admin);
        await hub.AgencyAsync("bezirk", KeyRole.Admin);
        await hub.PutAirQualityAsync("luft", "amt", access: AccessClass.Internal);
        await hub.AgencyAsync("andere");
        await hub.PutAirQualityAsync("fremd", "andere", access: AccessClass.Internal);
        foreach (var (change, status, says) in new (Action<JsonObject>, int, string)[]
        {
            (terms => terms["title"] = "", 422, "title"),
            (terms => terms.Remove("provider"), 400, "provider"),
            (terms => terms["dataset"] = "keiner", 422, "dataset"),
            (terms => terms["recipient"] = "keine", 422, "recipient"),
            (terms => terms["recipient"] = "amt", 422, "recipient"),
            (terms => terms["purposes"] = new JsonArray(), 422, "purposes"),
            (terms => terms["purposes"]![0]!["id"] = "Zweck", 422, "purposes[0].id"),
            (terms => terms["forbiddenPurposes"]![0]!["id"] = "planung", 422, "forbiddenPurposes"),
            (terms => terms["data"]!["filter"] = "no3 > 0", 422, "data.filter"),
            (terms => terms["data"]!["fields"] = new JsonArray("no3"), 422, "data.fields"),
            (terms => terms["data"]!["areas"] = new JsonArray("01"), 422, "data.areas"),
            (terms => terms["data"]!["smallestGroup"] = -1, 422, "data.smallestGroup"),
            (terms => terms["data"]!["unbekannt"] = 1, 400, "unbekannt"),
            (terms => terms["delivery"]!["rhythm"] = "1h", 422, "delivery.rhythm"),
            (terms => terms["delivery"]!["rowsPerDay"] = 0, 422, "delivery.rowsPerDay"),
            (terms => terms["delivery"]!["form"] = "alles", 400, "form"),
            (terms => terms["use"]!["groups"] = new JsonArray("amt/leser"), 422, "use.groups"),
            (terms => terms["use"]!["networks"] = new JsonArray("10.0.0.1/99"), 422, "use.networks"),
            (terms => terms["duties"]![0]!["due"] = "2027-01-01T00:00:00Z", 422, "duties[0]"),
            (terms => terms["duties"]![0]!["every"] = "PT1H", 422, "duties[0].every"),
            (terms => terms["term"]!["until"] = "2020-01-01T00:00:00Z", 422, "term.until"),
            (terms => terms["term"]!["notice"] = "bald", 422, "term.notice"),
            (terms => terms["term"]!["from"] = "9990-01-01T00:00:00Z", 422, "term.from"),
            (terms => terms["term"] = null, 422, "term"),
            (terms => terms["data"]!["fields"] = new JsonArray([.. Enumerable.Range(0, 201).Select(n => (JsonNode)JsonValue.Create("f" + n))]), 422, "data.fields"),
            (terms => terms["duties"] = new JsonArray([.. Enumerable.Range(0, 20).Select(n => new JsonObject { ["id"] = "d" + n, ["kind"] = "other", ["text"] = new JsonObject { ["de"] = new string('ü', 1_000), ["en"] = new string('ü', 1_000) }, ["every"] = "P1M" })]), 422, "65536"),
        })
        {
            var terms = Terms();
            change(terms);
            var problem = (await RefusedAsync(amt.PutAsJsonAsync("api/v1/agreements/x", terms), status)).RootElement;
            Assert.Contains(says, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        var other = Terms();
        other["dataset"] = "fremd";
        await RefusedAsync(amt.PutAsJsonAsync("api/v1/agreements/x", other), 403, "forbidden");
        Assert.Empty((await OkAsync(amt.GetAsync("api/v1/agreements"))).RootElement.GetProperty("agreements").EnumerateArray());
        await OkAsync(amt.PutAsJsonAsync("api/v1/agreements/x", Terms()));
        await RefusedAsync(amt.PutAsJsonAsync("api/v1/agreements/x", other), 409, "conflict");
        await RefusedAsync(amt.PostAsJsonAsync("api/v1/agreements/x/acts", new { act = "abnicken" }), 422, "invalid-agreement");
        await RefusedAsync(amt.PostAsJsonAsync("api/v1/agreements/x/acts", new { act = "change" }), 422, "invalid-agreement");
        await RefusedAsync(amt.PostAsJsonAsync("api/v1/agreements/x/acts", new { act = "offer", side = "recipient" }), 403, "forbidden");
        await RefusedAsync(amt.GetAsync("api/v1/agreements/x/events?after=y"), 400, "invalid-parameter");
    }

    [Fact]
    public async Task Whoever_may_act_for_both_sides_says_for_which()
    {
        await using var hub = await HubFixture.StartAsync();
        foreach (var agency in new[] { "amt", "bezirk" }) await hub.AgencyAsync(agency);
        await hub.PutAirQualityAsync("luft", "amt", access: AccessClass.Internal);
        await RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/agreements/v?side=recipient", Terms()), 409, "conflict");
        await RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/agreements/v?side=hub", Terms()), 400, "invalid-parameter");
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agreements/v", Terms()));
        await StandsAsync(ActAsync(hub.Admin, "offer"), "OFFERED");
        var acknowledged = await StandsAsync(hub.Admin.PostAsJsonAsync("api/v1/agreements/v/acts", new { act = "acknowledge-charter", side = "recipient" }), "OFFERED");
        Assert.Equal(["recipient"], acknowledged.GetProperty("acknowledged").EnumerateArray().Select(side => side.GetString()));
        Assert.Equal(["provider", "recipient"], acknowledged.GetProperty("sides").EnumerateArray().Select(side => side.GetString()));
        await StandsAsync(hub.Admin.PutAsJsonAsync("api/v1/agreements/v?side=recipient", Terms(rows: 7)), "NEGOTIATED");
        var last = (await OkAsync(hub.Admin.GetAsync("api/v1/agreements/v/events?after=3"))).RootElement.GetProperty("events").EnumerateArray().Single();
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agreements/w", Terms()));
        var listed = new List<string?>();
        for (var next = "/api/v1/agreements?agency=bezirk&limit=1"; next is not null;)
        {
            var page = (await OkAsync(hub.Admin.GetAsync(next))).RootElement;
            listed.AddRange(page.GetProperty("agreements").EnumerateArray().Select(one => one.GetProperty("id").GetString()));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(["v", "w"], listed);
        Assert.Equal((4, "recipient", "change", 2), (last.GetProperty("number").GetInt32(), last.GetProperty("side").GetString(), last.GetProperty("act").GetString(), last.GetProperty("version").GetInt32()));
    }

    private static JsonObject Terms(int rows = 1_000) => JsonNode.Parse($$"""
        { "title": { "de": "Luftgüte für die Planung", "en": "Air quality for planning" }, "provider": "amt", "recipient": "bezirk", "dataset": "luft",
          "purposes": [ { "id": "planung", "text": { "de": "Bauleitplanung", "en": "Land-use planning" } } ],
          "forbiddenPurposes": [ { "id": "werbung", "text": { "de": "Werbung <jeder> Art", "en": "Advertising" } } ],
          "legalBasis": "§ 12 EGovG", "data": { "filter": "no2 > 0" }, "delivery": { "rowsPerDay": {{rows}} }, "use": { "onwardTransfer": "withConsent", "publication": "aggregatesOnly" },
          "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht über die Nutzung", "every": "P30D", "missed": "suspension" } ],
          "term": { "from": "2026-12-02T08:00:00Z", "until": "2027-12-01T00:00:00Z", "notice": "P1M" }, "fourEyes": { "recipient": true } }
        """)!.AsObject();

    private static Task<HttpResponseMessage> ActAsync(HttpClient client, string act, string? reason = null, string? duty = null, string? evidence = null, int? version = null) =>
        client.PostAsJsonAsync("api/v1/agreements/v/acts", new { act, reason, duty, evidence, version });

    private static async Task<JsonElement> StandsAsync(Task<HttpResponseMessage> answer, string state)
    {
        var agreement = (await OkAsync(answer)).RootElement;
        Assert.Equal(state, agreement.GetProperty("state").GetString());
        return agreement;
    }

    /// <summary>What the audit log has of an action, as soon as it has it.</summary>
    private static async Task<JsonElement> NotedAsync(HttpClient client, string action)
    {
        for (var attempt = 0; ; attempt++)
        {
            var entries = (await OkAsync(client.GetAsync("api/v1/audit?action=" + action))).RootElement.GetProperty("entries").EnumerateArray().ToArray();
            if (entries.Length > 0) return entries[0];
            Assert.True(attempt < 100, $"{action} was not noted");
            await Task.Delay(100);
        }
    }

    private static async Task<string> TextAsync(HttpClient client, string path) => (await OkAsync(client.GetAsync(path))).RootElement.GetRawText();
}
