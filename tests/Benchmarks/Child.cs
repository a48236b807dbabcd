using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DataHub.Benchmarks;

/// <summary>A process of our own: started, measured, ended.</summary>
internal sealed class Child : IDisposable
{
    // However this program ends, what it started ends with it, even what is only just starting.
    private static readonly ConcurrentDictionary<Process, bool> s_running = [];

    private readonly Process _process;

    static Child() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        foreach (var process in s_running.Keys) process.Kill();
    };

    private Child(Process process, Uri address) => (_process, Address) = (process, address);

    public Uri Address { get; }

    public int Id => _process.Id;

    /// <summary>Processor time so far, all cores.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Memory in use now (RSS), in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public static Uri FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    public static Task<Child> StartAsync(string assembly, Uri address, Func<HttpClient, Task<bool>> isReady, params string[] arguments) =>
        StartAsync(assembly, address, isReady, new Dictionary<string, string>(), arguments);

    /// <param name="environment">Its variables besides those of this process.</param>
    public static async Task<Child> StartAsync(string assembly, Uri address, Func<HttpClient, Task<bool>> isReady, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(assembly);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        s_running[process] = true;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, line) => { if (line.Data is not null) Console.Error.WriteLine(line.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        using var http = new HttpClient { BaseAddress = address };
        for (var attempt = 0; attempt < 6_000; attempt++)
        {
            if (process.HasExited) throw new InvalidOperationException($"{assembly} ended with {process.ExitCode}");
            try
            {
                if (await isReady(http)) return new(process, address);
            }
            catch (HttpRequestException)
            {
                // not listening yet
            }

            await Task.Delay(10);
        }

        process.Kill();
        throw new InvalidOperationException($"{assembly} was not ready in time");
    }

    /// <summary>Asks it to end (SIGTERM) and waits until it has.</summary>
    public async Task StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(patience.Token);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        s_running.TryRemove(_process, out _);
        _process.Dispose();
    }
}
