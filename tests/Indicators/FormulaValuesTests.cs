using System.Globalization;
using System.Text.Json;

using CsCheck;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>Values of formulas equal those that an evaluator of the tests' own computes from the oracle's cells.</summary>
public sealed class FormulaValuesTests
{
    private const string Zone = "Europe/Berlin";

    private static readonly DateTimeOffset Start = new(2026, 3, 28, 20, 0, 0, TimeSpan.Zero);

    /// <summary>01 and 0101 are counted by their parts, 02 by itself; nobody counted 010201, and so 0102.</summary>
    private static readonly AreaTree Areas = new(new("demo", 1,
    [
        new("01", null, "Eins", 0, 700, null), new("0101", "01", "A", 1, null, null), new("010101", "0101", "a", 2, 100, null), new("010102", "0101", "b", 2, 300, null),
        new("0102", "01", "B", 1, null, null), new("010201", "0102", "c", 2, null, null),
        new("02", null, "Zwei", 0, null, null), new("0201", "02", "C", 1, null, null), new("020101", "0201", "d", 2, 0, null),
    ]));

    private static readonly Dictionary<string, double> Populations = new()
    {
        ["01"] = 700,
        ["0101"] = 400,
        ["010101"] = 100,
        ["010102"] = 300,
        ["02"] = 0,
        ["0201"] = 0,
        ["020101"] = 0,
    };

    private static readonly string[] Functions = ["sum", "count", "stddevSample"];

    private static readonly Gen<TestRow> Row = Gen.Select(
        Gen.Int[0, 600], Gen.OneOf<string?>("010101", "010102", "010201", "020101", "02", null), Gen.OneOf<string?>("bus", null), Gen.Int[-20, 20],
        (minutes, area, kind, tenths) => new TestRow(Start.AddMinutes(minutes), area, kind, tenths / 10.0));

    private static readonly Gen<OracleFormula> Leaf = Gen.OneOf(
        Gen.OneOf("sum", "count", "stddevSample").Select(name => new OracleFormula("input", 0, "in-" + name.ToLowerInvariant(), [])),
        Gen.OneOf("sum", "count").Select(name => new OracleFormula("input", 0, "in-" + name, [])),
        Gen.Int[0, 30].Select(tenths => new OracleFormula("number", tenths / 10.0, null, [])),
        Gen.Const(new OracleFormula("population", 0, null, [])));

    private static readonly Gen<OracleFormula> Tree = Of(4, mayShare: true, mayRank: true);

    [Fact]
    public void Every_value_equals_the_evaluators() =>
        Gen.Select(Tree, Row.Array[0, 40], Gen.OneOf<int?>(null, 0, 1, 2, 9), Gen.Bool, Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[1, 30], Gen.Int[1, 3]).Sample(
            (tree, rows, level, byKind, minimum, ownMinimum, limit, partitions) =>
        {
            if (!tree.Names.Any()) tree = new("+", 0, null, [tree, new("input", 0, "in-sum", [])]);
            var (definition, isWhole) = (Define(tree.ToString(), byKind, minimum, ownMinimum), level == 9);
            var query = new ValuesQuery(null, null, false, isWhole ? null : level, null, null, null, limit) { Whole = isWhole };

            var answered = Answer(definition, rows, partitions, query);

            var (expected, places) = Expected(tree, definition, rows, query);
            Assert.Equal(places.Count, answered.Count);
            foreach (var row in answered) AssertEqual(expected(row.Area, row.From, DimensionsOf(row)), ownMinimum, row, tree);

            // A part of it says the same: one area, some of the windows, and the last ones.
            if (answered.Count == 0) return;
            var one = answered[answered.Count / 2];
            if (one.Area is not null && !isWhole)
            {
                var alone = Answer(definition, rows, partitions, query with { Area = one.Area, Level = null });
                var same = answered.Where(row => row.Area == one.Area).ToArray();
                if (level is not null || !Areas.WithDescendants(one.Area).Skip(1).Any()) Assert.Equal(same.Select(Text), alone.Select(Text));
            }

            var later = Answer(definition, rows, partitions, query with { From = one.From, To = one.From.AddHours(2) });
            Assert.Equal(answered.Where(row => row.From >= one.From && row.From < one.From.AddHours(2)).Select(Text), later.Select(Text));

            var latest = Answer(definition, rows, partitions, query with { Latest = true });
            var last = answered.GroupBy(row => (row.Area, DimensionsOf(row))).Select(group => group.MaxBy(row => row.From));
            Assert.Equal(last.Select(Text).Order(StringComparer.Ordinal), latest.Select(Text).Order(StringComparer.Ordinal));
        }, iter: 2_000);

