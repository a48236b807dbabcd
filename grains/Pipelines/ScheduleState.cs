using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>A part of the jobs with triggers, as it is stored.</summary>
/// <param name="Jobs">In no order.</param>
/// <param name="Uploads">Complete files that jobs have not got yet.</param>
[GenerateSerializer, Immutable, Alias("datahub.ScheduleState")]
public sealed record ScheduleState([property: Id(0)] ScheduledJob[] Jobs, [property: Id(1)] UploadedFile[] Uploads)
{
    public ScheduleState()
        : this([], [])
    {
    }
}

/// <param name="Triggers">With how far each has come.</param>
/// <param name="Noted">How often the job said that its triggers are about to change.</param>
/// <param name="Asked">Up to which of these it was asked for them since.</param>
[GenerateSerializer, Immutable, Alias("datahub.ScheduledJob")]
public sealed record ScheduledJob([property: Id(0)] string Job, [property: Id(1)] JobTriggers? Triggers, [property: Id(2)] TriggerProgress[] Progress, [property: Id(3)] long Noted, [property: Id(4)] long Asked);

/// <param name="Handled">Of a schedule: times up to it have been dealt with.</param>
[GenerateSerializer, Immutable, Alias("datahub.TriggerProgress")]
public sealed record TriggerProgress([property: Id(0)] string Trigger, [property: Id(1)] DateTimeOffset Handled)
{
    /// <summary>Of a schedule: the time of its last run.</summary>
    [Id(2)] public DateTimeOffset? Last { get; init; }

    /// <summary>Of new rows: rows up to it have been dealt with.</summary>
    [Id(3)] public string? Watermark { get; init; }

    /// <summary>Of new rows: the run that is being started, with what it deals with; noted first, so that after a death it is the same one.</summary>
    [Id(4)] public string? Begun { get; init; }

    [Id(5)] public string? BegunWatermark { get; init; }

    /// <summary>The run that was started last, and when.</summary>
    [Id(6)] public string? Run { get; init; }

    [Id(7)] public DateTimeOffset? At { get; init; }

    /// <summary>Why the last one could not be started, or what was left out.</summary>
    [Id(8)] public LocalText? Refusal { get; init; }

    /// <summary>Of new rows: when the first were seen that no run has dealt with.</summary>
    [Id(9)] public DateTimeOffset? First { get; init; }
}
