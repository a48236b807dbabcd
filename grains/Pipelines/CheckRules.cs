using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;

using static DataHub.Pipelines.SqlText;

namespace DataHub.Pipelines;

/// <summary>
/// Rules of a check as questions in SQL, each with one row as its answer: how many rows do not keep it, and one value that
/// does not. What a contract would make of the rows is asked beside the engine. Pure.
/// </summary>
internal static class CheckRules
{
    private const int LongestExample = 60;

    /// <summary>The questions, one for each rule and in their order.</summary>
    /// <param name="tables">Columns by table.</param>
    /// <exception cref="StepException">A rule names a column that is not there, or that has no order.</exception>
    public static IReadOnlyList<CheckQuestion> Questions(CheckStep check, IReadOnlyDictionary<string, TableColumn[]> tables) =>
        [.. check.Rules.Select(rule => new CheckQuestion(rule, rule.Contract is null ? Sql(rule, check.Input, tables) : null))];

    /// <summary>What the answer to a question says, for people; null: the rule is kept.</summary>
    /// <param name="answer">One row: <c>bad</c> and <c>example</c>; with <see cref="CheckRule.Rows"/> and <see cref="CheckRule.Drift"/> <c>bad</c> is what was measured.</param>
    /// <param name="before">What the last complete run measured; null: there is none.</param>
    /// <param name="withExample">Whether a value may be told.</param>
    public static StepNote? Answer(CheckQuestion question, RowBlock? answer, double? before, bool withExample = true)
    {
        var rule = question.Rule;
        var severity = rule.Severity == "warn" ? "warning" : "error";
        if (rule.Drift is { } drift)
        {
            var now = Measured(answer);
            if (before is null or 0 || now is null) return null;
            var moved = Math.Abs(now.Value - before.Value) / Math.Abs(before.Value);
            if (moved <= drift) return null;
            var what = rule.Column is null ? new LocalText("Die Zahl der Zeilen", "The number of rows") : new($"Das Mittel von „{rule.Column}“", $"The mean of “{rule.Column}”");
            return Note(
                $"{what.De} weicht um {Share(moved, "de")} vom letzten vollständigen Lauf ab ({Number(now.Value)} statt {Number(before.Value)}); erlaubt sind {Share(drift, "de")}.",
                $"{what.In("en")} differs by {Share(moved, "en")} from the last complete run ({Number(now.Value)} instead of {Number(before.Value)}); {Share(drift, "en")} is allowed.");
        }

        if (rule.Rows is { } range)
        {
            var rows = Measured(answer) ?? 0;
            return !(rows < range.Minimum) && !(rows > range.Maximum) ? null : Note(
                $"Die Tabelle hat {Number(rows)} Zeilen; erwartet werden {Range(range, "de")}.", $"The table has {Number(rows)} rows; {Range(range, "en")} are expected.");
        }

        var bad = (long)(Measured(answer) ?? 0);
        if (bad == 0) return null;
        var example = !withExample ? RowError.Masked : answer!.Columns.Length > 1 && answer.Columns[1].Texts![0] is { } text ? Short(text) : null;
        var (de, en) = rule switch
        {
            { Required: true } => ($"In {Rows(bad, "de")} fehlt „{rule.Column}“.", $"“{rule.Column}” is missing in {Rows(bad, "en")}."),
            { Enum: not null } => ($"In {Rows(bad, "de")} hat „{rule.Column}“ keinen der erlaubten Werte, zum Beispiel „{example}“.", $"In {Rows(bad, "en")} “{rule.Column}” has none of the allowed values, for example “{example}”."),
            { Pattern: { } pattern } => ($"In {Rows(bad, "de")} passt „{rule.Column}“ nicht zum Muster {pattern}, zum Beispiel „{example}“.", $"In {Rows(bad, "en")} “{rule.Column}” does not match the pattern {pattern}, for example “{example}”."),
            { Unique: { } columns } => ($"{bad} Zeilen haben in {string.Join(", ", columns)} dasselbe wie eine andere, zum Beispiel „{example}“.", $"{bad} rows have the same in {string.Join(", ", columns)} as another, for example “{example}”."),
            { References: { } references } => ($"In {Rows(bad, "de")} steht in „{rule.Column}“, was in {references.Table}.{references.Column} nicht vorkommt, zum Beispiel „{example}“.", $"In {Rows(bad, "en")} “{rule.Column}” has what does not occur in {references.Table}.{references.Column}, for example “{example}”."),
            { Sql: { } condition } => ($"In {Rows(bad, "de")} gilt nicht: {condition}", $"In {Rows(bad, "en")} this does not hold: {condition}"),
            _ => ($"In {Rows(bad, "de")} liegt „{rule.Column}“ außerhalb von {Range(new() { Minimum = rule.Minimum, Maximum = rule.Maximum }, "de")}, zum Beispiel {example}.",
                $"In {Rows(bad, "en")} “{rule.Column}” is outside of {Range(new() { Minimum = rule.Minimum, Maximum = rule.Maximum }, "en")}, for example {example}."),
        };
        return Note(de, en);

        StepNote Note(string german, string english) => new(severity, new(german, english));
    }

