namespace DataHub.Feeds;

/// <summary>Limits that both the front-end and the shard keep to.</summary>
public static class PushLimits
{
    /// <summary>Row errors that a receipt carries; all of a push's quarantined rows stand in the quarantine list.</summary>
    public const int ErrorsInReceipt = 1_000;

    /// <summary>Rows whose outcome the answer to a dry run tells.</summary>
    public const int OutcomesInDryRun = 1_000;

    /// <summary>
    /// Bytes of a decompressed body up to which it is taken whole: from memory, and with one part a partition. Fixed, as
    /// the next two are: a retry must cut a body where the first attempt did.
    /// </summary>
    public const int WholeBytes = 8 << 20;

    /// <summary>Rows up to which a body is taken whole.</summary>
    public const int WholeRows = 100_000;

    /// <summary>Rows of one chunk of a body that is not taken whole; a chunk also ends where it has <see cref="WholeBytes"/>.</summary>
    public const int ChunkRows = 10_000;
}
