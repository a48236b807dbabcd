using System.Data.Common;

using DataHub.Feeds;

using Orleans.Runtime;

namespace DataHub.Hosting;

/// <summary>Goes on after every start with the erasures that are not done.</summary>
internal sealed partial class ErasureResumption(IErasureStore erasures, IGrainFactory grains, ILogger<ErasureResumption> logger) : BackgroundService
{
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                foreach (var dataset in (await erasures.PendingAsync(stoppingToken)).Select(pending => pending.Dataset).Distinct(StringComparer.Ordinal))
                {
                    await grains.GetGrain<IErasuresGrain>(dataset).ResumeAsync();
                }

                return;
            }
            catch (Exception e) when (e is OrleansException or TimeoutException or DbException)
            {
                // Another silo dies, or the database is not there: nothing of it is lost, and the start does not wait.
                LogAgain(e);
                await Task.Delay(s_again, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(1191, LogLevel.Warning, "Erasures under way could not be resumed yet; it is tried again")]
    private partial void LogAgain(Exception e);
}
