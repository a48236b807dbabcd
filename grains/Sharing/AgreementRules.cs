using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>
/// What each side may do with an agreement, and when. Pure; everything that became due is among the events already. A refusal
/// makes no event.
/// </summary>
internal static class AgreementRules
{
    /// <summary>The acts of a side; what time brings is nobody's.</summary>
    public static readonly AgreementAct[] Acts = [.. Enum.GetValues<AgreementAct>().Where(act => act <= AgreementAct.AcknowledgeCharter)];

    private static readonly LocalText
        s_over = new("Die Vereinbarung ist zu Ende; für etwas Neues eine neue entwerfen.", "The agreement is over; draft a new one for anything new."),
        s_agreed = new("Beide Seiten haben schon zugestimmt; Bedingungen ändern sich nur mit einer neuen Vereinbarung.", "Both sides have agreed already; terms change by a new agreement only."),
        s_notAgreed = new("Dafür müssen erst beide Seiten zugestimmt haben.", "Both sides have to agree before that."),
        s_notActive = new("Das geht erst, wenn die Vereinbarung wirksam ist.", "This needs the agreement to be active."),
        s_provider = new("Das tut nur die bereitstellende Seite.", "Only the provider does this."),
        s_recipient = new("Das tut nur die empfangende Seite.", "Only the recipient does this.");

    /// <summary>One act.</summary>
    /// <param name="life">With everything due (<see cref="AgreementLife.At"/>).</param>
    /// <param name="checks">The charter's, of the terms that will stand after the act.</param>
    public static AgreementOutcome Apply(AgreementLife life, AgreementSide side, string subject, AgreementRequest request, IReadOnlyList<CharterCheck> checks, AgreementOptions limits, DateTimeOffset now)
    {
        var state = life.State(now);
        if (side == AgreementSide.Hub || !Acts.Contains(request.Act)) return No(CatalogRefusal.Invalid, new("act: Das vermerkt nur der Hub selbst, wenn es so weit ist.", "act: Only the hub itself notes this, when it is time."));
        if (life.Terms is null && request.Act != AgreementAct.Change) return No(CatalogRefusal.NotFound, new("Die Vereinbarung gibt es nicht.", "The agreement does not exist."));
        if (request.Version is { } version && version != life.Version)
            return No(CatalogRefusal.Conflict, new($"version: Es gilt Fassung {life.Version}, nicht {version}; erst lesen, was sich geändert hat.", $"version: Version {life.Version} stands, not {version}; read first what has changed."));
        if (Fault(life, request) is { } fault) return No(CatalogRefusal.Invalid, fault);
        if (Refusal(life, state, side, subject, request, checks, now) is { } refused) return refused;
        if (Full(life, request.Act, limits) is { } full) return No(CatalogRefusal.TooMany, full);

        // Clocks of silos differ a little; the order of events is that of their numbers.
        var at = now > life.LastAt ? now.ToUniversalTime() : life.LastAt;
        return new(CatalogRefusal.None, null, new(life.Events + 1, at, subject, side, request.Act, request.Act == AgreementAct.Change ? life.Version + 1 : life.Version)
        {
            Reason = string.IsNullOrEmpty(request.Reason) ? null : request.Reason,
            Duty = request.Act == AgreementAct.FulfilDuty ? request.Duty : null,
            Evidence = request.Act == AgreementAct.FulfilDuty ? request.Evidence : null,
            Charter = request.Act == AgreementAct.AcknowledgeCharter ? Charter.Version : null,
            Due = request.Act == AgreementAct.End ? AgreementDuration.Add(now, life.Terms!.Term.Notice) : null,
            Terms = request.Act == AgreementAct.Change ? request.Terms : null,
        });
    }

    /// <summary>What a side may do next.</summary>
    /// <param name="checks">Of the terms that stand.</param>
    public static AgreementAct[] Next(AgreementLife life, AgreementSide side, string subject, IReadOnlyList<CharterCheck> checks, AgreementOptions limits, DateTimeOffset now) =>
        [.. Acts.Where(act => Array.Exists(Tries(life, act), request => Apply(life, side, subject, request, checks, limits, now).Refusal == CatalogRefusal.None))];

    private static AgreementRequest[] Tries(AgreementLife life, AgreementAct act) => act == AgreementAct.FulfilDuty
        ? Array.ConvertAll(life.Terms!.Duties, duty => new AgreementRequest(act, Duty: duty.Id, Evidence: "…"))
        : [new(act, Reason: "…") { Terms = life.Terms }];