    /// <summary>What a contract makes of the rows, for people; it always says by which version.</summary>
    /// <param name="withExample">Whether a value may be told; those of personal fields never are.</param>
    public static StepNote Answer(CheckRule rule, RowsTried tried, bool withExample = true)
    {
        var (de, en) = tried.AreaSystem is { } system
            ? ($"nach Fassung {tried.Contract} des Vertrags von „{rule.Contract}“ (Gebiete „{system}“ in Fassung {tried.AreaVersion})", $"by version {tried.Contract} of the contract of “{rule.Contract}” (areas “{system}” in version {tried.AreaVersion})")
            : ($"nach Fassung {tried.Contract} des Vertrags von „{rule.Contract}“", $"by version {tried.Contract} of the contract of “{rule.Contract}”");
        if (tried.IsKept) return new("info", new($"Keine Zeile ginge {de} in die Quarantäne.", $"No row would go to quarantine {en}."));
        var severity = rule.Severity == "warn" ? "warning" : "error";
        if (tried.Refusal is { } refusal) return new(severity, new($"Keine Zeile ginge {de} hinein. {refusal.De}", $"No row would go in {en}. {refusal.In("en")}"));
        var first = tried.First!;
        var place = first.Field is { } field ? $" {first.Row}, {field}" : $" {first.Row}";
        return new(severity, new(
            $"{Rows(tried.Quarantined, "de")} {(tried.Quarantined == 1 ? "ginge" : "gingen")} {de} in die Quarantäne, zum Beispiel Zeile{place}: {Reason("de")}.",
            $"{Rows(tried.Quarantined, "en")} would go to quarantine {en}, for example row{place}: {Reason("en")}."));

        string Reason(string language)
        {
            // What was expected may have been said by another field of the row.
            if (!withExample) return $"{first.Code}, {RowError.Masked}";
            var value = first.Value is not { } text ? "" : $", {(language == "de" ? "„" : "“")}{Short(text)}{(language == "de" ? "“" : "”")}";
            return $"{first.Code} ({RowErrorCodes.Detail(first).In(language)}){value}";
        }
    }

    /// <summary>What a question that measures has measured.</summary>
    public static double? Measured(RowBlock? answer) =>
        answer is null || answer.Columns[0].IsNull(0) ? null : answer.Columns[0].AsNumber(0);

