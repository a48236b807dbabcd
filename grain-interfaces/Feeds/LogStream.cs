namespace DataHub.Feeds;

/// <summary>The stream over the log: provider name, and the namespace of all partitions' streams.</summary>
public static class LogStream
{
    public const string Provider = "log";
    public const string Namespace = "datahub.log";
}
