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

    /// <summary>The dataspace it belongs to, whose roles reach it; null: none.</summary>
    [Id(9)] public string? Dataspace { get; init; }

    /// <summary>The legal basis on which personal data is processed; required before it is released where the contract has personal fields.</summary>
    [Id(10)] public string? LegalBasis { get; init; }

    /// <summary>Where it shall stand in its life; null: as it stands, and a new one as far as it and the caller allow. Not kept: see <see cref="DatasetInfo.State"/>.</summary>
    [Id(11)] public ReleaseState? Wanted { get; init; }
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
    /// <summary>Where it stands in its life.</summary>
    [Id(8)] public ReleaseState State { get; init; }

    /// <summary>Who declared it ready and who released it, and when.</summary>
    [Id(9)] public ReleaseNote? Release { get; init; }

    /// <summary>Since when it takes no rows any more, and through which agreement; null: it does.</summary>
    [Id(10)] public DatasetFreeze? Frozen { get; init; }

    public int ContractVersion => Spec.Schema.Version;

    /// <summary>What decides who may do what with it.</summary>
    public Holding Holding => new(Id, Spec.Dataspace, Spec.Publisher, Spec.Access, State);
}

/// <summary>A dataset takes no rows any more: an agreement is over from whose data it is derived.</summary>
[GenerateSerializer, Immutable, Alias("datahub.DatasetFreeze")]
public sealed record DatasetFreeze([property: Id(0)] string Agreement, [property: Id(1)] DateTimeOffset At);

/// <summary>Who took the steps of a dataset's life that need a decision.</summary>
/// <param name="ReadyBy">Who declared it complete, as <see cref="Caller.Subject"/>.</param>
/// <param name="ReleasedBy">Who released it last; another one than who declared it ready where personal data is involved.</param>
[GenerateSerializer, Immutable, Alias("datahub.ReleaseNote")]
public sealed record ReleaseNote(
    [property: Id(0)] string? ReadyBy, [property: Id(1)] DateTimeOffset? ReadyAt, [property: Id(2)] string? ReleasedBy, [property: Id(3)] DateTimeOffset? ReleasedAt);

/// <summary>One line of the checklist for a step of a dataset's life.</summary>
/// <param name="Code">Such as <c>license</c>.</param>
/// <param name="Required">Without it the step is refused; else it is recommended.</param>
[GenerateSerializer, Immutable, Alias("datahub.ReleaseCheck")]
public sealed record ReleaseCheck([property: Id(0)] string Code, [property: Id(1)] bool Required, [property: Id(2)] bool Fulfilled, [property: Id(3)] LocalText Text);

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
