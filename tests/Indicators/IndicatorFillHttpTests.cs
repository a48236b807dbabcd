using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Indicators;

/// <summary>Definitions that change while rows stream in, as their readers see it.</summary>
public sealed class IndicatorFillHttpTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Eight = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    /// <summary>Per partition what stands after each sequence.</summary>
    private readonly ConcurrentDictionary<long, (double Sum, long Count)>[] _totals = [new(), new()];
    private readonly (double Sum, long Count)[] _total = new (double, long)[2];
    private HubFixture _hub = null!;
    private DatasetInfo _dataset = null!;
    private HttpClient _admin = null!;
    private int _rows;

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Fold:CatchUpRows"] = "100", ["DataHub:Read:MaxWait"] = "00:00:00.100" });
        _admin = await _hub.AgencyAsync("senumvk", KeyRole.Admin);
        _dataset = await _hub.PutDatasetAsync("air", "senumvk", DatasetKind.Observations, Contracts.Schema(
            ["station", "time"],
            Contracts.Field("station", FieldType.String, FieldRole.Series),
            Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
            Contracts.Field("no2", FieldType.Number, FieldRole.Measure)), partitions: 2);
        foreach (var totals in _totals) totals[0] = totals[1] = default;
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task The_old_definition_answers_exactly_until_the_new_one_does_and_progress_only_rises()
    {
        // The second partition has much more to read: the new version must wait for it.
        await PushAsync(0, 50);
        for (var push = 0; push < 30; push++) await PushAsync(1, 300);
        var functions = new ConcurrentDictionary<int, string> { [await PutAsync("sum")] = "sum" };
        await AnsweredAsync(1);

        using var stop = new CancellationTokenSource();
        var broken = new ConcurrentQueue<string>();
        var answers = new ConcurrentQueue<(int Definition, Watermark Watermark, double Value)>();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            var last = 0;
            while (!stop.IsCancellationRequested)
            {
                if (await AskAsync() is not { } answer)
                {
                    broken.Enqueue("no answer although there was one before");
                    return;
                }

                if (answer.Definition < last) broken.Enqueue($"definition {answer.Definition} after {last}");
                last = answer.Definition;
                answers.Enqueue(answer);
            }
        })).ToArray();
        var pushing = Task.Run(async () =>
        {
            for (var push = 0; !stop.IsCancellationRequested; push++) await PushAsync(push % 2, 3);
        });

        // Twice quickly, so that a fill under way is given up; and once put back before that.
        functions[await PutAsync("max")] = "max";
        await PutAsync("sum");
        functions[await PutAsync("mean")] = "mean";
        var wanted = await PutAsync("count");
        functions[wanted] = "count";
        var (share, done, phases) = (0.0, 0L, new HashSet<string>());
        while (true)
        {
            var info = await HubFixture.OkAsync(_hub.Anonymous.GetAsync("api/v1/indicators/no2"));
            if (info.RootElement.GetProperty("definition").GetInt32() == wanted) break;
            var progress = info.RootElement.GetProperty("progress");
            Assert.True(progress.GetProperty("share").GetDouble() >= share && progress.GetProperty("done").GetInt64() >= done, $"{progress} after {share}, {done}");
            Assert.True(progress.GetProperty("done").GetInt64() <= progress.GetProperty("of").GetInt64(), progress.ToString());
            (share, done) = (progress.GetProperty("share").GetDouble(), progress.GetProperty("done").GetInt64());
            phases.Add(progress.GetProperty("phase").GetString()!);
        }

        await AnsweredAsync(wanted);
        for (var tries = 0; !answers.Any(answer => answer.Definition == wanted) && tries < 500; tries++) await Task.Delay(20);
        await stop.CancelAsync();
        await Task.WhenAll([.. readers, pushing]);
        Assert.Empty(broken);
        Assert.Contains("history", phases);
        Assert.All(answers, answer => Assert.Equal(Expected(functions[answer.Definition], answer.Watermark), answer.Value));
        Assert.Equal(["count", "sum"], answers.Select(answer => functions[answer.Definition]).Distinct().Order());
        var after = await HubFixture.OkAsync(_hub.Anonymous.GetAsync("api/v1/indicators/no2"));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (after.RootElement.GetProperty("pending").ValueKind, after.RootElement.GetProperty("progress").ValueKind));
    }

    [Fact]
    public async Task A_first_definition_says_how_far_it_is_until_it_answers()
    {
        for (var push = 0; push < 30; push++) await PushAsync(1, 300);
        var definition = await PutAsync("sum");
        var refusals = 0;
        while (true)
        {
            using var answer = await _hub.Anonymous.GetAsync("api/v1/indicators/no2/values");
            if (answer.IsSuccessStatusCode) break;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.NotNull(answer.Headers.RetryAfter);
            Assert.Matches(@"aufgebaut; \d+ % sind", JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("detail").GetString()!);
            refusals++;
        }

        Assert.True(refusals > 0);
        Assert.Equal(Expected("sum", (await AskAsync())!.Value.Watermark), (await AskAsync())!.Value.Value);
        Assert.Equal(definition, (await AskAsync())!.Value.Definition);
    }

    private double Expected(string function, Watermark watermark)
    {
        var (sum, count) = (0.0, 0L);
        for (var p = 0; p < 2; p++)
        {
            var known = _totals[p].Keys.Where(sequence => sequence <= watermark.Sequences[p]).Max();
            (sum, count) = (sum + _totals[p][known].Sum, count + _totals[p][known].Count);
        }

        return function switch { "sum" => sum, "count" => count, "mean" => sum / count, _ => double.NaN };
    }

    private async Task<(int Definition, Watermark Watermark, double Value)?> AskAsync()
    {
        // A fold that is busy for longer than the short wait is no answer either way; that nothing was built yet is.
        string text;
        for (var tries = 0; ; tries++)
        {
            using var answer = await _hub.Anonymous.GetAsync("api/v1/indicators/no2/values");
            text = await answer.Content.ReadAsStringAsync();
            if (answer.IsSuccessStatusCode) break;
            if (text.Contains("aufgebaut", StringComparison.Ordinal) || answer.StatusCode != HttpStatusCode.ServiceUnavailable || tries > 200) return null;
        }

        var json = JsonDocument.Parse(text).RootElement;
        Assert.True(Watermark.TryParse(json.GetProperty("watermark").GetString(), out var watermark));
        return (json.GetProperty("definition").GetInt32(), watermark!, json.GetProperty("rows")[0].GetProperty("value").GetDouble());
    }

    private async Task AnsweredAsync(int definition)
    {
        for (var tries = 0; (await AskAsync())?.Definition != definition; tries++)
        {
            Assert.True(tries < 2_000, $"definition {definition} does not answer");
            await Task.Delay(10);
        }
    }

    /// <returns>The version that will answer, or does.</returns>
    private async Task<int> PutAsync(string function)
    {
        var put = await HubFixture.OkAsync(_admin.PutAsJsonAsync("api/v1/indicators/no2", new
        {
            title = new { de = "NO2" },
            dataset = "air",
            measure = new { function, field = "no2" },
            window = "P1Y",
            groupBy = Array.Empty<string>(),
            access = "open",
        }));
        var pending = put.RootElement.GetProperty("pending");
        return (pending.ValueKind == JsonValueKind.Null ? put.RootElement : pending).GetProperty("definition").GetInt32();
    }

    private async Task PushAsync(int partition, int rows)
    {
        var at = _dataset.Partitions[partition];
        var first = _rows;
        _rows += rows;
        var numbers = Enumerable.Range(first, rows).ToArray();
        var block = new RowBlock
        {
            Count = rows,
            Columns =
            [
                Column.OfTexts([.. numbers.Select(number => string.Create(CultureInfo.InvariantCulture, $"s{number}"))]),
                Column.OfIntegers([.. numbers.Select(number => Eight.AddSeconds(number).UtcTicks)]),
                Column.OfNumbers([.. numbers.Select(number => (double)(number % 7))]),
            ],
        };
        var result = await _hub.Grains.GetGrain<ILogShardGrain>(at.Shard).AppendAsync(Caller.Hub, new(
            "air", at.Key, "default", Guid.NewGuid().ToString("N")[..26].ToUpperInvariant(), null, new byte[32], 0, 1, _dataset.ContractVersion, 0, block, []));
        Assert.True(result.Refusal == AppendRefusal.None, $"{result.Refusal} {result.Detail}");
        _total[partition] = (_total[partition].Sum + numbers.Sum(number => number % 7), _total[partition].Count + rows);
        _totals[partition][result.Receipt!.Sequence] = _total[partition];
    }
}
