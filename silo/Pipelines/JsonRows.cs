using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Objects of a JSON file as rows: of the one list in it, or one after the other (NDJSON). Their names are the headings, in the order in which they come first.</summary>
internal class JsonRows : TypedRows
{
    /// <summary>Longest name of a member, in characters.</summary>
    private const int LongestName = 1_000;

    private readonly List<string> _headings = [];
    private readonly Dictionary<string, int> _ordinals = new(StringComparer.Ordinal);
    private readonly List<TypedCell> _cells = [];
    private readonly List<long> _seen = [];
    private readonly bool _lines;
    private string _list = "";
    private long _row;
    private LocalText? _fault;

    /// <param name="lines">One object after the other; else there is a list of them.</param>
    /// <param name="reserved">Headings of what is no member.</param>
    public JsonRows(Stream file, bool lines, params ReadOnlySpan<string> reserved)
    {
        Tokens = new(file, lines);
        _lines = lines;
        foreach (var heading in reserved) Add(heading);
        if (!lines) Enter();
    }

    public override IReadOnlyList<string> Headings => _headings;

    public override bool HeadingsFirst => false;

    public override IReadOnlyList<TypedCell> Cells => _cells;

    public override LocalText? Fault => _fault;

    public override LocalText Found => _lines
        ? new("Gelesen als NDJSON.", "Read as NDJSON.")
        : new($"Gelesen als {Kind}{(_list.Length == 0 ? "" : $", Liste „{_list}“")}.", $"Read as {Kind}{(_list.Length == 0 ? "" : $", list “{_list}”")}.");

    protected JsonTokens Tokens { get; }

    protected virtual string Kind => "JSON";

    public override bool Read()
    {
        if (_lines ? !Tokens.Read() : Tokens.Next() == JsonTokenType.EndArray)
        {
            if (!_lines) Leave();
            return false;
        }

        _row++;
        _fault = null;
        for (var i = 0; i < _cells.Count; i++) _cells[i] = default;
        if (Tokens.Type == JsonTokenType.StartObject)
        {
            ReadRow();
        }
        else
        {
            Wrong("Hier steht kein Objekt.", "There is no object here.");
            Tokens.Skip();
        }

        return true;
    }

    public override LocalText Place(int column) => new(string.Create(CultureInfo.InvariantCulture, $"Eintrag {_row}"), string.Create(CultureInfo.InvariantCulture, $"Entry {_row}"));

    public override void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Reads the members of the object that begins here.</summary>
    protected virtual void ReadRow() => ReadMembers("");

    /// <summary>Takes the members of the object that begins here as cells.</summary>
    /// <param name="within">Path of the object in its row, with a point at its end.</param>
    protected void ReadMembers(string within)
    {
        while (Tokens.Next() == JsonTokenType.PropertyName)
        {
            var name = Tokens.Text;
            var at = Ordinal(name);
            if (_seen[at] == _row) Wrong($"„{name}“ steht zweimal in dem Objekt.", $"“{name}” stands twice in the object.");
            _seen[at] = _row;
            Tokens.Next();
            _cells[at] = Value(within + name);
        }
    }

    /// <summary>The value that begins here; afterwards it is at its end.</summary>
    protected TypedCell Value(string path)
    {
        switch (Tokens.Type)
        {
            case JsonTokenType.Null: return default;
            case JsonTokenType.True or JsonTokenType.False: return TypedCell.Of(Tokens.Type == JsonTokenType.True);
            case JsonTokenType.Number: return TypedCell.OfNumber(Tokens.Text) is { Kind: CellKind.Number } number ? number with { Text = Tokens.Text } : TypedCell.OfNumber(Tokens.Text);
            case JsonTokenType.String: return OfText(Tokens.Text);
            default:
                Tokens.Skip();
                var place = string.Create(CultureInfo.InvariantCulture, $"{_list}[{_row - 1}].{path}");
                return TypedCell.Wrong(
                    $"Unter {place} steht kein einzelner Wert, sondern ein Objekt oder eine Liste; vor dem Hochladen auflösen oder columns ohne diese Spalte angeben.",
                    $"At {place} there is no single value but an object or a list; flatten it before the upload, or say columns without this one.");
        }
    }

    /// <summary>JSON has no dates: texts in the form of ISO 8601 are.</summary>
    protected static TypedCell OfText(string text) =>
        text.Length is < 10 or > 40 || text[4] != '-' ? TypedCell.Of(text)
        : CellReader.TryDate(text, german: false, out var day) ? new(CellKind.Date, day, Text: text)
        : CellReader.TryInstant(text, out var instant) ? new(CellKind.Instant, instant, Text: text)
        : CellReader.TryLocal(text, out var local) ? new(CellKind.Local, local, Text: text)
        : TypedCell.Of(text);

    protected void Set(int column, TypedCell cell) => _cells[column] = cell;

    protected void Wrong(string de, string en) => _fault ??= new($"{Place(0).De}: {de}", $"{Place(0).In("en")}: {en}");

    /// <summary>What stands around the list.</summary>
    /// <returns>Whether it was taken; else it is passed over.</returns>
    protected virtual bool Around(string name) => false;

    /// <summary>The heading of a member.</summary>
    protected virtual string HeadingOf(string name) => name;

    /// <summary>Which lists are lists of rows.</summary>
    protected virtual bool IsList(string name) => true;

    /// <summary>Goes to where the list begins.</summary>
    private void Enter()
    {
        if (Tokens.Next() == JsonTokenType.StartArray) return;
        if (Tokens.Type == JsonTokenType.StartObject && Member()) return;
        throw new StepException(new($"Die Datei ist kein {Kind} mit einer Liste von Objekten.", $"The file is no {Kind} with a list of objects."));
    }

    private void Leave()
    {
        if (_list.Length == 0)
        {
            if (Tokens.Read()) throw JsonTokens.Broken(null);
            return;
        }

        var first = _list;
        if (Member()) throw new StepException(new($"Die Datei hat mehr als eine Liste: {first}, {_list}.", $"The file has more than one list: {first}, {_list}."));
        Whole();
    }

    /// <summary>At the end of the object around the list.</summary>
    protected virtual void Whole()
    {
    }

    /// <summary>Goes on among the members of the outermost object to the next list of rows.</summary>
    private bool Member()
    {
        while (Tokens.Next() == JsonTokenType.PropertyName)
        {
            var name = Tokens.Text;
            Tokens.Next();
            if (Tokens.Type == JsonTokenType.StartArray && IsList(name))
            {
                _list = name;
                return true;
            }

            if (!Around(name)) Tokens.Skip();
        }

        return false;
    }

    private int Ordinal(string name)
    {
        if (_ordinals.TryGetValue(name, out var known)) return known;
        if (name.Length > LongestName) throw new StepException(new($"Ein Name ist länger als {LongestName} Zeichen.", $"A name is longer than {LongestName} characters."));
        if (_headings.Count > JobLimits.Columns) throw new StepException(new($"Die Datei hat mehr als {JobLimits.Columns} Spalten.", $"The file has more than {JobLimits.Columns} columns."));
        return _ordinals[name] = Add(HeadingOf(name));
    }

    private int Add(string heading)
    {
        _headings.Add(heading);
        _cells.Add(default);
        _seen.Add(0);
        return _headings.Count - 1;
    }
}
