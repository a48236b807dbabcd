using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Reads uploaded files as tables.</summary>
internal interface IFileTables
{
    /// <summary>Reads a file from its beginning to its end.</summary>
    /// <param name="name">Of its content in the file store.</param>
    /// <param name="title">The file's name, for people.</param>
    /// <param name="opened">Told the columns before the first rows.</param>
    /// <param name="rows">Takes batches of rows in the order of the file.</param>
    /// <param name="read">Told how many bytes were read so far.</param>
    /// <exception cref="StepException">The file is not what the format says, or has more faults than allowed.</exception>
    Task<FileReport> ReadAsync(string name, string title, FileFormat format, Action<TableColumn[]> opened, Func<RowBlock, Task> rows, Action<long> read, CancellationToken cancellationToken);
}
