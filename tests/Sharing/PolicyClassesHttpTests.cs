using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>
/// Each class of policy on its whole way: drafted and offered without it, countered with it by the recipient, agreed by both,
/// said by policy and text of the version agreed, kept while it is in force, and nothing given before and after.
/// </summary>
public sealed class PolicyClassesHttpTests(PolicyClassesHttpTests.Hub hub) : IClassFixture<PolicyClassesHttpTests.Hub>
{
    private const string Rows = "datasets/laerm/records?limit=100", Values = "indicators/summe/values?limit=100", Explain = "indicators/summe/explain?from=";

    /// <summary>Who asks: of the recipient keys that may read or not, and Ada and Bert in two of its groups; a key and Cleo of a third agency.</summary>
    private const string Key = "key", SecondKey = "second key", PushKey = "push key", Elsewhere = "key from 127.0.0.2", ThirdKey = "third agency's key", Ada = "ada", Bert = "bert", Cleo = "cleo";

    private static readonly PolicyClass[] s_classes =
    [
        new("anyone-agreed")
        {
            Odrl = ["assignee urn:datahub:agency:bezirk"], NotOdrl = ["recipient ", "systemDevice "], Text = "Die ganze empfangende Behörde",
            Given = [new(Key, Rows), new(SecondKey, Values), new(Ada, Rows), new(Bert, Values)],
            Refused =
            [
                new(ThirdKey, Rows) { Says = "Behörde „amt“" }, new(Cleo, Values) { Says = "„amt“" },
                new(PushKey, Rows) { Says = "Schlüssel von „bezirk“, die diesen Datensatz lesen dürfen" },
            ],
        },
        new("role")
        {
            Terms = { ["use.groups"] = """["bezirk/planung"]""" },
            Odrl = ["recipient isAnyOf urn:datahub:group:bezirk/planung"], Text = "Nur Gruppen: bezirk/planung",
            Given = [new(Ada, Rows), new(Ada, Values)],
            Refused =
            [
                new(Bert, Rows) { Says = "Personen dieser Gruppen: bezirk/planung" }, new(Bert, Values) { Says = "Personen dieser Gruppen: bezirk/planung" },
                new(Key, Rows) { Says = "Personen dieser Gruppen: bezirk/planung" }, new(Cleo, Rows) { Says = "„amt“" },
            ],
        },
        new("client")
        {
            Terms = { ["use.keys"] = """["{key}"]""" },
            Odrl = ["systemDevice isAnyOf urn:datahub:key:bezirk.{key}"], Text = "Nur Schlüssel: {key}",
            Given = [new(Key, Rows), new(Key, Values)],
            Refused = [new(SecondKey, Rows) { Says = "nur für diese Schlüssel: {key}" }, new(Ada, Values) { Says = "nur für diese Schlüssel: {key}" }],
        },
        new("purpose")
        {
            Terms = { ["purposes"] = """[{"id":"planung","text":"Bauleitplanung"},{"id":"forschung","text":"Lärmforschung"}]""" },
            Odrl = ["purpose isAnyOf urn:datahub:purpose:planung, urn:datahub:purpose:forschung", "not: purpose eq urn:datahub:purpose:werbung"], Text = "Erlaubt (forschung): Lärmforschung",
            Given = [new(Key, Rows), new(Key, Rows) { Purpose = "forschung" }, new(Ada, Values) { Purpose = "forschung" }],
            Refused =
            [
                new(Key, Rows) { Purpose = "werbung", Says = "nicht für den Zweck „werbung“, sondern für: planung, forschung" },
                new(Key, Values) { Purpose = null, Says = "die Kopfzeile DataHub-Purpose muss einen davon nennen: planung, forschung" },
            ],
        },
        new("period")
        {
            Terms = { ["data.from"] = "\"2026-11-01T01:00:00Z\"", ["data.to"] = "\"2026-11-01T03:00:00Z\"" },
            Odrl = ["urn:datahub:odrl:rowTime gteq 2026-11-01T01:00:00Z", "urn:datahub:odrl:rowTime lt 2026-11-01T03:00:00Z"],
            Text = "Zeitraum der Zeilen: 2026-11-01 01:00 UTC bis 2026-11-01 03:00 UTC",
            Given =
            [
                new(Key, Rows) { Gives = rows => rows.Length == 8 }, new(Key, Values) { Gives = rows => rows.Length == 6 }, new(Key, Explain + "2026-11-01T01:00:00Z&area=11"),
                new(Key, Rows + "&to=2026-11-01T01:00:00Z") { Gives = rows => rows.Length == 0 }, new(Key, Values + "&from=2026-11-01T03:00:00Z") { Gives = rows => rows.Length == 0 },
            ],
            Refused = [new(Key, Explain + "2026-11-01T00:00:00Z&area=11") { Says = "gibt dieses Fenster nicht" }],
        },
        new("period-of-use")
        {
            Terms =
            {
                ["term"] = """{"from":"{begin}","until":"{end}","notice":"PT1M"}""",
                ["duties"] = """[{"id":"bericht","kind":"report","text":"Bericht über die Nutzung","due":"{end}","missed":"notice"}]""",
            },
            Odrl = ["dateTime gteq {begin}", "dateTime lt {end}"], Text = "Von {begin text} bis {end text}",
            Begins = TimeSpan.FromMinutes(5), Lasts = TimeSpan.FromHours(1),
            Given = [new(Key, Rows), new(Ada, Values)],
            Refused = [new(Key, Rows) { Purpose = "werbung", Says = "nicht für den Zweck „werbung“" }],
        },
        new("place")
        {
            Terms = { ["data.areas"] = """["1"]""" },
            Odrl = ["spatial isAnyOf urn:datahub:area:1"], Text = "Gebiete: 1",
            Given =
            [
                new(Key, Rows) { Gives = rows => rows.Length == 12 && Array.TrueForAll(rows, row => Text(row, "area").StartsWith('1')) }, new(Key, Values) { Gives = rows => rows.Length == 8 },
                new(Key, Explain + "2026-11-01T00:00:00Z&area=12"), new(Key, Rows + "&area=21") { Gives = rows => rows.Length == 0 },
            ],
            Refused = [new(Key, Explain + "2026-11-01T00:00:00Z&area=21") { Says = "gibt das Gebiet „21“ nicht" }, new(Key, Values + "&whole=true") { Says = "gibt nur die Gebiete 1, nicht alle zusammen" }],
        },
        new("network")
        {
            Terms = { ["use.networks"] = """["127.0.0.1/32"]""" },
            Odrl = ["virtualLocation isAnyOf 127.0.0.1/32"], Text = "Nur aus Netzen: 127.0.0.1/32",
            Given = [new(Key, Rows), new(Ada, Values)],
            Refused = [new(Elsewhere, Rows) { Says = "nur für Anfragen aus: 127.0.0.1/32" }, new(Elsewhere, Values) { Says = "nur für Anfragen aus: 127.0.0.1/32" }],
        },
        new("logged-use")
        {
            Odrl = ["duty: inform timeInterval eq P30D"], Text = "Bericht über die Nutzung (bericht; wiederkehrend",
            Given = [new(Key, Rows) { Gives = rows => rows.Length == 16 }, new(Ada, Values) { Gives = rows => rows.Length == 12 }, new(Ada, Values)],
            Refused = [new(SecondKey, Rows) { Purpose = "werbung", Says = "nicht für den Zweck „werbung“" }],
            Also = LoggedAsync,
        },
        new("fields")
        {
            Terms = { ["data.fields"] = """["station","time","area","value"]""" },
            Odrl = ["urn:datahub:odrl:field isAnyOf station, time, area, value"], Text = "Felder: station, time, area, value",
            Given = [new(Key, Rows) { Gives = rows => rows.Length == 16 && !string.Concat(rows).Contains("geheim", StringComparison.Ordinal) }, new(Key, Values)],
            Refused = [new(Key, Rows + "&filter.kind=verkehr") { Says = "gibt das Feld „kind“ nicht" }, new(Key, "indicators/arten/values?limit=100") { Says = "gibt kind nicht; daraus wird „arten“ gebildet" }],
        },
        new("level-with-smallest-group")
        {
            Terms = { ["data.finestLevel"] = "0", ["data.smallestGroup"] = "3" },
            Odrl = ["urn:datahub:odrl:level lteq 0", "urn:datahub:odrl:smallestGroup gteq 3"], Text = "Werte nur ab 3 Zeilen",
            Given = [new(Key, Values) { Gives = rows => rows.Length == 8 && Array.TrueForAll(rows, row => Text(row, "state") == (Text(row, "area") == "1" ? "ok" : "suppressed")) }],
            Refused = [new(Key, Values + "&level=1") { Says = "bis Ebene 0, nicht Ebene 1" }, new(Key, Rows) { Says = "Ebene oder kleinste Gruppe sind vereinbart" }],
        },
        new("volume-per-day")
        {
            Terms = { ["delivery.rowsPerDay"] = "20" },
            Odrl = ["urn:datahub:odrl:rowsPerDay lteq 20"], Text = "Höchstens 20 Zeilen je Tag",
            Given = [new(Key, Rows) { Gives = rows => rows.Length == 16 }, new(Ada, Values + "&from=2026-11-01T03:00:00Z") { Gives = rows => rows.Length == 3 }],
            Refused = [new(Key, Rows) { Says = "gibt 20 Zeilen oder Werte am Tag (UTC); 1 sind noch übrig, die Antwort hat 16" }],
            Also = async (hub, _) =>
            {
                hub.Clock.Advance(TimeSpan.FromDays(1));
                await GivenAsync(hub, new(Key, Rows));
            },
        },
        new("rhythm")
        {
            Terms = { ["delivery.rhythm"] = "\"PT1H\"" },
            Odrl = ["timeInterval gteq PT1H"], Text = "Im Abstand von mindestens: 1 Stunde (PT1H)",
            Given = [new(Key, Rows), new(Ada, Values), new(SecondKey, Rows)],
            Refused =
            [
                new(Key, Rows) { Status = HttpStatusCode.TooManyRequests, Says = "im Abstand von mindestens PT1H (delivery.rhythm)" },
                new(Ada, Values) { Status = HttpStatusCode.TooManyRequests, Says = "im Abstand von mindestens PT1H (delivery.rhythm)" }, new(Key, "indicators/summe/changes") { Says = "keinen laufenden Strom" },
            ],
            Also = async (hub, _) =>
            {
                hub.Clock.Advance(TimeSpan.FromHours(1));
                await GivenAsync(hub, new(Key, Rows));
            },
        },
    ];

