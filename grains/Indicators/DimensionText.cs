using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>A dimension's value as text, as it stands in cells and answers.</summary>
internal static class DimensionText
{
    /// <returns>Null for null; dates as <c>2026-11-24</c>, instants in UTC, numbers in their shortest exact form.</returns>
    public static string? Of(CompiledContract contract, RowBlock rows, int row, int field)
    {
        if (field < 0) return null;
        var column = rows.Columns[field];
        if (column.IsNull(row)) return null;
        return column.Kind switch
        {
            ColumnKind.Text => column.Texts![row],
            ColumnKind.Number => column.Numbers![row].ToString("R", CultureInfo.InvariantCulture),
            ColumnKind.Boolean => column.Booleans![row] == 1 ? "true" : "false",
            _ => contract.Fields[field].Type switch
            {
                FieldType.Date => DateOnly.FromDayNumber((int)column.Integers![row]).ToString("O", CultureInfo.InvariantCulture),
                FieldType.DateTime => new DateTime(column.Integers![row], DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
                FieldType.Time => new TimeOnly(column.Integers![row]).ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
                FieldType.YearMonth => string.Create(CultureInfo.InvariantCulture, $"{column.Integers![row] / 12:D4}-{(column.Integers[row] % 12) + 1:D2}"),
                _ => column.Integers![row].ToString(CultureInfo.InvariantCulture),
            },
        };
    }
}
