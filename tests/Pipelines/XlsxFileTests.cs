using System.Diagnostics;
using System.Globalization;
using System.Text;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Pipelines.FileReading;
using static DataHub.Pipelines.XlsxBook;

namespace DataHub.Pipelines;

/// <summary>What an Excel file is taken for, that no value becomes another on the way, and that no file costs more than it may.</summary>
public sealed class XlsxFileTests
{
    private static readonly string s_numbers = Row(1, "a", "b") + Row(2, Number("1"), Number("2.5")) + Row(3, Number("3"), Number("4"));

    [Fact]
    public async Task Title_lines_headings_types_and_sheet_are_found_out_and_told()
    {
        var book = new XlsxBook { Strings = "<si><t>Mitte</t></si><si><r><t>Pan</t></r><r><rPr><b/></rPr><t>kow</t></r><rPh sb=\"0\" eb=\"1\"><t>x</t></rPh></si>" }
            .Sheet(Row(1, "geheim"), "Verborgen", "hidden")
            .Sheet(
                Row(1, "Bericht der Bibliothek") + Row(3, "Zweig", "Tag", "Anteil", "Zahl", "Offen", "Zeit", "PLZ")
                + Row(4, "<c r=\"@\" t=\"s\"><v>0</v></c>", Number("46328", 1), Number("1234.5"), Number("1234"), "<c r=\"@\" t=\"b\"><v>1</v></c>", Number("0.354166666666667", 3), Number("1067", 4))
                + "<row r=\"5\"/>" + Row(6, "<c r=\"@\" t=\"s\"><v>1</v></c>", Number("46339", 1), Number("0.1"), Number("7"), "<c r=\"@\" t=\"b\"><v>0</v></c>", Number("0.375", 3), Number("10115", 4)) + Row(9, Number("", 1)), "Zahlen &amp; mehr")
            .Sheet(s_numbers, "Anderes");
        var (columns, rows, notes) = await ReadAsync("bericht.xlsx", book.ToBytes());
        Assert.Equal("Zweig:string Tag:date Anteil:number Zahl:integer Offen:boolean Zeit:time PLZ:string", columns);
        Assert.Equal(["Mitte|2026-11-02|1234.5|1234|true|08:30:00|01067", "Pankow|2026-11-13|0.1|7|false|09:00:00|10115"], rows);
        Assert.Equal(["Gelesen als XLSX, Blatt „Zahlen & mehr“, Überschriften in Zeile 3. Nicht gelesen: Anderes."], notes);
        Assert.Equal("a:integer b:number", (await ReadAsync("bericht.xlsx", book.ToBytes(), new() { Sheet = "anderes" })).Columns);
        Assert.Equal("Ein Tabellenblatt „Nirgends“ gibt es nicht; die Datei hat: „Verborgen“, „Zahlen & mehr“, „Anderes“.", await RefusedAsync("bericht.xlsx", book.ToBytes(), new() { Sheet = "Nirgends" }));
        Assert.Equal("In Zeile 2 des Blatts „Zahlen & mehr“ stehen keine Überschriften.", await RefusedAsync("bericht.xlsx", book.ToBytes(), new() { HeaderRow = 2 }));
    }

