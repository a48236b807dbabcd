using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Support;

using Xunit.Abstractions;

using ClusterMember = DataHub.Support.ClusterMember;

namespace DataHub.Cluster;

/// <summary>
/// Three silos and two front-ends are replaced one at a time by those of a second build while clients push and read. The
/// second build is what <c>second-build.patch</c> makes of this one: one more method on a grain's interface (whose version
/// is one higher), one more member on the caller that goes with every call and on an answer, and a new version of a stored state.
/// </summary>
public sealed class RollingReplacementTests(ITestOutputHelper output)
{
    private static readonly string[] s_datasets = ["a", "b", "c", "d"];

    [PostgresFact]
    public async Task Two_builds_serve_side_by_side_and_a_replacement_one_by_one_there_and_back_loses_nothing()
    {
        var building = Stopwatch.StartNew();
        using var second = await SecondBuild.MakeAsync(Path.Combine("tests", "Cluster", "second-build.patch"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the second build took {building.Elapsed.TotalSeconds:F0} s"));
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 3, frontEnds: 2);
        string[] programs = [cluster.Silos[0].Program, cluster.FrontEnds[0].Program];
        // One silo and one front-end of the second build from the start.
        (cluster.Silos[0].Program, cluster.FrontEnds[1].Program) = (second.Silo, second.FrontEnd);
        foreach (var member in cluster.Members) member.Start();
        await Task.WhenAll(cluster.Members.Select(member => member.ReadyAsync()));
        var key = await cluster.DescribeAsync(s_datasets);
        var (firstFront, secondFront) = (cluster.Client(0, cluster.AdminKey), cluster.Client(1, cluster.AdminKey));

        using var enough = new CancellationTokenSource();
        var clients = s_datasets.Select((dataset, number) => new Load(cluster, dataset, key, number)).ToArray();
        var load = clients.Select(client => client.RunAsync(enough.Token)).ToArray();
        // The first that fails ends the others.
        foreach (var task in load) _ = task.ContinueWith(_ => enough.Cancel(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        var replacing = Stopwatch.StartNew();
        try
        {
            // Written by the second build: its front-end is answered by its silo alone, as the interface's version demands.
            foreach (var agency in new[] { "kept", "rewritten" }) await NameAsync(secondFront, agency, "second");
            // What the second build's silo answers with one member more, the first's front-end passes over.
            foreach (var front in new[] { firstFront, secondFront }) Assert.Equal(("second", null), await AgencyAsync(front, "kept"));
            await HaveServedAsync(clients, 3);

            // Back: what the second build has stored, the first reads.
            await ReplaceAsync(cluster.FrontEnds[1], programs[1]);
            await ReplaceAsync(cluster.Silos[0], programs[0]);
            Assert.Equal(("second", null), await AgencyAsync(secondFront, "kept"));
            await NameAsync(firstFront, "rewritten", "first");
            Assert.Equal(404, (int)(await PutHomepageAsync(firstFront, "kept")).StatusCode);

            // And there, silos first; what the first build has stored, the second reads.
            foreach (var silo in cluster.Silos) await ReplaceAsync(silo, second.Silo);
            foreach (var frontEnd in cluster.FrontEnds) await ReplaceAsync(frontEnd, second.FrontEnd);
            Assert.Equal(("second", null), await AgencyAsync(firstFront, "kept"));
            Assert.Equal(("first", null), await AgencyAsync(firstFront, "rewritten"));
            await HubFixture.OkAsync(PutHomepageAsync(firstFront, "rewritten"));
            Assert.Equal(("first", "https://rewritten"), await AgencyAsync(secondFront, "rewritten"));
            await HaveServedAsync(clients, 3);
        }
        catch (Exception)
        {
            foreach (var member in cluster.Members)
                output.WriteLine($"== {member.Name}\n{string.Join('\n', member.Said.Split('\n').Where(line => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains("xception", StringComparison.Ordinal)).TakeLast(6))}");
            throw;
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(load);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"seven replacements in {replacing.Elapsed.TotalSeconds:F0} s, {clients.Sum(c => c.Served)} pushes, each read with its watermark; {clients.Sum(c => c.Retried)} requests were sent a second time"));
        // In the end every row is there once, whoever took it.
        foreach (var client in clients)
        {
            var counts = (await HubFixture.OkAsync(firstFront.GetAsync($"api/v1/datasets/{client.Dataset}/conservation"))).RootElement.GetProperty("feeds").EnumerateArray().Single();
            Assert.Equal(client.Served, counts.GetProperty("accepted").GetInt64());
            Assert.Equal(client.Served, counts.GetProperty("received").GetInt64());
        }

        async Task ReplaceAsync(ClusterMember member, string program)
        {
            Assert.True(load.All(task => !task.IsFaulted), "a client saw what one retry did not resolve");
            Assert.Equal(0, await member.StopAsync());
            member.Program = program;
            member.Start();
            await member.ReadyAsync();
        }
    }

    /// <summary>Each client has pushed and read so many times more.</summary>
    private static async Task HaveServedAsync(Load[] clients, int more)
    {
        var before = clients.Select(client => client.Served).ToArray();
        for (var waited = Stopwatch.StartNew(); clients.Zip(before).Any(pair => pair.First.Served < pair.Second + more); await Task.Delay(50))
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), "clients do not get on");
    }

