using System.Buffers;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Governance;

/// <summary>Words and limits of events, and the one way to make them.</summary>
public static class AuditEvents
{
    /// <summary>Longest id, action, agency, actor, object and name of a detail, in characters.</summary>
    public const int MaxIdLength = 64, MaxActionLength = 64, MaxAgencyLength = 63, MaxActorLength = 300, MaxObjectLength = 300, MaxNameLength = 64;

    /// <summary>Most details, the longest text of one, and of all of them together, in characters.</summary>
    public const int MaxDetails = 16, MaxDetailLength = 4_000, MaxDetailsLength = 8_000;

    /// <summary>Most entries whose content one deletion takes; so many numbers fit into a detail.</summary>
    public const int MaxDeletion = 200;

    /// <summary>Longest reason and authority of a deletion.</summary>
    public const int MaxReasonLength = 1_000;

    public const string AgencyCreated = "agency.created";
    public const string AgencyRenamed = "agency.renamed";
    public const string KeyCreated = "key.created";
    public const string KeyRevoked = "key.revoked";
    public const string KeyRotated = "key.rotated";
    public const string QuotaSet = "agency.quota-set";
    public const string DataspaceCreated = "dataspace.created";
    public const string DataspaceChanged = "dataspace.changed";
    public const string GrantGiven = "grant.given";
    public const string GrantRevoked = "grant.revoked";
    public const string GroupCreated = "group.created";
    public const string GroupRenamed = "group.renamed";
    public const string MemberAdded = "member.added";
    public const string MemberRemoved = "member.removed";
    public const string DatasetCreated = "dataset.created";

    /// <summary>Access, dataspace or state changed; details <c>from</c> and <c>to</c> of what did.</summary>
    public const string DatasetReleased = "dataset.released";

    /// <summary>Description, licence or contract changed; details of what did.</summary>
    public const string DatasetChanged = "dataset.changed";

    /// <summary>A feed was made or changed; details <c>feed</c> and its quotas.</summary>
    public const string FeedChanged = "feed.changed";

    /// <summary>An indicator was made or changed; details <c>access</c>, <c>accessFrom</c>, <c>dataset</c>, <c>definition</c>.</summary>
    public const string IndicatorChanged = "indicator.changed";

    /// <summary>An erasure of rows was asked for; it has reason and authority itself. Details <c>erasure</c>, <c>fields</c>.</summary>
    public const string ErasureRequested = "erasure.requested";

    /// <summary>An erasure was carried through; details <c>erasure</c>, <c>keys</c>, <c>quarantined</c>.</summary>
    public const string ErasureDone = "erasure.done";

    /// <summary>Somebody known asked for what he may not; details <c>request</c>, <c>network</c>, <c>times</c>.</summary>
    public const string AccessRefused = "access.refused";

    /// <summary>Rows that are not open were given; details <c>rows</c>, <c>watermark</c>, <c>because</c>, and <c>through</c> where it was not the rows themselves that were asked for.</summary>
    public const string RowsRead = "rows.read";

    /// <summary>A key, a token or a sign-in was refused; detail <c>reason</c>, and <c>times</c> where there were several in a minute.</summary>
    public const string SignInFailed = "signin.failed";

    /// <summary>A job of pipelines was made; details <c>title</c>, <c>version</c>.</summary>
    public const string JobCreated = "job.created";

    /// <summary>A job has a new version; details as of <see cref="JobCreated"/>.</summary>
    public const string JobChanged = "job.changed";

    /// <summary>Another version of a job is the current one; details <c>version</c>, <c>from</c>.</summary>
    public const string JobPromoted = "job.promoted";

    /// <summary>A run was started; details <c>run</c>, <c>version</c>, <c>repeats</c>.</summary>
    public const string RunStarted = "run.started";

    /// <summary>A run has ended; details <c>run</c>, <c>state</c>.</summary>
    public const string RunEnded = "run.ended";

    /// <summary>A version of a key for pseudonyms was made; detail <c>version</c>.</summary>
    public const string PseudonymKeyCreated = "pseudonym-key.created";

    /// <summary>A version of a key for pseudonyms was destroyed, for ever; details <c>version</c>, <c>reason</c>.</summary>
    public const string PseudonymKeyDestroyed = "pseudonym-key.destroyed";

