using System.Globalization;
using System.Security.Cryptography;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Indicators;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Sharing;

[GrainType("datahub.evidence-log")]
internal sealed partial class EvidenceLogGrain(
    [PersistentState("evidence-log", "state")] IPersistentState<EvidenceLogState> state,
    IContractSource contracts,
    IOptions<AgreementOptions> options,
    AuditTrail trail,
    TimeProvider time,
    ILogger<EvidenceLogGrain> logger) : Grain, IEvidenceLogGrain
{
    private const int SecretBytes = 32, Page = 1_000;

    /// <summary>Parts that one page of a list reads, and parts from which one sweep deletes.</summary>
    private const int MaxPartsRead = 50, MaxPartsSwept = 2;

    private StoredState<EvidenceLogState> _stored = null!;

    private string Dataset => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task<byte[]> SecretAsync(Caller caller)
    {
        EvidenceLog.OnlyTheHub(caller);
        if (_stored.Value.Secret.Length > 0) return _stored.Value.Secret;

        // Noted before it is stored: the list may name a dataset that was never asked, but never miss one that was.
        await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.Evidence).AddAsync(Caller.Hub, Dataset);
        await _stored.StoreAsync(_stored.Value with { Secret = RandomNumberGenerator.GetBytes(SecretBytes) });
        return _stored.Value.Secret;
    }

    public async Task<int> OpenAsync(Caller caller, DateOnly day, int part)
    {
        EvidenceLog.OnlyTheHub(caller);
        var days = _stored.Value.Days;
        var known = Array.Find(days, one => one.Day == day)?.Parts ?? 0;
        if (known >= part) return known;
        await _stored.StoreAsync(_stored.Value with { Days = [.. days.Where(one => one.Day != day).Append(new(day, part)).OrderBy(one => one.Day)] });
        return part;
    }

    public async Task<EvidenceListResult> ListAsync(Caller caller, EvidenceListQuery query)
    {
        if (await FindAsync(caller) is not { } dataset) return new(ReadRefusal.NotFound, [], null);
        try
        {
            var all = AccessRules.May(caller, AccessRights.Grant, Held(dataset));
            if (!all && !await MayAskAsync(caller)) return new(ReadRefusal.NotFound, [], null);
            if (!TryRead(query.After, out var part, out var after)) return new(ReadRefusal.Invalid, [], null);

            var parts = Array.Find(_stored.Value.Days, one => one.Day == query.Day)?.Parts ?? 0;
            var entries = new List<EvidenceEntry>();
            for (var read = 0; part <= parts; part++, after = 0, read++)
            {
                if (read == MaxPartsRead) return new(ReadRefusal.None, [.. entries], $"{part}.0");
                foreach (var record in await GrainFactory.GetGrain<IEvidencePartGrain>(EvidenceRules.PartKey(Dataset, query.Day, part)).ReadAsync(Caller.Hub, after))
                {
                    if (!all && !IsOwn(caller, record.Entry)) continue;
                    if (entries.Count == query.Limit) return new(ReadRefusal.None, [.. entries], $"{part}.{after}");
                    entries.Add(record.Entry);
                    after = record.Number;
                }
            }

            return new(ReadRefusal.None, [.. entries], null);
        }
        catch (Exception e)
        {
            LogFailed(e, Dataset);
            return new(ReadRefusal.Unavailable, [], null);
        }
    }

    public async Task<EvidenceInquiryResult> InquireAsync(Caller caller, EvidenceInquiry inquiry)
    {
        if (await FindAsync(caller) is not { } dataset) return No(ReadRefusal.NotFound, null);
        if (AccessRules.Decide(caller, AccessRights.Grant, Held(dataset)).Missing is { } missing) return No(ReadRefusal.Forbidden, missing);
        try
        {
            if (EvidenceRules.Text("reason", inquiry.Reason, EvidenceLimits.MaxReason) is { } wrong) return No(ReadRefusal.Invalid, wrong);
            var (key, fault) = EvidenceRules.Key(await contracts.GetAsync(Dataset, dataset.ContractVersion), inquiry.Key);
            if (key is null) return No(ReadRefusal.Invalid, fault);

            // Where nobody has asked there is no secret either.
            var secret = _stored.Value.Secret;
            EvidenceEntry[] entries = secret.Length == 0
                ? []
                : await GrainFactory.GetGrain<IEvidenceRecordGrain>(EvidenceRules.RecordKey(Dataset, EvidenceRules.RecordHash(secret, key.Bytes))).ListAsync(Caller.Hub);
            var now = time.GetUtcNow();
            await trail.RecordAsync(AuditEvents.Of(
                now, caller, AuditEvents.EvidenceInquired, dataset.Spec.Publisher, $"dataset:{Dataset}", AuditOutcome.Done,
                ("reason", inquiry.Reason), ("entries", entries.Length.ToString(CultureInfo.InvariantCulture))));
            LogInquired(Dataset, entries.Length, caller.Subject);
            return new(ReadRefusal.None, entries, null) { Kept = options.Value.KeepEvidence, Dataset = dataset, At = now };
        }
        catch (Exception e)
        {
            LogFailed(e, Dataset);
            return No(ReadRefusal.Unavailable, null);
        }

        static EvidenceInquiryResult No(ReadRefusal refusal, LocalText? why) => new(refusal, [], why);
    }

    public async Task<bool> SweepAsync(Caller caller)
    {
        EvidenceLog.OnlyTheHub(caller);
        var (now, swept, deleted) = (time.GetUtcNow(), 0, 0);
        foreach (var day in _stored.Value.Days)
        {
            var (some, all) = EvidenceRules.IsOver(day.Day, now, options.Value.KeepEvidence);
            if (!some) break;
            var left = 0;
            for (var part = 1; part <= day.Parts; part++)
            {
                var result = await GrainFactory.GetGrain<IEvidencePartGrain>(EvidenceRules.PartKey(Dataset, day.Day, part)).SweepAsync(Caller.Hub);
                (deleted, left) = (deleted + result.Deleted, left + result.Left);
                if (result.Deleted > 0 && ++swept == MaxPartsSwept)
                {
                    LogSwept(Dataset, deleted);
                    return true;
                }
            }

            // The day itself goes once nothing can stand there any more.
            if (all && left == 0) await _stored.StoreAsync(_stored.Value with { Days = [.. _stored.Value.Days.Where(one => one.Day != day.Day)] });
        }

        if (deleted > 0) LogSwept(Dataset, deleted);
        return false;
    }

    private async Task<DatasetInfo?> FindAsync(Caller caller) => caller.IsPublic ? null : await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller);

    /// <summary>Somebody of an agency with which there is, or was, an agreement on evidence.</summary>
    private async Task<bool> MayAskAsync(Caller caller)
    {
        for (string? after = null; ;)
        {
            var ids = await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.AgreementsOn(Dataset)).ListAsync(Caller.Hub, after, Page);
            foreach (var agreement in await Task.WhenAll(ids.Select(AgreementAsync)))
            {
                if (agreement is { Since: not null, Terms: { Delivery.Form: AgreementForm.Evidence } terms } && IsOf(caller, terms.Recipient)) return true;
            }

            if (ids.Length < Page) return false;
            after = ids[^1];
        }
    }

    /// <summary>One that cannot say is not regarded, and keeps nobody from the others.</summary>
    private async Task<AgreementInfo?> AgreementAsync(string id)
    {
        try
        {
            return await GrainFactory.GetGrain<ISharingAgreementGrain>(id).GetAsync(Caller.Hub);
        }
        catch (AgreementLogException)
        {
            return null;
        }
    }

    private static bool IsOf(Caller caller, string agency) =>
        caller.Agency == agency || AccessRules.May(caller, AccessRights.ManageAgency, Holding.OfAgency(agency)) || caller.Grants.All.Any(grant => Subjects.AgencyOf(grant.Group) == agency);

    /// <summary>Whoever manages the agency that asked sees what it asked, everybody else of it what he asked himself.</summary>
    private static bool IsOwn(Caller caller, EvidenceEntry entry) =>
        entry.Subject == caller.Subject || AccessRules.May(caller, AccessRights.ManageAgency, Holding.OfAgency(entry.Agency));

    private static Holding Held(DatasetInfo dataset) => dataset.Holding with { Access = AccessClass.Internal };

    private static bool TryRead(string? after, out int part, out int number)
    {
        (part, number) = (1, 0);
        return after is null
            || (after.Split('.') is [var first, var second] && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out part) && part > 0
                && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out number));
    }

    [LoggerMessage(1280, LogLevel.Error, "The evidence log of {Dataset} could not be read")]
    private partial void LogFailed(Exception exception, string dataset);

    [LoggerMessage(1281, LogLevel.Information, "Evidence log of {Dataset}: {Entries} entries about a record were shown to {Subject}")]
    private partial void LogInquired(string dataset, int entries, string subject);

    [LoggerMessage(1282, LogLevel.Information, "Evidence log of {Dataset}: {Entries} entries were deleted after their time")]
    private partial void LogSwept(string dataset, int entries);
}
