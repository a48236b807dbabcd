using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>A column of a result, and how its values are passed on.</summary>
/// <param name="Wide">Its integers may have more than 64 bits.</param>
internal sealed record DuckDbColumn(string Name, FieldType Type, bool Wide = false)
{
    /// <returns>Null where values of the type cannot be passed on.</returns>
    public static DuckDbColumn? Of(string name, string type) => type switch
    {
        "VARCHAR" or "JSON" => new(name, FieldType.String),
        "DOUBLE" or "FLOAT" => new(name, FieldType.Number),
        "BIGINT" or "INTEGER" or "SMALLINT" or "TINYINT" or "UINTEGER" or "USMALLINT" or "UTINYINT" => new(name, FieldType.Integer),
        "HUGEINT" or "UHUGEINT" or "UBIGINT" => new(name, FieldType.Integer, Wide: true),
        "BOOLEAN" => new(name, FieldType.Boolean),
        "DATE" => new(name, FieldType.Date),
        "TIME" => new(name, FieldType.Time),
        "TIMESTAMP" or "TIMESTAMP WITH TIME ZONE" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" => new(name, FieldType.DateTime),
        _ when type.StartsWith("DECIMAL(", StringComparison.Ordinal) && type.IndexOf(')', StringComparison.Ordinal) == type.Length - 1 => new(name, FieldType.Number),
        _ => null,
    };

    /// <summary>The value as DuckDB passes it on: no NaN and no −0, days since 0001-01-01, microseconds.</summary>
    /// <param name="column">The column's name in the statement.</param>
    public string Value(string column) => Type switch
    {
        FieldType.String => $"CAST({column} AS VARCHAR)",
        FieldType.Number => $"CASE WHEN isnan(CAST({column} AS DOUBLE)) THEN NULL ELSE CAST({column} AS DOUBLE) + 0 END",
        FieldType.Boolean => column,
        FieldType.Date => $"CASE WHEN isfinite({column}) THEN {column} - DATE '0001-01-01' WHEN {column} IS NULL THEN NULL ELSE -1 END",
        FieldType.Time => $"epoch_us({column})",
        // Beyond the calendar of columns either way.
        FieldType.DateTime => $"CASE WHEN isfinite(CAST({column} AS TIMESTAMP)) THEN epoch_us(CAST({column} AS TIMESTAMP)) WHEN {column} IS NULL THEN NULL ELSE {long.MaxValue} END",
        _ => Wide ? $"CASE WHEN {column} BETWEEN -9223372036854775807 AND 9223372036854775807 THEN CAST({column} AS BIGINT) WHEN {column} IS NULL THEN NULL ELSE CAST('-9223372036854775808' AS BIGINT) END" : $"CAST({column} AS BIGINT)",
    };
}