    [Theory]
    [InlineData("<c r=\"@\" t=\"inlineStr\"><is><t>01100101</t></is></c>", "string", "01100101")]
    [InlineData("<c r=\"@\" t=\"str\"><f>A1&amp;B1</f><v>12</v></c>", "string", "12")]
    [InlineData("<c r=\"@\" t=\"str\"><v>a_x000D_b_x005F_x0041_</v></c>", "string", "a\rb_x0041_")]
    [InlineData("<c r=\"@\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> a </t></is></c>", "string", " a ")]
    [InlineData("<c r=\"@\"><v>12345678901234567890</v></c>", "string", "12345678901234567890")]
    [InlineData("<c r=\"@\"><v>12345678901234567</v></c>", "integer", "12345678901234567")]
    [InlineData("<c r=\"@\"><v>0.10000000000000001</v></c>", "number", "0.1")]
    [InlineData("<c r=\"@\"><v>1E3</v></c>", "integer", "1000")]
    [InlineData("<c r=\"@\"><f>SUM(1)</f><v>-1.5E-3</v></c>", "number", "-0.0015")]
    [InlineData("<c r=\"@\" s=\"1\"><v>1</v></c>", "date", "1900-01-01")]
    [InlineData("<c r=\"@\" s=\"1\"><v>59</v></c>", "date", "1900-02-28")]
    [InlineData("<c r=\"@\" s=\"1\"><v>61</v></c>", "date", "1900-03-01")]
    [InlineData("<c r=\"@\" s=\"2\"><v>46328.5</v></c>", "string", "2026-11-02T12:00:00")]
    [InlineData("<c r=\"@\" s=\"2\"><v>46328.999999999</v></c>", "date", "2026-11-03")]
    [InlineData("<c r=\"@\" s=\"5\"><v>1.5</v></c>", "number", "1.5")]
    [InlineData("<c r=\"@\" t=\"d\"><v>2026-11-02</v></c>", "date", "2026-11-02")]
    public async Task No_value_becomes_another(string cell, string type, string value)
    {
        var (columns, rows, _) = await ReadAsync("a.xlsx", new XlsxBook().Sheet(Row(1, "wert", "x") + Row(2, cell, "y")).ToBytes());
        Assert.Equal(($"wert:{type} x:string", value + "|y"), (columns, rows[0]));
    }

    [Fact]
    public async Task Dates_count_from_1904_where_the_file_says_so_and_clocks_become_instants_where_somebody_says_their_zone()
    {
        var book = new XlsxBook { Workbook = "<workbookPr date1904=\"1\"/>" }.Sheet(Row(1, "tag", "zeit") + Row(2, Number("44866", 1), Number("44866.5", 2)) + Row(3, Number("0", 1), Number("44866.25", 2))).ToBytes();
        var (columns, rows, notes) = await ReadAsync("a.xlsx", book);
        Assert.Equal(("tag:date zeit:string", "2026-11-02|2026-11-02T12:00:00", "1904-01-01|2026-11-02T06:00:00"), (columns, rows[0], rows[1]));
        Assert.Equal("„zeit“ hat Zeitpunkte ohne Zeitzone und bleibt Text; mit timeZone, etwa Europe/Berlin, werden es Zeitpunkte.", notes[1]);
        (columns, rows, _) = await ReadAsync("a.xlsx", book, new() { TimeZone = "Europe/Berlin" });
        Assert.Equal(("tag:date zeit:datetime", "2026-11-02|2026-11-02T11:00:00Z"), (columns, rows[0]));

        // 02:30 on the last Sunday of March is never.
        var never = new XlsxBook().Sheet(Row(1, "zeit") + Row(2, Number("46110.104166666664", 2))).ToBytes();
        Assert.Equal("Zelle A2, Spalte „zeit“: „2026-03-29T02:30:00“ gibt es in Europe/Berlin nicht oder zweimal (Zeitumstellung).", await RefusedAsync("a.xlsx", never, new() { TimeZone = "Europe/Berlin", Columns = [new("zeit") { Type = "datetime" }] }));
    }

