using System.Globalization;
using System.Text.RegularExpressions;

using DataHub.Catalog;

using DuckDB.NET.Data;

namespace DataHub.Pipelines;

/// <summary>What somebody is told whose SQL gives nothing. Names of the statement may occur in it, values of rows may not.</summary>
internal static partial class SqlProblems
{
    private const int LongestName = 100, LongestDetail = 500;

    public static SqlRefusedException NotASelect() => new(SqlRefusal.NotASelect, new(
        "Erlaubt ist genau eine SELECT-Anweisung (oder WITH … SELECT). Anweisungen, die etwas anlegen, ändern, laden oder anzeigen, sind es nicht. PIVOT braucht die Liste seiner Werte: PIVOT … ON spalte IN (…), und steht in FROM.",
        "Exactly one SELECT statement (or WITH … SELECT) is allowed; statements that create, change, load or show something are not. PIVOT needs the list of its values: PIVOT … ON column IN (…), and stands in FROM."));

    public static SqlRefusedException NotOneStatement(int count) => new(SqlRefusal.NotASelect, new(
        $"Hier stehen {count} Anweisungen; erlaubt ist genau eine SELECT-Anweisung.", $"There are {count} statements here; exactly one SELECT statement is allowed."));

    public static SqlRefusedException TooLong(int length) => new(SqlRefusal.Invalid, new(
        $"Die Anweisung hat {length} Zeichen; erlaubt sind {SqlGuard.LongestStatement}. Lange Listen gehören in eine Eingangstabelle.",
        $"The statement has {length} characters; {SqlGuard.LongestStatement} are allowed. Long lists belong into an input table."));

    public static SqlRefusedException TooDeep() => new(SqlRefusal.Invalid, new(
        "Die Anweisung ist zu tief verschachtelt. Zwischenergebnisse mit WITH benennen.", "The statement is nested too deeply. Name intermediate results with WITH."));

    public static SqlRefusedException LoneSurrogate() => new(SqlRefusal.Invalid, new(
        "Die Anweisung enthält halbe Zeichen (einzelne UTF-16-Ersatzzeichen) oder das Zeichen 0. Diese Stelle neu schreiben.",
        "The statement contains half characters (lone UTF-16 surrogates) or the character 0. Write that place anew."));

    public static SqlRefusedException Collation() => new(SqlRefusal.Invalid, new(
        "COLLATE ist nicht erlaubt: Texte sind nach Zeichennummern geordnet. lower(spalte) vergleicht ohne Groß und Klein.",
        "COLLATE is not allowed: texts are in the order of code points. lower(column) compares whatever the case."));

    public static SqlRefusedException Sample() => new(SqlRefusal.FunctionForbidden, new(
        "Stichproben (TABLESAMPLE, USING SAMPLE) sind nicht erlaubt: Gleiche Zeilen müssen gleiche Ergebnisse geben.",
        "Samples (TABLESAMPLE, USING SAMPLE) are not allowed: equal rows must give equal results."));

    public static SqlRefusedException UnknownPart(string kind) => new(SqlRefusal.Invalid, new(
        $"Die Anweisung enthält etwas, das hier nicht erlaubt ist ({kind}).", $"The statement contains something that is not allowed here ({kind})."));

    public static SqlRefusedException Keyword(string word, int position) => new(SqlRefusal.FunctionForbidden, new(
        $"„{Name(word)}“{PlaceDe(position)} liest Uhr, Benutzer oder System und ist nicht erlaubt. Ist eine Spalte gemeint, den Namen der Tabelle davor schreiben: tabelle.\"{Name(word)}\".",
        $"“{Name(word)}”{PlaceEn(position)} reads the clock, the user or the system and is not allowed. If a column is meant, put the table's name before it: table.\"{Name(word)}\"."));

    public static SqlRefusedException Function(string name, int position) => new(SqlRefusal.FunctionForbidden, new(
        $"Die Funktion „{Name(name)}“{PlaceDe(position)} ist nicht erlaubt oder nicht bekannt. Erlaubt sind Funktionen, die nur von ihren Argumenten abhängen, nicht von Uhr, Zufall, Dateien, Netz oder Einstellungen, ohne Schema davor.",
        $"The function “{Name(name)}”{PlaceEn(position)} is not allowed or not known. Allowed are functions that depend on their arguments only, not on clock, chance, files, network or settings, without a schema before them."));

