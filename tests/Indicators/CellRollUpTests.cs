using System.Globalization;
using System.Text.Json;

using CsCheck;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Indicators;

public sealed class CellRollUpTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 28, 20, 0, 0, TimeSpan.Zero);

    /// <summary>Two districts with two quarters each, three levels.</summary>
    private static readonly AreaTree Areas = new(new("demo", 1,
    [
        new("01", null, "Eins", 0, null, null), new("0101", "01", "A", 1, null, null), new("010101", "0101", "a", 2, null, null), new("010102", "0101", "b", 2, null, null),
        new("0102", "01", "B", 1, null, null), new("010201", "0102", "c", 2, null, null),
        new("02", null, "Zwei", 0, null, null), new("0201", "02", "C", 1, null, null), new("020101", "0201", "d", 2, null, null),
    ]));

    private static readonly string?[] Places = ["010101", "010102", "010201", "020101", "02", null];

    private static readonly Gen<TestRow> Row = Gen.Select(
        Gen.Int[0, 3_000], Gen.OneOf(Places), Gen.OneOf<string?>("bus", "tram", "ä\"x", null), Gen.Int[-50, 50],
        (minutes, area, kind, tenths) => new TestRow(Start.AddMinutes(minutes), area, kind, tenths / 10.0));

    [Fact]
    public void Every_answer_equals_the_oracles() =>
        Gen.Select(
            Gen.OneOf(Array.FindAll(Enum.GetValues<MeasureFunction>(), function => function != MeasureFunction.Open)), Gen.OneOf("PT15M", "PT1H", "PT3H", "P1D", "P1M"), Gen.OneOf<int?>(null, 0, 1, 2),
            Gen.Bool, Row.Array[0, 60], Gen.Int[1, 3], Gen.Int[1, 50]).Sample((function, window, level, byKind, rows, partitions, limit) =>
        {
            var definition = Define(function, window, byKind ? ["kind"] : []);
            var target = CellRollUp.Aim(definition.Spec, Areas, Query(level)).Target!;
            var cells = Cells(definition, rows, partitions);

            var answered = new List<IndicatorValue>();
            ValuesCursor? after = null;
            do
            {
                var page = CellRollUp.Make(definition, Areas, target, Query(level) with { After = after, Limit = limit }, cells, DateTimeOffset.MaxValue);
                Assert.InRange(page.Rows.Length, 0, limit);
                answered.AddRange(page.Rows);
                after = page.Next;
            }
            while (after is not null);

            var expected = Expected(function, window, byKind, level, rows);
            Assert.Equal(expected.Count, answered.Count);
            foreach (var row in answered)
            {
                var cell = new OracleCell("i", row.Area, row.From, row.To, row.Dimensions is null ? "" : row.Dimensions[0] ?? "\0");
                Assert.True(expected.TryGetValue(cell, out var value), $"{cell} is not there");
                Assert.Equal((Bits(value.Value), value.Count), (Bits(row.Value), row.Count));
                Assert.Equal(ValueState.Ok, row.State);
            }

            var order = answered.Select(row => (row.From, Area: row.Area ?? "")).ToArray();
            Assert.Equal(order.OrderBy(o => o.From).ThenBy(o => o.Area, StringComparer.Ordinal), order);
        }, iter: 3_000);

    [Fact]
    public void Latest_is_the_last_window_of_each_area_and_combination() =>
        Gen.Select(Gen.OneOf<int?>(null, 0, 1), Gen.Bool, Row.Array[0, 40], Gen.Int[1, 3]).Sample((level, byKind, rows, partitions) =>
        {
            var definition = Define(MeasureFunction.Sum, "PT1H", byKind ? ["kind"] : []);
            var target = CellRollUp.Aim(definition.Spec, Areas, Query(level)).Target!;
            // As the folds answer: per partition, area and combination only the last window.
            var cells = Cells(definition, rows, partitions)
                .Select(part => (IReadOnlyList<CellValue>)[.. part.GroupBy(c => (c.Area, c.Dimensions)).Select(g => g.MaxBy(c => c.WindowFrom))]).ToArray();

            var page = CellRollUp.Make(definition, Areas, target, Query(level) with { Latest = true }, cells, DateTimeOffset.MaxValue);

            var expected = Expected(MeasureFunction.Sum, "PT1H", byKind, level, rows)
                .GroupBy(cell => (cell.Key.Area, cell.Key.Dimensions)).ToDictionary(g => g.Key, g => g.MaxBy(cell => cell.Key.From));
            Assert.Equal(expected.Count, page.Rows.Length);
            foreach (var row in page.Rows)
            {
                var cell = expected[(row.Area, row.Dimensions is null ? "" : row.Dimensions[0] ?? "\0")];
                Assert.Equal((cell.Key.From, cell.Value.Value, cell.Value.Count), (row.From, row.Value, row.Count));
            }
        }, iter: 3_000);

    [Fact]
    public void An_area_is_answered_at_its_own_level_or_by_what_lies_in_it()
    {
        var definition = Define(MeasureFunction.Count, "P1Y", []);
        var rows = Places.Select(area => new TestRow(Start, area, null, 1)).ToArray();
        Assert.Equal("01", AreasOf(null, "01"));
        Assert.Equal("0101 0102", AreasOf(1, "01"));
        Assert.Equal("010101 010102", AreasOf(2, "0101"));
        Assert.Equal("010201", AreasOf(2, "0102"));
        Assert.Equal("- 01 02", AreasOf(0, null));
        Assert.Equal("- 010101 010102 010201 020101", AreasOf(2, null));

        string AreasOf(int? level, string? area)
        {
            var target = CellRollUp.Aim(definition.Spec, Areas, Query(level) with { Area = area }).Target!;
            var page = CellRollUp.Make(definition, Areas, target, Query(level), Cells(definition, rows, 1), Start);
            return string.Join(' ', page.Rows.Select(row => row.Area ?? "-"));
        }
    }

    [Fact]
    public void The_whole_city_is_one_row_with_the_rows_that_have_no_area()
    {
        var definition = Define(MeasureFunction.Sum, "P1Y", []);
        var rows = Places.Select(area => new TestRow(Start, area, null, 1.5)).ToArray();
        var target = CellRollUp.Aim(definition.Spec, Areas, Query(null) with { Whole = true }).Target!;
        var row = Assert.Single(CellRollUp.Make(definition, Areas, target, Query(null) with { Whole = true }, Cells(definition, rows, 2), Start).Rows);
        Assert.Equal((null, 1.5 * rows.Length, rows.Length), (row.Area, row.Value!.Value, row.Count!.Value));
        Assert.NotNull(CellRollUp.Aim(definition.Spec, Areas, Query(0) with { Whole = true }).Fault);
    }

    [Theory]
    [InlineData(3, null)]
    [InlineData(-1, null)]
    [InlineData(null, "nirgends")]
    [InlineData(0, "0101")]
    public void Levels_and_areas_that_do_not_exist_are_refused(int? level, string? area)
    {
        var (target, fault) = CellRollUp.Aim(Define(MeasureFunction.Count, "PT1H", []).Spec, Areas, Query(level) with { Area = area });
        Assert.Null(target);
        Assert.NotNull(fault!.En);
    }

    [Fact]
    public void Indicators_without_areas_have_no_levels() =>
        Assert.NotNull(CellRollUp.Aim(Define(MeasureFunction.Count, "PT1H", []).Spec with { ByArea = false }, null, Query(0)).Fault);

    [Fact]
    public void Values_of_few_rows_are_suppressed_and_windows_that_are_not_over_preliminary()
    {
        var definition = Define(MeasureFunction.Mean, "PT1H", []);
        definition = definition with { Spec = definition.Spec with { MinimumCount = 2, Decimals = 1 } };
        TestRow[] rows =
        [
            new(Start, "010101", null, 1), new(Start, "010101", null, 1.5), new(Start, "010201", null, 3),
            new(Start.AddHours(1), "010101", null, 2), new(Start.AddHours(1), "010101", null, 2.25),
        ];
        var page = CellRollUp.Make(definition, Areas, new(null, null, 0), Query(null), Cells(definition, rows, 1), Start.AddMinutes(70));
        Assert.Equal(
            [(1.3, 2L, ValueState.Ok), (null, null, ValueState.Suppressed), (2.1, 2L, ValueState.Preliminary)],
            page.Rows.Select(row => (row.Value, row.Count, row.State)));
        Assert.Equal(Start.AddHours(2), page.ValidUntil);

        // Rolled up, the rows of both areas stand behind the value.
        var district = CellRollUp.Make(definition, Areas, new(0, null, 0), Query(0), Cells(definition, rows, 2), Start.AddHours(9));
        Assert.Equal([(1.8, 3L, ValueState.Ok), (2.1, 2L, ValueState.Ok)], district.Rows.Select(row => (row.Value!.Value, row.Count!.Value, row.State)));
        Assert.Null(district.ValidUntil);
    }

    private static ValuesQuery Query(int? level) => new(null, null, false, level, null, null, null, 10_000);

    private static IndicatorDefinition Define(MeasureFunction function, string window, string[] dimensions) =>
        new("i", 1, new(new("I", null), "d", function, "value", window, "Europe/Berlin", true, dimensions, null, null, AccessClass.Open));

    /// <summary>What the folds of some partitions hold after these rows, dealt out in turn.</summary>
    private static IReadOnlyList<CellValue>[] Cells(IndicatorDefinition definition, TestRow[] rows, int partitions)
    {
        var windows = CalendarWindows.Parse(definition.Spec.Window, definition.Spec.TimeZone);
        return [.. Enumerable.Range(0, partitions).Select(part =>
        {
            var cells = new Dictionary<(string, long, string), CellState>();
            for (var i = part; i < rows.Length; i += partitions)
            {
                var dimensions = definition.Spec.Dimensions.Length == 0 ? "" : JsonSerializer.Serialize(new[] { rows[i].Kind });
                var place = (rows[i].Area ?? "", windows.Floor(rows[i].Time.UtcTicks), dimensions);
                if (!cells.TryGetValue(place, out var cell)) cells[place] = cell = CellState.Create(definition.Spec.Function);
                cell.Add(rows[i].Value, rows[i].Time.UtcTicks, [(byte)(i >> 8), (byte)i], DistinctHash.Of(Text(rows[i])));
            }

            return (IReadOnlyList<CellValue>)[.. cells.Select(c => new CellValue(c.Key.Item1, c.Key.Item2, c.Key.Item3, c.Value.ToBytes(), 1))];
        })];
    }

    private static IReadOnlyDictionary<OracleCell, OracleValue> Expected(MeasureFunction function, string window, bool byKind, int? level, TestRow[] rows) =>
        new Oracle()
            .Play(rows.Select((row, i) => new OracleRow(
                [(long)i], row.Time, row.Area, new Dictionary<string, double?> { ["value"] = row.Value }, new Dictionary<string, string?> { ["kind"] = row.Kind })
            {
                Texts = new Dictionary<string, string?> { ["value"] = Text(row) },
            }))
            .Cells(
                [new("i", JsonNamingPolicy.CamelCase.ConvertName(function.ToString()), "value", window, "Europe/Berlin", true, byKind ? ["kind"] : [])],
                area => level is null ? area : area.Length < (level + 1) * 2 ? null : area[..((level.Value + 1) * 2)]);

    private static string Text(TestRow row) => row.Value.ToString(CultureInfo.InvariantCulture);

    private static long? Bits(double? value) => value is { } v ? BitConverter.DoubleToInt64Bits(v) : null;

    private sealed record TestRow(DateTimeOffset Time, string? Area, string? Kind, double Value);
}
