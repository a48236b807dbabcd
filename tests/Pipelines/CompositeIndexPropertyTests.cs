using CsCheck;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

public sealed class CompositeIndexPropertyTests
{
    private static readonly LocalText s_name = new("Probe", null);

    private static readonly TableColumn[] s_columns = [new("k", FieldType.String), new("ok", FieldType.String), new("x", FieldType.Number), new("y", FieldType.Number)];

    private static readonly Gen<double> s_values = Gen.Frequency(
        (6, Gen.Int[-100_000, 100_000].Select(i => i / 1_000.0)), (2, Gen.Int[-3, 3].Select(i => (double)i)), (1, Gen.OneOf(1e16, -1e16, 1e-16, 0.1)), (1, Gen.Const(double.NaN)));

    private static readonly Gen<(bool Ok, double X, double Y)[]> s_rows = Gen.Select(Gen.Frequency((9, Gen.Const(true)), (1, Gen.Const(false))), s_values, s_values).Array[2, 40];

    private static readonly Gen<CompositeIndexSpec> s_specs = Gen.Select(Gen.Int[1, 4], Gen.Int[0, 4], Gen.Bool, Gen.Int[1, 9], (first, second, turned, weight) =>
        new CompositeIndexSpec("probe", s_name, "k", [
            new("i", s_name, [new("x") { Weight = weight / 4.0 }, new("y") { Direction = turned ? IndicatorDirection.LowerIsMore : IndicatorDirection.HigherIsMore }])
            {
                Standardisation = (Standardisation)first, Restandardise = (Standardisation)second,
                Classes = [new("1", s_name) { Below = -1 }, new("2", s_name) { UpTo = 0.5 }, new("3", s_name) { UpTo = 1 }, new("4", s_name)],
            }])
        { Exclusions = [new("ok", s_name) { NotEqualTo = "ja" }] });

    [Fact]
    public void Order_and_blocks_of_the_rows_change_no_bit() => Gen.Select(s_specs, s_rows, Gen.Int, Gen.Int[1, 7]).Sample((spec, rows, seed, size) =>
    {
        var straight = Compute(spec, [Block(rows, [.. Enumerable.Range(0, rows.Length)])]);
        var order = Enumerable.Range(0, rows.Length).ToArray();
        new Random(seed).Shuffle(order);
        Same(straight, Compute(spec, [.. order.Chunk(size).Select(part => Block(rows, part))]));
    }, iter: 2_000);

    [Fact]
    public void An_excluded_row_more_changes_nothing_else() => Gen.Select(s_specs, s_rows, Gen.OneOf(Gen.Const(1e200), Gen.Const(1e-200), s_values)).Sample((spec, rows, value) =>
    {
        int[] all = [.. Enumerable.Range(0, rows.Length)];
        var without = Compute(spec, [Block(rows, all)]);
        (bool, double, double)[] more = [.. rows, (false, value, value)];
        var with = Compute(spec, [Block(more, [rows.Length, .. all])]);
        Assert.Equal(without.Problems, with.Problems);
        if (without.Problems.Length > 0) return;
        Assert.NotNull(with.Text("excluded", rows.Length));
        Assert.Equal(TableCodec.ToBytes(without.Rows.Take(all)), TableCodec.ToBytes(with.Rows.Take(all)));
        Assert.Equal(without.Notes.Where(note => note.Code == RecipeNotes.Standardised), with.Notes.Where(note => note.Code == RecipeNotes.Standardised));
    }, iter: 2_000);

    [Fact]
    public void An_indicator_in_another_unit_of_two_to_the_k_changes_no_class() => Gen.Select(s_specs, s_rows, Gen.Int[-60, 60]).Sample((spec, rows, k) =>
    {
        int[] all = [.. Enumerable.Range(0, rows.Length)];
        var straight = Compute(spec, [Block(rows, all)]);
        var scaled = Compute(spec, [Block([.. rows.Select(row => row with { X = Math.ScaleB(row.X, k) })], all)]);
        Assert.Equal(straight.Problems, scaled.Problems);
        if (straight.Problems.Length > 0) return;
        Assert.Equal(straight.Texts("i_class"), scaled.Texts("i_class"));
        Assert.Equal(TableCodec.ToBytes(straight.Rows), TableCodec.ToBytes(scaled.Rows));
    }, iter: 2_000);

    [Fact]
    public void Order_of_the_indicators_changes_no_class() => Gen.Select(s_specs, s_rows).Sample((spec, rows) =>
    {
        RowBlock[] blocks = [Block(rows, [.. Enumerable.Range(0, rows.Length)])];
        var straight = Compute(spec, blocks);
        if (straight.Problems.Length > 0) return;
        var turned = Compute(spec with { Indices = [spec.Indices[0] with { Indicators = [.. spec.Indices[0].Indicators.Reverse()] }] }, blocks);
        Assert.Equal(straight.Numbers("i_value"), turned.Numbers("i_value"));
        Assert.Equal(straight.Texts("i_class"), turned.Texts("i_class"));
    }, iter: 1_000);

    [Fact]
    public void Every_ranked_row_has_a_finite_value_and_a_class() => Gen.Select(s_specs, s_rows).Sample((spec, rows) =>
    {
        var result = Compute(spec, [Block(rows, [.. Enumerable.Range(0, rows.Length)])]);
        if (result.Problems.Length > 0) return;
        for (var row = 0; row < rows.Length; row++)
        {
            var ranked = result.Text("excluded", row) is null;
            Assert.Equal(ranked, rows[row].Ok && !double.IsNaN(rows[row].X) && !double.IsNaN(rows[row].Y));
            Assert.Equal(ranked, result.Number("i_value", row) is { } value && double.IsFinite(value));
            Assert.Equal(ranked, result.Text("i_class", row) is not null);
        }
    }, iter: 1_000);

    private static RecipeResult Compute(CompositeIndexSpec spec, RowBlock[] blocks) => CompositeIndex.Compute(spec, s_columns, blocks);

    private static RowBlock Block((bool Ok, double X, double Y)[] rows, int[] chosen) => new()
    {
        Count = chosen.Length,
        Columns =
        [
            Column.OfTexts([.. chosen.Select(row => $"{row:0000}")]), Column.OfTexts([.. chosen.Select(row => rows[row].Ok ? "ja" : "nein")]),
            Column.OfNumbers([.. chosen.Select(row => rows[row].X)]), Column.OfNumbers([.. chosen.Select(row => rows[row].Y)]),
        ],
    };

    private static void Same(RecipeResult one, RecipeResult other)
    {
        Assert.Equal(one.Problems, other.Problems);
        Assert.Equal(one.Notes, other.Notes);
        Assert.Equal(one.Columns, other.Columns);
        Assert.Equal(TableCodec.ToBytes(one.Rows), TableCodec.ToBytes(other.Rows));
    }
}
