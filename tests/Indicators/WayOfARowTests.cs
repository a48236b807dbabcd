using CsCheck;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>
/// Generated streams with repeats, shuffles, lateness, corrections, deletions and partitions, over the real stores with
/// kills and faults in between: every cell of every function equals the oracle bit for bit (design I2, I4, I5).
/// </summary>
public sealed class WayOfARowTests
{
    private static readonly TableSchema Schema = new(1,
        [
            new("station", FieldType.String, null, FieldRole.Series, new(Required: true), null, null, null),
            new("time", FieldType.DateTime, null, FieldRole.Time, new(Required: true), null, null, null),
            new("area", FieldType.String, null, FieldRole.Area, FieldConstraints.None, null, null, null),
            new("kind", FieldType.String, null, FieldRole.Dimension, FieldConstraints.None, null, null, null),
            new("value", FieldType.Number, null, FieldRole.Measure, FieldConstraints.None, null, null, null),
        ],
        ["station", "time"], [""]);

    /// <summary>The same rows under a key without a time: nothing is new without a look-up.</summary>
    private static readonly TableSchema RecordSchema = Schema with
    {
        PrimaryKey = ["station"],
        Fields = [Schema.Fields[0] with { Role = FieldRole.None }, .. Schema.Fields[1..]],
    };

    // Around the autumn change of clocks, so that windows of 25 hours and doubled clock hours are met.
    private static readonly DateTimeOffset Start = new(2026, 10, 24, 20, 0, 0, TimeSpan.Zero);

    private static readonly OracleIndicator[] Indicators =
    [
        new("count", "count", null, "PT1H", "Europe/Berlin", true, []),
        new("count-kind", "count", "value", "P1D", "Europe/Berlin", false, ["kind"]),
        new("sum", "sum", "value", "PT3H", "Europe/Berlin", true, ["kind"]),
        new("mean", "mean", "value", "P1D", "Europe/Berlin", true, []),
        new("min", "min", "value", "PT1H", "Europe/Berlin", true, []),
        new("max", "max", "value", "P1W", "Europe/Berlin", false, []),
        new("last", "last", "value", "P1D", "Europe/Berlin", true, ["kind"]),
        new("count-high", "count", null, "P1D", "Europe/Berlin", true, []) { Filter = row => row.Values["value"] > 3 || row.Dimensions["kind"] is null },
        new("mean-some", "mean", "value", "PT3H", "Europe/Berlin", false, ["kind"]) { Filter = row => row.Dimensions["kind"] is "k\"0" or "k\"2" && row.Area is not "01" and not null },
        new("min-late", "min", "value", "P1D", "Europe/Berlin", true, []) { Filter = row => row.Time >= Start.AddHours(9) && row.Values["value"] is not 0.1 },
    ];

    /// <summary>What the oracle computes by itself, as the hub is told.</summary>
    private static readonly Dictionary<string, string> Filters = new()
    {
        ["count-high"] = "value > 3 OR kind IS NULL",
        ["mean-some"] = "kind IN ('k\"0', 'k\"2') AND NOT area = '01'",
        ["min-late"] = "time >= TIMESTAMP('2026-10-25T07:00:00+02:00') AND value <> 0.1",
    };

    private sealed record Row(int Station, int Minute, int Area, int Kind, double? Value, bool Delete);

    private sealed record Step(int Partition, Row[] Rows, bool Repeat, int Event);

    private static readonly Gen<double?> GenValue = Gen.OneOf(
        Gen.Const((double?)null),
        Gen.Double[-50, 50].Select(v => (double?)Math.Round(v, 1)),
        Gen.Double[-1e9, 1e9].Select(v => (double?)v),
        Gen.Int[0, 6].Select(i => (double?)new[] { 0.0, 1e150, -1e150, 1e-140, 0.1, 1e16, 3 }[i]));

    private static readonly Gen<Row> GenRow = Gen.Select(
        Gen.Int[0, 4], Gen.Int[0, 240], Gen.Int[-1, 3], Gen.Int[-1, 2], GenValue, Gen.Int[0, 7],
        (station, slot, area, kind, value, delete) => new Row(station, slot * 10, area, kind, value, delete == 0));

    private static readonly Gen<Step[]> GenSteps = Gen.Select(
        Gen.Int[0, 2], GenRow.Array[0, 12], Gen.Bool, Gen.Int[0, 20],
        (partition, rows, repeat, happening) => new Step(partition, rows, repeat, happening)).Array[1, 25];

