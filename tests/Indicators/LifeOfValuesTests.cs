using CsCheck;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>
/// Values that are more than the cell of their window - sliding ones, with coverage, of open records and of durations -
/// over the real stores, partitions, corrections, deletions and kills, are the oracle's bit for bit (design I5).
/// </summary>
public sealed class LifeOfValuesTests
{
    private static readonly TableSchema Air = new(1,
        [
            new("station", FieldType.String, null, FieldRole.Series, new(Required: true), null, null, null),
            new("time", FieldType.DateTime, null, FieldRole.Time, new(Required: true), null, null, null),
            new("area", FieldType.String, null, FieldRole.Area, FieldConstraints.None, null, null, null),
            new("kind", FieldType.String, null, FieldRole.Dimension, FieldConstraints.None, null, null, null),
            new("value", FieldType.Number, null, FieldRole.Measure, FieldConstraints.None, null, null, null),
        ],
        ["station", "time"], [""]);

    private static readonly TableSchema Cases = new(1,
        [
            new("id", FieldType.Integer, null, FieldRole.None, new(Required: true), null, null, null),
            new("begun", FieldType.DateTime, null, FieldRole.Opened, new(Required: true), null, null, null),
            new("ended", FieldType.DateTime, null, FieldRole.Closed, FieldConstraints.None, null, null, null),
            new("area", FieldType.String, null, FieldRole.Area, FieldConstraints.None, null, null, null),
            new("kind", FieldType.String, null, FieldRole.Dimension, FieldConstraints.None, null, null, null),
        ],
        ["id"], [""]);

    private static readonly AreaTree Areas = new(new("city", 1,
        [new("0", null, "Null", 0, null, null), new("00", "0", "a", 1, null, null), new("01", "0", "b", 1, null, null), new("1", null, "Eins", 0, null, null), new("10", "1", "c", 1, null, null)]));

    // Before the autumn change of clocks and the end of a year, so that days of 25 hours and blocks of every length are met.
    private static readonly DateTimeOffset Start = new(2026, 10, 24, 20, 0, 0, TimeSpan.Zero);

    private static readonly string?[] Kinds = ["bus", "tram", null];
    private static readonly string?[] Places = ["00", "01", "10", "1", null];

    private sealed record Row(int Key, int Time, int Length, int Area, int Kind, double? Value, bool Delete);

    private static readonly Gen<Row> GenRow = Gen.Select(
        Gen.Int[0, 5], Gen.Int[0, 120], Gen.Frequency((1, Gen.Const(-1)), (3, Gen.Int[0, 60])), Gen.Int[0, 4], Gen.Int[0, 2], Gen.OneOf<double?>(null, 1.5, -2, 0.1, 1e9), Gen.Int[0, 6],
        (key, time, length, area, kind, value, delete) => new Row(key, time, length, area, kind, value, delete == 0));