    [Fact]
    public void A_sliding_input_is_taken_as_its_own_route_answers_it() =>
        Gen.Select(Row.Array[1, 30], Gen.Int[1, 2], Gen.OneOf<int?>(null, 0)).Sample((rows, partitions, level) =>
        {
            var definition = Define("\"in-sum\" + previous(\"in-sum\") + share(\"in-sum\")", byKind: false, 0, 0);
            var sliding = definition.Inputs![0] with { Spec = definition.Inputs[0].Spec with { Sliding = "PT3H" } };
            definition = definition with { Inputs = [sliding] };
            var query = new ValuesQuery(null, null, false, level, null, null, null, 10_000);
            var own = Answer(sliding, rows, partitions, query).ToDictionary(row => (row.Area, row.From), row => row.Value!.Value);
            var whole = Answer(sliding, rows, partitions, query with { Level = null, Whole = true }).ToDictionary(row => row.From, row => row.Value!.Value);

            var answered = Answer(definition, rows, partitions, query);
            Assert.Equal(own.Count, answered.Count);
            foreach (var row in answered)
            {
                var (x, all) = (own[(row.Area, row.From)], whole[row.From]);
                double? expected = own.TryGetValue((row.Area, row.From.AddHours(-1)), out var before) && all != 0 ? x + before + x / all : null;
                Assert.Equal(expected, row.Value);
            }

            // The last windows that have rows of their own.
            var latest = Answer(definition, rows, partitions, query with { Latest = true });
            Assert.All(latest, row => Assert.Contains(Text(row), answered.Select(Text)));
        }, iter: 500);

    [Fact]
    public void Open_records_can_be_looked_up_at_any_place_as_they_are_listed() =>
        Gen.Select(Gen.Int[0, 20].Array[0, 12], Gen.Int[0, 10], Gen.Int[0, 4]).Sample((hours, from, openings) =>
        {
            var spec = Spec("open", MeasureFunction.Open, false, 0) with { Field = null };
            var places = new Dictionary<CellRollUp.Place, PlaceCell>();
            foreach (var (hour, number) in hours.Order().Select((hour, number) => (hour, number)))
            {
                var place = new CellRollUp.Place(Start.AddHours(from + hour).UtcTicks, $"0{number % 2}", "");
                var cell = CellState.Create(MeasureFunction.Open);
                cell.Add(number % 3 == 2 ? -1 : 1, 0, null);
                if (places.TryGetValue(place, out var known)) known.Add(cell.ToBytes());
                else places[place] = new(MeasureFunction.Open, cell.ToBytes());
            }

            var before = CellState.Create(MeasureFunction.Open);
            for (var i = 0; i < openings; i++) before.Add(1, 0, null);
            var opening = new Dictionary<CellRollUp.Place, PlaceCell>();
            if (openings > 0) opening[new(0, "00", "")] = new(MeasureFunction.Open, before.ToBytes());
            var now = Start.AddHours(25);
            var values = new OpenValues(spec, new(Start.AddHours(from), null, false, null, null, null, null, 100), places, opening, now);
            var listed = new Dictionary<CellRollUp.Place, Derived>();
            foreach (var place in values.After(null)) listed[place] = values.At(place);
            for (var hour = from; hour < 30; hour++)
            {
                foreach (var area in new[] { "00", "01", "02" })
                {
                    var place = new CellRollUp.Place(Start.AddHours(hour).UtcTicks, area, "");
                    Assert.Equal(listed.TryGetValue(place, out var there) ? there : null, values.Find(place));
                }
            }
        }, iter: 2_000);