    private static string Sql(CheckRule rule, string input, IReadOnlyDictionary<string, TableColumn[]> tables)
    {
        var table = Name(input);
        if (rule.Rows is not null || rule is { Drift: not null, Column: null }) return $"SELECT count(*) AS bad FROM {table}";
        if (rule.Sql is { } condition) return $"SELECT count(*) AS bad FROM {table} WHERE ({condition}\n) IS NOT TRUE";
        if (rule.Unique is { } unique)
        {
            string[] columns = [.. unique.Select(column => Name(Found(input, column).Name))];
            var keys = string.Join(", ", columns);
            // Groups hold their key and a number only: DuckDB puts these on disk where they are too many, but not a text for each.
            string[] named = [.. columns.Select((_, at) => string.Create(CultureInfo.InvariantCulture, $"k{at}"))];
            var example = string.Join(" || ' · ' || ", named.Select(key => $"coalesce(CAST({key} AS VARCHAR), '–')"));
            return $"SELECT coalesce(CAST(sum(n) AS BIGINT), 0) AS bad, min({example}) AS example FROM (SELECT {keys}, count(*) FROM {table} GROUP BY {keys} HAVING count(*) > 1) AS repeated({string.Join(", ", named)}, n)";
        }

        var found = Found(input, rule.Column!);
        var name = Name(found.Name);
        if (rule.Drift is not null) return $"SELECT avg(CAST({name} AS DOUBLE)) AS bad FROM {table}";
        var bad = rule switch
        {
            { Required: true } => $"{name} IS NULL" + (found.Type == FieldType.String ? $" OR {name} = ''" : ""),
            { Enum: { } allowed } => $"CAST({name} AS VARCHAR) NOT IN ({string.Join(", ", allowed.Select(Literal))})",
            { Pattern: { } pattern } => $"NOT regexp_full_match(CAST({name} AS VARCHAR), {Literal(pattern)})",
            { References: { } references } => $"{name} IS NOT NULL AND {name} NOT IN (SELECT {Name(Found(references.Table, references.Column).Name)} FROM {Name(references.Table)} WHERE {Name(references.Column)} IS NOT NULL)",
            _ => Outside(rule, found, name),
        };
        return $"SELECT count(*) AS bad, min(CAST({name} AS VARCHAR)) AS example FROM {table} WHERE {bad}";

        TableColumn Found(string of, string column) =>
            tables.TryGetValue(of, out var columns) && Array.Find(columns, one => string.Equals(one.Name, column, StringComparison.OrdinalIgnoreCase)) is { } there
                ? there
                : throw new StepException(new(
                    $"Die Tabelle „{of}“ hat keine Spalte „{column}“; sie hat: {string.Join(", ", columns?.Select(one => one.Name) ?? [])}.",
                    $"The table “{of}” has no column “{column}”; it has: {string.Join(", ", columns?.Select(one => one.Name) ?? [])}."));
    }

    private static string Outside(CheckRule rule, TableColumn column, string name)
    {
        if (column.Type is not (FieldType.Number or FieldType.Integer))
            throw new StepException(new($"„{column.Name}“ ist keine Zahl; minimum und maximum gelten für Zahlen.", $"“{column.Name}” is no number; minimum and maximum are for numbers."));
        return string.Join(" OR ", new[] { rule.Minimum is { } least ? $"{name} < {Number(least)}" : null, rule.Maximum is { } most ? $"{name} > {Number(most)}" : null }.OfType<string>());
    }

    private static string Short(string text) => text.Length <= LongestExample ? text : text[..(LongestExample - 1)] + "…";

    private static string Number(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private static string Rows(long count, string language) => (count, language) switch
    {
        (1, "de") => "1 Zeile",
        (1, _) => "1 row",
        (_, "de") => $"{count} Zeilen",
        _ => $"{count} rows",
    };

    private static string Share(double share, string language) => share.ToString("P1", CultureInfo.GetCultureInfo(language));

    private static string Range(CheckRange range, string language) => (range.Minimum, range.Maximum) switch
    {
        ({ } least, { } most) => language == "de" ? $"{Number(least)} bis {Number(most)}" : $"{Number(least)} to {Number(most)}",
        ({ } least, null) => language == "de" ? $"mindestens {Number(least)}" : $"at least {Number(least)}",
        (null, { } most) => language == "de" ? $"höchstens {Number(most)}" : $"at most {Number(most)}",
        _ => "–",
    };
}

/// <summary>One rule, and the statement that asks whether it is kept.</summary>
/// <param name="Sql">Null: the contract of a dataset is asked instead.</param>
internal sealed record CheckQuestion(CheckRule Rule, string? Sql);
