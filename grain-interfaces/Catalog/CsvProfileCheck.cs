using System.Collections.Frozen;

namespace DataHub.Catalog;

/// <summary>Whether a CSV profile can be used with a contract. Pure.</summary>
public static class CsvProfileCheck
{
    /// <summary>Most lines before the header.</summary>
    public const int MaxSkippedRows = 1_000;

    /// <summary>Most columns that a profile names.</summary>
    public const int MaxColumns = 2 * ContractLimits.Fields;

    /// <summary>Longest name of a column.</summary>
    public const int MaxColumnLength = 1_000;

    /// <summary>Encodings of CSV bodies, by the names that IANA gives them.</summary>
    public static IReadOnlyList<string> Encodings { get; } = ["utf-8", "utf-16", "utf-16le", "utf-16be", "windows-1252", "iso-8859-1", "iso-8859-15"];

    private static readonly FrozenSet<string> s_delimiters = FrozenSet.Create(StringComparer.Ordinal, ";", ",", "|", "\t");
    private static readonly FrozenSet<string> s_decimals = FrozenSet.Create(StringComparer.Ordinal, ".", ",");
    private static readonly FrozenSet<string> s_groups = FrozenSet.Create(StringComparer.Ordinal, ".", ",", " ", "'", "’");

    /// <returns>What is wrong, with the member's name before it; null: nothing.</returns>
    public static LocalText? Fault(CsvProfile profile, TableSchema schema)
    {
        if (profile.Delimiter is { } delimiter && !s_delimiters.Contains(delimiter)) return new("csv.delimiter: „;“, „,“, „|“ oder ein Tabulator.", "csv.delimiter: “;”, “,”, “|” or a tab.");
        if (profile.Encoding is { } encoding && !Encodings.Contains(encoding, StringComparer.OrdinalIgnoreCase))
            return new($"csv.encoding: eine von {string.Join(", ", Encodings)}.", $"csv.encoding: one of {string.Join(", ", Encodings)}.");
        if (profile.DecimalChar is { } point && !s_decimals.Contains(point)) return new("csv.decimalChar: „.“ oder „,“.", "csv.decimalChar: “.” or “,”.");
        if (profile.GroupChar is { } group && (!s_groups.Contains(group) || group == (profile.DecimalChar ?? ".")))
            return new("csv.groupChar: Punkt, Komma, Leerzeichen oder Apostroph, und nicht dasselbe wie decimalChar (ohne Angabe der Punkt).", "csv.groupChar: a point, comma, space or apostrophe, and not the same as decimalChar (a point where it is not named).");
        if (FormatFault("csv.dateFormat", profile.DateFormat, FieldType.Date) is { } date) return date;
        if (FormatFault("csv.dateTimeFormat", profile.DateTimeFormat, FieldType.DateTime) is { } instant) return instant;
        if (WordsFault("csv.nullValues", profile.NullValues) is { } nulls) return nulls;
        if (WordsFault("csv.trueValues", profile.TrueValues) is { } yes) return yes;
        if (WordsFault("csv.falseValues", profile.FalseValues) is { } no) return no;
        if (profile.TrueValues is null != profile.FalseValues is null || profile.TrueValues is { Length: 0 } || profile.FalseValues is { Length: 0 }
            || (profile.TrueValues is { } t && t.Intersect(profile.FalseValues!, StringComparer.Ordinal).Any()))
        {
            return new("csv.trueValues und csv.falseValues stehen zusammen, haben je einen Wert und keinen gemeinsamen.", "csv.trueValues and csv.falseValues stand together, have a value each and none in common.");
        }

        if (profile.SkipRows is < 0 or > MaxSkippedRows) return new($"csv.skipRows: 0 bis {MaxSkippedRows}.", $"csv.skipRows: 0 to {MaxSkippedRows}.");
        return ColumnsFault(profile, schema);
    }

    private static LocalText? ColumnsFault(CsvProfile profile, TableSchema schema)
    {
        if (profile.Header.Length > MaxColumns || profile.Ignore.Length > MaxColumns)
            return new($"csv.header und csv.ignore nennen je höchstens {MaxColumns} Spalten.", $"csv.header and csv.ignore name at most {MaxColumns} columns each.");
        if (profile.Header.Select(c => c.Column).Concat(profile.Ignore).Any(name => name.Length is 0 or > MaxColumnLength))
            return new($"csv.header, csv.ignore: Der Name einer Spalte hat 1 bis {MaxColumnLength} Zeichen.", $"csv.header, csv.ignore: the name of a column has 1 to {MaxColumnLength} characters.");

        var fields = schema.Fields.Select(f => f.Name).Append("@delete").ToHashSet(StringComparer.Ordinal);
        var columns = new HashSet<string>(StringComparer.Ordinal);
        var mapped = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (column, field) in profile.Header)
        {
            if (!fields.Contains(field))
                return new($"csv.header: „{column}“ zeigt auf „{field}“; dieses Feld hat der Vertrag nicht.", $"csv.header: “{column}” maps to “{field}”; the contract has no such field.");
            if (!columns.Add(column)) return new($"csv.header: „{column}“ steht zweimal da.", $"csv.header: “{column}” stands there twice.");
            if (!mapped.TryAdd(field, column))
                return new($"csv.header: „{mapped[field]}“ und „{column}“ zeigen beide auf „{field}“.", $"csv.header: “{mapped[field]}” and “{column}” both map to “{field}”.");
            if (profile.Ignore.Contains(column, StringComparer.Ordinal))
                return new($"csv.ignore: „{column}“ ist in csv.header einem Feld zugeordnet.", $"csv.ignore: “{column}” is mapped to a field in csv.header.");
        }

        return null;
    }

    private static LocalText? FormatFault(string member, string? format, FieldType type)
    {
        if (format is null) return null;
        if (format.Length > ContractLimits.PatternLength) return new($"{member}: höchstens {ContractLimits.PatternLength} Zeichen.", $"{member}: at most {ContractLimits.PatternLength} characters.");
        try
        {
            StrptimePattern.Compile(format, type);
            return null;
        }
        catch (FormatException e)
        {
            return new($"{member}: „{format}“ ist nicht zu lesen oder unvollständig: {e.Message}", $"{member}: “{format}” is not readable or not complete: {e.Message}");
        }
    }

    private static LocalText? WordsFault(string member, string[]? words) =>
        words is not null && (words.Length > ContractLimits.Words || words.Any(w => w.Length > ContractLimits.WordLength))
            ? new($"{member}: höchstens {ContractLimits.Words} Werte zu je höchstens {ContractLimits.WordLength} Zeichen.", $"{member}: at most {ContractLimits.Words} values of at most {ContractLimits.WordLength} characters each.")
            : null;
}
