using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Runs over a time that has passed, one for each time of a schedule, in order.</summary>
/// <param name="From">Times after it.</param>
/// <param name="To">Up to this one.</param>
[GenerateSerializer, Immutable, Alias("datahub.BackfillSpec")]
public sealed record BackfillSpec([property: Id(0)] DateTimeOffset From, [property: Id(1)] DateTimeOffset To)
{
    /// <summary>Id of the trigger whose times they are; null with <see cref="Schedule"/>, or where the job has one schedule only.</summary>
    [Id(2)] public string? Trigger { get; init; }

    /// <summary>Other times than those of a trigger; null: a trigger's.</summary>
    [Id(3)] public ScheduleTrigger? Schedule { get; init; }

    /// <summary>Periods that have a complete run already are done again.</summary>
    [Id(4)] public bool Again { get; init; }
}

/// <param name="Run">The newest complete run for it; null: there is none.</param>
[GenerateSerializer, Immutable, Alias("datahub.BackfillPeriod")]
public sealed record BackfillPeriod([property: Id(0)] RunPeriod Period, [property: Id(1)] string? Run);

public enum BackfillState
{
    Running = 0,

    /// <summary>A run did not become complete; it can be resumed.</summary>
    Stopped = 1,
    Complete = 2,
    Cancelled = 3,
}

/// <summary>A backfill as it stands.</summary>
/// <param name="Version">Of the job, for all its runs.</param>
/// <param name="Periods">How many it goes over.</param>
/// <param name="Done">How many have a complete run.</param>
[GenerateSerializer, Immutable, Alias("datahub.Backfill")]
public sealed record Backfill(
    [property: Id(0)] string Id, [property: Id(1)] BackfillSpec Spec, [property: Id(2)] ScheduleTrigger Schedule, [property: Id(3)] int Version, [property: Id(4)] DateTimeOffset At, [property: Id(5)] string By,
    [property: Id(6)] int Periods, [property: Id(7)] int Done, [property: Id(8)] BackfillState State)
{
    /// <summary>Everything up to it is done.</summary>
    [Id(9)] public DateTimeOffset Reached { get; init; }

    /// <summary>Its newest run.</summary>
    [Id(10)] public string? Run { get; init; }

    /// <summary>Why it stopped, for people.</summary>
    [Id(11)] public LocalText? Cause { get; init; }

    /// <summary>How often it was resumed; another run for the same period has another id.</summary>
    [Id(12)] public int Resumed { get; init; }
}

/// <summary>What a backfill would do, or does.</summary>
[GenerateSerializer, Immutable, Alias("datahub.BackfillResult")]
public sealed record BackfillResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] LocalText? Detail)
{
    /// <summary>Of a preview: the periods that would be run, in order.</summary>
    [Id(2)] public BackfillPeriod[] Periods { get; init; } = [];

    [Id(3)] public Backfill? Backfill { get; init; }
}
