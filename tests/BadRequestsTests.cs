using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using Xunit.Abstractions;

namespace DataHub.Tests;

/// <summary>
/// Requests that must not pass, over every route, format, limit and rule: each gets its status, its kind of problem and
/// a sentence that says what is wrong; none is an error of the hub; and after all of them nothing has been stored.
/// </summary>
public sealed partial class BadRequestsTests(ITestOutputHelper output)
{
    private const string Json = "application/json", NdJson = "application/x-ndjson", Csv = "text/csv", MessagePack = "application/vnd.msgpack", Push = "POST datasets/bad/feeds/default/records";

    /// <summary>Limits that a test can reach.</summary>
    private static readonly Dictionary<string, string?> s_limits = new()
    {
        ["DataHub:Ingest:MaxBodyBytes"] = "40000",
        ["DataHub:Ingest:MaxRows"] = "100",
        ["DataHub:Ingest:MaxRowBytes"] = "2048",
        ["DataHub:Ingest:MaxFieldLength"] = "256",
        ["DataHub:Ingest:MaxDepth"] = "4",
        ["DataHub:Ingest:MaxColumns"] = "20",
        ["DataHub:Catalog:MaxFeeds"] = "2",
        ["DataHub:Catalog:MaxKeys"] = "3",
    };

    [Fact]
    public async Task Every_bad_request_is_told_what_is_wrong_and_changes_nothing()
    {
        await using var hub = await HubFixture.StartAsync(s_limits);
        var keys = await PrepareAsync(hub);
        var before = await StandAsync(hub);

        var faults = new List<string>();
        foreach (var bad in All)
        {
            var sentences = new List<string?>();
            foreach (var language in (string[])["de", "en"])
            {
                using var answer = await SendAsync(hub, keys, bad, language);
                var text = await answer.Content.ReadAsStringAsync();
                var problem = text.StartsWith('{') ? JsonDocument.Parse(text).RootElement : default;
                var type = problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("type", out var word) ? word.GetString()!["/problems/".Length..] : "-";
                sentences.Add(problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("detail", out var detail) ? detail.GetString() : null);
                if ((int)answer.StatusCode != bad.Status || type != bad.Problem || (language == "de" && !text.Contains(bad.Says, StringComparison.Ordinal)) || (int)answer.StatusCode >= 500)
                    faults.Add($"{bad.Request} {bad.Body?[..Math.Min(80, bad.Body.Length)]}\n   expected {bad.Status} {bad.Problem} “{bad.Says}”\n   got {(int)answer.StatusCode} {type} {text}");
            }

            if (sentences.Any(string.IsNullOrWhiteSpace) || sentences[0] == sentences[1])
                faults.Add($"{bad.Request} {bad.Body?[..Math.Min(80, bad.Body.Length)]}\n   expected a sentence in German and one in English\n   got {string.Join(" / ", sentences)}");
        }

        output.WriteLine($"{All.Count} bad requests");
        Assert.True(All.Count >= 100);
        Assert.DoesNotContain(All, bad => bad.Says.Length == 0);
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.Equal(before, await StandAsync(hub));
    }

    /// <param name="Request">Method and path below <c>/api/v1</c>; a path that begins with a slash stands for itself.</param>
    /// <param name="Says">Stands in the answer's text.</param>
    /// <param name="Key">none, push, admin, other (another agency's), broken.</param>
    private sealed record Bad(string Request, int Status, string Problem, string Says, string? Body = null, string? Type = Json, string Key = "push", byte[]? Bytes = null, params (string Name, string Value)[] Headers);

    /// <summary>Terms that can be drafted but for what is put in.</summary>
    private static string Terms(string? more = null) => $$"""
        { "title": "Probe", "provider": "bad-agency", "recipient": "bad-other", "dataset": "bad", "purposes": [ { "id": "probe", "text": "Probe" } ], "term": { "from": "2027-01-01T00:00:00Z", "until": "2028-01-01T00:00:00Z", "notice": "P1M" }{{(more is null ? "" : ", " + more)}} }
        """;