    /// <summary>What is wrong with a request in itself.</summary>
    private static LocalText? Fault(AgreementLife life, AgreementRequest request)
    {
        if (request.Reason is { Length: > AgreementLimits.MaxReason }) return new($"reason: höchstens {AgreementLimits.MaxReason} Zeichen.", $"reason: at most {AgreementLimits.MaxReason} characters.");
        if (request.Act is AgreementAct.Suspend or AgreementAct.Revoke && string.IsNullOrWhiteSpace(request.Reason))
            return new("reason: Hier ist zu sagen, warum.", "reason: It has to be said why.");
        if (request.Act == AgreementAct.FulfilDuty)
        {
            if (!Array.Exists(life.Terms!.Duties, duty => duty.Id == request.Duty))
                return new($"duty: Die Pflicht „{request.Duty}“ gibt es nicht; es gibt: {Known("keine")}.", $"duty: There is no duty “{request.Duty}”; there are: {Known("none")}.");
            if (string.IsNullOrWhiteSpace(request.Evidence) || request.Evidence.Length > AgreementLimits.MaxReason)
                return new($"evidence: Ein Nachweis (Text oder Link) von 1 bis {AgreementLimits.MaxReason} Zeichen.", $"evidence: Something that shows it (text or link), of 1 to {AgreementLimits.MaxReason} characters.");
        }

        if (request.Act == AgreementAct.AcknowledgeCharter && request.Charter is not null && request.Charter != Charter.Version)
            return new($"charter: Es gilt Fassung {Charter.Version} (GET /api/v1/charter).", $"charter: Version {Charter.Version} is the present one (GET /api/v1/charter).");
        return null;

        string Known(string none) => life.Terms!.Duties.Length == 0 ? none : string.Join(", ", life.Terms.Duties.Select(duty => duty.Id));
    }

