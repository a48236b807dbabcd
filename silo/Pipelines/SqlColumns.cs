using System.Collections.Immutable;
using System.Text.Json;

namespace DataHub.Pipelines;

/// <summary>
/// Which columns of its inputs each column of a statement's result is computed from, by what DuckDB's parser made of the
/// statement. Where that cannot be told for certain, nothing is told. Pure.
/// </summary>
/// <remarks>What only decides which rows there are (<c>WHERE</c>, <c>JOIN … ON</c>, <c>GROUP BY</c>) is no source of a value.</remarks>
internal static class SqlColumns
{
    /// <summary>Sources of one column.</summary>
    private const int Most = 100;

    private static readonly HashSet<string>
        s_star = ["class", "type", "query_location", "relation_name", "exclude_list", "columns"],
        s_table = ["type", "alias", "query_location", "table_name", "column_name_alias"],
        s_subquery = ["type", "alias", "query_location", "subquery", "column_name_alias"],
        s_join = ["type", "query_location", "left", "right", "condition", "join_type", "ref_type", "using_columns", "delim_flipped"];

    /// <param name="parsed">What <c>json_serialize_sql</c> gave for the statement, which <see cref="SqlGuard"/> has let pass.</param>
    /// <param name="names">Of the columns of its result.</param>
    /// <returns>For each column of the result; null where it cannot be told.</returns>
    public static ColumnSource[][]? Of(string parsed, IReadOnlyList<(string Name, TableColumn[] Columns)> inputs, IReadOnlyList<string> names)
    {
        using var document = JsonDocument.Parse(parsed, new() { MaxDepth = 10_000 });
        var tables = inputs.ToImmutableDictionary(
            input => input.Name, input => input.Columns.Select(column => new Told(column.Name, [new(input.Name, column.Name)])).ToArray(), StringComparer.OrdinalIgnoreCase);
        var told = Query(document.RootElement.GetProperty("statements")[0].GetProperty("node"), tables, null);
        // The engine has the last word on how many columns there are, and on their names (a second one of a name has a number).
        if (told is null || told.Length != names.Count || told.Any(column => column.From.Count > Most)) return null;
        for (var i = 0; i < told.Length; i++)
        {
            if (told[i].Name is { } name && !names[i].StartsWith(name, StringComparison.OrdinalIgnoreCase)) return null;
        }

        return [.. told.Select(column => column.From.OrderBy(from => from.Table, StringComparer.Ordinal).ThenBy(from => from.Column, StringComparer.Ordinal).ToArray())];
    }

    private static Told[]? Query(JsonElement node, ImmutableDictionary<string, Told[]> tables, Scope? outer)
    {
        if (Named(node, tables, outer) is not { } known) return null;
        return Text(node, "type") switch
        {
            "SELECT_NODE" => Select(node, known, outer),
            "SET_OPERATION_NODE" => Both(node, known, outer),
            _ => null,
        };
    }

    /// <summary>The tables with those of <c>WITH</c>, each of which sees the ones before it.</summary>
    private static ImmutableDictionary<string, Told[]>? Named(JsonElement node, ImmutableDictionary<string, Told[]> tables, Scope? outer)
    {
        if (!node.TryGetProperty("cte_map", out var map)) return tables;
        foreach (var entry in Values(map, "map"))
        {
            var value = entry.GetProperty("value");
            if (Query(value.GetProperty("query").GetProperty("node"), tables, outer) is not { } columns || Renamed(columns, value, "aliases") is not { } renamed) return null;
            tables = tables.SetItem(entry.GetProperty("key").GetString()!, renamed);
        }

        return tables;
    }

    private static Told[]? Both(JsonElement node, ImmutableDictionary<string, Told[]> tables, Scope? outer)
    {
        var kind = Text(node, "setop_type");
        if (kind is not ("UNION" or "INTERSECT" or "EXCEPT") || !node.TryGetProperty("left", out var first) || !node.TryGetProperty("right", out var second)) return null;
        if (Query(first, tables, outer) is not { } left || Query(second, tables, outer) is not { } right || left.Length != right.Length) return null;
        return kind == "EXCEPT" ? left : [.. left.Zip(right, (a, b) => a with { From = a.From.Union(b.From) })];
    }

