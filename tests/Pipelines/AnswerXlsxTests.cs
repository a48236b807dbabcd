using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>What a spreadsheet cannot hold, and what must not become something else in it.</summary>
public sealed class AnswerXlsxTests
{
    [Fact]
    public async Task What_a_cell_cannot_hold_is_text_or_cut_and_told()
    {
        string?[] texts = [new('ä', 40_000), "\u0001_x0041_\r\n\t\uFFFE\uD800 😀 ", "+49 30", null];
        long[] numbers = [999_999_999_999_999, 1_000_000_000_000_000, -5, Column.NullInteger];
        FieldSpec[] fields = [AnswerTable.Field("text", FieldType.String), AnswerTable.Field("ganz", FieldType.Integer)];
        AnswerMetadata metadata = new("step", "metadaten", new("Tabelle", null), "amt", null, "UTC", "/x", "/x") { FileName = "x" };
        using var file = new MemoryStream();
        using (var xlsx = new AnswerXlsx(fields, metadata, file, "metadaten"))
        {
            xlsx.WriteRows(new() { Fields = fields, Columns = [Column.OfTexts(texts), Column.OfIntegers(numbers)], Count = 4, Metadata = metadata });
            xlsx.Complete();
        }

        var (columns, rows, notes) = await FileReading.ReadAsync("a.xlsx", file.ToArray());
        Assert.Equal(("text:string ganz:string", 3), (columns, rows.Length));
        Assert.Equal([new string('ä', 32_766) + "…|999999999999999", texts[1] + "|1000000000000000", "+49 30|-5"], rows);
        Assert.Contains("Blatt „metadaten_“", notes[0], StringComparison.Ordinal);
        var told = (await FileReading.ReadAsync("a.xlsx", file.ToArray(), new() { Sheet = "Metadaten" })).Rows;
        Assert.Contains("cut|1 Zellen nach 32767 Zeichen abgeschnitten / cells cut after 32767 characters: text 2", told);
        Assert.Contains("column.ganz|integer", told);
    }

    [Theory]
    [InlineData(1_048_575, 19, true)]
    [InlineData(1_048_576, 1, false)]
    [InlineData(1_000_000, 21, false)]
    public void A_table_that_fits_into_no_sheet_is_known_before(long rows, int columns, bool fits) => Assert.Equal(fits, AnswerXlsx.Fits(rows, columns));
}