    [Fact]
    public async Task Errors_formulas_without_a_value_and_what_stands_beside_the_table_are_faults_named_by_their_cell()
    {
        var book = new XlsxBook().Sheet(
            Row(2, "", "a", "b") + Row(3, "", Number("1"), "<c r=\"@\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>") + Row(4, "", Number("2"), "<c r=\"@\"><f>A1</f></c>")
            + Row(5, "Quelle") + Row(6, "", Number("60", 1), Number("3")) + Row(7, "", Number("7"), Number("8"))).ToBytes();
        Assert.Equal("Zelle C3, Spalte „b“: Fehlerwert #DIV/0!.", await RefusedAsync("a.xlsx", book));
        var (columns, rows, notes) = await ReadAsync("a.xlsx", book, new() { MaxFaults = 4 });
        Assert.Equal(("a:integer b:integer", "7|8"), (columns, Assert.Single(rows)));
        Assert.Equal(
            [
                "4 Zeilen wurden ausgelassen (maxFaults 4).", "Zelle C3, Spalte „b“: Fehlerwert #DIV/0!.",
                "Zelle C4, Spalte „b“: Die Formel hat keinen gespeicherten Wert; die Datei in Excel oder LibreOffice öffnen und speichern.",
                "Zelle A5: „Quelle“ steht unter keiner Überschrift.", "Zelle B6, Spalte „a“: 60 ist kein Datum, das es gibt.",
            ],
            notes[1..]);

        // Who says that an error stands for no value has none.
        Assert.Equal(["1|", "7|8"], (await ReadAsync("a.xlsx", book, new() { MaxFaults = 3, MissingValues = ["#DIV/0!"] })).Rows);

        // A column that nobody wants has no faults.
        Assert.Equal(["1", "2", "", "7"], (await ReadAsync("a.xlsx", book, new() { MaxFaults = 1, Columns = [new("A") { Type = "integer" }] })).Rows);
    }

    [Fact]
    public async Task Columns_missing_values_and_texts_that_are_to_be_numbers_go_by_what_is_said()
    {
        var book = new XlsxBook().Sheet(Row(1, "Zahl", "Anteil", "", "zahl") + Row(2, "1.234", "n/a", "", "x") + Row(3, Number("5"), Number("-999"), "", "y")).ToBytes();
        FileFormat format = new() { Columns = [new("Anteil") { Name = "anteil", Type = "number" }], MissingValues = ["n/a", "-999"] };
        Assert.Equal(["", ""], (await ReadAsync("a.xlsx", book, format)).Rows);
        Assert.Equal("Die Überschrift „ZAHL“ gibt es mehrmals: A1, D1.", await RefusedAsync("a.xlsx", book, new() { Columns = [new("ZAHL")] }));
        Assert.Equal("Zahl:string Anteil:string zahl_2:string", (await ReadAsync("a.xlsx", book)).Columns);

        var texts = new XlsxBook().Sheet(Row(1, "Zahl") + Row(2, "1.234") + Row(3, Number("5.5"))).ToBytes();
        FileFormat numbers = new() { Columns = [new("Zahl") { Type = "number" }] };
        Assert.Equal("Zelle A2, Spalte „Zahl“: „1.234“ lässt sich zweifach lesen; decimalChar angeben.", await RefusedAsync("a.xlsx", texts, numbers));
        Assert.Equal(["1234", "5.5"], (await ReadAsync("a.xlsx", texts, numbers with { DecimalChar = "," })).Rows);
        Assert.Equal("Zelle A3, Spalte „Zahl“: „5.5“ ist kein Wert der Art integer.", await RefusedAsync("a.xlsx", texts, new() { DecimalChar = ",", Columns = [new("Zahl") { Type = "integer" }] }));
        Assert.Equal("„a.xlsx“ wird als xlsx gelesen, dafür gibt es delimiter nicht; delimiter weglassen oder type angeben.", await RefusedAsync("a.xlsx", texts, new() { Delimiter = ";" }));
    }

