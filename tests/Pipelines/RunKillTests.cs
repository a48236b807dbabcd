using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Support;

using Microsoft.Data.Sqlite;

using Xunit.Abstractions;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Runs whose server is killed with SIGKILL: the published program, and a cluster of which a silo dies.</summary>
public sealed class RunKillTests(ITestOutputHelper output)
{
    private const int Rows = 120_000;

    private static readonly string[] s_steps = ["datei", "pruefung", "passend", "schreiben"];

    [Fact]
    public async Task A_run_killed_within_and_after_every_step_ends_as_an_undisturbed_one_and_leaves_nothing_behind()
    {
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName);
        var port = hub.Address.Port;
        try
        {
            using var admin = Client(hub.Address, (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim());
            await OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = "Amt" }));
            foreach (var dataset in new[] { "ruhig", "gestoert" })
            {
                await Pipes.LoansAsync(admin, dataset, "amt");
                await Pipes.PutJobAsync(admin, dataset, RunHttpTests.Job("amt", dataset));
            }

            var file = await Pipes.UploadAsync(admin, "ausleihen.csv", Encoding.UTF8.GetBytes(Content(Rows)), "amt");
            var undisturbed = await Pipes.RunAsync(admin, "ruhig", new { files = new { datei = file } }, 120);

            var id = await Pipes.StartAsync(admin, "gestoert", new { files = new { datei = file } });
            var kills = new List<string>();
            foreach (var step in s_steps)
            {
                foreach (var within in new[] { true, false })
                {
                    if (await UntilAsync(admin, id, step, within) is not { } seen) continue;
                    await hub.KillAsync();
                    await hub.DisposeAsync();
                    kills.Add($"{(within ? "within" : "after")} {step} at {seen}");
                    hub = await HubProcess.StartAsync(folder.FullName, port);
                }
            }

            var disturbed = await Pipes.EndAsync(admin, id, 120);
            output.WriteLine(string.Join("; ", kills));
            Assert.True(disturbed.GetProperty("state").GetString() == "complete", disturbed.GetRawText());
            Assert.True(kills.Count >= 6, string.Join("; ", kills));
            foreach (var step in s_steps)
            {
                var (one, other) = (Pipes.Step(undisturbed, step), Pipes.Step(disturbed, step));
                Assert.Equal(one.GetProperty("sha256").GetString(), other.GetProperty("sha256").GetString());
                Assert.Equal(one.GetProperty("rowsOut").GetInt64(), other.GetProperty("rowsOut").GetInt64());
            }

            foreach (var dataset in new[] { "ruhig", "gestoert" })
            {
                var feed = (await OkAsync(admin.GetAsync($"api/v1/datasets/{dataset}/conservation"))).RootElement.GetProperty("feeds")[0];
                Assert.Equal((Rows, Rows, 0L), (feed.GetProperty("received").GetInt64(), feed.GetProperty("accepted").GetInt64(), feed.GetProperty("duplicate").GetInt64()));
            }

            Assert.Equal(await Pipes.TableAsync(admin, undisturbed, "passend"), await Pipes.TableAsync(admin, disturbed, "passend"));
            await UntilCleanAsync(folder.FullName, [undisturbed.GetProperty("id").GetString()!, id]);
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    [PostgresFact]
    public async Task When_a_silo_dies_its_runs_go_on_in_another_and_no_row_is_there_twice()
    {
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 2, frontEnds: 1);
        foreach (var member in cluster.Members) member.Start();
        await Task.WhenAll(cluster.Members.Select(member => member.ReadyAsync()));
        var admin = cluster.Client(0, cluster.AdminKey);
        await OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = "Amt" }));
        string[] jobs = ["a", "b", "c"];
        foreach (var job in jobs)
        {
            await Pipes.LoansAsync(admin, job, "amt");
            await Pipes.PutJobAsync(admin, job, RunHttpTests.Job("amt", job));
        }

        var file = await Pipes.UploadAsync(admin, "ausleihen.csv", Encoding.UTF8.GetBytes(Content(Rows / 3)), "amt");
        var runs = new List<string>();
        foreach (var job in jobs) runs.Add(await Pipes.StartAsync(admin, job, new { files = new { datei = file } }));
        foreach (var run in runs) await UntilAsync(admin, run, "datei", within: true);
        await cluster.Silos[0].KillAsync();

        var hashes = new HashSet<string>();
        foreach (var (job, run) in jobs.Zip(runs))
        {
            var ended = await PatientAsync(() => Pipes.EndAsync(admin, run, 120));
            Assert.True(ended.GetProperty("state").GetString() == "complete", ended.GetRawText());
            hashes.Add(Pipes.Step(ended, "passend").GetProperty("sha256").GetString()!);
            var feed = (await PatientAsync(() => OkAsync(admin.GetAsync($"api/v1/datasets/{job}/conservation")))).RootElement.GetProperty("feeds")[0];
            Assert.Equal((Rows / 3, Rows / 3), (feed.GetProperty("received").GetInt64(), feed.GetProperty("accepted").GetInt64()));
            output.WriteLine($"{job}: attempts {string.Join(", ", s_steps.Select(step => Pipes.Step(ended, step).GetProperty("attempts").GetInt32()))}");
        }

        Assert.Single(hashes);
    }

    /// <summary>Waits until a step is under way, or done while the next has not ended.</summary>
    /// <returns>What was seen; null where the moment passed by.</returns>
    private static async Task<string?> UntilAsync(HttpClient client, string run, string step, bool within)
    {
        for (var until = DateTime.UtcNow.AddSeconds(90); DateTime.UtcNow < until;)
        {
            var now = (await OkAsync(client.GetAsync($"api/v1/runs/{run}"))).RootElement;
            var state = Pipes.Step(now, step).GetProperty("state").GetString();
            if (state == "complete") return within ? null : Pipes.Step(now, step).GetProperty("rowsOut").GetRawText();
            Assert.False(state is "fail" or "abort", now.GetRawText());
            if (within && state == "running") return Pipes.Step(now, step).GetProperty("rowsIn").GetRawText();
            await Task.Delay(5);
        }

        throw new TimeoutException($"step {step} of run {run} did not come");
    }

    /// <summary>Of each run the tables of its steps are kept, each once, and nothing else.</summary>
    private static async Task UntilCleanAsync(string folder, string[] runs)
    {
        var expected = runs.SelectMany(run => new[] { $"run/{run}/datei", $"run/{run}/passend" }).Order().ToArray();
        for (var tries = 0; ; tries++)
        {
            await using var files = new SqliteConnection($"Data Source={Path.Combine(folder, "files.db")};Mode=ReadOnly;Pooling=False");
            await files.OpenAsync();
            await using var command = files.CreateCommand();
            command.CommandText = "SELECT DISTINCT file FROM file_piece WHERE file LIKE 'run/%'";
            var found = new List<string>();
            await using (var reader = await command.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync()) found.Add(reader.GetString(0));
            }

            if (found.Select(name => name[..name.LastIndexOf('/')]).Order().SequenceEqual(expected)) return;
            Assert.True(tries < 100, string.Join(", ", found));
            await Task.Delay(100);
        }
    }

    private static async Task<T> PatientAsync<T>(Func<Task<T>> ask)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await ask();
            }
            catch (Exception) when (tries < 40)
            {
                // The front-end finds out that a silo is gone.
                await Task.Delay(500);
            }
        }
    }

    private static HttpClient Client(Uri address, string key) => new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };

    private static string Content(int rows)
    {
        var text = new StringBuilder("Zweigstelle;Tag;Ausleihen\n");
        for (var i = 0; i < rows; i++) text.Append(CultureInfo.InvariantCulture, $"Zweig {i % 97};{new DateOnly(2020, 1, 1).AddDays(i / 97):yyyy-MM-dd};{i * 31 % 1009}\n");
        return text.ToString();
    }
}
