using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Feeds;

/// <summary>History stays quick to read however small the steps in which it was written.</summary>
public sealed class PartitionHistoryTests : IAsyncLifetime
{
    private const string Partition = "air/0";
    private const int Steps = 40;

    private static readonly DateTimeOffset s_start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private static readonly CompiledContract s_contract = Contracts.Observations(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series, new(Required: true)),
        Contracts.Field("time", FieldType.DateTime, FieldRole.Time, new(Required: true)));

    private readonly TemporaryStores _stores = TemporaryStores.Open();
    private Street _street = null!;

    public async Task InitializeAsync()
    {
        _street = new(_stores.Log, _stores.History, _stores.Cells, s_contract, "air", partitions: 1);
        await _street.OpenAsync();
    }

    public async Task DisposeAsync() => await _stores.DisposeAsync();

    [Fact]
    public async Task Many_small_transactions_of_one_day_leave_few_segments_and_every_row()
    {
        for (var step = 0; step < Steps; step++) await StepAsync(step);

        Assert.InRange(await SegmentsAsync(), 1, 2 * SegmentRules.MaxRuns);
        await AssertRowsAsync();
    }

    [Theory]
    [InlineData(WriteFault.Refused)]
    [InlineData(WriteFault.AnswerLost)]
    public async Task A_join_that_fails_holds_nothing_up_and_the_next_one_makes_it_good(WriteFault fault)
    {
        _stores.History.Faults.FailNext(nameof(IHistoryStore.JoinAsync), fault, times: 2);
        for (var step = 0; step < Steps; step++)
        {
            await StepAsync(step);
            Assert.Null(_street.History(Partition).Halted);
        }

        Assert.True(_stores.History.Faults.Calls(nameof(IHistoryStore.JoinAsync)) > 2);
        Assert.InRange(await SegmentsAsync(), 1, 2 * SegmentRules.MaxRuns);
        await AssertRowsAsync();
    }

    private async Task StepAsync(int step)
    {
        var receipt = await _street.PushAsync(
            Partition, new() { Count = 1, Columns = [Column.OfTexts([$"s{step % 7}"]), Column.OfIntegers([s_start.AddMinutes(step).UtcTicks])] }, $"key-{step}");
        Assert.Equal(receipt.Sequence, await _street.ReachHistoryAsync(Partition, receipt.Sequence));
    }

    private async Task<long> SegmentsAsync() =>
        await _stores.Sqlite!.Files.Single(file => file.Name == "history.db").LookUpAsync(session => session.Number("SELECT count(*) FROM segment")!.Value, default);

    private async Task AssertRowsAsync()
    {
        var page = await _stores.RealHistory.QueryAsync(Partition, null, null, null, null, 1_000, default);
        Assert.Equal(Enumerable.Range(0, Steps).Select(step => s_start.AddMinutes(step).UtcTicks), page.Rows.Select(row => row.Time));
    }
}
