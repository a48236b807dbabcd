using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>Starts runs of a part of the jobs by their triggers. Key: one of <see cref="Parts"/>.</summary>
[GrainInterfaceType("datahub.schedule")]
public interface IScheduleGrain : IGrainWithIntegerKey
{
    const int Parts = 8;

    /// <summary>Triggers of a job are about to change: the job is asked for them once it has stored them. Only for the hub.</summary>
    [Alias("Note"), AlwaysInterleave, Repeatable]
    Task NoteAsync(Caller caller, string job);

    /// <summary>A file is complete: jobs that wait for such a one get it. Only for the hub.</summary>
    [Alias("Uploaded"), AlwaysInterleave, Repeatable]
    Task UploadedAsync(Caller caller, UploadedFile file);

    /// <summary>Starts what is due, and goes on doing so. Only for the hub.</summary>
    [Alias("Tick"), AlwaysInterleave, Repeatable]
    Task TickAsync(Caller caller);

    /// <summary>How the triggers of a job stand. Only for the hub.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<TriggerStatus[]> GetAsync(Caller caller, string job);
}

/// <summary>The triggers of the version that new runs use.</summary>
/// <param name="At">When that version became the current one.</param>
/// <param name="Since">How far the datasets had come, whose new rows start runs, by then.</param>
[GenerateSerializer, Immutable, Alias("datahub.JobTriggers")]
public sealed record JobTriggers([property: Id(0)] string Agency, [property: Id(1)] string? Dataspace, [property: Id(2)] TriggerSpec[] Triggers, [property: Id(3)] DateTimeOffset At, [property: Id(4)] DatasetMark[] Since);

[GenerateSerializer, Immutable, Alias("datahub.DatasetMark")]
public sealed record DatasetMark([property: Id(0)] string Dataset, [property: Id(1)] string Watermark);

/// <param name="Trigger">Its id.</param>
[GenerateSerializer, Immutable, Alias("datahub.TriggerStatus")]
public sealed record TriggerStatus([property: Id(0)] string Trigger)
{
    /// <summary>When it is due next; null: it does not go by time.</summary>
    [Id(1)] public DateTimeOffset? Next { get; init; }

    /// <summary>The run that it started last.</summary>
    [Id(2)] public string? Run { get; init; }

    /// <summary>When that was.</summary>
    [Id(3)] public DateTimeOffset? At { get; init; }

    /// <summary>Why the last run could not be started, or that times were left out; for people.</summary>
    [Id(4)] public LocalText? Refusal { get; init; }
}
