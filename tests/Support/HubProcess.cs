using System.Diagnostics;
using System.Text;

namespace DataHub.Support;

/// <summary>The built program in a process of its own, to be killed like one.</summary>
internal sealed class HubProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly StringBuilder _output = new(), _errors = new();

    private HubProcess(Process process) => _process = process;

    /// <summary>Where it answers, with a slash at the end.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>What it wrote to standard output so far.</summary>
    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>What it wrote to standard error so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errors) return _errors.ToString();
        }
    }

    public int Id => _process.Id;

    /// <summary>The program as it was built beside these tests, in the same configuration.</summary>
    public static string Program
    {
        get
        {
            var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            var root = output;
            while (!File.Exists(Path.Combine(root.FullName, "DataHub.sln"))) root = root.Parent ?? throw new InvalidOperationException("DataHub.sln is not above " + output.FullName);
            return Path.Combine(root.FullName, "silo", "bin", output.Parent!.Name, output.Name, "DataHub.Silo.dll");
        }
    }

    /// <summary>Publishes the program as it was built, as an operator would get it.</summary>
    /// <returns>Path of the published program.</returns>
    public static async Task<string> PublishAsync(string folder)
    {
        var project = new DirectoryInfo(Path.GetDirectoryName(Program)!).Parent!.Parent!.Parent!;
        var start = new ProcessStartInfo("dotnet", ["publish", project.FullName, "--no-build", "-c", Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(Program)!)!), "-o", folder]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var publish = Process.Start(start)!;
        var (output, errors) = (publish.StandardOutput.ReadToEndAsync(), publish.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(s_patience);
        await publish.WaitForExitAsync(patience.Token);
        if (publish.ExitCode != 0) throw new InvalidOperationException($"dotnet publish ended with {publish.ExitCode}: {await output} {await errors}");
        return Path.Combine(folder, "DataHub.Silo.dll");
    }

    /// <summary>Starts a published program and waits until it is ready.</summary>
    public static async Task<HubProcess> StartPublishedAsync(string program, string folder, int port = 0)
    {
        var hub = Launch(program, ["--urls", $"http://127.0.0.1:{port}", "--data", folder], null);
        try
        {
            await hub.ReadyAsync();
            return hub;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="folder">Its data.</param>
    /// <param name="port">0: a free one.</param>
    /// <param name="environment">Settings, such as <c>DATAHUB__LOG__SHARDS</c>.</param>
    /// <param name="arguments">Further ones.</param>
    public static async Task<HubProcess> StartAsync(string folder, int port = 0, IReadOnlyDictionary<string, string>? environment = null, params string[] arguments)
    {
        var hub = Launch(folder, port, environment, arguments);
        try
        {
            await hub.ReadyAsync();
            return hub;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it and does not wait.</summary>
    public static HubProcess Launch(string folder, int port = 0, IReadOnlyDictionary<string, string>? environment = null, params string[] arguments) =>
        Launch(["--urls", $"http://127.0.0.1:{port}", "--data", folder, .. arguments], environment);

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        await using var hub = Launch(arguments, environment);
        using var patience = new CancellationTokenSource(s_patience);
        await hub._process.WaitForExitAsync(patience.Token);
        return (hub._process.ExitCode, hub.Output, hub.Errors);
    }

    /// <summary>Ends it as a power cut would: SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to end (SIGTERM) and waits.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(s_patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private static HubProcess Launch(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment) => Launch(Program, arguments, environment);

    private static HubProcess Launch(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var hub = new HubProcess(new Process { StartInfo = start });
        hub._process.OutputDataReceived += (_, line) => Append(hub._output, line.Data);
        hub._process.ErrorDataReceived += (_, line) => Append(hub._errors, line.Data);
        hub._process.Start();
        hub._process.BeginOutputReadLine();
        hub._process.BeginErrorReadLine();
        return hub;

        static void Append(StringBuilder to, string? line)
        {
            lock (to) to.AppendLine(line);
        }
    }

    private async Task ReadyAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var waited = Stopwatch.StartNew();
        while (waited.Elapsed < s_patience)
        {
            if (_process.HasExited) throw new InvalidOperationException($"the hub ended with {_process.ExitCode}: {Output} {Errors}");
            if (Address is null && Output.Split('\n').FirstOrDefault(line => line.StartsWith("DataHub ", StringComparison.Ordinal)) is { } line)
            {
                Address = new Uri(line[line.IndexOf("http://", StringComparison.Ordinal)..].Trim() + "/");
            }

            try
            {
                if (Address is not null && (await client.GetAsync(new Uri(Address, "health/ready"))).IsSuccessStatusCode) return;
            }
            catch (Exception e) when (Unreachable.Is(e) || e is OperationCanceledException)
            {
                // Not yet.
            }

            await Task.Delay(20);
        }

        throw new TimeoutException($"the hub was not ready after {s_patience}: {Output} {Errors}");
    }
}
