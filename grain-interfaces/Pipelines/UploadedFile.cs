using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>
/// A file that an agency uploads, piece by piece. What was answered is stored; an upload that breaks off goes on where it
/// stood. Key: the file's id, a ULID.
/// </summary>
[GrainInterfaceType("datahub.uploaded-file")]
public interface IUploadedFileGrain : IGrainWithStringKey
{
    /// <summary>Begins an upload. Repeating is harmless.</summary>
    /// <param name="caller">Who may push for the agency.</param>
    [Alias("Create"), Repeatable]
    Task<UploadResult> CreateAsync(Caller caller, UploadSpec spec);

    /// <summary>Appends a piece at an offset. One that was taken already changes nothing.</summary>
    /// <param name="offset">Bytes before it: <see cref="UploadedFile.Offset"/>; else it is refused with <see cref="CatalogRefusal.Conflict"/>.</param>
    /// <param name="piece">1 to <see cref="UploadLimits.PieceBytes"/> bytes.</param>
    [Alias("Append"), Repeatable]
    Task<UploadResult> AppendAsync(Caller caller, long offset, ReadOnlyMemory<byte> piece);

    /// <summary>The file as it stands, or null where there is none or the caller may not know of it.</summary>
    [Alias("Get"), Repeatable]
    Task<UploadedFile?> GetAsync(Caller caller);

    /// <summary>Deletes the file. Repeating is harmless.</summary>
    [Alias("Delete"), Repeatable]
    Task<UploadResult> DeleteAsync(Caller caller);

    /// <summary>Keeps the file for at least as long: a run reads it. Only for the hub.</summary>
    [Alias("Keep"), Repeatable]
    Task KeepAsync(Caller caller, DateTimeOffset until);

    /// <summary>Deletes the file if it is not to be kept any more. Only for the hub.</summary>
    /// <returns>Whether there is nothing left of it.</returns>
    [Alias("Sweep"), Repeatable]
    Task<bool> SweepAsync(Caller caller);
}

/// <param name="Agency">For which it is uploaded.</param>
/// <param name="Name">As people know it; without folders.</param>
/// <param name="Length">Bytes that will come.</param>
[GenerateSerializer, Immutable, Alias("datahub.UploadSpec")]
public sealed record UploadSpec([property: Id(0)] string Agency, [property: Id(1)] string Name, [property: Id(2)] long Length)
{
    [Id(3)] public string? Dataspace { get; init; }

    /// <summary>What its content is said to hash to, SHA-256; null: not said.</summary>
    [Id(4)] public byte[]? Sha256 { get; init; }

    public Holding Holding => new(null, Dataspace, Agency, AccessClass.Internal);
}

/// <param name="Offset">Bytes that are stored.</param>
/// <param name="Sha256">Of the whole content; null until it is complete.</param>
/// <param name="Expires">From when on it may be deleted.</param>
[GenerateSerializer, Immutable, Alias("datahub.UploadedFile")]
public sealed record UploadedFile(
    [property: Id(0)] string Id, [property: Id(1)] UploadSpec Spec, [property: Id(2)] long Offset, [property: Id(3)] byte[]? Sha256,
    [property: Id(4)] DateTimeOffset Created, [property: Id(5)] DateTimeOffset Expires)
{
    public bool IsComplete => Sha256 is not null;
}

[GenerateSerializer, Immutable, Alias("datahub.UploadResult")]
public sealed record UploadResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] UploadedFile? File, [property: Id(2)] LocalText? Detail);

/// <summary>Limits of uploads.</summary>
public static class UploadLimits
{
    /// <summary>Most bytes of one piece, in one call and in the store.</summary>
    public const int PieceBytes = 1 << 20;

    public const int NameLength = 255;
}
