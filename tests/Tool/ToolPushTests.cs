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
        var file = BigCsv("big.csv", 20_000);
        string[] push = ["push", file, "--dataset", "killed", "--batch-rows", "400", "--json"];
        for (var kill = 1; kill <= 2; kill++)
        {
            await using var killed = ToolProcess.Start(State, at, push);
            await killed.UntilAsync(() => killed.Output.Split('\n').Count(line => line.Contains("\"resumed\":false", StringComparison.Ordinal)) >= 5);
            await killed.KillAsync();
            Assert.DoesNotContain("\"event\":\"file\"", killed.Output, StringComparison.Ordinal);
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
    }

    [Fact]
    public async Task A_hub_that_is_killed_and_comes_back_gets_every_row_once()
    {
        using var data = new TemporaryFolder();
        var first = await HubProcess.StartAsync(data.FullName);
        await using var stopped = first;
        var admin = (await File.ReadAllTextAsync(Path.Combine(data.FullName, "admin.key"))).Trim();
        using var client = new HttpClient { BaseAddress = first.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", admin);
        await HubFixture.OkAsync(client.PutAsync("api/v1/agencies/restart-amt", Json("""{ "name": { "de": "Amt" } }""")));
        await PutDatasetAsync(client, "restart");
        var file = BigCsv("restart.csv", 20_000);
        await using var push = ToolProcess.Start(State, (first.Address, admin), "push", file, "-d", "restart", "--batch-rows", "100", "--json", "--give-up-after", "60s");
        await push.UntilAsync(() => push.Output.Contains("\"batch\":4", StringComparison.Ordinal));
        await first.KillAsync();
        await push.UntilAsync(() => push.Errors.Contains("neuer Versuch", StringComparison.Ordinal));
        await using var second = await HubProcess.StartAsync(data.FullName, first.Address.Port);
        Assert.Equal(0, await push.EndAsync());
        Assert.Equal((20_000, 20_000, 0, 0), Counts(push.Events[^1]));
        Assert.Equal((20_000, 20_000, 0, 0), await StandingAsync(client, "restart"));
    }

    [Fact]
    public async Task Though_one_answer_in_ten_is_lost_every_row_counts_once()
    {
        var (_, key) = await DatasetAsync("lossy");
        var random = new Random(20261124);
        await using var proxy = await LossyProxy.StartAsync(hub.Address, number => number == 3 || random.Next(10) == 0);
        var (code, said) = await ToolProcess.RunAsync(State, (proxy.Address, key), "push", BigCsv("lossy.csv", 4_000), "-d", "lossy", "--batch-rows", "100", "--json", "--compress", "br");
        Assert.True(code == 0, said.Errors);
        Assert.True(proxy.Lost > 0);
        Assert.Equal((4_000, 4_000, 0, 0), Counts(said.Events[^1]));
        Assert.Equal((4_000, 4_000, 0, 0), await StandingAsync("lossy"));
        Assert.Equal(40, (await FeedAsync(hub.Admin, "lossy"))!.Value.GetProperty("pushes").GetInt64());
    }

    [Fact]
    public async Task Rows_that_do_not_pass_are_told_by_their_number_in_the_file()
    {
        var at = await DatasetAsync("faulty");
        var file = Write("faulty.ndjson", string.Concat(Enumerable.Range(1, 50).Select(i => $$"""{"station":"s{{i}}","time":"2026-11-23T08:00:00Z","no2":{{(i is 7 or 41 ? 9999 : i)}}}""" + (i % 10 == 0 ? "\n\n" : "\n"))));
        var (dry, checkedOnly) = await ToolProcess.RunAsync(State, at, "push", file, "-d", "faulty", "--batch-rows", "10", "--json", "--dry-run");
        Assert.Equal(1, dry);
        Assert.Equal([7, 41], ErrorRows(checkedOnly));
        Assert.Equal((50, 48, 0, 2), Counts(checkedOnly.Events[^1]));
        Assert.Equal((0, 0, 0, 0), await StandingAsync("faulty"));

        var (code, said) = await ToolProcess.RunAsync(State, at, "push", file, "-d", "faulty", "--batch-rows", "10", "--json");
        Assert.Equal(1, code);
        Assert.Equal([7, 41], ErrorRows(said));
        Assert.Equal((50, 48, 0, 2), Counts(said.Events[^1]));

        // Once more, and for people: known already, until it is asked for again.
        var (known, plain) = await ToolProcess.RunAsync(State, at, "push", file, "-d", "faulty", "--batch-rows", "10", "--lang", "en");
        Assert.Equal(1, known);
        Assert.Contains("was pushed already", plain.Errors, StringComparison.Ordinal);
        Assert.Equal((50, 48, 0, 2), await StandingAsync("faulty"));
        await ToolProcess.RunAsync(State, at, "push", file, "-d", "faulty", "--again");
        Assert.Equal((100, 48, 48, 4), await StandingAsync("faulty"));
    }

    [Fact]
    public async Task Json_goes_as_a_whole_and_atomic_takes_all_or_nothing()
    {
        var at = await DatasetAsync("whole");
        var good = Write("good.json", """[{"station":"a","time":"2026-11-23T08:00:00Z","no2":1},{"station":"b","time":"2026-11-23T08:00:00Z","no2":2}]""");
        var bad = Write("bad.ndjson", """{"station":"c","time":"2026-11-23T08:00:00Z","no2":1}""" + "\n" + """{"station":"d","time":"2026-11-23T08:00:00Z","no2":-1}""" + "\n");
        Assert.Equal(0, (await ToolProcess.RunAsync(State, at, "push", good, "-d", "whole")).ExitCode);
        var (code, said) = await ToolProcess.RunAsync(State, at, "push", bad, "-d", "whole", "--atomic", "--json");
        Assert.Equal(3, code);
        Assert.Equal([2], ErrorRows(said));
        Assert.Equal("/problems/not-atomic", said.Events.Single(e => e.GetProperty("event").GetString() == "refused").GetProperty("problem").GetProperty("type").GetString());
        Assert.Equal((2, 2, 0, 0), await StandingAsync("whole"));

        var utf16 = Path.Combine(_folder.FullName, "excel.csv");
        await File.WriteAllTextAsync(utf16, "sep=;\r\nstation;time;note;no2\r\ne;2026-11-23T08:00:00Z;\"Zeile\nzwei\";3,5\r\nf;2026-11-23T08:00:00Z;ü;4\r\n", Encoding.Unicode);
        var (excel, cut) = await ToolProcess.RunAsync(State, at, "push", utf16, "-d", "whole", "--batch-rows", "1");
        Assert.True(excel == 0, cut.Errors + cut.Output);
        Assert.Equal((4, 4, 0, 0), await StandingAsync("whole"));
    }

    [Fact]
    public async Task A_watched_folder_is_pushed_file_by_file_and_remembered_over_a_restart()
    {
        var at = await DatasetAsync("watched");
        var (inbox, done, failed) = (Directory.CreateDirectory(Path.Combine(_folder.FullName, "in")).FullName, Path.Combine(_folder.FullName, "done"), Path.Combine(_folder.FullName, "failed"));
        string[] watch = ["push", "--watch", inbox, "-d", "watched", "--json", "--settle", "200ms", "--period", "100ms"];
        await using (var watching = ToolProcess.Start(State, at, watch))
        {
            await watching.UntilAsync(() => watching.Output.Contains("watching", StringComparison.Ordinal));
            Write("in/one.csv", "station,time,no2\na,2026-11-23T08:00:00Z,1\n");
            Write("in/two.csv.part", "station,time,no2\nb,2026-11-23T0");
            await watching.UntilAsync(() => Pushed(watching) == 1);
            Write("two.tmp", "station,time,no2\nb,2026-11-23T08:00:00Z,2\n");
            File.Move(Path.Combine(_folder.FullName, "two.tmp"), Path.Combine(inbox, "two.csv"));
            await watching.UntilAsync(() => Pushed(watching) == 2);
            Assert.Equal(5, await watching.InterruptAsync());
        }

        await using (var again = ToolProcess.Start(State, at, [.. watch, "--done-folder", done, "--failed-folder", failed]))
        {
            // The same content under another name is known too; what the hub refuses is set aside.
            Write("in/three.csv", "station,time,no2\na,2026-11-23T08:00:00Z,1\n");
            Write("in/four.csv", "nothing,of,this\n1,2,3\n");
            Write("in/five.csv", "station,time,no2\nc,2026-11-23T08:00:00Z,3\n");
            await again.UntilAsync(() => Directory.Exists(done) && Directory.Exists(failed) && Directory.GetFiles(done).Length == 2 && Directory.GetFiles(failed).Length == 1);
            Assert.Equal(1, Pushed(again));
            Assert.Equal(5, await again.InterruptAsync());
        }

        Assert.Equal((3, 3, 0, 0), await StandingAsync("watched"));
        Assert.Equal(["one.csv", "two.csv", "two.csv.part"], Directory.GetFiles(inbox).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        static int Pushed(ToolProcess tool) => tool.Output.Split('\n').Count(line => line.Contains("\"event\":\"file\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task How_it_ended_stands_in_the_exit_code_and_no_key_is_ever_shown()
    {
        var (address, key) = await DatasetAsync("codes");
        var file = Write("codes.csv", "station,time,no2\na,2026-11-23T08:00:00Z,1\n");
        var runs = await Task.WhenAll(
            ToolProcess.RunAsync(State + 1, (address, key), "push", file, "--lang", "en"),
            ToolProcess.RunAsync(State + 2, (address, key), "push", file + "x", "-d", "codes"),
            ToolProcess.RunAsync(State + 3, (address, key), "push", file, "-d", "nowhere", "--json"));
        var more = await Task.WhenAll(
            ToolProcess.RunAsync(State + 4, (address, "dh_wrong.key.x"), "push", file, "-d", "codes"),
            ToolProcess.RunAsync(State + 5, (new Uri("http://127.0.0.1:1/"), key), "push", file, "-d", "codes", "--give-up-after", "1s"),
            ToolProcess.RunAsync(State + 6, (address, key), "push", file, "-d", "codes", "--hub", "ftp://nowhere"));
        Assert.Equal([2, 2, 3, 3, 4, 2], runs.Concat(more).Select(run => run.ExitCode));
        Assert.All(runs.Concat(more), run => Assert.DoesNotContain("dh_", run.Said.Output + run.Said.Errors, StringComparison.Ordinal));
        Assert.Equal("/problems/not-found", runs[2].Said.Events.Single().GetProperty("problem").GetProperty("type").GetString());
        Assert.Equal((0, 0, 0, 0), await StandingAsync("codes"));
    }

    private static int[] ErrorRows(ToolProcess said) => [.. said.Events.Where(e => e.GetProperty("event").GetString() == "error").Select(e => e.GetProperty("row").GetInt32())];

    private string BigCsv(string name, int rows) => Write(name, "station,time,note,no2\r\n" + string.Concat(Enumerable.Range(0, rows).Select(i =>
        $"s{i % 50},2026-11-{1 + i / 50 % 20:00}T{i / 1000:00}:00:00Z,\"Zeile {i}\r\nmit \"\"Umbruch\"\", und Komma\",{i % 100}\n")));

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
        await PutDatasetAsync(hub.With(key), dataset);
        return (hub.Address, key);
    }

    private static Task<JsonDocument> PutDatasetAsync(HttpClient client, string dataset) => HubFixture.OkAsync(client.PutAsync("api/v1/datasets/" + dataset, Json(
        $$"""
        { "title": { "de": "{{dataset}}" }, "publisher": "{{dataset}}-amt", "license": "dl-de/by-2-0", "kind": "observations", "access": "open", "schema": { "primaryKey": ["station", "time"], "fields": [
          { "name": "station", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" }, { "name": "note", "type": "string" },
          { "name": "no2", "type": "number", "role": "measure", "constraints": { "minimum": 0, "maximum": 2000 } } ] } }
        """)));

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private Task<(long, long, long, long)> StandingAsync(string dataset) => StandingAsync(hub.Admin, dataset);

    private static async Task<(long, long, long, long)> StandingAsync(HttpClient client, string dataset) => await FeedAsync(client, dataset) is { } feed ? Counts(feed) : default;

    /// <summary>What the hub counts; null before the first push.</summary>
    private static async Task<JsonElement?> FeedAsync(HttpClient client, string dataset)
    {
        var feeds = (await HubFixture.OkAsync(client.GetAsync($"api/v1/datasets/{dataset}/conservation"))).RootElement.GetProperty("feeds");
        return feeds.GetArrayLength() == 0 ? null : feeds[0];
    }

    private static (long, long, long, long) Counts(JsonElement counts) =>
        (counts.GetProperty("received").GetInt64(), counts.GetProperty("accepted").GetInt64(), counts.GetProperty("duplicate").GetInt64(), counts.GetProperty("quarantined").GetInt64());
}
