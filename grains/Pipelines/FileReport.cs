using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What reading a file came to.</summary>
/// <param name="Notes">What was found out and what was left out, for people.</param>
/// <param name="Format">By which the next file is read in the same way: what was said of this one, and what was found out.</param>
internal sealed record FileReport(StepNote[] Notes, FileFormat Format)
{
    /// <summary>The same with the columns as they were read, where their headings tell them apart; else whatever the file has is read again.</summary>
    public static FileFormat WithColumns(FileFormat format, IReadOnlyList<(string Heading, TableColumn Column, string? Pattern)> columns)
    {
        var headings = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (!columns.All(column => column.Heading.Trim() is { Length: > 0 and <= JobLimits.NameLength } heading && headings.Add(heading))) return format;
        return format with
        {
            Columns = [.. columns.Select(column => new FileColumn(column.Heading.Trim())
            {
                Name = column.Column.Name == JobRules.ColumnName(column.Heading) ? null : column.Column.Name,
                Type = ContractCheck.Word(column.Column.Type),
                Format = column.Pattern,
            })],
        };
    }
}