    [Fact]
    public async Task A_heading_that_is_missing_makes_no_row_of_values_the_headings()
    {
        var middle = new XlsxBook().Sheet(Row(1, "Bericht") + Row(2, "Bezirk", "", "2021") + Row(3, "Mitte", Number("1"), Number("2")) + Row(4, "Pankow", Number("3"), Number("4"))).ToBytes();
        Assert.Equal("Bezirk:string B:integer 2021:integer", (await ReadAsync("a.xlsx", middle)).Columns);
        var before = new XlsxBook().Sheet(Row(1, "", "Bezirk", "Zahl") + Row(2, Number("0"), "Mitte", Number("2")) + Row(3, Number("1"), "Pankow", Number("4"))).ToBytes();
        Assert.Equal("Zelle A2: „0“ steht unter keiner Überschrift.", await RefusedAsync("a.xlsx", before));
        Assert.Equal(["Mitte", "Pankow"], (await ReadAsync("a.xlsx", before, new() { Columns = [new("Bezirk")] })).Rows);

        // Years above the columns are numbers, and headings.
        var years = new XlsxBook().Sheet(Row(1, "Tabelle 1", "Einwohner") + Row(2, "Bezirk", Number("2020"), Number("2021"), Number("2022")) + Row(3, "Mitte", Number("1"), Number("2"), Number("3"))).ToBytes();
        Assert.Equal("Bezirk:string 2020:integer 2021:integer 2022:integer", (await ReadAsync("a.xlsx", years)).Columns);
    }

