namespace DataHub.Feeds;

/// <summary>Limits that both the front-end and the shard keep to.</summary>
public static class PushLimits
{
    /// <summary>Row errors that a receipt carries; all of a push's quarantined rows stand in the quarantine list.</summary>
    public const int ErrorsInReceipt = 1_000;
}
