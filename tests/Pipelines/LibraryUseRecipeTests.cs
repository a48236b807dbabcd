using CsCheck;

using DataHub.Catalog;

namespace DataHub.Pipelines;

public sealed class LibraryUseRecipeTests
{
    private const string Head = "branch:String medium:String stock:Integer loans:Integer active:Integer";

    private static readonly LibraryUseSpec s_spec = new("use", new LocalText("Nutzung", "Use"), ["branch", "medium"], "stock", "loans") { Active = "active" };

    [Fact]
    public void Shares_turnover_efficiency_and_activation()
    {
        // Stock 600 + 200 + 200 = 1000, loans 300 + 600 + 300 = 1200. The branch's books are two rows.
        var result = Compute(s_spec, "Nord|Buch|400|100|100", "Nord|Buch|200|200|50", "Nord|Film|200|600|180", "Süd|Buch|200|300|120");
        Assert.Equal(["Nord", "Nord", "Süd"], result.Texts("branch"));
        Assert.Equal(["Buch", "Film", "Buch"], result.Texts("medium"));
        Assert.Equal([600.0, 200, 200], result.Numbers("stock"));
        Assert.Equal([300.0, 600, 300], result.Numbers("loans"));
        Assert.Equal([0.6, 0.2, 0.2], result.Numbers("share_of_stock"));
        Assert.Equal([0.25, 0.5, 0.25], result.Numbers("share_of_loans"));
        Assert.Equal([0.5, 3, 1.5], result.Numbers("turnover"));
        Assert.Equal([0.25 / 0.6, 2.5, 1.25], result.Numbers("efficiency"));
        Assert.Equal([0.25, 0.9, 0.6], result.Numbers("activation"));
        Assert.Equal([null, null, null], result.Texts("state"));
        Assert.Empty(result.Notes);
    }

    [Fact]
    public void Shares_within_a_branch()
    {
        // Nord: 600 of 800 items, 300 of 900 loans; Süd: all of it.
        var result = Compute(s_spec with { Within = ["branch"] }, "Nord|Buch|600|300|", "Nord|Film|200|600|", "Süd|Buch|200|300|");
        Assert.Equal([0.75, 0.25, 1], result.Numbers("share_of_stock"));
        Assert.Equal([300 / 900.0, 600 / 900.0, 1], result.Numbers("share_of_loans"));
    }

    [Fact]
    public void Without_stock_there_is_a_word_instead_of_a_figure()
    {
        var result = Compute(s_spec, "Nord|Buch|100|50|20", "Nord|Karte|0|10|0");
        Assert.Equal([null, "no-stock"], result.Texts("state"));
        Assert.Null(result.Number("turnover", 1));
        Assert.Null(result.Number("efficiency", 1));
        Assert.Null(result.Number("activation", 1));
        Assert.Equal(0, result.Number("share_of_stock", 1));
        Assert.Equal(10 / 60.0, result.Number("share_of_loans", 1));
    }

    [Fact]
    public void Without_any_loan_there_are_no_shares_of_loans()
    {
        var result = Compute(s_spec, "Nord|Buch|100|0|0");
        Assert.Equal("no-loans", result.Text("state", 0));
        Assert.Null(result.Number("share_of_loans", 0));
        Assert.Equal(0, result.Number("turnover", 0));
    }

    [Fact]
    public void A_missing_value_leaves_the_group_out_of_every_total()
    {
        var result = Compute(s_spec, "Nord|Buch|100|50|20", "Nord|Film|300||0", "Nord|Film|300|50|0", "Nord|Karte|100|50|");
        Assert.Equal([null, "value-missing", "active-missing"], result.Texts("state"));
        Assert.Null(result.Number("stock", 1));
        Assert.Equal(0.5, result.Number("share_of_stock", 0));
        Assert.Equal(0.5, result.Number("share_of_stock", 2));
        Assert.Null(result.Number("activation", 2));
        Assert.Equal(RecipeNotes.ValueMissing, result.Notes.Single().Code);
    }

    [Fact]
    public void Without_a_column_of_active_items_there_is_no_activation() =>
        Assert.DoesNotContain("activation", Compute(s_spec with { Active = null }, "Nord|Buch|100|50|20").Columns.Select(column => column.Name));

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Equal([("loans", RecipeCodes.ValueOutOfRange)], Problems(s_spec, "Nord|Buch|1|-1|0"));
        Assert.Equal([("groups[1]", RecipeCodes.UnknownColumn)], Problems(s_spec with { Groups = ["branch", "subject"] }));
        Assert.Equal([("groups", RecipeCodes.TooFew)], Problems(s_spec with { Groups = [] }));
        Assert.Equal([("groups[0]", RecipeCodes.Duplicate)], Problems(s_spec with { Groups = ["State"] }));
        Assert.Equal([("within[0]", RecipeCodes.UnknownReference)], Problems(s_spec with { Within = ["subject"] }));
    }

    [Fact]
    public void Order_of_the_rows_changes_no_bit() =>
        Gen.Select(Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 1000], Gen.Int[0, 1000], Gen.Int[0, 50]).Array[1, 30], Gen.Int).Sample((rows, seed) =>
        {
            string[] lines = [.. rows.Select(row => $"{row.Item1}|{row.Item2}|{row.Item3}|{row.Item4}|{row.Item5}")];
            var straight = Compute(s_spec with { Within = ["medium"] }, lines);
            new Random(seed).Shuffle(lines);
            Assert.Equal(TableCodec.ToBytes(straight.Rows), TableCodec.ToBytes(Compute(s_spec with { Within = ["medium"] }, lines).Rows));
        }, iter: 500);

    private static RecipeResult Compute(LibraryUseSpec spec, params string[] lines)
    {
        var table = RecipeTables.Table(Head, lines);
        return LibraryUse.Compute(spec, table.Columns, table.Rows);
    }

    private static IEnumerable<(string, string)> Problems(LibraryUseSpec spec, params string[] lines) => Compute(spec, lines).Problems.Select(p => (p.Path, p.Code));
}
