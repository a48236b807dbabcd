using System.Globalization;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Storage.Sqlite;
using DataHub.Support;

namespace DataHub.Pipelines;

/// <summary>What a CSV file is taken for, and that no value becomes another on the way.</summary>
public sealed class CsvFileTests : IAsyncLifetime
{
    private readonly SqliteFolder _folder = new();
    private SqliteFileStore _files = null!;
    private int _file;

    public Task InitializeAsync()
    {
        _files = new(_folder.Open(SqliteFileStore.FileName, SqliteFileStore.Family));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    [Fact]
    public async Task Delimiter_heading_decimals_and_types_are_found_out_and_told()
    {
        var (columns, rows, notes) = await ReadAsync("Bericht der Bibliothek\n\nZweig;Tag;Anteil;Zahl;Offen;Zeit\nMitte;2.11.2026;1.234,5;1234;ja;08:30\nPankow;13.11.2026;0,5;7;nein;09:00:30\n");
        Assert.Equal("Zweig:string Tag:date Anteil:number Zahl:integer Offen:boolean Zeit:time", columns);
        Assert.Equal(["Mitte|2026-11-02|1234.5|1234|true|08:30:00", "Pankow|2026-11-13|0.5|7|false|09:00:30"], rows);
        Assert.Contains("Trennzeichen ;, Dezimalzeichen ,, Überschriften in Zeile 3", notes[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("id\n01100101\n12345678\n", "id:string", "01100101")]
    [InlineData("nr\n+4930123\n+4930124\n", "nr:string", "+4930123")]
    [InlineData("nr\n12345678901234567890\n", "nr:string", "12345678901234567890")]
    [InlineData("nr\n12E4\n13E4\n", "nr:string", "12E4")]
    [InlineData("wert\n1.5E3\n2.5\n", "wert:number", "1500")]
    [InlineData("wert\n0.123\n0.456\n", "wert:number", "0.123")]
    [InlineData("wert;x\n1,5;a\n1.234,5;b\n", "wert:number x:string", "1.5|a")]
    [InlineData("breite;anteil\n52.512;1,5\n52.5;2,5\n", "breite:number anteil:number", "52.512|1.5")]
    [InlineData("zeit\n2026-11-02T08:00:00+01:00\n", "zeit:datetime", "2026-11-02T07:00:00Z")]
    [InlineData("zeit\n02.11.2026 08:00:00+01:00\n", "zeit:string", "02.11.2026 08:00:00+01:00")]
    [InlineData("a;b\n#12;5\n13;6\n", "a:string b:integer", "#12|5")]
    [InlineData("#a;b\n12;5\n13;6\n", "_a:integer b:integer", "12|5")]
    [InlineData("a,b\n\"x, y\n\"\"z\"\"\",5\nw,6\n", "a:string b:integer", "x, y\n\"z\"|5")]
    [InlineData("a;a\n1;2\n", "a:integer a_2:integer", "1|2")]
    public async Task No_value_becomes_another(string text, string columns, string first)
    {
        var (found, rows, _) = await ReadAsync(text);
        Assert.Equal((columns, first), (found, rows[0]));
    }

    [Theory]
    [InlineData("wert\n1.234\n5.678\n")]
    [InlineData("wert;x\n1.234;a\n1.000;b\n")]
    [InlineData("a;b\n\"1,234\";x\n\"2,500\";y\n")]
    [InlineData("a;b\n1.234;1,5\n")]
    public async Task Numbers_that_can_be_read_in_two_ways_are_refused_until_somebody_says_how(string text)
    {
        var refused = await Assert.ThrowsAsync<StepException>(() => ReadAsync(text));
        Assert.Contains("decimalChar angeben", refused.Reason.De, StringComparison.Ordinal);
        await ReadAsync(text, new() { DecimalChar = "," });
        await ReadAsync(text, new() { DecimalChar = "." });
    }

    [Fact]
    public async Task Times_without_an_offset_are_instants_where_somebody_says_their_zone()
    {
        Assert.Equal("zeit:string", (await ReadAsync("zeit\n2026-11-02T08:00:00\n")).Columns);
        var (columns, rows, _) = await ReadAsync("zeit;x\n2026-11-02T08:00:00;a\n2026-07-01 08:00:00;b\n2026-07-01T08:00:00Z;c\n", new() { TimeZone = "Europe/Berlin" });
        Assert.Equal(("zeit:datetime x:string", "2026-11-02T07:00:00Z|a", "2026-07-01T06:00:00Z|b", "2026-07-01T08:00:00Z|c"), (columns, rows[0], rows[1], rows[2]));
        FileFormat german = new() { TimeZone = "Europe/Berlin", Columns = [new("zeit") { Type = "datetime", Format = "%d.%m.%Y %H:%M" }] };
        Assert.Equal("2026-11-02T07:30:00Z", (await ReadAsync("zeit;x\n02.11.2026 08:30;a\n", german)).Rows[0]);
        // Shown twice in the night in which summer time ends.
        Assert.Contains("„25.10.2026 02:30“ ist kein Wert der Art datetime", (await Assert.ThrowsAsync<StepException>(() => ReadAsync("zeit;x\n25.10.2026 02:30;a\n", german))).Reason.De, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_in_windows_1252_is_read_though_its_first_umlaut_comes_late()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var text = "Name;Zahl\n" + string.Concat(Enumerable.Range(0, 20_000).Select(i => string.Create(CultureInfo.InvariantCulture, $"Zweig {i};{i}\n"))) + "Köpenick;1\n";
        foreach (var format in new[] { new FileFormat(), new() { DecimalChar = ",", Columns = [new("Name") { Type = "string" }, new("Zahl") { Type = "integer" }] } })
        {
            var (_, rows, notes) = await ReadAsync(Encoding.GetEncoding(1252).GetBytes(text), format);
            Assert.Equal("Köpenick|1", rows[^1]);
            Assert.Contains("Gelesen als windows-1252", notes[0], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Byte_order_marks_are_no_part_of_the_first_heading()
    {
        foreach (var encoding in new Encoding[] { Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode })
        {
            var (columns, rows, _) = await ReadAsync([.. encoding.Preamble, .. encoding.GetBytes("Straße;Zahl\nÄcker;1\n")], new());
            Assert.Equal(("Straße:string Zahl:integer", "Äcker|1"), (columns, rows[0]));
        }
    }

    [Fact]
    public async Task However_a_file_was_cut_when_it_was_uploaded_it_is_the_same_table()
    {
        var text = Encoding.UTF8.GetBytes("Zweig;Tag;Zahl\n" + string.Concat(Enumerable.Range(0, 300).Select(i => string.Create(CultureInfo.InvariantCulture, $"Köpenick {i};2026-11-02;{i}\n"))));
        var whole = await ReadAsync(text, new());
        foreach (var size in new[] { 1, 7, 50, 1000 })
        {
            var cut = await ReadAsync(text, new(), size);
            Assert.Equal((whole.Columns, string.Join('\n', whole.Rows)), (cut.Columns, string.Join('\n', cut.Rows)));
        }
    }

    [Fact]
    public async Task Faults_are_named_by_line_and_column_and_counted_up_to_what_is_allowed()
    {
        const string Text = "a;b\n1;2\nx;3\n4;y\n5;6;7\n8;9\n";
        FileFormat format = new() { Columns = [new("a") { Type = "integer" }, new("b") { Type = "integer" }] };
        var refused = await Assert.ThrowsAsync<StepException>(() => ReadAsync(Text, format));
        Assert.Equal("Zeile 3, Spalte „a“: „x“ ist kein Wert der Art integer.", refused.Reason.De);
        var (_, rows, notes) = await ReadAsync(Text, format with { MaxFaults = 3 });
        Assert.Equal(["1|2", "8|9"], rows);
        Assert.Equal("3 Zeilen wurden ausgelassen (maxFaults 3).", notes[1]);
        Assert.Equal("Zeile 5 hat 3 Spalten, die Überschrift 2.", notes[4]);
    }

    private Task<(string Columns, string[] Rows, string[] Notes)> ReadAsync(string text, FileFormat? format = null) => ReadAsync(Encoding.UTF8.GetBytes(text), format ?? new());

    private async Task<(string Columns, string[] Rows, string[] Notes)> ReadAsync(byte[] content, FileFormat format, int piece = 1 << 20)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"upload/{_file++}");
        for (var i = 0; i * piece < content.Length; i++) await _files.WriteAsync(name, i, content.AsMemory(i * piece, Math.Min(piece, content.Length - (i * piece))), default);
        TableColumn[] columns = [];
        var rows = new List<string>();
        var report = await new FileTables(_files, Microsoft.Extensions.Options.Options.Create(new PipelineOptions())).ReadAsync(
            name, "datei.csv", format, opened => columns = opened,
            block =>
            {
                for (var row = 0; row < block.Count; row++) rows.Add(string.Join('|', columns.Select((column, c) => Told(column, block.Columns[c], row))));
                return Task.CompletedTask;
            },
            _ => { }, default);
        return (string.Join(' ', columns.Select(column => $"{column.Name}:{ContractCheck.Word(column.Type)}")), [.. rows], [.. report.Notes.Select(note => note.Text.De)]);
    }

    private static string Told(TableColumn type, Column column, int row) => column.IsNull(row) ? "" : type.Type switch
    {
        FieldType.String => column.Texts![row]!,
        FieldType.Number => column.Numbers![row].ToString("R", CultureInfo.InvariantCulture),
        FieldType.Boolean => column.Booleans![row] == 1 ? "true" : "false",
        FieldType.Date => DateOnly.FromDayNumber((int)column.Integers![row]).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        FieldType.Time => new TimeOnly(column.Integers![row]).ToString("HH:mm:ss", CultureInfo.InvariantCulture),
        FieldType.DateTime => new DateTime(column.Integers![row], DateTimeKind.Utc).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        _ => column.Integers![row].ToString(CultureInfo.InvariantCulture),
    };
}