    private static Told[]? Select(JsonElement node, ImmutableDictionary<string, Told[]> tables, Scope? outer)
    {
        var scope = new Scope([], outer);
        if (!node.TryGetProperty("from_table", out var from) || !Read(from, tables, scope)) return null;
        var told = new List<Told>();
        foreach (var item in Values(node, "select_list"))
        {
            if (Text(item, "class") == "STAR")
            {
                if (Star(item, scope) is not { } all) return null;
                told.AddRange(all);
                continue;
            }

            if (Sources(item, tables, scope, told) is not { } sources) return null;
            var alias = Text(item, "alias") is { Length: > 0 } given ? given : Text(item, "class") == "COLUMN_REF" ? Values(item, "column_names").Last().GetString() : null;
            told.Add(new(alias, sources));
        }

        return [.. told];
    }

    /// <summary>Adds what stands in <c>FROM</c> to a scope; false where that is not known.</summary>
    private static bool Read(JsonElement from, ImmutableDictionary<string, Told[]> tables, Scope scope)
    {
        switch (Text(from, "type"))
        {
            case "EMPTY":
                return true;
            case "BASE_TABLE" when Only(from, s_table) && tables.TryGetValue(Text(from, "table_name") ?? "", out var columns):
                return Add(columns, Text(from, "table_name")!);
            case "SUBQUERY" when Only(from, s_subquery) && Query(from.GetProperty("subquery").GetProperty("node"), tables, scope) is { } made:
                return Add(made, "");
            case "JOIN" when Only(from, s_join) && Text(from, "ref_type") is "REGULAR" or "CROSS":
                return Join(from, tables, scope);
            default:
                return false;
        }

        bool Add(Told[] columns, string name)
        {
            if (Renamed(columns, from, "column_name_alias") is not { } renamed) return false;
            scope.Relations.Add(new(Text(from, "alias") is { Length: > 0 } alias ? alias : name, renamed));
            return true;
        }
    }

    private static bool Join(JsonElement join, ImmutableDictionary<string, Told[]> tables, Scope scope)
    {
        var kind = Text(join, "join_type");
        var merged = Values(join, "using_columns").Select(column => column.GetString()!).ToArray();
        if (!Read(join.GetProperty("left"), tables, scope)) return false;
        var left = scope.Relations.Count;
        if (!Read(join.GetProperty("right"), tables, scope)) return false;
        if (kind is "SEMI" or "ANTI")
        {
            scope.Relations.RemoveRange(left, scope.Relations.Count - left);
            return true;
        }

        if (kind is not ("INNER" or "LEFT" or "RIGHT" or "OUTER")) return false;
        if (merged.Length == 0) return true;
        // Of a column that both have, the left one's value stands for both where every row has it.
        if (kind is not ("INNER" or "LEFT")) return false;
        foreach (var name in merged)
        {
            for (var i = left; i < scope.Relations.Count; i++) scope.Relations[i] = scope.Relations[i] with { Hidden = scope.Relations[i].Hidden.Add(name.ToUpperInvariant()) };
        }

        return true;
    }

    private static Told[]? Star(JsonElement star, Scope scope)
    {
        if (!Only(star, s_star) || (star.TryGetProperty("columns", out var expression) && expression.ValueKind == JsonValueKind.True)) return null;
        var without = Values(star, "exclude_list").Select(name => name.ValueKind == JsonValueKind.String ? name.GetString() : null).ToArray();
        if (Array.Exists(without, name => name is null)) return null;
        IEnumerable<Told> all;
        if (Text(star, "relation_name") is { Length: > 0 } relation)
        {
            if (scope.Relations.Where(one => Same(one.Alias, relation)).ToArray() is not [var only] || only.Hidden.Count > 0) return null;
            all = only.Columns;
        }
        else
        {
            all = scope.Relations.SelectMany(one => one.Visible);
        }

        var told = all.Where(column => !without.Any(name => Same(name!, column.Name))).ToArray();
        return Array.Exists(told, column => column.Name is null) && without.Length > 0 ? null : told;
    }