    public static TheoryData<string> Classes => [.. s_classes.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Classes))]
    public async Task What_is_negotiated_is_what_is_given(string name)
    {
        var policy = Array.Find(s_classes, one => one.Name == name)!;
        hub.Fill(policy);
        try
        {
            await WalkAsync(policy, name);
        }
        finally
        {
            // What failed must not be in force while the next one is tried.
            using var revoked = await hub.Amt.PostAsJsonAsync(Agreement(name) + "/acts", new { act = "revoke", reason = "Probe" });
        }
    }

    private async Task WalkAsync(PolicyClass policy, string name)
    {
        // Drafted and offered without it, countered with it, agreed by both; until then nothing is given.
        await NothingAsync(policy);
        await OkAsync(hub.Amt.PutAsJsonAsync(Agreement(name), hub.Terms(new("plain"))));
        await ActAsync(hub.Amt, name, "acknowledge-charter", "DRAFT");
        await ActAsync(hub.Amt, name, "offer", "OFFERED");
        var terms = hub.Terms(policy);
        terms["title"] = "Lärm für die Planung, Gegenangebot";
        Assert.Equal(("NEGOTIATED", 2), StateOf(await OkAsync(hub.Bezirk.PutAsJsonAsync(Agreement(name), terms))));
        await ActAsync(hub.Bezirk, name, "acknowledge-charter", "NEGOTIATED");
        await ActAsync(hub.Amt, name, "agree", "NEGOTIATED");
        await NothingAsync(policy);
        await ActAsync(hub.Bezirk, name, "agree", policy.Begins > TimeSpan.Zero ? "AGREED" : "ACTIVE");
        if (policy.Begins > TimeSpan.Zero) await NothingAsync(policy);
        hub.Clock.Advance(policy.Begins + TimeSpan.FromSeconds(1));

        // Both sides read it in policy and text of this version.
        foreach (var side in new[] { hub.Amt, hub.Bezirk })
        {
            var odrl = JsonNode.Parse((await OkAsync(side.GetAsync(Agreement(name) + "/odrl"))).RootElement.GetRawText())!.AsObject();
            Assert.Equal($"urn:datahub:agreement:{name}:2", (string?)odrl["uid"]);
            var said = Flat(odrl);
            Assert.All(policy.Odrl, line => Assert.Contains(hub.Filled(line), said));
            Assert.All(policy.NotOdrl, begin => Assert.DoesNotContain(said, line => line.StartsWith(begin, StringComparison.Ordinal)));
            var text = await TextAsync(side, name);
            Assert.Contains(hub.Filled(policy.Text), text, StringComparison.Ordinal);
            Assert.Contains("Fassung 2", text, StringComparison.Ordinal);
        }

        // Kept.
        foreach (var ask in policy.Given) await GivenAsync(hub, ask);
        foreach (var ask in policy.Refused) await RefusedAsync(hub, ask);
        if (policy.Also is { } also) await also(hub, name);

        // Over.
        if (policy.Lasts is { } lasts)
        {
            hub.Clock.Advance(lasts);
            Assert.Equal(("ENDED", 2), StateOf(await OkAsync(hub.Amt.GetAsync(Agreement(name)))));
        }
        else
        {
            await ActAsync(hub.Amt, name, "revoke", "REVOKED");
        }

        await NothingAsync(policy);
    }

    /// <summary>What was read, by whom and for what, is in the report and the audit log of both, and what was refused is not.</summary>
    private static async Task LoggedAsync(Hub hub, string name)
    {
        string[] expected = [$"key:bezirk.{hub.Filled("{key}")} planung rows dataset:laerm 1 16", "person:local:ada planung values indicator:summe 2 24"];
        foreach (var side in new[] { hub.Amt, hub.Bezirk })
        {
            for (var tries = 0; (await UsageAsync()).GetProperty("open").GetArrayLength() > 0; tries++, await Task.Delay(100))
            {
                Assert.True(tries < 150, "what was given was not told");
                hub.Clock.Advance(TimeSpan.FromSeconds(1));
            }

            Assert.Equal(expected, (await UsageAsync()).GetProperty("entries").EnumerateArray().Select(one => Line(one, "reader", "purpose", "operation", "object", "requests", "rows")));
            var entries = await NotedAsync();
            for (var tries = 0; entries.Length < expected.Length; tries++, await Task.Delay(100), entries = await NotedAsync())
            {
                Assert.True(tries < 150, "what was given was not noted");
                hub.Clock.Advance(TimeSpan.FromSeconds(1));
            }

            Assert.Equal([16L, 24L], entries.GroupBy(one => Text(one, "actor")).OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => one.Sum(entry => long.Parse(Text(entry.GetProperty("detail"), "rows"), CultureInfo.InvariantCulture))));
            Assert.All(entries, one => Assert.Equal("planung", Text(one.GetProperty("detail"), "purpose")));

            async Task<JsonElement[]> NotedAsync() =>
                [.. (await OkAsync(side.GetAsync("api/v1/audit?action=agreement.used&limit=1000"))).RootElement.GetProperty("entries").EnumerateArray().Where(one => Text(one.GetProperty("detail"), "reference") == name + " v2")];

            async Task<JsonElement> UsageAsync() => (await OkAsync(side.GetAsync(Agreement(name) + "/usage"))).RootElement;
        }

        static string Line(JsonElement one, params string[] members) => string.Join(' ', members.Select(member => one.GetProperty(member).ToString()));
    }

    /// <summary>Neither what it gives nor what it refuses.</summary>
    private async Task NothingAsync(PolicyClass policy)
    {
        hub.Clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var ask in policy.Given.Concat(policy.Refused))
        {
            var (status, text) = await hub.AskAsync(ask);
            Assert.True(status == HttpStatusCode.Forbidden, $"{ask.Who}: {ask.Path} → {status} {text}");
        }
    }

    private static async Task GivenAsync(Hub hub, Ask ask)
    {
        var (status, text) = await hub.AskAsync(ask);
        for (var tries = 0; tries < 100 && status is HttpStatusCode.Forbidden or HttpStatusCode.ServiceUnavailable; tries++)
        {
            // An agreement that was just made is known a moment later.
            await Task.Delay(50);
            hub.Clock.Advance(TimeSpan.FromMilliseconds(100));
            (status, text) = await hub.AskAsync(ask);
        }

        Assert.True(status == HttpStatusCode.OK, $"{ask.Who}: {ask.Path} → {status} {text}");
        if (ask.Gives is { } gives) Assert.True(gives([.. JsonDocument.Parse(text).RootElement.GetProperty("rows").EnumerateArray()]), $"{ask.Who}: {ask.Path} → {text}");
    }

    private static async Task RefusedAsync(Hub hub, Ask ask)
    {
        var (status, text) = await hub.AskAsync(ask);
        Assert.True(status == ask.Status, $"{ask.Who}: {ask.Path} → {status} {text}");
        Assert.Contains(hub.Filled(ask.Says!), JsonDocument.Parse(text).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static async Task ActAsync(HttpClient side, string name, string act, string state) =>
        Assert.Equal(state, StateOf(await OkAsync(side.PostAsJsonAsync(Agreement(name) + "/acts", new { act, reason = act == "revoke" ? "Probe" : null }))).State);

    private static (string? State, int Version) StateOf(JsonDocument agreement) => (agreement.RootElement.GetProperty("state").GetString(), agreement.RootElement.GetProperty("version").GetInt32());

    private static string Agreement(string name) => "api/v1/agreements/" + name;

    private static string Text(JsonElement element, string member) => element.GetProperty(member).ToString();

    private static async Task<string> TextAsync(HttpClient side, string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Agreement(name) + "/text") { Headers = { { "Accept", "text/plain" }, { "Accept-Language", "de" } } };
        using var answer = await side.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>A policy's constraints, one a line.</summary>
    private static string[] Flat(JsonObject policy)
    {
        return
        [
            $"assignee {policy["assignee"]}", .. Of("permission").Where(rule => (string?)rule["action"] == "use").SelectMany(Constraints), .. Of("prohibition").SelectMany(Constraints).Select(line => "not: " + line),
            .. Of("obligation").SelectMany(rule => Constraints(rule).Select(line => $"duty: {rule["action"]} {line}")),
        ];

        IEnumerable<JsonObject> Of(string kind) => policy[kind]?.AsArray().Select(rule => rule!.AsObject()) ?? [];

        static IEnumerable<string> Constraints(JsonObject rule) => rule["constraint"]?.AsArray().Select(one => $"{one!["leftOperand"]} {one["operator"]} {Right(one["rightOperand"]!)}") ?? [];

        static string Right(JsonNode node) => node switch { JsonArray all => string.Join(", ", all.Select(one => Right(one!))), JsonObject one => (string)(one["@id"] ?? one["@value"])!, _ => node.ToString() };
    }

    /// <summary>One line of the table. <c>{key}</c> is the id of the recipient's first key, <c>{begin}</c> and <c>{end}</c> are the term's.</summary>
    internal sealed record PolicyClass(string Name)
    {
        /// <summary>What the counter-offer adds, by member.</summary>
        public Dictionary<string, string> Terms { get; } = [];

        public string[] Odrl { get; init; } = [];

        public string[] NotOdrl { get; init; } = [];

        public string Text { get; init; } = "";

        public Ask[] Given { get; init; } = [];

        public Ask[] Refused { get; init; } = [];

        public Func<Hub, string, Task>? Also { get; init; }

        /// <summary>So long after it was agreed.</summary>
        public TimeSpan Begins { get; init; }

        /// <summary>It ends by itself; else it is revoked.</summary>
        public TimeSpan? Lasts { get; init; }
    }

    internal sealed record Ask(string Who, string Path)
    {
        public string? Purpose { get; init; } = "planung";

        public HttpStatusCode Status { get; init; } = HttpStatusCode.Forbidden;

        public string? Says { get; init; }

        public Func<JsonElement[], bool>? Gives { get; init; }
    }

    /// <summary>A hub with two agencies and a third, a dataset that is not open, and people in groups that hold no role anywhere.</summary>
    public sealed class Hub : IAsyncLifetime
    {
        private const string Areas = "id,parent,name,level\n1,,Eins,0\n2,,Zwei,0\n11,1,Eins-eins,1\n12,1,Eins-zwei,1\n21,2,Zwei-eins,1\n";

        private readonly Dictionary<string, string> _keys = [], _filled = [];
        private HubFixture _hub = null!;
        private string _watermark = "";

        internal FakeTimeProvider Clock { get; } = new(DateTimeOffset.UtcNow);

        internal HttpClient Amt { get; private set; } = null!;

        internal HttpClient Bezirk { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            _hub = await StartAsync(new Dictionary<string, string?> { ["DataHub:SignIn:Local"] = "true", ["DataHub:Sharing:Allowance"] = "00:00:01" }, Clock, services =>
            {
                foreach (var name in new[] { "Ada", "Bert", "Cleo" }) services.AddSingleton(new LocalPerson(name.ToLowerInvariant(), new(name, null)));
            });
            Amt = await _hub.AgencyAsync("amt", KeyRole.Admin);
            foreach (var (who, agency, role) in new[] { (Key, "bezirk", KeyRole.Admin), (SecondKey, "bezirk", KeyRole.Read), (PushKey, "bezirk", KeyRole.Push), (ThirdKey, "dritte", KeyRole.Admin) }) _keys[who] = await _hub.KeyAsync(agency, role);
            _keys[Elsewhere] = _keys[Key];
            Bezirk = _hub.With(_keys[Key]);
            foreach (var (agency, group, person) in new[] { ("bezirk", "planung", Ada), ("bezirk", "haus", Bert), ("dritte", "planung", Cleo) })
            {
                await OkAsync(_hub.Admin.PutAsJsonAsync($"api/v1/agencies/{agency}/groups/{group}", new { name = group }));
                await OkAsync(_hub.Admin.PutAsJsonAsync($"api/v1/agencies/{agency}/groups/{group}/members/local:{person}", new { why = "Probe" }));
            }

            await OkAsync(_hub.Admin.PutAsync("api/v1/areas/orte", new StringContent(Areas, Encoding.UTF8, "text/csv")));
            await OkAsync(Amt.PutAsJsonAsync("api/v1/datasets/laerm", new
            {
                title = "Lärm",
                publisher = "amt",
                license = "dl-de/by-2-0",
                kind = "observations",
                access = "internal",
                areaSystem = "orte",
                schema = new
                {
                    primaryKey = new[] { "station", "time" },
                    fields = new object[]
                    {
                        new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "area", type = "string", role = "area" },
                        new { name = "kind", type = "string", role = "dimension" }, new { name = "value", type = "number", role = "measure" }, new { name = "note", type = "string" },
                    },
                },
            }));
            foreach (var (id, measure) in new[] { ("summe", new { function = "sum", field = "value" }), ("arten", new { function = "distinct", field = "kind" }) })
                await OkAsync(Amt.PutAsJsonAsync($"api/v1/indicators/{id}", new { title = id, dataset = "laerm", measure, window = "PT1H", timeZone = "Etc/UTC", groupBy = new[] { "area" } }));

            // In each of four hours three rows in area 1, of which two in 11, and one in area 2.
            var receipt = await OkAsync(Amt.PostAsJsonAsync("api/v1/datasets/laerm/feeds/default/records", Enumerable.Range(0, 4).SelectMany(hour => new[] { ("a", "11"), ("b", "11"), ("c", "12"), ("d", "21") }.Select(place => new
            {
                station = place.Item1,
                time = new DateTimeOffset(2026, 11, 1, hour, 0, 0, TimeSpan.Zero),
                area = place.Item2,
                kind = "verkehr",
                value = hour + 1,
                note = "geheim",
            }))));
            _watermark = Uri.EscapeDataString(receipt.RootElement.GetProperty("watermark").GetString()!);
        }

        public async Task DisposeAsync() => await _hub.DisposeAsync();

        /// <summary>What stands for the placeholders from now on.</summary>
        internal void Fill(PolicyClass policy)
        {
            var begin = Clock.GetUtcNow() + (policy.Begins > TimeSpan.Zero ? policy.Begins : TimeSpan.FromMinutes(-5));
            var end = policy.Lasts is { } lasts ? begin + lasts : begin.AddYears(1);
            _filled["{key}"] = _keys[Key].Split('.')[1];
            foreach (var (name, at) in new[] { ("begin", begin), ("end", end) })
            {
                _filled[$"{{{name}}}"] = at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                _filled[$"{{{name} text}}"] = at.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
            }
        }

        internal string Filled(string text) => _filled.Aggregate(text, (filled, one) => filled.Replace(one.Key, one.Value, StringComparison.Ordinal));

        internal JsonObject Terms(PolicyClass policy)
        {
            var terms = JsonNode.Parse(Filled("""
                { "title": "Lärm für die Planung", "provider": "amt", "recipient": "bezirk", "dataset": "laerm", "purposes": [ { "id": "planung", "text": "Bauleitplanung" } ],
                  "forbiddenPurposes": [ { "id": "werbung", "text": "Werbung" } ], "legalBasis": "§ 12 EGovG", "use": { "onwardTransfer": "none", "publication": "aggregatesOnly" },
                  "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht über die Nutzung", "every": "P30D", "missed": "notice" } ],
                  "term": { "from": "{begin}", "until": "{end}", "notice": "PT1M" }, "data": {}, "delivery": {} }
                """))!.AsObject();
            foreach (var (member, value) in policy.Terms)
            {
                if (member.Split('.') is [var parent, var child]) terms[parent]![child] = JsonNode.Parse(Filled(value));
                else terms[member] = JsonNode.Parse(Filled(value));
            }

            return terms;
        }

        internal async Task<(HttpStatusCode Status, string Text)> AskAsync(Ask ask)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_hub.Address, "api/v1/" + ask.Path + (ask.Path.Contains("changes", StringComparison.Ordinal) ? "" : "&watermark=" + _watermark))) { Headers = { { "Accept", "application/json" } } };
            if (ask.Purpose is not null) request.Headers.Add("DataHub-Purpose", ask.Purpose);
            if (_keys.TryGetValue(ask.Who, out var key))
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
                using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, ask.Who == Elsewhere ? "127.0.0.2" : "127.0.0.1", cancellationToken) });
                return await ReadAsync(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
            }

            using var browser = new PageBrowser(_hub.Address);
            using var signedIn = await browser.PostAsync("/signin/local", ("person", ask.Who));
            Assert.Equal(HttpStatusCode.SeeOther, signedIn.StatusCode);
            return await ReadAsync(await browser.SendAsync(request));
        }

        private static async Task<(HttpStatusCode Status, string Text)> ReadAsync(HttpResponseMessage answer)
        {
            using (answer) return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType == "text/event-stream" ? "" : await answer.Content.ReadAsStringAsync());
        }

        private static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, string from, CancellationToken cancellationToken)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            await socket.ConnectAsync(IPAddress.Loopback, to.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
    }
}
