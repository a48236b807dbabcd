using System.Text;
using System.Text.Json;

using static DataHub.Pipelines.FileReading;

namespace DataHub.Pipelines;

/// <summary>What was found out about a file reads the next one in the same way, or refuses it.</summary>
public sealed class FileFormatTests
{
    [Fact]
    public async Task The_format_that_was_found_gives_the_same_table_again_and_refuses_other_headings()
    {
        var book = new XlsxBook().Sheet(XlsxBook.Row(1, "Stand 2026") + XlsxBook.Row(3, "Bezirk Nr.", "Zahl") + XlsxBook.Row(4, "01", XlsxBook.Number("5")) + XlsxBook.Row(5, "02", XlsxBook.Number("6")), "Daten").ToBytes();
        var files = new (string Name, byte[] Content, byte[] Other)[]
        {
            ("a.csv", "Titel\n\nBezirk Nr.;Zahl;Anteil\n01;1.234.567;1,5\n02;7;2,5\n"u8.ToArray(), "Titel\n\nBezirk;Zahl;Anteil\n01;1.234.567;1,5\n"u8.ToArray()),
            ("a.csv", "breite;anteil\n52.512;1,5\n52.5;2,5\n"u8.ToArray(), "breite;teil\n52.512;1,5\n"u8.ToArray()),
            ("a.csv", Encoding.Latin1.GetBytes("Straße\tZahl\nA\t1\n"), "Strasse\tZahl\nA\t1\n"u8.ToArray()),
            ("a.xlsx", book, new XlsxBook().Sheet(XlsxBook.Row(3, "Bezirk", "Zahl") + XlsxBook.Row(4, "01", XlsxBook.Number("5")), "Daten").ToBytes()),
            ("a.json", """{"rows":[{"a b":"01","tag":"2026-11-02"}]}"""u8.ToArray(), """{"rows":[{"a":"01","tag":"2026-11-02"}]}"""u8.ToArray()),
        };
        foreach (var (name, content, other) in files)
        {
            var first = new FileReading();
            var table = await first.TellAsync(name, content);
            // As it travels to the job's definition and back.
            var format = JsonSerializer.Deserialize<FileFormat>(JsonSerializer.Serialize(first.Found, WireJson.Options), WireJson.Options)!;
            Assert.Empty(JobRules.Problems(new(new("x", null), "x", [new("a") { Read = new() { File = format } }])));
            var again = new FileReading();
            var same = await again.TellAsync(name, content, format);
            Assert.Equal((table.Columns, string.Join('\n', table.Rows)), (same.Columns, string.Join('\n', same.Rows)));
            Assert.Equal(JsonSerializer.Serialize(first.Found, WireJson.Options), JsonSerializer.Serialize(again.Found, WireJson.Options));
            Assert.Matches("Die Spalte „.*“ fehlt; die Datei hat", await RefusedAsync(name, other, format));
        }
    }

    [Fact]
    public async Task It_says_all_that_was_found()
    {
        var csv = new FileReading();
        await csv.TellAsync("a.csv", "Titel\n\nBezirk Nr.;Zahl;Anteil\n01;1.234.567;1,5\n02;7;2,5\n"u8.ToArray());
        Assert.Equal(
            """{"type":"csv","encoding":"utf-8","delimiter":";","decimalChar":",","headerRow":3,"columns":[{"header":"Bezirk Nr.","type":"string"},{"header":"Zahl","type":"number"},{"header":"Anteil","type":"number"}],"maxFaults":0}""",
            JsonSerializer.Serialize(csv.Found, WireJson.Options));
        // Two columns of one heading cannot be told apart by it.
        var twice = new FileReading();
        await twice.TellAsync("a.csv", "a;a\n1;2\n"u8.ToArray());
        Assert.Null(twice.Found!.Columns);
    }
}
