using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>Cells take no more memory than they may, whatever is folded and read; the answers are the same as with all of them in memory.</summary>
public sealed class FoldMemoryTests
{
    private const long Limit = 100_000;
    private const int Hours = 300;
    private const int Stations = 20;

    private static readonly DateTimeOffset s_start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly CompiledContract s_contract = Contracts.Observations(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series),
        Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
        Contracts.Field("no2", FieldType.Number, FieldRole.Measure));

    [Fact]
    public async Task Folds_of_all_partitions_share_one_limit_and_forget_what_was_not_touched_for_longest()
    {
        await using var stores = TemporaryStores.Open();
        await using var others = TemporaryStores.Open();
        var (small, large) = (await StreetAsync(stores, Limit), await StreetAsync(others, long.MaxValue));
        var most = 0L;
        for (var hour = 0; hour < Hours; hour++)
        {
            foreach (var street in new[] { small, large })
            {
                foreach (var partition in street.Partitions) await PushAsync(street, partition, hour, 0);
            }

            most = Math.Max(most, small.Memory.Used);
        }

        // One window's states of each partition may lie above it until they are stored.
        Assert.InRange(most, Limit / 4, Limit + (Limit / 10));
        Assert.True(large.Memory.Used > 3 * Limit, $"{large.Memory.Used}");

        // A late row and a correction reach windows that were forgotten or frozen; reading everything brings windows back.
        foreach (var street in new[] { small, large })
        {
            foreach (var partition in street.Partitions)
            {
                await PushAsync(street, partition, 5, 30);
                await PushAsync(street, partition, Hours - 10, 0, more: 1);
            }
        }

        foreach (var partition in small.Partitions)
        {
            var expected = await CellsAsync(large, partition);
            Assert.Equal(2 * Hours, expected.Count);
            for (var again = 0; again < 3; again++)
            {
                Assert.Equal(expected, await CellsAsync(small, partition));
                (await small.FoldAsync(partition)).Trim();
                Assert.InRange(small.Memory.Used, 0, Limit);
            }
        }
    }

    [Fact]
    public async Task A_window_that_stands_still_is_kept_as_its_bytes_alone()
    {
        await using var stores = TemporaryStores.Open();
        var street = await StreetAsync(stores, long.MaxValue);
        await PushAsync(street, "air/0", 0, 0);
        var warm = street.Memory.Used;
        await PushAsync(street, "air/0", 1, 0);
        await PushAsync(street, "air/0", 2, 0);
        Assert.InRange(street.Memory.Used, warm, 5 * warm / 2);
    }

    [Fact]
    public async Task What_a_fold_took_is_given_back_when_it_ends_and_when_its_definitions_go()
    {
        await using var stores = TemporaryStores.Open();
        var street = await StreetAsync(stores, long.MaxValue);
        foreach (var partition in street.Partitions) await PushAsync(street, partition, 0, 0);
        var both = street.Memory.Used;
        (await street.FoldAsync("air/0")).Release();
        Assert.Equal(both / 2, street.Memory.Used);
        await street.RedefineAsync();
        (await street.FoldAsync("air/1")).Trim();
        Assert.Equal(0, street.Memory.Used);
    }

    [Fact]
    public async Task Many_changed_cells_wait_for_their_next_changes_a_few_do_not()
    {
        await using var stores = TemporaryStores.Open();
        var street = await StreetAsync(stores, long.MaxValue, new FoldOptions { BusyCells = 3, BusyFlushPeriod = TimeSpan.FromSeconds(2) });
        await PushAsync(street, "air/0", 0, 0);
        var fold = await street.FoldAsync("air/0");
        Assert.False(fold.HasUnstored);

        await FoldAsync(street, "air/0", 1);
        await fold.FlushFromTimeToTimeAsync();
        Assert.False(fold.HasUnstored);

        await FoldAsync(street, "air/0", 2, 3);
        await fold.FlushFromTimeToTimeAsync();
        Assert.True(fold.HasUnstored);
        for (var attempt = 0; fold.HasUnstored && attempt < 50; attempt++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200));
            await fold.FlushFromTimeToTimeAsync();
        }

        Assert.False(fold.HasUnstored);

        static async Task FoldAsync(Street street, string partition, params int[] hours)
        {
            foreach (var hour in hours) await PushAsync(street, partition, hour, 0, flush: false);
            Assert.True((await street.FoldAsync(partition)).HasUnstored);
        }
    }

    private static async Task<Street> StreetAsync(TemporaryStores stores, long bytes, FoldOptions? options = null)
    {
        var street = new Street(stores.Log, stores.History, stores.Cells, s_contract, "air", partitions: 2, options ?? new FoldOptions { MaxHotBytes = bytes });
        await street.OpenAsync();
        await street.RedefineAsync(Definition(MeasureFunction.Mean), Definition(MeasureFunction.P90));
        return street;
    }

    private static async Task PushAsync(Street street, string partition, int hour, int minute, int more = 0, bool flush = true)
    {
        int[] stations = [.. Enumerable.Range(0, Stations)];
        await street.PushAsync(partition, new()
        {
            Count = Stations,
            Columns =
            [
                Column.OfTexts([.. stations.Select(station => $"s{station}")]),
                Column.OfIntegers([.. stations.Select(_ => s_start.AddHours(hour).AddMinutes(minute).UtcTicks)]),
                Column.OfNumbers([.. stations.Select(station => (double)(((station * 7) + hour) % 50) + more)]),
            ],
        }, key: null);
        var fold = await street.SettledFoldAsync(partition);
        if (flush) await fold.FlushAsync();
    }

    private static async Task<List<string>> CellsAsync(Street street, string partition)
    {
        var fold = await street.SettledFoldAsync(partition);
        var all = new List<string>();
        foreach (var definition in fold.Joined)
        {
            all.AddRange((await fold.ReadAsync(definition, long.MinValue, long.MaxValue, 100_000))
                .Select(cell => $"{definition.Definition.Spec.Function} {cell.WindowFrom} {cell.Area} {Convert.ToHexString(cell.State)}").Order(StringComparer.Ordinal));
        }

        return all;
    }

    private static IndicatorDefinition Definition(MeasureFunction function)
    {
        var spec = new IndicatorSpec(new("Messung", null), "air", function, "no2", "PT1H", "Europe/Berlin", ByArea: false, [], null, null, AccessClass.Open) { Coverage = true };
        return new($"air-{function}", 1, spec);
    }
}
