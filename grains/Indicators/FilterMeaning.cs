using System.Globalization;

namespace DataHub.Indicators;

/// <summary>What can be said of filters without looking at rows. Pure.</summary>
internal static class FilterMeaning
{
    /// <summary>Names of the fields that a filter looks at.</summary>
    public static HashSet<string> Fields(string filter)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Look(FilterReader.Read(filter, FilterLimits.Greatest));
        return names;

        void Look(FilterNode node)
        {
            switch (node)
            {
                case FilterNot not:
                    Look(not.Node);
                    break;
                case FilterAll all:
                    foreach (var part in all.Parts) Look(part);
                    break;
                case FilterAny any:
                    foreach (var part in any.Parts) Look(part);
                    break;
                case FilterComparison comparison:
                    Operand(comparison.Left);
                    Operand(comparison.Right);
                    break;
                case FilterIn @in:
                    Operand(@in.Value);
                    foreach (var item in @in.Items) Operand(item);
                    break;
                case FilterLike like:
                    Operand(like.Value);
                    break;
                case FilterIsNull isNull:
                    Operand(isNull.Field);
                    break;
                default:
                    break;
            }
        }

        void Operand(FilterOperand operand)
        {
            if (operand is FilterField field) names.Add(field.Name);
        }
    }

    /// <summary>
    /// Whether one filter surely lets pass only rows that another lets pass: every condition of the other stands in it too,
    /// joined by AND. That two conditions mean the same is seen where they are written alike but for spaces, order of AND and
    /// OR, parentheses and the case of words.
    /// </summary>
    /// <param name="filter">Null: all rows.</param>
    /// <param name="other">Null: all rows.</param>
    public static bool Implies(string? filter, string? other)
    {
        if (other is null) return true;
        return filter is not null && Conditions(other).IsSubsetOf(Conditions(filter));
    }

    private static HashSet<string> Conditions(string filter)
    {
        var conditions = new HashSet<string>(StringComparer.Ordinal);
        Collect(FilterReader.Read(filter, FilterLimits.Greatest));
        return conditions;

        void Collect(FilterNode node)
        {
            if (node is not FilterAll all) conditions.Add(Text(node));
            else foreach (var part in all.Parts) Collect(part);
        }
    }

    private static string Text(FilterNode node) => node switch
    {
        FilterConstant constant => constant.Value ? "TRUE" : "FALSE",
        FilterNot not => $"NOT({Text(not.Node)})",
        FilterAll all => "AND(" + string.Join(',', all.Parts.Select(Text).Order(StringComparer.Ordinal)) + ")",
        FilterAny any => "OR(" + string.Join(',', any.Parts.Select(Text).Order(StringComparer.Ordinal)) + ")",
        FilterComparison comparison => $"{comparison.Operator}({Text(comparison.Left)},{Text(comparison.Right)})",
        FilterIn @in => $"IN({Text(@in.Value)};{string.Join(',', @in.Items.Select(Text).Order(StringComparer.Ordinal))})",
        FilterLike like => $"LIKE({Text(like.Value)},{Quoted(like.Pattern.ToString())})",
        FilterIsNull isNull => $"NULL({Text(isNull.Field)})",
        _ => throw new InvalidOperationException($"{node} is no known condition"),
    };

    private static string Text(FilterOperand operand) => operand switch
    {
        FilterField field => "field:" + Quoted(field.Name),
        FilterLiteral literal => string.Create(CultureInfo.InvariantCulture, $"{literal.Type}:{Quoted(literal.Text)}:{literal.Number:R}:{literal.Integer}"),
        _ => throw new InvalidOperationException($"{operand} is no known operand"),
    };

    private static string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
