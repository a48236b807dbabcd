using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DataHub.Support;

/// <summary>The agencies' program <c>datahub</c> as it was built, in a process of its own.</summary>
internal sealed class ToolProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new(), _errors = new();
    private readonly Lock _lock = new();

    private ToolProcess(Process process) => _process = process;

    /// <summary>The program as it was built.</summary>
    public static string Program { get; } = HubProcess.Program.Replace(Path.Combine("silo", "bin"), Path.Combine("client-api", "tool", "bin"), StringComparison.Ordinal).Replace("DataHub.Silo.dll", "datahub.dll", StringComparison.Ordinal);

    public string Output
    {
        get
        {
            lock (_lock) return _output.ToString();
        }
    }

    public string Errors
    {
        get
        {
            lock (_lock) return _errors.ToString();
        }
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Standard output as what it is with <c>--json</c>: an object a line.</summary>
    public JsonElement[] Events => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>Starts it.</summary>
    /// <param name="state">Its state folder.</param>
    /// <param name="hub">Where the hub is, and the key; null: nothing is said.</param>
    public static ToolProcess Start(string state, (Uri Address, string Key)? hub, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8 };
        start.Environment["DATAHUB_STATE"] = state;
        foreach (var name in (string[])["DATAHUB_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "DATAHUB_KEY", "DATAHUB_KEY_FILE", "DATAHUB_HUB"]) start.Environment.Remove(name);
        if (hub is { } known)
        {
            start.Environment["DATAHUB_HUB"] = known.Address.ToString();
            start.Environment["DATAHUB_KEY"] = known.Key;
        }

        var tool = new ToolProcess(new Process { StartInfo = start });
        tool._process.OutputDataReceived += (_, line) => tool.Append(tool._output, line.Data);
        tool._process.ErrorDataReceived += (_, line) => tool.Append(tool._errors, line.Data);
        tool._process.Start();
        tool._process.BeginOutputReadLine();
        tool._process.BeginErrorReadLine();
        return tool;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, ToolProcess Said)> RunAsync(string state, (Uri Address, string Key)? hub, params string[] arguments)
    {
        await using var tool = Start(state, hub, arguments);
        return (await tool.EndAsync(), tool);
    }

    /// <summary>Waits until it ends by itself.</summary>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"datahub did not end: {Output} {Errors}");
        }

        return _process.ExitCode;
    }

    /// <summary>Waits for something it says or does.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        var waited = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(!_process.HasExited || condition(), $"datahub ended with {(_process.HasExited ? _process.ExitCode : 0)}: {Output} {Errors}");
            Assert.True(waited.Elapsed < s_patience, $"datahub does not come to it: {Output} {Errors}");
            await Task.Delay(5);
        }
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, which ends it as Ctrl-C does; a shell may have told its background jobs to pass over SIGINT.</summary>
    public async Task<int> InterruptAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        return await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private void Append(StringBuilder to, string? line)
    {
        if (line is null) return;
        lock (_lock) to.AppendLine(line);
    }
}
