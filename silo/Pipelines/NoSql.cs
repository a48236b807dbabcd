using DataHub.Feeds;

namespace DataHub.Pipelines;

internal sealed class DuckDbEngine : ISqlEngine
{
    public string Version => "none";

    public Task<TableColumn[]> DescribeAsync(IReadOnlyList<(string Name, TableColumn[] Columns)> inputs, string sql, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RunAsync(IReadOnlyList<SqlInput> inputs, IReadOnlyList<string> statements, SqlLimits limits, Func<int, TableColumn[], Task> opened, Func<int, RowBlock, Task> rows, CancellationToken cancellationToken) => throw new NotSupportedException();
}
