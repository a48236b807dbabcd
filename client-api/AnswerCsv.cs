using System.Buffers;
using System.Text;

using DataHub.Catalog;

namespace DataHub;

/// <summary>
/// RFC 4180 with a header; null is empty. The German form is what a German Excel opens: semicolons, decimal commas and a
/// byte order mark. Names, dates and words stay as they are, so that both forms can be read by the same rules.
/// </summary>
internal static class AnswerCsv
{
    private static readonly SearchValues<char> s_quoted = SearchValues.Create("\",\r\n"), s_quotedGerman = SearchValues.Create("\";\r\n");

    public static void Write(AnswerTable table, IBufferWriter<byte> to, bool german)
    {
        WriteHeader(table, to, german);
        WriteRows(table, to, german);
    }

    public static void WriteHeader(AnswerTable table, IBufferWriter<byte> to, bool german)
    {
        if (german) to.Write(Encoding.UTF8.Preamble);
        for (var f = 0; f < table.Fields.Length; f++)
        {
            if (f > 0) Separate(to, german);
            Cell(to, table.Fields[f].Name, german);
        }

        to.Write("\r\n"u8);
    }

    public static void WriteRows(AnswerTable table, IBufferWriter<byte> to, bool german)
    {
        for (var row = 0; row < table.Count; row++)
        {
            for (var f = 0; f < table.Fields.Length; f++)
            {
                if (f > 0) Separate(to, german);
                var (field, column) = (table.Fields[f], table.Columns[f]);
                if (column.IsNull(row)) continue;
                var text = AnswerText.Of(field, column, row);
                Cell(to, german && field.Type == FieldType.Number ? text.Replace('.', ',') : text, german);
            }

            to.Write("\r\n"u8);
        }
    }

    private static void Separate(IBufferWriter<byte> to, bool german) => to.Write(german ? ";"u8 : ","u8);

    private static void Cell(IBufferWriter<byte> to, string text, bool german)
    {
        if (text.AsSpan().ContainsAny(german ? s_quotedGerman : s_quoted)) text = $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        Encoding.UTF8.GetBytes(text, to);
    }
}
