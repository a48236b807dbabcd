using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>An Excel file with one of its sheets chosen: of it, styles and shared texts are in memory, and a row.</summary>
internal sealed class XlsxFile : IDisposable
{
    private const int MostSheets = 1_000;

    private readonly XlsxPackage _package;
    private readonly Dictionary<string, (string Type, string Target)> _relations;
    private readonly List<Sheet> _sheets = [];
    private readonly string _sheetPart;
    private XlsxStrings? _strings;

    private XlsxFile(XlsxPackage package, string? wanted)
    {
        _package = package;
        var root = Relations("_rels/.rels", "").Values.FirstOrDefault(one => one.Type.EndsWith("/officeDocument", StringComparison.Ordinal)).Target ?? throw XlsxPackage.Broken();
        var slash = root.LastIndexOf('/') + 1;
        _relations = Relations($"{root[..slash]}_rels/{root[slash..]}.rels", root[..slash]);
        ReadWorkbook(root);
        Styles = Part("/styles") is { } styles ? XlsxStyles.Read(package.Open(styles)) : new();
        var tables = _sheets.Where(sheet => sheet.IsTable).ToArray();
        var visible = tables.Where(sheet => !sheet.IsHidden).ToArray();
        var chosen = wanted is null ? visible.FirstOrDefault() : tables.FirstOrDefault(sheet => string.Equals(sheet.Name, wanted.Trim(), StringComparison.OrdinalIgnoreCase));
        if (chosen is null)
        {
            var named = string.Join(", ", tables.Take(50).Select(sheet => $"„{sheet.Name}“"));
            throw wanted is null
                ? new StepException(new($"Die Datei hat kein sichtbares Tabellenblatt{(tables.Length == 0 ? "" : $"; sheet wählt ein verborgenes: {named}")}.", $"The file has no visible sheet{(tables.Length == 0 ? "" : $"; sheet chooses a hidden one: {named}")}."))
                : new StepException(new($"Ein Tabellenblatt „{wanted}“ gibt es nicht; die Datei hat: {named}.", $"There is no sheet “{wanted}”; the file has: {named}."));
        }

        SheetName = chosen.Name;
        Others = [.. visible.Where(sheet => sheet != chosen).Select(sheet => sheet.Name)];
        _sheetPart = _relations[chosen.Id].Target;
    }

    public string SheetName { get; }

    /// <summary>The visible sheets that were not chosen.</summary>
    public string[] Others { get; }

    public XlsxStyles Styles { get; }

    /// <summary>Whether days are counted from 1904.</summary>
    public bool From1904 { get; private set; }

    /// <param name="sheet">Null: the first visible one.</param>
    /// <param name="mostInflated">Bytes of all parts together, inflated.</param>
    public static XlsxFile Open(Stream file, string? sheet, long mostInflated)
    {
        var package = XlsxPackage.Open(file, mostInflated);
        try
        {
            return new(package, sheet);
        }
        catch
        {
            package.Dispose();
            throw;
        }
    }

    /// <summary>The sheet from its beginning.</summary>
    public XlsxXml OpenSheet() => new(_package.Open(_sheetPart));

    /// <summary>A text that cells share; null where there is none.</summary>
    public string? Text(int index)
    {
        _strings ??= Part("/sharedStrings") is { } part ? XlsxStrings.Read(_package.Open(part)) : new();
        return _strings.Get(index);
    }

    public void Dispose() => _package.Dispose();

    private void ReadWorkbook(string part)
    {
        using var xml = new XlsxXml(_package.Open(part));
        while (xml.Read())
        {
            if (!xml.IsStart) continue;
            if (xml.Name == "workbookPr") From1904 = xml.Attribute("date1904") is "1" or "true";
            if (xml.Name != "sheet") continue;
            if (_sheets.Count == MostSheets) throw XlsxPackage.Broken($"mehr als {MostSheets} Blätter", $"more than {MostSheets} sheets");
            var id = xml.Relationship() ?? "";
            _sheets.Add(new(xml.Attribute("name") ?? "", id, xml.Attribute("state") is "hidden" or "veryHidden", _relations.TryGetValue(id, out var relation) && relation.Type.EndsWith("/worksheet", StringComparison.Ordinal)));
        }
    }

    private string? Part(string type) => _relations.Values.FirstOrDefault(one => one.Type.EndsWith(type, StringComparison.Ordinal)).Target is { } part && _package.Has(part) ? part : null;

    /// <summary>What a part refers to, by id.</summary>
    /// <param name="folder">Of the part, with the slash at its end.</param>
    private Dictionary<string, (string Type, string Target)> Relations(string part, string folder)
    {
        var relations = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
        using var xml = new XlsxXml(_package.Open(part));
        while (xml.Read())
        {
            if (!xml.IsStart || xml.Name != "Relationship" || xml.Attribute("Id") is not { } id || xml.Attribute("Target") is not { } target || relations.Count == XlsxPackage.MostEntries) continue;
            var type = xml.Attribute("Type") ?? "";
            if (type.EndsWith("/vbaProject", StringComparison.Ordinal) || type.EndsWith("/externalLink", StringComparison.Ordinal) || xml.Attribute("TargetMode") == "External")
                throw new StepException(new($"Die Datei verweist auf anderes ({target}); solche nimmt der Hub nicht. Nur die Werte in eine neue .xlsx kopieren.", $"The file links to something else ({target}); the hub takes none of these. Copy the values alone into a new .xlsx."));
            relations[id] = (type, Resolve(folder, target));
        }

        return relations;
    }

    private static string Resolve(string folder, string target)
    {
        if (target.StartsWith('/')) return target[1..];
        var path = new List<string>(folder.Split('/', StringSplitOptions.RemoveEmptyEntries));
        foreach (var segment in target.Split('/'))
        {
            if (segment == "..") path.RemoveRange(Math.Max(0, path.Count - 1), Math.Min(1, path.Count));
            else if (segment is not ("" or ".")) path.Add(segment);
        }

        return string.Join('/', path);
    }

    private sealed record Sheet(string Name, string Id, bool IsHidden, bool IsTable);
}
