using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Pseudonyms and their keys, through the public routes of a whole hub.</summary>
public sealed class PseudonymHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Cards = "Tag,Ausweis,Zahl\n2026-11-02,L-200,3\n2026-11-02,L-100,1\n2026-11-03,L-100,2\n2026-11-03,,4\n";

    [Fact]
    public async Task A_column_becomes_pseudonyms_that_join_and_a_repeat_has_the_same_bytes_after_a_rotation_too()
    {
        var admin = await hub.AgencyAsync("ausweise", KeyRole.Admin);
        await RotateAsync(admin, "ausweise", "ausleihe");
        await Pipes.PutJobAsync(admin, "ausweise", Job("ausweise", "ausleihe"));
        var file = await Pipes.UploadAsync(admin, "a.csv", Cards);
        var first = await Pipes.RunAsync(admin, "ausweise", new { files = new { datei = file } });

        var table = await Pipes.TableAsync(admin, first, "p");
        var rows = Rows(table);
        Assert.Equal(("2026-11-03", "2"), rows.Where(row => row.Card == rows.Single(of => of.Number == "1").Card && row.Number != "1").Select(row => (row.Day, row.Number)).Single());
        Assert.Equal(2, rows.Where(row => row.Card.Length > 0).Select(row => row.Card).Distinct().Count());
        Assert.All(rows.Where(row => row.Number != "4"), row => Assert.Matches("^v1\\.[a-z2-7]{32}$", row.Card));
        Assert.Equal("", rows.Single(row => row.Number == "4").Card);
        Assert.DoesNotContain("L-", table, StringComparison.Ordinal);
        // What order the cards had in the file is not to be seen.
        Assert.Equal(rows.OrderBy(row => row.Day, StringComparer.Ordinal).ThenBy(row => row.Card.Length == 0).ThenBy(row => row.Card, StringComparer.Ordinal), rows);
        Assert.Equal(("p", "ausleihe", 1), (first.GetProperty("keys")[0].GetProperty("step").GetString(), first.GetProperty("keys")[0].GetProperty("purpose").GetString(), first.GetProperty("keys")[0].GetProperty("version").GetInt32()));

        // The file's own table names people too, though nobody said so of the file.
        Assert.All((await hub.Grains.GetGrain<IPipelineRunGrain>(first.GetProperty("id").GetString()!).GetAsync(Caller.Hub))!.Steps, step => Assert.True(step.IsPersonal, step.Id));

        await RotateAsync(admin, "ausweise", "ausleihe");
        var again = await Pipes.RunAsync(admin, "ausweise", new { repeats = first.GetProperty("id").GetString() });
        Assert.Equal(table, await Pipes.TableAsync(admin, again, "p"));
        Assert.Equal(Pipes.Step(first, "p").GetProperty("sha256").GetString(), Pipes.Step(again, "p").GetProperty("sha256").GetString());
        var other = Rows(await Pipes.TableAsync(admin, await Pipes.RunAsync(admin, "ausweise", new { files = new { datei = file } }), "p"));
        Assert.All(other.Where(row => row.Number != "4"), row => Assert.StartsWith("v2.", row.Card, StringComparison.Ordinal));
        Assert.Empty(other.Select(row => row.Card[^Math.Min(32, row.Card.Length)..]).Where(text => text.Length > 0).Intersect(rows.Select(row => row.Card[^Math.Min(32, row.Card.Length)..])));
    }

    [Fact]
    public async Task Another_purpose_has_other_pseudonyms_and_one_that_has_no_key_is_refused_with_its_place()
    {
        var admin = await hub.AgencyAsync("zwecke", KeyRole.Admin);
        var refused = await RefusedAsync(admin.PutAsync("api/v1/jobs/zwecke", Json(Job("zwecke", "gibt-es-nicht"))), 422, "invalid-job");
        Assert.Equal("steps[1].pseudonymise.purpose", refused.RootElement.GetProperty("errors")[0].GetProperty("path").GetString());
        var file = await Pipes.UploadAsync(admin, "a.csv", Cards);
        var cards = new List<string[]>();
        foreach (var purpose in new[] { "eins", "zwei" })
        {
            await RotateAsync(admin, "zwecke", purpose);
            await Pipes.PutJobAsync(admin, "zwecke-" + purpose, Job("zwecke", purpose));
            cards.Add([.. Rows(await Pipes.TableAsync(admin, await Pipes.RunAsync(admin, "zwecke-" + purpose, new { files = new { datei = file } }), "p")).Select(row => row.Card).Where(card => card.Length > 0).Distinct()]);
        }

        Assert.Empty(cards[0].Intersect(cards[1]));
        refused = await RefusedAsync(admin.PutAsync("api/v1/jobs/zwecke", Json(Job("zwecke", "eins", "kennung"))), 422, "invalid-job");
        Assert.Equal("steps[1].pseudonymise", refused.RootElement.GetProperty("errors")[0].GetProperty("path").GetString());
    }

    [Fact]
    public async Task A_key_that_was_destroyed_makes_no_pseudonyms_any_more_and_nobody_is_told_its_bytes()
    {
        var admin = await hub.AgencyAsync("vernichten", KeyRole.Admin);
        await RotateAsync(admin, "vernichten", "statistik");
        // The first version keeps the second waiting, with its key pinned.
        await Pipes.PutJobAsync(admin, "vernichten", Job("vernichten", "statistik").Replace("{ \"id\": \"p\"", "{ \"id\": \"lang\", \"transform\": { \"inputs\": [\"datei\"], \"sql\": \"SELECT sum(i * i % 7) AS n FROM range(400000000) AS r(i)\" } }, { \"id\": \"p\"", StringComparison.Ordinal));
        await Pipes.PutJobAsync(admin, "vernichten", Job("vernichten", "statistik"));
        var file = await Pipes.UploadAsync(admin, "a.csv", Cards);
        var done = await Pipes.RunAsync(admin, "vernichten", new { files = new { datei = file } });
        var slow = await Pipes.StartAsync(admin, "vernichten", new { files = new { datei = file }, version = 1 });
        var waiting = await Pipes.StartAsync(admin, "vernichten", new { files = new { datei = file } });

        await RefusedAsync(admin.PostAsJsonAsync("api/v1/agencies/vernichten/pseudonym-keys/statistik/versions/1/destruction", new { reason = " " }), 422);
        await RefusedAsync(admin.PostAsJsonAsync("api/v1/agencies/vernichten/pseudonym-keys/statistik/versions/2/destruction", new { reason = "Zweck erreicht" }), 404);
        var destroyed = (await OkAsync(admin.PostAsJsonAsync("api/v1/agencies/vernichten/pseudonym-keys/statistik/versions/1/destruction", new { reason = "Zweck erreicht" }))).RootElement.GetProperty("versions")[0];
        Assert.Equal("Zweck erreicht", destroyed.GetProperty("reason").GetString());
        var again = (await OkAsync(admin.PostAsJsonAsync("api/v1/agencies/vernichten/pseudonym-keys/statistik/versions/1/destruction", new { reason = "noch einmal" }))).RootElement.GetProperty("versions")[0];
        Assert.Equal(destroyed.GetRawText(), again.GetRawText());

        await OkAsync(admin.PostAsJsonAsync($"api/v1/runs/{slow}/acts", new { act = "abort", reason = "genug" }));
        var ended = await Pipes.EndAsync(admin, waiting);
        Assert.Equal("fail", ended.GetProperty("state").GetString());
        Assert.Contains("Fassung 1 des Schlüssels für „statistik“ wurde vernichtet", ended.GetProperty("cause").GetString(), StringComparison.Ordinal);
        var refused = await RefusedAsync(admin.PostAsJsonAsync("api/v1/jobs/vernichten/runs", new { repeats = done.GetProperty("id").GetString() }), 422);
        Assert.Contains("wurde vernichtet", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await RefusedAsync(admin.PostAsJsonAsync("api/v1/jobs/vernichten/runs", new { files = new { datei = file } }), 422);

        // With a new version it goes on, under other pseudonyms.
        await RotateAsync(admin, "vernichten", "statistik");
        Assert.Equal(2, (await Pipes.RunAsync(admin, "vernichten", new { files = new { datei = file } })).GetProperty("keys")[0].GetProperty("version").GetInt32());
        var listed = (await OkAsync(admin.GetAsync("api/v1/agencies/vernichten/pseudonym-keys"))).RootElement.GetProperty("keys")[0];
        Assert.Equal(["version", "created", "by", "destroyed", "destroyedBy", "reason"], listed.GetProperty("versions")[1].EnumerateObject().Select(member => member.Name));
        var noted = (await OkAsync(admin.GetAsync("api/v1/audit?agency=vernichten&limit=100"))).RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetRawText()).Where(entry => entry.Contains("pseudonym-key.", StringComparison.Ordinal)).ToArray();
        Assert.Equal(3, noted.Length);
        Assert.Single(noted, entry => entry.Contains("pseudonym-key.destroyed", StringComparison.Ordinal) && entry.Contains("Zweck erreicht", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_are_for_those_who_manage_the_agency_and_tables_of_pseudonyms_for_those_who_may_see_personal_fields()
    {
        var admin = await hub.AgencyAsync("befugt", KeyRole.Admin);
        var push = await hub.AgencyAsync("befugt", KeyRole.Push);
        var other = await hub.AgencyAsync("unbefugt", KeyRole.Admin);
        await RotateAsync(admin, "befugt", "probe");
        foreach (var client in new[] { push, other })
        {
            await RefusedAsync(client.GetAsync("api/v1/agencies/befugt/pseudonym-keys"), 403);
            await RefusedAsync(client.PostAsync("api/v1/agencies/befugt/pseudonym-keys/probe/rotation", null), 403);
            await RefusedAsync(client.PostAsJsonAsync("api/v1/agencies/befugt/pseudonym-keys/probe/versions/1/destruction", new { reason = "x" }), 403);
        }

        await RefusedAsync(hub.Admin.PostAsync("api/v1/agencies/gibt-es-nicht/pseudonym-keys/probe/rotation", null), 404);
        await RefusedAsync(admin.PostAsync("api/v1/agencies/befugt/pseudonym-keys/Probe/rotation", null), 400);
    }

    private static async Task RotateAsync(HttpClient admin, string agency, string purpose) => await OkAsync(admin.PostAsync($"api/v1/agencies/{agency}/pseudonym-keys/{purpose}/rotation", null));

    private static (string Day, string Card, string Number)[] Rows(string table) =>
        [.. table.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',')).Select(cells => (cells[0], cells[1], cells[2]))];

    private static string Job(string agency, string purpose, string column = "ausweis") => $$"""
        { "title": "Ausweise", "agency": "{{agency}}", "steps": [
          { "id": "datei", "read": { "file": { "columns": [ { "header": "Tag", "type": "date" }, { "header": "Ausweis", "type": "string" }, { "header": "Zahl", "type": "integer" } ] } } },
          { "id": "p", "pseudonymise": { "input": "datei", "columns": ["{{column}}"], "purpose": "{{purpose}}", "drop": false } } ] }
        """;

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