    private static List<Bad> All { get; } =
    [
        // Who asks
        new(Push, 401, "unauthorized", "Recht push oder admin", "[]", Key: "none"),
        new(Push, 401, "unauthorized", "Das ist kein Schlüssel dieses Hubs; einer beginnt mit „dh_“, gefolgt", "[]", Key: "broken"),
        new(Push, 401, "unauthorized", "Tippfehler", "[]", Key: "typo"),
        new(Push, 403, "forbidden", "Recht push oder admin", "[]", Key: "other"),
        new("GET datasets/bad/quarantine", 401, "unauthorized", "Schlüssel der Behörde „bad-agency“", Key: "none"),
        new("GET datasets/bad/quarantine", 403, "forbidden", "Schlüssel der Behörde „bad-agency“", Key: "other"),
        new("GET datasets/bad/quarantine/groups", 403, "forbidden", "Schlüssel der Behörde „bad-agency“", Key: "other"),
        new("GET datasets/bad/quarantine/acts", 403, "forbidden", "Schlüssel der Behörde „bad-agency“", Key: "other"),
        new("GET datasets/bad/conservation", 403, "forbidden", "Schlüssel der Behörde „bad-agency“", Key: "other"),
        new("GET datasets/bad/records", 401, "unauthorized", "Das ist kein Schlüssel dieses Hubs; einer beginnt mit „dh_“, gefolgt", Key: "broken"),
        new("GET datasets/shut/records", 403, "forbidden", "Schlüssel der Behörde „bad-agency“", Key: "other"),
        new("GET datasets/shut/records", 401, "unauthorized", "Schlüssel der Behörde „bad-agency“", Key: "none"),
        new("POST datasets/bad/quarantine/discard", 403, "forbidden", "Recht push oder admin der Behörde", """{"select":{},"reason":"x"}""", Key: "other"),
        new("POST datasets/bad/erasures", 403, "forbidden", "Admin-Schlüssel von „bad-agency“", """{"where":{"id":"a"},"reason":"x","authority":"y"}"""),
        new("PUT datasets/bad", 403, "forbidden", "Admin-Schlüssel von „bad-agency“", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","kind":"observations","schema":{"primaryKey":["id","time"],"fields":[]}}"""),
        new("PUT agencies/new", 403, "forbidden", "Admin-Schlüssel der Plattform", """{"name":{"de":"x"}}"""),
        new("POST agencies/bad-agency/keys", 403, "forbidden", "Admin-Schlüssel von „bad-agency“", """{"role":"push"}"""),
        new("GET agencies/bad-agency/keys", 403, "forbidden", "Admin-Schlüssel von „bad-agency“", Key: "other"),
        new("DELETE agencies/bad-agency/keys/none", 403, "forbidden", "Admin-Schlüssel von „bad-agency“"),
        new("PUT areas/bad-areas", 403, "forbidden", "Admin-Schlüssel der Plattform", "id,parent,name,level\n1,,x,0\n", Csv),
        new("PUT indicators/bad-mean", 403, "forbidden", "Admin-Schlüssel von „bad-agency“", """{"title":"x","dataset":"bad","measure":{"function":"count"},"window":"PT1H"}""", Key: "other"),
        new("PUT datasets/bad/feeds/more", 403, "forbidden", "Admin-Schlüssel von „bad-agency“", "{}"),

        // Agreements
        new("PUT agreements/bad", 401, "unauthorized", "Admin-Schlüssel von „bad-agency“", Terms(), Key: "none"),
        new("PUT agreements/bad", 403, "forbidden", "Admin-Schlüssel von „bad-agency“", Terms(), Key: "other"),
        new("PUT agreements/BAD", 400, "invalid-id", "„BAD“ ist keine Kennung", Terms(), Key: "admin"),
        new("PUT agreements/bad", 400, "invalid-json", "Pflichtelemente fehlen", "{}", Key: "admin"),
        new("PUT agreements/bad", 400, "invalid-json", "dieses Element gibt es nicht", Terms("\"mehr\": 1"), Key: "admin"),
        new("PUT agreements/bad", 400, "invalid-json", "keines der erlaubten Wörter", Terms("\"delivery\": { \"form\": \"alles\" }"), Key: "admin"),
        new("PUT agreements/bad", 415, "unsupported-type", "openapi", Terms(), "text/plain", Key: "admin"),
        new("PUT agreements/bad", 422, "invalid-agreement", "Die Behörde „keine“ gibt es nicht", Terms().Replace("\"bad-other\"", "\"keine\"", StringComparison.Ordinal), Key: "admin"),
        new("PUT agreements/bad", 422, "invalid-agreement", "Den Datensatz „keiner“ gibt es nicht", Terms().Replace("\"dataset\": \"bad\"", "\"dataset\": \"keiner\"", StringComparison.Ordinal), Key: "admin"),
        new("PUT agreements/bad", 422, "invalid-agreement", "data.fields", Terms("\"data\": { \"fields\": [ \"gibtesnicht\" ] }"), Key: "admin"),
        new("PUT agreements/bad", 422, "invalid-agreement", "data.filter", Terms("\"data\": { \"filter\": \"no2 >\" }"), Key: "admin"),
        new("PUT agreements/bad", 422, "invalid-agreement", "use.networks", Terms("\"use\": { \"networks\": [ \"überall\" ] }"), Key: "admin"),
        new("PUT agreements/bad", 422, "invalid-agreement", "delivery.rowsPerDay", Terms("\"delivery\": { \"rowsPerDay\": 0 }"), Key: "admin"),
        new("PUT agreements/bad?side=beide", 400, "invalid-parameter", "provider oder recipient", Terms(), Key: "admin"),
        new("GET agreements/nothing", 404, "not-found", "nothing", Key: "admin"),
        new("GET agreements/nothing/usage", 404, "not-found", "nothing", Key: "admin"),
        new("GET agreements/nothing/usage?month=November", 400, "invalid-parameter", "month", Key: "admin"),
        new("GET agreements/nothing/effect", 404, "not-found", "nothing", Key: "admin"),
        new("GET agreements/nothing/events?after=x", 400, "invalid-parameter", "Nummer eines Ereignisses", Key: "admin"),
        new("POST agreements/nothing/acts", 401, "unauthorized", "eine der beiden Seiten", """{"act":"offer"}""", Key: "none"),
        new("POST agreements/nothing/acts", 404, "not-found", "nothing", """{"act":"offer"}""", Key: "admin"),
        new("PUT agreements/nothing/derived/bad", 401, "unauthorized", "die empfangende Seite", "{}", Key: "none"),
        new("PUT agreements/nothing/derived/bad", 404, "not-found", "nothing", "{}", Key: "admin"),
        new("PUT agreements/nothing/derived/bad", 400, "invalid-json", "dieses Element gibt es nicht", """{"note":"x"}""", Key: "admin"),
        new("GET agreements?agency=BAD", 400, "invalid-parameter", "„BAD“ ist keine Kennung", Key: "admin"),
        new("GET datasets/shut/records", 403, "forbidden", "Schlüssel der Behörde „bad-agency“", Key: "other", Headers: ("DataHub-Purpose", "planung")),
        new("GET datasets/shut/records", 400, "invalid-parameter", "höchstens 100 Zeichen", Key: "other", Headers: ("DataHub-Purpose", new string('a', 101))),

        // What is asked for
        new("POST datasets/nothing/feeds/default/records", 404, "not-found", "nothing", "[]"),
        new("POST datasets/bad/feeds/nothing/records", 404, "not-found", "nothing", "[]"),
        new("POST datasets/BAD/feeds/default/records", 404, "not-found", "BAD", "[]"),
        new("POST datasets/bad/feeds/a%2Fb/records", 404, "not-found", "Datenquelle „a%2Fb“ gibt es nicht.", "[]"),
        new("GET datasets/nothing", 404, "not-found", "nothing"),
        new("GET datasets/nothing/records", 404, "not-found", "nothing"),
        new("GET datasets/nothing/quarantine", 404, "not-found", "nothing"),
        new("GET datasets/nothing/conservation", 404, "not-found", "nothing"),
        new("GET datasets/bad/feeds/nothing", 404, "not-found", "nothing"),
        new("GET datasets/bad/erasures/nothing", 404, "not-found", "nothing", Key: "admin"),
        new("GET receipts/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, "not-found", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        new("GET receipts/x", 404, "not-found", "x"),
        new("GET indicators/nothing", 404, "not-found", "nothing"),
        new("GET indicators/nothing/values?from=2026-11-23&to=2026-11-24", 404, "not-found", "nothing"),
        new("GET indicators/nothing/latest", 404, "not-found", "nothing"),
        new("GET agencies/nothing", 404, "not-found", "nothing"),
        new("GET areas/nothing", 404, "not-found", "nothing"),
        new("GET /api/v1/nothing", 404, "not-found", "Die Adresse /api/v1/nothing gibt es nicht. Alle Adressen beschreibt"),
        new("GET /problems/nothing", 404, "not-found", "Die Adresse /problems/nothing gibt es nicht. Alle Adressen beschreibt"),
        new("GET /nothing", 404, "not-found", "Die Adresse /nothing gibt es nicht. Alle Adressen beschreibt"),
        new("PUT datasets/bad/feeds/default/records", 405, "method-not-allowed", "kennt PUT nicht; erlaubt: POST.", "[]"),
        new("DELETE datasets/bad", 405, "method-not-allowed", "kennt DELETE nicht; erlaubt: GET, HEAD, PUT."),
        new("POST indicators/bad-mean", 405, "method-not-allowed", "kennt POST nicht; erlaubt: GET, HEAD, PUT.", "{}"),
        new("DELETE receipts/01ARZ3NDEKTSV4RRFFQ69G5FAV", 405, "method-not-allowed", "kennt DELETE nicht; erlaubt: GET, HEAD."),

        // Headers and parameters of pushes
        new(Push, 415, "unsupported-type", "/openapi/v1.json", "x", "text/plain"),
        new(Push, 415, "unsupported-type", "/openapi/v1.json", "<x/>", "application/xml"),
        new(Push, 415, "unsupported-type", "Der Inhaltstyp „“ wird nicht angenommen; möglich sind", "[]", null),
        new(Push, 415, "unsupported-type", "Die Content-Encoding „lzma“ wird nicht angenommen; möglich sind gzip,", "[]", Json, Headers: ("Content-Encoding", "lzma")),
        new(Push, 415, "unsupported-type", "Der Inhalt ist mehrfach verpackt („gzip, br“); genommen wird eine", "[]", Json, Headers: ("Content-Encoding", "gzip, br")),
        new(Push, 400, "invalid-body", "Content-Encoding ist gzip", "[]", Json, Headers: ("Content-Encoding", "gzip")),
        new(Push, 400, "invalid-body", "Content-Encoding ist br", "[]", Json, Headers: ("Content-Encoding", "br")),
        new(Push, 400, "invalid-body", "Content-Encoding ist deflate", "[]", Json, Headers: ("Content-Encoding", "deflate")),
        new(Push, 413, "too-large", "40000", null, Json, Bytes: Pack("gzip", new string(' ', 50_000)), Headers: ("Content-Encoding", "gzip")),
        new(Push, 413, "too-large", "40000", null, Json, Bytes: Pack("br", new string(' ', 50_000)), Headers: ("Content-Encoding", "br")),
        new(Push, 413, "too-large", "40000", null, Json, Bytes: Pack("zstd", new string(' ', 50_000)), Headers: ("Content-Encoding", "zstd")),
        new(Push, 413, "too-large", "40000", null, Json, Bytes: Pack("deflate", new string(' ', 50_000)), Headers: ("Content-Encoding", "deflate")),
        new(Push, 400, "invalid-body", "Content-Encoding ist gzip", null, Json, Bytes: Pack("gzip", "[" + new string(' ', 20_000) + "]")[..40], Headers: ("Content-Encoding", "gzip")),
        new(Push, 400, "invalid-parameter", "Idempotency-Key", "[]", Json, Headers: ("Idempotency-Key", new string('k', 256))),
        new(Push, 400, "invalid-parameter", "Idempotency-Key", "[]", Json, Headers: ("Idempotency-Key", "a b")),
        new(Push + "?dryRun=ja", 400, "invalid-parameter", "dryRun", "[]"),
        new(Push + "?atomic=1", 400, "invalid-parameter", "atomic", "[]"),
        new("POST datasets/bad-parted/feeds/default/records?atomic=true", 400, "invalid-parameter", "atomic", "[]"),

        // Bodies
        new(Push, 400, "invalid-json", "Der Inhalt ist ab Byte 0 (Zeile 1) kein lesbares JSON.", "", Json),
        new(Push, 400, "invalid-json", "Der Inhalt ist ab Byte 1 (Zeile 1) kein lesbares JSON.", "["),
        new(Push, 400, "invalid-json", "Der Inhalt ist ab Byte 11 (Zeile 1) kein lesbares JSON.", """[{"id":"a"}"""),
        new(Push, 400, "invalid-json", "Der Inhalt ist ab Byte 13 (Zeile 1) kein lesbares JSON.", """[{"id":"a"}] x"""),
        new(Push, 400, "invalid-json", "Erwartet wird ein JSON-Array von Zeilen oder eine einzelne Zeile als", "\"text\""),
        new(Push, 400, "invalid-json", "Der Inhalt ist ab Byte 0 (Zeile 1) kein lesbares JSON.", "nul"),
        new(Push, 400, "invalid-json", "Der Inhalt ist ab Byte 10 (Zeile 1) kein lesbares JSON.", "{\"id\":\"a\",}"),
        new(Push, 400, "invalid-json", "Der Inhalt ist ab Byte 2 (Zeile 1) kein lesbares JSON.", "[{'id':'a'}]"),
        new(Push, 422, "too-deep", "4", """[{"id":[[[[[[1]]]]]]}]"""),
        new(Push, 422, "too-deep", "4", null, MessagePack, Bytes: [0x91, 0x81, 0xA2, .. "id"u8, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x01]),
        new(Push, 422, "too-deep", "4", null, MessagePack, Bytes: [0x81, 0xA7, .. "columns"u8, 0x81, 0xA2, .. "id"u8, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0x01]),
        new(Push + "?atomic=true", 422, "not-atomic", "\"code\":\"too-deep\"", """{"id":[[[[[[1]]]]]]}""", NdJson),
        new(Push, 400, "invalid-body", "UTF-8", null, Json, Bytes: [0x5B, 0xFF, 0xFE, 0x5D]),
        new(Push, 413, "too-large", "40000", new string(' ', 41_000) + "[]"),
        new(Push, 413, "too-many-rows", "100", "[" + string.Join(',', Enumerable.Repeat("""{"id":"a"}""", 101)) + "]"),
        new(Push, 413, "too-many-rows", "100", string.Concat(Enumerable.Repeat("{\"id\":\"a\"}\n", 101)), NdJson),
        new(Push, 413, "too-many-rows", "100", null, MessagePack, Bytes: [0xDC, 0, 101, .. Enumerable.Repeat((byte)0x80, 101)]),
        new(Push, 413, "too-many-rows", "100", null, MessagePack, Bytes: [0x81, 0xA7, .. "columns"u8, 0x81, 0xA2, .. "id"u8, 0xDC, 0, 101, .. Enumerable.Repeat((byte)0xC0, 101)]),
        new(Push, 413, "too-many-rows", "100", "id\n" + string.Concat(Enumerable.Repeat("a\n", 101)), Csv),
        new(Push, 400, "invalid-csv", "Die erste Zeile mit den Feldnamen fehlt.", "\n", Csv),
        new(Push, 400, "invalid-csv", "Die Spalte „id“ steht zweimal in der Kopfzeile.", "id,id\n1,2\n", Csv),
        new(Push, 400, "invalid-csv", "Spalte 2 der Kopfzeile hat keinen Namen.", "id,,no2\n1,2,3\n", Csv),
        new(Push, 400, "invalid-csv", "Die Anführungszeichen der Kopfzeile gehen ab Byte 1 nicht auf.", "\"id\n", Csv),
        new(Push, 400, "invalid-csv", "Kopfzeile", "a,2026-11-23T08:00:00Z\n", Csv),
        new(Push, 415, "unsupported-type", "ebcdic", "id\n", "text/csv; charset=ebcdic"),
        new(Push, 415, "unsupported-type", "Der Inhaltstyp „application/json; charset=utf-16“ wird nicht", "[]", "application/json; charset=utf-16"),
        new(Push, 422, "too-many-columns", "20", string.Join(',', Enumerable.Range(0, 21).Select(i => $"c{i}")) + "\n", Csv),
        new(Push, 400, "invalid-body", "Der Inhalt ist ab Byte 3 kein UTF-8.", null, "text/csv; charset=utf-8", Bytes: [(byte)'i', (byte)'d', 10, 0xE4, 10]),
        new(Push, 400, "invalid-body", "zstd", "[]", Json, Headers: ("Content-Encoding", "zstd")),
        new(Push, 400, "invalid-messagepack", "Der Inhalt bricht nach Byte 0 ab: Angekündigt ist mehr, als folgt.", null, MessagePack, Bytes: []),
        new(Push, 400, "invalid-messagepack", "Erwartet wird eine Liste von Maps, eine einzelne Map oder {", null, MessagePack, Bytes: [0xC1]),
        new(Push, 400, "invalid-messagepack", "Der Inhalt bricht nach Byte 2 ab: Angekündigt ist mehr, als folgt.", null, MessagePack, Bytes: [0x91, 0x81]),
        new(Push, 400, "invalid-messagepack", "Der Inhalt bricht nach Byte 5 ab: Angekündigt ist mehr, als folgt.", null, MessagePack, Bytes: [0xDD, 0xFF, 0xFF, 0xFF, 0xFF]),
        new(Push, 400, "invalid-messagepack", "Erwartet wird eine Liste von Maps, eine einzelne Map oder {", null, MessagePack, Bytes: [0xA1, (byte)'x']),
        new(Push, 400, "invalid-messagepack", "Nach dem Ende der Zeilen folgen ab Byte 1 weitere.", null, MessagePack, Bytes: [0x90, 0x90]),
        new(Push, 400, "invalid-messagepack", "Die Spalte „no2“ hat 0 Werte, „id“ 1.", null, MessagePack, Bytes: [0x81, 0xA7, .. "columns"u8, 0x82, 0xA2, .. "id"u8, 0x91, 0xA1, (byte)'a', 0xA3, .. "no2"u8, 0x90]),
        new(Push + "?atomic=true", 422, "not-atomic", "\"code\":\"malformed-row\"", null, MessagePack, Bytes: [0x91, 0x01]),
        new(Push + "?atomic=true", 422, "not-atomic", "\"code\":\"required\"", null, MessagePack, Bytes: [0x91, 0x81, 0xA2, .. "id"u8, 0xA1, (byte)'a']),

        // Rows against the contract: all or nothing, so that nothing is stored
        .. Rows(),

        // Keys of pushes
        new(Push, 409, "idempotency-key-reused", "used", """[{"id":"z","time":"2026-11-23T08:00:00Z"}]""", Json, Headers: ("Idempotency-Key", "used")),

        // Reading rows
        new("GET datasets/bad/records?limit=0", 400, "invalid-parameter", "limit"),
        new("GET datasets/bad/records?limit=x", 400, "invalid-parameter", "limit"),
        new("GET datasets/bad/records?limit=1000000000", 400, "invalid-parameter", "limit"),
        new("GET datasets/bad/records?from=gestern", 400, "invalid-parameter", "from"),
        new("GET datasets/bad/records?from=2026-11-24&to=2026-11-23", 400, "invalid-parameter", "to"),
        new("GET datasets/bad/records?from=2026-11-23&from=2026-11-24", 400, "invalid-parameter", "from"),
        new("GET datasets/bad/records?wann=heute", 400, "invalid-parameter", "wann"),
        new("GET datasets/bad/records?after=r1.x", 400, "invalid-parameter", "after"),
        new("GET datasets/bad/records?watermark=w1.x", 400, "invalid-parameter", "watermark"),
        new("GET datasets/bad/records?area=nothing", 400, "invalid-parameter", "area"),
        new("GET datasets/bad/records?format=xls", 400, "invalid-parameter", "format"),
        new("GET datasets/bad/records", 406, "not-acceptable", "Es gibt application/json, text/csv, application/x-ndjson,", Headers: ("Accept", "image/png")),
        new("GET datasets/bad/records?watermark=OTHER", 410, "watermark-gone", "Der Bestand wurde seither aus einer Sicherung wiederhergestellt. Ohne"),
        new("GET datasets/bad/quarantine?state=weg", 400, "invalid-parameter", "state"),
        new("GET datasets/bad/quarantine?after=5", 400, "invalid-parameter", "after"),
        new("GET datasets/bad/quarantine/groups?limit=5", 400, "invalid-parameter", "limit"),
        new("GET datasets/bad/quarantine/acts?limit=0", 400, "invalid-parameter", "limit"),
        new("GET datasets?limit=0", 400, "invalid-parameter", "limit"),
        new("GET datasets/bad/feeds?limit=1001", 400, "invalid-parameter", "limit"),

        // Acts
        new("POST datasets/bad/quarantine/replay", 422, "invalid-act", "select", "{}"),
        new("POST datasets/bad/quarantine/replay", 422, "invalid-act", "rule", """{"select":{},"rule":{"field":"no2"}}"""),
        new("POST datasets/bad/quarantine/replay", 400, "invalid-json", "Zeile 1, Stelle 2: kein lesbares JSON", "{"),
        new("POST datasets/bad/quarantine/replay", 415, "unsupported-type", "Diese Adresse nimmt den Inhaltstyp oder die Kodierung nicht an;", "x", Csv),
        new("POST datasets/bad/quarantine/replay?dryRun=x", 400, "invalid-parameter", "dryRun", "{}"),
        new("POST datasets/bad/quarantine/discard", 422, "invalid-act", "reason", """{"select":{}}"""),
        new("POST datasets/bad/erasures", 422, "invalid-act", "where", """{"reason":"x","authority":"y"}""", Key: "admin"),
        new("POST datasets/bad/erasures", 422, "invalid-act", "nobody", """{"where":{"nobody":"x"},"reason":"x","authority":"y"}""", Key: "admin"),

        // Indicators
        new("GET indicators/bad-mean/values?from=x&to=y", 400, "invalid-parameter", "from"),
        new("GET indicators/bad-mean/values?from=2026-11-24&to=2026-11-23", 400, "invalid-parameter", "to"),
        new("GET indicators/bad-mean/values?from=2026-11-23&to=2026-11-24&level=9", 400, "invalid-parameter", "level"),
        new("GET indicators/bad-mean/values?from=2026-11-23&to=2026-11-24&area=nothing", 400, "invalid-parameter", "area"),
        new("GET indicators/bad-mean/values?from=2026-11-23&to=2026-11-24&watermark=x", 400, "invalid-parameter", "watermark"),
        new("GET indicators/bad-mean/values?from=2026-11-23&to=2026-11-24&wer=ich", 400, "invalid-parameter", "wer"),
        new("GET indicators/bad-mean/latest?level=x", 400, "invalid-parameter", "level"),
        new("GET values?indicator=bad-mean,nothing&from=2026-11-23&to=2026-11-24", 404, "not-found", "nothing"),
        new("GET values?from=2026-11-23&to=2026-11-24", 400, "invalid-parameter", "indicator"),
        new("PUT indicators/bad-new", 400, "invalid-json", "Zeile 1, Stelle 2: kein lesbares JSON", "{", Key: "admin"),
        new("PUT indicators/bad-new", 422, "invalid-indicator", "dataset: Den Datensatz „nothing“ gibt es nicht; erst PUT", """{"title":"x","dataset":"nothing","measure":{"function":"count"},"window":"PT1H"}""", Key: "admin"),
        new("PUT indicators/bad-new", 422, "invalid-indicator", "magic", """{"title":"x","dataset":"bad","measure":{"function":"magic"},"window":"PT1H"}""", Key: "admin"),
        new("PUT indicators/bad-new", 422, "invalid-indicator", "measure.field: Das Feld „nobody“ gibt es nicht.", """{"title":"x","dataset":"bad","measure":{"function":"mean","field":"nobody"},"window":"PT1H"}""", Key: "admin"),
        new("PUT indicators/bad-new", 422, "invalid-indicator", "window, timeZone: „PT7H“ in „Europe/Berlin“ geht nicht. Erlaubt sind", """{"title":"x","dataset":"bad","measure":{"function":"mean","field":"no2"},"window":"PT7H"}""", Key: "admin"),
        new("PUT indicators/bad-new", 422, "invalid-indicator", "window, timeZone: „immer“ in „Europe/Berlin“ geht nicht. Erlaubt sind", """{"title":"x","dataset":"bad","measure":{"function":"mean","field":"no2"},"window":"immer"}""", Key: "admin"),
        new("PUT indicators/Bad_New", 400, "invalid-id", "Bad_New", """{"title":"x","dataset":"bad","measure":{"function":"count"},"window":"PT1H"}""", Key: "admin"),

        // Descriptions
        new("PUT agencies/new", 413, "too-large", "1048576", new string(' ', 1_100_000), Key: "admin"),
        new("PUT datasets/bad-new", 413, "too-large", "1048576", new string(' ', 1_100_000), Key: "admin"),
        new("PUT indicators/bad-new", 413, "too-large", "1048576", new string(' ', 1_100_000), Key: "admin"),
        new("PUT datasets/bad/feeds/second", 413, "too-large", "1048576", new string(' ', 1_100_000), Key: "admin"),
        new("POST datasets/bad/quarantine/replay", 413, "too-large", "1048576", new string(' ', 1_100_000)),
        new("POST datasets/bad/erasures", 413, "too-large", "1048576", new string(' ', 1_100_000), Key: "admin"),
        new("PUT agencies/Groß", 422, "invalid-agency", "Groß", """{"name":{"de":"x"}}""", Key: "admin"),
        new("PUT agencies/new", 400, "invalid-json", "($.name): ein Text oder {", """{"name":5}""", Key: "admin"),
        new("PUT agencies/new", 400, "invalid-json", "Zeile 1, Stelle 29 ($.colour): dieses Element gibt es nicht", """{"name":{"de":"x"},"colour":"red"}""", Key: "admin"),
        new("PUT agencies/new", 400, "invalid-json", "($.name): dem Text fehlt die deutsche Form (de)", """{"name":{"en":"x"}}""", Key: "admin"),
        new("PUT agencies/new", 400, "invalid-json", "($.name): die Sprache fr ist unbekannt", """{"name":{"fr":"x"}}""", Key: "admin"),
        new("PUT agencies/new", 422, "invalid-agency", "name: Der deutsche Text darf nicht leer sein.", """{"name":{"de":""}}""", Key: "admin"),
        new("POST agencies/bad-agency/keys", 400, "invalid-json", "Zeile 1, Stelle 15 ($.role): der Wert hat die falsche Art oder ist", """{"role":"king"}""", Key: "admin"),
        new("POST agencies/nothing/keys", 404, "not-found", "nothing", """{"role":"push"}""", Key: "admin"),
        new("POST agencies/bad-agency/keys", 422, "limit-reached", "MaxKeys", """{"role":"push"}""", Key: "admin"),
        new("PUT datasets/bad-new", 400, "invalid-json", "kind", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","schema":{"primaryKey":["id"],"fields":[{"name":"id","type":"string"}]}}""", Key: "admin"),
        new("PUT datasets/bad-new", 422, "invalid-dataset", "nobody", """{"title":"x","publisher":"nobody", "license": "dl-de/by-2-0","kind":"records","schema":{"primaryKey":["id"],"fields":[{"name":"id","type":"string"}]}}""", Key: "admin"),
        new("PUT datasets/bad-new", 422, "invalid-dataset", "nowhere", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","kind":"records","areaSystem":"nowhere","schema":{"primaryKey":["id"],"fields":[{"name":"id","type":"string"}]}}""", Key: "admin"),
        new("PUT datasets/bad-new", 422, "invalid-contract", "schema, nobody: Der primaryKey nennt „nobody“, aber kein Feld heißt", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","kind":"records","schema":{"primaryKey":["nobody"],"fields":[{"name":"id","type":"string"}]}}""", Key: "admin"),
        new("PUT datasets/bad-new", 422, "invalid-contract", "schema: Beobachtungen brauchen ein Feld mit der Rolle time.", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","kind":"observations","schema":{"primaryKey":["id"],"fields":[{"name":"id","type":"string"}]}}""", Key: "admin"),
        new("PUT datasets/bad-new", 400, "invalid-json", "type", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","kind":"records","schema":{"primaryKey":["id"],"fields":[{"name":"id","type":"magic"}]}}""", Key: "admin"),
        new("PUT datasets/bad-new", 422, "invalid-contract", "Das Muster „(“ ist kein regulärer Ausdruck", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","kind":"records","schema":{"primaryKey":["id"],"fields":[{"name":"id","type":"string","constraints":{"pattern":"("}}]}}""", Key: "admin"),
        new("PUT datasets/bad-new", 422, "invalid-dataset", "partitions", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","kind":"records","partitions":0,"schema":{"primaryKey":["id"],"fields":[{"name":"id","type":"string"}]}}""", Key: "admin"),
        new("PUT datasets/bad", 409, "conflict", "publisher", """{"title":"x","publisher":"bad-other", "license": "dl-de/by-2-0","kind":"observations","areaSystem":"bad-areas","schema":{"primaryKey":["id","time"],"fields":[{"name":"id","type":"string","role":"series"},{"name":"time","type":"datetime","role":"time"}]}}""", Key: "admin"),
        new("PUT datasets/bad", 409, "incompatible-contract", "schema, area: Ein Feld kann nicht wegfallen; es darf leer bleiben.", """{"title":"x","publisher":"bad-agency", "license": "dl-de/by-2-0","kind":"observations","areaSystem":"bad-areas","schema":{"primaryKey":["id","time"],"fields":[{"name":"id","type":"string","role":"series"},{"name":"time","type":"datetime","role":"time"}]}}""", Key: "admin"),
        new("PUT datasets/bad/feeds/second", 422, "invalid-feed", "rhythm", """{"rhythm":"bald"}""", Key: "admin"),
        new("PUT datasets/bad/feeds/second", 422, "invalid-feed", "quota", """{"quota":{"rowsPerDay":-1}}""", Key: "admin"),
        new("PUT datasets/bad/feeds/third", 422, "limit-reached", "MaxFeeds", "{}", Key: "admin"),
        new("PUT datasets/bad/feeds/second", 422, "invalid-feed", "csv.header", """{"csv":{"header":{"A":"nobody"}}}""", Key: "admin"),
        new("PUT datasets/bad/feeds/second", 400, "invalid-json", "Zeile 1, Stelle 18 ($.csv.colour): dieses Element gibt es nicht", """{"csv":{"colour":"red"}}""", Key: "admin"),
        new("PUT areas/bad-new", 422, "invalid-areas", "Gebiet „1“: das übergeordnete Gebiet „9“ fehlt.", "id,parent,name,level\n1,9,x,1\n", Csv, Key: "admin"),
        new("PUT areas/bad-new", 400, "invalid-csv", "Die Spalte „id;parent“ ist unbekannt; bekannt sind id, parent, name,", "id;parent\n", Csv, Key: "admin"),
        new("PUT areas/bad-new", 422, "invalid-areas", "Gebiet „2“ auf Ebene 5: das übergeordnete „1“ ist auf Ebene 0, also", "id,parent,name,level\n1,,x,0\n2,1,y,5\n", Csv, Key: "admin"),
        new("PUT areas/bad-new", 400, "invalid-json", "kein lesbares JSON", "{", "application/geo+json", Key: "admin"),
        new("PUT areas/bad-new", 415, "unsupported-type", "Diese Adresse nimmt den Inhaltstyp oder die Kodierung nicht an;", "x", "text/plain", Key: "admin"),
    ];

    private static IEnumerable<Bad> Rows()
    {
        const string Atomic = Push + "?atomic=true";
        const string Good = "\"id\":\"a\",\"time\":\"2026-11-23T08:00:00Z\"";
        (string Row, string Code)[] rows =
        [
            ("{}", "required"),
            ("""{"id":"a"}""", "required"),
            ($$"""{{{Good}},"nobody":1}""", "unknown-field"),
            ($$"""{{{Good}},"no2":1,"no2":2}""", "duplicate-field"),
            ($$"""{{{Good}},"no2":-1}""", "below-minimum"),
            ($$"""{{{Good}},"no2":2001}""", "above-maximum"),
            ($$"""{{{Good}},"no2":"viel"}""", "not-a-number"),
            ($$"""{{{Good}},"no2":true}""", "not-a-number"),
            ("{" + Good + ""","no2":{"a":1}}""", "not-a-number"),
            ($$"""{{{Good}},"no2":1e999}""", "number-out-of-range"),
            ($$"""{{{Good}},"count":1.5}""", "not-an-integer"),
            ($$"""{{{Good}},"count":99999999999999999999}""", "integer-out-of-range"),
            ($$"""{{{Good}},"kind":"lila"}""", "not-in-enum"),
            ($$"""{{{Good}},"day":"24.11.26"}""", "not-a-date"),
            ($$"""{{{Good}},"day":"2026-02-30"}""", "not-a-date"),
            ($$"""{{{Good}},"flag":"vielleicht"}""", "not-a-boolean"),
            ($$"""{{{Good}},"area":"nothing"}""", "unknown-area"),
            ($$"""{{{Good}},"area":7}""", "not-a-string"),
            ("""{"id":"abcdefghi","time":"2026-11-23T08:00:00Z"}""", "too-long"),
            ("""{"id":"a","time":"gestern"}""", "not-a-datetime"),
            ("""{"id":"a","time":"2026-11-23T08:00:00"}""", "no-offset"),
            ("""{"id":"a","time":"2096-11-23T08:00:00Z"}""", "too-far-in-the-future"),
            ($$"""{{{Good}},"code":"x1"}""", "pattern-mismatch"),
            ($$"""{{{Good}},"@delete":"ja"}""", "invalid-delete"),
            ("{" + Good + ",\"note\":\"" + new string('n', 300) + "\"}", "too-long"),
            ("{" + Good + ",\"note\":\"" + new string('n', 2_100) + "\"}", "row-too-large"),
            ("17", "malformed-row"),
            ("[]", "malformed-row"),
            ("""{"id":"\ud800","time":"2026-11-23T08:00:00Z"}""", "invalid-text"),
        ];
        foreach (var (row, code) in rows) yield return new(Atomic, 422, "not-atomic", $"\"code\":\"{code}\"", $"[{row}]");
        yield return new(Atomic, 422, "not-atomic", "\"code\":\"not-json\"", "{\"id\":\n", NdJson);
        yield return new(Atomic, 422, "not-atomic", "\"code\":\"wrong-cell-count\"", "id,time\na\n", Csv);
        yield return new(Atomic, 422, "not-atomic", "\"code\":\"broken-quotes\"", "id,time\n\"a,b\n", Csv);
        yield return new(Atomic, 422, "not-atomic", "\"code\":\"unknown-field\"", "id,time,nobody\na,2026-11-23T08:00:00Z,1\n", Csv);
        yield return new(Atomic, 422, "not-atomic", "•••", "[{" + Good + ""","name":"zu lang für dieses Feld"}]""");
    }

    private static async Task<Dictionary<string, string>> PrepareAsync(HubFixture hub)
    {
        async Task PutAsync(string path, string body, string type = Json)
        {
            using var content = new StringContent(body, Encoding.UTF8, type);
            await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/" + path, content));
        }

        var keys = new Dictionary<string, string>
        {
            ["push"] = await hub.KeyAsync("bad-agency", KeyRole.Push),
            ["other"] = await hub.KeyAsync("bad-other", KeyRole.Admin),
            ["admin"] = hub.AdminKey,
            ["broken"] = "dh_x",
        };
        keys["typo"] = keys["push"][..^1] + (keys["push"][^1] == 'a' ? 'b' : 'a');
        await hub.KeyAsync("bad-agency", KeyRole.Push);
        await hub.KeyAsync("bad-agency", KeyRole.Push);
        await PutAsync("areas/bad-areas", "id,parent,name,level\n1,,Eins,0\n11,1,Elf,1\n", Csv);
        const string Schema = """
            { "primaryKey": ["id", "time"], "fields": [
              { "name": "id", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 8 } },
              { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
              { "name": "area", "type": "string", "role": "area" },
              { "name": "no2", "type": "number", "role": "measure", "constraints": { "minimum": 0, "maximum": 2000 } },
              { "name": "count", "type": "integer" }, { "name": "kind", "type": "string", "constraints": { "enum": ["rot", "blau"] } },
              { "name": "day", "type": "date" }, { "name": "flag", "type": "boolean" }, { "name": "note", "type": "string" },
              { "name": "code", "type": "string", "constraints": { "pattern": "[A-Z][0-9]" } },
              { "name": "name", "type": "string", "role": "personal", "constraints": { "maxLength": 10 } } ] }
            """;
        foreach (var (dataset, partitions, access) in new[] { ("bad", 1, "open"), ("bad-parted", 2, "open"), ("shut", 1, "internal") })
        {
            await PutAsync("datasets/" + dataset, $$"""{ "title": "x", "publisher": "bad-agency", "license": "dl-de/by-2-0", "legalBasis": "Art. 6 DSGVO", "kind": "observations", "access": "{{access}}", "areaSystem": "bad-areas", "partitions": {{partitions}}, "schema": {{Schema}} }""");
            await hub.ReleaseAsync(dataset);
        }

        await PutAsync("indicators/bad-mean", """{"title":"x","dataset":"bad","measure":{"function":"mean","field":"no2"},"window":"PT1H","groupBy":["area"],"access":"open"}""");
        await PutAsync("datasets/bad/feeds/second", "{}");
        using var first = new HttpRequestMessage(HttpMethod.Post, "api/v1/datasets/bad/feeds/default/records")
        {
            Content = new StringContent("""[{"id":"a","time":"2026-11-23T08:00:00Z","area":"11","no2":1},{"id":"b","time":"2026-11-23T08:00:00Z","no2":-1}]""", Encoding.UTF8, Json),
            Headers = { { "Idempotency-Key", "used" } },
        };
        var receipt = await HubFixture.OkAsync(hub.With(keys["push"]).SendAsync(first));
        await HubFixture.OkAsync(hub.Admin.GetAsync($"api/v1/indicators/bad-mean/values?watermark={receipt.RootElement.GetProperty("watermark")}"));
        return keys;
    }

    [System.Text.RegularExpressions.GeneratedRegex("""
        ,?"lastUsed":"[^"]*"
        """)]
    private static partial System.Text.RegularExpressions.Regex LastUsed();

    /// <summary>Everything that could have changed: counts, rows, quarantine, values, descriptions.</summary>
    private static async Task<string> StandAsync(HubFixture hub)
    {
        var stand = new StringBuilder();
        foreach (var path in (string[])[
            "datasets/bad/conservation", "datasets/bad-parted/conservation", "datasets/shut/conservation", "datasets/bad/records", "datasets/bad/quarantine?state=all", "datasets/bad/quarantine/acts",
            "datasets/bad/erasures", "datasets/bad", "datasets/bad/feeds", "datasets", "agencies", "agencies/bad-agency/keys", "areas", "areas/bad-areas", "indicators", "agreements",
            "indicators/bad-mean/values?from=2026-11-23&to=2026-11-24"])
        {
            var found = (await HubFixture.OkAsync(hub.Admin.GetAsync("api/v1/" + path))).RootElement;
            // How far consumers have come moves on by itself.
            var text = path.EndsWith("conservation", StringComparison.Ordinal) ? found.GetProperty("feeds").GetRawText() : found.GetRawText();
            // So does when a key was used last.
            stand.AppendLine(CultureInfo.InvariantCulture, $"{path} {LastUsed().Replace(text, "")}");
        }

        return stand.ToString();
    }

    private static async Task<HttpResponseMessage> SendAsync(HubFixture hub, Dictionary<string, string> keys, Bad bad, string language)
    {
        var space = bad.Request.IndexOf(' ', StringComparison.Ordinal);
        var path = bad.Request[(space + 1)..].Replace("OTHER", new Feeds.Watermark(Guid.Empty, "bad", [1]).ToString(), StringComparison.Ordinal);
        using var request = new HttpRequestMessage(new HttpMethod(bad.Request[..space]), path.StartsWith('/') ? path : "api/v1/" + path) { Headers = { { "Accept-Language", language } } };
        if (bad.Body is not null || bad.Bytes is not null)
        {
            request.Content = new ByteArrayContent(bad.Bytes ?? Encoding.UTF8.GetBytes(bad.Body!));
            if (bad.Type is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(bad.Type);
        }

        if (keys.TryGetValue(bad.Key, out var key)) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in bad.Headers)
        {
            if (name.StartsWith("Content-", StringComparison.Ordinal)) request.Content!.Headers.TryAddWithoutValidation(name, value);
            else request.Headers.TryAddWithoutValidation(name, value);
        }

        return await hub.Anonymous.SendAsync(request);
    }

    private static byte[] Pack(string encoding, string text)
    {
        using var packed = new MemoryStream();
        using (Stream stream = encoding switch
        {
            "br" => new BrotliStream(packed, CompressionLevel.Fastest),
            "zstd" => new ZstdSharp.CompressionStream(packed),
            "deflate" => new ZLibStream(packed, CompressionLevel.Fastest),
            _ => new GZipStream(packed, CompressionLevel.Fastest),
        })
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        return packed.ToArray();
    }
}
