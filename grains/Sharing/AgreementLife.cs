using System.Collections.Immutable;

namespace DataHub.Sharing;

/// <summary>
/// An agreement as its events make it. Pure: the same events give the same life, and what times bring (begin, end, missed
/// duties) follows from the life and the instant (<see cref="Due"/>), whether the hub has noted it yet or not.
/// </summary>
/// <param name="Id">Of the agreement.</param>
internal sealed record AgreementLife(string Id)
{
    public int Events { get; init; }

    /// <summary>Hash of the last event.</summary>
    public ImmutableArray<byte> Head { get; init; } = [.. AgreementContent.Genesis];

    /// <summary>When the last event was.</summary>
    public DateTimeOffset LastAt { get; init; } = DateTimeOffset.MinValue;

    /// <summary>Null: there is none yet.</summary>
    public AgreementTerms? Terms { get; init; }

    public int Version { get; init; }

    /// <summary>Where it stands by its events; <see cref="AgreementState.Expiring"/> is a matter of time alone.</summary>
    public AgreementState Phase { get; init; }

    public ImmutableArray<AgreementSignature> Signatures { get; init; } = [];

    /// <summary>Version of the charter that a side acknowledged last.</summary>
    public string? ProviderCharter { get; init; }

    /// <inheritdoc cref="ProviderCharter"/>
    public string? RecipientCharter { get; init; }

    /// <summary>When the last needed signature was given.</summary>
    public DateTimeOffset? AgreedAt { get; init; }

    /// <summary>When it became active.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When a notice takes effect.</summary>
    public DateTimeOffset? NoticeEnds { get; init; }

    /// <summary>When it was over.</summary>
    public DateTimeOffset? OverAt { get; init; }

    public AgreementSide? SuspendedBy { get; init; }

    /// <summary>Why it was suspended or revoked.</summary>
    public string? Reason { get; init; }

    public ImmutableSortedDictionary<string, DutyLife> Duties { get; init; } = ImmutableSortedDictionary.Create<string, DutyLife>(StringComparer.Ordinal);

    public bool IsOver => Phase is AgreementState.Ended or AgreementState.Revoked;

    /// <summary>When it ends or ended.</summary>
    public DateTimeOffset Ends => OverAt ?? (NoticeEnds is { } notice && notice < Terms!.Term.Until ? notice : Terms!.Term.Until);

    /// <summary>Of stored events, each held against the hash before it.</summary>
    /// <exception cref="AgreementLogException">One was changed, taken out or put in.</exception>
    public static AgreementLife Fold(string id, IReadOnlyList<AgreementRecord> log)
    {
        var life = new AgreementLife(id);
        foreach (var record in log) life = life.Follow(record);
        return life;
    }

    /// <summary>The life after one more stored event.</summary>
    /// <exception cref="AgreementLogException">It does not follow.</exception>
    public AgreementLife Follow(AgreementRecord record)
    {
        if (!AgreementContent.Hash(Head.AsSpan(), record.Content).AsSpan().SequenceEqual(record.Hash))
            throw new AgreementLogException($"agreement {Id}: event {Events + 1} does not follow from the one before it; its stored events were changed. Restore the grain's state from a backup; nothing is answered until then.");
        if (AgreementContent.Read(Id, record.Content) is not { } happened || happened.Number != Events + 1)
            throw new AgreementLogException($"agreement {Id}: event {Events + 1} is none of this agreement at this place. Restore the grain's state from a backup; nothing is answered until then.");
        return After(happened) with { Head = [.. record.Hash] };
    }

    /// <summary>An event that follows, as it is stored.</summary>
    public (AgreementRecord Record, AgreementLife After) Append(AgreementEvent happened)
    {
        var content = AgreementContent.Write(Id, happened);
        var record = new AgreementRecord(content, AgreementContent.Hash(Head.AsSpan(), content));
        return (record, Follow(record));
    }

