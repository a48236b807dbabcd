namespace DataHub.Pipelines;

/// <summary>Names and texts in statements that the hub writes itself.</summary>
internal static class SqlText
{
    public static string Name(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
