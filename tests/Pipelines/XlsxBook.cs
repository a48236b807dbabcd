using System.IO.Compression;
using System.Text;

namespace DataHub.Pipelines;

/// <summary>Writes Excel files by hand, part by part, as a program would that knows nothing of the hub.</summary>
internal sealed class XlsxBook
{
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", Office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    private readonly List<(string Name, string State, string Data)> _sheets = [];
    private readonly List<(string Name, byte[] Content)> _more = [];

    public string Workbook { get; init; } = "";

    /// <summary>Texts that cells share, each an <c>si</c>.</summary>
    public string Strings { get; init; } = "";

    /// <summary>Formats of cells by their place: 0 none, 1 date, 2 date and time, 3 time, 4 five digits, 5 elapsed hours.</summary>
    public string Styles { get; init; } = $"""
        <styleSheet xmlns="{Main}"><numFmts count="3"><numFmt numFmtId="164" formatCode="[$-407]dd/\ mmm\ yyyy\ hh:mm"/><numFmt numFmtId="165" formatCode="00000"/><numFmt numFmtId="166" formatCode="[h]:mm;@"/></numFmts>
        <cellXfs count="6"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="20"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>
        """;

    public string Types { get; init; } = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";

    /// <summary>Rows as XML: <c>&lt;row&gt;…</c>.</summary>
    public XlsxBook Sheet(string rows, string name = "Tabelle1", string state = "visible", string before = "")
    {
        _sheets.Add((name, state, $"<worksheet xmlns=\"{Main}\">{before}<sheetData>{rows}</sheetData></worksheet>"));
        return this;
    }

    public XlsxBook With(string part, string content) => With(part, Encoding.UTF8.GetBytes(content));

    public XlsxBook With(string part, byte[] content)
    {
        _more.Add((part, content));
        return this;
    }

    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("[Content_Types].xml", $"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Override PartName=\"/xl/workbook.xml\" ContentType=\"{Types}\"/></Types>");
            Add("_rels/.rels", $"<Relationships><Relationship Id=\"rId1\" Type=\"{Office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>");
            Add("xl/workbook.xml", $"<workbook xmlns=\"{Main}\" xmlns:r=\"{Office}\">{Workbook}<sheets>{string.Concat(_sheets.Select((sheet, i) => $"<sheet name=\"{sheet.Name}\" sheetId=\"{i + 1}\" state=\"{sheet.State}\" r:id=\"s{i}\"/>"))}</sheets></workbook>");
            Add("xl/_rels/workbook.xml.rels", $"<Relationships>{string.Concat(_sheets.Select((_, i) => $"<Relationship Id=\"s{i}\" Type=\"{Office}/worksheet\" Target=\"/xl/worksheets/sheet{i}.xml\"/>"))}<Relationship Id=\"st\" Type=\"{Office}/styles\" Target=\"styles.xml\"/><Relationship Id=\"ss\" Type=\"{Office}/sharedStrings\" Target=\"../xl/sharedStrings.xml\"/></Relationships>");
            Add("xl/styles.xml", Styles);
            if (Strings.Length > 0) Add("xl/sharedStrings.xml", $"<sst xmlns=\"{Main}\">{Strings}</sst>");
            for (var i = 0; i < _sheets.Count; i++) Add($"xl/worksheets/sheet{i}.xml", _sheets[i].Data);
            foreach (var (name, content) in _more)
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(content);
            }

            void Add(string name, string content)
            {
                using var entry = new StreamWriter(zip.CreateEntry(name).Open());
                entry.Write(content);
            }
        }

        return bytes.ToArray();
    }

    /// <summary>A row of cells; each is an inline text, or XML that begins with <c>&lt;</c> and gets its place for <c>@</c>.</summary>
    public static string Row(int row, params string[] cells) =>
        $"<row r=\"{row}\">{string.Concat(cells.Select((cell, i) => cell.Length == 0 ? "" : cell.StartsWith('<') ? cell.Replace("@", $"{(char)('A' + i)}{row}", StringComparison.Ordinal) : $"<c r=\"{(char)('A' + i)}{row}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>"))}</row>";

    public static string Number(string number, int style = 0) => $"<c r=\"@\" s=\"{style}\"><v>{number}</v></c>";
}
