using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.Logging.Abstractions;

namespace DataHub.Feeds;

/// <summary>
/// The newest times of series are stored seldom. Whenever whoever writes dies, the next writer knows of every row whether it is new, a
/// repeat or a correction, and reads no more of the log than is not stored.
/// </summary>
public sealed class SeriesTimesTests : IAsyncLifetime
{
    private const string Partition = "air/0";
    private const int Rows = 20;

    private static readonly DateTimeOffset s_start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private static readonly CompiledContract s_contract = Contracts.Observations(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series, new(Required: true)),
        Contracts.Field("time", FieldType.DateTime, FieldRole.Time, new(Required: true)),
        Contracts.Field("no2", FieldType.Number, FieldRole.Measure));

    private readonly TemporaryStores _stores = TemporaryStores.Open();
    private readonly Dictionary<(int Station, int Minute), double> _known = [];
    private PartitionHistory _history = null!;
    private Street _street = null!;
    private int _pushes;

    public async Task InitializeAsync()
    {
        _street = new(_stores.Log, _stores.History, _stores.Cells, s_contract, "air", partitions: 1);
        await _street.OpenAsync();
        Restart();
    }

    public async Task DisposeAsync() => await _stores.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_dies_when_every_row_is_told_right(int seed)
    {
        var random = new Random(seed);
        var raised = 0L;
        for (var step = 0; step < 150; step++)
        {
            switch (random.Next(12))
            {
                case 0:
                    _street.Kill();
                    break;
                case 1:
                    Restart();
                    break;
                case 2:
                    _stores.History.Faults.FailNext(nameof(IHistoryStore.RaiseSeriesAsync), random.Next(2) == 0 ? WriteFault.Refused : WriteFault.AnswerLost);
                    break;
                case 3 when _history.HasSeriesNews:
                    await _history.StoreSeriesAsync();
                    break;
                case 4:
                    _street.Kill();
                    Restart();
                    break;
                default:
                    await PushAsync(random);
                    if (random.Next(3) > 0) await ReachAsync();
                    break;
            }

            var position = await _stores.RealHistory.PositionAsync(Partition, default);
            Assert.InRange(position.Series, raised, position.Sequence);
            raised = position.Series;
        }

        await ReachAsync();
        Assert.True(raised > 0);
        var rows = (await _stores.RealHistory.QueryAsync(Partition, null, null, null, null, 100_000, default)).Rows;
        Assert.Equal(_known.Count, rows.Count);
    }

    [Fact]
    public async Task Many_pushes_of_few_series_store_them_seldom()
    {
        for (var minute = 0; minute < 100; minute++) await PushAsync([(0, minute, 1), (1, minute, 1)], reach: true);

        Assert.InRange(_stores.History.Faults.Calls(nameof(IHistoryStore.RaiseSeriesAsync)), 5, 200 / Rows);
        Assert.InRange((await _stores.RealHistory.FindSeriesAsync(Partition, [], default)).Sequence, 80, 101);
    }

    [Fact]
    public async Task A_new_writer_reads_of_the_log_only_what_is_not_stored_and_what_is_left_behind_is_stored_soon()
    {
        for (var minute = 0; minute < 8; minute++) await PushAsync([(minute, 0, 1)], reach: true);
        Assert.Equal(0, _stores.History.Faults.Calls(nameof(IHistoryStore.RaiseSeriesAsync)));
        Restart();

        // Those of before are less than would be stored; they are all the same.
        await PushAsync([(0, 1, 1)], reach: true);
        var stored = await _stores.RealHistory.FindSeriesAsync(Partition, [Series(0), Series(7)], default);
        Assert.Equal([s_start.AddMinutes(1).UtcTicks, s_start.UtcTicks], stored.Newest);
        Assert.Equal((await _stores.RealHistory.PositionAsync(Partition, default)).Sequence, stored.Sequence);

        _street.Kill();
        var reads = _stores.Log.Faults.Calls(nameof(ILogStore.ReadPartitionAsync));
        await PushAsync([(0, 2, 1), (5, 1, 1)], reach: false);
        Assert.Equal(reads, _stores.Log.Faults.Calls(nameof(ILogStore.ReadPartitionAsync)));
    }

    [Fact]
    public async Task Records_that_no_series_tells_never_make_history_read_the_log()
    {
        await using var stores = TemporaryStores.Open();
        var contract = Contracts.Records(["id"], Contracts.Field("id", FieldType.String));
        var street = new Street(stores.Log, stores.History, stores.Cells, contract, "cases", partitions: 1);
        await street.OpenAsync();
        for (var activation = 0; activation < 3; activation++)
        {
            var history = new PartitionHistory("cases/0", stores.Log, stores.History, street, NullLogger<PartitionHistory>.Instance, seriesRows: 2);
            for (var push = 0; push < 4; push++)
            {
                await street.PushAsync("cases/0", new() { Count = 1, Columns = [Column.OfTexts([$"{activation}-{push}"])] }, null);
                await history.ReachAsync(long.MaxValue);
            }

            Assert.False(history.HasSeriesNews);
        }

        Assert.Equal(0, stores.History.Faults.Calls(nameof(IHistoryStore.RaiseSeriesAsync)));
    }

    private void Restart() => _history = new(Partition, _stores.Log, _stores.History, _street, NullLogger<PartitionHistory>.Instance, Rows);

    private async Task ReachAsync()
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            await _history.ReachAsync(long.MaxValue);
            if (_history.Halted is null && !_history.IsSuperseded) return;
            Restart();
        }

        Assert.Fail(_history.Halted ?? "superseded");
    }

    /// <summary>Growing, late, repeated and corrected rows of a dozen stations.</summary>
    private Task PushAsync(Random random)
    {
        var rows = new Dictionary<(int, int), double>();
        for (var row = random.Next(1, 6); row > 0; row--) rows[(random.Next(12), random.Next(_pushes + 2))] = random.Next(3);
        return PushAsync([.. rows.Select(row => (row.Key.Item1, row.Key.Item2, row.Value))], reach: false);
    }

    private async Task PushAsync((int Station, int Minute, double Value)[] rows, bool reach)
    {
        var expected = (New: 0, Corrected: 0, Duplicate: 0);
        foreach (var (station, minute, value) in rows)
        {
            if (!_known.TryGetValue((station, minute), out var stands)) expected.New++;
            else if (stands == value) expected.Duplicate++;
            else expected.Corrected++;
            _known[(station, minute)] = value;
        }

        var receipt = await _street.PushAsync(Partition, new()
        {
            Count = rows.Length,
            Columns =
            [
                Column.OfTexts([.. rows.Select(row => $"s{row.Station}")]),
                Column.OfIntegers([.. rows.Select(row => s_start.AddMinutes(row.Minute).UtcTicks)]),
                Column.OfNumbers([.. rows.Select(row => row.Value)]),
            ],
        }, $"push-{++_pushes}");
        Assert.Equal(expected, ((int)receipt.Push.Counts.New, (int)receipt.Push.Counts.Corrected, (int)receipt.Push.Counts.Duplicate));
        if (reach) await ReachAsync();
    }

    private static byte[] Series(int station) => RowKeys.Series(s_contract, new()
    {
        Count = 1,
        Columns = [Column.OfTexts([$"s{station}"]), Column.OfIntegers([0]), Column.OfNumbers([0])],
    }, 0)!;
}
