using DataHub.Storage.Postgres;

using Orleans.Runtime;

namespace DataHub.Hosting;

/// <summary>A silo is ready while it is active in the cluster and its stores answer.</summary>
internal sealed class SiloIsActive(ISiloStatusOracle cluster, PostgresDatabase database) : IHealthProbe
{
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        if (cluster.CurrentStatus != SiloStatus.Active) return false;
        await using var command = database.Source.CreateCommand("SELECT 1");
        return await command.ExecuteScalarAsync(cancellationToken) is 1;
    }
}
