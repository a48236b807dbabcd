using DataHub.Catalog;
using DataHub.Governance;
using DataHub.Indicators;
using DataHub.Sharing;

using Microsoft.Extensions.Logging;

namespace DataHub.Feeds;

/// <summary>Single records, each for one procedure, logged before they are given.</summary>
internal sealed partial class DatasetRowsGrain
{
    private EvidenceLog? _evidence;

    public async Task<EvidenceResult> EvidenceAsync(Caller caller, EvidenceRequest request)
    {
        if (caller.IsPublic || await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } dataset) return No(ReadRefusal.NotFound);
        try
        {
            var contract = await contracts.GetAsync(Dataset, dataset.ContractVersion);
            var (decision, through, missing) = await DecideEvidenceAsync(caller, dataset);
            if (!decision.IsAllowed) return No(ReadRefusal.Forbidden, missing);
            if (EvidenceRules.Fault(request, caller.Use) is { } wrong) return No(ReadRefusal.Invalid, wrong);
            var (key, fault) = EvidenceRules.Key(contract, request.Key);
            if (key is null) return No(ReadRefusal.Invalid, fault);

            var (row, watermark, refused) = await LookUpAsync(dataset, contract, key);
            if (refused is { } refusal) return No(refusal);
            var block = row is null ? null : RowPacking.Unpack(contract, [(row.Values, row.Area)]);
            if (through is not null && row is not null && !EvidenceRules.Gives(through.Terms, contract, block!, row.Time, row.Area, await AreasOfAsync(through.Terms, dataset))) block = null;

            // A question is a disclosure, whatever the answer is: it counts, and it is logged.
            if (through is not null && await (_allowances ??= new(GrainFactory, this, time, logger)).TakeAsync(new(through, caller), UsageOperations.Evidence, 1, watermark) is not null)
            {
                return No(ReadRefusal.Forbidden, new(
                    $"Die Vereinbarung „{through.Id}“ gibt {through.Terms.Delivery.RowsPerDay} Nachweise am Tag (UTC); sie sind aufgebraucht.",
                    $"The agreement “{through.Id}” gives {through.Terms.Delivery.RowsPerDay} single records a day (UTC); they are used up."));
            }

            var fields = EvidenceFields(caller, dataset, contract, through);
            var (now, secret, content) = (time.GetUtcNow(), await (_evidence ??= new(GrainFactory, Dataset)).SecretAsync(), EvidenceRules.Content(contract, block, fields));
            var id = ReceiptIds.New(now);
            var salt = EvidenceRules.Salt(secret, id);
            var entry = new EvidenceEntry(id, now, Dataset, through?.Terms.Recipient ?? AskingAgency(caller, decision), caller.Subject)
            {
                Requester = request.Requester,
                LegalNorm = request.LegalNorm,
                Procedure = request.Procedure,
                FileNumber = request.FileNumber,
                Purpose = caller.Use!.Purpose,
                PurposeText = through?.Terms.Purposes.First(purpose => purpose.Id == caller.Use.Purpose).Text,
                Agreement = through?.Id,
                Version = through?.Version ?? 0,
                Found = block is not null,
                Fields = block is null ? [] : [.. contract.Fields.Where(field => fields.Contains(field.Name)).Select(field => field.Name)],
                Watermark = watermark,
                ContentHash = EvidenceRules.ContentHash(salt, content),
                RecordHash = EvidenceRules.RecordHash(secret, key.Bytes),
            };
            if (await _evidence.WriteAsync(entry) is { } full) return No(ReadRefusal.TooMany, full);
            var given = AuditEvents.Of(
                now, caller, AuditEvents.EvidenceGiven, dataset.Spec.Publisher, $"dataset:{Dataset}", AuditOutcome.Done,
                ("evidence", id), ("because", ContractWords.Of(decision.Because)), ("reference", decision.Reference), ("purpose", entry.Purpose), ("found", entry.Found ? "true" : "false"), ("watermark", watermark));
            await trail.RecordAsync(entry.Agency == dataset.Spec.Publisher ? [given] : [given, given with { Id = ReceiptIds.New(now), Agency = entry.Agency }]);
            return await StillAsync(caller, dataset, through) is { } no ? No(no) : new(ReadRefusal.None, null) { Entry = entry, Content = content, Salt = salt };
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return No(ReadRefusal.Unavailable);
        }

