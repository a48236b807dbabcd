using Microsoft.Extensions.Logging.Console;

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
        logging.AddFilter("DataHub", LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Orleans", LogLevel.Warning);
        logging.AddFilter("Polly", LogLevel.Warning);
        // It warns at every start that the server's garbage collector is off, which is meant.
        logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);
        // It takes the time before the start for a stall.
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
        // A start that fails is told by the command line.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
    }
}