    [Fact]
    public Task Cells_of_observations_equal_the_oracle_whatever_happens() =>
        GenSteps.SampleAsync(steps => RunAsync(steps, Schema, DatasetKind.Observations, TemporaryStores.Open()), iter: 40, threads: 1);

    [Fact]
    public Task Cells_of_records_equal_the_oracle_whatever_happens() =>
        GenSteps.SampleAsync(steps => RunAsync(steps, RecordSchema, DatasetKind.Records, TemporaryStores.Open()), iter: 40, threads: 1);

    [PostgresFact]
    public Task On_PostgreSQL_cells_of_observations_equal_the_oracle_whatever_happens() =>
        GenSteps.SampleAsync(async steps => await RunAsync(steps, Schema, DatasetKind.Observations, await TemporaryStores.OpenPostgresAsync()), iter: 6, threads: 1);

    [PostgresFact]
    public Task On_PostgreSQL_cells_of_records_equal_the_oracle_whatever_happens() =>
        GenSteps.SampleAsync(async steps => await RunAsync(steps, RecordSchema, DatasetKind.Records, await TemporaryStores.OpenPostgresAsync()), iter: 6, threads: 1);

    private static async Task RunAsync(Step[] steps, TableSchema schema, DatasetKind kind, TemporaryStores stores)
    {
        await using var opened = stores;
        var contract = CompiledContract.Compile(schema, kind);
        var street = new Street(stores.Log, stores.History, stores.Cells, contract, "air", partitions: 3, new FoldOptions { CatchUpRows = 4, MaxHotCells = steps.Length % 2 == 0 ? 6 : 500_000 });
        var definitions = Indicators.Select((indicator, i) => new IndicatorDefinition(indicator.Id, 1, Spec(indicator))).ToArray();
        street.Define([.. definitions.Where((_, i) => i % 2 == 0)]);
        await street.OpenAsync();

        var accepted = new List<OracleRow>();
        var received = 0;
        var counts = default(PushCounts);
        foreach (var (step, number) in steps.Select((step, number) => (step, number)))
        {
            var partition = PartitionKeys.Of("air", step.Partition);
            // A key belongs to one partition, as the front-end sees to.
            var rows = step.Rows.Select(row => row with { Station = row.Station * 3 + step.Partition }).ToArray();
            switch (step.Event)
            {
                case 0: street.Kill(); break;
                case 1: stores.Log.Faults.FailNext(nameof(ILogStore.AppendAsync), WriteFault.AnswerLost); break;
                case 2: stores.Log.Faults.FailNext(nameof(ILogStore.AppendAsync), WriteFault.Refused); break;
                case 3: stores.History.Faults.FailNext(nameof(IHistoryStore.ApplyAsync), WriteFault.AnswerLost); break;
                case 4: stores.Cells.Faults.FailNext(nameof(ICellStore.FlushAsync), WriteFault.AnswerLost); break;
                case 5: stores.Cells.Faults.FailNext(nameof(ICellStore.FlushAsync), WriteFault.Refused); break;
                case 12: stores.History.Faults.FailNext(nameof(IHistoryStore.VersionsAsync), WriteFault.Refused); break;
                case 13: stores.History.Faults.FailNext(nameof(IHistoryStore.VersionsAsync), WriteFault.AnswerLost, after: 1); break;
                case 14: stores.Cells.Faults.FailNext(nameof(ICellStore.ReadAsync), WriteFault.Refused); break;
                default: break;
            }

            var receipt = await street.PushAsync(partition, Block(rows), $"key-{number}");
            counts += receipt.Push.Counts;
            received += rows.Length;
            accepted.AddRange(rows.Select(row => ToOracle(row, schema)));
            if (step.Repeat)
            {
                var again = await street.PushAsync(partition, Block(rows), $"key-{number}");
                Assert.True(again.Replayed);
                Assert.Equal(receipt.Push.Receipt, again.Push.Receipt);
            }

            switch (step.Event)
            {
                case 6: await street.DeliverAsync(partition); break;
                case 7: street.Announced.Clear(); break; // news lost
                case 8: await street.ReachHistoryAsync(partition, long.MaxValue); break; // history ahead
                case 9: await (await street.FoldAsync(partition)).FlushAsync(); break;
                case 10: await (await street.FoldAsync(partition)).ReachHeadAsync(); break; // the fold ahead
                case 11 or 15: street.Define(definitions[1 + (number % (definitions.Length / 2) * 2)]); break; // a definition comes later
                case 16: // definitions change while the folds run; what was being filled is given up
                    var changed = number % definitions.Length;
                    definitions[changed] = definitions[changed] with { Version = definitions[changed].Version + 1 };
                    await street.RedefineAsync([.. definitions]);
                    break;
                case >= 12: await (await street.FoldAsync(partition)).CatchUpAsync(); break; // one step of a fill
                default: break;
            }
        }

        street.Kill();
        // A fault that nothing met on the way must not strike the test's own reading.
        foreach (var faults in (StoreFaults[])[stores.Log.Faults, stores.History.Faults, stores.Cells.Faults]) faults.CallOff();
        await street.RedefineAsync([.. definitions]);
        var expected = new Oracle().Play(accepted).Cells(Indicators);
        foreach (var definition in definitions)
        {
            var wanted = expected.Where(cell => cell.Key.Indicator == definition.Indicator)
                .ToDictionary(cell => (cell.Key.Area ?? "", cell.Key.From.UtcTicks, cell.Key.Dimensions), cell => (BitConverter.DoubleToInt64Bits(cell.Value.Value!.Value), cell.Value.Count));
            var actual = (await street.CellsAsync(definition))
                .ToDictionary(cell => (cell.Key.Area, cell.Key.Window, OracleDimensions(cell.Key.Dimensions)), cell => (BitConverter.DoubleToInt64Bits(cell.Value.Value()!.Value), cell.Value.Count));
            Assert.Equal(wanted.OrderBy(cell => cell.Key).ToArray(), actual.OrderBy(cell => cell.Key).ToArray());
        }

        Assert.Equal(received, counts.Received);
        Assert.Equal(received, counts.Accepted + counts.Duplicate + counts.Quarantined);
        var applied = 0L;
        foreach (var partition in street.Partitions)
        {
            var history = await street.SettledHistoryAsync(partition);
            Assert.Equal(history.Accepted, (await street.FoldAsync(partition)).Accepted);
            applied += history.Accepted;
        }

        Assert.Equal(counts.Accepted, applied);
        var stored = await stores.History.CountsAsync("air", CancellationToken.None);
        Assert.Equal((long)received, stored.Sum(feed => feed.Received));
        Assert.Equal(counts.Accepted, stored.Sum(feed => feed.Accepted));
    }

