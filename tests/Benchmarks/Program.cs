using DataHub.Benchmarks;

// Usage: dotnet run -c Release --project tests/Benchmarks [-- --repeats 3 --scale 100] (scale in percent of the full amount of rows and requests)
//        dotnet run -c Release --project tests/Benchmarks -- filters (what an indicator's filter costs per row; needs no hub)
//        (the program starts its own hub and its own limits; both listen on 127.0.0.1 and end with it)
if (args is ["limits", var address]) return await Limits.ServeAsync(address);
if (args is ["filters"]) return Filters.Run(repeats: 7);

var repeats = Option("--repeats", 3, 1, 20);
var scale = Option("--scale", 100, 1, 1_000) / 100.0;
await using var table = new Table(repeats, scale);
return await table.RunAsync();

int Option(string name, int fallback, int minimum, int maximum)
{
    var at = Array.IndexOf(args, name);
    if (at < 0) return fallback;
    if (at + 1 < args.Length && int.TryParse(args[at + 1], out var value) && value >= minimum && value <= maximum) return value;
    Console.Error.WriteLine($"{name}: {minimum} … {maximum}");
    Environment.Exit(2);
    return 0;
}
