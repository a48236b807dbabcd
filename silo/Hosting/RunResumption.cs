using DataHub.Catalog;
using DataHub.Pipelines;

namespace DataHub.Hosting;

/// <summary>Asks for runs that have not ended, so that one whose silo died goes on somewhere else within seconds; and deletes files in time.</summary>
internal sealed partial class RunResumption(IGrainFactory grains, TimeProvider time, ILogger<RunResumption> logger) : BackgroundService
{
    private const int Page = 1_000;

    private static readonly TimeSpan s_afterStart = TimeSpan.FromSeconds(1), s_period = TimeSpan.FromSeconds(5), s_sweeps = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wait = s_afterStart;
        DateTimeOffset? swept = null;
        while (true)
        {
            await Task.Delay(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            wait = s_period;
            await WakeAsync(stoppingToken);
            if (swept is { } last && time.GetUtcNow() - last < s_sweeps) continue;
            if (await TryAsync(() => SweepAsync(stoppingToken), "files")) swept = time.GetUtcNow();
        }
    }

    private async Task WakeAsync(CancellationToken stoppingToken)
    {
        for (var part = 0; part < IOpenRunsGrain.Parts && !stoppingToken.IsCancellationRequested; part++)
        {
            var open = grains.GetGrain<IOpenRunsGrain>(part);
            OpenRun[] runs = [];
            await TryAsync(async () => runs = await open.ListAsync(Caller.Hub), $"part {part} of the open runs");
            foreach (var run in runs)
            {
                if (stoppingToken.IsCancellationRequested) return;
                await TryAsync(
                    async () =>
                    {
                        // One that waits for its turn is its job's to wake; any other says itself when nobody need ask for it any more.
                        if (!await grains.GetGrain<IPipelineJobGrain>(run.Job).WakeAsync(Caller.Hub, run.Run)) await grains.GetGrain<IPipelineRunGrain>(run.Run).WakeAsync(Caller.Hub, run.Job);
                    },
                    run.Run);
            }
        }
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        for (string? after = null; !stoppingToken.IsCancellationRequested;)
        {
            var jobs = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Jobs).ListAsync(Caller.Hub, after, Page);
            foreach (var job in jobs)
            {
                stoppingToken.ThrowIfCancellationRequested();
                // One that cannot be written stops no other.
                await TryAsync(() => grains.GetGrain<IPipelineJobGrain>(job).SweepAsync(Caller.Hub), job);
            }

            if (jobs.Length < Page) break;
            after = jobs[^1];
        }

        for (string? after = null; !stoppingToken.IsCancellationRequested;)
        {
            var agencies = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Agencies).ListAsync(Caller.Hub, after, Page);
            foreach (var agency in agencies)
            {
                var list = grains.GetGrain<IUploadedFilesGrain>(agency);
                string[] files;
                for (string? last = null; (files = await list.ListAsync(Caller.Hub, last, Page)).Length > 0; last = files[^1])
                {
                    foreach (var file in files)
                    {
                        stoppingToken.ThrowIfCancellationRequested();
                        if (await grains.GetGrain<IUploadedFileGrain>(file).SweepAsync(Caller.Hub)) await list.RemoveAsync(Caller.Hub, file);
                    }
                }
            }

            if (agencies.Length < Page) return;
            after = agencies[^1];
        }
    }

    private async Task<bool> TryAsync(Func<Task> ask, string what)
    {
        try
        {
            await ask();
            return true;
        }
        catch (Exception e)
        {
            LogNotAsked(e, what);
            return false;
        }
    }

    [LoggerMessage(4040, LogLevel.Warning, "{What} could not be asked; it is tried again")]
    private partial void LogNotAsked(Exception exception, string what);
}
