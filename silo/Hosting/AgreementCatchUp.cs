using DataHub.Catalog;
using DataHub.Sharing;

using Orleans.Runtime;

namespace DataHub.Hosting;

/// <summary>
/// After every start, and every hour from then on, asks each agreement to note what became due: one that nobody asks for
/// would else note its missed duties late. What an agreement answers does not depend on it. Deletes besides what of the
/// evidence logs is not to be kept any more.
/// </summary>
internal sealed partial class AgreementCatchUp(IGrainFactory grains, TimeProvider time, ILogger<AgreementCatchUp> logger) : BackgroundService
{
    private const int Page = 1_000;

    /// <summary>So many that fail in one round are no fault of theirs.</summary>
    private const int MaxFailures = 10;

    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(10), s_rounds = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = s_rounds;
            try
            {
                await RoundAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Another silo dies, or the database is not there: neither start nor work of the hub depends on this.
                LogAgain(e);
                pause = s_again;
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RoundAsync(CancellationToken stop)
    {
        await SweepEvidenceAsync(stop);
        string? after = null;
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Agreements).ListAsync(Caller.Hub, after, Page);
            foreach (var id in ids)
            {
                try
                {
                    await grains.GetGrain<ISharingAgreementGrain>(id).CatchUpAsync(Caller.Hub);
                }
                catch (Exception e) when (!stop.IsCancellationRequested && e is not OrleansException and not TimeoutException && ++failures < MaxFailures)
                {
                    // One that cannot be read stops no other.
                    LogFailed(e, id);
                }
            }

            if (ids.Length < Page) return;
            after = ids[^1];
        }
    }

    private async Task SweepEvidenceAsync(CancellationToken stop)
    {
        string? after = null;
        while (!stop.IsCancellationRequested)
        {
            var datasets = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Evidence).ListAsync(Caller.Hub, after, Page);
            foreach (var dataset in datasets)
            {
                try
                {
                    while (await grains.GetGrain<IEvidenceLogGrain>(dataset).SweepAsync(Caller.Hub)) stop.ThrowIfCancellationRequested();
                }
                catch (Exception e) when (!stop.IsCancellationRequested)
                {
                    // One that cannot be written stops no other, and no agreement; nothing of it is shown meanwhile.
                    LogUnswept(e, dataset);
                }
            }

            if (datasets.Length < Page) return;
            after = datasets[^1];
        }
    }

    [LoggerMessage(1283, LogLevel.Error, "Evidence log of {Dataset}: what is over could not be deleted; it is not shown, and it is tried again within an hour")]
    private partial void LogUnswept(Exception e, string dataset);

    [LoggerMessage(1273, LogLevel.Warning, "Agreements could not be asked what became due; it is tried again")]
    private partial void LogAgain(Exception e);

    [LoggerMessage(1274, LogLevel.Error, "Agreement {Agreement} could not note what became due; it is asked again within an hour")]
    private partial void LogFailed(Exception e, string agreement);
}
