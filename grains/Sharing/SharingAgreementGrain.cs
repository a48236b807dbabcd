using System.Globalization;

using DataHub.Catalog;
using DataHub.Governance;
using DataHub.Indicators;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Sharing;

[GrainType("datahub.sharing-agreement")]
internal sealed partial class SharingAgreementGrain(
    [PersistentState("agreement", "state")] IPersistentState<SharingAgreementState> state,
    IOptions<AgreementOptions> options,
    IOptions<IndicatorOptions> filters,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<SharingAgreementGrain> logger) : Grain, ISharingAgreementGrain, IOutboxGrain
{
    private StoredState<SharingAgreementState> _stored = null!;
    private Outbox<SharingAgreementState> _outbox = null!;

    /// <summary>Of the events that surely stand.</summary>
    private AgreementLife _life = null!;
    private IGrainTimer? _timer;

    private string Id => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        try
        {
            _life = AgreementLife.Fold(Id, _stored.Value.Log);
        }
        catch (AgreementLogException e)
        {
            LogBroken(e, Id);
            throw;
        }

        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        await NoteDueAsync(time.GetUtcNow());
    }

    public async Task<AgreementResult> PutAsync(Caller caller, AgreementTerms terms, AgreementSide? side)
    {
        terms = AgreementTermsRules.Normal(terms);
        var now = time.GetUtcNow();
        await NoteDueAsync(now);
        if (_life.Terms is { } standing)
        {
            var (found, refused) = await SideAsync(caller, side);
            if (refused is not null) return refused;
            if (AgreementTermsRules.Fault(terms) is { } wrong) return No(CatalogRefusal.Invalid, wrong);
            if (Fixed(standing, terms) is { } moved) return No(CatalogRefusal.Conflict, moved);
            if (AgreementContent.Terms(standing).AsSpan().SequenceEqual(AgreementContent.Terms(terms))) return new(CatalogRefusal.None, await InfoAsync(caller, now), null);
            return await ChangeAsync(caller, found, terms, now);
        }

        if (CatalogIds.IsValid(terms.Dataset) && await DatasetAsync(terms.Dataset) is { } dataset)
        {
            if (AccessRules.Decide(caller, AccessRights.Grant, Held(dataset)).Missing is { } missing) return No(CatalogRefusal.Forbidden, missing);
        }
        else
        {
            return AccessRules.Decide(caller, AccessRights.Grant, Holding.OfAgency(terms.Provider ?? "")).Missing is { } missing
                ? No(CatalogRefusal.Forbidden, missing)
                : No(CatalogRefusal.Invalid, NoDataset(terms.Dataset));
        }

        if (!CatalogIds.IsValid(Id)) return No(CatalogRefusal.Invalid, new($"Die Kennung „{Id}“ hat nicht die Form {CatalogIds.Pattern}.", $"The id “{Id}” does not match {CatalogIds.Pattern}."));
        if (AgreementTermsRules.Fault(terms) is { } fault) return No(CatalogRefusal.Invalid, fault);
        if (side == AgreementSide.Recipient) return No(CatalogRefusal.Conflict, new("Den ersten Entwurf schreibt die bereitstellende Seite.", "The first draft is written by the provider."));
        if (await GrainFactory.GetGrain<IAgencyGrain>(terms.Recipient).GetAsync(Caller.Hub) is null)
            return No(CatalogRefusal.Invalid, new($"recipient: Die Behörde „{terms.Recipient}“ gibt es nicht.", $"recipient: The agency “{terms.Recipient}” does not exist."));
        var made = await ChangeAsync(caller, AgreementSide.Provider, terms, now);
        return made with { Created = made.Refusal == CatalogRefusal.None };
    }

    public async Task<AgreementResult> ActAsync(Caller caller, AgreementRequest request)
    {
        var now = time.GetUtcNow();
        await NoteDueAsync(now);
        var (side, refused) = await SideAsync(caller, request.Side);
        if (refused is not null) return refused;
        return await ApplyAsync(caller, side, request with { Terms = null }, await ChecksAsync(_life.Terms!), now);
    }

    public async Task<AgreementInfo?> GetAsync(Caller caller) => await InfoAsync(caller, time.GetUtcNow());

    public async Task<AgreementRecord[]?> EventsAsync(Caller caller, int after, int limit)
    {
        var log = _stored.Value.Log;
        return (await SidesAsync(caller, _life)).Length == 0 ? null : [.. log.Skip(Math.Max(0, after)).Take(Math.Clamp(limit, 1, 1_000))];
    }

    public Task<AgreementInForce?> InForceAsync(Caller caller)
    {
        OnlyTheHub(caller);
        // What was stored and has not been answered yet may have stopped it.
        if (_stored.Value.Log.Length != _life.Events) return Task.FromResult<AgreementInForce?>(null);
        var now = time.GetUtcNow();
        var life = _life.At(now);
        return Task.FromResult(life.Terms is { } terms && life.State(now) is AgreementState.Active or AgreementState.Expiring ? new AgreementInForce(Id, life.Version, life.Terms!) : null);
    }

    public async Task<AgreementUsage?> UsageAsync(Caller caller, DateOnly month) =>
        (await SidesAsync(caller, _life)).Length == 0 ? null : await UsageOf(month).GetAsync(Caller.Hub);

    public async Task<AgreementResult> DeriveAsync(Caller caller, string dataset, string? text)
    {
        var now = time.GetUtcNow();
        await NoteDueAsync(now);
        var (_, refused) = await SideAsync(caller, AgreementSide.Recipient);
        if (refused is not null) return refused;
        var terms = _life.Terms!;
        if (_life.Since is null || _life.IsOver) return No(CatalogRefusal.Conflict, new("Abgeleitete Datensätze werden vermerkt, solange die Vereinbarung läuft.", "Derived datasets are noted while the agreement runs."));
        if (text is { Length: > AgreementLimits.MaxReason }) return No(CatalogRefusal.Invalid, new($"text: höchstens {AgreementLimits.MaxReason} Zeichen.", $"text: at most {AgreementLimits.MaxReason} characters."));
        if (!CatalogIds.IsValid(dataset) || await GrainFactory.GetGrain<IDatasetGrain>(dataset).GetAsync(caller) is not { } derived || derived.Spec.Publisher != terms.Recipient)
            return No(CatalogRefusal.Invalid, new($"dataset: {terms.Recipient} veröffentlicht keinen Datensatz „{dataset}“; vermerkt werden eigene Datensätze der empfangenden Seite.", $"dataset: {terms.Recipient} publishes no dataset “{dataset}”; datasets of the recipient's own are noted."));

        // What is noted may be erased in the end: only who may erase it notes it.
        if (AccessRules.Decide(caller, AccessRights.Erase, derived.Holding with { Access = AccessClass.Internal }).Missing is { } missing) return No(CatalogRefusal.Forbidden, missing);
        return await GrainFactory.GetGrain<IDerivedDataGrain>(Id).AddAsync(Caller.Hub, caller.Subject, new(dataset, terms.Provider, terms.Recipient, string.IsNullOrWhiteSpace(text) ? null : text))
            ? new(CatalogRefusal.None, await InfoAsync(caller, now), null)
            : No(CatalogRefusal.TooMany, new($"Mehr als {AgreementLimits.MaxDerived} abgeleitete Datensätze hat keine Vereinbarung.", $"No agreement has more than {AgreementLimits.MaxDerived} derived datasets."));
    }

    public async Task<AgreementEffect?> EffectAsync(Caller caller)
    {
        var life = _life;
        if ((await SidesAsync(caller, life)).Length == 0) return null;
        var terms = life.Terms!;
        var agreement = new AgreementInForce(Id, life.Version, terms);
        var indicators = new List<EffectIndicator>();
        if (await DatasetAsync(terms.Dataset) is { } dataset)
        {
            var contract = CompiledContract.Compile(dataset.Spec.Schema, dataset.Spec.Kind);
            var infos = await Task.WhenAll(dataset.Indicators.Select(indicator => GrainFactory.GetGrain<IIndicatorGrain>(indicator).GetAsync(Caller.Hub)));
            indicators.AddRange(infos.OfType<IndicatorInfo>().Where(info => info.Definition.Spec.Access != AccessClass.Open).Select(info => new EffectIndicator(info.Id, info.Definition.Spec.Title, DoorRules.ValuesFault(agreement, info.Definition, contract))));
        }

        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var usage = await Task.WhenAll(new[] { today.AddMonths(-1), today }.Select(month => UsageOf(month).GetAsync(Caller.Hub)));
        var readers = usage.SelectMany(month => month.Entries.Concat(month.Open)).GroupBy(entry => (entry.Subject, entry.Purpose, entry.Operation, entry.Object))
            .Select(group => new EffectReader(group.Key.Subject, group.Key.Purpose, group.Key.Operation, group.Key.Object, group.Max(entry => entry.Day), group.Sum(entry => entry.Requests), group.Sum(entry => entry.Rows)))
            .OrderBy(reader => reader.Subject, StringComparer.Ordinal).ThenBy(reader => reader.Purpose, StringComparer.Ordinal).ThenBy(reader => reader.Operation, StringComparer.Ordinal).ThenBy(reader => reader.Object, StringComparer.Ordinal);
        var derived = await Task.WhenAll((await GrainFactory.GetGrain<IDerivedDataGrain>(Id).ListAsync(Caller.Hub)).Select(async standing =>
            await DatasetAsync(standing.Note.Dataset) is { } of ? new EffectDerived(standing, [.. of.Feeds.Select(feed => feed.Id)], of.Indicators) : new(standing, [], [])));
        return new(terms.Use.Derived ?? DerivedRule.Kept, [.. indicators], [.. readers], derived);
    }

    /// <summary>Once the agreement is over, what is derived from it is handled as agreed; what fails is tried again within the hour.</summary>
    private async Task SettleDerivedAsync()
    {
        if (!_life.IsOver || _life.Since is null) return;
        try
        {
            await GrainFactory.GetGrain<IDerivedDataGrain>(Id).SettleAsync(Caller.Hub, _life.Terms!.Use.Derived ?? DerivedRule.Kept);
        }
        catch (Exception e)
        {
            LogNotSettled(e, Id);
        }
    }

    private IAgreementUsageGrain UsageOf(DateOnly month) => GrainFactory.GetGrain<IAgreementUsageGrain>(string.Create(CultureInfo.InvariantCulture, $"{Id}/{month:yyyy-MM}"));

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself asks what an agreement allows");
    }

    public async Task CatchUpAsync(Caller caller)
    {
        OnlyTheHub(caller);
        var now = time.GetUtcNow();
        await NoteDueAsync(now);
        if (_life.Since is null) return;
        await SettleDerivedAsync();

        // What a silo that died had not told is known as an upper bound by now.
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        foreach (var month in new[] { today, today.AddMonths(-1) }) await UsageOf(month).SweepAsync(Caller.Hub);
    }

    private async Task<AgreementResult> ChangeAsync(Caller caller, AgreementSide side, AgreementTerms terms, DateTimeOffset now)
    {
        if (await DatasetAsync(terms.Dataset) is not { } dataset) return No(CatalogRefusal.Invalid, NoDataset(terms.Dataset));
        var areas = (terms.Data.Areas is not null || terms.Data.FinestLevel is not null) && dataset.Spec.AreaSystem is { } system
            ? await GrainFactory.GetGrain<IAreaSystemGrain>(system).GetAsync(Caller.Hub, null)
            : null;
        if (AgreementTermsRules.Fault(terms, dataset, areas?.Areas.ToDictionary(area => area.Id, area => area.Level, StringComparer.Ordinal), filters.Value) is { } fault) return No(CatalogRefusal.Invalid, fault);
        if (_life.Terms is null)
        {
            // Noted before it is stored: a list may name what is not there yet, but never miss what is.
            try
            {
                foreach (var kind in new[] { CatalogKinds.Agreements, CatalogKinds.AgreementsOf(terms.Provider), CatalogKinds.AgreementsOf(terms.Recipient), CatalogKinds.AgreementsOn(terms.Dataset) })
                    await GrainFactory.GetGrain<ICatalogGrain>(kind).AddAsync(Caller.Hub, Id);
            }
            catch (CatalogFullException e)
            {
                return No(CatalogRefusal.TooMany, new(e.Message, e.Message));
            }
        }

        return await ApplyAsync(caller, side, new(AgreementAct.Change) { Terms = terms }, CharterRules.Check(terms, dataset.Spec), now);
    }

    private async Task<AgreementResult> ApplyAsync(Caller caller, AgreementSide side, AgreementRequest request, CharterCheck[] checks, DateTimeOffset now)
    {
        // What came due while others were asked is noted first, too.
        await NoteDueAsync(now = time.GetUtcNow());
        var outcome = AgreementRules.Apply(_life, side, caller.Subject, request, checks, options.Value, now);
        if (outcome.Happened is not { } happened) return No(outcome.Refusal, outcome.Detail!) with { Failed = outcome.Failed };

        // To stop is possible however many events wait.
        if (_outbox.IsFull && happened.Act is not (AgreementAct.Suspend or AgreementAct.Revoke)) return No(CatalogRefusal.Unavailable, OutboxText.Full);
        await StoreAsync(caller, [happened]);
        LogActed(Id, AgreementWords.Of(happened.Act), happened.Number, happened.Version, AgreementWords.Of(side), caller.Subject);

        // An agreement whose term has begun is active from this instant.
        await NoteDueAsync(now);
        if (request.Act == AgreementAct.Revoke) await SettleDerivedAsync();
        return new(CatalogRefusal.None, await InfoAsync(caller, now), null);
    }

    /// <summary>Notes what time has brought, and asks for the next time.</summary>
    private async Task NoteDueAsync(DateTimeOffset now)
    {
        var due = _life.Due(now);
        if (due.Count > 0)
        {
            await StoreAsync(Caller.Hub, due);
            LogDue(Id, due.Count, AgreementWords.Of(_life.Phase));
            await SettleDerivedAsync();
        }

        var waits = _life.Phase is AgreementState.Agreed or AgreementState.Active or AgreementState.Suspended || _life.Terms?.Duties.Any(duty => _life.NextDue(duty) is not null) == true;
        if (!waits)
        {
            _timer?.Dispose();
            _timer = null;
        }
        else
        {
            _timer ??= this.RegisterGrainTimer(_ => NoteDueAsync(time.GetUtcNow()), new GrainTimerCreationOptions(options.Value.CatchUp, options.Value.CatchUp) { KeepAlive = true });
        }
    }

    private async Task StoreAsync(Caller caller, IReadOnlyList<AgreementEvent> happened)
    {
        var life = _life;
        var log = new List<AgreementRecord>(_stored.Value.Log);
        var events = new List<AuditEvent>();
        foreach (var one in happened)
        {
            (var record, life) = life.Append(one);
            log.Add(record);
            events.AddRange(Audited(caller, life, one));
        }

        await _outbox.StoreAsync(_stored.Value with { Log = [.. log] }, [.. events]);
        _life = life;
    }

    /// <summary>For the log: once for each side's agency, so that both can read it.</summary>
    private IEnumerable<AuditEvent> Audited(Caller caller, AgreementLife life, AgreementEvent happened)
    {
        (string, string?)[] detail =
        [
            ("version", happened.Version.ToString(CultureInfo.InvariantCulture)), ("event", happened.Number.ToString(CultureInfo.InvariantCulture)), ("hash", Convert.ToHexStringLower(life.Head.AsSpan())),
            ("side", AgreementWords.Of(happened.Side)), ("dataset", life.Terms!.Dataset), ("reason", happened.Reason), ("duty", happened.Duty), ("due", happened.Due?.ToString("u")), ("evidence", happened.Evidence),
            ("charter", happened.Charter), ("complete", happened.Act == AgreementAct.Agree ? life.Phase == AgreementState.Agreed ? "true" : "false" : null),
        ];
        var action = happened.Act switch
        {
            AgreementAct.Change => happened.Version == 1 ? AuditEvents.AgreementDrafted : AuditEvents.AgreementChanged,
            AgreementAct.Offer => AuditEvents.AgreementOffered,
            AgreementAct.Agree => AuditEvents.AgreementAgreed,
            AgreementAct.Withdraw => AuditEvents.AgreementWithdrawn,
            AgreementAct.AcknowledgeCharter => AuditEvents.AgreementAcknowledged,
            AgreementAct.Activate => AuditEvents.AgreementActivated,
            AgreementAct.Suspend => AuditEvents.AgreementSuspended,
            AgreementAct.Resume => AuditEvents.AgreementResumed,
            AgreementAct.Revoke => AuditEvents.AgreementRevoked,
            AgreementAct.End => AuditEvents.AgreementNotice,
            AgreementAct.Expire => AuditEvents.AgreementEnded,
            AgreementAct.FulfilDuty => AuditEvents.DutyFulfilled,
            _ => AuditEvents.DutyMissed,
        };
        foreach (var agency in new[] { life.Terms.Provider, life.Terms.Recipient })
            yield return AuditEvents.Of(happened.At, caller, action, agency, $"agreement:{Id}", AuditOutcome.Done, detail);
    }

    /// <summary>The agreement for one who may see it; null for others.</summary>
    private async Task<AgreementInfo?> InfoAsync(Caller caller, DateTimeOffset now)
    {
        // Calls interleave: everything below is of one life.
        var life = _life.At(now);
        var sides = await SidesAsync(caller, life);
        if (sides.Length == 0) return null;
        var checks = await ChecksAsync(life.Terms!);
        return new(Id, life.State(now), life.Terms!, life.Version, life.Events, [.. life.Head], life.Ends)
        {
            Sides = sides,
            Next = [.. sides.SelectMany(side => AgreementRules.Next(life, side, caller.Subject, checks, options.Value, now)).Distinct().Order()],
            Checks = checks,
            Signatures = [.. life.Signatures],
            Acknowledged = [.. new[] { (AgreementSide.Provider, life.ProviderCharter), (AgreementSide.Recipient, life.RecipientCharter) }.Where(side => side.Item2 == Charter.Version).Select(side => side.Item1)],
            Duties = [.. life.Terms!.Duties.Select(duty => (duty, standing: life.Duties.GetValueOrDefault(duty.Id)))
                .Select(one => new DutyStanding(one.duty.Id, life.NextDue(one.duty), one.standing?.MissedSince, one.standing?.FulfilledAt, one.standing?.Evidence))],
            SuspendedBy = life.SuspendedBy,
            Reason = life.Reason,
            Since = life.Since,
        };
    }

    /// <summary>The side for which a caller acts now, or why not.</summary>
    private async Task<(AgreementSide Side, AgreementResult? Refused)> SideAsync(Caller caller, AgreementSide? wanted)
    {
        var sides = await SidesAsync(caller, _life);
        if (sides.Length == 0) return (default, No(CatalogRefusal.NotFound, new($"Die Vereinbarung „{Id}“ gibt es nicht.", $"The agreement “{Id}” does not exist.")));
        if (wanted is null) return (sides[0], null);
        return sides.Contains(wanted.Value)
            ? (wanted.Value, null)
            : (default, No(CatalogRefusal.Forbidden, new($"side: Für {AgreementWords.Name(wanted.Value).De} handelt jemand anderes.", $"side: Somebody else acts for {AgreementWords.Name(wanted.Value).En}.")));
    }

    /// <summary>The sides for which a caller may act; none: it does not exist for him.</summary>
    private async Task<AgreementSide[]> SidesAsync(Caller caller, AgreementLife life)
    {
        if (life.Terms is not { } terms || caller.IsPublic) return [];
        var sides = new List<AgreementSide>(2);
        if (AccessRules.May(caller, AccessRights.Grant, await HeldAsync(terms))) sides.Add(AgreementSide.Provider);
        if (AccessRules.May(caller, AccessRights.ManageAgency, Holding.OfAgency(terms.Recipient)) || await CoordinatesAsync(caller, terms.Recipient)) sides.Add(AgreementSide.Recipient);
        return [.. sides];
    }

    /// <summary>Whether somebody coordinates for an agency: through a group of it, in a dataspace of its own.</summary>
    private async Task<bool> CoordinatesAsync(Caller caller, string agency)
    {
        foreach (var grant in caller.Grants.All.Where(grant => grant.Role == DataspaceRole.Coordinator && Subjects.AgencyOf(grant.Group) == agency))
        {
            if (await GrainFactory.GetGrain<IDataspaceGrain>(grant.Dataspace).GetAsync(Caller.Hub) is { } dataspace && dataspace.Spec.Owner == agency) return true;
        }

        return false;
    }

    private async Task<Holding> HeldAsync(AgreementTerms terms) =>
        await DatasetAsync(terms.Dataset) is { } dataset ? Held(dataset) : new(terms.Dataset, null, terms.Provider, AccessClass.Internal, ReleaseState.Draft);

    private static Holding Held(DatasetInfo dataset) => dataset.Holding with { Access = AccessClass.Internal };

    private Task<DatasetInfo?> DatasetAsync(string dataset) => GrainFactory.GetGrain<IDatasetGrain>(dataset).GetAsync(Caller.Hub);

    private async Task<CharterCheck[]> ChecksAsync(AgreementTerms terms) => await DatasetAsync(terms.Dataset) is { } dataset ? CharterRules.Check(terms, dataset.Spec) : [];

    private static LocalText? Fixed(AgreementTerms standing, AgreementTerms wanted)
    {
        foreach (var (member, stands, says) in new[] { ("provider", standing.Provider, wanted.Provider), ("recipient", standing.Recipient, wanted.Recipient), ("dataset", standing.Dataset, wanted.Dataset) })
        {
            if (stands != says) return new($"{member} liegt seit dem Entwurf fest: {stands}. Für etwas anderes eine neue Vereinbarung entwerfen.", $"{member} has been fixed since the draft: {stands}. For anything else draft a new agreement.");
        }

        return null;
    }

    private static LocalText NoDataset(string? dataset) => new($"dataset: Den Datensatz „{dataset}“ gibt es nicht.", $"dataset: The dataset “{dataset}” does not exist.");

    private static AgreementResult No(CatalogRefusal refusal, LocalText why) => new(refusal, null, why);

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    [LoggerMessage(1270, LogLevel.Information, "Agreement {Agreement}: {Act} as event {Number} on version {Version}, for the {Side}, by {By}")]
    private partial void LogActed(string agreement, string act, int number, int version, string side, string by);

    [LoggerMessage(1271, LogLevel.Critical, "Agreement {Agreement}: its stored events do not hold together; it answers nothing until its state is restored")]
    private partial void LogBroken(Exception exception, string agreement);

    [LoggerMessage(1269, LogLevel.Warning, "Agreement {Agreement} is over, but what is derived from it is not handled as agreed yet; it is tried again within the hour")]
    private partial void LogNotSettled(Exception exception, string agreement);

    [LoggerMessage(1272, LogLevel.Information, "Agreement {Agreement}: {Events} events became due; it is {State} now")]
    private partial void LogDue(string agreement, int events, string state);
}
