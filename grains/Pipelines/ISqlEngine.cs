using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>
/// Runs somebody's SQL over tables that it is given, and over nothing else: outside the silo's process, without files, network,
/// clock or chance, within limits that the operating system keeps. Equal statements over equal rows give equal rows in equal order.
/// </summary>
internal interface ISqlEngine
{
    /// <summary>Name and version, such as <c>DuckDB 1.5.6</c>. A run pins it.</summary>
    string Version { get; }

    /// <summary>Whether a statement can be run over tables of these columns, without rows.</summary>
    /// <returns>The columns of its result.</returns>
    /// <exception cref="SqlRefusedException">It cannot, and why.</exception>
    Task<TableColumn[]> DescribeAsync(IReadOnlyList<(string Name, TableColumn[] Columns)> inputs, string sql, CancellationToken cancellationToken);

    /// <summary>
    /// Loads the inputs and runs the statements one after the other, each to its end. Every batch of a result but the last has
    /// <see cref="TableCodec.BatchRows"/> rows; rows are in the order of all columns (nulls last), texts by code point.
    /// </summary>
    /// <param name="statements">One <c>SELECT</c> (or <c>WITH … SELECT</c>) each, over the inputs by their names.</param>
    /// <param name="opened">Told the columns of a statement's result before its rows.</param>
    /// <param name="rows">Takes the batches of a statement's result, in order; the engine waits for it.</param>
    /// <exception cref="SqlRefusedException">A statement is not allowed, is wrong, or went beyond a limit.</exception>
    Task RunAsync(
        IReadOnlyList<SqlInput> inputs, IReadOnlyList<string> statements, SqlLimits limits,
        Func<int, TableColumn[], Task> opened, Func<int, RowBlock, Task> rows, CancellationToken cancellationToken);
}

/// <summary>A table that statements may read.</summary>
/// <param name="Name">As statements name it: a lower-case letter, then lower-case letters, digits and underscores.</param>
internal sealed record SqlInput(string Name, TableColumn[] Columns, IAsyncEnumerable<RowBlock> Rows);

/// <param name="Memory">Bytes that the process may hold.</param>
/// <param name="Disk">Bytes that it may write beside that, to do with more rows than fit in memory.</param>
/// <param name="Time">From the first row to the last, by the clock; of processor time the same.</param>
/// <param name="Rows">Rows that all results together may have.</param>
internal sealed record SqlLimits(long Memory, long Disk, TimeSpan Time, long Rows);

/// <summary>Why somebody's SQL gives nothing. Its fault or that of its limits, not the hub's.</summary>
internal sealed class SqlRefusedException(SqlRefusal refusal, LocalText reason) : Exception(reason.In("en"))
{
    public SqlRefusal Refusal => refusal;

    /// <summary>What, where, and what to do instead; without values of rows.</summary>
    public LocalText Reason => reason;
}

internal enum SqlRefusal
{
    /// <summary>It is not one statement that reads.</summary>
    NotASelect,

    /// <summary>It does not parse, or names what is not there.</summary>
    Invalid,

    /// <summary>A function that reads files, the network, the clock or chance, or that is not known to do none of it.</summary>
    FunctionForbidden,

    /// <summary>A table that is not among the inputs.</summary>
    TableForbidden,

    /// <summary>A value could not be computed: a cast, a division, an overflow.</summary>
    Failed,

    /// <summary>More memory or disk than it may have.</summary>
    OutOfMemory,

    /// <summary>More time than it may have.</summary>
    OutOfTime,

    /// <summary>More rows than a result may have.</summary>
    TooManyRows,
}