    /// <summary>A key for another host was put, or another in its place; details <c>host</c>, <c>version</c>.</summary>
    public const string PullKeySet = "pull-key.set";

    /// <summary>A key for another host was deleted; detail <c>host</c>.</summary>
    public const string PullKeyDeleted = "pull-key.deleted";

    /// <summary>What was done with an agreement; details <c>version</c>, and <c>side</c>, <c>reason</c>, <c>duty</c>, <c>due</c>, <c>evidence</c>, <c>charter</c> where there are any. Noted once for each side's agency.</summary>
    public const string AgreementDrafted = "agreement.drafted";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string AgreementChanged = "agreement.changed";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string AgreementOffered = "agreement.offered";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string AgreementWithdrawn = "agreement.withdrawn";

    /// <summary>The charter was acknowledged; details as of <see cref="AgreementDrafted"/>.</summary>
    public const string AgreementAcknowledged = "agreement.acknowledged";

    /// <summary>Somebody agreed for a side; detail <c>complete</c> says whether all have. Details as of <see cref="AgreementDrafted"/>.</summary>
    public const string AgreementAgreed = "agreement.agreed";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string AgreementActivated = "agreement.activated";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string AgreementSuspended = "agreement.suspended";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string AgreementResumed = "agreement.resumed";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string AgreementRevoked = "agreement.revoked";

    /// <summary>Notice was given; detail <c>due</c> says when it ends. Details as of <see cref="AgreementDrafted"/>.</summary>
    public const string AgreementNotice = "agreement.notice";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string AgreementEnded = "agreement.ended";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string DutyFulfilled = "agreement.duty-fulfilled";

    /// <inheritdoc cref="AgreementDrafted"/>
    public const string DutyMissed = "agreement.duty-missed";

    /// <summary>Something was read through an agreement; details <c>reference</c> (agreement and version), <c>purpose</c>, <c>operation</c>, <c>requests</c>, <c>rows</c>, <c>watermark</c>, <c>until</c>, <c>upperBound</c> where nobody told how much it was.</summary>
    public const string AgreementUsed = "agreement.used";

    /// <summary>A dataset was noted as derived from what an agreement gives; details <c>dataset</c>, <c>text</c>.</summary>
    public const string DerivedNoted = "agreement.derived";

    /// <summary>An agreement is over, and with a derived dataset was done what was agreed; details <c>dataset</c>, <c>state</c>, <c>erasure</c>, <c>keys</c>.</summary>
    public const string DerivedSettled = "agreement.derived-settled";

    /// <summary>A dataset takes no rows any more since an agreement is over; details <c>agreement</c>.</summary>
    public const string DatasetFrozen = "dataset.frozen";

    /// <summary>Values that are not open were read by right; details as of <see cref="AgreementUsed"/>.</summary>
    public const string ValuesRead = "values.read";

    /// <summary>A single record was asked for and answered, or that there is none; details <c>evidence</c>, <c>because</c>, <c>reference</c>, <c>purpose</c>, <c>found</c>, <c>watermark</c>. Noted for both agencies; norm, file number and requester stand in the evidence log only, which is deleted in time.</summary>
    public const string EvidenceGiven = "evidence.given";

    /// <summary>The provider looked up who asked for a record; details <c>reason</c>, <c>entries</c>.</summary>
    public const string EvidenceInquired = "evidence.inquired";

    /// <summary>Content was deleted; details <c>sequences</c>, <c>reason</c>, <c>authority</c>.</summary>
    public const string ContentDeleted = "audit.deleted";

    private static readonly SearchValues<char> s_action = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-");

    /// <summary>An event that surely keeps the limits: free texts are cut, and what is no valid text becomes U+FFFD.</summary>
    /// <param name="now">When it happened.</param>
    /// <param name="caller">Who did it.</param>
    /// <param name="detail">Names and texts; those without a text are left out.</param>
    public static AuditEvent Of(DateTimeOffset now, Caller caller, string action, string? agency, string @object, AuditOutcome outcome = AuditOutcome.Done, params (string Name, string? Text)[] detail) =>
        OfActor(now, Actor(caller), action, agency, @object, outcome, detail);

