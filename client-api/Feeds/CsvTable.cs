using System.Text;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>What the lines before the first row of a CSV text say, together with the feed's profile.</summary>
/// <param name="Columns">Names as they stand in the header.</param>
/// <param name="Fields">Per column the field that it means; null where it is passed over.</param>
/// <param name="Start">Where the first row begins, in bytes.</param>
/// <param name="Profile">How the feed writes CSV; null: nothing is said.</param>
internal sealed record CsvTable(byte Delimiter, string[] Columns, string?[] Fields, int Start, CsvProfile? Profile)
{
    // Of this thread's last push: most feeds send the same header every time.
    [ThreadStatic] private static Opened? t_last;

    /// <summary>Longer headers are read anew each time.</summary>
    private const int LongestKept = 64 << 10;

    /// <summary>The column that retracts, and the one that the hub itself adds when it gives rows out.</summary>
    public const string Delete = "@delete", Area = "@area";

    /// <summary>
    /// A semicolon stands between cells where the comma is the decimal separator: then German numbers and dates are read
    /// too, unless the profile or the contract names a form of its own.
    /// </summary>
    public bool IsGerman => Delimiter == ';' && Profile is null or { DecimalChar: null, GroupChar: null };

    /// <summary>Per column how its cells are read; null where the column is no field of the contract.</summary>
    public required CsvColumnReader?[] Readers { get; init; }

    /// <returns>Null, and the reason, where the header is not one.</returns>
    public static CsvTable? Open(ReadOnlySpan<byte> text, CompiledContract contract, CsvProfile? profile, IngestOptions options, out UndecodableBody? refusal)
    {
        refusal = null;
        if (t_last is { } last && last.Contract == contract && last.Profile == profile && last.Options == options && text.StartsWith(last.Head)) return last.Table;
        var table = Read(text, contract, profile, options, out refusal);
        // In quotes a header may look otherwise by what follows it, and after a CR an LF may follow.
        if (table is { Start: > 0 and <= LongestKept } && text[table.Start - 1] == '\n' && !text[..table.Start].Contains((byte)'"'))
            t_last = new(text[..table.Start].ToArray(), contract, profile, options, table);
        return table;
    }

    private static CsvTable? Read(ReadOnlySpan<byte> text, CompiledContract contract, CsvProfile? profile, IngestOptions options, out UndecodableBody? refusal)
    {
        var start = 0;
        for (var line = 0; line < (profile?.SkipRows ?? 0) && start < text.Length; line++) start = NextLine(text, start);
        var delimiter = profile?.Delimiter is { } named ? (byte?)named[0] : null;
        // What Excel writes to tell itself.
        var first = text[start..];
        if (first.Length >= 5 && first.StartsWith("sep="u8) && CsvRecords.Delimiters.Contains(first[4]) && (first.Length == 5 || first[5] is (byte)'\r' or (byte)'\n'))
        {
            delimiter ??= first[4];
            start = NextLine(text, start);
        }

        delimiter ??= Detect(text[start..], contract, profile, options);
        var records = new CsvRecords(text[start..], delimiter.Value);
        var columns = ReadHeader(ref records, options, out refusal);
        if (refusal is not null) return null;
        var fields = Map(columns, contract, profile, out refusal);
        return refusal is null ? New(delimiter.Value, columns, fields, start + records.Next, profile, contract) : null;
    }

    private static CsvTable New(byte delimiter, string[] columns, string?[] fields, int start, CsvProfile? profile, CompiledContract contract)
    {
        var table = new CsvTable(delimiter, columns, fields, start, profile) { Readers = new CsvColumnReader?[fields.Length] };
        for (var i = 0; i < fields.Length; i++)
            if (fields[i] is { } field && contract.OrdinalOf(field) is >= 0 and var ordinal) table.Readers[i] = new(contract.Fields[ordinal], table);
        return table;
    }