    private static Gen<OracleFormula> Of(int depth, bool mayShare, bool mayRank)
    {
        if (depth == 0) return Leaf;
        var part = Of(depth - 1, mayShare, mayRank);
        var parts = new List<Gen<OracleFormula>>
        {
            Leaf,
            Gen.Select(Gen.OneOf("+", "-", "*", "/", "min", "max"), part, part, (sign, a, b) => new OracleFormula(sign, 0, null, [a, b])),
            Gen.Select(Gen.OneOf("sign", "abs", "previous", "change"), part, (sign, a) => new OracleFormula(sign, 0, null, [a])),
            Gen.Select(Gen.Int[0, 3], part, (places, a) => new OracleFormula("round", places, null, [a])),
        };
        if (mayShare) parts.Add(Of(depth - 1, mayShare: false, mayRank: false).Select(a => new OracleFormula("share", 0, null, [a])));
        if (mayRank) parts.Add(Of(depth - 1, mayShare, mayRank: false).Select(a => new OracleFormula("rank", 0, null, [a])));
        return Gen.OneOf([.. parts]);
    }

    private static void AssertEqual(OracleTerm expected, int ownMinimum, IndicatorValue row, OracleFormula tree)
    {
        var state = expected.State is "ok" or "undefined" && expected.Count < ownMinimum ? "suppressed" : expected.State;
        var (value, count) = state switch
        {
            "ok" => (expected.Value, expected.Count),
            "undefined" => ((double?)null, (long?)expected.Count),
            "missing" => (null, 0),
            _ => (null, null),
        };
        Assert.True(
            (state, Bits(value), count) == (row.State.ToString().ToLowerInvariant(), Bits(row.Value), row.Count),
            $"{tree} at {row.Area} {row.From:O}: {state} {value} {count}, but {row.State} {row.Value} {row.Count}");
    }

    /// <summary>All pages of what the hub answers, the cells being read as the folds give them out.</summary>
    private static List<IndicatorValue> Answer(IndicatorDefinition definition, TestRow[] rows, int partitions, ValuesQuery query)
    {
        var target = CellRollUp.Aim(definition.Spec, Areas, query).Target!;
        var cells = (definition.Inputs ?? [definition]).ToDictionary(input => input.Indicator, input => Cells(input, rows, partitions));
        var answered = new List<IndicatorValue>();
        ValuesCursor? after = null;
        do
        {
            var page = query with { After = after };
            DerivedValues values;
            for (var windows = Array.Empty<long>(); ;)
            {
                var sets = Enumerable.Range(0, partitions).Select(partition => CellReading.Queries(definition, page, DateTimeOffset.MaxValue, windows, 0, 1_000_000)
                    .Select(cellQuery => new CellSet(ReadRefusal.None, 1, default, true, Told(cells[cellQuery.Indicator][partition], cellQuery, definition), null)).ToArray()).ToArray();
                (values, var missing) = CellReading.Values(definition, Areas, target, page, sets, DateTimeOffset.MaxValue, windows);
                if (missing is null) break;
                Assert.False(missing.ToHashSet().IsSubsetOf(windows), "asked again for what was told");
                windows = missing;
            }

            var rolled = CellRollUp.Page(definition.Spec, page, values, DateTimeOffset.MaxValue, only: null);
            answered.AddRange(rolled.Rows);
            after = rolled.Next;
        }
        while (after is not null);
        return answered;
    }

    private static CellValue[] Told(CellValue[] cells, CellQuery query, IndicatorDefinition definition)
    {
        var (from, to) = (query.From?.UtcTicks ?? long.MinValue, query.To?.UtcTicks ?? long.MaxValue);
        var inside = cells.Where(cell => cell.WindowFrom >= from && cell.WindowFrom < to).ToArray();
        if (!query.Latest) return inside;
        var windows = CalendarWindows.Parse(definition.Spec.Window, Zone);
        var last = inside.GroupBy(cell => (cell.Area, cell.Dimensions)).ToDictionary(group => group.Key, group => group.Max(cell => cell.WindowFrom));
        var earlier = new HashSet<long>();
        foreach (var window in last.Values) for (var (i, at) = (0, window); i < query.Back; i++) earlier.Add(at = windows.Floor(at - 1));
        return Array.FindAll(cells, cell => (last.TryGetValue((cell.Area, cell.Dimensions), out var window) && (cell.WindowFrom == window || (cell.WindowFrom < window && earlier.Contains(cell.WindowFrom))))
            || (query.Windows?.Contains(cell.WindowFrom) is true && cell.WindowFrom < to));
    }

