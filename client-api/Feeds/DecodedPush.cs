using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>A body as rows of one contract: received = rows that passed + quarantined rows.</summary>
/// <param name="QuarantinedIn">Per quarantined row the number of the partition its key belongs to; 0 where its key is not readable.</param>
internal sealed record DecodedPush(RowBlock Rows, List<QuarantinedRow> Quarantined, List<int> QuarantinedIn, int Received);

/// <summary>Why a body has no rows at all; nothing of it is taken.</summary>
/// <param name="Detail">Names the place: line, column or byte.</param>
internal sealed record UndecodableBody(ProblemType Type, LocalText Detail, params (string Name, object? Value)[] Members);

/// <summary>What a body is read against.</summary>
/// <param name="Areas">What rows' areas are resolved with; null: the dataset has none.</param>
/// <param name="Now">Rows later than this and the contract's maxFuture are quarantined.</param>
/// <param name="Partitions">How many the dataset has.</param>
internal sealed record DecodeContext(CompiledContract Contract, IRowAreas? Areas, IngestOptions Options, DateTimeOffset Now, int Partitions);

/// <summary>Exactly one of the two, or neither where the body has more rows than are taken whole.</summary>
internal readonly record struct DecodeResult(DecodedPush? Push, UndecodableBody? Refusal)
{
    /// <summary>The body is to be read chunk by chunk.</summary>
    public bool NeedsChunks => Push is null && Refusal is null;

    public static implicit operator DecodeResult(UndecodableBody refusal) => new(null, refusal);

    public static implicit operator DecodeResult(DecodedPush push) => new(push, null);
}

/// <summary>The areas that rows are resolved with, in one version of their system.</summary>
internal interface IRowAreas
{
    /// <summary>Id of the system.</summary>
    string System { get; }

    /// <summary>How many there are; they are numbered from 0.</summary>
    int Count { get; }

    string Id(int number);

    /// <summary>The area's number, or −1.</summary>
    int Find(string id);

    /// <summary>The number of the area that has the point, or −1.</summary>
    int Locate(double longitude, double latitude);
}

/// <summary>The areas of an index.</summary>
internal sealed class IndexedAreas(AreaIndex index) : IRowAreas
{
    public string System => index.System;

    public int Count => index.Tree.Areas.Count;

    public string Id(int number) => index.Tree.Areas[number].Id;

    public int Find(string id) => index.Tree.PlaceOf(id);

    public int Locate(double longitude, double latitude) => index.PlaceAt(longitude, latitude);
}
