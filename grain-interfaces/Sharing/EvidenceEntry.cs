using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Sharing;

/// <summary>
/// Who asked what, when and why: never what was answered, and of the record's key only a keyed hash, so that the log alone
/// names nobody.
/// </summary>
/// <param name="Id">A ULID.</param>
/// <param name="Agency">That asked.</param>
/// <param name="Subject">Who asked, as in the audit log.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceEntry")]
public sealed record EvidenceEntry([property: Id(0)] string Id, [property: Id(1)] DateTimeOffset At, [property: Id(2)] string Dataset, [property: Id(3)] string Agency, [property: Id(4)] string Subject)
{
    /// <inheritdoc cref="EvidenceRequest"/>
    [Id(5)] public string Requester { get; init; } = "";

    /// <inheritdoc cref="EvidenceRequest"/>
    [Id(6)] public string LegalNorm { get; init; } = "";

    /// <inheritdoc cref="EvidenceRequest"/>
    [Id(7)] public string Procedure { get; init; } = "";

    /// <inheritdoc cref="EvidenceRequest"/>
    [Id(8)] public string FileNumber { get; init; } = "";

    /// <summary>Id of the purpose.</summary>
    [Id(9)] public string Purpose { get; init; } = "";

    /// <summary>For people, from the agreement; null where it was asked by right.</summary>
    [Id(10)] public LocalText? PurposeText { get; init; }

    /// <summary>Through which it was given; null: by right.</summary>
    [Id(11)] public string? Agreement { get; init; }

    /// <summary>Of the agreement's terms.</summary>
    [Id(12)] public int Version { get; init; }

    /// <summary>Whether there was a record that could be given.</summary>
    [Id(13)] public bool Found { get; init; }

    /// <summary>Names of the fields that were given.</summary>
    [Id(14)] public string[] Fields { get; init; } = [];

    /// <summary>As of which the answer is.</summary>
    [Id(15)] public string Watermark { get; init; } = "";

    /// <summary>SHA-256 over the entry's salt, which only the answer has, and the answered content.</summary>
    [Id(16)] public byte[] ContentHash { get; init; } = [];

    /// <summary>Names the record to whoever has the dataset's secret and the key.</summary>
    [Id(17)] public string RecordHash { get; init; } = "";
}

/// <summary>An answer to a question for one record.</summary>
/// <param name="Detail">Of a refusal: what is missing, or which member is wrong.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceResult")]
public sealed record EvidenceResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] LocalText? Detail)
{
    /// <summary>As it stands in the log; null where refused.</summary>
    [Id(2)] public EvidenceEntry? Entry { get; init; }

    /// <summary>The record as JSON text, with the fields that are given; <c>null</c> where there is none.</summary>
    [Id(3)] public string? Content { get; init; }

    /// <summary>What stands before the content in the hash.</summary>
    [Id(4)] public byte[]? Salt { get; init; }
}
