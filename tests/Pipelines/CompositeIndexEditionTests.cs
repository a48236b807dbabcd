using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>How a composite index moved against its previous edition.</summary>
public sealed class CompositeIndexEditionTests
{
    private static readonly LocalText s_name = new("Probe", null);

    private static readonly CompositeIndexSpec s_spec = new("probe", s_name, "k", [
        new("i", s_name, [new("x")]) { Standardisation = Standardisation.None, Classes = [new("niedrig", s_name) { Below = 10 }, new("mittel", s_name) { UpTo = 20 }, new("hoch", s_name)] },
    ])
    {
        Carry = ["name"],
    };

    [Fact]
    public void Change_of_class_and_of_value_by_key()
    {
        var result = Compute(["a|A|25", "b|B|15", "c|C|9.5"], Edition(["a|A|9", "b|B|12", "c|C|21"]));
        Assert.Equal(["compared", "compared", "compared"], result.Texts("comparison"));
        Assert.Equal(["hoch", "mittel", "niedrig"], result.Texts("i_class"));
        Assert.Equal(["niedrig", "mittel", "hoch"], result.Texts("i_previous_class"));
        Assert.Equal([2.0, 0, -2], Enumerable.Range(0, 3).Select(row => result.Number("i_change", row)!.Value));
        Assert.Equal([16, 3, -11.5], result.Numbers("i_value_change"));
    }

    [Fact]
    public void Keys_that_one_edition_lacks_say_so()
    {
        var result = Compute(["a|A|1", "c|C|", "d|D|3", "e|E|"], Edition(["b|B|1", "c|C|2", "d|D|", "e|E|"]));
        Assert.Equal(["a", "b", "c", "d", "e"], result.Texts("k"));
        Assert.Equal(["new", "gone", "excluded-now", "excluded-before", "excluded-in-both"], result.Texts("comparison"));
        Assert.Equal(["A", null, "C", "D", "E"], result.Texts("name"));
        Assert.Equal([null, "niedrig", "niedrig", null, null], result.Texts("i_previous_class"));
        for (var row = 0; row < 5; row++)
        {
            Assert.Null(result.Number("i_change", row));
            Assert.Null(result.Number("i_value_change", row));
        }
    }

    [Fact]
    public void Without_a_previous_edition_nothing_is_compared() =>
        Assert.DoesNotContain("comparison", Compute(["a|A|1"], null).Columns.Select(column => column.Name));

    [Fact]
    public void An_edition_compared_before_can_be_compared_with()
    {
        var second = Compute(["a|A|12"], Edition(["a|A|9"]));
        var third = Compute(["a|A|21"], new(second.Columns, [second.Rows]));
        Assert.Equal(1, third.Number("i_change", 0));
        Assert.Equal(9, third.Number("i_value_change", 0));
    }

    [Fact]
    public void A_class_that_is_no_more_leaves_no_change_but_a_note()
    {
        var edition = RecipeTables.Table("k:String i_value:Number i_class:String", "a|5|ehemalig");
        var result = Compute(["a|A|12"], edition);
        Assert.Null(result.Number("i_change", 0));
        Assert.Equal(7, result.Number("i_value_change", 0));
        Assert.Equal("ehemalig", result.Text("i_previous_class", 0));
        Assert.Contains(("indices[0].classes", RecipeNotes.UnknownClass), result.Notes.Select(note => (note.Path, note.Code)));
    }

    [Theory]
    [InlineData("k:String i_value:Number", "a|5", RecipeCodes.UnknownColumn)]
    [InlineData("k:Integer i_value:Number i_class:String", "1|5|hoch", RecipeCodes.ColumnType)]
    [InlineData("k:String i_value:String i_class:String", "a|5|hoch", RecipeCodes.ColumnType)]
    [InlineData("k:String i_value:Number i_class:Integer", "a|5|1", RecipeCodes.ColumnType)]
    public void A_table_that_is_no_earlier_result_is_refused(string head, string line, string code)
    {
        var table = RecipeTables.Table("k:String name:String x:Number", "a|A|1");
        var result = CompositeIndex.Compute(s_spec, table.Columns, table.Rows, RecipeTables.Table(head, line));
        Assert.Contains(("previous", code), result.Problems.Select(p => (p.Path, p.Code)));
    }

    private static RecipeResult Compute(string[] lines, RecipeTable? previous)
    {
        var table = RecipeTables.Table("k:String name:String x:Number", lines);
        return CompositeIndex.Compute(s_spec, table.Columns, table.Rows, previous);
    }

    private static RecipeTable Edition(string[] lines) => Compute(lines, null) is var result ? new(result.Columns, [result.Rows]) : throw new InvalidOperationException();
}
