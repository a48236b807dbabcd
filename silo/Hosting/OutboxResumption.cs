using System.Globalization;

using DataHub.Catalog;
using DataHub.Governance;

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DataHub.Hosting;

/// <summary>Lets grains send what they keep for the audit log and nobody asks for since a kill: after a start, and every hour.</summary>
internal sealed partial class OutboxResumption(IGrainFactory grains, ILogger<OutboxResumption> logger) : BackgroundService
{
    private static readonly TimeSpan s_afterStart = TimeSpan.FromSeconds(1), s_period = TimeSpan.FromHours(1), s_again = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wait = s_afterStart;
        while (true)
        {
            await Task.Delay(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            wait = await FlushAllAsync(stoppingToken) ? s_period : s_again;
        }
    }

    /// <returns>Whether all were asked.</returns>
    private async Task<bool> FlushAllAsync(CancellationToken stoppingToken)
    {
        var complete = true;
        for (var part = 0; part < IOutboxesGrain.Parts && !stoppingToken.IsCancellationRequested; part++)
        {
            string[] open = [];
            complete &= await TryAsync(async () => open = await grains.GetGrain<IOutboxesGrain>(part).ListAsync(Caller.Hub), $"part {part}");
            foreach (var grain in open)
            {
                if (stoppingToken.IsCancellationRequested) return true;
                complete &= await TryAsync(() => grains.GetGrain(GrainId.Parse(grain, CultureInfo.InvariantCulture)).AsReference<IOutboxGrain>().FlushAsync(Caller.Hub), grain);
            }
        }

        return complete;
    }

    private async Task<bool> TryAsync(Func<Task> ask, string whom)
    {
        try
        {
            await ask();
            return true;
        }
        catch (Exception e)
        {
            LogNotAsked(e, whom);
            return false;
        }
    }

    [LoggerMessage(1267, LogLevel.Warning, "{Whom} could not be asked for events that the audit log may not have yet; it is tried again")]
    private partial void LogNotAsked(Exception exception, string whom);
}
