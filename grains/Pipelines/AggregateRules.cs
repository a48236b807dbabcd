using System.Globalization;

using DataHub.Catalog;

using static DataHub.Pipelines.SqlText;

namespace DataHub.Pipelines;

/// <summary>Aggregates (<see cref="AggregateStep"/>) as statements in SQL, and the columns that come of them. Pure.</summary>
internal static class AggregateRules
{
    public static readonly string[] Functions = ["count", "countDistinct", "sum", "mean", "min", "max", "median", "quantile"];

    public static readonly string[] Units = ["year", "quarter", "month", "week", "day", "hour"];

    /// <summary>The columns of the step's table.</summary>
    /// <exception cref="StepException">A column is missing, or of a type that the function is not for.</exception>
    public static TableColumn[] Columns(AggregateStep step, TableColumn[] input) =>
        [.. step.By.Select(key => new TableColumn(NameOf(key, input, step.Input), TypeOf(key, input, step.Input))), .. step.Measures.Select(measure => new TableColumn(measure.Name, TypeOf(measure, input, step.Input)))];

    /// <summary>The statement whose answer is the step's table.</summary>
    /// <inheritdoc cref="Columns"/>
    public static string Statement(AggregateStep step, TableColumn[] input)
    {
        var columns = Columns(step, input);
        string[] keys = [.. step.By.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"k{i} AS {Name(columns[i].Name)}"))];
        string[] measures = [.. step.Measures.Select((measure, i) => $"{Value(measure, input, step.Input, i)} AS {Name(measure.Name)}")];
        return $"SELECT {string.Join(", ", keys.Concat(measures))} FROM ({Rows(step, input)}) AS placed{Groups(step)}"
            + (step.MinimumCount is { } least ? string.Create(CultureInfo.InvariantCulture, $" HAVING count(*) >= {least}") : "");
    }

    /// <summary>A statement that counts the groups that are left out; null: none is.</summary>
    /// <inheritdoc cref="Columns"/>
    public static string? LeftOut(AggregateStep step, TableColumn[] input) => step.MinimumCount is not { } least
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"SELECT count(*) AS left_out FROM (SELECT count(*) AS n FROM ({Rows(step, input)}) AS placed{Groups(step)} HAVING count(*) BETWEEN 1 AND {least - 1}) AS small");

    /// <summary>How many groups are left out, for people; their rows are not told, which would be a small count again.</summary>
    public static StepNote? Note(AggregateStep step, long leftOut) => leftOut == 0 ? null : new("info", new(
        leftOut == 1 ? $"1 Gruppe mit weniger als {step.MinimumCount} Zeilen ist weggelassen." : $"{leftOut} Gruppen mit weniger als {step.MinimumCount} Zeilen sind weggelassen.",
        leftOut == 1 ? $"1 group of fewer than {step.MinimumCount} rows is left out." : $"{leftOut} groups of fewer than {step.MinimumCount} rows are left out."));

    /// <summary>The input with its keys as k0, k1, … and the columns that are measured as v0, v1, …, so that no name of a column can be taken for one of the result.</summary>
    private static string Rows(AggregateStep step, TableColumn[] input)
    {
        string[] values =
        [
            .. step.By.Select((key, i) => string.Create(CultureInfo.InvariantCulture, $"{Key(key, input, step.Input)} AS k{i}")),
            .. step.Measures.Select((measure, i) => measure.Column is null ? null : string.Create(CultureInfo.InvariantCulture, $"{Named(input, step.Input, measure.Column)} AS v{i}")).OfType<string>(),
        ];
        return $"SELECT {(values.Length == 0 ? "1 AS one" : string.Join(", ", values))} FROM {Name(step.Input)}";
    }

    /// <summary>With its table: a bare name such as user means something else in SQL.</summary>
    private static string Named(TableColumn[] input, string table, string column) => $"{Name(table)}.{Name(input[input.Find(table, column)].Name)}";

    private static string Groups(AggregateStep step) =>
        step.By.Length == 0 ? "" : " GROUP BY " + string.Join(", ", step.By.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"k{i}")));

    private static string Key(AggregateKey key, TableColumn[] input, string table)
    {
        var column = input[input.Find(table, key.Column)];
        var name = Named(input, table, key.Column);
        if (key.Unit is not { } unit) return name;
        if (column.Type == FieldType.Date) return $"CAST(date_trunc('{unit}', {name}) AS DATE)";
        var local = $"timezone({Literal(key.Zone ?? CompiledContract.DefaultTimeZone)}, timezone('UTC', {name}))";
        // An hour goes by its instant: the clock shows one of them twice a year.
        return unit == "hour" ? $"{name} - ({local} - date_trunc('hour', {local}))" : $"CAST(date_trunc('{unit}', {local}) AS DATE)";
    }

    private static string Value(AggregateMeasure measure, TableColumn[] input, string table, int place)
    {
        if (measure.Column is null) return "count(*)";
        var value = string.Create(CultureInfo.InvariantCulture, $"v{place}");
        var isNumber = input[input.Find(table, measure.Column)].Type == FieldType.Number;
        return measure.Function switch
        {
            "count" => $"count({value})",
            "countDistinct" => $"count(DISTINCT {value})",
            // In an order of their own, so that the rows' does not matter; an infinite one has no rest to carry.
            "sum" when isNumber => $"CASE WHEN bool_or(isinf({value})) THEN sum({value}) ELSE fsum({value} ORDER BY {value}) END",
            "mean" when isNumber => $"CASE WHEN bool_or(isinf({value})) THEN avg({value}) ELSE favg({value} ORDER BY {value}) END",
            "sum" => $"CAST(sum({value}) AS BIGINT)",
            "mean" => $"avg({value})",
            "min" or "max" => $"{measure.Function}({value})",
            _ => string.Create(CultureInfo.InvariantCulture, $"quantile_cont(CAST({value} AS DOUBLE), {(measure.Function == "median" ? 0.5 : measure.Share!.Value):R})"),
        };
    }

    private static string NameOf(AggregateKey key, TableColumn[] input, string table) => key.Name ?? input[input.Find(table, key.Column)].Name;

    private static FieldType TypeOf(AggregateKey key, TableColumn[] input, string table)
    {
        if (key.Zone is not null && input[input.Find(table, key.Column)].Type == FieldType.Date)
        {
            throw new StepException(new(
                $"Die Spalte „{key.Column}“ der Tabelle „{table}“ hat Tage, keine Zeitpunkte: „zone“ weglassen.", $"The column “{key.Column}” of the table “{table}” has days, not instants: leave “zone” out."));
        }

        if (key.Unit is null) return input[input.Find(table, key.Column)].Type;
        var type = input[key.Unit == "hour" ? input.Find(table, key.Column, FieldType.DateTime) : input.Find(table, key.Column, FieldType.Date, FieldType.DateTime)].Type;
        return key.Unit == "hour" ? type : FieldType.Date;
    }

    private static FieldType TypeOf(AggregateMeasure measure, TableColumn[] input, string table)
    {
        if (measure.Column is null) return FieldType.Integer;
        var type = input[measure.Function is "sum" or "mean" or "median" or "quantile" ? input.Find(table, measure.Column, FieldType.Number, FieldType.Integer) : input.Find(table, measure.Column)].Type;
        return measure.Function switch
        {
            "count" or "countDistinct" => FieldType.Integer,
            "mean" or "median" or "quantile" => FieldType.Number,
            _ => type,
        };
    }
}
