using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Feeds;

/// <summary>Finds a receipt in the log and decides who may see it.</summary>
[GrainType("datahub.receipt")]
internal sealed partial class ReceiptGrain(ILogStore log, ILogger<ReceiptGrain> logger) : Grain, IReceiptGrain
{
    public async Task<ReceiptResult> GetAsync(Caller caller)
    {
        IReadOnlyList<PartReceipt> parts;
        Guid incarnation;
        try
        {
            parts = await log.FindReceiptAsync(this.GetPrimaryKeyString(), CancellationToken.None);
            incarnation = await log.IncarnationAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            LogUnreadable(e, this.GetPrimaryKeyString());
            return Refused(Indicators.ReadRefusal.Unavailable);
        }

        if (parts.Count == 0) return Refused(Indicators.ReadRefusal.NotFound);
        var push = parts[0].Push;
        var dataset = await GrainFactory.GetGrain<IDatasetGrain>(push.Dataset).GetAsync(caller);
        var ofPusher = caller.Agency is not null && caller.Agency == push.Agency && caller.Role != KeyRole.None;
        // Whoever may not see a receipt does not learn that it exists.
        if (dataset is null || !(ofPusher || AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding))) return Refused(Indicators.ReadRefusal.NotFound);

        var sequences = new long[dataset.Partitions.Length];
        // A large push has several parts in one partition: what it stored ends with the last of them.
        foreach (var part in parts)
        {
            ref var sequence = ref sequences[PartitionKeys.Number(part.Partition)];
            sequence = Math.Max(sequence, part.Sequence);
        }

        return new(Indicators.ReadRefusal.None, [.. parts], null) { Watermark = new Watermark(incarnation, push.Dataset, sequences).ToString() };
    }

    private ReceiptResult Refused(Indicators.ReadRefusal refusal) => new(refusal, [], this.GetPrimaryKeyString());

    [LoggerMessage(1130, LogLevel.Error, "Receipt {Receipt} could not be read")]
    private partial void LogUnreadable(Exception exception, string receipt);
}
