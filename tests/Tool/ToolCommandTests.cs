using System.Text;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Tool;

/// <summary>What the program <c>datahub</c> does beside pushing.</summary>
public sealed class ToolCommandTests(HubFixture hub) : IClassFixture<HubFixture>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Quarantined_rows_are_listed_grouped_put_right_and_given_up()
    {
        var key = await hub.KeyAsync("q-amt", KeyRole.Admin);
        var at = (hub.Address, key);
        await hub.PutAirQualityAsync("q", "q-amt");
        var rows = string.Join(',', Enumerable.Range(0, 1_500).Select(i => $$"""{"station":"s{{i}}","time":"2026-11-23T08:00:00Z","no2":{{3_000 + i}}}""").Append("""{"station":"m","time":"2026-11-23T08:00:00Z","no2":-1}"""));
        await HubFixture.RefusedAsync(hub.With(key).PostAsync("api/v1/datasets/q/feeds/default/records", new StringContent($"[{rows}]", Encoding.UTF8, "application/json")), 422);

        var (_, groups) = await RunAsync(at, "quarantine", "groups", "q", "--json");
        Assert.Equal(["no2:above-maximum 1500", "no2:below-minimum 1"], groups.Events.Select(e => $"{e.GetProperty("cause").GetString()} {e.GetProperty("rows").GetInt32()}"));
        var (_, listed) = await RunAsync(at, "quarantine", "ls", "q", "--json", "--cause", "no2:below-minimum");
        var id = Assert.Single(listed.Events).GetProperty("id").GetString()!;
        var (_, all) = await RunAsync(at, "quarantine", "ls", "q", "--limit", "0");
        Assert.Equal(1_502, all.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        var (dry, _) = await RunAsync(at, "quarantine", "replay", "q", "--cause", "no2:above-maximum", "--shift-decimal", "no2", "-1", "--dry-run");
        Assert.Equal(0, dry);
        var (code, replayed) = await RunAsync(at, "quarantine", "replay", "q", "--cause", "no2:above-maximum", "--shift-decimal", "no2", "-1", "--reason", "Komma", "--json");
        Assert.True(code == 0, replayed.Errors);
        Assert.Equal((1_500, 1_500, 0), (replayed.Events[^1].GetProperty("selected").GetInt32(), replayed.Events[^1].GetProperty("accepted").GetInt32(), replayed.Events[^1].GetProperty("stillQuarantined").GetInt32()));
        Assert.Equal(1, (await RunAsync(at, "quarantine", "replay", "q", "--all")).ExitCode);
        Assert.Equal(2, (await RunAsync(at, "quarantine", "replay", "q")).ExitCode);
        Assert.Equal(3, (await RunAsync(at, "quarantine", "replay", "q", "--all", "--unit", "no2", "nix")).ExitCode);
        Assert.Equal(0, (await RunAsync(at, "quarantine", "discard", "q", "--id", id, "--reason", "Sensor defekt")).ExitCode);

        var (_, acts) = await RunAsync(at, "quarantine", "acts", "q");
        Assert.Contains("Sensor defekt", acts.Output, StringComparison.Ordinal);
        var (_, status) = await RunAsync(at, "status", "q");
        Assert.Contains("default\t1\t1501\t1500\t0\t1\t1\t", status.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receipt_is_shown_for_people_and_programs()
    {
        var key = await hub.KeyAsync("r-amt", KeyRole.Admin);
        await hub.PutAirQualityAsync("r", "r-amt");
        var made = await HubFixture.OkAsync(hub.With(key).PostAsync("api/v1/datasets/r/feeds/default/records", new StringContent("""[{"station":"a","time":"2026-11-23T08:00:00Z","no2":1},{"station":"a","time":"2026-11-23T09:00:00Z","no2":-1}]""", Encoding.UTF8, "application/json")));
        var receipt = made.RootElement.GetProperty("receipt").GetString()!;
        var (_, json) = await RunAsync((hub.Address, key), "receipt", receipt, "--json");
        Assert.Equal(receipt, Assert.Single(json.Events).GetProperty("receipt").GetString());
        var (_, text) = await RunAsync((hub.Address, key), "receipt", receipt, "--lang", "en");
        Assert.Contains("2 rows: 1 accepted, 0 known already, 1 quarantined", text.Output, StringComparison.Ordinal);
        Assert.Equal(3, (await RunAsync((hub.Address, key), "receipt", "01M85TE81WJVE9C37DP5NKMBKC")).ExitCode);
    }

    [Fact]
    public async Task An_indicator_is_followed_through_a_restart_of_the_hub_and_each_value_told_once()
    {
        await using var own = await HubFixture.StartAsync();
        var agency = await own.AgencyAsync("tail-amt");
        await own.PutAirQualityAsync("tail", "tail-amt");
        await HubFixture.OkAsync(own.Admin.PutAsync("api/v1/indicators/tail", new StringContent(
            """{"title":"x","dataset":"tail","measure":{"function":"sum","field":"no2"},"window":"PT1H","access":"open"}""", Encoding.UTF8, "application/json")));
        await PushAsync(agency, 8, 1);
        await using var told = ToolProcess.Start(Path.Combine(_folder.FullName, "tail"), (own.Address, own.AdminKey), "tail", "tail", "--from", "2026-11-23", "--json");
        await using var shown = ToolProcess.Start(Path.Combine(_folder.FullName, "shown"), (own.Address, own.AdminKey), "tail", "tail", "--from", "2026-11-23", "--lang", "en");
        await told.UntilAsync(() => told.Events.Length == 1);
        await shown.UntilAsync(() => shown.Output.Contains("preliminary", StringComparison.Ordinal) || shown.Output.Contains("ok", StringComparison.Ordinal));

        await PushAsync(agency, 9, 2);
        await told.UntilAsync(() => Values().Contains("2"));
        await own.RestartAsync();
        await PushAsync(own.Admin, 10, 3);
        await told.UntilAsync(() => Values().Contains("3"));
        await shown.UntilAsync(() => shown.Output.Split('\n').Any(line => line.StartsWith('~') && line.Split('\t')[4] == "3"));

        // Where a busy hub could not say at once whether the value still stood, it begins anew, and says so.
        var events = told.Events.Select(e => e.GetProperty("event").GetString()!).ToArray();
        Assert.Equal("state", events[0]);
        if (!events.Contains("reset")) Assert.Equal(["1", "2", "3"], Values());
        Assert.Equal(["1", "2", "3"], Values()[^3..]);
        Assert.Equal(5, await told.InterruptAsync());
        var last = told.Events.First(e => RowsOf(e).Contains("2")).GetProperty("id").GetString()!;
        var (code, resumed) = await RunAsync((own.Address, own.AdminKey), "tail", "tail", "--from", "2026-11-23", "--json", "--last-event-id", last, "--events", "1");
        Assert.Equal(0, code);
        Assert.Equal(3, Assert.Single(Assert.Single(resumed.Events).GetProperty("data").GetProperty("rows").EnumerateArray()).GetProperty("value").GetInt32());
        Assert.Equal(3, (await RunAsync((own.Address, own.AdminKey), "tail", "nothing")).ExitCode);

        string[] Values() => [.. told.Events.SelectMany(RowsOf)];

        static string[] RowsOf(System.Text.Json.JsonElement told) => told.GetProperty("event").GetString() == "reset" ? [] : [.. told.GetProperty("data").GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("value").ToString())];

        static async Task PushAsync(HttpClient client, int hour, int value) => await HubFixture.OkAsync(client.PostAsync(
            "api/v1/datasets/tail/feeds/default/records", new StringContent($$"""[{"station":"a","time":"2026-11-23T{{hour:00}}:00:00Z","no2":{{value}}}]""", Encoding.UTF8, "application/json")));
    }

    [Theory]
    [InlineData("de", "Beschreibung:", "Aufruf:", "Zeigt diese Hilfe")]
    [InlineData("en", "Description:", "Usage:", "Show help")]
    public async Task Every_command_explains_itself_in_both_languages(string language, params string[] words)
    {
        foreach (var command in (string[][])[[], ["push"], ["quarantine", "replay"]])
        {
            var (code, said) = await RunAsync(null, [.. command, "--help", "--lang", language]);
            Assert.Equal(0, code);
            Assert.All(words, word => Assert.Contains(word, said.Output, StringComparison.Ordinal));
            Assert.Equal("", said.Errors);
        }
    }

    private Task<(int ExitCode, ToolProcess Said)> RunAsync((Uri Address, string Key)? at, params string[] arguments) => ToolProcess.RunAsync(Path.Combine(_folder.FullName, "state"), at, arguments);
}
