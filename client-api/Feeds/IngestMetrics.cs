using System.Diagnostics.Metrics;

namespace DataHub.Feeds;

/// <summary>What this front-end has taken since it started. The lasting counts are those of the log (conservation).</summary>
internal sealed class IngestMetrics
{
    private readonly Counter<long> _pushes;
    private readonly Counter<long> _rows;

    public IngestMetrics(IMeterFactory meters, BodyBudget budget)
    {
        var meter = meters.Create("DataHub");
        _pushes = meter.CreateCounter<long>("datahub.ingest.pushes", "{push}", "Pushes answered, by outcome.");
        _rows = meter.CreateCounter<long>("datahub.ingest.rows", "{row}", "Rows of pushes that were stored, by what became of them.");
        meter.CreateObservableGauge("datahub.ingest.waiting", () => budget.Used, "By", "Bytes of bodies held in memory.");
    }

    public void Count(PushAnswer answer, bool dryRun)
    {
        var replayed = answer.Receipt?.Replayed == true;
        _pushes.Add(1, new KeyValuePair<string, object?>("outcome", dryRun ? "dry-run" : replayed ? "replayed" : answer.Refusal == PushRefusal.None ? "stored" : Outcome(answer.Refusal)));
        if (answer.Refusal != PushRefusal.None || dryRun || replayed) return;
        var counts = answer.Receipt!.Counts;
        Rows("accepted", counts.Accepted);
        Rows("duplicate", counts.Duplicate);
        Rows("quarantined", counts.Quarantined);

        void Rows(string what, int count)
        {
            if (count > 0) _rows.Add(count, new KeyValuePair<string, object?>("result", what));
        }
    }

    private static string Outcome(PushRefusal refusal) => refusal switch
    {
        PushRefusal.NoDataset or PushRefusal.NoFeed => "not-found",
        PushRefusal.Undecodable => "undecodable",
        PushRefusal.AtomicNeedsOnePartition or PushRefusal.NotAtomic => "not-atomic",
        PushRefusal.Forbidden => "forbidden",
        PushRefusal.KeyReused => "key-reused",
        PushRefusal.Full => "full",
        PushRefusal.OverQuota or PushRefusal.LargerThanQuota => "over-quota",
        _ => "unavailable",
    };
}
