namespace DataHub.Pipelines;

/// <summary>What a worker has to do.</summary>
/// <param name="DescribeOnly">Tell the columns of the results and end.</param>
internal sealed record SqlWorkerStart(bool DescribeOnly, SqlLimits Limits, IReadOnlyList<(string Name, TableColumn[] Columns)> Inputs, IReadOnlyList<string> Statements);
