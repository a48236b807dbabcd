using System.Collections.Immutable;
using System.Text.Json;

namespace DataHub.Pipelines;

/// <summary>
/// Decides over what DuckDB's parser made of a statement (<c>json_serialize_sql</c>). Kinds of nodes, tables and functions that
/// are not known are refused.
/// </summary>
internal static class SqlGuard
{
    /// <summary>Characters of one statement.</summary>
    public const int LongestStatement = 100_000;

    /// <summary>How deep the parsed statement may be nested; about three per level of an expression.</summary>
    private const int DeepestNesting = 2_000;

    private static readonly HashSet<string> s_expressions =
    [
        "BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW",
    ];

    private static readonly HashSet<string> s_nodes =
    [
        "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE",
        "BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT",
        "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER",
        "ASCENDING", "DESCENDING", "ORDER_DEFAULT",
        "DECIMAL_TYPE_INFO", "LIST_TYPE_INFO", "STRUCT_TYPE_INFO", "ARRAY_TYPE_INFO", "UNBOUND_TYPE_INFO", "GENERIC_TYPE_INFO",
    ];

    /// <param name="parsed">What <c>json_serialize_sql</c> gave for the statement.</param>
    /// <param name="inputs">Names of the tables that it may read.</param>
    /// <param name="before">Characters that stand before the statement in what was parsed.</param>
    /// <exception cref="SqlRefusedException">It is not one <c>SELECT</c> over the inputs with known functions.</exception>
    public static void Check(string parsed, IEnumerable<string> inputs, int before = 0)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(parsed, new() { MaxDepth = DeepestNesting });
        }
        catch (JsonException)
        {
            throw SqlProblems.TooDeep();
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.GetProperty("error").GetBoolean()) throw SqlProblems.OfParser(Text(root, "error_type"), Text(root, "error_message"), Text(root, "position"), before);
            var statements = root.GetProperty("statements");
            if (statements.GetArrayLength() != 1) throw SqlProblems.NotOneStatement(statements.GetArrayLength());
            Walk(statements[0], [.. inputs.Select(Folded)]);
        }
    }

    private static void Walk(JsonElement element, ImmutableHashSet<string> tables)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var member in element.EnumerateArray()) Walk(member, tables);
            return;
        }

        if (element.ValueKind != JsonValueKind.Object) return;
        if (Text(element, "class") is { Length: > 0 } expression)
        {
            if (!s_expressions.Contains(expression)) throw expression == "COLLATE" ? SqlProblems.Collation() : SqlProblems.UnknownPart(expression);
            CheckExpression(expression, element);
            if (expression == "CONSTANT") return;
        }
        else if (Text(element, "type") is { Length: > 0 } node)
        {
            if (node == "SHOW_REF") throw SqlProblems.NotASelect();
            if (!s_nodes.Contains(node)) throw SqlProblems.UnknownPart(node);
            if (node == "BASE_TABLE") CheckTable(element, tables);
            if (node == "PIVOT" && Values(element, "pivots").Any(pivot => Text(pivot, "pivot_enum") is { Length: > 0 })) throw SqlProblems.UnknownPart("PIVOT_ENUM");
            if (node == "RECURSIVE_CTE_NODE" && Text(element, "cte_name") is { } itself) tables = tables.Add(Folded(itself));
            if (node == "TABLE_FUNCTION")
            {
                var function = element.GetProperty("function");
                if (Text(function, "class") != "FUNCTION") throw SqlProblems.UnknownPart(node);
                CheckFunction(function, SqlFunctions.Tables.Contains(Text(function, "function_name") ?? ""));
                foreach (var argument in Values(function, "children")) Walk(argument, tables);
                return;
            }

            tables = WithOwnNames(element, tables);
        }

        if (element.TryGetProperty("sample", out var sample) && sample.ValueKind == JsonValueKind.Object) throw SqlProblems.Sample();
        foreach (var member in element.EnumerateObject())
        {
            if (member.Name != "cte_map") Walk(member.Value, tables);
        }
    }

    /// <summary>A name of a <c>WITH</c> holds for what comes after it, so one that is not in scope cannot lead to a table of the catalog.</summary>
    private static ImmutableHashSet<string> WithOwnNames(JsonElement query, ImmutableHashSet<string> tables)
    {
        if (!query.TryGetProperty("cte_map", out var named)) return tables;
        foreach (var entry in Values(named, "map"))
        {
            Walk(entry.GetProperty("value"), tables);
            tables = tables.Add(Folded(entry.GetProperty("key").GetString()!));
        }

        return tables;
    }

    private static void CheckExpression(string expression, JsonElement element)
    {
        switch (expression)
        {
            case "FUNCTION" or "WINDOW":
                var arguments = expression == "FUNCTION" ? Values(element, "children").Count() : -1;
                CheckFunction(element, SqlFunctions.Allows(Text(element, "function_name") ?? "", arguments));
                break;
            case "COLUMN_REF" when Values(element, "column_names").ToArray() is [var only] && SqlFunctions.Keywords.Contains(only.GetString()!):
                throw SqlProblems.Keyword(only.GetString()!, Position(element));
        }
    }

    private static void CheckFunction(JsonElement function, bool allowed)
    {
        if (!allowed || Text(function, "schema") is not (null or "" or "main") || Text(function, "catalog") is not (null or ""))
        {
            throw SqlProblems.Function(Text(function, "function_name") ?? "", Position(function));
        }
    }

    private static void CheckTable(JsonElement table, ImmutableHashSet<string> tables)
    {
        var name = Text(table, "table_name") ?? "";
        var qualified = Text(table, "schema_name") is { Length: > 0 } || Text(table, "catalog_name") is { Length: > 0 };
        if (qualified || !tables.Contains(Folded(name)) || (table.TryGetProperty("at_clause", out var at) && at.ValueKind == JsonValueKind.Object))
        {
            throw SqlProblems.Table(qualified ? $"{Text(table, "catalog_name")}.{Text(table, "schema_name")}.{name}".Trim('.').Replace("..", ".", StringComparison.Ordinal) : name, Position(table), tables);
        }
    }

    /// <summary>Counted from 1; 0 where the parser does not say.</summary>
    private static int Position(JsonElement element) =>
        element.TryGetProperty("query_location", out var location) && location.TryGetInt32(out var position) ? position + 1 : 0;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement.ArrayEnumerator Values(JsonElement element, string name) =>
        element.TryGetProperty(name, out var values) && values.ValueKind == JsonValueKind.Array ? values.EnumerateArray() : default;

    private static string Folded(string name) => name.ToLowerInvariant();
}
