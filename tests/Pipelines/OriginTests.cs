using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>From a published number back to the runs, files and datasets behind it, and from a push to its run.</summary>
public sealed class OriginTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Loans = "Zweigstelle;Tag;Ausleihen\nMitte;2026-11-02;120\nPankow;2026-11-02;80\n";

    [Fact]
    public async Task A_number_names_the_runs_behind_its_rows_and_what_they_read_over_several_levels()
    {
        var admin = await hub.AgencyAsync("woher", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "woher-roh", "woher");
        await Pipes.LoansAsync(admin, "woher-fertig", "woher");
        await Pipes.PutJobAsync(admin, "woher-laden", RunHttpTests.Job("woher", "woher-roh"));
        await Pipes.PutJobAsync(admin, "woher-weiter", Copy("woher", "woher-roh", "woher-fertig"));
        var file = await Pipes.UploadAsync(admin, "november.csv", Loans);
        var first = Id(await Pipes.RunAsync(admin, "woher-laden", new { files = new { datei = file } }));
        var run = await Pipes.RunAsync(admin, "woher-weiter", new { });
        var second = Id(run);
        // What came after the second run had read is not behind what it wrote.
        var later = Id(await Pipes.RunAsync(admin, "woher-laden", new { files = new { datei = await Pipes.UploadAsync(admin, "spaeter.csv", Loans.Replace("120", "121", StringComparison.Ordinal)) } }));

        var explained = await ExplainAsync(admin, "woher-fertig-daily", Pipes.Step(run, "schreiben").GetProperty("watermark").GetString()!);
        var runs = explained.GetProperty("runs").EnumerateArray().ToArray();
        Assert.Equal([(second, 0), (first, 1)], runs.Select(one => (one.GetProperty("run").GetString()!, one.GetProperty("level").GetInt32())));
        Assert.Equal(
            ("woher-weiter", "schreiben", 2, $"/runs/{second}", "complete"),
            (runs[0].GetProperty("job").GetString(), runs[0].GetProperty("step").GetString(), runs[0].GetProperty("rows").GetInt32(), runs[0].GetProperty("href").GetString(), runs[0].GetProperty("state").GetString()));
        Assert.Equal(Pipes.Step(run, "schreiben").GetProperty("receipt").GetString(), Assert.Single(runs[0].GetProperty("receipts").EnumerateArray()).GetString());
        var read = Assert.Single(runs[0].GetProperty("inputs").EnumerateArray());
        Assert.Equal(("woher-roh", first), (read.GetProperty("dataset").GetString(), Assert.Single(read.GetProperty("writtenBy").EnumerateArray()).GetString()));
        Assert.Equal(run.GetProperty("inputs")[0].GetProperty("watermark").GetString(), read.GetProperty("watermark").GetString());
        var uploaded = Assert.Single(runs[1].GetProperty("inputs").EnumerateArray());
        Assert.Equal((file, "november.csv", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Loans)))), (uploaded.GetProperty("file").GetString(), uploaded.GetProperty("name").GetString(), uploaded.GetProperty("sha256").GetString()));
        Assert.False(explained.TryGetProperty("runsAreAll", out _));

        // The page says the same, with the way to the run.
        var page = WebUtility.HtmlDecode(await (await admin.GetAsync("indicators/woher-fertig-daily/explain?from=2026-11-02")).Content.ReadAsStringAsync());
        Assert.Contains("Die Läufe dahinter", page, StringComparison.Ordinal);
        Assert.Contains($"href=\"/runs/{second}\"", page, StringComparison.Ordinal);
        Assert.Contains($"href=\"#run-{first}\"", page, StringComparison.Ordinal);
        Assert.Contains("november.csv", page, StringComparison.Ordinal);
        Assert.DoesNotContain(later, page, StringComparison.Ordinal);

        // Of the dataset that was corrected since, both runs brought what stands or stood; what stands is told.
        runs = [.. (await ExplainAsync(admin, "woher-roh-daily", null)).GetProperty("runs").EnumerateArray()];
        Assert.Equal([(later, 1), (first, 1)], runs.Select(one => (one.GetProperty("run").GetString()!, one.GetProperty("rows").GetInt32())));
    }

    [Fact]
    public async Task A_receipt_names_its_run_to_those_who_may_know_of_it_and_others_are_told_what_they_were_told()
    {
        var admin = await hub.AgencyAsync("beleg", KeyRole.Admin);
        var other = await hub.AgencyAsync("fremde", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "beleg", "beleg");
        await Pipes.PutJobAsync(admin, "beleg-laden", RunHttpTests.Job("beleg", "beleg"));
        var run = await Pipes.RunAsync(admin, "beleg-laden", new { files = new { datei = await Pipes.UploadAsync(admin, "a.csv", Loans) } });
        var id = Pipes.Step(run, "schreiben").GetProperty("receipt").GetString();

        var receipt = (await OkAsync(admin.GetAsync($"api/v1/receipts/{id}"))).RootElement;
        Assert.Equal((Id(run), "schreiben", "beleg-laden"), (receipt.GetProperty("run").GetString(), receipt.GetProperty("step").GetString(), receipt.GetProperty("job").GetString()));

        var pushed = (await OkAsync(admin.PostAsync("api/v1/datasets/beleg/feeds/default/records", new StringContent("""[{"branch":"Spandau","time":"2026-11-02T00:00:00Z","loans":7}]""", Encoding.UTF8, "application/json")))).RootElement;
        Assert.False((await OkAsync(admin.GetAsync($"api/v1/receipts/{pushed.GetProperty("receipt").GetString()}"))).RootElement.TryGetProperty("run", out _));
        var watermark = pushed.GetProperty("watermark").GetString()!;
        Assert.Equal(2, Assert.Single((await ExplainAsync(admin, "beleg-daily", watermark)).GetProperty("runs").EnumerateArray()).GetProperty("rows").GetInt32());
        foreach (var stranger in new[] { other, hub.Anonymous })
        {
            var told = await ExplainAsync(stranger, "beleg-daily", watermark);
            Assert.Equal((207.0, false), (told.GetProperty("value").GetDouble(), told.TryGetProperty("runs", out _)));
        }
    }

    [Fact]
    public void What_a_reader_of_a_watermark_met_is_told_by_the_watermarks()
    {
        var log = Guid.NewGuid();
        LineageUse[] writes = [Write("5", 9, 0), Write("4", 0, 3), Write("3", 2, 4), Write("2", 1, 0, accepted: 0), Write("1", 1, 0), new("job", new("0", "s"), new Watermark(Guid.NewGuid(), "d", [1, 1]).ToString()) { Receipt = "r", Accepted = 1 }];

        Assert.Equal(["4", "3", "1"], RunOrigins.Until(new Watermark(log, "d", [2, 3]).ToString(), writes, "self"));
        Assert.Equal(["3", "1"], RunOrigins.Until(new Watermark(log, "d", [2, 3]).ToString(), writes, "4"));
        Assert.Empty(RunOrigins.Until(null, writes, "self"));

        LineageUse Write(string run, long first, long second, long accepted = 1) => new("job", new(run, "s"), new Watermark(log, "d", [first, second]).ToString()) { Receipt = "r" + run, Accepted = accepted };
    }

    [Fact]
    public void Of_jobs_and_runs_beside_a_dataset_so_many_are_kept_and_each_once()
    {
        var state = new DatasetLineageState();
        var job = new LineageJob("j", "a", null, true, []);
        state = LineageRules.Note(state, job);
        Assert.Same(state.Jobs, LineageRules.Note(state, job).Jobs);
        state = LineageRules.Note(state, job with { Reads = false, Feeds = ["default"] });
        Assert.Equal((true, "default"), (state.Jobs[0].Reads, Assert.Single(state.Jobs[0].Feeds)));

        for (var i = 0; i < LineageRules.MaxRuns + 20; i++) state = LineageRules.Note(state, new LineageUse("j", new(i.ToString("D5", CultureInfo.InvariantCulture), "s"), null) { Receipt = "r" });
        Assert.Same(state.Writes, LineageRules.Note(state, new LineageUse("j", new("00100", "s"), null) { Receipt = "r" }).Writes);
        Assert.Equal((LineageRules.MaxRuns, "00519", 0), (state.Writes.Length, state.Writes[0].By.Run, state.Reads.Length));
        for (var i = 0; i < LineageRules.MaxJobs + 5; i++) state = LineageRules.Note(state, job with { Job = "n" + i });
        Assert.Equal((LineageRules.MaxJobs, "n1004"), (state.Jobs.Length, state.Jobs[^1].Job));
    }

    internal static string Copy(string agency, string from, string to) => $$"""
        { "title": { "de": "Weiter", "en": "On" }, "agency": "{{agency}}", "steps": [
          { "id": "zeilen", "read": { "dataset": "{{from}}" } },
          { "id": "rechnen", "transform": { "inputs": ["zeilen"], "sql": "SELECT branch, time, loans * 2 AS loans FROM zeilen" } },
          { "id": "schreiben", "write": { "input": "rechnen", "dataset": "{{to}}" } } ] }
        """;

    private static string Id(JsonElement run) => run.GetProperty("id").GetString()!;

    private static async Task<JsonElement> ExplainAsync(HttpClient client, string indicator, string? watermark) =>
        (await OkAsync(client.GetAsync($"api/v1/indicators/{indicator}/explain?from=2026-11-02{(watermark is null ? "" : "&watermark=" + watermark)}"))).RootElement;
}
