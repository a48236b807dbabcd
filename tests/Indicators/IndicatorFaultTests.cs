using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Indicators;

/// <summary>What an indicator's readers see while its folds are away, its news are lost and its reads come late.</summary>
public sealed class IndicatorFaultTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Eight = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    private readonly Faults _faults = new();
    private HubFixture _hub = null!;
    private DatasetInfo _dataset = null!;
    private readonly Dictionary<long, double> _totals = [];
    private double _total;
    private int _pushes;

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(
            new Dictionary<string, string?> { ["DataHub:Indicator:Recheck"] = "00:00:00.050", ["DataHub:Indicator:VersionBlock"] = "3", ["DataHub:Read:MaxWait"] = "00:00:02" },
            services: services => services.AddSingleton<IIncomingGrainCallFilter>(_faults).AddSingleton<IOutgoingGrainCallFilter>(_faults));
        await _hub.KeyAsync("senumvk", KeyRole.Admin);
        FieldSpec[] fields =
        [
            new("station", FieldType.String, null, FieldRole.Series, FieldConstraints.None, null, null, null),
            new("time", FieldType.DateTime, null, FieldRole.Time, FieldConstraints.None, null, null, null),
            new("no2", FieldType.Number, null, FieldRole.Measure, FieldConstraints.None, null, null, null),
        ];
        _dataset = (await _hub.Grains.GetGrain<IDatasetGrain>("air").PutAsync(Caller.Hub, new(
            new("Luft", null), "senumvk", DatasetKind.Observations, AccessClass.Open, "dl-de/by-2-0", null, new(0, fields, ["station", "time"], [""]), null))).Dataset!;
        var made = await _hub.Grains.GetGrain<IIndicatorGrain>("no2").PutAsync(Caller.Hub, new(
            new("NO2", null), "air", MeasureFunction.Sum, "no2", "PT1H", "Europe/Berlin", false, [], null, null, AccessClass.Open));
        Assert.Equal(CatalogRefusal.None, made.Refusal);
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task Lost_news_are_made_up_for()
    {
        await PushAsync(1);
        await UntilAsync(answer => answer.Sum == 1);
        _faults.LosesNews = true;
        await PushAsync(2);
        var later = await UntilAsync(answer => answer.Sum == 3);
        Assert.Equal("ok", later.State);
    }

    [Fact]
    public async Task While_the_folds_are_away_what_was_answered_is_repeated_as_stale_and_nothing_else_is_answered()
    {
        await PushAsync(1);
        var before = await UntilAsync(answer => answer.Sum == 1);
        _faults.FoldsAreAway = true;

        var stale = await UntilAsync(answer => answer.State == "stale");
        Assert.Equal((1, before.Watermark), (stale.Sum, stale.Watermark));
        Assert.True(stale.Version > before.Version);
        var again = await AskAsync();
        Assert.Equal((stale.Version, stale.Tag), (again.Version, again.Tag));

        using var other = await _hub.Anonymous.GetAsync("api/v1/indicators/no2/values?from=2020-01-01");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, other.StatusCode);
        Assert.NotNull(other.Headers.RetryAfter);

        // Not even the stale answer is given to who wants more than it holds.
        var watermark = await PushAsync(2);
        using var newer = await _hub.Anonymous.GetAsync($"api/v1/indicators/no2/values?watermark={watermark}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, newer.StatusCode);

        _faults.FoldsAreAway = false;
        var after = await UntilAsync(answer => answer.State == "ok");
        Assert.Equal(3, after.Sum);
        Assert.True(after.Version > stale.Version);
    }

    [Fact]
    public async Task Reads_that_come_back_late_and_out_of_order_never_take_an_answer_back()
    {
        await PushAsync(0);
        await UntilAsync(answer => answer.Rows == 1);
        _faults.DelaysReads = true;
        using var stop = new CancellationTokenSource();
        var contents = new ConcurrentDictionary<string, string>();
        var said = new ConcurrentBag<(long Sequence, double Sum)>();
        var readers = Enumerable.Range(0, 6).Select(reader => Task.Run(async () =>
        {
            var last = default(Answered);
            while (!stop.IsCancellationRequested)
            {
                var path = $"api/v1/indicators/no2/{(reader % 2 == 0 ? "values" : "latest")}?limit={1 + reader / 2}";
                var answer = await AskAsync(path);
                Assert.Equal(answer.Text, contents.GetOrAdd(path + answer.Version, answer.Text));
                Assert.True(answer.Version >= last.Version && answer.Sum >= last.Sum, $"{answer.Sum} of version {answer.Version} after {last.Sum} of {last.Version}");
                Assert.True(Sequence(answer.Watermark) >= Sequence(last.Watermark));
                said.Add((Sequence(answer.Watermark), answer.Sum));
                last = answer;
            }
        })).ToArray();

        for (var i = 1; i <= 40; i++)
        {
            var watermark = await PushAsync(1);
            if (i % 4 == 0) Assert.Equal(i, (await AskAsync($"api/v1/indicators/no2/values?watermark={watermark}")).Sum);
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
        Assert.True(contents.Count > 10);

        // What an answer says is what stood at the watermark it names.
        Assert.All(said, one => Assert.Equal(_totals[one.Sequence], one.Sum));

        static long Sequence(string? watermark) => Watermark.TryParse(watermark, out var read) ? read!.Sequences[0] : 0;
    }

    private Task<Answered> AskAsync() => AskAsync("api/v1/indicators/no2/values");

    private async Task<Answered> AskAsync(string path)
    {
        using var answer = await _hub.Anonymous.GetAsync(path);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        var json = JsonDocument.Parse(text).RootElement;
        var rows = json.GetProperty("rows");
        return new(
            json.GetProperty("version").GetInt64(), rows.GetArrayLength(), rows.EnumerateArray().Sum(row => row.GetProperty("value").GetDouble()),
            rows.GetArrayLength() == 0 ? null : rows[0].GetProperty("state").GetString(), answer.Headers.GetValues("DataHub-Watermark").Single(), answer.Headers.ETag?.ToString(), text);
    }

    private async Task<Answered> UntilAsync(Func<Answered, bool> expected)
    {
        for (var tries = 0; ; tries++)
        {
            var answer = await AskAsync();
            if (expected(answer)) return answer;
            Assert.True(tries < 300, $"still {answer}");
            await Task.Delay(10);
        }
    }

    private async Task<string> PushAsync(double value)
    {
        var at = _dataset.Partitions[0];
        var block = new RowBlock
        {
            Count = 1,
            Columns = [Column.OfTexts([$"s{++_pushes}"]), Column.OfIntegers([Eight.UtcTicks]), Column.OfNumbers([value])],
        };
        var result = await _hub.Grains.GetGrain<ILogShardGrain>(at.Shard).AppendAsync(Caller.Hub, new(
            "air", at.Key, "default", Guid.NewGuid().ToString("N")[..26].ToUpperInvariant(), null, new byte[32], 0, 1, _dataset.ContractVersion, 0, block, []));
        Assert.True(result.Refusal == AppendRefusal.None, $"{result.Refusal} {result.Detail}");
        _totals[result.Receipt!.Sequence] = _total += value;
        return new Watermark(await _hub.Services.GetRequiredService<ILogStore>().IncarnationAsync(CancellationToken.None), "air", [result.Receipt.Sequence]).ToString();
    }

    private readonly record struct Answered(long Version, int Rows, double Sum, string? State, string? Watermark, string? Tag, string Text);

    private sealed class Faults : IIncomingGrainCallFilter, IOutgoingGrainCallFilter
    {
        public volatile bool LosesNews, FoldsAreAway, DelaysReads;

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (LosesNews && context.Grain is IIndicatorGrain && context.MethodName == nameof(IIndicatorGrain.AdvancedAsync)) throw new TimeoutException("the news are lost");
            if (FoldsAreAway && context.Grain is IAggregationGrain && context.MethodName is nameof(IAggregationGrain.ReadCellsAsync) or nameof(IAggregationGrain.ReadManyAsync) or nameof(IAggregationGrain.StatusAsync))
                throw new TimeoutException("the fold is away");
            await context.Invoke();
        }

        public async Task Invoke(IOutgoingGrainCallContext context)
        {
            await context.Invoke();

            // What was read is fixed by now; it only takes its time to come back.
            if (DelaysReads && context.MethodName is nameof(IAggregationGrain.ReadCellsAsync) or nameof(IAggregationGrain.ReadManyAsync)) await Task.Delay(Random.Shared.Next(12));
        }
    }
}
