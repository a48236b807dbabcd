using System.Diagnostics.Metrics;

namespace DataHub.Feeds;

/// <summary>What the writers of this process's shards have met.</summary>
internal sealed class LogMetrics
{
    private readonly Counter<long> _superseded;

    public LogMetrics(IMeterFactory meters) => _superseded = meters.Create("DataHub").CreateCounter<long>(
        "datahub.log.superseded_appends", "{append}", "Appends that the log refused because another writer had taken the shard over; nothing of them was stored.");

    public void AppendSuperseded() => _superseded.Add(1);
}
