using System.Globalization;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>The rows of one sheet below its headings; rows and cells that are empty, whatever their style, are none.</summary>
internal sealed class XlsxRows : TypedRows
{
    /// <summary>Excel's last row and column.</summary>
    private const int LastRow = 1_048_576, LastColumn = 16_384;

    /// <summary>Rows among which the headings are looked for.</summary>
    private const int Sample = 50;

    private readonly XlsxFile _file;
    private readonly XlsxXml _xml;
    private readonly int _headerRow, _first;
    private readonly string[] _headings;
    private readonly bool[] _unnamed;
    private readonly TypedCell[] _cells;
    private readonly List<(int Column, TypedCell Cell)> _row = [];
    private int _at;
    private bool _ended;
    private LocalText? _beside;

    /// <param name="headerRow">As Excel counts them; null: found out.</param>
    public XlsxRows(XlsxFile file, int? headerRow)
    {
        _file = file;
        _headerRow = headerRow ?? FindHeader(file);
        _xml = file.OpenSheet();
        try
        {
            while (_at < _headerRow && ReadRow())
            {
            }

            if (_at != _headerRow || _row.Count == 0)
                throw new StepException(new($"In Zeile {_headerRow} des Blatts „{file.SheetName}“ stehen keine Überschriften.", $"There are no headings in row {_headerRow} of the sheet “{file.SheetName}”."));
            _first = _row[0].Column;
            var count = _row[^1].Column - _first + 1;
            if (count > JobLimits.Columns)
            {
                throw new StepException(new(
                    $"Zwischen den Überschriften {Name(_first)}{_headerRow} und {Name(_row[^1].Column)}{_headerRow} liegen mehr als {JobLimits.Columns} Spalten.",
                    $"Between the headings {Name(_first)}{_headerRow} and {Name(_row[^1].Column)}{_headerRow} there are more than {JobLimits.Columns} columns."));
            }

            (_headings, _unnamed, _cells) = (new string[count], new bool[count], new TypedCell[count]);
            Array.Fill(_unnamed, true);
            foreach (var (column, cell) in _row)
            {
                if (cell.Kind == CellKind.Fault) throw new StepException(new($"Zelle {Name(column)}{_headerRow}, eine Überschrift: {cell.Reason!.De}", $"Cell {Name(column)}{_headerRow}, a heading: {cell.Reason.In("en")}"));
                (_headings[column - _first], _unnamed[column - _first]) = (cell.Shown.Trim(), false);
            }

            for (var i = 0; i < count; i++)
                if (_unnamed[i]) _headings[i] = Name(_first + i);
        }
        catch
        {
            _xml.Dispose();
            throw;
        }
    }

    public override IReadOnlyList<string> Headings => _headings;

    public override IReadOnlyList<TypedCell> Cells => _cells;

    public override LocalText? Beside => _beside;

    public override LocalText Found => new(
        $"Gelesen als XLSX, Blatt „{_file.SheetName}“, Überschriften in Zeile {_headerRow}.{(_file.Others.Length == 0 ? "" : $" Nicht gelesen: {string.Join(", ", _file.Others.Take(20))}.")}",
        $"Read as XLSX, sheet “{_file.SheetName}”, headings in row {_headerRow}.{(_file.Others.Length == 0 ? "" : $" Not read: {string.Join(", ", _file.Others.Take(20))}.")}");

    public override FileFormat Complete(FileFormat format) => format with { Sheet = _file.SheetName, HeaderRow = _headerRow };

    public override bool Read()
    {
        while (ReadRow())
        {
            if (_row.Count == 0) continue;
            Array.Clear(_cells);
            _beside = null;
            foreach (var (column, cell) in _row)
            {
                var at = column - _first;
                if ((uint)at < (uint)_cells.Length) _cells[at] = cell;
                else _beside ??= new($"Zelle {Name(column)}{_at}: „{CsvFile.Short(cell.Shown)}“ steht unter keiner Überschrift.", $"Cell {Name(column)}{_at}: “{CsvFile.Short(cell.Shown)}” is below no heading.");
            }

            return true;
        }

        return false;
    }

    public override LocalText Place(int column) => new($"Zelle {Name(_first + column)}{_at}", $"Cell {Name(_first + column)}{_at}");

    public override string HeadingPlace(int column) => string.Create(CultureInfo.InvariantCulture, $"{Name(_first + column)}{_headerRow}");

    public override bool IsLeftOut(int column, bool any) => _unnamed[column] && !any;

    public override void Dispose() => _xml.Dispose();

    /// <summary>
    /// The first row that has as many cells as most rows: what stands above is a title. Except where that row has values in it
    /// and right above it texts for all columns but one: then these are the headings, and one is missing.
    /// </summary>
    private static int FindHeader(XlsxFile file)
    {
        using var rows = new XlsxRows(file);
        var counts = new List<(int Row, int Cells, bool IsText)>();
        while (counts.Count < Sample && rows.ReadRow())
        {
            if (rows._row.Count > 0) counts.Add((rows._at, rows._row.Count, rows._row.TrueForAll(cell => cell.Cell.Kind == CellKind.Text)));
        }

        if (counts.Count == 0)
        {
            throw new StepException(new(
                $"Das Blatt „{file.SheetName}“ ist leer.{(file.Others.Length == 0 ? "" : $" Weitere Blätter: {string.Join(", ", file.Others.Take(20))}.")}",
                $"The sheet “{file.SheetName}” is empty.{(file.Others.Length == 0 ? "" : $" Other sheets: {string.Join(", ", file.Others.Take(20))}.")}"));
        }

        var usual = counts.GroupBy(row => row.Cells).OrderByDescending(group => group.Count()).ThenByDescending(group => group.Key).First().Key;
        var first = counts.FindIndex(row => row.Cells >= usual);
        var above = first > 0 && usual > 2 && !counts[first].IsText && counts[first - 1] is { IsText: true } heading && heading.Cells == usual - 1 && heading.Row == counts[first].Row - 1;
        return counts[above ? first - 1 : first].Row;
    }

