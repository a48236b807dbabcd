using System.Buffers;
using System.Diagnostics;
using System.Net.Sockets;

using DuckDB.NET.Data;

namespace DataHub.Pipelines;

/// <summary>
/// The program as a worker (<c>sql-worker</c>, started by <see cref="DuckDbEngine"/> only): takes one job from standard input,
/// answers on standard output, and ends when its silo does.
/// </summary>
internal static class SqlWorker
{
    public const string Command = "sql-worker";

    /// <summary>Says what the operating system keeps the worker from, and does nothing else.</summary>
    public const string SelfTest = "--self-test";

    /// <summary>A fault of the hub; what it was stands on standard error, without values.</summary>
    public const int Fault = 70;

    public static int Run(string[] arguments)
    {
        if (arguments is [_, SelfTest]) return TestItself(Console.Out);
        using var input = Console.OpenStandardInput();
        using var output = Console.OpenStandardOutput();
        try
        {
            Work(input, output);
            return 0;
        }
        catch (SqlRefusedException refused)
        {
            output.Write(SqlWorkerProtocol.Refused(refused));
            return 0;
        }
        catch (OutOfMemoryException)
        {
            output.Write(SqlWorkerProtocol.Refused(SqlProblems.OutOfMemory()));
            return 0;
        }
        catch (Exception e) when (e is EndOfStreamException or IOException)
        {
            // The silo is gone or has ended this run.
            return 0;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"{e.GetType().FullName}{(e is DuckDBException duck ? $" {duck.ErrorType}" : "")}");
            Console.Error.WriteLine(e.StackTrace);
            return Fault;
        }
    }

    private static void Work(Stream input, Stream output)
    {
        var messages = new SqlWorkerReader(input);
        var (kind, content) = messages.Read();
        if (kind != SqlWorkerFrame.Start) throw new InvalidDataException($"{kind} came first");
        var start = SqlWorkerProtocol.ReadStart(content);
        OperatingSystemLimits.Apply(start.Limits);
        using var tables = new DuckDbTables(start.Limits, start.Inputs);
        var filtered = SystemCallFilter.Install();

        var statements = start.Statements.Select(statement => Check(tables, statement, start.Inputs)).ToArray();
        if (!start.DescribeOnly)
        {
            output.Write(SqlWorkerProtocol.Frame(SqlWorkerFrame.Ready));
            Guarded(() => Load(tables, messages));
        }

        new Thread(() => EndWithSilo(input), 256 * 1024) { IsBackground = true }.Start();
        var rows = 0L;
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        for (var i = 0; i < statements.Length; i++)
        {
            var (statement, columns, sources) = statements[i];
            output.Write(SqlWorkerProtocol.Opened(i, [.. columns.Select((column, place) => new TableColumn(column.Name, column.Type) { From = sources?[place] })]));
            if (start.DescribeOnly) continue;
            Guarded(() =>
            {
                foreach (var batch in tables.Run(statement, columns))
                {
                    rows += batch.Count;
                    if (rows > start.Limits.Rows) throw SqlProblems.TooManyRows(start.Limits.Rows);
                    output.Write(SqlWorkerProtocol.Rows(buffer, SqlWorkerFrame.Result, i, batch).Span);
                }
            });
        }

        output.Write(SqlWorkerProtocol.Done(new(OperatingSystemLimits.PeakMemory(), filtered)));
    }

    private static (string Statement, DuckDbColumn[] Columns, ColumnSource[][]? Sources) Check(DuckDbTables tables, string sql, IReadOnlyList<(string Name, TableColumn[] Columns)> inputs)
    {
        const string Before = "SELECT * FROM (\n";
        var statement = sql.TrimEnd(' ', '\t', '\r', '\n', ';');
        var names = inputs.Select(input => input.Name).ToArray();
        DuckDbColumn[] columns = [];
        ColumnSource[][]? sources = null;
        Guarded(() =>
        {
            var parsed = tables.Parse(statement);
            SqlGuard.Check(parsed, names);
            // Once more as it is run: what is one statement by itself must be one inside another.
            SqlGuard.Check(tables.Parse($"{Before}{statement}\n)"), names, Before.Length);
            columns = tables.Describe(statement);
            sources = SqlColumns.Of(parsed, inputs, [.. columns.Select(column => column.Name)]);
        });
        return (statement, columns, sources);
    }

    private static void Load(DuckDbTables tables, SqlWorkerReader messages)
    {
        while (true)
        {
            var (kind, content) = messages.Read();
            if (kind == SqlWorkerFrame.Loaded) break;
            if (kind != SqlWorkerFrame.Input) throw new InvalidDataException($"{kind} among the rows");
            var (table, rows) = SqlWorkerProtocol.ReadRows(content);
            tables.Load(table, rows);
        }

        tables.Loaded();
    }

    /// <summary>What DuckDB refuses, in the words of <see cref="SqlProblems"/>.</summary>
    private static void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (DuckDBException e) when (SqlProblems.Of(e, linesBefore: 1) is { } refused)
        {
            throw refused;
        }
    }

    /// <summary>The silo keeps the worker's standard input open and sends nothing more: its end is the silo's.</summary>
    private static void EndWithSilo(Stream input)
    {
        try
        {
            _ = input.ReadByte();
        }
        finally
        {
            OperatingSystemLimits.Exit(0);
        }
    }

    private static int TestItself(TextWriter output)
    {
        OperatingSystemLimits.Apply(new(Memory: 64 << 20, Disk: 1 << 20, TimeSpan.FromSeconds(10), Rows: 1));
        output.WriteLine($"filtered {SystemCallFilter.Install()}");
        output.WriteLine($"socket {Try(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp).Dispose())}");
        output.WriteLine($"start {Try(() => Process.Start("/bin/true").Dispose())}");
        output.WriteLine($"kill {Try(() => Process.GetProcessById(Environment.ProcessId).Kill())}");
        output.WriteLine($"write {Try(() => File.WriteAllBytes("large", new byte[(1 << 20) + 1]))}");
        return 0;

        static string Try(Action action)
        {
            try
            {
                action();
                return "done";
            }
            catch (Exception e)
            {
                return $"refused by {e.GetType().Name}";
            }
        }
    }
}
