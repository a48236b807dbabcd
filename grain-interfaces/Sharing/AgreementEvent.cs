using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>An event of an agreement as it is stored: the very bytes that were hashed.</summary>
/// <param name="Content">As <see cref="AgreementContent"/> writes it.</param>
/// <param name="Hash">32 bytes: SHA-256 over the hash before it and the content.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementRecord")]
public sealed record AgreementRecord([property: Id(0)] byte[] Content, [property: Id(1)] byte[] Hash);

/// <summary>Something that happened to an agreement.</summary>
/// <param name="Number">Its place, from 1 without gaps.</param>
/// <param name="At">When; of what the hub notes, when it became due. UTC.</param>
/// <param name="Who">As <see cref="Caller.Subject"/>.</param>
/// <param name="Side">For which side.</param>
/// <param name="Act">What.</param>
/// <param name="Version">Of the terms: the one made by a change, else the one that stood.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementEvent")]
public sealed record AgreementEvent(
    [property: Id(0)] int Number, [property: Id(1)] DateTimeOffset At, [property: Id(2)] string Who, [property: Id(3)] AgreementSide Side, [property: Id(4)] AgreementAct Act, [property: Id(5)] int Version)
{
    /// <summary>Why, where a reason was given.</summary>
    [Id(6)] public string? Reason { get; init; }

    /// <summary>The duty that was fulfilled or missed.</summary>
    [Id(7)] public string? Duty { get; init; }

    /// <summary>By when the missed duty had to be done, or when the notice takes effect.</summary>
    [Id(8)] public DateTimeOffset? Due { get; init; }

    /// <summary>Text or link that shows that a duty was fulfilled.</summary>
    [Id(9)] public string? Evidence { get; init; }

    /// <summary>The version of the charter that was acknowledged.</summary>
    [Id(10)] public string? Charter { get; init; }

    /// <summary>The new terms of a change.</summary>
    [Id(11)] public AgreementTerms? Terms { get; init; }
}

/// <summary>Who acts.</summary>
public enum AgreementSide
{
    /// <summary>Times, noted by the hub itself.</summary>
    Hub = 0,
    Provider = 1,
    Recipient = 2,
}

/// <summary>Where an agreement stands.</summary>
public enum AgreementState
{
    /// <summary>The provider is writing it.</summary>
    Draft = 0,

    /// <summary>The provider offers it.</summary>
    Offered = 1,

    /// <summary>A counter-offer stands.</summary>
    Negotiated = 2,

    /// <summary>Both sides have agreed; its term has not begun.</summary>
    Agreed = 3,
    Active = 4,
    Suspended = 5,

    /// <summary>Active, within the notice period before its end.</summary>
    Expiring = 6,
    Ended = 7,
    Revoked = 8,
}

/// <summary>What can happen to an agreement.</summary>
public enum AgreementAct
{
    /// <summary>New terms: a draft, or a counter-offer, which clears what was agreed.</summary>
    Change = 0,
    Offer = 1,
    Agree = 2,

    /// <summary>Back to a draft.</summary>
    Withdraw = 3,
    Suspend = 4,
    Resume = 5,

    /// <summary>The provider ends it at once, with a reason.</summary>
    Revoke = 6,

    /// <summary>Notice: it ends after the notice period.</summary>
    End = 7,
    FulfilDuty = 8,
    AcknowledgeCharter = 9,

    /// <summary>Its term began; by the hub.</summary>
    Activate = 10,

    /// <summary>Its term or notice period is over; by the hub.</summary>
    Expire = 11,

    /// <summary>A duty was not done in time; by the hub.</summary>
    MissDuty = 12,
}

/// <summary>What somebody wants to do with an agreement.</summary>
/// <param name="Act">One that a side may do.</param>
/// <param name="Side">For which side, where the caller may act for both; null: for the one he may act for, the provider first.</param>
/// <param name="Version">Refused if another version of the terms stands; null: whichever stands.</param>
/// <param name="Duty">Id of the duty.</param>
/// <param name="Charter">Version of the charter; null: the present one.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementRequest")]
public sealed record AgreementRequest(
    [property: Id(0)] AgreementAct Act,
    [property: Id(1)] AgreementSide? Side = null,
    [property: Id(2)] int? Version = null,
    [property: Id(3)] string? Reason = null,
    [property: Id(4)] string? Duty = null,
    [property: Id(5)] string? Evidence = null,
    [property: Id(6)] string? Charter = null)
{
    /// <summary>Of a change.</summary>
    [Id(7)] public AgreementTerms? Terms { get; init; }
}
