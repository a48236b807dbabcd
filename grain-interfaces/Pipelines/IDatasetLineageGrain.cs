using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>
/// Which jobs read and write a dataset, and which of their runs did lately: an index, so that nobody need ask every job. It
/// may name too much, never too little: a job is noted before it is stored, a run before its step is done. Key: the dataset's id.
/// </summary>
[GrainInterfaceType("datahub.dataset-lineage")]
public interface IDatasetLineageGrain : IGrainWithStringKey
{
    /// <summary>Notes that a job reads the dataset or writes into it. Only for the hub.</summary>
    [Alias("NoteJob"), Repeatable]
    Task NoteJobAsync(Caller caller, LineageJob job);

    /// <summary>Notes that a step of a run read the dataset or wrote into it. Only for the hub.</summary>
    [Alias("NoteRun"), Repeatable]
    Task NoteRunAsync(Caller caller, LineageJob job, LineageUse use);

    /// <summary>Notes that a run of an agency's own tools read the dataset or wrote into it, as it was told. Only for the hub.</summary>
    [Alias("NoteForeign"), Repeatable]
    Task NoteForeignAsync(Caller caller, ForeignUse use);

    /// <summary>The jobs that the caller may know of, with their runs.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<DatasetLineage> GetAsync(Caller caller);
}

/// <summary>A job beside a dataset.</summary>
/// <param name="Dataspace">Of the job; null: none.</param>
/// <param name="Reads">It has read the dataset in one of its versions.</param>
/// <param name="Feeds">Into which it wrote in one of its versions.</param>
[GenerateSerializer, Immutable, Alias("datahub.LineageJob")]
public sealed record LineageJob(
    [property: Id(0)] string Job, [property: Id(1)] string Agency, [property: Id(2)] string? Dataspace, [property: Id(3)] bool Reads, [property: Id(4)] string[] Feeds)
{
    /// <summary>As <see cref="JobSpec.Holding"/>.</summary>
    public Holding Holding => new(null, Dataspace, Agency, AccessClass.Internal);
}

/// <summary>What a step of a run did with a dataset.</summary>
/// <param name="Watermark">At which it read the dataset, or that includes what it wrote.</param>
[GenerateSerializer, Immutable, Alias("datahub.LineageUse")]
public sealed record LineageUse([property: Id(0)] string Job, [property: Id(1)] RunStep By, [property: Id(2)] string? Watermark)
{
    /// <summary>Of a step that wrote: its push; null: it read.</summary>
    [Id(3)] public string? Receipt { get; init; }

    /// <summary>Rows that were new, corrected or retracted.</summary>
    [Id(4)] public long Accepted { get; init; }
}

/// <param name="Jobs">By their ids.</param>
/// <param name="Reads">The newest runs first; so many as are kept.</param>
/// <param name="Writes">The newest runs first; so many as are kept.</param>
[GenerateSerializer, Immutable, Alias("datahub.DatasetLineage")]
public sealed record DatasetLineage([property: Id(0)] LineageJob[] Jobs, [property: Id(1)] LineageUse[] Reads, [property: Id(2)] LineageUse[] Writes)
{
    /// <summary>Runs of agencies' own tools, the newest first; so many as are kept.</summary>
    [Id(3)] public ForeignUse[] Foreign { get; init; } = [];
}

/// <summary>What a run of an agency's own tools did with a dataset, as it was told.</summary>
/// <param name="IsOutput">It wrote; else it read.</param>
/// <param name="Watermark">As of which, where that was told.</param>
/// <param name="At">Of the event.</param>
[GenerateSerializer, Immutable, Alias("datahub.ForeignUse")]
public sealed record ForeignUse(
    [property: Id(0)] ForeignJob Job, [property: Id(1)] string Agency, [property: Id(2)] Guid Run, [property: Id(3)] bool IsOutput, [property: Id(4)] string? Watermark, [property: Id(5)] DateTimeOffset At)
{
    public Holding Holding => new(null, Job.Dataspace, Agency, AccessClass.Internal);
}
