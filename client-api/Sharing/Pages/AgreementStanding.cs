using System.Globalization;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Sharing;

/// <summary>Where an agreement stands, in plain words: what holds, what comes next, and who has to act. Pure.</summary>
/// <param name="display">Language and forms.</param>
internal sealed class AgreementStanding(Display display, AgreementInfo info)
{
    private AgreementTerms Terms => info.Terms;

    /// <summary>What holds now, in a sentence or two.</summary>
    public string Holds => info.State switch
    {
        AgreementState.Draft => display.Say("Ein Entwurf: Die bereitstellende Seite schreibt noch daran, nichts davon gilt.", "A draft: the provider is still writing it, nothing of it holds."),
        AgreementState.Offered => display.Say("Angeboten: Wirksam wird es erst, wenn beide Seiten dieser Fassung zugestimmt haben.", "Offered: it holds only once both sides have agreed to this version."),
        AgreementState.Negotiated => display.Say("In Verhandlung: Ein Gegenangebot liegt vor; frühere Zustimmungen sind damit hinfällig.", "Negotiated: there is a counter-offer; what was agreed before is void."),
        AgreementState.Agreed => display.Say($"Vereinbart: Beide Seiten haben zugestimmt. Daten gehen ab {When(Terms.Term.From)} über.", $"Agreed: both sides have agreed. Data is given from {When(Terms.Term.From)} on."),
        AgreementState.Active => display.Say($"Wirksam seit {When(info.Since)}, bis {When(info.Ends)}.", $"Active since {When(info.Since)}, until {When(info.Ends)}."),
        AgreementState.Expiring => display.Say($"Wirksam, läuft aber am {When(info.Ends)} aus.", $"Active, but it ends on {When(info.Ends)}."),
        AgreementState.Suspended => display.Say(
            $"Ausgesetzt; das war {Name(info.SuspendedBy ?? AgreementSide.Hub)}{Reason}. Bis sie fortgesetzt wird, gehen keine Daten über. Die Laufzeit bis {When(info.Ends)} und die Fristen laufen weiter.",
            $"Suspended by {Name(info.SuspendedBy ?? AgreementSide.Hub)}{Reason}: no data is given until it is resumed. The term until {When(info.Ends)} and the dates of duties run on."),
        AgreementState.Revoked => display.Say($"Widerrufen am {When(info.Ends)}{Reason}: Es gehen keine Daten mehr über.", $"Revoked on {When(info.Ends)}{Reason}: no data is given any more."),
        _ => display.Say($"Beendet am {When(info.Ends)}: Es gehen keine Daten mehr über.", $"Ended on {When(info.Ends)}: no data is given any more."),
    };

    /// <summary>What each side is asked to do, in the order in which it is done.</summary>
    public IEnumerable<(AgreementSide Side, string What)> Asked()
    {
        var failed = info.Checks.Where(check => check.Fulfilled == false).Select(check => Clause(check.Clause)).ToArray();
        var keep = failed.Length == 0 ? null : display.Say($"die Bedingungen so ändern, dass die Charta eingehalten ist ({string.Join(", ", failed)})", $"change the terms so that the charter is kept ({string.Join(", ", failed)})");
        switch (info.State)
        {
            case AgreementState.Draft:
                if (keep is not null) yield return (AgreementSide.Provider, keep);
                yield return (AgreementSide.Provider, display.Say("anbieten", "offer it"));
                break;
            case AgreementState.Offered or AgreementState.Negotiated:
                foreach (var side in new[] { AgreementSide.Provider, AgreementSide.Recipient })
                {
                    if (keep is not null) yield return (side, keep);
                    if (!info.Acknowledged.Contains(side)) yield return (side, display.Say("die Data-Sharing-Charta anerkennen", "acknowledge the Data-Sharing-Charta"));
                    if (Missing(side) > 0) yield return (side, Agree(side));
                }

                break;
            case AgreementState.Suspended:
                foreach (var asked in Duties()) yield return asked;
                yield return (Holder, display.Say("fortsetzen, sobald der Grund erledigt ist", "resume it once the reason is settled"));
                break;
            default:
                foreach (var asked in Duties()) yield return asked;
                break;
        }
    }

    /// <summary>What the reader's side is asked to do; null: nothing.</summary>
    public string? AskedOfReader
    {
        get
        {
            var asked = Asked().Where(one => info.Sides.Contains(one.Side)).Select(one => one.What).Distinct(StringComparer.Ordinal).ToArray();
            return asked.Length == 0 ? null : string.Join("; ", asked);
        }
    }

