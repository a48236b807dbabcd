using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace DataHub.Pipelines;

/// <summary>A worker: this program once more, in a process that knows nothing of the silo but what it is sent.</summary>
internal sealed class SqlWorkerProcess : IAsyncDisposable
{
    private const int MostErrors = 8 * 1024;

    /// <summary>Bytes of the worker's managed heap, hexadecimal: 192 MB, enough for the batches on their way; and of its youngest generation, 4 MB, as it keeps nothing.</summary>
    private const string ManagedHeap = "C000000", Youngest = "400000";

    // What a signal gives as exit code.
    private const int Aborted = 134, Killed = 137, SegmentationFault = 139, ProcessorTime = 152, LargeFile = 153;

    /// <summary>
    /// What is said where the system gave no more memory: by the runtime and the C++ library; by the runtime's own code, of which
    /// <c>Exception*</c> is the type; and by the C library, whose heap DuckDB leaves damaged when an allocation fails in its middle.
    /// </summary>
    private static readonly string[] s_noMemory = ["out of memory", "OutOfMemory", "bad_alloc", "'Exception*'", "malloc", "free():", "corrupted size", "corrupted double-linked", "double free"];

    private readonly Process _process;
    private readonly SqlWorkerReader _answers;
    private readonly Task<string> _errors;

    private SqlWorkerProcess(Process process)
    {
        _process = process;
        _answers = new(process.StandardOutput.BaseStream);
        _errors = ReadErrorsAsync(process.StandardError);
    }

    public int Id => _process.Id;

    /// <param name="folder">Its working folder, in which it may write.</param>
    public static SqlWorkerProcess Start(string folder, params string[] arguments) =>
        new(Process.Start(StartInfo(folder, arguments)) ?? throw new InvalidOperationException("The worker did not start."));

    internal static ProcessStartInfo StartInfo(string folder, params string[] arguments)
    {
        var runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var program = typeof(SqlWorkerProcess).Assembly.Location;
        var own = Environment.ProcessPath;
        var isOwn = own is not null && Path.GetFileNameWithoutExtension(own) == typeof(SqlWorkerProcess).Assembly.GetName().Name;
        var dotnet = Path.Combine(runtime, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
        var start = new ProcessStartInfo(isOwn ? own! : File.Exists(dotnet) ? dotnet : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = folder,
        };
        if (!isOwn) start.ArgumentList.Add(program);
        start.ArgumentList.Add(SqlWorker.Command);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);

        // Connection strings and keys come to a silo through its environment: none of it goes on.
        start.Environment.Clear();
        foreach (var (name, value) in new (string, string?)[]
        {
            ("PATH", Environment.GetEnvironmentVariable("PATH")), ("DOTNET_ROOT", isOwn ? Environment.GetEnvironmentVariable("DOTNET_ROOT") : runtime),
            ("HOME", folder), ("TMPDIR", folder), ("LC_ALL", "C"),
            ("DOTNET_gcServer", "0"), ("DOTNET_gcConcurrent", "0"), ("DOTNET_GCHeapHardLimit", ManagedHeap), ("DOTNET_GCgen0size", Youngest),
            ("DOTNET_EnableDiagnostics", "0"), ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"), ("DOTNET_TieredPGO", "0"), ("DOTNET_EnableWriteXorExecute", "0"),
        })
        {
            if (value is not null) start.Environment[name] = value;
        }

        return start;
    }

    /// <exception cref="IOException">It is gone; what it said before can still be read.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> frame)
    {
        var input = _process.StandardInput.BaseStream;
        await input.WriteAsync(frame);
        await input.FlushAsync();
    }

    /// <inheritdoc cref="SqlWorkerReader.ReadAsync"/>
    public ValueTask<(SqlWorkerFrame Kind, ReadOnlyMemory<byte> Content)> ReadAsync() => _answers.ReadAsync();

    public Task<string> ReadAllAsync() => _process.StandardOutput.ReadToEndAsync();

    /// <summary>What happens when the silo dies.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It was over already.
        }
    }

    /// <summary>Why it ended without a last message.</summary>
    public async Task<SqlWorkerEnd> EndAsync()
    {
        await _process.WaitForExitAsync();
        var errors = await _errors;
        var refusal = _process.ExitCode switch
        {
            ProcessorTime => SqlRefusal.OutOfTime,
            Killed or LargeFile => SqlRefusal.OutOfMemory,
            Aborted or SegmentationFault when s_noMemory.Any(word => errors.Contains(word, StringComparison.OrdinalIgnoreCase)) => SqlRefusal.OutOfMemory,
            _ => (SqlRefusal?)null,
        };
        return new(_process.ExitCode, refusal, errors);
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>Reads all, so that the worker never waits for it, and keeps the beginning.</summary>
    private static async Task<string> ReadErrorsAsync(StreamReader errors)
    {
        var kept = new StringBuilder();
        var buffer = new char[1024];
        while (await errors.ReadAsync(buffer) is > 0 and var read) kept.Append(buffer, 0, Math.Min(read, MostErrors - kept.Length));
        return kept.ToString();
    }
}