    private static IndicatorSpec Spec(OracleIndicator indicator) => new(
        new(indicator.Id, null), "air", Enum.Parse<MeasureFunction>(indicator.Function, ignoreCase: true), indicator.Field,
        indicator.Window, indicator.TimeZone, indicator.ByArea, indicator.Dimensions, null, null, AccessClass.Open)
    {
        Filter = Filters.GetValueOrDefault(indicator.Id),
    };

    private static string OracleDimensions(string text) => text.Length == 0
        ? ""
        : string.Join('\u001f', System.Text.Json.JsonSerializer.Deserialize<string?[]>(text)!.Select(value => value ?? "\0"));

    private static string? AreaName(int area) => area < 0 ? null : $"0{area}";

    private static string? KindName(int kind) => kind < 0 ? null : $"k\"{kind}";

    private static RowBlock Block(Row[] rows)
    {
        var areas = rows.Select(row => AreaName(row.Area)).OfType<string>().Distinct().ToArray();
        return new()
        {
            Count = rows.Length,
            Columns =
            [
                Column.OfTexts([.. rows.Select(row => $"s{row.Station:D2}")]),
                Column.OfIntegers([.. rows.Select(row => Start.AddMinutes(row.Minute).UtcTicks)]),
                Column.OfTexts([.. rows.Select(row => row.Delete ? null : AreaName(row.Area))]),
                Column.OfTexts([.. rows.Select(row => row.Delete ? null : KindName(row.Kind))]),
                Column.OfNumbers([.. rows.Select(row => row.Delete ? double.NaN : row.Value + 0.0 ?? double.NaN)]),
            ],
            Areas = areas,
            AreaOf = [.. rows.Select(row => row.Delete || AreaName(row.Area) is not { } area ? -1 : Array.IndexOf(areas, area))],
            Deletes = rows.Any(row => row.Delete) ? [.. rows.Select(row => row.Delete)] : null,
        };
    }

    private static OracleRow ToOracle(Row row, TableSchema schema)
    {
        var time = Start.AddMinutes(row.Minute);
        object?[] key = schema.PrimaryKey.Length == 2 ? [$"s{row.Station:D2}", time.UtcTicks] : [$"s{row.Station:D2}"];
        return new(key, time, AreaName(row.Area),
            new Dictionary<string, double?> { ["value"] = row.Value }, new Dictionary<string, string?> { ["kind"] = KindName(row.Kind) }, row.Delete);
    }
}