    private static int NextLine(ReadOnlySpan<byte> text, int start)
    {
        var end = text[start..].IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0) return text.Length;
        start += end;
        return start + (text[start..].StartsWith("\r\n"u8) ? 2 : 1);
    }

    /// <summary>The delimiter under which most columns of the header are fields.</summary>
    private static byte Detect(ReadOnlySpan<byte> text, CompiledContract contract, CsvProfile? profile, IngestOptions options)
    {
        var (best, most) = (CsvRecords.Delimiters[0], 0);
        foreach (var delimiter in CsvRecords.Delimiters)
        {
            var records = new CsvRecords(text, delimiter);
            var columns = ReadHeader(ref records, options, out var refusal);
            var known = refusal is null ? columns.Count(column => IsKnown(contract, FieldOf(column, profile))) : 0;
            if (known > most) (best, most) = (delimiter, known);
        }

        return best;
    }

    private static string[] ReadHeader(ref CsvRecords records, IngestOptions options, out UndecodableBody? refusal)
    {
        refusal = null;
        if (!records.Read() || records.IsBlank)
        {
            refusal = Invalid("Die erste Zeile mit den Feldnamen fehlt.", "The first line with the fields' names is missing.");
            return [];
        }

        if (records.Broken is { } broken)
        {
            refusal = Invalid($"Die Anführungszeichen der Kopfzeile gehen ab Byte {broken} nicht auf.", $"The quotes of the header do not match from byte {broken}.");
            return [];
        }

        if (records.Count > options.MaxColumns)
        {
            refusal = PushDecoder.TooManyColumns(records.Count, options);
            return [];
        }

        var header = new string[records.Count];
        for (var i = 0; i < header.Length; i++)
        {
            var name = records.LengthOf(i) > 4 * CsvProfileCheck.MaxColumnLength ? new string('…', CsvProfileCheck.MaxColumnLength)
                : Encoding.UTF8.GetString(records.Get(i, new byte[records.LengthOf(i)])).Trim();
            header[i] = name.Length > CsvProfileCheck.MaxColumnLength ? name[..CsvProfileCheck.MaxColumnLength] : name;
            if (name.Length == 0) refusal ??= Invalid($"Spalte {i + 1} der Kopfzeile hat keinen Namen.", $"Column {i + 1} of the header has no name.");
        }

        return header;
    }

    private static string?[] Map(string[] columns, CompiledContract contract, CsvProfile? profile, out UndecodableBody? refusal)
    {
        refusal = null;
        var fields = new string?[columns.Length];
        var from = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < columns.Length; i++)
        {
            if (profile?.Ignore.Contains(columns[i], StringComparer.Ordinal) == true) continue;
            var field = fields[i] = FieldOf(columns[i], profile);
            if (from.TryAdd(field, columns[i])) continue;
            refusal = from[field] == columns[i]
                ? Invalid($"Die Spalte „{columns[i]}“ steht zweimal in der Kopfzeile.", $"The column \"{columns[i]}\" stands in the header twice.")
                : Invalid($"Die Spalten „{from[field]}“ und „{columns[i]}“ meinen beide das Feld „{field}“.", $"The columns \"{from[field]}\" and \"{columns[i]}\" both mean the field \"{field}\".");
            return fields;
        }

        // A file without a header: its first row may hold anything, so nothing of it is told.
        if (!fields.Any(field => IsKnown(contract, field)))
        {
            refusal = Invalid(
                "Keine Spalte der ersten Zeile ist ein Feld des Datensatzes. Fehlt die Kopfzeile, oder fehlt der Datenquelle ein Profil (csv.header, csv.skipRows)?",
                "No column of the first line is a field of the dataset. Is the header missing, or does the feed need a profile (csv.header, csv.skipRows)?");
        }

        return fields;
    }

    private static string FieldOf(string column, CsvProfile? profile)
    {
        foreach (var mapped in profile?.Header ?? [])
            if (mapped.Column == column) return mapped.Field;
        return column;
    }

    private static bool IsKnown(CompiledContract contract, string? field) => field is Delete or Area || (field is not null && contract.OrdinalOf(field) >= 0);

    private static UndecodableBody Invalid(string de, string en) => new(ProblemTypes.InvalidCsv, new(de, en), ("line", 1));

    /// <summary>What a header was read as.</summary>
    private sealed record Opened(byte[] Head, CompiledContract Contract, CsvProfile? Profile, IngestOptions Options, CsvTable Table);
}
