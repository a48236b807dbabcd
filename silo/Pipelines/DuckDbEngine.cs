using System.Buffers;
using System.Diagnostics;

using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>
/// SQL in DuckDB, in a process of its own for every call (<see cref="SqlWorker"/>), which ends with the call. Two columns of
/// one name become <c>name</c> and <c>name_1</c>; instants and times of day have microseconds, what is finer is cut off; NaN is
/// null.
/// </summary>
/// <param name="log">Where it says what ran.</param>
/// <param name="folder">Where workers have their working folders; by default where the system keeps what is temporary.</param>
internal sealed partial class DuckDbEngine(ILogger<DuckDbEngine> log, string? folder = null) : ISqlEngine
{
    /// <summary>For finding out whether a statement can be run.</summary>
    private static readonly SqlLimits s_describing = new(Memory: 128L << 20, Disk: 64L << 20, Time: TimeSpan.FromSeconds(5), Rows: 0);

    /// <summary>For a worker to start, on a machine that is busy.</summary>
    private static readonly TimeSpan s_starting = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    private static int s_swept;
    private int _saidUnfiltered;

    public string Version => DuckDbTables.Version;

    public async Task<TableColumn[]> DescribeAsync(IReadOnlyList<(string Name, TableColumn[] Columns)> inputs, string sql, CancellationToken cancellationToken)
    {
        TableColumn[] columns = [];
        await ConverseAsync(
            new(DescribeOnly: true, s_describing, inputs, [sql]), [],
            (_, opened) =>
            {
                columns = opened;
                return Task.CompletedTask;
            },
            (_, _) => Task.CompletedTask, cancellationToken);
        return columns;
    }

    public async Task RunAsync(
        IReadOnlyList<SqlInput> inputs, IReadOnlyList<string> statements, SqlLimits limits,
        Func<int, TableColumn[], Task> opened, Func<int, RowBlock, Task> rows, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        var start = new SqlWorkerStart(DescribeOnly: false, limits, [.. inputs.Select(input => (input.Name, input.Columns))], statements);
        var report = await ConverseAsync(start, inputs, opened, rows, cancellationToken);
        LogRan(statements.Count, inputs.Count, started.Elapsed.TotalSeconds, report.PeakMemory);
        if (!report.CallsFiltered && Interlocked.Exchange(ref _saidUnfiltered, 1) == 0) LogUnfiltered();
    }

    private async Task<SqlWorkerReport> ConverseAsync(
        SqlWorkerStart start, IReadOnlyList<SqlInput> inputs, Func<int, TableColumn[], Task> opened, Func<int, RowBlock, Task> rows, CancellationToken cancellationToken)
    {
        foreach (var statement in start.Statements) CheckText(statement);
        if (Interlocked.Exchange(ref s_swept, 1) == 0 && SqlScratch.Sweep() is > 0 and var swept) LogSwept(swept);

        cancellationToken.ThrowIfCancellationRequested();
        using var scratch = SqlScratch.Create(folder);
        await using var worker = SqlWorkerProcess.Start(scratch.Path);
        await using var overseer = new SqlOverseer(worker, scratch, start.Limits, s_starting, s_look, cancellationToken);
        try
        {
            await TrySendAsync(worker, SqlWorkerProtocol.Start(start));
            while (true)
            {
                var (kind, content) = await worker.ReadAsync();
                switch (kind)
                {
                    case SqlWorkerFrame.Ready:
                        overseer.StartClock();
                        await SendRowsAsync(worker, inputs, cancellationToken);
                        break;
                    case SqlWorkerFrame.Opened:
                        var (statement, columns) = SqlWorkerProtocol.ReadOpened(content);
                        await opened(statement, columns);
                        break;
                    case SqlWorkerFrame.Result:
                        var (table, block) = SqlWorkerProtocol.ReadRows(content);
                        await rows(table, block);
                        break;
                    case SqlWorkerFrame.Refused:
                        throw SqlWorkerProtocol.ReadRefused(content);
                    case SqlWorkerFrame.Done:
                        return SqlWorkerProtocol.ReadDone(content);
                    default:
                        throw new InvalidDataException($"the worker sent {kind}");
                }
            }
        }
        catch (EndOfStreamException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (overseer.Refusal is { } refused) throw refused;
            var end = await worker.EndAsync();
            if (end.Refusal == SqlRefusal.OutOfTime) throw SqlProblems.OutOfTime(start.Limits.Time);
            if (end.Refusal == SqlRefusal.OutOfMemory)
            {
                LogNoMemory(end.ExitCode, end.Errors);
                throw SqlProblems.OutOfMemory();
            }

            LogFault(end.ExitCode, end.Errors);
            throw new InvalidOperationException($"The worker for SQL ended with {end.ExitCode}; the log says more (event 4052).");
        }
    }

    private static async Task SendRowsAsync(SqlWorkerProcess worker, IReadOnlyList<SqlInput> inputs, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        for (var i = 0; i < inputs.Count; i++)
        {
            await foreach (var block in inputs[i].Rows.WithCancellation(cancellationToken))
            {
                if (block.Count > 0 && !await TrySendAsync(worker, SqlWorkerProtocol.Rows(buffer, SqlWorkerFrame.Input, i, block))) return;
            }
        }

        await TrySendAsync(worker, SqlWorkerProtocol.Frame(SqlWorkerFrame.Loaded));
    }

    /// <returns>False where the worker is gone: its last message, or its absence, says why.</returns>
    private static async Task<bool> TrySendAsync(SqlWorkerProcess worker, ReadOnlyMemory<byte> frame)
    {
        try
        {
            await worker.SendAsync(frame);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void CheckText(string statement)
    {
        if (statement.Length > SqlGuard.LongestStatement) throw SqlProblems.TooLong(statement.Length);
        for (var i = 0; i < statement.Length; i++)
        {
            if (char.IsSurrogatePair(statement, i)) i++;
            else if (char.IsSurrogate(statement[i]) || statement[i] == '\0') throw SqlProblems.LoneSurrogate();
        }
    }

    [LoggerMessage(4050, LogLevel.Information, "SQL ran: {Statements} statements over {Inputs} tables in {Seconds:0.00} s, at most {PeakBytes} bytes of memory")]
    private partial void LogRan(int statements, int inputs, double seconds, long peakBytes);

    [LoggerMessage(4051, LogLevel.Warning, "The system does not filter calls of the kernel here (seccomp); SQL is kept from the network and from starting programs by DuckDB's settings only")]
    private partial void LogUnfiltered();

    [LoggerMessage(4052, LogLevel.Error, "The worker for SQL ended with {ExitCode} and without an answer: {Errors}")]
    private partial void LogFault(int exitCode, string errors);

    [LoggerMessage(4054, LogLevel.Information, "The worker for SQL ended with {ExitCode}, taken for want of memory: {Errors}")]
    private partial void LogNoMemory(int exitCode, string errors);

    [LoggerMessage(4053, LogLevel.Information, "Deleted {Folders} working folders that silos left behind which were killed")]
    private partial void LogSwept(int folders);
}
