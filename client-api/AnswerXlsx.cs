using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub;

/// <summary>
/// Office Open XML (ECMA-376), the rows on a first sheet, what is known of them on a second, „Metadaten“. Texts are texts,
/// whatever they begin with: nothing of a row becomes a formula. Dates, times and instants (in UTC) are such; what Excel
/// cannot hold as a number (more than 15 digits, days before March 1900) stands there as its text. A batch is in memory.
/// </summary>
internal sealed class AnswerXlsx : IDisposable
{
    public const string ContentType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    /// <summary>Rows of a sheet with its headings, and cells of a file that spreadsheets still open.</summary>
    public const int MostRows = 1_048_576, MostCells = 20_000_000;

    /// <summary>Characters of a cell; more are cut off, which the second sheet says.</summary>
    public const int LongestText = 32_767;

    private const string Second = "Metadaten";
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Head = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>""";

    /// <summary>Whole numbers up to this have the same digits in Excel.</summary>
    private const long Widest = 999_999_999_999_999;

    /// <summary>Places of formats of cells in <see cref="Styles"/>.</summary>
    private const int Date = 1, Instant = 2, Time = 3, Heading = 4, Quoted = 5;

    private const string Styles = Head + $"""
        <styleSheet xmlns="{Main}"><numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/><numFmt numFmtId="166" formatCode="hh:mm:ss"/></numFmts>
        <fonts count="2"><font/><font><b/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>
        <cellXfs count="6"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/><xf numFmtId="166" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/><xf quotePrefix="1"/></cellXfs></styleSheet>
        """;

    private static readonly long s_day0 = new DateOnly(1899, 12, 30).DayNumber, s_firstDay = new DateOnly(1900, 3, 1).DayNumber;
    private static readonly DateTimeOffset s_time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly SearchValues<char> s_escaped = SearchValues.Create("&<>_\0\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\u000B\f\r\u000E\u000F\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F\uFFFE\uFFFF");

    private readonly ZipArchive _zip;
    private readonly Stream _sheet;
    private readonly AnswerMetadata _metadata;
    private readonly FieldSpec[] _fields;
    private readonly StringBuilder _text = new(1 << 16);
    private readonly List<string> _cut = [];
    private long _row, _cutCells;

    /// <summary>A file whose rows follow.</summary>
    /// <param name="to">Is written to at once and never sought in.</param>
    /// <param name="sheet">Name of the first sheet.</param>
    public AnswerXlsx(FieldSpec[] fields, AnswerMetadata metadata, Stream to, string sheet)
    {
        (_fields, _metadata) = (fields, metadata);
        _zip = new(to, ZipArchiveMode.Create, leaveOpen: true);
        // Two sheets of one name, whatever its case, are no file.
        if (string.Equals(sheet, Second, StringComparison.OrdinalIgnoreCase)) sheet += "_";
        Part("[Content_Types].xml", $"""
            <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/worksheets/sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>
            """);
        Part("_rels/.rels", $"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{Relationships}/officeDocument" Target="xl/workbook.xml"/></Relationships>""");
        Part("xl/workbook.xml", $"""<workbook xmlns="{Main}" xmlns:r="{Relationships}"><sheets><sheet name="{(sheet.Length <= 31 ? sheet : sheet[..31])}" sheetId="1" r:id="rId1"/><sheet name="{Second}" sheetId="2" r:id="rId2"/></sheets></workbook>""");
        Part("xl/_rels/workbook.xml.rels", $"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{Relationships}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{Relationships}/worksheet" Target="worksheets/sheet2.xml"/><Relationship Id="rId3" Type="{Relationships}/styles" Target="styles.xml"/></Relationships>""");
        Part("xl/styles.xml", Styles[Head.Length..]);
        _sheet = Begin("xl/worksheets/sheet1.xml");
        _text.Append(CultureInfo.InvariantCulture, $"""<worksheet xmlns="{Main}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>""");
        BeginRow();
        foreach (var field in fields) Text(field.Name, Heading);
        EndRow();
        Flush(_sheet);
    }

    /// <summary>Whether a table fits into a sheet.</summary>
    public static bool Fits(long rows, int columns) => rows < MostRows && rows * columns <= MostCells;

    public void WriteRows(AnswerTable table)
    {
        for (var row = 0; row < table.Count; row++)
        {
            BeginRow();
            for (var f = 0; f < _fields.Length; f++) Cell(_fields[f], table.Columns[f], row, f);
            EndRow();
            if (_text.Length > 1 << 16) Flush(_sheet);
        }

        Flush(_sheet);
    }

    /// <summary>Ends the rows, and writes the second sheet. The file is complete once it is disposed of then.</summary>
    public void Complete()
    {
        _text.Append("</sheetData></worksheet>");
        Flush(_sheet);
        _sheet.Dispose();
        using (var second = Begin("xl/worksheets/sheet2.xml"))
        {
            _text.Append(CultureInfo.InvariantCulture, $"""<worksheet xmlns="{Main}"><cols><col min="1" max="1" width="24" customWidth="1"/><col min="2" max="2" width="80" customWidth="1"/></cols><sheetData>""");
            foreach (var (name, value) in _metadata.Pairs()) Pair(name, value);
            foreach (var field in _fields) Pair("column." + field.Name, ContractCheck.Word(field.Type));
            if (_cutCells > 0) Pair("cut", string.Create(CultureInfo.InvariantCulture, $"{_cutCells} Zellen nach {LongestText} Zeichen abgeschnitten / cells cut after {LongestText} characters: {string.Join(", ", _cut)}"));
            _text.Append("</sheetData></worksheet>");
            Flush(second);
        }

        void Pair(string name, string value)
        {
            _text.Append("<row>");
            Text(name, Heading);
            Text(value.Length <= LongestText ? value : value[..LongestText], 0);
            _text.Append("</row>");
        }
    }

    public void Dispose()
    {
        _sheet.Dispose();
        _zip.Dispose();
    }

    private void Cell(FieldSpec field, Column column, int row, int place)
    {
        if (column.IsNull(row))
        {
            _text.Append("<c/>");
            return;
        }

        switch (field.Type)
        {
            case FieldType.Number:
                Number(column.Numbers![row], 0);
                break;
            case FieldType.Integer when column.Integers![row] is >= -Widest and <= Widest:
                _text.Append(CultureInfo.InvariantCulture, $"<c><v>{column.Integers[row]}</v></c>");
                break;
            case FieldType.Boolean:
                _text.Append(column.Booleans![row] == 1 ? """<c t="b"><v>1</v></c>""" : """<c t="b"><v>0</v></c>""");
                break;
            case FieldType.Date when column.Integers![row] >= s_firstDay:
                _text.Append(CultureInfo.InvariantCulture, $"<c s=\"{Date}\"><v>{column.Integers[row] - s_day0}</v></c>");
                break;
            case FieldType.Time:
                Number((double)column.Integers![row] / TimeSpan.TicksPerDay, Time);
                break;
            case FieldType.DateTime when column.Integers![row] / TimeSpan.TicksPerDay >= s_firstDay:
                var (day, ticks) = Math.DivRem(column.Integers[row], TimeSpan.TicksPerDay);
                Number(day - s_day0 + ((double)ticks / TimeSpan.TicksPerDay), Instant);
                break;
            default:
                var text = AnswerText.Of(field, column, row);
                if (text.Length > LongestText)
                {
                    text = string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[LongestText - 2]) ? LongestText - 2 : LongestText - 1), "…");
                    _cutCells++;
                    if (_cut.Count < 100) _cut.Add(string.Create(CultureInfo.InvariantCulture, $"{_fields[place].Name} {_row}"));
                }

                // Also when somebody goes into the cell and out again.
                Text(text, text is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? Quoted : 0);
                break;
        }
    }

    private void Number(double value, int style) => _text.Append(CultureInfo.InvariantCulture, $"<c s=\"{style}\"><v>{value:R}</v></c>");

    private void Text(string text, int style)
    {
        _text.Append(CultureInfo.InvariantCulture, $"<c s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">");
        if (text.AsSpan().ContainsAny(s_escaped) || text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) Escape(text);
        else _text.Append(text);
        _text.Append("</t></is></c>");
    }

    private void Escape(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '&') _text.Append("&amp;");
            else if (c == '<') _text.Append("&lt;");
            else if (c == '>') _text.Append("&gt;");
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) _text.Append(c).Append(text[++i]);
            // What XML does not take, and what would be read as that.
            else if (char.IsSurrogate(c) || c is '\uFFFE' or '\uFFFF' || (c < ' ' && c is not ('\t' or '\n')) || (c == '_' && i + 6 < text.Length && text[i + 1] == 'x' && text[i + 6] == '_')) _text.Append(CultureInfo.InvariantCulture, $"_x{(int)c:X4}_");
            else _text.Append(c);
        }
    }

    private void BeginRow()
    {
        _row++;
        _text.Append("<row>");
    }

    private void EndRow() => _text.Append("</row>");

    private Stream Begin(string name)
    {
        var entry = _zip.CreateEntry(name, CompressionLevel.Fastest);
        // The same rows are the same bytes, whenever they are asked for.
        entry.LastWriteTime = s_time;
        var stream = entry.Open();
        stream.Write(Encoding.UTF8.GetBytes(Head));
        return stream;
    }

    private void Part(string name, string content)
    {
        using var part = Begin(name);
        part.Write(Encoding.UTF8.GetBytes(content));
    }

    private void Flush(Stream to)
    {
        foreach (var chunk in _text.GetChunks())
        {
            var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(chunk.Length));
            to.Write(bytes, 0, Encoding.UTF8.GetBytes(chunk.Span, bytes));
            ArrayPool<byte>.Shared.Return(bytes);
        }

        _text.Clear();
    }
}
