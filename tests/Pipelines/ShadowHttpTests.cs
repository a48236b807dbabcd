using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>A new version is tried on live input before it counts: written as a draft, compared place by place, run in the shadow, compared cell by cell, promoted and taken back.</summary>
public sealed class ShadowHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Loans = "branch;time;loans\nMitte;2026-11-02;120\nPankow;2026-11-02;80\nMitte;2026-11-03;1200\n";

    [Fact]
    public async Task A_draft_runs_in_the_shadow_and_every_differing_cell_is_told_before_it_is_promoted()
    {
        var admin = await hub.AgencyAsync("schatten", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "schatten", "schatten");
        await Pipes.PutJobAsync(admin, "schatten", Job("schatten", "SELECT branch, CAST(time AS TIMESTAMP) AS time, loans FROM datei"));
        var draft = (await OkAsync(admin.PutAsync("api/v1/jobs/schatten?draft=true", Json(Job("schatten", "SELECT branch, CAST(time AS TIMESTAMP) AS time, loans + 1 AS loans FROM datei WHERE loans > 100 UNION ALL SELECT 'Neu', CAST(max(time) AS TIMESTAMP), 7 FROM datei"))))).RootElement;
        Assert.Equal((2, 1), (draft.GetProperty("version").GetInt32(), draft.GetProperty("current").GetInt32()));
        var change = Assert.Single((await OkAsync(admin.GetAsync("api/v1/jobs/schatten/diff"))).RootElement.GetProperty("changes").EnumerateArray());
        Assert.Equal(("steps[tabelle].transform.sql", "SELECT branch, CAST(time AS TIMESTAMP) AS time, loans FROM datei"), (change.GetProperty("path").GetString(), change.GetProperty("before").GetString()));
        await RefusedAsync(admin.PostAsJsonAsync("api/v1/jobs/schatten/shadow", new { version = 1 }), 422, "invalid-job");
        await OkAsync(admin.PostAsJsonAsync("api/v1/jobs/schatten/shadow", new { version = 2 }));

        var live = await Pipes.RunAsync(admin, "schatten", new { files = new { datei = await Pipes.UploadAsync(admin, "a.csv", Loans) } });
        var shadow = (await OkAsync(admin.GetAsync("api/v1/jobs/schatten/runs"))).RootElement.GetProperty("runs").EnumerateArray().Single(run => run.TryGetProperty("shadowOf", out var of) && of.GetString() == live.GetProperty("id").GetString());
        var ended = await Pipes.EndAsync(admin, shadow.GetProperty("id").GetString()!);
        Assert.Equal(("complete", 2), (ended.GetProperty("state").GetString(), ended.GetProperty("version").GetInt32()));
        Assert.Equal(live.GetProperty("inputs")[0].GetProperty("sha256").GetString(), ended.GetProperty("inputs")[0].GetProperty("sha256").GetString());
        // Nothing is written but by the live one.
        Assert.Equal(3, (await OkAsync(admin.GetAsync("api/v1/datasets/schatten/conservation"))).RootElement.GetProperty("feeds")[0].GetProperty("received").GetInt64());
        Assert.Contains("geschrieben wurde nichts", Pipes.Step(ended, "schreiben").GetProperty("notes")[0].GetProperty("text").GetString(), StringComparison.Ordinal);

        var told = (await OkAsync(admin.GetAsync($"api/v1/runs/{ended.GetProperty("id").GetString()}/lineage"))).RootElement.GetProperty("events").EnumerateArray().ToArray();
        Assert.All(told, one => Assert.StartsWith("schatten@shadow", one.GetProperty("job").GetProperty("name").GetString(), StringComparison.Ordinal));
        Assert.DoesNotContain(told.SelectMany(one => one.GetProperty("outputs").EnumerateArray()), output => output.GetProperty("name").GetString() == "dataset/schatten");

        var found = (await OkAsync(admin.GetAsync($"api/v1/runs/{ended.GetProperty("id").GetString()}/differences"))).RootElement;
        Assert.Equal((0, 2, 1, 1), (found.GetProperty("same").GetInt32(), found.GetProperty("changed").GetInt32(), found.GetProperty("removed").GetInt32(), found.GetProperty("added").GetInt32()));
        Assert.Equal(["branch", "time"], found.GetProperty("key").EnumerateArray().Select(key => key.GetString()));
        Assert.Equal(
            ["loans 120 → 121", "loans 1200 → 1201"],
            found.GetProperty("cells").EnumerateArray().Select(cell => $"{cell.GetProperty("column").GetString()} {cell.GetProperty("before").GetString()} → {cell.GetProperty("after").GetString()}"));
        await RefusedAsync(admin.GetAsync($"api/v1/runs/{ended.GetProperty("id").GetString()}/differences?key=branch"), 422, "invalid-job");

        // Promotion and back are a pointer; the new one has no shadow.
        var promoted = (await OkAsync(admin.PostAsJsonAsync("api/v1/jobs/schatten/promotion", new { version = 2 }))).RootElement;
        Assert.Equal(2, promoted.GetProperty("current").GetInt32());
        Assert.False(promoted.TryGetProperty("shadow", out _));
        var next = await Pipes.RunAsync(admin, "schatten", new { files = new { datei = await Pipes.UploadAsync(admin, "b.csv", Loans) } });
        Assert.Equal(3, Pipes.Step(next, "schreiben").GetProperty("rowsOut").GetInt64());
        Assert.Equal(1, (await OkAsync(admin.PostAsJsonAsync("api/v1/jobs/schatten/promotion", new { version = 1 }))).RootElement.GetProperty("current").GetInt32());
    }

    [Fact]
    public async Task A_definition_goes_out_and_in_as_YAML_and_stays_the_same()
    {
        var admin = await hub.AgencyAsync("yaml", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "yaml", "yaml");
        await OkAsync(admin.PutAsync("api/v1/jobs/yaml", Yaml("""
            # Ein Kommentar.
            title: { de: Ausleihen, en: Loans }
            agency: yaml
            triggers:
              - id: nachts
                schedule: { cron: "0 2 * * *", timeZone: Europe/Berlin }
            steps:
              - id: zeilen
                read: { dataset: yaml }
              - id: pruefung
                check:
                  input: zeilen
                  rules:
                    - { column: branch, enum: ["01100101", "true", 'null', Mitte], severity: warn }
              - id: tabelle
                transform:
                  inputs: [zeilen]
                  sql: |
                    SELECT branch,
                           'a: #b' AS "x"  -- mit Rest
                    FROM zeilen
            """)));
        using var answer = await admin.GetAsync("api/v1/jobs/yaml?format=yaml");
        Assert.Equal("application/yaml", answer.Content.Headers.ContentType?.MediaType);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(text.Contains("    sql: |-\n      SELECT branch,\n", StringComparison.Ordinal), text);
        Assert.Contains("\"01100101\"", text, StringComparison.Ordinal);
        var again = (await OkAsync(admin.PutAsync("api/v1/jobs/yaml", Yaml(text)))).RootElement;
        // An equal definition is no new version.
        Assert.Equal(1, again.GetProperty("current").GetInt32());
        var definition = again.GetProperty("definition");
        Assert.Equal("SELECT branch,\n       'a: #b' AS \"x\"  -- mit Rest\nFROM zeilen", definition.GetProperty("steps")[2].GetProperty("transform").GetProperty("sql").GetString());
        Assert.Equal(["01100101", "true", "null", "Mitte"], definition.GetProperty("steps")[1].GetProperty("check").GetProperty("rules")[0].GetProperty("enum").EnumerateArray().Select(value => value.GetString()));
    }

    [Theory]
    [InlineData("a: &x 1\nb: *x\n", "Anker")]
    [InlineData("a: !!binary x\n", "Anker")]
    [InlineData("a: 1\na: 2\n", "zweimal")]
    [InlineData("&x a: 1\n", "Anker")]
    [InlineData("a: [1\n", "Zeile")]
    [InlineData("title: T\nagency: yaml2\nsteps: []\nmore: 1\n", "more")]
    public async Task YAML_that_says_more_than_JSON_can_is_refused_with_its_place(string text, string part)
    {
        var admin = await hub.AgencyAsync("yaml2", KeyRole.Admin);
        Assert.Contains(part, (await RefusedAsync(admin.PutAsync("api/v1/jobs/yaml2", Yaml(text)), 400, "invalid-json")).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static string Job(string id, string sql) => $$"""
        { "title": "Ausleihen", "agency": "{{id}}", "steps": [
          { "id": "datei", "read": { "file": { "columns": [ { "header": "branch", "type": "string" }, { "header": "time", "type": "date" }, { "header": "loans", "type": "integer" } ] } } },
          { "id": "tabelle", "transform": { "inputs": ["datei"], "sql": "{{sql}}" } },
          { "id": "schreiben", "write": { "input": "tabelle", "dataset": "{{id}}" } } ] }
        """;

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static StringContent Yaml(string text) => new(text, new MediaTypeHeaderValue("application/yaml"));
}
