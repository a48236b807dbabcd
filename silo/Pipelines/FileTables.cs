using DataHub.Feeds;

using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

/// <summary>Uploaded files as tables, by their type.</summary>
internal sealed class FileTables(IFileStore files, IOptions<PipelineOptions> options) : IFileTables
{
    public async Task<FileReport> ReadAsync(string name, string title, FileFormat format, Action<TableColumn[]> opened, Func<RowBlock, Task> rows, Action<long> read, CancellationToken cancellationToken)
    {
        var type = TypeOf(title, format);
        if (!JobRules.FileTypes.Contains(type))
        {
            throw new StepException(new(
                $"„{title}“: Dateien der Art {type} liest der Hub nicht; er liest {string.Join(", ", JobRules.FileTypes)}.{(type == "xls" ? " In Excel oder LibreOffice als .xlsx speichern." : "")}",
                $"“{title}”: The hub does not read files of type {type}; it reads {string.Join(", ", JobRules.FileTypes)}.{(type == "xls" ? " Save it as .xlsx in Excel or LibreOffice." : "")}"));
        }

        if (JobRules.Misplaced(format, type) is { } setting)
            throw new StepException(new($"„{title}“ wird als {type} gelesen, dafür gibt es {setting} nicht; {setting} weglassen oder type angeben.", $"“{title}” is read as {type}, for which there is no {setting}; leave {setting} out or say type."));
        if (type == "csv") return await new CsvFile(files, name, format).ReadAsync(opened, rows, read, cancellationToken);

        await using var spooled = await SpooledFile.OpenAsync(files, name, cancellationToken);
        var length = spooled.Length;
        var report = await ReadAsync(spooled, type, format, opened, rows, () => read(spooled.Position), cancellationToken);
        read(length);
        return report with { Format = report.Format with { Type = type } };
    }

    private async Task<FileReport> ReadAsync(FileStream file, string type, FileFormat format, Action<TableColumn[]> opened, Func<RowBlock, Task> rows, Action moved, CancellationToken cancellationToken)
    {
        switch (type)
        {
            case "json" or "ndjson":
                return await new TypedFile(format, () => new JsonRows(file, lines: type == "ndjson")).ReadAsync(opened, rows, moved, cancellationToken);
            case "geojson":
                return await new TypedFile(format, () => new GeoJsonRows(file)).ReadAsync(opened, rows, moved, cancellationToken);
            case "parquet":
                return await new TypedFile(format, () => new ParquetRows(file, format.Columns?.Select(column => column.Header.Trim()).ToArray())).ReadAsync(opened, rows, moved, cancellationToken);
            default:
                using (var xlsx = XlsxFile.Open(file, format.Sheet, (long)options.Value.MaxInflatedMiB << 20))
                    return await new TypedFile(format, () => new XlsxRows(xlsx, format.HeaderRow)).ReadAsync(opened, rows, moved, cancellationToken);
        }
    }

    private static string TypeOf(string title, FileFormat format) => format.Type ?? Path.GetExtension(title).ToLowerInvariant() switch
    {
        ".csv" or ".txt" or ".tsv" or "" => "csv",
        ".xlsx" or ".xlsm" => "xlsx",
        ".json" => "json",
        ".ndjson" or ".jsonl" => "ndjson",
        ".geojson" => "geojson",
        ".parquet" => "parquet",
        var other => other.TrimStart('.'),
    };
}
