using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace DataHub.Hosting;

internal static class HubLogging
{
    /// <summary>One line per event on the error stream; the hub's own from Information, its machinery's from Warning. Section <c>Logging</c> changes that.</summary>
    public static void AddHubLogging(this ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        logging.Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        // Before everything else that configures filters, as of two for one category the later counts.
        logging.Services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<LoggerFilterOptions>>(new ConfigureOptions<LoggerFilterOptions>(options =>
        {
            options.AddFilter("DataHub", LogLevel.Information);
            options.AddFilter("Microsoft", LogLevel.Warning);
            options.AddFilter("Orleans", LogLevel.Warning);
            options.AddFilter("Polly", LogLevel.Warning);
            // All it would write is that requests begin and end, but for being asked it makes a trace of each.
            options.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
            // It warns at every start that the server's garbage collector is off, which is meant.
            options.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);
            // It takes the time before the start for a stall.
            options.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
            // A start that fails is told by the command line.
            options.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        })));
    }
}