    /// <summary>All columns that an expression names, and those of the queries in it; null where one of them is not known.</summary>
    private static ImmutableHashSet<ColumnSource>? Sources(JsonElement element, ImmutableDictionary<string, Told[]> tables, Scope scope, List<Told> before)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            var all = ImmutableHashSet<ColumnSource>.Empty;
            foreach (var member in element.EnumerateArray())
            {
                if (Sources(member, tables, scope, before) is not { } some) return null;
                all = all.Union(some);
            }

            return all;
        }

        if (element.ValueKind != JsonValueKind.Object) return [];
        switch (Text(element, "class"))
        {
            case "CONSTANT":
                return [];
            case "COLUMN_REF":
                return scope.Find([.. Values(element, "column_names").Select(name => name.GetString()!)]) ?? Alias(element, before);
            case "LAMBDA" or "POSITIONAL_REFERENCE" or "STAR":
                return null;
        }

        var found = ImmutableHashSet<ColumnSource>.Empty;
        foreach (var member in element.EnumerateObject())
        {
            ImmutableHashSet<ColumnSource>? some;
            if (member.Name == "subquery" && member.Value.TryGetProperty("node", out var node))
            {
                if (Query(node, tables, scope) is not { } columns) return null;
                // Whether there is a row says nothing of what is in it.
                some = Text(element, "subquery_type") is "EXISTS" or "NOT_EXISTS" ? [] : columns.Aggregate(ImmutableHashSet<ColumnSource>.Empty, (sum, column) => sum.Union(column.From));
            }
            else
            {
                some = Sources(member.Value, tables, scope, before);
            }

            if (some is null) return null;
            found = found.Union(some);
        }

        return found;
    }

    /// <summary>A column that stands before in the same list.</summary>
    private static ImmutableHashSet<ColumnSource>? Alias(JsonElement reference, List<Told> before) =>
        Values(reference, "column_names").ToArray() is [var only] && before.Where(column => Same(column.Name, only.GetString())).ToArray() is [var told] ? told.From : null;

    /// <summary>The columns with the names that are given to the first of them.</summary>
    private static Told[]? Renamed(Told[] columns, JsonElement of, string member)
    {
        var names = Values(of, member).Select(name => name.GetString()).ToArray();
        return names.Length > columns.Length ? null : [.. columns.Select((column, i) => i < names.Length ? column with { Name = names[i] } : column)];
    }

    private static bool Only(JsonElement element, HashSet<string> members) => element.EnumerateObject().All(member => members.Contains(member.Name));

    private static bool Same(string? a, string? b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement.ArrayEnumerator Values(JsonElement element, string name) =>
        element.TryGetProperty(name, out var values) && values.ValueKind == JsonValueKind.Array ? values.EnumerateArray() : default;

    /// <param name="Name">Null: the engine gives it one.</param>
    private sealed record Told(string? Name, ImmutableHashSet<ColumnSource> From);

    private sealed record Relation(string Alias, Told[] Columns)
    {
        /// <summary>Named once only, by the relation before; in upper case.</summary>
        public ImmutableHashSet<string> Hidden { get; init; } = [];

        public IEnumerable<Told> Visible => Columns.Where(column => column.Name is null || !Hidden.Contains(column.Name.ToUpperInvariant()));
    }

    /// <summary>What names mean in one query, and around it.</summary>
    private sealed record Scope(List<Relation> Relations, Scope? Outer)
    {
        /// <summary>The sources of <c>column</c> or <c>table.column</c>; null where there is none such, or more than one.</summary>
        public ImmutableHashSet<ColumnSource>? Find(string[] names)
        {
            var found = names switch
            {
                [var name] => Relations.SelectMany(one => one.Visible).Where(column => Same(column.Name, name)).ToArray(),
                [var table, var name] => Relations.Where(one => Same(one.Alias, table)).SelectMany(one => one.Columns).Where(column => Same(column.Name, name)).ToArray(),
                _ => [],
            };
            return found.Length == 1 ? found[0].From : found.Length == 0 ? Outer?.Find(names) : null;
        }
    }
}