    private static async Task NameAsync(HttpClient client, string agency, string name) =>
        await HubFixture.OkAsync(client.PutAsJsonAsync($"api/v1/agencies/{agency}", new { name = new { de = name } }));

    private static Task<HttpResponseMessage> PutHomepageAsync(HttpClient client, string agency) =>
        client.PutAsync($"api/v1/agencies/{agency}/homepage?url=https%3A%2F%2F{agency}", null);

    /// <summary>Name and homepage; the latter null where there is none, or where the front-end has never heard of such.</summary>
    private static async Task<(string? Name, string? Homepage)> AgencyAsync(HttpClient client, string agency)
    {
        var json = (await HubFixture.OkAsync(client.GetAsync($"api/v1/agencies/{agency}"))).RootElement;
        return (json.GetProperty("name").GetProperty("de").GetString(), json.TryGetProperty("homepage", out var homepage) && homepage.ValueKind != JsonValueKind.Null ? homepage.GetString() : null);
    }

    /// <summary>Pushes a row through one front-end and reads with the watermark through the other; what is refused is sent once more, with the same key, through one that is ready.</summary>
    private sealed class Load(ClusterProcesses cluster, string dataset, string key, int number)
    {
        private readonly HttpClient[] _fronts = [cluster.Client(0, key), cluster.Client(1, key)];
        private int _served, _retried;

        public string Dataset => dataset;

        public int Served => Volatile.Read(ref _served);

        public int Retried => Volatile.Read(ref _retried);

        public async Task RunAsync(CancellationToken stop)
        {
            await Task.Yield();
            while (!stop.IsCancellationRequested)
            {
                var second = Served;
                var front = (number + second) % 2;
                var receipt = await OnceMoreAsync(front, client => ClusterProcesses.PushAsync(client, dataset, $"k{second}", second, 1));
                var watermark = Uri.EscapeDataString(ClusterProcesses.Watermark(receipt));
                var values = await OnceMoreAsync(1 - front, client => client.GetAsync($"api/v1/indicators/{dataset}-sum/values?from=2026-11-23&watermark={watermark}", CancellationToken.None));
                var rows = values.RootElement.GetProperty("rows").EnumerateArray().ToArray();
                Assert.Equal((second + 1.0, second + 1), (rows.Sum(row => row.GetProperty("value").GetDouble()), rows.Sum(row => row.GetProperty("count").GetInt64())));
                Volatile.Write(ref _served, second + 1);
                // Enough to meet every moment of a replacement, and no more: what starts meanwhile needs the processors.
                await Task.Delay(100, CancellationToken.None);
            }
        }

        private async Task<JsonDocument> OnceMoreAsync(int front, Func<HttpClient, Task<HttpResponseMessage>> send)
        {
            TimeSpan wait;
            try
            {
                using var answer = await send(_fronts[front]);
                if (answer.IsSuccessStatusCode) return JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True((int)answer.StatusCode == 503, $"{(int)answer.StatusCode} {text}");
                wait = answer.Headers.RetryAfter!.Delta!.Value;
            }
            catch (Exception e) when (Unreachable.Is(e))
            {
                // The front-end is the one that is being replaced.
                wait = TimeSpan.Zero;
            }

            Interlocked.Increment(ref _retried);
            await Task.Delay(wait);
            return await HubFixture.OkAsync(send(await ReadyAsync(1 - front)));
        }

        /// <summary>A front-end as the service before them would choose it: one that is ready.</summary>
        private async Task<HttpClient> ReadyAsync(int rather)
        {
            for (var (waited, front) = (Stopwatch.StartNew(), rather); ; front = 1 - front)
            {
                if (await cluster.FrontEnds[front].StatusAsync(_fronts[front], "health/ready") == 200) return _fronts[front];
                Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "no front-end is ready");
                await Task.Delay(20);
            }
        }
    }
}
