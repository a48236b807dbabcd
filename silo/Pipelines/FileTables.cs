using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Uploaded files as tables, by their type.</summary>
internal sealed class FileTables(IFileStore files) : IFileTables
{
    public Task<StepNote[]> ReadAsync(string name, string title, FileFormat format, Action<TableColumn[]> opened, Func<RowBlock, Task> rows, Action<long> read, CancellationToken cancellationToken) =>
        TypeOf(title, format) switch
        {
            "csv" => new CsvFile(files, name, format).ReadAsync(opened, rows, read, cancellationToken),
            var other => throw new StepException(new(
                $"„{title}“: Dateien der Art {other} liest der Hub nicht; er liest {string.Join(", ", JobRules.FileTypes)}.", $"“{title}”: The hub does not read files of type {other}; it reads {string.Join(", ", JobRules.FileTypes)}.")),
        };

    private static string TypeOf(string title, FileFormat format) => format.Type ?? Path.GetExtension(title).ToLowerInvariant() switch
    {
        ".csv" or ".txt" or ".tsv" or "" => "csv",
        ".xlsx" => "xlsx",
        ".json" => "json",
        ".ndjson" or ".jsonl" => "ndjson",
        ".geojson" => "geojson",
        ".parquet" => "parquet",
        var other => other.TrimStart('.'),
    };
}
