using System.Globalization;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Feeds;

/// <summary>Values that rows must have, made ready for one contract. Pure.</summary>
internal sealed class RowFilters
{
    private readonly (int Ordinal, string? Text, long Number)[] _conditions;
    private readonly RowPredicate? _also;

    private RowFilters((int, string?, long)[] conditions, RowPredicate? also = null) => (_conditions, _also) = (conditions, also);

    public bool IsEmpty => _conditions.Length == 0 && _also is null;

    /// <summary>Besides, a filter must be true of a row.</summary>
    public RowFilters And(RowPredicate also) => new(_conditions, also);

    /// <summary>The filters, or the first that is not allowed and why.</summary>
    public static (RowFilters? Filters, string? Field, LocalText? Fault) Compile(CompiledContract contract, IReadOnlyList<RowFilter> filters)
    {
        var conditions = new (int, string?, long)[filters.Count];
        for (var i = 0; i < conditions.Length; i++)
        {
            var (name, value) = (filters[i].Field, filters[i].Value);
            var ordinal = contract.OrdinalOf(name);
            if (ordinal < 0) return (null, name, new($"Das Feld „{name}“ gibt es nicht.", $"There is no field “{name}”."));
            var field = contract.Fields[ordinal];
            if (field.Role == FieldRole.Personal)
                return (null, name, new($"„{name}“ ist personenbezogen; danach wird nicht gesucht.", $"“{name}” is personal; it is not searched by."));
            if (field.Type is not (FieldType.String or FieldType.Integer or FieldType.Year or FieldType.Boolean))
            {
                return (null, name, new(
                    $"„{name}“ ist {ContractWords.Of(field.Type)}; gesucht wird nach string, integer, year und boolean, nach der Zeit mit from und to.",
                    $"“{name}” is {ContractWords.Of(field.Type)}; rows are searched by string, integer, year and boolean, by time with from and to."));
            }

            var number = 0L;
            if (value.Length > 0 && field.Type is FieldType.Integer or FieldType.Year
                && (!long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number) || number == Column.NullInteger))
                return (null, name, new($"„{name}“ ist eine ganze Zahl.", $"“{name}” is an integer."));
            if (value.Length > 0 && field.Type == FieldType.Boolean && value is not ("true" or "false"))
                return (null, name, new($"„{name}“ ist true oder false.", $"“{name}” is true or false."));
            conditions[i] = (ordinal, value.Length == 0 ? null : value, field.Type == FieldType.Boolean ? (value == "true" ? 1 : 0) : number);
        }

        return (new(conditions), null, null);
    }

    /// <summary>Whether a row has all the values.</summary>
    public bool Match(RowBlock rows, int row)
    {
        foreach (var (ordinal, text, number) in _conditions)
        {
            var column = rows.Columns[ordinal];
            var fits = column.IsNull(row) ? text is null : text is not null && column.Kind switch
            {
                ColumnKind.Text => column.Texts![row] == text,
                ColumnKind.Integer => column.Integers![row] == number,
                _ => column.Booleans![row] == number,
            };
            if (!fits) return false;
        }

        return _also is null || _also(rows, row);
    }
}