    private static CellValue[][] Cells(IndicatorDefinition definition, TestRow[] rows, int partitions)
    {
        var windows = CalendarWindows.Parse(definition.Spec.Window, Zone);
        return [.. Enumerable.Range(0, partitions).Select(part =>
        {
            var cells = new Dictionary<(string, long, string), CellState>();
            for (var i = part; i < rows.Length; i += partitions)
            {
                var place = (rows[i].Area ?? "", windows.Floor(rows[i].Time.UtcTicks), definition.Spec.Dimensions.Length == 0 ? "" : JsonSerializer.Serialize(new[] { rows[i].Kind }));
                if (!cells.TryGetValue(place, out var cell)) cells[place] = cell = CellState.Create(definition.Spec.Function);
                cell.Add(rows[i].Value, rows[i].Time.UtcTicks, [(byte)i]);
            }

            return (CellValue[])[.. cells.Select(cell => new CellValue(cell.Key.Item1, cell.Key.Item2, cell.Key.Item3, cell.Value.ToBytes(), 1))];
        })];
    }

    private static (Func<string?, DateTimeOffset, string, OracleTerm> At, HashSet<(string?, DateTimeOffset, string)> Places) Expected(
        OracleFormula tree, IndicatorDefinition definition, TestRow[] rows, ValuesQuery query)
    {
        var oracle = new Oracle().Play(rows.Select((row, i) => new OracleRow(
            [(long)i], row.Time, row.Area, new Dictionary<string, double?> { ["value"] = row.Value }, new Dictionary<string, string?> { ["kind"] = row.Kind })));
        var dimensions = definition.Spec.Dimensions;
        var asked = CellsOf(byArea: !query.Whole);
        var evaluator = new FormulaOracle(
            "PT1H", Zone, asked, CellsOf(byArea: false), definition.Inputs!.ToDictionary(input => input.Indicator, input => input.Spec.MinimumCount),
            area => Populations.TryGetValue(area, out var people) ? people : null, 700, definition.Spec.MinimumCount, query.Whole);
        var places = definition.Inputs!.SelectMany(input => asked[input.Indicator].Keys).ToHashSet();
        return ((area, from, kind) => evaluator.Compute(tree, area, from, kind), places);

        Dictionary<string, IReadOnlyDictionary<(string? Area, DateTimeOffset From, string Dimensions), OracleValue>> CellsOf(bool byArea) =>
            Functions.Where(function => definition.Inputs!.Any(input => input.Indicator == "in-" + function.ToLowerInvariant())).ToDictionary(function => "in-" + function.ToLowerInvariant(), function => (IReadOnlyDictionary<(string?, DateTimeOffset, string), OracleValue>)oracle
                .Cells(
                    [new("i", function, function == "count" ? null : "value", "PT1H", Zone, byArea, dimensions)],
                    area => query.Level is not { } level ? area : area.Length < (level + 1) * 2 ? null : area[..((level + 1) * 2)])
                .ToDictionary(cell => (cell.Key.Area, cell.Key.From, cell.Key.Dimensions), cell => cell.Value));
    }

    private static IndicatorDefinition Define(string text, bool byKind, int minimum, int ownMinimum)
    {
        var inputs = Formula.Read(text).Ids.Select(id => new IndicatorDefinition(id, 1, Spec(id, Functions.First(function => "in-" + function.ToLowerInvariant() == id) switch
        {
            "sum" => MeasureFunction.Sum,
            "count" => MeasureFunction.Count,
            _ => MeasureFunction.StddevSample,
        }, byKind, minimum)));
        return new("f", 1, Spec("f", MeasureFunction.Count, byKind, ownMinimum) with { Formula = text }) { Inputs = [.. inputs] };
    }

    private static IndicatorSpec Spec(string id, MeasureFunction function, bool byKind, int minimum) =>
        new(new(id, null), "d", function, "value", "PT1H", Zone, true, byKind ? ["kind"] : [], null, null, AccessClass.Open) { MinimumCount = minimum };

    private static string DimensionsOf(IndicatorValue row) => row.Dimensions is null ? "" : row.Dimensions[0] ?? "\0";

    private static string Text(IndicatorValue row) =>
        string.Create(CultureInfo.InvariantCulture, $"{row.From:O} {row.Area ?? "-"} {DimensionsOf(row)} {row.Value:R} {row.Count} {row.State}");

    private static long? Bits(double? value) => value is { } v ? BitConverter.DoubleToInt64Bits(v + 0.0) : null;

    private sealed record TestRow(DateTimeOffset Time, string? Area, string? Kind, double Value);
}