        static EvidenceResult No(ReadRefusal refusal, LocalText? why = null) => new(refusal, why);
    }

    /// <summary>
    /// Through an agreement where one allows it, so that what an agency may ask is asked through it; else by right. That rows are open
    /// is no right to ask in a procedure.
    /// </summary>
    private async Task<(AccessDecision Decision, AgreementInForce? Through, LocalText? Missing)> DecideEvidenceAsync(Caller caller, DatasetInfo dataset)
    {
        LocalText? missing = null;
        if (dataset.State == ReleaseState.Available)
        {
            (var through, missing) = DoorRules.Through(caller, dataset.Holding, (await (_inForce ??= new(GrainFactory, Dataset, time, logger)).GetAsync()).With(caller), DoorRules.EvidenceFault);
            if (through is not null) return (new(AccessRights.ReadRows, AccessReason.Agreement, $"{through.Id} v{through.Version}", null), through, null);
        }

        return (EvidenceByRight(caller, dataset), null, missing ?? new(
            $"Nötig ist eine Vereinbarung mit „{dataset.Spec.Publisher}“ in Kraft, die Nachweise gibt (delivery.form evidence), oder das Recht, die Zeilen von „{Dataset}“ zu lesen.",
            $"An agreement in force with “{dataset.Spec.Publisher}” that gives evidence (delivery.form evidence) is needed, or the right to read the rows of “{Dataset}”."));
    }

    private static AccessDecision EvidenceByRight(Caller caller, DatasetInfo dataset) => AccessRules.Decide(caller, AccessRights.ReadRows, dataset.Holding with { Access = AccessClass.Internal });

    /// <summary>What stands under a key now, with everything that is committed.</summary>
    private async Task<(HistoryRow? Row, string Watermark, ReadRefusal? Refused)> LookUpAsync(DatasetInfo dataset, CompiledContract contract, EvidenceKey key)
    {
        var (incarnation, heads) = (await log.IncarnationAsync(CancellationToken.None), await HeadsAsync(dataset));
        if (await ReachAsync(dataset, new(incarnation, Dataset, heads), incarnation) is { } notYet) return (null, "", notYet.Refusal);
        var partition = RowKeys.Partition(contract, key.Block, 0, dataset.Partitions.Length);
        var found = await history.FindKeysAsync(
            dataset.Partitions[partition].Key, [new(key.Bytes, contract.KeyHasTime ? contract.TimeTicks(key.Block, 0) : null)], CancellationToken.None);
        var sequences = (long[])heads.Clone();
        sequences[partition] = Math.Max(sequences[partition], found.Sequence);
        return (found.Rows[0], new Watermark(incarnation, Dataset, sequences).ToString(), null);
    }

    /// <summary>Those that the agreement names; by right all, personal ones only for the publisher's readers.</summary>
    private static HashSet<string> EvidenceFields(Caller caller, DatasetInfo dataset, CompiledContract contract, AgreementInForce? through) =>
        through is not null ? DoorRules.Fields(through.Terms, contract)
        : [.. contract.Fields.Where(field => field.Role != FieldRole.Personal || AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding)).Select(field => field.Name)];

    private async Task<HashSet<string>?> AreasOfAsync(AgreementTerms terms, DatasetInfo dataset)
    {
        if (terms.Data.Areas is not { } given) return null;
        var tree = await AreasAsync(dataset);
        return [.. given.SelectMany(area => (IEnumerable<string>?)tree?.WithDescendants(area) ?? [])];
    }

    /// <summary>Of whom it is noted where it is asked by right.</summary>
    private static string AskingAgency(Caller caller, AccessDecision decision) =>
        caller.Agency ?? caller.Grants.All.Where(grant => grant.Id == decision.Reference).Select(grant => Subjects.AgencyOf(grant.Group)).FirstOrDefault() ?? Caller.PlatformAgency;

    /// <summary>It is given by what holds now, however long it took to find and to log.</summary>
    private async Task<ReadRefusal?> StillAsync(Caller caller, DatasetInfo dataset, AgreementInForce? through)
    {
        for (var tries = 0; tries < MaxAsked; tries++)
        {
            var asked = time.GetTimestamp();
            if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } present) return ReadRefusal.NotFound;
            if (present.ContractVersion != dataset.ContractVersion) return ReadRefusal.Unavailable;
            if (through is null && !EvidenceByRight(caller, present).IsAllowed) return ReadRefusal.Forbidden;
            if (through is not null)
            {
                if (present.State != ReleaseState.Available || await _inForce!.AskAsync(through.Id) is not { } still) return ReadRefusal.Forbidden;
                if (still.Version != through.Version) return ReadRefusal.Unavailable;
            }

            if (time.GetElapsedTime(asked) < s_holds) return null;
        }

        return ReadRefusal.Unavailable;
    }
}
