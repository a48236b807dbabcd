using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

using Orleans.Runtime;
using Orleans.Storage;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>Single records that another agency asks for in one procedure, the log of it, and what the person concerned is shown.</summary>
public sealed class EvidenceHttpTests : IAsyncDisposable
{
    private const string Evidence = "api/v1/datasets/melde/evidence";

    private static readonly string[] s_faulty = ["evidence-part", "evidence-record"];

    private HubFixture _hub = null!;
    private HttpClient _amt = null!, _bezirk = null!, _sachgebiet = null!;
    private string[] _keys = [];

    public async ValueTask DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task A_record_is_given_only_through_an_agreement_on_evidence_and_for_its_purpose()
    {
        await StartAsync();
        await RefusedAsync(AskAsync(_bezirk, "M-1"), 403, "forbidden");
        await AgreeAsync(Terms(form: "both"), "zeilen");
        await Task.Delay(300);
        Assert.Contains("zeilen", await WhyNotAsync(AskAsync(_bezirk, "M-1")), StringComparison.Ordinal);
        await AgreeAsync(Terms());

        var given = (await OkAsync(AskAgainAsync(_bezirk, "M-1"))).RootElement;
        Assert.True(given.GetProperty("found").GetBoolean());
        Assert.Equal("""{"nummer":"M-1","name":"Ada Geheimnis"}""", given.GetProperty("record").GetRawText());
        Assert.Equal(("v", 1, "wohngeld", "melde"), (given.GetProperty("agreement").GetString(), given.GetProperty("version").GetInt32(), given.GetProperty("purpose").GetString(), given.GetProperty("dataset").GetString()));
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData([.. Convert.FromHexString(given.GetProperty("salt").GetString()!), .. Encoding.UTF8.GetBytes(given.GetProperty("content").GetString()!)])),
            given.GetProperty("hash").GetString());
        using (var answer = await AskAsync(_bezirk, "M-1"))
        {
            Assert.True(answer.Headers.CacheControl!.NoStore);
            Assert.StartsWith("w1.", answer.Headers.GetValues("DataHub-Watermark").Single(), StringComparison.Ordinal);
        }

        // No other purpose, no other agency, no key that may not read.
        Assert.Contains("DataHub-Purpose", await WhyNotAsync(AskAsync(_bezirk, "M-1", purpose: null)), StringComparison.Ordinal);
        Assert.Contains("neugier", await WhyNotAsync(AskAsync(_bezirk, "M-1", purpose: "neugier")), StringComparison.Ordinal);
        await RefusedAsync(AskAsync(_hub.With(await _hub.KeyAsync("bezirk", KeyRole.Push)), "M-1"), 403);
        await RefusedAsync(AskAsync(await _hub.AgencyAsync("dritte", KeyRole.Admin), "M-1"), 403);
        await RefusedAsync(AskAsync(_hub.Anonymous, "M-1"), 401);

        // The form gives neither lists nor values.
        await OkAsync(ActAsync(_amt, "revoke", "Probe", "zeilen"));
        await Task.Delay(300);
        foreach (var path in new[] { "datasets/melde/records", "indicators/melde-zahl/values", "indicators/melde-zahl/latest" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/" + path) { Headers = { { "DataHub-Purpose", "wohngeld" } } };
            Assert.Contains("evidence", (await RefusedAsync(_bezirk.SendAsync(request), 403)).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        // The provider's own readers ask by right, with the same words, and see what they may see anyway.
        var own = (await OkAsync(AskAsync(_amt, "M-1"))).RootElement;
        Assert.Equal((JsonValueKind.Null, "Nordweg 1"), (own.GetProperty("agreement").ValueKind, own.GetProperty("record").GetProperty("adresse").GetString()));
        Assert.Contains("DataHub-Purpose", (await RefusedAsync(AskAsync(_amt, "M-1", purpose: null), 422, "invalid-evidence")).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // The policy and the text say what form it is.
        Assert.Contains("\"urn:datahub:odrl:form\",\"operator\":\"eq\",\"rightOperand\":\"evidence\"", await _bezirk.GetStringAsync("api/v1/agreements/v/odrl"), StringComparison.Ordinal);
        Assert.Contains("Nachweis, je Verfahren", await _bezirk.GetStringAsync("api/v1/agreements/v/text"), StringComparison.Ordinal);

        // Suspended it gives nothing.
        await OkAsync(ActAsync(_amt, "suspend", "Probe"));
        await Task.Delay(600);
        await RefusedAsync(AskAsync(_bezirk, "M-1"), 403);
    }

    [Fact]
    public async Task A_record_that_is_not_agreed_is_answered_as_one_that_is_not_there()
    {
        await StartAsync();
        await AgreeAsync(Terms());
        await OkAsync(AskAgainAsync(_bezirk, "M-1"));
        var answers = new List<string>();
        foreach (var number in new[] { "M-3", "M-4", "gibt-es-nicht" })
        {
            var answer = JsonNode.Parse((await OkAsync(AskAsync(_bezirk, number))).RootElement.GetRawText())!.AsObject();
            Assert.Equal((false, "null"), ((bool)answer["found"]!, (string)answer["content"]!));
            foreach (var member in new[] { "id", "at", "salt", "hash" }) Assert.True(answer.Remove(member));
            answers.Add(answer.ToJsonString());
        }

        // M-3 is in another district and M-4 of another time; neither differs from what was never there.
        Assert.Single(answers.Distinct());
        var logged = await LogAsync(_amt);
        Assert.Equal([true, false, false, false], logged.Select(entry => entry.GetProperty("found").GetBoolean()));
        Assert.All(logged.Skip(1), entry => Assert.Empty(entry.GetProperty("fields").EnumerateArray()));

        // A record that is corrected is given as it stands, one that is retracted is not there any more.
        await PushAsync("""[ {"nummer":"M-1","bezirk":"nord","seit":"2026-01-01T00:00:00Z","name":"Ada Neu","adresse":"Nordweg 2"}, {"nummer":"M-2","@delete":true} ]""");
        Assert.Equal("Ada Neu", (await OkAsync(AskAsync(_bezirk, "M-1"))).RootElement.GetProperty("record").GetProperty("name").GetString());
        Assert.False((await OkAsync(AskAsync(_bezirk, "M-2"))).RootElement.GetProperty("found").GetBoolean());
    }

    [Fact]
    public async Task A_key_of_several_fields_with_the_time_among_them_finds_its_record_in_the_agreed_areas()
    {
        await StartAsync();
        await OkAsync(_hub.Admin.PutAsync("api/v1/areas/stadt", new StringContent("id,parent,name,level\n1,,Eins,0\n11,1,Elf,1\n2,,Zwei,0\n", Encoding.UTF8, "text/csv")));
        await OkAsync(_amt.PutAsync("api/v1/datasets/luft", new StringContent("""
            { "title": "Luft", "publisher": "amt", "license": "dl-de/by-2-0", "kind": "observations", "access": "internal", "areaSystem": "stadt", "partitions": 2,
              "schema": { "primaryKey": [ "station", "time" ], "fields": [ { "name": "station", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" }, { "name": "area", "type": "string", "role": "area" }, { "name": "no2", "type": "number", "role": "measure" } ] } }
            """, Encoding.UTF8, "application/json")));
        await PushAsync("""[ {"station":"a","time":"2026-11-01T01:00:00Z","area":"11","no2":1.5}, {"station":"a","time":"2026-11-01T02:00:00Z","area":"11","no2":2}, {"station":"b","time":"2026-11-01T01:00:00Z","area":"2","no2":3} ]""", "luft");
        var terms = Terms();
        (terms["dataset"], terms["data"]) = ("luft", new JsonObject { ["areas"] = new JsonArray("1") });
        await AgreeAsync(terms);
        await Task.Delay(300);
        foreach (var (station, time, content) in new[]
        {
            ("a", "2026-11-01T01:00:00Z", """{"station":"a","time":"2026-11-01T01:00:00Z","area":"11","no2":1.5}"""), ("a", "2026-11-01T03:00:00+01:00", """{"station":"a","time":"2026-11-01T02:00:00Z","area":"11","no2":2}"""),
            ("b", "2026-11-01T01:00:00Z", "null"), ("a", "2026-11-01T01:00:01Z", "null"),
        })
        {
            var body = Body("");
            body["key"] = new JsonObject { ["time"] = time, ["station"] = station };
            Assert.Equal(content, (await OkAsync(SendAsync(_bezirk, "api/v1/datasets/luft/evidence", body))).RootElement.GetProperty("content").GetString());
        }
    }

    [Fact]
    public async Task What_is_missing_or_too_long_is_named_and_nothing_is_logged_of_it()
    {
        await StartAsync();
        await AgreeAsync(Terms());
        await OkAsync(AskAgainAsync(_bezirk, "M-1"));
        foreach (var (change, status, says) in new (Action<JsonObject>, int, string)[]
        {
            (body => body.Remove("legalNorm"), 400, "legalNorm"), (body => body["legalNorm"] = " ", 422, "legalNorm"), (body => body["legalNorm"] = new string('x', 501), 422, "legalNorm"),
            (body => body["procedure"] = "", 422, "procedure"), (body => body["procedure"] = new string('x', 501), 422, "procedure"),
            (body => body["fileNumber"] = "", 422, "fileNumber"), (body => body["fileNumber"] = new string('x', 201), 422, "fileNumber"), (body => body["fileNumber"] = "a\nb", 422, "fileNumber"),
            (body => body["requester"] = null, 422, "requester"), (body => body["requester"] = new string('x', 201), 422, "requester"),
            (body => body["key"] = new JsonObject(), 422, "key.nummer"), (body => body["key"] = new JsonObject { ["nummer"] = 7 }, 422, "key.nummer"),
            (body => body["key"] = new JsonObject { ["nummer"] = "M-1", ["name"] = "Ada" }, 422, "key.name"), (body => body["key"] = new JsonObject { ["nummer"] = null }, 422, "key.nummer"),
            (body => body["copy"] = true, 400, "copy"),
        })
        {
            var body = Body("M-1");
            change(body);
            var detail = (await RefusedAsync(SendAsync(_bezirk, Evidence, body), status)).RootElement.GetProperty("detail").GetString();
            Assert.True(detail!.Contains(says, StringComparison.Ordinal), $"{says}: {detail}");
        }

        Assert.Single(await LogAsync(_amt));
    }

    [Fact]
    public async Task Networks_keys_and_the_days_volume_are_kept()
    {
        await StartAsync();
        foreach (var (use, allowed) in new[]
        {
            (new JsonObject { ["keys"] = new JsonArray(_keys[1].Split('.')[1]) }, true), (new JsonObject { ["keys"] = new JsonArray("zzzzzzzz") }, false),
            (new JsonObject { ["networks"] = new JsonArray("127.0.0.0/8") }, true), (new JsonObject { ["networks"] = new JsonArray("192.0.2.0/24") }, false), (new JsonObject { ["groups"] = new JsonArray("bezirk/amt") }, false),
        })
        {
            var id = $"w{Guid.NewGuid():N}"[..10];
            await AgreeAsync(Terms(use: use), id);
            if (allowed) await OkAsync(AskAgainAsync(_bezirk, "M-1"));
            else await RefusedAsync(AskAsync(_bezirk, "M-1"), 403);
            await OkAsync(ActAsync(_amt, "revoke", "Probe", id));
            await Task.Delay(300);
        }

        // A question for what is not there counts as any other.
        await AgreeAsync(Terms(perDay: 3));
        await OkAsync(AskAgainAsync(_bezirk, "gibt-es-nicht"));
        foreach (var number in new[] { "M-1", "M-2" }) await OkAsync(AskAsync(_bezirk, number));
        Assert.Contains("3 Nachweise am Tag", await WhyNotAsync(AskAsync(_bezirk, "M-1")), StringComparison.Ordinal);
        await _hub.RestartAsync();
        Reconnect();
        await RefusedAsync(AskAsync(_bezirk, "M-1"), 403);

        // Both sides see the use.
        foreach (var side in new[] { _amt, _bezirk })
        {
            var usage = (await OkAsync(side.GetAsync("api/v1/agreements/v/usage"))).RootElement;
            Assert.Equal(3, usage.GetProperty("entries").EnumerateArray().Concat(usage.GetProperty("open").EnumerateArray()).Sum(entry => entry.GetProperty("rows").GetInt64()));
        }
    }

    [Fact]
    public async Task Both_agencies_see_the_log_and_nothing_of_the_record_is_kept_in_it()
    {
        await StartAsync();
        await AgreeAsync(Terms());
        var given = (await OkAsync(AskAgainAsync(_bezirk, "M-1"))).RootElement;
        await OkAsync(AskAsync(_sachgebiet, "M-2", "Sachgebiet 7"));
        await OkAsync(AskAsync(_amt, "M-1"));

        var all = await LogAsync(_amt);
        Assert.Equal(["bezirk", "bezirk", "amt"], all.Select(entry => entry.GetProperty("agency").GetString()));
        var first = all[0];
        foreach (var member in new[] { "id", "at", "hash", "watermark", "agreement", "purpose" }) Assert.Equal(given.GetProperty(member).GetString(), first.GetProperty(member).GetString());
        Assert.Equal(
            ("Wohngeldstelle", "§ 23 WoGG", "Antrag auf Wohngeld", "WG-2026-17", 1),
            (first.GetProperty("requester").GetString(), first.GetProperty("legalNorm").GetString(), first.GetProperty("procedure").GetString(), first.GetProperty("fileNumber").GetString(), first.GetProperty("version").GetInt32()));
        Assert.Equal(["nummer", "name"], first.GetProperty("fields").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal((true, false), (first.GetProperty("recordHash").GetString() == all[2].GetProperty("recordHash").GetString(), first.GetProperty("recordHash").GetString() == all[1].GetProperty("recordHash").GetString()));

        // The recipient sees its own, a key of it what that key asked; nobody else anything.
        Assert.Equal(["Wohngeldstelle", "Sachgebiet 7"], (await LogAsync(_bezirk)).Select(entry => entry.GetProperty("requester").GetString()));
        Assert.Equal(["Sachgebiet 7"], (await LogAsync(_sachgebiet)).Select(entry => entry.GetProperty("requester").GetString()));
        Assert.Empty(await LogAsync(_bezirk, "?day=2026-01-01"));
        foreach (var stranger in new[] { _hub.Anonymous, await _hub.AgencyAsync("dritte", KeyRole.Admin), _hub.With(await _hub.KeyAsync("amt", KeyRole.Read)) }) await RefusedAsync(stranger.GetAsync(Evidence), 404, "not-found");
        await RefusedAsync(_amt.GetAsync(Evidence + "?day=gestern"), 400, "invalid-parameter");
        await RefusedAsync(_amt.GetAsync(Evidence + "?after=x"), 400);

        // Page by page.
        var paged = new List<string?>();
        for (var next = "/" + Evidence + "?limit=1"; next is not null;)
        {
            var page = (await OkAsync(_amt.GetAsync(next))).RootElement;
            Assert.True(page.GetProperty("entries").GetArrayLength() <= 1);
            paged.AddRange(page.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("id").GetString()));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(all.Select(entry => entry.GetProperty("id").GetString()), paged);

        // The audit log has it for both, without norm, file number or key.
        foreach (var (side, count) in new[] { (_amt, 3), (_bezirk, 2) })
        {
            var noted = (await OkAsync(side.GetAsync("api/v1/audit?action=evidence.given&order=oldest"))).RootElement.GetProperty("entries").EnumerateArray().Where(entry => entry.GetProperty("agency").GetString() == (count == 3 ? "amt" : "bezirk")).ToArray();
            Assert.Equal(count, noted.Length);
            var detail = noted[0].GetProperty("detail");
            Assert.Equal(("agreement", "v v1", "wohngeld", given.GetProperty("id").GetString()), (detail.GetProperty("because").GetString(), detail.GetProperty("reference").GetString(), detail.GetProperty("purpose").GetString(), detail.GetProperty("evidence").GetString()));
            Assert.DoesNotContain("WG-2026-17", noted[0].GetRawText(), StringComparison.Ordinal);
        }

        // In the files of the state: the log, but neither what was answered nor whose it was.
        await _hub.RestartAsync();
        Reconnect();
        var files = Files.Where(file => Path.GetFileName(file).Contains("state", StringComparison.Ordinal)).ToArray();
        var state = string.Concat(files.Select(Read));
        Assert.Contains("Sachgebiet 7", state, StringComparison.Ordinal);
        foreach (var secret in new[] { "Ada Geheimnis", "Bea Verborgen", "M-1", "M-2" }) Assert.DoesNotContain(secret, state, StringComparison.Ordinal);
        Assert.Contains("Ada Geheimnis", string.Concat(Files.Except(files).Select(Read)), StringComparison.Ordinal);
        Assert.Equal(all.Select(entry => entry.GetRawText()), (await LogAsync(_amt)).Select(entry => entry.GetRawText()));

        static string Read(string file)
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return Encoding.UTF8.GetString(bytes.ToArray());
        }
    }

    [Fact]
    public async Task The_person_concerned_is_shown_who_asked_for_what_when_and_why()
    {
        await StartAsync();
        await AgreeAsync(Terms());
        await OkAsync(AskAgainAsync(_bezirk, "M-1", "Wohngeld <Stelle>"));
        await OkAsync(AskAsync(_bezirk, "M-2"));
        await OkAsync(AskAsync(_bezirk, "M-3"));
        await OkAsync(AskAsync(_amt, "M-1", "Meldestelle"));

        var found = (await OkAsync(InquireAsync(_amt, "M-1"))).RootElement;
        Assert.Equal((730, "amt"), (found.GetProperty("keptDays").GetInt32(), found.GetProperty("publisher").GetProperty("id").GetString()));
        var questions = found.GetProperty("questions").EnumerateArray().ToArray();
        Assert.Equal(["Meldestelle", "Wohngeld <Stelle>"], questions.Select(question => question.GetProperty("requester").GetString()));
        Assert.Equal(
            ("bezirk", "Wohngeld prüfen", "Check housing benefit", "§ 23 WoGG", "Antrag auf Wohngeld", "WG-2026-17", true),
            (questions[1].GetProperty("agency").GetProperty("name").GetProperty("de").GetString(), questions[1].GetProperty("purposeText").GetProperty("de").GetString(), questions[1].GetProperty("purposeText").GetProperty("en").GetString(),
                questions[1].GetProperty("legalNorm").GetString(), questions[1].GetProperty("procedure").GetString(), questions[1].GetProperty("fileNumber").GetString(), questions[1].GetProperty("found").GetBoolean()));
        Assert.Equal(["nummer", "name"], questions[1].GetProperty("fields").EnumerateArray().Select(field => field.GetProperty("name").GetString()));
        Assert.Single((await OkAsync(InquireAsync(_amt, "M-2"))).RootElement.GetProperty("questions").EnumerateArray());
        Assert.Empty((await OkAsync(InquireAsync(_amt, "M-5"))).RootElement.GetProperty("questions").EnumerateArray());

        foreach (var (language, format, accept, title, says) in new[]
        {
            ("de", "", "text/html", "<h1>Wer hat welche Angaben", "Mitgeteilt wurde: nummer, Familienname"), ("en", "?format=html", "*/*", "<h1>Who asked", "What was told: nummer, family name"),
            ("de", "?format=text", "*/*", "Wer hat welche Angaben über Sie abgerufen?", "Wofür: Wohngeld prüfen"), ("en", "", "text/plain", "Who asked for which details about you?", "What for: Check housing benefit"),
        })
        {
            using var answer = await InquireAsync(_amt, "M-1", format, accept, language);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, text);
            Assert.Equal((language, true), (answer.Content.Headers.ContentLanguage.Single(), answer.Headers.CacheControl!.NoStore));
            text = answer.Content.Headers.ContentType!.MediaType == "text/html" ? text.Replace("&#252;", "ü", StringComparison.Ordinal) : text;
            foreach (var part in new[] { title, says, "WG-2026-17", "§ 23 WoGG", "730", answer.Content.Headers.ContentType.MediaType == "text/html" ? "Wohngeld &lt;Stelle&gt;" : "Wohngeld <Stelle>" })
                Assert.Contains(part, text.Replace("&#167;", "§", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.DoesNotContain("Geheimnis", text, StringComparison.Ordinal);
        }

        // Asking is noted; the recipient and others cannot.
        var noted = (await OkAsync(_amt.GetAsync("api/v1/audit?action=evidence.inquired"))).RootElement.GetProperty("entries").EnumerateArray().ToArray();
        Assert.Equal(7, noted.Length);
        Assert.Equal("Antrag auf Auskunft", noted[0].GetProperty("detail").GetProperty("reason").GetString());
        Assert.All(noted, entry => Assert.DoesNotContain("M-1", entry.GetRawText(), StringComparison.Ordinal));
        foreach (var (client, status) in new[] { (_bezirk, 403), (_hub.With(await _hub.KeyAsync("amt", KeyRole.Read)), 403), (_hub.Anonymous, 401) }) await RefusedAsync(InquireAsync(client, "M-1"), status);
        Assert.Contains("reason", (await RefusedAsync(SendAsync(_amt, Evidence + "/inquiries", new JsonObject { ["key"] = new JsonObject { ["nummer"] = "M-1" }, ["reason"] = "" }), 422, "invalid-evidence")).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("key.nummer", (await RefusedAsync(SendAsync(_amt, Evidence + "/inquiries", new JsonObject { ["key"] = new JsonObject(), ["reason"] = "x" }), 422, "invalid-evidence")).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await RefusedAsync(InquireAsync(_amt, "M-1", "?format=pdf"), 400, "invalid-parameter");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_years_later_nothing_is_shown_and_soon_nothing_is_stored(bool restart)
    {
        var clock = new FakeTimeProvider(new(2026, 12, 1, 8, 0, 0, TimeSpan.Zero));
        await StartAsync(clock);
        await AgreeAsync(Terms(from: "2026-11-01T00:00:00Z", until: "2032-01-01T00:00:00Z"));
        var asked = (await OkAsync(AskAsync(_bezirk, "M-1"))).RootElement.GetProperty("at").GetDateTimeOffset();
        clock.SetUtcNow(asked.AddHours(1));
        await OkAsync(AskAsync(_bezirk, "M-1"));
        var record = (await LogAsync(_amt, "?day=2026-12-01"))[0].GetProperty("recordHash").GetString()!;

        clock.SetUtcNow(asked.AddDays(730).AddSeconds(-1));
        Assert.Equal(2, (await LogAsync(_amt, "?day=2026-12-01")).Length);
        clock.SetUtcNow(asked.AddDays(730));
        Assert.Single(await LogAsync(_amt, "?day=2026-12-01"));
        Assert.Single((await OkAsync(InquireAsync(_amt, "M-1"))).RootElement.GetProperty("questions").EnumerateArray());
        clock.SetUtcNow(asked.AddDays(731).AddHours(1));
        if (restart)
        {
            await _hub.RestartAsync();
            Reconnect();
        }

        Assert.Empty(await LogAsync(_amt, "?day=2026-12-01"));
        Assert.Empty((await OkAsync(InquireAsync(_amt, "M-1"))).RootElement.GetProperty("questions").EnumerateArray());
        var storage = _hub.Services.GetRequiredKeyedService<IGrainStorage>("state");
        var (part, about, log) = (new GrainState<EvidencePartState>(), new GrainState<EvidenceRecordState>(), new GrainState<EvidenceLogState>());
        for (var tries = 0; ; tries++)
        {
            await storage.ReadStateAsync("evidence-part", _hub.Grains.GetGrain<IEvidencePartGrain>("melde/2026-12-01/1").GetGrainId(), part);
            await storage.ReadStateAsync("evidence-record", _hub.Grains.GetGrain<IEvidenceRecordGrain>("melde/" + record).GetGrainId(), about);
            await storage.ReadStateAsync("evidence-log", _hub.Grains.GetGrain<IEvidenceLogGrain>("melde").GetGrainId(), log);
            if (part.RecordExists || about.RecordExists || log.State!.Days.Length > 0)
            {
                Assert.True(tries < 200, $"part {part.State?.Records.Length}, record {about.State?.Entries.Length}, days {log.State?.Days.Length}");
                clock.Advance(TimeSpan.FromMinutes(30));
                await Task.Delay(50);
                continue;
            }

            break;
        }

        // It goes on from there.
        await OkAsync(AskAgainAsync(_bezirk, "M-1"));
        Assert.Single((await OkAsync(InquireAsync(_amt, "M-1"))).RootElement.GetProperty("questions").EnumerateArray());
    }

    [Fact]
    public async Task A_question_that_could_not_be_logged_is_not_answered_and_one_that_was_answered_is_in_both_logs()
    {
        var failing = new List<string>();
        await StartAsync(services: services =>
        {
            var registered = services.Last(service => service.ServiceType == typeof(IGrainStorage) && Equals(service.ServiceKey, "state"));
            services.AddKeyedSingleton<IGrainStorage>("state", (provider, key) => new FailingStorage((IGrainStorage)registered.KeyedImplementationFactory!(provider, key), failing));
        });
        await AgreeAsync(Terms());
        var answered = new List<string?> { (await OkAsync(AskAgainAsync(_bezirk, "M-1"))).RootElement.GetProperty("id").GetString() };
        foreach (var name in s_faulty)
        {
            lock (failing) failing.Add(name);
            await RefusedAsync(AskAsync(_bezirk, "M-1"), 503, "unavailable");
            lock (failing) Assert.Empty(failing);
            answered.Add((await OkAsync(AskAgainAsync(_bezirk, "M-1", status: HttpStatusCode.ServiceUnavailable))).RootElement.GetProperty("id").GetString());
        }

        await _hub.RestartAsync();
        Reconnect();

        // What was stored by day and not by record was not answered; it can be found, and so be deleted.
        Assert.Equal(4, (await LogAsync(_amt)).Length);
        Assert.Equal(3, (await OkAsync(InquireAsync(_amt, "M-1"))).RootElement.GetProperty("questions").GetArrayLength());
        Assert.Empty(answered.Except((await LogAsync(_amt)).Select(entry => entry.GetProperty("id").GetString())));
        Assert.Empty(answered.Except((await OkAsync(InquireAsync(_amt, "M-1"))).RootElement.GetProperty("questions").EnumerateArray().Select(question => question.GetProperty("id").GetString())));
    }

    [Fact]
    public async Task A_day_of_more_questions_than_one_part_holds_is_listed_whole()
    {
        await StartAsync();
        await AgreeAsync(Terms());
        await OkAsync(AskAgainAsync(_bezirk, "M-1"));
        await Parallel.ForEachAsync(Enumerable.Range(0, 149), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (number, _) => await OkAsync(AskAsync(_bezirk, "n-" + number)));
        Assert.Equal(150, (await LogAsync(_amt)).Length);
        var ids = new List<string?>();
        for (var next = "/" + Evidence + "?limit=40"; next is not null;)
        {
            var page = (await OkAsync(_bezirk.GetAsync(next))).RootElement;
            ids.AddRange(page.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("id").GetString()));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal((150, 150), (ids.Count, ids.Distinct().Count()));
    }

    private async Task StartAsync(FakeTimeProvider? clock = null, Action<IServiceCollection>? services = null)
    {
        _hub = await HubFixture.StartAsync(clock: clock, services: services);
        _keys = [await _hub.KeyAsync("amt", KeyRole.Admin), await _hub.KeyAsync("bezirk", KeyRole.Admin), await _hub.KeyAsync("bezirk", KeyRole.Read)];
        Reconnect();
        await OkAsync(_amt.PutAsync("api/v1/datasets/melde", new StringContent("""
            { "title": { "de": "Melderegister", "en": "Residents" }, "publisher": "amt", "license": "dl-de/by-2-0", "legalBasis": "BMG", "kind": "records", "access": "internal", "partitions": 3,
              "schema": { "primaryKey": [ "nummer" ], "fields": [ { "name": "nummer", "type": "string" }, { "name": "bezirk", "type": "string", "role": "dimension" }, { "name": "seit", "type": "datetime", "role": "time" },
                { "name": "name", "type": "string", "role": "personal", "title": { "de": "Familienname", "en": "family name" } }, { "name": "adresse", "type": "string", "role": "personal" } ] } }
            """, Encoding.UTF8, "application/json")));
        await _hub.ReleaseAsync("melde");
        await OkAsync(_amt.PutAsJsonAsync("api/v1/indicators/melde-zahl", new { title = "Zahl", dataset = "melde", measure = new { function = "count" }, window = "P1M" }));
        await PushAsync("""
            [ {"nummer":"M-1","bezirk":"nord","seit":"2026-01-01T00:00:00Z","name":"Ada Geheimnis","adresse":"Nordweg 1"}, {"nummer":"M-2","bezirk":"nord","seit":"2026-02-01T00:00:00Z","name":"Bea Verborgen","adresse":"Nordweg 2"},
              {"nummer":"M-3","bezirk":"süd","seit":"2026-01-01T00:00:00Z","name":"Cem Woanders","adresse":"Südweg 1"}, {"nummer":"M-4","bezirk":"nord","seit":"2025-01-01T00:00:00Z","name":"Dua Früher","adresse":"Nordweg 4"} ]
            """);
    }

    /// <summary>The hub's, without the lock on the folder.</summary>
    private string[] Files => [.. Directory.GetFiles(_hub.Folder, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock")];

    private void Reconnect() => (_amt, _bezirk, _sachgebiet) = (_hub.With(_keys[0]), _hub.With(_keys[1]), _hub.With(_keys[2]));

    private async Task PushAsync(string rows, string dataset = "melde") => await OkAsync(_amt.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", new StringContent(rows, Encoding.UTF8, "application/json")));

    private async Task AgreeAsync(JsonObject terms, string id = "v")
    {
        await OkAsync(_amt.PutAsJsonAsync($"api/v1/agreements/{id}", terms));
        foreach (var (client, act) in new[] { (_amt, "acknowledge-charter"), (_amt, "offer"), (_bezirk, "acknowledge-charter"), (_amt, "agree"), (_bezirk, "agree") }) await OkAsync(ActAsync(client, act, null, id));
    }

    private static Task<HttpResponseMessage> ActAsync(HttpClient client, string act, string? reason = null, string id = "v") => client.PostAsJsonAsync($"api/v1/agreements/{id}/acts", new { act, reason });

    private static Task<HttpResponseMessage> AskAsync(HttpClient client, string number, string requester = "Wohngeldstelle", string? purpose = "wohngeld") =>
        SendAsync(client, Evidence, Body(number, requester), purpose);

    /// <summary>Asks until the agreement that was just made is known, or what failed stands again.</summary>
    private static async Task<HttpResponseMessage> AskAgainAsync(HttpClient client, string number, string requester = "Wohngeldstelle", HttpStatusCode status = HttpStatusCode.Forbidden)
    {
        for (var tries = 0; ; tries++, await Task.Delay(50))
        {
            var answer = await AskAsync(client, number, requester);
            if (answer.StatusCode != status || tries == 30) return answer;
            answer.Dispose();
        }
    }

    private static async Task<string> WhyNotAsync(Task<HttpResponseMessage> answer) => (await RefusedAsync(answer, 403)).RootElement.GetProperty("detail").GetString()!;

    private static Task<HttpResponseMessage> InquireAsync(HttpClient client, string number, string parameters = "", string accept = "application/json", string language = "de")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Evidence + "/inquiries" + parameters)
        {
            Content = JsonContent.Create(new { key = new { nummer = number }, reason = "Antrag auf Auskunft" }),
            Headers = { { "Accept", accept }, { "Accept-Language", language } },
        };
        return client.SendAsync(request);
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string path, JsonObject body, string? purpose = "wohngeld")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (purpose is not null) request.Headers.Add("DataHub-Purpose", purpose);
        return client.SendAsync(request);
    }

    private static async Task<JsonElement[]> LogAsync(HttpClient client, string parameters = "") => [.. (await OkAsync(client.GetAsync(Evidence + (parameters.Length == 0 ? "?limit=1000" : parameters)))).RootElement.GetProperty("entries").EnumerateArray()];

    private static JsonObject Body(string number, string requester = "Wohngeldstelle") => new()
    {
        ["key"] = new JsonObject { ["nummer"] = number },
        ["legalNorm"] = "§ 23 WoGG",
        ["procedure"] = "Antrag auf Wohngeld",
        ["fileNumber"] = "WG-2026-17",
        ["requester"] = requester,
    };

    private static JsonObject Terms(string form = "evidence", JsonObject? use = null, long? perDay = null, string? from = null, string? until = null)
    {
        from ??= DateTimeOffset.UtcNow.AddMinutes(-5).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        until ??= DateTimeOffset.UtcNow.AddYears(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var terms = JsonNode.Parse($$"""
            { "title": "Nachweise für Wohngeld", "provider": "amt", "recipient": "bezirk", "dataset": "melde", "purposes": [ { "id": "wohngeld", "text": { "de": "Wohngeld prüfen", "en": "Check housing benefit" } } ],
              "forbiddenPurposes": [ { "id": "werbung", "text": "Werbung" } ], "legalBasis": "§ 23 WoGG", "data": { "fields": [ "nummer", "name" ], "filter": "bezirk = 'nord'", "from": "2026-01-01T00:00:00Z" },
              "delivery": { "form": "{{form}}" }, "use": { "networks": [ "127.0.0.0/8" ], "publication": "aggregatesOnly" },
              "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht", "every": "P1Y", "missed": "notice" }, { "id": "loeschen", "kind": "delete", "text": "Löschen", "every": "P1Y", "missed": "notice" } ],
              "term": { "from": "{{from}}", "until": "{{until}}", "notice": "P1M" } }
            """)!.AsObject();
        if (perDay is not null) terms["delivery"]!["rowsPerDay"] = perDay;
        if (form == "both") terms["data"]!["smallestGroup"] = 5;
        if (use is not null)
        {
            terms["use"] = use;
            use["publication"] = "aggregatesOnly";
        }

        return terms;
    }

    /// <summary>The next write of a state that is named is refused.</summary>
    private sealed class FailingStorage(IGrainStorage inner, List<string> failing) : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ReadStateAsync(stateName, grainId, grainState);

        public void Participate(ISiloLifecycle observer) => (inner as ILifecycleParticipant<ISiloLifecycle>)?.Participate(observer);

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            lock (failing)
            {
                if (failing.Remove(stateName)) throw new IOException($"{stateName} is not written");
            }

            return inner.WriteStateAsync(stateName, grainId, grainState);
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ClearStateAsync(stateName, grainId, grainState);
    }
}