    public static SqlRefusedException Table(string name, int position, IEnumerable<string> known)
    {
        var list = string.Join(", ", known.Order(StringComparer.Ordinal).Take(20).Select(Name));
        return new(SqlRefusal.TableForbidden, new(
            $"Die Tabelle „{Name(name)}“{PlaceDe(position)} gehört nicht zu den Eingängen dieses Schritts. Es gibt: {list}.",
            $"The table “{Name(name)}”{PlaceEn(position)} is not among the inputs of this step. There are: {list}."));
    }

    public static SqlRefusedException ColumnType(string column, string type) => new(SqlRefusal.Invalid, new(
        $"Die Ergebnisspalte „{Name(column)}“ hat den Typ {Name(type)}, der nicht weitergegeben werden kann. CAST(… AS VARCHAR) macht Text daraus.",
        $"The result's column “{Name(column)}” has the type {Name(type)}, which cannot be passed on. CAST(… AS VARCHAR) makes it a text."));

    public static SqlRefusedException ColumnName(string column) => new(SqlRefusal.Invalid, new(
        $"Der Name der Ergebnisspalte „{Name(column)}“ ist leer, länger als {TableColumn.LongestName} Zeichen oder kommt mehrfach vor. Mit AS einen anderen geben.",
        $"The name of the result's column “{Name(column)}” is empty, longer than {TableColumn.LongestName} characters or occurs more than once. Give another with AS."));

    public static SqlRefusedException TooLarge(string column) => new(SqlRefusal.Failed, new(
        $"In der Ergebnisspalte „{Name(column)}“ steht eine ganze Zahl, die nicht in 64 Bit passt. CAST(… AS DOUBLE) rechnet gerundet weiter.",
        $"The result's column “{Name(column)}” has an integer that does not fit 64 bits. CAST(… AS DOUBLE) goes on with rounded numbers."));

    public static SqlRefusedException Infinite(string column) => new(SqlRefusal.Failed, new(
        $"In der Ergebnisspalte „{Name(column)}“ steht eine unendliche Zahl, meist aus einer Division durch 0. NULLIF(teiler, 0) gibt dort NULL.",
        $"The result's column “{Name(column)}” has an infinite number, mostly of a division by 0. NULLIF(divisor, 0) gives NULL there."));

    public static SqlRefusedException OutsideCalendar(string column) => new(SqlRefusal.Failed, new(
        $"In der Ergebnisspalte „{Name(column)}“ steht ein Zeitpunkt außerhalb der Jahre 1 bis 9999 oder die Uhrzeit 24:00.",
        $"The result's column “{Name(column)}” has a time outside the years 1 to 9999, or the time of day 24:00."));

    public static SqlRefusedException TooManyRows(long allowed) => new(SqlRefusal.TooManyRows, new(
        $"Das Ergebnis hat mehr als die erlaubten {allowed} Zeilen. Mit WHERE eingrenzen oder mit GROUP BY zusammenfassen.",
        $"The result has more than the {allowed} rows allowed. Narrow it with WHERE or sum it up with GROUP BY."));

    public static SqlRefusedException OutOfTime(TimeSpan allowed) => new(SqlRefusal.OutOfTime, new(
        $"Die Berechnung dauerte länger als die erlaubten {Seconds(allowed, "de")} Sekunden. Weniger Zeilen einlesen oder Verknüpfungen ohne Bedingung vermeiden.",
        $"The computation took longer than the {Seconds(allowed, "en")} seconds allowed. Read fewer rows or avoid joins without a condition."));

    public static SqlRefusedException OutOfMemory() => new(SqlRefusal.OutOfMemory, new(
        "Die Berechnung brauchte mehr Speicher oder Platz auf der Platte als erlaubt. Weniger Zeilen oder Spalten einlesen, früher filtern, Listen und lange Texte vermeiden.",
        "The computation needed more memory or disk than allowed. Read fewer rows or columns, filter earlier, avoid lists and long texts."));

    /// <summary>What DuckDB's parser did not take.</summary>
    /// <param name="before">Characters that stand before the statement in what was parsed.</param>
    public static SqlRefusedException OfParser(string? type, string? message, string? position, int before)
    {
        if (type == "not implemented") return NotASelect();
        if (message is not null && message.Contains("depth", StringComparison.OrdinalIgnoreCase)) return TooDeep();
        var at = int.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place + 1 - before : 0;
        return new(SqlRefusal.Invalid, new($"Die Anweisung ist kein gültiges SQL{PlaceDe(at)}: {Detail(message)}", $"The statement is not valid SQL{PlaceEn(at)}: {Detail(message)}"));
    }