    private static readonly Gen<(int Partition, int Happening, Row[] Rows)[]> GenPushes = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 5], GenRow.Array[0, 15]).Array[1, 12];

    private static readonly (string Window, string? Sliding, int Covered)[] Windows =
        [("PT15M", null, 1), ("PT15M", "PT1H", 4), ("PT1H", "P1D", 24), ("PT1H", null, 1), ("P1D", "P1W", 7), ("P1D", null, 1), ("P1M", "P3M", 3)];

    private static readonly string[] Functions = ["count", "sum", "mean", "min", "max", "last", "stddev", "stddevSample", "p50", "p90", "p95", "p99", "distinct"];

    [Fact]
    public Task Sliding_values_and_coverage_of_observations_are_the_oracles() =>
        Gen.Select(GenPushes, Gen.OneOf(Functions), Gen.OneOf(Windows), Gen.Bool, Gen.Bool, Gen.OneOf<int?>(null, 0, 1), Gen.Int[-10, 150], Gen.Int[0, 200]).SampleAsync((pushes, function, window, byArea, byKind, level, first, length) =>
        {
            var field = function == "count" ? null : function == "distinct" ? "kind" : "value";
            var indicator = new OracleIndicator("i", function, field, window.Window, "Europe/Berlin", byArea, byKind ? ["kind"] : []) { Covered = window.Covered };
            return RunAsync(Air, DatasetKind.Observations, 10, pushes, indicator, Spec(indicator) with { Sliding = window.Sliding, Coverage = true }, byArea ? level : null, first, length);
        }, iter: 150, threads: 1);

    [Fact]
    public Task Open_records_are_the_oracles_at_the_end_of_every_window() =>
        Gen.Select(GenPushes, Gen.OneOf("PT15M", "PT1H", "PT6H", "P1D", "P1W", "P1M", "P3M", "P1Y"), Gen.Bool, Gen.Bool, Gen.OneOf<int?>(null, 0, 1), Gen.Int[-10, 150], Gen.Int[0, 200]).SampleAsync((pushes, window, byArea, byKind, level, first, length) =>
        {
            var indicator = new OracleIndicator("i", "open", null, window, "Europe/Berlin", byArea, byKind ? ["kind"] : []);
            return RunAsync(Cases, DatasetKind.Records, 300, pushes, indicator, Spec(indicator), byArea ? level : null, first, length);
        }, iter: 100, threads: 1);

    [Fact]
    public Task How_long_records_took_stands_in_the_window_in_which_they_were_closed() =>
        Gen.Select(GenPushes, Gen.OneOf("count", "sum", "mean", "stddev", "stddevSample", "p50", "p90", "p95", "p99"), Gen.OneOf("PT1H", "P1D", "P1M"), Gen.Bool, Gen.OneOf<int?>(null, 0)).SampleAsync((pushes, function, window, byArea, level) =>
        {
            var indicator = new OracleIndicator("i", function, "@duration", window, "Europe/Berlin", byArea, ["kind"]);
            return RunAsync(Cases, DatasetKind.Records, 300, pushes, indicator, Spec(indicator), byArea ? level : null, -10, 10_000);
        }, iter: 60, threads: 1);

    private static async Task RunAsync(
        TableSchema schema, DatasetKind kind, int step, (int Partition, int Happening, Row[] Rows)[] pushes, OracleIndicator indicator, IndicatorSpec spec, int? level, int first, int length)
    {
        await using var stores = TemporaryStores.Open();
        var street = new Street(stores.Log, stores.History, stores.Cells, CompiledContract.Compile(schema, kind), "air", partitions: 3, new FoldOptions { CatchUpRows = 100, MaxHotCells = 20 });
        var definition = new IndicatorDefinition("i", 1, spec);
        if (pushes.Length % 2 == 0) street.Define(definition);
        await street.OpenAsync();
        var oracle = new Oracle();
        foreach (var ((partition, happening, rows), number) in pushes.Select((push, number) => (push, number)))
        {
            // A key belongs to one partition, as the front-end sees to.
            var own = Array.ConvertAll(rows, row => row with { Key = row.Key * 3 + partition });
            await street.PushAsync(PartitionKeys.Of("air", partition), Block(own, kind, step), $"key-{number}");
            oracle.Play(own.Select(row => ToOracle(row, kind, step)));
            if (happening == 0) street.Kill();
            if (happening == 1) await (await street.FoldAsync(PartitionKeys.Of("air", partition))).ReachHeadAsync();
            if (happening == 2) await (await street.FoldAsync(PartitionKeys.Of("air", partition))).FlushAsync();
        }

        street.Define(definition);
        var now = Start.AddMinutes(100 * step);
        var (from, to) = (Start.AddMinutes(first * step), Start.AddMinutes((first + length + 1) * step));
        var areaAt = level switch { 0 => (Func<string, string?>)(area => area[..1]), 1 => area => area.Length == 2 ? area : null, _ => null };
        var expected = Values(from, to);

        var query = new ValuesQuery(from, to, false, level, null, null, null, 1_000_000);
        var values = await street.ValuesAsync(definition, Areas, query, now);
        Assert.Equal(expected.Select(Text).Order(StringComparer.Ordinal), values.Select(Text).Order(StringComparer.Ordinal));

        // The same from the beginning, and page by page.
        var all = await street.ValuesAsync(definition, Areas, query with { From = null }, now);
        Assert.Equal(Values(DateTimeOffset.MinValue.AddYears(1), to).Select(Text).Order(StringComparer.Ordinal), all.Select(Text).Order(StringComparer.Ordinal));
        if (all.Length > 2)
        {
            var half = all[all.Length / 2];
            var after = new ValuesCursor(half.From, half.Area ?? "", half.Dimensions is null ? "" : System.Text.Json.JsonSerializer.Serialize(half.Dimensions, s_json));
            var rest = await street.ValuesAsync(definition, Areas, query with { From = null, After = after }, now);
            Assert.Equal(all[(all.Length / 2 + 1)..].Select(Text), rest.Select(Text));
        }

        // The last value of each place is the last of all.
        var latest = await street.ValuesAsync(definition, Areas, query with { From = null, To = null, Latest = true }, now);
        var whole = oracle.Values(indicator with { Covered = 1 }, DateTimeOffset.MinValue.AddYears(1), DateTimeOffset.MaxValue, now, areaAt);
        var lasts = whole.GroupBy(value => (value.Key.Area, value.Key.Dimensions)).Select(group => group.MaxBy(value => value.Key.From).Key).ToHashSet();
        var allValues = Values(DateTimeOffset.MinValue.AddYears(1), DateTimeOffset.MaxValue);
        if (lasts.All(allValues.ContainsKey))
            Assert.Equal(lasts.Select(place => Text(KeyValuePair.Create(place, allValues[place]))).Order(StringComparer.Ordinal), latest.Select(Text).Order(StringComparer.Ordinal));

        Dictionary<OracleCell, OracleValue> Values(DateTimeOffset begin, DateTimeOffset end) =>
            oracle.Values(indicator, begin, end, now, areaAt).ToDictionary(value => value.Key, value => spec.Coverage is true ? value.Value : value.Value with { Coverage = null });
    }

    private static readonly System.Text.Json.JsonSerializerOptions s_json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Text(KeyValuePair<OracleCell, OracleValue> value) => FormattableString.Invariant(
        $"{value.Key.From:O} {value.Key.Area} {value.Key.Dimensions.Replace('\0', '-')} {value.Value.Value:R} {value.Value.Count} {value.Value.Coverage?.Series}/{value.Value.Coverage?.Before}");

    private static string Text(IndicatorValue value) => FormattableString.Invariant(
        $"{value.From:O} {value.Area} {(value.Dimensions is null ? "" : value.Dimensions[0] ?? "-")} {value.Value:R} {value.Count} {value.Coverage?.Series}/{value.Coverage?.Before}");

    private static IndicatorSpec Spec(OracleIndicator indicator) => new(
        new("i", null), "air", Enum.Parse<MeasureFunction>(indicator.Function, ignoreCase: true), indicator.Field, indicator.Window, indicator.TimeZone, indicator.ByArea, indicator.Dimensions, null, null, AccessClass.Open);

    private static RowBlock Block(Row[] rows, DatasetKind kind, int step)
    {
        var areas = Places.OfType<string>().ToArray();
        var time = Column.OfIntegers([.. rows.Select(row => Start.AddMinutes(row.Time * step).UtcTicks)]);
        var kinds = Column.OfTexts([.. rows.Select(row => row.Delete ? null : Kinds[row.Kind])]);
        var area = Column.OfTexts([.. rows.Select(row => row.Delete ? null : Places[row.Area])]);
        return new()
        {
            Count = rows.Length,
            Columns = kind == DatasetKind.Observations
                ? [Column.OfTexts([.. rows.Select(row => $"s{row.Key:D2}")]), time, area, kinds, Column.OfNumbers([.. rows.Select(row => row.Delete ? double.NaN : row.Value ?? double.NaN)])]
                : [
                    Column.OfIntegers([.. rows.Select(row => (long)row.Key)]), time,
                    Column.OfIntegers([.. rows.Select(row => row.Delete || row.Length < 0 ? Column.NullInteger : Start.AddMinutes((row.Time + row.Length) * step).UtcTicks)]), area, kinds,
                ],
            Areas = areas,
            AreaOf = [.. rows.Select(row => row.Delete || Places[row.Area] is not { } id ? -1 : Array.IndexOf(areas, id))],
            Deletes = rows.Any(row => row.Delete) ? [.. rows.Select(row => row.Delete)] : null,
        };
    }

    private static OracleRow ToOracle(Row row, DatasetKind kind, int step)
    {
        var time = Start.AddMinutes(row.Time * step);
        return new(
            kind == DatasetKind.Observations ? [$"s{row.Key:D2}", time.UtcTicks] : [(long)row.Key], time, Places[row.Area],
            new Dictionary<string, double?> { ["value"] = row.Value }, new Dictionary<string, string?> { ["kind"] = Kinds[row.Kind] }, row.Delete)
        {
            Texts = new Dictionary<string, string?> { ["kind"] = Kinds[row.Kind] },
            Opened = time,
            Closed = row.Length < 0 ? null : Start.AddMinutes((row.Time + row.Length) * step),
            Series = $"s{row.Key:D2}",
        };
    }
}
