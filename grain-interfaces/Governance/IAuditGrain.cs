using DataHub.Catalog;
using DataHub.Indicators;

using Orleans.Concurrency;

namespace DataHub.Governance;

/// <summary>
/// The hub's audit log: entries are added at its end and never changed; each is chained to all before it by hashes
/// (<see cref="AuditContent"/>). Key: the name of the chain; there is <see cref="Main"/>.
/// </summary>
[GrainInterfaceType("datahub.audit")]
public interface IAuditGrain : IGrainWithStringKey
{
    /// <summary>The chain that everything is noted in.</summary>
    const string Main = "main";

    /// <summary>Most events of one call, and most entries of one page.</summary>
    const int MaxEvents = 1_000;

    /// <summary>Notes events; answers when they are durable. An event whose id is there already adds nothing.</summary>
    /// <param name="caller">The hub itself.</param>
    /// <param name="events">At most <see cref="MaxEvents"/>.</param>
    [Alias("Append"), AlwaysInterleave, Repeatable]
    Task<AuditHeadResult> AppendAsync(Caller caller, AuditEvent[] events);

    /// <summary>Entries that a query finds.</summary>
    /// <param name="caller">Admins of the platform read everything, those of an agency what is their agency's business.</param>
    [Alias("Read"), AlwaysInterleave, Repeatable]
    Task<AuditPage> ReadAsync(Caller caller, AuditQuery query);

    /// <summary>
    /// Deletes content and salt of entries for good and notes the deletion, both in one transaction. The entries' hashes stay:
    /// the chain goes on through them. Entries whose content was deleted before are passed over, so repeating is harmless.
    /// </summary>
    /// <param name="caller">An admin of the platform.</param>
    /// <param name="sequences">1 to <see cref="AuditEvents.MaxDeletion"/>; entries about deletions cannot be deleted.</param>
    /// <param name="reason">Why, in somebody's words; it stays, and must not say what was deleted.</param>
    /// <param name="authority">On what ground, such as the regulation and the request's file number; it stays.</param>
    [Alias("DeleteContent"), AlwaysInterleave, Repeatable]
    Task<AuditDeletionResult> DeleteContentAsync(Caller caller, long[] sequences, string reason, string authority);

    /// <summary>The end of the chain.</summary>
    /// <param name="caller">An admin of the platform or of an agency.</param>
    [Alias("Head"), AlwaysInterleave, Repeatable]
    Task<AuditHeadResult> HeadAsync(Caller caller);
}

/// <summary>What entries are looked for; null: any. Where anything is named, entries whose content was deleted are not found.</summary>
/// <param name="From">Happened at or after.</param>
/// <param name="Until">Happened before.</param>
/// <param name="Action">The action begins with this.</param>
/// <param name="After">Behind this place, in the order asked for.</param>
/// <param name="Limit">1 to <see cref="IAuditGrain.MaxEvents"/>.</param>
/// <param name="OldestFirst">Else newest first.</param>
[GenerateSerializer, Immutable, Alias("datahub.AuditQuery")]
public sealed record AuditQuery(
    [property: Id(0)] DateTimeOffset? From,
    [property: Id(1)] DateTimeOffset? Until,
    [property: Id(2)] string? Action,
    [property: Id(3)] string? Agency,
    [property: Id(4)] string? Actor,
    [property: Id(5)] string? Object,
    [property: Id(6)] AuditOutcome? Outcome,
    [property: Id(7)] long? After,
    [property: Id(8)] int Limit,
    [property: Id(9)] bool OldestFirst)
{
    /// <summary>Everything, in order.</summary>
    public static AuditQuery All(long after, int limit) => new(null, null, null, null, null, null, null, after, limit, true);
}

/// <param name="Next">The place behind which the next page begins; null on the last.</param>
[GenerateSerializer, Immutable, Alias("datahub.AuditPage")]
public sealed record AuditPage([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] AuditRecord[] Records, [property: Id(2)] long? Next, [property: Id(3)] LocalText? Detail);

[GenerateSerializer, Immutable, Alias("datahub.AuditHeadResult")]
public sealed record AuditHeadResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] AuditHead? Head, [property: Id(2)] LocalText? Detail);

/// <param name="Deleted">Places whose content was deleted by this call.</param>
/// <param name="Entry">The place of the entry that says so; null where there was nothing left to delete.</param>
[GenerateSerializer, Immutable, Alias("datahub.AuditDeletionResult")]
public sealed record AuditDeletionResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] long[] Deleted, [property: Id(2)] long? Entry, [property: Id(3)] LocalText? Detail);
