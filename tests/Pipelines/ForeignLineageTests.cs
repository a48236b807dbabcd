using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Events of OpenLineage from outside: taken, refused with their place, given back, and used where they name datasets of the hub.</summary>
public sealed class ForeignLineageTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Run = "01a23cd6-0e70-7e25-a804-ae78cf95192a";

    [Fact]
    public async Task A_foreign_tools_run_is_kept_given_back_and_found_behind_and_before_datasets()
    {
        var admin = await hub.AgencyAsync("werkzeug", KeyRole.Admin);
        var other = await hub.AgencyAsync("nachbar", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "werkzeug-roh", "werkzeug");
        await Pipes.LoansAsync(admin, "werkzeug-ziel", "werkzeug");
        var before = await PushAsync(admin, "werkzeug-roh");
        await PushAsync(admin, "werkzeug-ziel");
        var start = Event("START", DateTime.UtcNow.AddSeconds(-1), "werkzeug.airflow", "laden/nachts");
        var complete = Event("COMPLETE", DateTime.UtcNow.AddMilliseconds(-1), "werkzeug.airflow", "laden/nachts", "werkzeug-roh", "werkzeug-ziel");

        Assert.Equal((2, 2), await TellAsync(admin, $"[{start},{complete}]"));
        Assert.Equal((1, 0), await TellAsync(admin, complete));
        var told = (await OkAsync(admin.GetAsync("api/v1/lineage/jobs/werkzeug.airflow/laden%2Fnachts/runs"))).RootElement;
        var run = Assert.Single(told.GetProperty("runs").EnumerateArray());
        Assert.Equal((Run, "complete", "laden/nachts"), (run.GetProperty("run").GetString(), run.GetProperty("state").GetString(), told.GetProperty("name").GetString()));
        Assert.Equal([start, complete], run.GetProperty("events").EnumerateArray().Select(one => one.GetRawText()));
        Assert.Equal(JsonValueKind.Null, told.GetProperty("next").ValueKind);

        // Forward and back, for those who may know of the agency's jobs.
        Assert.Contains("foreign-run " + Run, await KindsAsync(admin, "api/v1/datasets/werkzeug-roh/uses"));
        Assert.Contains("foreign-run " + Run, await KindsAsync(admin, $"api/v1/receipts/{before}/uses"));
        Assert.DoesNotContain("foreign-run " + Run, await KindsAsync(admin, "api/v1/datasets/werkzeug-ziel/uses"));
        Assert.DoesNotContain("foreign-run " + Run, await KindsAsync(other, "api/v1/datasets/werkzeug-roh/uses"));
        await PushAsync(admin, "werkzeug-ziel", 8);
        var write = Assert.Single((await OkAsync(admin.GetAsync("api/v1/indicators/werkzeug-ziel-daily/explain?from=2026-11-02"))).RootElement.GetProperty("foreignRuns").EnumerateArray());
        Assert.Equal((Run, "werkzeug.airflow", "laden/nachts"), (write.GetProperty("run").GetString(), write.GetProperty("namespace").GetString(), write.GetProperty("job").GetString()));
        Assert.Contains("werkzeug.airflow laden/nachts", await (await admin.GetAsync("indicators/werkzeug-ziel-daily/explain?from=2026-11-02")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False((await OkAsync(other.GetAsync("api/v1/indicators/werkzeug-ziel-daily/explain?from=2026-11-02"))).RootElement.TryGetProperty("foreignRuns", out _));

        // Nobody tells for another agency, reads its jobs, or says of its datasets what he may not do with them.
        await RefusedAsync(PostAsync(other, complete), 403);
        await RefusedAsync(PostAsync(hub.Anonymous, complete), 401);
        await RefusedAsync(other.GetAsync("api/v1/lineage/jobs/werkzeug.airflow/laden%2Fnachts/runs"), 404);
        Assert.Equal((1, 1), await TellAsync(other, Event("COMPLETE", DateTime.UtcNow, "nachbar", "fremd", null, "werkzeug-ziel", "02a23cd6-0e70-7e25-a804-ae78cf95192a")));
        Assert.Single((await OkAsync(hub.Admin.GetAsync("api/v1/indicators/werkzeug-ziel-daily/explain?from=2026-11-02"))).RootElement.GetProperty("foreignRuns").EnumerateArray());
    }

    [Theory]
    [InlineData("[]", "$:")]
    [InlineData("1", "$:")]
    [InlineData("""{ "eventTime": "gestern" }""", "$.eventTime:")]
    [InlineData("""{ "eventTime": "2999-11-28T07:31:00Z", "producer": "urn:x" }""", "$.eventTime:")]
    [InlineData("""{ "eventTime": "2026-11-28T07:31:00Z", "producer": "x" }""", "$.producer:")]
    [InlineData("""{ "eventTime": "2026-11-28T07:31:00Z", "producer": "urn:x", "schemaURL": "urn:x", "eventType": "DONE" }""", "$.eventType:")]
    [InlineData("""{ "eventTime": "2026-11-28T07:31:00Z", "producer": "urn:x", "schemaURL": "urn:x", "job": { "namespace": "fehler", "name": "j" } }""", "$.run:")]
    [InlineData("""[{ "eventTime": "2026-11-28T07:31:00Z", "producer": "urn:x", "schemaURL": "urn:x", "run": { "runId": "1" } }]""", "$[0].run.runId:")]
    [InlineData("""{ "eventTime": "2026-11-28T07:31:00Z", "producer": "urn:x", "schemaURL": "urn:x", "run": { "runId": "01a23cd6-0e70-7e25-a804-ae78cf95192a" }, "job": { "namespace": "Postgres://x", "name": "j" } }""", "$.job.namespace:")]
    [InlineData("""{ "eventTime": "2026-11-28T07:31:00Z", "producer": "urn:x", "schemaURL": "urn:x", "run": { "runId": "01a23cd6-0e70-7e25-a804-ae78cf95192a" }, "job": { "namespace": "fehler", "name": "j" }, "inputs": [ { "name": "x" } ] }""", "$.inputs[0].namespace:")]
    [InlineData("""{ "eventTime": "2026-11-28T07:31:00Z", "producer": "urn:x", "schemaURL": "urn:x", "run": { "runId": "01a23cd6-0e70-7e25-a804-ae78cf95192a", "facets": { "x": {} } }, "job": { "namespace": "fehler", "name": "j" } }""", "$.run.facets.x._producer:")]
    public async Task What_is_no_event_is_refused_with_its_place(string body, string place)
    {
        var refused = await RefusedAsync(PostAsync(await hub.AgencyAsync("fehler", KeyRole.Push), body), 422, "invalid-lineage");
        Assert.StartsWith(place, refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_names_no_more_datasets_than_can_be_noted()
    {
        var many = Event("COMPLETE", DateTime.UtcNow, "viele", "j").Replace("\"inputs\":[]", $"\"inputs\":[{string.Join(',', Enumerable.Range(0, ForeignJobs.Datasets + 1).Select(i => $"{{\"namespace\":\"datahub\",\"name\":\"dataset/d{i}\"}}"))}]", StringComparison.Ordinal);
        var refused = await RefusedAsync(PostAsync(await hub.AgencyAsync("viele", KeyRole.Push), many), 422, "invalid-lineage");
        Assert.Contains("mehr als 200 Datensätze", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Datasets_are_noted_once_for_a_run_and_no_agency_crowds_out_another()
    {
        var at = DateTimeOffset.UnixEpoch;
        var named = ForeignJobRules.Named([Of(0, new("d", false, "1")), Of(5, new("d", false, "2")), Of(3, new("d", false, null)), Of(1, new("d", true, null))]).ToArray();
        Assert.Equal([(5, "2"), (1, null)], named.Select(one => ((int)(one.At - at).TotalSeconds, one.Dataset.Watermark)));

        var state = LineageRules.Note(new(), Use("leise", 0));
        for (var i = 1; i < 2 * LineageRules.MaxOfAgency; i++) state = LineageRules.Note(state, Use("laut", i));
        Assert.Equal((LineageRules.MaxOfAgency + 1, "laut", "leise"), (state.Foreign.Length, state.Foreign[0].Agency, state.Foreign[^1].Agency));

        ForeignEvent Of(int second, ForeignDataset dataset) => new(Guid.Empty, "OTHER", at.AddSeconds(second), "", [dataset]);
        ForeignUse Use(string agency, int i) => new(new(agency, "j", null), agency, new Guid(i, 0, 0, new byte[8]), true, null, at.AddSeconds(i));
    }

    [Fact]
    public void What_is_kept_of_a_job_is_bounded_by_runs_events_bytes_and_age()
    {
        var job = new ForeignJob("a", "j", null);
        var begin = DateTimeOffset.UnixEpoch;
        var state = new ForeignJobState();
        for (var i = 0; i < ForeignJobs.Runs + 5; i++) (state, _) = ForeignJobRules.Tell(state, job, [Of(i, i)], begin);
        Assert.Equal((ForeignJobs.Runs, begin.AddSeconds(ForeignJobs.Runs + 4)), (state.Runs.Length, state.Runs[0].Events[0].At));
        (state, _) = ForeignJobRules.Tell(new(), job, [.. Enumerable.Range(0, ForeignJobs.EventsOfRun + 5).Select(i => Of(0, i))], begin);
        Assert.Equal((ForeignJobs.EventsOfRun, begin.AddSeconds(5)), (Assert.Single(state.Runs).Events.Length, state.Runs[0].Events[0].At));
        (state, _) = ForeignJobRules.Tell(new(), job, [.. Enumerable.Range(0, 20).Select(i => Of(i, i, ForeignJobs.EventBytes))], begin);
        Assert.Equal(ForeignJobs.JobBytes / ForeignJobs.EventBytes, state.Runs.Length);
        (state, _) = ForeignJobRules.Tell(state, job, [Of(50, 50)], begin.AddSeconds(19));
        Assert.Equal(2, state.Runs.Length);

        // A run that has more by itself keeps its newest events, and nothing of the others.
        (state, _) = ForeignJobRules.Tell(state, job, [.. Enumerable.Range(60, 30).Select(i => Of(60, i, ForeignJobs.EventBytes))], begin);
        Assert.Equal((ForeignJobs.JobBytes / ForeignJobs.EventBytes, begin.AddSeconds(89)), (Assert.Single(state.Runs).Events.Length, state.Runs[0].Events[^1].At));

        static ForeignEvent Of(int run, int second, int length = 2) => new(new Guid(run, 0, 0, new byte[8]), "START", DateTimeOffset.UnixEpoch.AddSeconds(second), new('x', length), []);
    }

    private static async Task<(int Received, int New)> TellAsync(HttpClient client, string body)
    {
        var answer = (await OkAsync(PostAsync(client, body))).RootElement;
        return (answer.GetProperty("received").GetInt32(), answer.GetProperty("new").GetInt32());
    }

    private static async Task<string[]> KindsAsync(HttpClient client, string path) =>
        [.. (await OkAsync(client.GetAsync(path))).RootElement.GetProperty("uses").EnumerateArray().Select(use => $"{use.GetProperty("kind").GetString()} {use.GetProperty("id").GetString()}")];

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string body) => client.PostAsync("api/v1/lineage", new StringContent(body, Encoding.UTF8, "application/json"));

    private static async Task<string> PushAsync(HttpClient client, string dataset, int loans = 7) =>
        (await OkAsync(client.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", new StringContent($$"""[{"branch":"Mitte","time":"2026-11-02T00:00:00Z","loans":{{loans}}}]""", Encoding.UTF8, "application/json")))).RootElement.GetProperty("receipt").GetString()!;

    private static string Event(string type, DateTime at, string space, string name, string? input = null, string? output = null, string run = Run) => JsonSerializer.Serialize(new
    {
        eventType = type,
        eventTime = at.ToString("o", CultureInfo.InvariantCulture),
        run = new { runId = run },
        job = new { @namespace = space, name },
        inputs = input is null ? [] : new[] { new { @namespace = "datahub", name = "dataset/" + input } },
        outputs = output is null ? [] : new[] { new { @namespace = "datahub", name = "dataset/" + output } },
        producer = "urn:airflow",
        schemaURL = "urn:openlineage",
    });
}
