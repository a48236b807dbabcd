using DataHub.Catalog;
using DataHub.Pipelines;

namespace DataHub.Hosting;

/// <summary>Sees to it that every part of the schedule is awake: each then looks every second by itself, on whichever silo it lives.</summary>
internal sealed partial class ScheduleClock(IGrainFactory grains, ILogger<ScheduleClock> logger) : BackgroundService
{
    private static readonly TimeSpan s_afterStart = TimeSpan.FromSeconds(1), s_period = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var wait = s_afterStart; ; wait = s_period)
        {
            await Task.Delay(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            for (var part = 0; part < IScheduleGrain.Parts && !stoppingToken.IsCancellationRequested; part++)
            {
                try
                {
                    await grains.GetGrain<IScheduleGrain>(part).TickAsync(Caller.Hub);
                }
                catch (Exception e)
                {
                    LogNotAsked(e, part);
                }
            }
        }
    }

    [LoggerMessage(4041, LogLevel.Warning, "Part {Part} of the schedule could not be asked; it is tried again in five seconds")]
    private partial void LogNotAsked(Exception exception, int part);
}
