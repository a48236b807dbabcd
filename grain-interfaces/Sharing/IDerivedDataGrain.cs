using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Sharing;

/// <summary>
/// The recipient's datasets that are derived from what an agreement gives, and what becomes of them when it is over. Key: the
/// agreement's id. Only for the hub; an agreement's sides ask the agreement.
/// </summary>
[GrainInterfaceType("datahub.derived-data")]
public interface IDerivedDataGrain : IGrainWithStringKey
{
    /// <summary>Notes that a dataset is derived; one that is noted already stays as it is.</summary>
    /// <returns>False: there are as many as there may be.</returns>
    [Alias("Add"), Repeatable]
    Task<bool> AddAsync(Caller caller, string by, DerivedNote note);

    [Alias("List"), AlwaysInterleave, Repeatable]
    Task<DerivedStanding[]> ListAsync(Caller caller);

    /// <summary>The agreement is over: does with them what was agreed, and goes on with it by itself.</summary>
    [Alias("Settle"), Repeatable]
    Task SettleAsync(Caller caller, DerivedRule rule);
}

/// <summary>A dataset that is derived.</summary>
/// <param name="Provider">The agreement's.</param>
/// <param name="Recipient">Publishes the derived dataset.</param>
/// <param name="Text">How it is derived, in the recipient's words; null: not said.</param>
[GenerateSerializer, Immutable, Alias("datahub.DerivedNote")]
public sealed record DerivedNote([property: Id(0)] string Dataset, [property: Id(1)] string Provider, [property: Id(2)] string Recipient, [property: Id(3)] string? Text);

/// <summary>How a derived dataset stands.</summary>
/// <param name="Since">When it was noted.</param>
/// <param name="Erasure">With <see cref="DerivedState.Deleting"/> and <see cref="DerivedState.Deleted"/>: the erasure whose receipt shows it.</param>
/// <param name="Keys">With <see cref="DerivedState.Deleted"/>: rows that were erased, in all their versions.</param>
/// <param name="Settled">When it came to where it stands.</param>
/// <param name="Trouble">Why it is not done yet; null: nothing is in the way.</param>
[GenerateSerializer, Immutable, Alias("datahub.DerivedStanding")]
public sealed record DerivedStanding(
    [property: Id(0)] DerivedNote Note, [property: Id(1)] DateTimeOffset Since, [property: Id(2)] DerivedState State, [property: Id(3)] string? Erasure, [property: Id(4)] long Keys, [property: Id(5)] DateTimeOffset? Settled,
    [property: Id(6)] LocalText? Trouble);

/// <summary>What became of a derived dataset.</summary>
public enum DerivedState
{
    /// <summary>The agreement is not over.</summary>
    Noted = 0,
    Kept = 1,

    /// <summary>It takes no rows any more.</summary>
    Frozen = 2,

    /// <summary>It takes no rows any more, and those that it has are being erased.</summary>
    Deleting = 3,
    Deleted = 4,
}

/// <summary>What the end of an agreement would bring.</summary>
/// <param name="Rule">What becomes of derived data.</param>
/// <param name="Indicators">Of the dataset, each with why the agreement does not give it; null: it does, and would not any more.</param>
/// <param name="Readers">Who read through it in this month and the one before.</param>
/// <param name="Derived">Datasets of the recipient that are derived from it.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementEffect")]
public sealed record AgreementEffect([property: Id(0)] DerivedRule Rule, [property: Id(1)] EffectIndicator[] Indicators, [property: Id(2)] EffectReader[] Readers, [property: Id(3)] EffectDerived[] Derived);

[GenerateSerializer, Immutable, Alias("datahub.EffectIndicator")]
public sealed record EffectIndicator([property: Id(0)] string Id, [property: Id(1)] LocalText Title, [property: Id(2)] LocalText? NotGiven);

/// <param name="Last">Last day, UTC.</param>
[GenerateSerializer, Immutable, Alias("datahub.EffectReader")]
public sealed record EffectReader(
    [property: Id(0)] string Subject, [property: Id(1)] string Purpose, [property: Id(2)] string Operation, [property: Id(3)] string Object, [property: Id(4)] DateOnly Last, [property: Id(5)] long Requests, [property: Id(6)] long Rows);

/// <param name="Feeds">Of the derived dataset: they would be refused where it is frozen or deleted.</param>
/// <param name="Indicators">That are computed from it.</param>
[GenerateSerializer, Immutable, Alias("datahub.EffectDerived")]
public sealed record EffectDerived([property: Id(0)] DerivedStanding Standing, [property: Id(1)] string[] Feeds, [property: Id(2)] string[] Indicators);
