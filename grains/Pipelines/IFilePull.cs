namespace DataHub.Pipelines;

/// <summary>
/// Fetches files by HTTP, from hosts that the operator allows only: no other host is asked, by no redirect and by no name
/// that leads to an address inside.
/// </summary>
internal interface IFilePull
{
    /// <param name="piece">Takes the content, at most <see cref="UploadLimits.PieceBytes"/> at once; every piece but the last has so many.</param>
    /// <exception cref="StepException">The file cannot be had; transient where the host may answer otherwise later.</exception>
    Task<PulledFile> PullAsync(PullOrder order, Func<ReadOnlyMemory<byte>, Task> piece, CancellationToken cancellationToken);
}

/// <summary>What is fetched, and as whom.</summary>
internal sealed record PullOrder(Uri Url)
{
    /// <summary>What the last answer said of itself, so that the host need not send it again; null: send it.</summary>
    public PullMarks? Known { get; init; }

    /// <summary>Sent to its host only; null: none.</summary>
    public PullKey? Key { get; init; }

    /// <summary>Of a sharing agreement of another hub (<c>DataHub-Purpose</c>), told to the first host only; null: none.</summary>
    public string? Purpose { get; init; }

    /// <summary>It is a list of another hub: its further pages (<c>Link</c>, RFC 8288, rel next) are part of it, all at one watermark.</summary>
    public bool IsPaged { get; init; }
}

/// <summary>By what a host knows a content again (RFC 9110, sections 8.8.2 and 8.8.3), as it sent them.</summary>
[GenerateSerializer, Immutable, Alias("datahub.PullMarks")]
public sealed record PullMarks([property: Id(0)] string? ETag, [property: Id(1)] string? LastModified)
{
    /// <summary>Of whom they are, after redirects; no other address is told of them. Null: nobody is.</summary>
    [Id(2)] public string? Address { get; init; }
}

/// <param name="IsUnchanged">The content is what it was (304); there were no pieces.</param>
/// <param name="Name">Of the file, as the host calls it.</param>
/// <param name="Length">Bytes.</param>
internal sealed record PulledFile(bool IsUnchanged, string Name, long Length, PullMarks Marks)
{
    /// <summary>At which another hub gave it; null: it said none.</summary>
    public string? Watermark { get; init; }
}