    private static AgreementOutcome? Refusal(AgreementLife life, AgreementState state, AgreementSide side, string subject, AgreementRequest request, IReadOnlyList<CharterCheck> checks, DateTimeOffset now)
    {
        var over = life.IsOver;
        var negotiable = state is AgreementState.Offered or AgreementState.Negotiated;
        var running = state is AgreementState.Active or AgreementState.Expiring;
        switch (request.Act)
        {
            case AgreementAct.FulfilDuty:
                if (side != AgreementSide.Recipient) return Conflict(s_recipient);
                if (life.Since is null) return Conflict(over ? s_over : s_notActive);
                var duty = Array.Find(life.Terms!.Duties, duty => duty.Id == request.Duty)!;
                if (life.NextDue(duty) is null || life.IsAhead(duty, now))
                    return Conflict(new($"Die Pflicht „{duty.Id}“ ist erfüllt; vorerst ist nichts zu tun.", $"The duty “{duty.Id}” is fulfilled; there is nothing to do for now."));
                return null;
            case AgreementAct.Change when life.Terms is null:
                return side == AgreementSide.Provider ? null : Conflict(s_provider);
            case var _ when over:
                return Conflict(s_over);
            case AgreementAct.Change when state == AgreementState.Draft:
                return side == AgreementSide.Provider ? null : Conflict(new("Die bereitstellende Seite entwirft noch; ein Gegenangebot ist möglich, sobald sie angeboten hat.", "The provider is still drafting; a counter-offer is possible once it has offered."));
            case AgreementAct.Change:
                return negotiable ? Charter(checks) : Conflict(s_agreed);
            case AgreementAct.Offer:
                if (side != AgreementSide.Provider) return Conflict(s_provider);
                return state == AgreementState.Draft ? Charter(checks) : Conflict(negotiable ? new("Es ist schon angeboten; für andere Bedingungen ein Gegenangebot machen (PUT).", "It is offered already; for other terms make a counter-offer (PUT).") : s_agreed);
            case AgreementAct.Agree:
                if (state == AgreementState.Draft) return Conflict(new("Es ist noch ein Entwurf; zugestimmt wird einem Angebot.", "It is a draft still; one agrees to an offer."));
                if (!negotiable) return Conflict(s_agreed);
                if ((side == AgreementSide.Provider ? life.ProviderCharter : life.RecipientCharter) != Sharing.Charter.Version)
                {
                    return Conflict(new(
                        $"Diese Seite hat die Data-Sharing-Charta, Fassung {Sharing.Charter.Version}, noch nicht anerkannt; erst acknowledge-charter.",
                        $"This side has not acknowledged version {Sharing.Charter.Version} of the Data-Sharing-Charta yet; first acknowledge-charter."));
                }

                if (life.HasAgreed(side)) return Conflict(new("Diese Seite hat schon zugestimmt; es fehlt die andere.", "This side has agreed already; the other one is missing."));
                // Who stands on both sides is nobody's counterpart.
                if (life.Signatures.Any(signature => signature.Side != side && signature.Who == subject))
                    return Conflict(new($"{subject} hat schon für die andere Seite zugestimmt; für diese entscheidet jemand anderes.", $"{subject} has agreed for the other side already; somebody else decides for this one."));

                // The dataset may have become another one since the offer.
                return life.Signatures.Any(signature => signature.Side == side && signature.Who == subject)
                    ? Conflict(new($"{subject} hat schon zugestimmt; auf dieser Seite entscheiden zwei, es fehlt jemand anderes.", $"{subject} has agreed already; on this side two decide, somebody else is missing."))
                    : Charter(checks);
            case AgreementAct.Withdraw:
                return negotiable ? null : Conflict(state == AgreementState.Draft ? new("Es ist nichts angeboten, das zurückzuziehen wäre.", "Nothing is offered that could be withdrawn.") : s_agreed);
            case AgreementAct.AcknowledgeCharter:
                return (side == AgreementSide.Provider ? life.ProviderCharter : life.RecipientCharter) == Sharing.Charter.Version
                    ? Conflict(new("Diese Seite hat die Charta in dieser Fassung schon anerkannt.", "This side has acknowledged this version of the charter already."))
                    : null;
            case AgreementAct.Suspend:
                return running ? null : Conflict(state == AgreementState.Suspended ? new("Sie ist schon ausgesetzt.", "It is suspended already.") : s_notActive);
            case AgreementAct.Resume:
                if (state != AgreementState.Suspended) return Conflict(new("Sie ist nicht ausgesetzt.", "It is not suspended."));
                var holder = life.SuspendedBy == AgreementSide.Recipient ? AgreementSide.Recipient : AgreementSide.Provider;
                if (side != holder) return Conflict(new($"Ausgesetzt hat {AgreementWords.Name(life.SuspendedBy!.Value).De}; fortsetzen kann {AgreementWords.Name(holder).De}.", $"It was suspended by {AgreementWords.Name(life.SuspendedBy!.Value).En}; {AgreementWords.Name(holder).En} can resume it."));
                var missed = life.Terms!.Duties.Where(duty => duty.Missed == DutyMiss.Suspension && life.Duties.GetValueOrDefault(duty.Id)?.MissedSince is not null).Select(duty => duty.Id).ToArray();
                return missed.Length == 0 ? null : Conflict(new($"Erst sind versäumte Pflichten zu erfüllen: {string.Join(", ", missed)}.", $"Missed duties have to be fulfilled first: {string.Join(", ", missed)}."));
            case AgreementAct.Revoke:
                if (side != AgreementSide.Provider) return Conflict(s_provider);
                return running || state is AgreementState.Agreed or AgreementState.Suspended ? null : Conflict(s_notAgreed);
            case AgreementAct.End:
                if (!running && state is not (AgreementState.Agreed or AgreementState.Suspended)) return Conflict(s_notAgreed);
                return life.NoticeEnds is null ? null : Conflict(new("Es ist schon gekündigt.", "Notice has been given already."));
            default:
                throw new ArgumentOutOfRangeException(nameof(request), request.Act, "no act of a side");
        }

        static AgreementOutcome Conflict(LocalText why) => No(CatalogRefusal.Conflict, why);

        static AgreementOutcome? Charter(IReadOnlyList<CharterCheck> checks)
        {
            var failed = checks.Where(check => check.Fulfilled == false).ToArray();
            return failed.Length == 0 ? null : No(CatalogRefusal.Conflict, new(
                $"Die Bedingungen erfüllen die Data-Sharing-Charta nicht; verlangt ist: {string.Join(" ", failed.Select(check => $"{check.Clause}: {check.Text.De}"))}",
                $"The terms do not keep the Data-Sharing-Charta; it asks for this: {string.Join(" ", failed.Select(check => $"{check.Clause}: {check.Text.En}"))}")) with
            { Failed = failed };
        }
    }

    /// <summary>Negotiating comes to an end; to stop is always possible, and each stop happens once.</summary>
    private static LocalText? Full(AgreementLife life, AgreementAct act, AgreementOptions limits)
    {
        if (act == AgreementAct.Change && life.Version >= limits.MaxVersions)
            return new($"Die Vereinbarung hat {life.Version} Fassungen, so viele, wie DataHub:Sharing:MaxVersions erlaubt.", $"The agreement has {life.Version} versions, as many as DataHub:Sharing:MaxVersions allows.");
        return life.Events < limits.MaxEvents || act is AgreementAct.Suspend or AgreementAct.Revoke or AgreementAct.End or AgreementAct.FulfilDuty
            ? null
            : new($"Die Vereinbarung hat {life.Events} Ereignisse, so viele, wie DataHub:Sharing:MaxEvents erlaubt.", $"The agreement has {life.Events} events, as many as DataHub:Sharing:MaxEvents allows.");
    }

    private static AgreementOutcome No(CatalogRefusal refusal, LocalText why) => new(refusal, why, null);
}

/// <summary>What comes of an act.</summary>
/// <param name="Happened">The event; null: it was refused.</param>
internal sealed record AgreementOutcome(CatalogRefusal Refusal, LocalText? Detail, AgreementEvent? Happened)
{
    /// <summary>Checks of the charter for which it was refused.</summary>
    public CharterCheck[] Failed { get; init; } = [];
}