    /// <summary>Where it stands at an instant up to which everything due is among its events.</summary>
    public AgreementState State(DateTimeOffset now) =>
        Phase == AgreementState.Active && now >= AgreementDuration.Before(Ends, Terms!.Term.Notice) ? AgreementState.Expiring : Phase;

    /// <summary>What times have brought until an instant and is not among the events yet, in its order.</summary>
    public List<AgreementEvent> Due(DateTimeOffset now)
    {
        var due = new List<AgreementEvent>();
        for (var life = this; life.Earliest(now) is { } at;)
        {
            foreach (var happened in life.Brought(at))
            {
                due.Add(happened);
                life = life.After(happened);
            }
        }

        return due;
    }

    /// <summary>The life with everything that is due.</summary>
    public AgreementLife At(DateTimeOffset now) => Due(now).Aggregate(this, (life, happened) => life.After(happened));

    /// <summary>By when a duty is next to be done; null: not any more, or not yet.</summary>
    public DateTimeOffset? NextDue(AgreementDuty duty)
    {
        if (Since is not { } since) return null;
        var covered = Duties.GetValueOrDefault(duty.Id)?.Covered ?? 0;
        if (duty.Every is not { } every) return covered > 0 ? null : duty.Due > since ? duty.Due : since;
        var next = AgreementDuration.Add(since, every, covered + 1);
        return next <= Ends ? next : null;
    }

    /// <summary>Whether a duty that comes again is done with beyond an instant already.</summary>
    public bool IsAhead(AgreementDuty duty, DateTimeOffset now) =>
        duty.Every is { } every && Since is { } since && Duties.GetValueOrDefault(duty.Id)?.Covered is > 0 and var covered && AgreementDuration.Add(since, every, covered) > now;

    /// <summary>How often a duty was to be done until an instant, or is done with.</summary>
    private int Passed(AgreementDuty duty, DateTimeOffset now)
    {
        if (Since is not { } since) return 0;
        if (duty.Every is not { } every) return (duty.Due > since ? duty.Due : since) <= now ? 1 : 0;
        var until = now < Ends ? now : Ends;
        var passed = Duties.GetValueOrDefault(duty.Id)?.Covered ?? 0;
        while (AgreementDuration.Add(since, every, passed + 1) <= until) passed++;
        return passed;
    }

    /// <summary>Who agreed for a side, and whether that is enough.</summary>
    public bool HasAgreed(AgreementSide side) => Signatures.Count(signature => signature.Side == side) >= Needed(side);

    private int Needed(AgreementSide side) => (side == AgreementSide.Provider ? Terms!.FourEyes.Provider : Terms!.FourEyes.Recipient) ? 2 : 1;

    private AgreementLife After(AgreementEvent happened)
    {
        var next = this with { Events = Events + 1, LastAt = happened.At };
        switch (happened.Act)
        {
            case AgreementAct.Change:
                return next with
                {
                    Terms = happened.Terms,
                    Version = happened.Version,
                    Signatures = [],
                    Phase = Phase == AgreementState.Draft ? AgreementState.Draft : AgreementState.Negotiated,
                };
            case AgreementAct.Offer:
                return next with { Phase = AgreementState.Offered };
            case AgreementAct.Withdraw:
                return next with { Phase = AgreementState.Draft, Signatures = [] };
            case AgreementAct.AcknowledgeCharter:
                return happened.Side == AgreementSide.Provider ? next with { ProviderCharter = happened.Charter } : next with { RecipientCharter = happened.Charter };
            case AgreementAct.Agree:
                next = next with { Signatures = Signatures.Add(new(happened.Side, happened.Who, happened.At)) };
                return next.HasAgreed(AgreementSide.Provider) && next.HasAgreed(AgreementSide.Recipient) ? next with { Phase = AgreementState.Agreed, AgreedAt = happened.At } : next;
            case AgreementAct.Activate:
                return next with { Phase = AgreementState.Active, Since = happened.At };
            case AgreementAct.Suspend:
                return next with { Phase = AgreementState.Suspended, SuspendedBy = happened.Side, Reason = happened.Reason };
            case AgreementAct.Resume:
                return next with { Phase = AgreementState.Active, SuspendedBy = null, Reason = null };
            case AgreementAct.Revoke:
                return next with { Phase = AgreementState.Revoked, OverAt = happened.At, SuspendedBy = null, Reason = happened.Reason };
            case AgreementAct.End:
                return next with { NoticeEnds = happened.Due };
            case AgreementAct.Expire:
                return next with { Phase = AgreementState.Ended, OverAt = happened.At, SuspendedBy = null, Reason = null };
            case AgreementAct.MissDuty:
                return next with { Duties = Duties.SetItem(happened.Duty!, (Duties.GetValueOrDefault(happened.Duty!) ?? new()) with { MissedSince = happened.Due }) };
            case AgreementAct.FulfilDuty:
                var standing = Duties.GetValueOrDefault(happened.Duty!) ?? new();
                var passed = Passed(Array.Find(Terms!.Duties, duty => duty.Id == happened.Duty)!, happened.At);
                return next with
                {
                    Duties = Duties.SetItem(happened.Duty!, new() { Covered = Math.Max(passed, standing.Covered + 1), FulfilledAt = happened.At, Evidence = happened.Evidence }),
                };
            default:
                throw new AgreementLogException($"agreement {Id}: event {happened.Number} is of a kind that is not known here");
        }
    }

