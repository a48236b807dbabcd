using System.Globalization;
using System.Runtime.InteropServices;

using DataHub.Benchmarks;

// Usage: dotnet run -c Release --project tests/Benchmarks [-- --repeats 3 --scale 100] (scale in percent of the full amount of rows and requests)
//        dotnet run -c Release --project tests/Benchmarks -- cluster [--silos 1,2,3] [--repeats 3] [--scale 100] [--statements] (silos, a front-end and a PostgreSQL of their own)
//        dotnet run -c Release --project tests/Benchmarks -- filters (what an indicator's filter costs per row; needs no hub)
//        dotnet run -c Release --project tests/Benchmarks -- micro [filter] (the parts that a row passes, each alone: ns and bytes a row; needs no hub)
//        dotnet run -c Release --project tests/Benchmarks -- viewers [--pollers 1000] [--viewers 5000] [--seconds 20] [--rate 2000] (live viewers and pollers; what maps and charts ask)
//        dotnet run -c Release --project tests/Benchmarks -- keepalive [--connections 1000] [--seconds 20] (clients that keep their connection and push single rows)
//        dotnet run -c Release --project tests/Benchmarks -- fair [--seconds 10] [--repeats 3] (how long an agency's pushes take while another floods)
//        dotnet run -c Release --project tests/Benchmarks -- pipeline [--rows 2000000] [--megabytes 0] (a file through a job, beside DuckDB and COPY; memory of a larger one)
//        dotnet run -c Release --project tests/Benchmarks -- door [--polls 20000] [--repeats 5] (what it costs to read values through an agreement)
//        dotnet run -c Release --project tests/Benchmarks -- scale [indicators|series|stored|idle|memory] [--rows 1000000] (more indicators, series and stored rows; late rows and corrections; disk, memory, start)
//        dotnet run -c Release --project tests/Benchmarks -- steady [--minutes 60] [--rate rows/s] (half of what the hub can take, then a burst; a line a minute)
//        (the program starts its own hub and its own limits; all listen on 127.0.0.1 and end with it)

// Figures are written alike wherever they are measured.
CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
if (args is ["limits", var address]) return await Limits.ServeAsync(address);
if (args is ["micro", .. { Length: <= 1 } rest]) return Micro.Run(rest.FirstOrDefault());
if (args is ["filters"]) return Filters.Run(repeats: 7);

if (args is ["viewers", ..])
{
    var viewers = new Viewers(Option("--pollers", 1_000, 0, 20_000), Option("--viewers", 5_000, 0, 100_000), Option("--seconds", 20, 1, 600), Option("--rate", 2_000, 1, 100_000));
    return await RunAsync(viewers, viewers.RunAsync());
}

if (args is ["keepalive", ..])
{
    var clients = new KeepAlive(Option("--connections", 1_000, 1, 100_000), Option("--seconds", 20, 1, 600));
    return await RunAsync(clients, clients.RunAsync());
}

if (args is ["fair", ..])
{
    var fair = new Fair(Option("--seconds", 10, 1, 600), Option("--repeats", 3, 1, 20));
    return await RunAsync(fair, fair.RunAsync());
}

if (args is ["pipeline", ..])
{
    var pipeline = new Pipeline(Option("--rows", 2_000_000, 0, 20_000_000), Option("--megabytes", 0, 0, 4_000));
    return await RunAsync(pipeline, pipeline.RunAsync());
}

if (args is ["door", ..])
{
    var door = new Door(Option("--polls", 20_000, 100, 10_000_000), Option("--repeats", 5, 1, 20));
    return await RunAsync(door, door.RunAsync());
}

if (args is ["scale", ..])
{
    var part = args.Skip(1).FirstOrDefault(Scale.Parts.Contains);
    var scaled = new Scale(Option("--rows", 1_000_000, 100_000, 200_000_000), part);
    return await RunAsync(scaled, scaled.RunAsync());
}

if (args is ["steady", ..])
{
    var steady = new Steady(Option("--minutes", 60, 1, 10_000), Option("--rate", 0, 0, 1_000_000));
    return await RunAsync(steady, steady.RunAsync());
}

var repeats = Option("--repeats", 3, 1, 20);
var scale = Option("--scale", 100, 1, 1_000) / 100.0;
if (args is ["cluster", ..])
{
    var cluster = new ClusterTable(Sizes(), repeats, scale, args.Contains("--statements"));
    return await RunAsync(cluster, cluster.RunAsync());
}

if (args is [var word, ..] && !word.StartsWith('-'))
{
    Console.Error.WriteLine($"{word}: there are micro, filters, viewers, keepalive, fair, pipeline, door, scale, steady and cluster; without a word the table of design §6 is measured.");
    return 2;
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
