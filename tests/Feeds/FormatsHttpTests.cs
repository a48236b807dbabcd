using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using MessagePack;

namespace DataHub.Feeds;

/// <summary>One content in every form in which it may come, through the public routes of a whole hub.</summary>
public sealed class FormatsHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const int Count = 1_000;

    /// <summary>Station, minute after the beginning, value as ten times the number, note; some out of range, some twice, some without a value.</summary>
    private static readonly (string Station, int Minute, int? Tenths, string Note)[] s_rows =
        [.. Enumerable.Range(0, Count).Select(i => (
            $"Straße „{i % 9}“", i % 97 == 13 ? i - 9 : i, i % 31 == 0 ? null : i % 53 == 7 ? -i - 1 : (int?)(i * 37 % 19_000), i % 5 == 0 ? "" : $"Wert {i}; \"zitiert\", € äöü{(i % 7 == 0 ? "\nzweite Zeile" : "")}"))];

    private static readonly DateTimeOffset s_start = new(2026, 11, 2, 0, 0, 0, TimeSpan.FromHours(1));

    public static TheoryData<string, string, string?> Forms => new()
    {
        { "json", "application/json", null },
        { "ndjson", "application/x-ndjson", null },
        { "msgpack", "application/vnd.msgpack", null },
        { "columns", "application/x-msgpack", null },
        { "csv", "text/csv", null },
        { "csv-excel", "text/csv", null },
        { "csv-tab", "text/csv; charset=windows-1252", null },
        { "csv-utf16", "text/csv", null },
        { "csv-profile", "text/csv", """{ "delimiter": "|", "encoding": "windows-1252", "decimalChar": ",", "groupChar": ".", "dateTimeFormat": "%d/%m/%Y %H:%M", "nullValues": ["-"], "skipRows": 2, "header": { "Messstelle": "station", "Zeit": "time", "Wert": "no2", "Bemerkung": "note" }, "ignore": ["Nr."] }""" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task The_same_thousand_rows_make_the_same_rows_cells_and_counts_in_every_compression(string form, string type, string? profile)
    {
        var reference = await PushAsync("reference", "json", "application/json", "", null);
        foreach (var encoding in (string[])["", "gzip", "br", "deflate", "zstd"])
            Assert.Equal(reference, await PushAsync($"{form}-{(encoding.Length == 0 ? "plain" : encoding)}", form, type, encoding, profile));
    }

    [Fact]
    public async Task A_body_cut_off_or_changed_anywhere_stores_all_of_it_or_nothing()
    {
        await DatasetAsync("mutated", null);
        var client = hub.With(await hub.KeyAsync("mutated-agency", KeyRole.Push));
        var (received, accepted, refused) = (0L, 0L, 0);
        foreach (var (form, type, _) in Forms.Select(row => ((string)row[0], (string)row[1], (string?)row[2])).Where(row => row.Item1 != "csv-profile"))
        {
            foreach (var encoding in (string[])["", "gzip", "br", "deflate", "zstd"])
            {
                var whole = Compress(Write(form, s_rows[..40]), encoding);
                for (var seed = 0; seed < (encoding.Length == 0 ? 60 : 15); seed++)
                {
                    var random = new Random(seed);
                    var body = whole.ToArray();
                    if (seed % 3 == 0) body = body[..random.Next(body.Length)];
                    else for (var flips = random.Next(1, 4); flips > 0; flips--) body[random.Next(body.Length)] = (byte)random.Next(256);

                    using var content = new ByteArrayContent(body);
                    content.Headers.TryAddWithoutValidation("Content-Type", type);
                    if (encoding.Length > 0) content.Headers.ContentEncoding.Add(encoding);
                    using var answer = await client.PostAsync("api/v1/datasets/mutated/feeds/default/records", content);
                    var text = await answer.Content.ReadAsStringAsync();
                    Assert.True((int)answer.StatusCode < 500, $"{form} {encoding} {seed}: {text}");
                    // What is cut off under a compression is never a shorter push.
                    if (seed % 3 == 0 && encoding.Length > 0 && body.Length > 0) Assert.True((int)answer.StatusCode == 400, $"{form} {encoding} {seed}: {text}");
                    var receipt = JsonDocument.Parse(text).RootElement;
                    if (receipt.TryGetProperty("receipt", out _))
                    {
                        received += receipt.GetProperty("received").GetInt64();
                        accepted += receipt.GetProperty("accepted").GetInt64();
                    }
                    else
                    {
                        refused++;
                    }
                }
            }
        }

        Assert.True(refused > 100);
        var feed = Assert.Single((await HubFixture.OkAsync(client.GetAsync("api/v1/datasets/mutated/conservation"))).RootElement.GetProperty("feeds").EnumerateArray());
        Assert.Equal((received, accepted), (feed.GetProperty("received").GetInt64(), feed.GetProperty("accepted").GetInt64()));
    }

    [Theory]
    [InlineData(new byte[] { 0xDD, 0x7F, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0xDD, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0xDF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x91, 0x81, 0xDB, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x91, 0x81, 0xA2, 0x69, 0x64, 0xC6, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x91, 0x81, 0xA2, 0x69, 0x64, 0xC9, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 })]
    [InlineData(new byte[] { 0xDF, 0x7F, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x91, 0xDF, 0x7F, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x91, 0x81, 0xDB, 0x7F, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x81, 0xA7, 0x63, 0x6F, 0x6C, 0x75, 0x6D, 0x6E, 0x73, 0x81, 0xA1, 0x61, 0xDD, 0x7F, 0xFF, 0xFF, 0xFF })]
    public async Task A_header_that_announces_what_does_not_come_is_refused_at_once(byte[] body)
    {
        await DatasetAsync("bombs", null);
        var client = hub.With(await hub.KeyAsync("bombs-agency", KeyRole.Push));

        // Other tests of this process allocate too: the least of several tries is its own.
        var least = long.MaxValue;
        for (var tries = 0; tries < 10 && least >= 64 << 20; tries++)
        {
            var before = GC.GetTotalAllocatedBytes();
            using var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/vnd.msgpack") } };
            var problem = await HubFixture.RefusedAsync(client.PostAsync("api/v1/datasets/bombs/feeds/default/records", content), 400);
            Assert.Equal("/problems/invalid-messagepack", problem.RootElement.GetProperty("type").GetString());
            least = Math.Min(least, GC.GetTotalAllocatedBytes() - before);
        }

        Assert.True(least < 64 << 20, $"{least} bytes were allocated");
    }

    [Theory]
    [InlineData("no2", "1.234", "ambiguous-number")]
    [InlineData("no2", "1.23,4", "not-a-number")]
    [InlineData("no2", "1,2,3", "not-a-number")]
    [InlineData("time", "31.02.2026 08:00", "not-a-datetime")]
    public async Task What_could_mean_two_things_is_not_guessed(string field, string text, string code)
    {
        await DatasetAsync("guess", null);
        var client = hub.With(await hub.KeyAsync("guess-agency", KeyRole.Push));
        var row = field == "no2" ? $"a;02.11.2026 08:00;{text}" : $"a;{text};1,5";

        using var content = new StringContent($"station;time;no2\n{row}\n", Encoding.UTF8, "text/csv");
        var problem = await HubFixture.RefusedAsync(client.PostAsync("api/v1/datasets/guess/feeds/default/records?atomic=true", content), 422, "not-atomic");

        Assert.Equal(code, problem.RootElement.GetProperty("errors")[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_row_from_excel_is_replayed_from_quarantine_as_it_was_read()
    {
        await DatasetAsync("excel", null);
        var client = hub.With(await hub.KeyAsync("excel-agency", KeyRole.Push));
        using var content = new StringContent("station;time;no2;extra\na;02.11.2026 08:00;1.234,5;x\n", Encoding.UTF8, "text/csv");
        await HubFixture.RefusedAsync(client.PostAsync("api/v1/datasets/excel/feeds/default/records", content), 422, "all-quarantined");

        var act = (await HubFixture.OkAsync(client.PostAsJsonAsync("api/v1/datasets/excel/quarantine/replay", new { select = new { }, rule = new { field = "extra", drop = true } }))).RootElement;

        Assert.Equal(1, act.GetProperty("accepted").GetInt32());
        var row = (await HubFixture.OkAsync(client.GetAsync($"api/v1/datasets/excel/records?watermark={act.GetProperty("watermark")}"))).RootElement.GetProperty("rows")[0];
        Assert.Equal(("2026-11-02T07:00:00Z", 1234.5), (row.GetProperty("time").GetString(), row.GetProperty("no2").GetDouble()));
    }

    [Theory]
    [InlineData("""{ "csv": { "header": { "A": "nobody" } } }""", "csv.header")]
    [InlineData("""{ "csv": { "header": { "A": "no2", "B": "no2" } } }""", "csv.header")]
    [InlineData("""{ "csv": { "delimiter": ":" } }""", "csv.delimiter")]
    [InlineData("""{ "csv": { "encoding": "ebcdic" } }""", "csv.encoding")]
    [InlineData("""{ "csv": { "decimalChar": ",", "groupChar": "," } }""", "csv.groupChar")]
    [InlineData("""{ "csv": { "dateFormat": "%Q" } }""", "csv.dateFormat")]
    [InlineData("""{ "csv": { "skipRows": -1 } }""", "csv.skipRows")]
    public async Task A_profile_that_cannot_be_used_is_refused_with_the_member(string feed, string says)
    {
        await DatasetAsync("profiles", null);
        using var content = new StringContent(feed, Encoding.UTF8, "application/json");

        var problem = await HubFixture.RefusedAsync(hub.Admin.PutAsync("api/v1/datasets/profiles/feeds/default", content), 422, "invalid-feed");

        Assert.StartsWith(says, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private async Task<string> PushAsync(string dataset, string form, string type, string encoding, string? profile)
    {
        dataset = "form-" + dataset;
        await DatasetAsync(dataset, profile);
        var client = hub.With(await hub.KeyAsync($"{dataset}-agency", KeyRole.Push));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/datasets/{dataset}/feeds/default/records") { Content = new ByteArrayContent(Compress(Write(form, s_rows), encoding)) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (encoding.Length > 0) request.Content.Headers.ContentEncoding.Add(encoding);
        request.Headers.Add("Idempotency-Key", "once");
        var receipt = (await HubFixture.OkAsync(client.SendAsync(request))).RootElement;
        var watermark = receipt.GetProperty("watermark").GetString();

        var rows = (await HubFixture.OkAsync(client.GetAsync($"api/v1/datasets/{dataset}/records?limit=10000&watermark={watermark}"))).RootElement.GetProperty("rows").GetRawText();
        var values = (await HubFixture.OkAsync(client.GetAsync($"api/v1/indicators/{dataset}/values?from=2026-11-01&to=2026-11-10&watermark={watermark}"))).RootElement.GetProperty("rows").GetRawText();
        var counts = string.Join(' ', ((string[])["received", "accepted", "duplicate", "quarantined"]).Select(name => receipt.GetProperty(name).GetInt32()));
        var errors = string.Join(' ', receipt.GetProperty("errors").EnumerateArray().Select(e => $"{e.GetProperty("row")}:{e.GetProperty("field")}:{e.GetProperty("code")}"));
        return $"{counts}\n{errors}\n{rows}\n{values}";
    }

    private async Task DatasetAsync(string dataset, string? profile)
    {
        await hub.KeyAsync($"{dataset}-agency", KeyRole.Push);
        await hub.PutDatasetAsync(dataset, $"{dataset}-agency", DatasetKind.Observations, Contracts.Schema(
            ["station", "time"],
            Contracts.Field("station", FieldType.String, FieldRole.Series, new(Required: true)),
            Contracts.Field("time", FieldType.DateTime, FieldRole.Time, new(Required: true), timeZone: "Europe/Berlin"),
            Contracts.Field("no2", FieldType.Number, FieldRole.Measure, new(Minimum: "0")),
            Contracts.Field("note", FieldType.String)));
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/indicators/{dataset}", new { title = "x", dataset, measure = new { function = "sum", field = "no2" }, window = "PT1H", access = "open" }));
        if (profile is null) return;
        using var content = new StringContent($$"""{ "csv": {{profile}} }""", Encoding.UTF8, "application/json");
        await HubFixture.OkAsync(hub.Admin.PutAsync($"api/v1/datasets/{dataset}/feeds/default", content));
    }

    private static byte[] Write(string form, (string Station, int Minute, int? Tenths, string Note)[] rows)
    {
        switch (form)
        {
            case "json": return JsonSerializer.SerializeToUtf8Bytes(rows.Select(Json));
            case "ndjson": return Encoding.UTF8.GetBytes(string.Join("\r\n", rows.Select(row => JsonSerializer.Serialize(Json(row)))));
            case "msgpack": return Pack(rows, inColumns: false);
            case "columns": return Pack(rows, inColumns: true);
            case "csv": return Encoding.UTF8.GetBytes(Csv(rows, ",", "station,time,no2,note", "yyyy-MM-dd'T'HH:mm:ss'+01:00'", "."));
            case "csv-excel": return [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Csv(rows, ";", "station;time;no2;note", "dd.MM.yyyy HH:mm", ","))];
            case "csv-tab": return Latin(Csv(rows, "\t", "station\ttime\tno2\tnote", "yyyy-MM-dd'T'HH:mm:ss'+01:00'", "."));
            case "csv-utf16": return [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Csv(rows, ";", "station;time;no2;note", "dd.MM.yyyy HH:mm", ","))];
            default: return Latin("Auswertung vom 24.11.2026\r\n\r\n" + Csv(rows, "|", "Nr.|Messstelle|Zeit|Wert|Bemerkung", "dd/MM/yyyy HH:mm", ",", first: "17", none: "-", thousands: true));
        }
    }

    private static Dictionary<string, object?> Json((string Station, int Minute, int? Tenths, string Note) row)
    {
        var json = new Dictionary<string, object?> { ["station"] = row.Station, ["time"] = s_start.AddMinutes(row.Minute).ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) };
        if (row.Tenths is { } tenths) json["no2"] = tenths / 10m;
        if (row.Note.Length > 0) json["note"] = row.Note;
        return json;
    }

    private static string Csv((string Station, int Minute, int? Tenths, string Note)[] rows, string delimiter, string header, string time, string point, string? first = null, string none = "", bool thousands = false)
    {
        var text = new StringBuilder(header).Append("\r\n");
        foreach (var row in rows)
        {
            if (first is not null) text.Append(first).Append(delimiter);
            var number = row.Tenths is not { } tenths ? none : (tenths / 10m).ToString(thousands ? "#,##0.#" : "0.#", CultureInfo.InvariantCulture).Replace(",", "_", StringComparison.Ordinal).Replace(".", point, StringComparison.Ordinal).Replace("_", ".", StringComparison.Ordinal);
            text.Append(Quoted(row.Station)).Append(delimiter).Append(s_start.AddMinutes(row.Minute).ToString(time, CultureInfo.InvariantCulture)).Append(delimiter).Append(Quoted(number)).Append(delimiter)
                .Append(Quoted(row.Note)).Append("\r\n");
        }

        return text.ToString();

        string Quoted(string cell) => cell.Contains(delimiter, StringComparison.Ordinal) || cell.Contains('"', StringComparison.Ordinal) || cell.Contains('\n', StringComparison.Ordinal)
            ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : cell;
    }

    private static byte[] Latin(string text) => CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetBytes(text);

    private static byte[] Pack((string Station, int Minute, int? Tenths, string Note)[] rows, bool inColumns)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        if (inColumns)
        {
            writer.WriteMapHeader(1);
            writer.Write("columns");
            writer.WriteMapHeader(4);
            writer.Write("station");
            writer.WriteArrayHeader(rows.Length);
            foreach (var row in rows) writer.Write(row.Station);
            writer.Write("time");
            writer.WriteArrayHeader(rows.Length);
            // The form that MessagePack has for instants.
            foreach (var row in rows) writer.Write(s_start.AddMinutes(row.Minute).UtcDateTime);
            writer.Write("no2");
            writer.WriteArrayHeader(rows.Length);
            foreach (var row in rows) Number(ref writer, row.Tenths);
            writer.Write("note");
            writer.WriteArrayHeader(rows.Length);
            foreach (var row in rows) writer.Write(row.Note.Length == 0 ? null : row.Note);
        }
        else
        {
            writer.WriteArrayHeader(rows.Length);
            foreach (var row in rows)
            {
                writer.WriteMapHeader(4);
                writer.Write("note");
                writer.Write(row.Note.Length == 0 ? null : row.Note);
                writer.Write("no2");
                Number(ref writer, row.Tenths);
                writer.Write("time");
                writer.Write(s_start.AddMinutes(row.Minute).ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
                writer.Write("station");
                writer.Write(row.Station);
            }
        }

        writer.Flush();
        return buffer.WrittenSpan.ToArray();

        static void Number(ref MessagePackWriter writer, int? tenths)
        {
            if (tenths is not { } number) writer.WriteNil();
            else if (number % 10 == 0) writer.Write(number / 10);
            else writer.Write(number / 10.0);
        }
    }

    private static byte[] Compress(byte[] body, string encoding)
    {
        using var packed = new MemoryStream();
        using (Stream stream = encoding switch
        {
            "gzip" => new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "zstd" => new ZstdSharp.CompressionStream(packed, leaveOpen: true),
            _ => new BufferedStream(packed),
        })
        {
            stream.Write(body);
            stream.Flush();
            if (encoding.Length == 0) return packed.ToArray();
        }

        return packed.ToArray();
    }
}