    /// <summary>Only to look for the headings.</summary>
    private XlsxRows(XlsxFile file)
    {
        (_file, _headings, _unnamed, _cells) = (file, [], [], []);
        _xml = file.OpenSheet();
    }

    /// <summary>Takes the cells of the next row that have something in them.</summary>
    private bool ReadRow()
    {
        _row.Clear();
        while (!_ended && _xml.Read())
        {
            if (_xml.IsEnd && _xml.Name == "sheetData") _ended = true;
            if (!_xml.IsStart || _xml.Name != "row") continue;
            var row = _xml.Attribute("r") is { } said ? Whole(said) : _at + 1;
            if (row <= _at || row > LastRow) throw XlsxPackage.Broken($"Zeile {row} nach {_at}", $"row {row} after {_at}");
            _at = row;
            ReadCells();
            return true;
        }

        _ended = true;
        return false;
    }

    private void ReadCells()
    {
        if (_xml.IsEmpty) return;
        var (depth, last) = (_xml.Depth, 0);
        while (_xml.Next(depth))
        {
            if (_xml.Name != "c") continue;
            var column = _xml.Attribute("r") is { } said ? Column(said) : last + 1;
            if (column <= last || column > LastColumn) throw XlsxPackage.Broken($"in Zeile {_at} Spalte {Name(column)} nach {Name(last)}", $"in row {_at} column {Name(column)} after {Name(last)}");
            last = column;
            var cell = ReadCell();
            if (cell.Kind != CellKind.Empty && !(cell.Kind == CellKind.Text && cell.Text!.Length == 0)) _row.Add((column, cell));
        }
    }

    private TypedCell ReadCell()
    {
        if (_xml.IsEmpty) return default;
        var (type, style, depth) = (_xml.Attribute("t"), _xml.Attribute("s"), _xml.Depth);
        string? value = null, inline = null;
        var formula = false;
        while (_xml.Next(depth))
        {
            switch (_xml.Name)
            {
                case "v": value = _xml.Text(); break;
                case "is": inline = XlsxText.Read(_xml); break;
                case "f":
                    formula = true;
                    _xml.Skip();
                    break;
            }
        }

        if (type == "inlineStr") return TypedCell.Of(inline ?? "");
        if (value is null && formula) return TypedCell.Wrong("Die Formel hat keinen gespeicherten Wert; die Datei in Excel oder LibreOffice öffnen und speichern.", "The formula has no stored value; open the file in Excel or LibreOffice and save it.");
        if (value is null) return default;
        switch (type)
        {
            case "s": return _file.Text(int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1) is { } text ? TypedCell.Of(text) : throw XlsxPackage.Broken($"Text {value} fehlt", $"text {value} is missing");
            case "str": return TypedCell.Of(XlsxText.Plain(value));
            case "b": return TypedCell.Of(value is "1" or "true");
            case "e": return TypedCell.Wrong($"Fehlerwert {CsvFile.Short(value)}.", $"Error value {CsvFile.Short(value)}.") with { Text = value };
            case "d":
                if (CellReader.TryDate(value, german: false, out var day)) return new(CellKind.Date, day);
                if (CellReader.TryLocal(value, out var local)) return local % TimeSpan.TicksPerDay == 0 ? new(CellKind.Date, local / TimeSpan.TicksPerDay) : new(CellKind.Local, local);
                return CellReader.TryInstant(value, out var instant) ? new(CellKind.Instant, instant) : TypedCell.Wrong($"„{CsvFile.Short(value)}“ ist kein Datum.", $"“{CsvFile.Short(value)}” is no date.");
            default:
                if (value.Length == 0) return default;
                var number = TypedCell.OfNumber(value);
                // A sheet knows no difference between 1 and 1.0.
                if (number is { Kind: CellKind.Number } && number.Number == Math.Truncate(number.Number) && Math.Abs(number.Number) < 1L << 53) number = TypedCell.Of((long)number.Number);
                return number.Kind is CellKind.Integer or CellKind.Number ? XlsxStyles.Shown(number, _file.Styles[style is null ? 0 : Whole(style)], _file.From1904) : number;
        }
    }

    private static int Whole(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw XlsxPackage.Broken($"„{CsvFile.Short(text)}“ ist keine Zahl", $"“{CsvFile.Short(text)}” is no number");

    /// <summary>Of <c>AB12</c> the 28.</summary>
    private int Column(string reference)
    {
        var (column, at) = (0, 0);
        for (; at < reference.Length && at < 4 && char.IsAsciiLetterUpper(reference[at]); at++) column = (column * 26) + reference[at] - 'A' + 1;
        if (at is 0 or 4 || !int.TryParse(reference.AsSpan(at), NumberStyles.None, CultureInfo.InvariantCulture, out var row) || row != _at)
            throw XlsxPackage.Broken($"Zelle {CsvFile.Short(reference)} in Zeile {_at}", $"cell {CsvFile.Short(reference)} in row {_at}");
        return column;
    }

    /// <summary>Of 28 the AB.</summary>
    private static string Name(int column)
    {
        var name = "";
        for (; column > 0; column = (column - 1) / 26) name = (char)('A' + ((column - 1) % 26)) + name;
        return name;
    }
}
