using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>A table of a pipeline as a push: its columns are fields of the dataset's contract. For one thread.</summary>
internal static class TablePush
{
    /// <summary>Reads one batch of the table against the contract.</summary>
    /// <param name="names">Of the columns.</param>
    /// <param name="types">Of the columns.</param>
    /// <param name="first">Number of the batch's first row in the table, from 1.</param>
    public static DecodeResult Decode(DecodeContext context, IReadOnlyList<string> names, IReadOnlyList<FieldType> types, RowBlock rows, int first)
    {
        var fields = names.Select(name => context.Contract.Fields.FirstOrDefault(field => field.Name == name)).ToArray();
        var unknown = names.Where((_, c) => fields[c] is null).ToArray();
        var missing = context.Contract.Fields.Where(field => field.Required && !names.Contains(field.Name)).Select(field => field.Name).ToArray();
        if (unknown.Length > 0 || missing.Length > 0)
        {
            // Every row would go to quarantine for the same reason.
            return new UndecodableBody(ProblemTypes.InvalidCsv, new(
                $"Die Spalten der Tabelle passen nicht zum Vertrag. Nicht im Vertrag: {List(unknown)}. Im Vertrag verpflichtend und nicht in der Tabelle: {List(missing)}.",
                $"The table's columns do not fit the contract. Not in the contract: {List(unknown)}. Required by the contract and not in the table: {List(missing)}."));
        }

        var assembler = new RowAssembler(context, rows.Count, rows.Count, first);
        for (var row = 0; row < rows.Count; row++)
        {
            assembler.Begin();
            for (var c = 0; c < fields.Length; c++)
            {
                if (rows.Columns[c].IsNull(row)) continue;
                Set(assembler, fields[c]!, types[c], rows.Columns[c], row);
            }

            if (!assembler.End()) assembler.Quarantine(Raw(names, types, rows, row));
        }

        return assembler.Finish();
    }

    private static string List(string[] names) => names.Length == 0 ? "–" : string.Join(", ", names);

    private static void Set(RowAssembler rows, CompiledField field, FieldType type, Column column, int row)
    {
        FieldFault fault;
        FieldValue value;
        switch (column.Kind)
        {
            case ColumnKind.Text:
                fault = field.Read(column.Texts![row], null, out value);
                break;
            case ColumnKind.Number when field.Type == FieldType.Number:
                fault = field.ReadNumber(column.Numbers![row], out value);
                break;
            case ColumnKind.Boolean:
                fault = field.ReadBoolean(column.Booleans![row] == 1, out value);
                break;
            case ColumnKind.Integer when type == FieldType.DateTime && field.Type == FieldType.DateTime:
                fault = field.ReadInstant(column.Integers![row], out value);
                break;
            case ColumnKind.Integer when type == FieldType.Date && field.Type == FieldType.Date:
                fault = field.ReadDate(column.Integers![row], out value);
                break;
            case ColumnKind.Integer when type == FieldType.Time && field.Type == FieldType.Time:
                fault = field.ReadTime(column.Integers![row], out value);
                break;
            default:
                var text = Text(type, column, row);
                fault = field.Type is FieldType.Number or FieldType.Integer or FieldType.Year && type is FieldType.Integer or FieldType.Number ? field.ReadNumber(text, out value) : field.Read(text, null, out value);
                break;
        }

        if (fault.IsNone) rows.Set(field.Ordinal, value);
        else rows.Fail(field.Ordinal, fault.Code!, fault.Expected, Text(type, column, row));
    }

    private static string Text(FieldType type, Column column, int row) => column.Kind switch
    {
        ColumnKind.Text => column.Texts![row]!,
        ColumnKind.Number => column.Numbers![row].ToString("R", System.Globalization.CultureInfo.InvariantCulture),
        ColumnKind.Boolean => column.Booleans![row] == 1 ? "true" : "false",
        _ => type switch
        {
            FieldType.Date => DateOnly.FromDayNumber((int)column.Integers![row]).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            FieldType.Time => new TimeOnly(column.Integers![row]).ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture),
            FieldType.DateTime => new DateTime(column.Integers![row], DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture),
            _ => column.Integers![row].ToString(System.Globalization.CultureInfo.InvariantCulture),
        },
    };

    /// <summary>The row as JSON, as quarantine keeps it.</summary>
    private static string Raw(IReadOnlyList<string> names, IReadOnlyList<FieldType> types, RowBlock rows, int row)
    {
        var json = new System.Text.Json.Nodes.JsonObject();
        for (var c = 0; c < names.Count; c++)
        {
            var column = rows.Columns[c];
            if (column.IsNull(row)) continue;
            json[names[c]] = column.Kind switch
            {
                ColumnKind.Number => column.Numbers![row],
                ColumnKind.Boolean => column.Booleans![row] == 1,
                ColumnKind.Integer when types[c] == FieldType.Integer => column.Integers![row],
                _ => Text(types[c], column, row),
            };
        }

        return json.ToJsonString(WireJson.Options);
    }
}
