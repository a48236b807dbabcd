using System.Globalization;
using System.Runtime.InteropServices;

using DataHub.Benchmarks;

// Usage: dotnet run -c Release --project tests/Benchmarks [-- --repeats 3 --scale 100] (scale in percent of the full amount of rows and requests)
//        dotnet run -c Release --project tests/Benchmarks -- cluster [--silos 1,2,3] [--repeats 3] [--scale 100] (silos, a front-end and a PostgreSQL of their own)
//        dotnet run -c Release --project tests/Benchmarks -- filters (what an indicator's filter costs per row; needs no hub)
//        (the program starts its own hub and its own limits; all listen on 127.0.0.1 and end with it)
if (args is ["limits", var address]) return await Limits.ServeAsync(address);
if (args is ["filters"]) return Filters.Run(repeats: 7);

var repeats = Option("--repeats", 3, 1, 20);
var scale = Option("--scale", 100, 1, 1_000) / 100.0;
if (args is ["cluster", ..])
{
    var cluster = new ClusterTable(Sizes(), repeats, scale);
    return await RunAsync(cluster, cluster.RunAsync());
}

var table = new Table(repeats, scale);
return await RunAsync(table, table.RunAsync());

// However it ends, with Ctrl-C too, what it started ends first.
static async Task<int> RunAsync(IAsyncDisposable started, Task<int> run)
{
    var stopped = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    try
    {
        return await await Task.WhenAny(run, stopped.Task);
    }
    finally
    {
        await started.DisposeAsync();
    }

    void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        stopped.TrySetResult(130);
    }
}

int Option(string name, int fallback, int minimum, int maximum)
{
    var at = Array.IndexOf(args, name);
    if (at < 0) return fallback;
    if (at + 1 < args.Length && int.TryParse(args[at + 1], out var value) && value >= minimum && value <= maximum) return value;
    Console.Error.WriteLine($"{name}: {minimum} … {maximum}");
    Environment.Exit(2);
    return 0;
}

int[] Sizes()
{
    var at = Array.IndexOf(args, "--silos");
    if (at < 0) return [1, 2, 3];
    var sizes = at + 1 < args.Length
        ? args[at + 1].Split(',').Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : 0).Distinct().ToArray()
        : [];
    if (sizes.Length is > 0 and <= 8 && sizes.All(size => size is >= 1 and <= 8)) return sizes;
    Console.Error.WriteLine("--silos: such as 1,2,3; 1 … 8 each");
    Environment.Exit(2);
    return sizes;
}
