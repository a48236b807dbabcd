using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Tool;

/// <summary>Files pushed by the program <c>datahub</c> to a real hub.</summary>
public sealed class ToolPushTests(HubFixture hub) : IClassFixture<HubFixture>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_csv_of_20_000_rows_with_line_ends_in_quotes_counts_once_though_the_program_is_killed_twice()
    {
        var at = await DatasetAsync("killed");
        var file = Write("big.csv", "station,time,note,no2\r\n" + string.Concat(Enumerable.Range(0, 20_000).Select(Row)));
        string[] push = ["push", file, "--dataset", "killed", "--batch-rows", "400", "--json"];
        for (var kill = 1; kill <= 2; kill++)
        {
            await using var killed = ToolProcess.Start(State, at, push);
            await killed.UntilAsync(() => killed.Output.Split('\n').Count(line => line.Contains("\"resumed\":false", StringComparison.Ordinal)) >= 5);
            await killed.KillAsync();
            // Also without its memory: the same keys bring the same receipts.
            if (kill == 2) Directory.Delete(State, recursive: true);
        }

        var (code, said) = await ToolProcess.RunAsync(State, at, push);
        Assert.True(code == 0, said.Errors);
        Assert.Equal((20_000, 20_000, 0, 0), Counts(said.Events[^1]));
        Assert.Equal((20_000, 20_000, 0, 0), await StandingAsync("killed"));

        var (_, known) = await ToolProcess.RunAsync(State, at, push);
        Assert.All(known.Events.Where(e => e.GetProperty("event").GetString() == "batch"), batch => Assert.True(batch.GetProperty("resumed").GetBoolean()));
        Assert.Equal((20_000, 20_000, 0, 0), await StandingAsync("killed"));

        static string Row(int i) => $"s{i % 50},2026-11-{1 + i / 50 % 20:00}T{i / 1000:00}:00:00Z,\"Zeile {i}\r\nmit \"\"Umbruch\"\", und Komma\",{i % 100}\n";
    }

    private string State => Path.Combine(_folder.FullName, "state");

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text, new UTF8Encoding(false));
        return path;
    }

    private async Task<(Uri, string)> DatasetAsync(string dataset)
    {
        var key = await hub.KeyAsync(dataset + "-amt", KeyRole.Admin);
        await HubFixture.OkAsync(hub.With(key).PutAsync("api/v1/datasets/" + dataset, new StringContent(
            $$"""
            { "title": { "de": "{{dataset}}" }, "publisher": "{{dataset}}-amt", "kind": "observations", "access": "open", "schema": { "primaryKey": ["station", "time"], "fields": [
              { "name": "station", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" }, { "name": "note", "type": "string" },
              { "name": "no2", "type": "number", "role": "measure", "constraints": { "minimum": 0, "maximum": 2000 } } ] } }
            """, Encoding.UTF8, "application/json")));
        return (hub.Address, key);
    }

    private async Task<(long, long, long, long)> StandingAsync(string dataset)
    {
        var feed = (await HubFixture.OkAsync(hub.Admin.GetAsync($"api/v1/datasets/{dataset}/conservation"))).RootElement;
        return Counts(feed.GetProperty("feeds")[0]);
    }

    private static (long, long, long, long) Counts(JsonElement counts) =>
        (counts.GetProperty("received").GetInt64(), counts.GetProperty("accepted").GetInt64(), counts.GetProperty("duplicate").GetInt64(), counts.GetProperty("quarantined").GetInt64());
}