    /// <summary>What comes next by itself or by nobody in particular; null: nothing.</summary>
    public string? Comes => info.State switch
    {
        AgreementState.Offered or AgreementState.Negotiated => display.Say("Statt zuzustimmen kann jede Seite ein Gegenangebot machen oder das Angebot zurückziehen.", "Instead of agreeing either side may make a counter-offer or withdraw what is offered."),
        AgreementState.Agreed => display.Say("Niemand muss etwas tun; sie wird von selbst wirksam.", "Nobody has to do anything; it becomes active by itself."),
        AgreementState.Active or AgreementState.Expiring => display.Say(
            $"Sie endet von selbst am {When(info.Ends)}. Vorher kann jede Seite sie aussetzen oder kündigen, und die bereitstellende Seite sie widerrufen.",
            $"It ends by itself on {When(info.Ends)}. Before that either side may suspend it or give notice, and the provider may revoke it."),
        AgreementState.Ended or AgreementState.Revoked => display.Say("Für etwas Neues wird eine neue Vereinbarung entworfen.", "For anything new a new agreement is drafted."),
        _ => null,
    };

    /// <summary>The sides for which the reader may do an act now; none: it cannot be done now.</summary>
    /// <param name="subject">As <see cref="Caller.Subject"/>.</param>
    public AgreementSide[] For(AgreementAct act, string subject) => !info.Next.Contains(act) ? [] : [.. info.Sides.Where(side => act switch
    {
        AgreementAct.Offer or AgreementAct.Revoke => side == AgreementSide.Provider,
        AgreementAct.Change when info.State == AgreementState.Draft => side == AgreementSide.Provider,
        AgreementAct.FulfilDuty => side == AgreementSide.Recipient,
        AgreementAct.AcknowledgeCharter => !info.Acknowledged.Contains(side),
        AgreementAct.Agree => info.Acknowledged.Contains(side) && Missing(side) > 0 && !info.Signatures.Any(signature => signature.Side == side && signature.Who == subject),
        AgreementAct.Resume => side == Holder,
        _ => true,
    })];

    /// <summary>Whether a duty can be fulfilled now.</summary>
    public bool IsOpen(DutyStanding standing, DateTimeOffset now)
    {
        if (standing.Next is not { } next || info.Since is not { } since) return false;
        // What comes again is done with for now where the date before the next one lies ahead.
        if (Array.Find(Terms.Duties, duty => duty.Id == standing.Duty) is not { Every: { } every } || standing.FulfilledAt is null) return true;
        var done = 0;
        while (AgreementDuration.Add(since, every, done + 1) < next) done++;
        return done == 0 || AgreementDuration.Add(since, every, done) <= now;
    }

    public string Name(AgreementSide side) => AgreementWords.Name(side).In(display.Language);

    /// <summary>An instant by the clock of the pages.</summary>
    public string When(DateTimeOffset? at) => at is { } instant ? display.Instant(instant, StewardPages.Zone) : "–";

    public string Clause(string id) => Charter.Clauses.FirstOrDefault(clause => clause.Id == id)?.Title.In(display.Language) ?? id;

    /// <summary>The reason that a side gave, or what the hub noted as one.</summary>
    public string Why(string reason, AgreementSide? by) =>
        by == AgreementSide.Hub && reason.StartsWith("duty: ", StringComparison.Ordinal) ? display.Say($"versäumte Pflicht „{reason[6..]}“", $"missed duty “{reason[6..]}”") : reason;

    public static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private AgreementSide Holder => info.SuspendedBy == AgreementSide.Recipient ? AgreementSide.Recipient : AgreementSide.Provider;

    private string Reason => info.Reason is { } reason ? $" ({Why(reason, info.SuspendedBy)})" : "";

    private IEnumerable<(AgreementSide Side, string What)> Duties()
    {
        foreach (var duty in Terms.Duties)
        {
            if (Array.Find(info.Duties, one => one.Duty == duty.Id) is not { } standing) continue;
            var text = duty.Text.In(display.Language);
            if (standing.MissedSince is { } missed) yield return (AgreementSide.Recipient, display.Say($"die versäumte Pflicht „{text}“ nachholen (fällig war {When(missed)})", $"make up for the missed duty “{text}” (it was due {When(missed)})"));
            else if (standing.Next is { } next) yield return (AgreementSide.Recipient, display.Say($"die Pflicht „{text}“ erfüllen, bis {When(next)}", $"fulfil the duty “{text}”, by {When(next)}"));
        }
    }

    private int Needed(AgreementSide side) => (side == AgreementSide.Provider ? Terms.FourEyes.Provider : Terms.FourEyes.Recipient) ? 2 : 1;

    private int Missing(AgreementSide side) => Needed(side) - info.Signatures.Count(signature => signature.Side == side);

    private string Agree(AgreementSide side) => (Needed(side), Missing(side)) switch
    {
        (2, 1) => display.Say("zustimmen (eine zweite Person)", "agree (a second person)"),
        (2, _) => display.Say("zustimmen (zwei Personen)", "agree (two people)"),
        _ => display.Say("zustimmen", "agree"),
    };
}
