namespace DataHub.Catalog;

/// <summary>What an agency says when it puts a dataset.</summary>
[GenerateSerializer, Immutable, Alias("datahub.DatasetSpec")]
public sealed record DatasetSpec(
    [property: Id(0)] LocalText Title,
    [property: Id(1)] string Publisher,
    [property: Id(2)] DatasetKind Kind,
    [property: Id(3)] AccessClass Access,
    [property: Id(4)] string? License,
    [property: Id(5)] string? AreaSystem,
    [property: Id(6)] TableSchema Schema,
    [property: Id(7)] LocalText? Description)
{
    /// <summary>How many partitions the dataset's rows are spread over by a hash of their key's first field; fixed at creation. 1 to 16.</summary>
    [Id(8)] public int Partitions { get; init; } = 1;
}

/// <summary>Two kinds of rows share one way (design §2).</summary>
public enum DatasetKind
{
    /// <summary>A series and a time.</summary>
    Observations = 0,

    /// <summary>A key and a life cycle.</summary>
    Records = 1,
}

/// <summary>Who may read without being granted it.</summary>
public enum AccessClass
{
    /// <summary>Only keys of the publisher; the default, so that forgetting to say does not publish.</summary>
    Internal = 0,

    /// <summary>Everybody.</summary>
    Open = 1,
}

/// <summary>A dataset as it stands.</summary>
/// <param name="Partitions">Stream keys of the dataset's partitions with the shard that writes each; fixed.</param>
/// <param name="AreaVersion">Version of the area system that rows are resolved with; 0 without a system.</param>
/// <param name="Feeds">Ids of the feeds; always includes <c>default</c>.</param>
/// <param name="Indicators">Ids of the indicators defined on it.</param>
[GenerateSerializer, Immutable, Alias("datahub.DatasetInfo")]
public sealed record DatasetInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] DatasetSpec Spec,
    [property: Id(2)] DatasetPartition[] Partitions,
    [property: Id(3)] int AreaVersion,
    [property: Id(4)] FeedInfo[] Feeds,
    [property: Id(5)] string[] Indicators,
    [property: Id(6)] DateTimeOffset Issued,
    [property: Id(7)] DateTimeOffset Modified)
{
    public int ContractVersion => Spec.Schema.Version;
}

/// <param name="Key">Stream key, <c>{dataset}/{number}</c>.</param>
/// <param name="Shard">Number of the shard whose log holds it.</param>
[GenerateSerializer, Immutable, Alias("datahub.DatasetPartition")]
public sealed record DatasetPartition([property: Id(0)] string Key, [property: Id(1)] int Shard);

/// <summary>One source that pushes into a dataset.</summary>
/// <param name="Rhythm">A push is expected at least this often; beyond it the feed is silent. Null: no expectation.</param>
[GenerateSerializer, Immutable, Alias("datahub.FeedInfo")]
public sealed record FeedInfo([property: Id(0)] string Id, [property: Id(1)] LocalText? Title, [property: Id(2)] TimeSpan? Rhythm)
{
    /// <summary>How this feed writes CSV; null: as the file itself shows.</summary>
    [Id(3)] public CsvProfile? Csv { get; init; }

    /// <summary>How much it may push; null: what the platform allows every feed.</summary>
    [Id(4)] public FeedQuota? Quota { get; init; }
}