    /// <param name="actor">Who did it, as <see cref="Actor"/> says it.</param>
    /// <inheritdoc cref="Of"/>
    public static AuditEvent OfActor(DateTimeOffset now, string actor, string action, string? agency, string @object, AuditOutcome outcome = AuditOutcome.Done, params (string Name, string? Text)[] detail)
    {
        ArgumentNullException.ThrowIfNull(detail);
        var room = MaxDetailsLength;
        return new(
            ReceiptIds.New(now), now.ToUniversalTime(), action, agency, Cut(Printable(actor), MaxActorLength), Cut(Printable(@object), MaxObjectLength), outcome,
            [.. detail.Where(d => d.Text is not null).OrderBy(d => d.Name, StringComparer.Ordinal).Take(MaxDetails).Select(d => Fitting(d.Name, d.Text!))]);

        AuditDetail Fitting(string name, string text)
        {
            text = Cut(Valid(text), Math.Min(MaxDetailLength, room));
            room -= text.Length;
            return new(name, text);
        }
    }

    /// <summary>Rows of a dataset were given to somebody who reads them by right, not because they are open.</summary>
    /// <param name="decision">By which they are read.</param>
    /// <param name="rows">How many.</param>
    /// <param name="watermark">As of which they are.</param>
    /// <param name="through"><c>explain:{indicator}</c>, <c>diff:{indicator}</c> or <c>quarantine</c>; null: asked for as rows.</param>
    /// <param name="purpose">As the caller said, where an agreement asks for one.</param>
    /// <returns>Null where there is nothing to note: open rows, and what the hub does itself.</returns>
    public static AuditEvent? RowsGiven(DateTimeOffset now, Caller caller, AccessDecision decision, DatasetInfo dataset, int rows, string? watermark, string? through = null, string? purpose = null) =>
        decision.Because is AccessReason.Openness or AccessReason.Hub ? null : Of(
            now, caller, RowsRead, dataset.Spec.Publisher, $"dataset:{dataset.Id}", AuditOutcome.Done,
            ("because", ContractWords.Of(decision.Because)), ("reference", decision.Reference), ("rows", rows.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("watermark", watermark), ("through", through), ("purpose", purpose));

    /// <summary>Who a caller is to the log.</summary>
    public static string Actor(Caller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return caller.Subject;
    }

    /// <summary>Why an event cannot be noted, or null.</summary>
    public static string? Fault(AuditEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        if (!Is(happened.Id, MaxIdLength)) return "id";
        if (!Is(happened.Action, MaxActionLength) || happened.Action.AsSpan().ContainsAnyExcept(s_action)) return "action";
        if (happened.Agency is not null && !Is(happened.Agency, MaxAgencyLength)) return "agency";
        if (!Is(happened.Actor, MaxActorLength)) return "actor";
        if (!Is(happened.Object, MaxObjectLength)) return "object";
        if (!Enum.IsDefined(happened.Outcome)) return "outcome";
        if (happened.Detail is not { Length: <= MaxDetails }) return "detail";
        var room = MaxDetailsLength;
        for (var i = 0; i < happened.Detail.Length; i++)
        {
            var (name, text) = happened.Detail[i];
            if (!Is(name, MaxNameLength) || text is not { Length: <= MaxDetailLength } || !IsValid(text)) return $"detail.{name}";
            if ((room -= text.Length) < 0) return $"detail.{name}: length";
            if (i > 0 && string.CompareOrdinal(happened.Detail[i - 1].Name, name) >= 0) return $"detail.{name}: order";
        }

        return null;

        // Texts that are looked for stand in columns too, and those take no control characters.
        static bool Is(string? text, int most) => text is { Length: > 0 } && text.Length <= most && !text.Any(char.IsControl) && IsValid(text);
    }

    private static bool IsValid(string text) => text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0 || Valid(text) == text;

    /// <summary>Half a surrogate pair cannot be written in UTF-8.</summary>
    private static string Valid(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string Printable(string text)
    {
        text = Valid(text);
        return text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\ufffd' : c)) : text;
    }

    private static string Cut(string text, int most) => text.Length <= most ? text : most == 0 ? "" : Valid(text[..(most - 1)]) + "…";
}