    [Fact]
    public async Task Macros_links_embedded_objects_passwords_and_old_files_are_refused_in_words()
    {
        byte[] ole = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, .. new byte[2040]];
        byte[] secret = [.. ole[..1024], .. Encoding.Unicode.GetBytes("EncryptedPackage"), .. new byte[2000]];
        secret[30] = 9;
        secret[48] = 1;
        Assert.Equal("Das ist eine alte Excel-Datei (.xls). In Excel oder LibreOffice als .xlsx speichern.", await RefusedAsync("a.xlsx", ole));
        Assert.Contains("In Excel oder LibreOffice als .xlsx speichern.", await RefusedAsync("a.xls", ole), StringComparison.Ordinal);
        Assert.Contains("mit einem Kennwort verschlüsselt", await RefusedAsync("a.xlsx", secret), StringComparison.Ordinal);
        Assert.Contains("hat Makros", await RefusedAsync("a.xlsm", new XlsxBook { Types = "application/vnd.ms-excel.sheet.macroEnabled.main+xml" }.Sheet(s_numbers).ToBytes()), StringComparison.Ordinal);
        Assert.Contains("hat Makros", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers).With("xl/VbaProject.bin", "x").ToBytes()), StringComparison.Ordinal);
        foreach (var part in new[] { "xl/externalLinks/externalLink1.xml", "xl/embeddings/oleObject1.bin", "xl/activeX/activeX1.xml" })
            Assert.Contains($"bettet Fremdes ein oder verweist auf andere Dateien ({part})", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers).With(part, "x").ToBytes()), StringComparison.Ordinal);
        var whole = new XlsxBook().Sheet(s_numbers).ToBytes();
        Assert.Contains("Die Datei ist kein CSV, sondern eine Excel-", await RefusedAsync("upload.csv", whole), StringComparison.Ordinal);
        Assert.Contains("kein lesbares XLSX (kein ZIP)", await RefusedAsync("a.xlsx", "a;b\n1;2\n"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("kein lesbares XLSX", await RefusedAsync("a.xlsx", whole[..^30]), StringComparison.Ordinal);
        Assert.Contains("„xl/worksheets/sheet0.xml“ gibt es zweimal", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers).With("xl/worksheets/sheet0.xml", "x").ToBytes()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Absurd_dimensions_cost_nothing()
    {
        var far = new XlsxBook().Sheet(s_numbers + "<row r=\"1048576\"><c r=\"XFD1048576\" s=\"1\"/></row>", before: "<dimension ref=\"A1:XFD1048576\"/>").ToBytes();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Equal(["1|2.5", "3|4"], (await ReadAsync("a.xlsx", far)).Rows);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 32L << 20);

        var stray = new XlsxBook().Sheet(s_numbers + "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>").ToBytes();
        Assert.Equal("Zelle XFD1048576: „1“ steht unter keiner Überschrift.", await RefusedAsync("a.xlsx", stray));
        var wide = new XlsxBook().Sheet("<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"XFD1\"><v>1</v></c></row>").ToBytes();
        Assert.Equal("Zwischen den Überschriften A1 und XFD1 liegen mehr als 1000 Spalten.", await RefusedAsync("a.xlsx", wide));
        foreach (var row in new[] { "<row r=\"1048577\"><c r=\"A1048577\"><v>1</v></c></row>", "<row r=\"9\"><c r=\"XFE9\"><v>1</v></c></row>", "<row r=\"9\"><c r=\"B9\"><v>1</v></c><c r=\"A9\"><v>1</v></c></row>", "<row r=\"2\"/>" })
            Assert.Contains("kein lesbares XLSX", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers + row).ToBytes()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bombs_are_stopped_while_they_are_unpacked()
    {
        PipelineOptions few = new() { MaxInflatedMiB = 1 };
        var rows = string.Concat(Enumerable.Range(4, 40_000).Select(i => Row(i, Number("1"), Number("2"))));
        Assert.Contains("größer als 1 MiB (DataHub:Pipelines:MaxInflatedMiB)", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers + rows).ToBytes(), options: few), StringComparison.Ordinal);
        Assert.Equal(40_002, (await ReadAsync("a.xlsx", new XlsxBook().Sheet(s_numbers + rows).ToBytes())).Rows.Length);
        Assert.Contains("mehr als 150-mal so groß", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers + string.Concat(Enumerable.Repeat("<x></x>", 3_500_000))).ToBytes()), StringComparison.Ordinal);
        Assert.Contains("eine Stelle ist zu lang", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers + $"<row r=\"9\" x=\"{new string('x', 5 << 20)}\"/>").ToBytes()), StringComparison.Ordinal);
        var section = $"<row r=\"9\"><c r=\"A9\" t=\"inlineStr\"><is><t><![CDATA[{string.Concat(Enumerable.Repeat("<x>", 2 << 20))}]]></t></is></c></row>";
        Assert.Contains("eine Stelle ist zu lang", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers + section).ToBytes()), StringComparison.Ordinal);
        Assert.Contains("zu tief verschachtelt", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers + string.Concat(Enumerable.Repeat("<x>", 100))).ToBytes()), StringComparison.Ordinal);
        Assert.Contains("kein lesbares XLSX (XML", await RefusedAsync("a.xlsx", new XlsxBook().Sheet(s_numbers + string.Concat(Enumerable.Range(0, 5_000).Select(i => string.Create(CultureInfo.InvariantCulture, $"<x{i}/>")))).ToBytes()), StringComparison.Ordinal);
        var book = new XlsxBook().Sheet(s_numbers);
        for (var i = 0; i < XlsxPackage.MostEntries; i++) book.With(string.Create(CultureInfo.InvariantCulture, $"x/{i}"), "");
        var many = book.ToBytes();
        Assert.Contains("mehr als 5000 Teile", await RefusedAsync("a.xlsx", many), StringComparison.Ordinal);

        // The numbers of disks send whoever reads on to a record of ZIP64, and few parts are told here.
        many.AsSpan(many.Length - 18, 4).Fill(0xFF);
        many.AsSpan(many.Length - 14, 4).Clear();
        Assert.Contains("ein mehrteiliges ZIP oder ZIP64", await RefusedAsync("a.xlsx", many), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entities_are_never_resolved()
    {
        var secret = Path.GetTempFileName();
        await File.WriteAllTextAsync(secret, "geheim");
        var laughs = string.Concat(Enumerable.Range(1, 9).Select(i => string.Create(CultureInfo.InvariantCulture, $"<!ENTITY l{i} \"{string.Concat(Enumerable.Repeat($"&l{i - 1};", 10))}\">")));
        foreach (var type in new[] { $"<!DOCTYPE x [<!ENTITY l0 \"lol\">{laughs}]>", $"<!DOCTYPE x [<!ENTITY l9 SYSTEM \"{new Uri(secret)}\">]>", "<!DOCTYPE x SYSTEM \"http://127.0.0.1:9/x.dtd\">" })
        {
            var refused = await RefusedAsync("a.xlsx", new XlsxBook { Styles = $"{type}<styleSheet>&l9;</styleSheet>" }.Sheet(s_numbers).ToBytes());
            Assert.StartsWith("Die Datei ist kein lesbares XLSX (XML ", refused, StringComparison.Ordinal);
        }

        File.Delete(secret);
    }

    [Fact]
    public async Task However_a_file_was_cut_when_it_was_uploaded_it_is_the_same_table()
    {
        var book = new XlsxBook().Sheet(s_numbers).ToBytes();
        foreach (var piece in new[] { 1, 7, 1_000 }) Assert.Equal(["1|2.5", "3|4"], (await new FileReading { Piece = piece }.TellAsync("a.xlsx", book)).Rows);
    }

    [Fact]
    public async Task Whatever_byte_is_another_it_is_a_table_or_a_refusal_in_words()
    {
        var book = new XlsxBook { Strings = "<si><t>Mitte</t></si>" }.Sheet(Row(1, "a", "b") + string.Concat(Enumerable.Range(2, 50).Select(i => Row(i, "<c r=\"@\" t=\"s\"><v>0</v></c>", Number("46328.5", 2))))).ToBytes();
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var other = (byte[])book.Clone();
            for (var n = 0; n < 3; n++) other[random.Next(i % 2 == 0 ? 0 : other.Length - 600, other.Length)] = (byte)random.Next(256);
            try
            {
                await ReadAsync("a.xlsx", other, new() { MaxFaults = 1_000 });
            }
            catch (StepException refused)
            {
                Assert.NotEmpty(refused.Reason.De);
            }
        }
    }

    [GdalFact]
    public async Task What_another_program_writes_is_read_as_it_was()
    {
        using var folder = new TemporaryFolder();
        var (source, target) = (Path.Combine(folder.FullName, "werte.geojson"), Path.Combine(folder.FullName, "werte.xlsx"));
        await File.WriteAllTextAsync(source, """
            { "type": "FeatureCollection", "features": [
              { "type": "Feature", "geometry": null, "properties": { "gebiet": "01100101", "name": "Köpenick <1> & \"2\"", "zahl": 120, "anteil": 0.1, "tag": "2026-11-02", "zeit": "2026-11-02T08:30:00" } },
              { "type": "Feature", "geometry": null, "properties": { "gebiet": "01100102", "name": " mit Rand ", "zahl": -7, "anteil": 1234.5, "tag": "2000-02-29", "zeit": "2026-03-01T00:00:00" } },
              { "type": "Feature", "geometry": null, "properties": { "gebiet": "01100103", "name": null, "zahl": null, "anteil": 1e-7, "tag": "2026-02-28", "zeit": "2026-12-31T23:59:59" } } ] }
            """);
        using var gdal = Process.Start(new ProcessStartInfo(GdalFactAttribute.Ogr2Ogr ?? throw new FileNotFoundException("ogr2ogr is not installed (apt-get install gdal-bin)"), ["-f", "XLSX", target, source]) { RedirectStandardError = true })!;
        var errors = await gdal.StandardError.ReadToEndAsync();
        await gdal.WaitForExitAsync();
        Assert.True(gdal.ExitCode == 0, errors);

        var (columns, rows, _) = await ReadAsync("werte.xlsx", await File.ReadAllBytesAsync(target), new() { TimeZone = "UTC" });
        Assert.Equal("gebiet:string name:string zahl:integer anteil:number tag:date zeit:datetime", columns);
        Assert.Equal("01100101|Köpenick <1> & \"2\"|120|0.1|2026-11-02|2026-11-02T08:30:00Z", rows[0]);
        Assert.Equal("01100102| mit Rand |-7|1234.5|2000-02-29|2026-03-01T00:00:00Z", rows[1]);
        Assert.Equal("01100103|||1E-07|2026-02-28|2026-12-31T23:59:59Z", rows[2]);
    }
}
