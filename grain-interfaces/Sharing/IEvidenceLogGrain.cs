using DataHub.Catalog;
using DataHub.Indicators;

using Orleans.Concurrency;

namespace DataHub.Sharing;

/// <summary>The log of single records that were asked for in a dataset, and the secret under which records are named in it. Key: the dataset's id.</summary>
[GrainInterfaceType("datahub.evidence-log")]
public interface IEvidenceLogGrain : IGrainWithStringKey
{
    /// <summary>The dataset's secret, made once. Only for the hub.</summary>
    [Alias("Secret"), Repeatable]
    Task<byte[]> SecretAsync(Caller caller);

    /// <summary>Notes that a part of a day may hold entries. Only for the hub.</summary>
    /// <param name="part">From 1.</param>
    /// <returns>The newest part of the day.</returns>
    [Alias("Open"), Repeatable]
    Task<int> OpenAsync(Caller caller, DateOnly day, int part);

    /// <summary>
    /// Entries of a day, oldest first: for the provider (whoever gives roles on the dataset) all, for an agency that may ask those of its
    /// own; for everybody else there is no log.
    /// </summary>
    [Alias("List"), AlwaysInterleave, Repeatable]
    Task<EvidenceListResult> ListAsync(Caller caller, EvidenceListQuery query);

    /// <summary>Who asked for one record, newest first: what the person concerned is shown. Only for the provider; noted in the audit log.</summary>
    [Alias("Inquire"), AlwaysInterleave, NotRepeatable("a repeat is noted as another inquiry")]
    Task<EvidenceInquiryResult> InquireAsync(Caller caller, EvidenceInquiry inquiry);

    /// <summary>Deletes some of the entries whose time is over. Only for the hub.</summary>
    /// <returns>Whether there may be more.</returns>
    [Alias("Sweep"), Repeatable]
    Task<bool> SweepAsync(Caller caller);
}

/// <summary>A part of a day's entries. Key: <c>{dataset}/{yyyy-MM-dd}/{part}</c> (UTC). Only for the hub.</summary>
[GrainInterfaceType("datahub.evidence-part")]
public interface IEvidencePartGrain : IGrainWithStringKey
{
    /// <summary>Stores an entry; one that is there already is not stored again.</summary>
    /// <returns>False: the part is full.</returns>
    [Alias("Append"), Repeatable]
    Task<bool> AppendAsync(Caller caller, EvidenceEntry entry);

    /// <summary>Entries whose time is not over, in their order.</summary>
    /// <param name="after">Only those with a greater number.</param>
    [Alias("Read"), AlwaysInterleave, Repeatable]
    Task<EvidenceRecord[]> ReadAsync(Caller caller, int after);

    /// <summary>Deletes the entries whose time is over, first where they stand by record, then here.</summary>
    [Alias("Sweep"), Repeatable]
    Task<EvidenceSwept> SweepAsync(Caller caller);
}

/// <summary>The entries about one record. Key: <c>{dataset}/{keyed hash of its key}</c>. Only for the hub.</summary>
[GrainInterfaceType("datahub.evidence-record")]
public interface IEvidenceRecordGrain : IGrainWithStringKey
{
    /// <summary>Whether another entry fits.</summary>
    [Alias("HasRoom"), Repeatable]
    Task<bool> HasRoomAsync(Caller caller);

    /// <summary>Stores an entry; one that is there already is not stored again.</summary>
    /// <returns>False: there is no room.</returns>
    [Alias("Add"), Repeatable]
    Task<bool> AddAsync(Caller caller, EvidenceEntry entry);

    /// <summary>Entries whose time is not over, newest first.</summary>
    [Alias("List"), AlwaysInterleave, Repeatable]
    Task<EvidenceEntry[]> ListAsync(Caller caller);

    /// <summary>Deletes the entries whose time is over.</summary>
    [Alias("Sweep"), Repeatable]
    Task SweepAsync(Caller caller);
}

/// <param name="Number">Of the entry in its part, from 1.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceRecord")]
public sealed record EvidenceRecord([property: Id(0)] int Number, [property: Id(1)] EvidenceEntry Entry);

/// <param name="Deleted">Entries that went.</param>
/// <param name="Left">Entries that stand.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceSwept")]
public readonly record struct EvidenceSwept([property: Id(0)] int Deleted, [property: Id(1)] int Left);

/// <param name="Day">UTC.</param>
/// <param name="After">As in an earlier answer; null: from the first.</param>
/// <param name="Limit">1 to 1,000.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceListQuery")]
public sealed record EvidenceListQuery([property: Id(0)] DateOnly Day, [property: Id(1)] string? After, [property: Id(2)] int Limit);

/// <param name="Next">Where it goes on; null: there are no more. Where only some are the caller's, a page may hold fewer than its limit.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceListResult")]
public sealed record EvidenceListResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] EvidenceEntry[] Entries, [property: Id(2)] string? Next);

/// <param name="Key">The whole primary key of the record.</param>
/// <param name="Reason">Why it is inquired; stands in the audit log and does not name the person.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceInquiry")]
public sealed record EvidenceInquiry([property: Id(0)] EvidenceKeyPart[] Key, [property: Id(1)] string Reason);

/// <param name="Entries">Newest first.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceInquiryResult")]
public sealed record EvidenceInquiryResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] EvidenceEntry[] Entries, [property: Id(2)] LocalText? Detail)
{
    /// <summary>How long entries are kept.</summary>
    [Id(3)] public TimeSpan Kept { get; init; }

    [Id(4)] public DatasetInfo? Dataset { get; init; }

    /// <summary>When it was inquired.</summary>
    [Id(5)] public DateTimeOffset At { get; init; }
}