    /// <summary>When time next brings something, if that is not after now.</summary>
    private DateTimeOffset? Earliest(DateTimeOffset now)
    {
        DateTimeOffset? earliest = null;
        if (Phase == AgreementState.Agreed) Consider(Begins < Ends ? Begins : Ends);
        if (Phase is AgreementState.Active or AgreementState.Suspended) Consider(Ends);
        if (Since is not null)
        {
            foreach (var duty in Terms!.Duties)
            {
                if (Missable(duty) is { } missed) Consider(missed);
            }
        }

        return earliest;

        void Consider(DateTimeOffset at)
        {
            if (at <= now && !(at >= earliest)) earliest = at;
        }
    }

    /// <summary>What time brings at an instant: missed duties before the end, a begin alone.</summary>
    private IEnumerable<AgreementEvent> Brought(DateTimeOffset due)
    {
        var at = due > LastAt ? due : LastAt;
        var number = Events;
        if (Phase == AgreementState.Agreed)
        {
            yield return Noted(Begins < Ends ? AgreementAct.Activate : AgreementAct.Expire);
            yield break;
        }

        var suspended = Phase != AgreementState.Active;
        if (Since is not null)
        {
            foreach (var duty in Terms!.Duties.Where(duty => Missable(duty) == due))
            {
                yield return Noted(AgreementAct.MissDuty) with { Duty = duty.Id, Due = due };
                if (suspended || duty.Missed != DutyMiss.Suspension) continue;
                suspended = true;
                yield return Noted(AgreementAct.Suspend) with { Duty = duty.Id, Reason = $"duty: {duty.Id}" };
            }
        }

        if (!IsOver && due == Ends) yield return Noted(AgreementAct.Expire);

        AgreementEvent Noted(AgreementAct act) => new(++number, at, "hub", AgreementSide.Hub, act, Version);
    }

    private DateTimeOffset Begins => AgreedAt > Terms!.Term.From ? AgreedAt.Value : Terms!.Term.From;

    /// <summary>When a duty that is not missed yet will be; null: it will not.</summary>
    private DateTimeOffset? Missable(AgreementDuty duty) => Duties.GetValueOrDefault(duty.Id)?.MissedSince is null ? NextDue(duty) : null;
}

/// <summary>How a duty stands.</summary>
internal sealed record DutyLife
{
    /// <summary>How many of its dates are done with.</summary>
    public int Covered { get; init; }

    /// <summary>The earliest date that was missed and is not made up for.</summary>
    public DateTimeOffset? MissedSince { get; init; }

    public DateTimeOffset? FulfilledAt { get; init; }

    public string? Evidence { get; init; }
}