    /// <summary>What DuckDB said, or null where it is the hub's fault and not that of the statement.</summary>
    /// <param name="linesBefore">Lines that stand before the statement in what was run.</param>
    public static SqlRefusedException? Of(DuckDBException e, int linesBefore)
    {
        var message = e.Message;
        var line = LineOf().Match(message) is { Success: true } found ? int.Parse(found.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - linesBefore : 0;
        var (de, en) = line > 0 ? ($" in Zeile {line}", $" in line {line}") : ("", "");
        if (message.Contains("bad_alloc", StringComparison.Ordinal)) return OutOfMemory();
        // DuckDB says the kind of an error only in the words before the first colon.
        var kind = message[..Math.Max(0, message.IndexOf(" Error:", StringComparison.Ordinal))];
        switch (kind)
        {
            case "Out of Memory" or "IO" or "Object Size":
                return OutOfMemory();
            case "Parser" or "Syntax" or "Binder" or "Catalog" or "Not implemented" or "Parameter Not Allowed" or "Parameter Not Resolved" or "Expression":
                if (message.Contains("depth", StringComparison.OrdinalIgnoreCase)) return TooDeep();
                return new(SqlRefusal.Invalid, new($"Die Anweisung passt nicht zu ihren Tabellen{de}: {Detail(message)}", $"The statement does not fit its tables{en}: {Detail(message)}"));
            case "Permission":
                return UnknownPart(kind);
            case "FATAL" or "INTERNAL" or "Connection" or "INTERRUPT" or "":
                return null;
            default:
                // These messages quote the value that did not fit; only names of types and columns are taken from them.
                var type = TypeOf().Match(message) is { Success: true } target ? target.Groups[1].Value : null;
                var column = ColumnOf().Match(message) is { Success: true } source ? Name(source.Groups[1].Value) : null;
                var (whatDe, whatEn) = kind switch
                {
                    "Conversion" => ("lässt sich nicht umwandeln. TRY_CAST gibt stattdessen NULL.", "cannot be converted. TRY_CAST gives NULL instead."),
                    "Out of Range" => ("ist zu groß für seinen Typ. Vorher in DOUBLE oder einen größeren Typ umwandeln (CAST).", "is too large for its type. Convert to DOUBLE or a larger type before (CAST)."),
                    _ => ("lässt sich nicht berechnen. TRY(…) gibt stattdessen NULL.", "cannot be computed. TRY(…) gives NULL instead."),
                };
                var (toDe, toEn) = (type is null ? "" : $" (Zieltyp {type})", type is null ? "" : $" (target type {type})");
                var (ofDe, ofEn) = (column is null ? "" : $" der Spalte „{column}“", column is null ? "" : $" of the column “{column}”");
                return new(SqlRefusal.Failed, new($"Ein Wert{ofDe}{de}{toDe} {whatDe}", $"A value{ofEn}{en}{toEn} {whatEn}"));
        }
    }

    private static string PlaceDe(int position) => position > 0 ? $" an Stelle {position}" : "";

    private static string PlaceEn(int position) => position > 0 ? $" at position {position}" : "";

    private static string Seconds(TimeSpan time, string language) => time.TotalSeconds.ToString("0.#", CultureInfo.GetCultureInfo(language));

    private static string Name(string name) => name.Length <= LongestName ? name : string.Concat(name.AsSpan(0, char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName), "…");

    /// <summary>What DuckDB says before it repeats the statement, on one line and without folders.</summary>
    private static string Detail(string? message)
    {
        message ??= "";
        var end = message.IndexOf("\n\nLINE", StringComparison.Ordinal);
        if (end >= 0) message = message[..end];
        var kind = message.IndexOf(" Error: ", StringComparison.Ordinal);
        var detail = message[(kind is > 0 and < 30 ? kind + " Error: ".Length : 0)..].Replace(Environment.CurrentDirectory, "…", StringComparison.Ordinal).ReplaceLineEndings(" ").Trim();
        return detail.Length <= LongestDetail ? detail : detail[..LongestDetail] + "…";
    }

    [GeneratedRegex(@"^LINE (\d{1,6}):", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex LineOf();

    [GeneratedRegex(@"(?:\bto|destination type) (?:type )?((?:U?INT\d+|U?HUGEINT|[A-Z]*INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL|BOOL(?:EAN)?|DATE|TIME|TIMESTAMP|INTERVAL)\b)", RegexOptions.CultureInvariant)]
    private static partial Regex TypeOf();

    [GeneratedRegex(@"from source column (\S+)", RegexOptions.CultureInvariant)]
    private static partial Regex ColumnOf();
}
