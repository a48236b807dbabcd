using DataHub.Feeds;

namespace DataHub.Hosting;

/// <summary>Goes on at every start with the erasures that are not done.</summary>
internal sealed class ErasureResumption(IErasureStore erasures, IGrainFactory grains) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var dataset in (await erasures.PendingAsync(cancellationToken)).Select(pending => pending.Dataset).Distinct(StringComparer.Ordinal))
        {
            await grains.GetGrain<IErasuresGrain>(dataset).ResumeAsync();
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
