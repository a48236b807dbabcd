using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Sharing;

/// <summary>
/// An agreement between the agency that publishes a dataset and one that may use it (<c>odrl:Agreement</c>). Key: its id.
/// For the provider acts whoever gives roles on the dataset, for the recipient whoever manages that agency or coordinates
/// in a dataspace of it through a group of it; both see all of it, and so does the platform. For everybody else it does not exist.
/// </summary>
[GrainInterfaceType("datahub.sharing-agreement")]
public interface ISharingAgreementGrain : IGrainWithStringKey
{
    /// <summary>Drafts the agreement or changes its terms; while it is offered or negotiated that is a counter-offer. Terms equal to those that stand change nothing.</summary>
    /// <param name="side">For which side, where the caller may act for both; null: for the one he may act for, the provider first.</param>
    [Alias("Put"), NotRepeatable("a repeat after the other side's counter-offer would take that back")]
    Task<AgreementResult> PutAsync(Caller caller, AgreementTerms terms, AgreementSide? side);

    /// <summary>Does one act. A refusal says why and changes nothing.</summary>
    [Alias("Act"), NotRepeatable("a repeat after another act would do it again")]
    Task<AgreementResult> ActAsync(Caller caller, AgreementRequest request);

    /// <summary>The agreement as it stands now; null for those for whom it does not exist.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<AgreementInfo?> GetAsync(Caller caller);

    /// <summary>Its events, oldest first; null for those for whom it does not exist.</summary>
    /// <param name="after">Only events with a greater number; 0: from the beginning.</param>
    /// <param name="limit">1 to 1,000.</param>
    [Alias("Events"), AlwaysInterleave, Repeatable]
    Task<AgreementRecord[]?> EventsAsync(Caller caller, int after, int limit);

    /// <summary>What it allows now; null where it is not active. Only for the hub.</summary>
    [Alias("InForce"), AlwaysInterleave, Repeatable]
    Task<AgreementInForce?> InForceAsync(Caller caller);

    /// <summary>What was given through it in a month, for both sides the same; null for those for whom it does not exist.</summary>
    /// <param name="month">Its first day.</param>
    [Alias("Usage"), AlwaysInterleave, Repeatable]
    Task<AgreementUsage?> UsageAsync(Caller caller, DateOnly month);

    /// <summary>Notes that a dataset of the recipient is derived from what the agreement gives. For the recipient's side, while the agreement runs.</summary>
    /// <param name="text">How, in the recipient's words; null: not said.</param>
    [Alias("Derive"), Repeatable]
    Task<AgreementResult> DeriveAsync(Caller caller, string dataset, string? text);

    /// <summary>What its end would bring, or brought; null for those for whom it does not exist.</summary>
    [Alias("Effect"), AlwaysInterleave, Repeatable]
    Task<AgreementEffect?> EffectAsync(Caller caller);

    /// <summary>Notes what became due meanwhile: begin, end, missed duties. Only for the hub.</summary>
    [Alias("CatchUp"), Repeatable]
    Task CatchUpAsync(Caller caller);
}

/// <summary>An agreement by which may be read now.</summary>
/// <param name="Version">Of the terms.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementInForce")]
public sealed record AgreementInForce([property: Id(0)] string Id, [property: Id(1)] int Version, [property: Id(2)] AgreementTerms Terms);

/// <summary>An agreement as it stands, for one who may see it.</summary>
/// <param name="Version">Of the terms, from 1.</param>
/// <param name="Events">How many have happened.</param>
/// <param name="Head">Hash of the last event.</param>
/// <param name="Ends">When it ends or ended: its term, or a notice before that.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementInfo")]
public sealed record AgreementInfo(
    [property: Id(0)] string Id, [property: Id(1)] AgreementState State, [property: Id(2)] AgreementTerms Terms, [property: Id(3)] int Version, [property: Id(4)] int Events, [property: Id(5)] byte[] Head, [property: Id(6)] DateTimeOffset Ends)
{
    /// <summary>The sides that the caller acts for.</summary>
    [Id(7)] public AgreementSide[] Sides { get; init; } = [];

    /// <summary>What the caller may do next.</summary>
    [Id(8)] public AgreementAct[] Next { get; init; } = [];

    /// <summary>What stands against the charter, clause by clause.</summary>
    [Id(9)] public CharterCheck[] Checks { get; init; } = [];

    /// <summary>Who has agreed to the terms that stand.</summary>
    [Id(10)] public AgreementSignature[] Signatures { get; init; } = [];

    /// <summary>Sides that have acknowledged the present charter.</summary>
    [Id(11)] public AgreementSide[] Acknowledged { get; init; } = [];

    [Id(12)] public DutyStanding[] Duties { get; init; } = [];

    /// <summary>Who suspended it; null where it is not suspended.</summary>
    [Id(13)] public AgreementSide? SuspendedBy { get; init; }

    /// <summary>Why it was suspended or revoked.</summary>
    [Id(14)] public string? Reason { get; init; }

    /// <summary>When it became active; null: it has not.</summary>
    [Id(15)] public DateTimeOffset? Since { get; init; }
}

/// <summary>Somebody has agreed for a side.</summary>
[GenerateSerializer, Immutable, Alias("datahub.AgreementSignature")]
public sealed record AgreementSignature([property: Id(0)] AgreementSide Side, [property: Id(1)] string Who, [property: Id(2)] DateTimeOffset At);

/// <summary>How a duty stands.</summary>
/// <param name="Next">By when it is next to be done; null: there is nothing to do any more, or not yet.</param>
/// <param name="MissedSince">The earliest date that was missed and is not made up for.</param>
[GenerateSerializer, Immutable, Alias("datahub.DutyStanding")]
public sealed record DutyStanding([property: Id(0)] string Duty, [property: Id(1)] DateTimeOffset? Next, [property: Id(2)] DateTimeOffset? MissedSince, [property: Id(3)] DateTimeOffset? FulfilledAt, [property: Id(4)] string? Evidence);

[GenerateSerializer, Immutable, Alias("datahub.AgreementResult")]
public sealed record AgreementResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] AgreementInfo? Agreement, [property: Id(2)] LocalText? Detail)
{
    /// <summary>True where the call made something that was not there before.</summary>
    [Id(3)] public bool Created { get; init; }

    /// <summary>The charter's checks that failed.</summary>
    [Id(4)] public CharterCheck[] Failed { get; init; } = [];
}

/// <summary>The stored events of an agreement are not those that were stored: one was changed, taken out or put in.</summary>
[GenerateSerializer, Alias("datahub.AgreementLogException")]
public sealed class AgreementLogException : Exception
{
    public AgreementLogException()
    {
    }

    public AgreementLogException(string message)
        : base(message)
    {
    }

    public AgreementLogException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
