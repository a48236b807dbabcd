using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Looking for columns by the names that a definition uses. Pure.</summary>
internal static class TableColumns
{
    public static bool Has(this TableColumn column, string name) => string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The place of a column.</summary>
    /// <exception cref="StepException">It is not there.</exception>
    public static int Find(this TableColumn[] columns, string table, string name)
    {
        var place = Array.FindIndex(columns, column => column.Has(name));
        return place >= 0 ? place : throw new StepException(new(
            $"Die Tabelle „{table}“ hat keine Spalte „{name}“; sie hat: {string.Join(", ", columns.Select(column => column.Name))}.",
            $"The table “{table}” has no column “{name}”; it has: {string.Join(", ", columns.Select(column => column.Name))}."));
    }

    /// <summary>The place of a column of one of the given types.</summary>
    /// <exception cref="StepException">It is not there, or is of another type.</exception>
    public static int Find(this TableColumn[] columns, string table, string name, params ReadOnlySpan<FieldType> types)
    {
        var place = columns.Find(table, name);
        if (Array.IndexOf(types.ToArray(), columns[place].Type) >= 0) return place;
        var allowed = string.Join(", ", types.ToArray().Select(type => ContractCheck.Word(type)));
        throw new StepException(new(
            $"Die Spalte „{name}“ der Tabelle „{table}“ ist von der Art {ContractCheck.Word(columns[place].Type)}; nötig ist: {allowed}.",
            $"The column “{name}” of the table “{table}” is of type {ContractCheck.Word(columns[place].Type)}; needed is: {allowed}."));
    }
}
