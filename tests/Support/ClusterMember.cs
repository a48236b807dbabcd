using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DataHub.Support;

/// <summary>A silo or a front-end as a process of its own, at an address that it keeps: to be killed, frozen, stopped, and started again.</summary>
internal sealed class ClusterMember(string name, string program, int port, Dictionary<string, string> environment) : IAsyncDisposable
{
    /// <summary>Once the tests' process is gone, however it ended, its end of this input is closed, and the shell kills the program.</summary>
    private const string Script =
        """
        exec 3<&0
        dotnet "$0" "$@" </dev/null 3<&- &
        program=$!
        echo "pid $program"
        (read word <&3; kill -KILL "$program" 2>/dev/null) >/dev/null 2>&1 &
        watcher=$!
        wait "$program"
        code=$?
        kill "$watcher" 2>/dev/null
        exit "$code"
        """;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    private readonly StringBuilder _said = new();
    private Process? _shell;
    private TaskCompletionSource<int> _pid = new();

    public string Name => name;

    /// <summary>Its variables; a change counts from the next start.</summary>
    public IDictionary<string, string> Environment => environment;

    /// <summary>The program's path; a change, such as to another build, counts from the next start.</summary>
    public string Program { get; set; } = program;

    /// <summary>Where it answers, with a slash at the end.</summary>
    public Uri Address { get; } = new($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/");

    /// <summary>What all its lives have written so far, to both streams.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    public bool IsRunning => _shell is { HasExited: false };

    /// <summary>Of the program, not of the shell around it.</summary>
    public Task<int> ProcessIdAsync() => _pid.Task.WaitAsync(s_patience);

    /// <summary>Starts it and does not wait.</summary>
    public void Start()
    {
        if (IsRunning) throw new InvalidOperationException($"{name} is running");
        _shell?.Dispose();
        var start = new ProcessStartInfo("sh", ["-c", Script, Program, "--urls", Address.ToString().TrimEnd('/')])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        var pid = _pid = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _shell = new Process { StartInfo = start };
        _shell.OutputDataReceived += (_, line) => Append(line.Data, pid);
        _shell.ErrorDataReceived += (_, line) => Append(line.Data, null);
        _shell.Start();
        _shell.BeginOutputReadLine();
        _shell.BeginErrorReadLine();
    }

    /// <summary>Waits until it takes requests.</summary>
    public async Task ReadyAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < s_patience;)
        {
            if (!IsRunning) throw new InvalidOperationException($"{name} ended with {_shell?.ExitCode}: {Said}");
            if (await StatusAsync(client, "health/ready") == 200) return;
            await Task.Delay(50);
        }

        throw new TimeoutException($"{name} was not ready after {s_patience}: {Said}");
    }

    /// <summary>Status of an answer; 0 where there is none.</summary>
    public async Task<int> StatusAsync(HttpClient client, string path)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri(Address, path));
            return (int)answer.StatusCode;
        }
        catch (Exception e) when (Unreachable.Is(e) || e is OperationCanceledException)
        {
            return 0;
        }
    }

    /// <summary>Sends a signal, such as <c>KILL</c>, <c>TERM</c>, <c>STOP</c> or <c>CONT</c>, to the program itself.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, (await ProcessIdAsync()).ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task KillAsync()
    {
        await SignalAsync("KILL");
        await EndAsync();
    }

    /// <summary>Asks it to end (SIGTERM) and waits.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        await SignalAsync("TERM");
        return await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_shell is null) return;
        if (IsRunning) await KillAsync();
        _shell.Dispose();
        _shell = null;
    }

    private async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(s_patience);
        await _shell!.WaitForExitAsync(patience.Token);
        return _shell.ExitCode;
    }

    private void Append(string? line, TaskCompletionSource<int>? pid)
    {
        if (line is null) return;
        if (pid is not null && line.StartsWith("pid ", StringComparison.Ordinal)) pid.TrySetResult(int.Parse(line.AsSpan(4), CultureInfo.InvariantCulture));
        lock (_said) _said.AppendLine(line);
    }
}
