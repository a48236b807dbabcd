using DataHub.Governance;

namespace DataHub.Pipelines;

/// <summary>A job as it is stored.</summary>
/// <param name="Versions">In their order; the first is 1.</param>
/// <param name="Current">Number of the one that new runs use; 0: there is no such job.</param>
/// <param name="Runs">Newest first.</param>
[GenerateSerializer, Immutable, Alias("datahub.PipelineJobState")]
public sealed record PipelineJobState([property: Id(0)] StoredJobVersion[] Versions, [property: Id(1)] int Current, [property: Id(2)] StoredRun[] Runs) : IKeepsEvents<PipelineJobState>
{
    public PipelineJobState()
        : this([], 0, [])
    {
    }

    [Id(3)] public AuditEvent[] Pending { get; init; } = [];

    /// <summary>How far the datasets had come, whose new rows start runs, when the current version became it.</summary>
    [Id(4)] public DatasetMark[] Since { get; init; } = [];

    /// <summary>When the current version became it.</summary>
    [Id(6)] public DateTimeOffset CurrentAt { get; init; }

    /// <summary>The version that runs in the shadow of the current one; null: none.</summary>
    [Id(7)] public int? Shadow { get; init; }

    /// <summary>The newest; null: there was none.</summary>
    [Id(5)] public Backfill? Backfill { get; init; }

    public PipelineJobState WithPending(AuditEvent[] pending) => this with { Pending = pending };
}

[GenerateSerializer, Immutable, Alias("datahub.StoredJobVersion")]
public sealed record StoredJobVersion([property: Id(0)] JobVersion Version, [property: Id(1)] JobSpec Spec);

/// <param name="Pinned">What it is to do, until it has ended; its own grain has it too.</param>
[GenerateSerializer, Immutable, Alias("datahub.StoredRun")]
public sealed record StoredRun([property: Id(0)] RunEntry Entry, [property: Id(1)] PinnedRun? Pinned)
{
    /// <summary>It was let begin.</summary>
    [Id(2)] public bool Begun { get; init; }

    /// <summary>The tables of its steps are deleted.</summary>
    [Id(3)] public bool Swept { get; init; }

    /// <summary>The order of its shadow, until that waits too or cannot be; null: none is owed.</summary>
    [Id(4)] public RunOrder? Shadow { get; init; }
}
