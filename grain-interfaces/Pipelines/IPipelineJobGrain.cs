using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>A job in all its versions, and its runs (OpenLineage: Job). Key: its id.</summary>
[GrainInterfaceType("datahub.pipeline-job")]
public interface IPipelineJobGrain : IGrainWithStringKey
{
    /// <summary>Creates the job or makes a new version of it, which is the current one from then on. A definition equal to the current one changes nothing.</summary>
    /// <param name="caller">Who may edit definitions there, and may himself read, write and release what the steps do.</param>
    [Alias("Put"), Repeatable]
    Task<JobResult> PutAsync(Caller caller, JobSpec spec);

    /// <summary>Makes a new version of the job that is not the current one, to be tried and promoted later. A definition equal to the newest version changes nothing.</summary>
    [Alias("Draft"), Repeatable]
    Task<JobResult> DraftAsync(Caller caller, JobSpec spec);

    /// <summary>Has a version run in the shadow of the current one, on the same inputs and without writing or publishing anything; null ends that.</summary>
    [Alias("Shadow"), Repeatable]
    Task<JobResult> ShadowAsync(Caller caller, int? version);

    /// <summary>The job, or null where there is none or the caller may not know of it.</summary>
    /// <param name="version">Null: the current one.</param>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<JobInfo?> GetAsync(Caller caller, int? version);

    /// <summary>Makes an existing version the current one: forward or back. Repeating is harmless.</summary>
    [Alias("Promote"), Repeatable]
    Task<JobResult> PromoteAsync(Caller caller, int version);

    /// <summary>Pins the inputs and starts a run, or has it wait for the one that runs.</summary>
    /// <param name="order">Its id makes a repeat harmless.</param>
    [Alias("Start"), Repeatable]
    Task<RunResult> StartAsync(Caller caller, RunOrder order);

    /// <summary>The runs that are remembered, newest first.</summary>
    [Alias("Runs"), AlwaysInterleave, Repeatable]
    Task<RunEntry[]?> RunsAsync(Caller caller);

    /// <summary>What a run is to do, for the run itself; null where it is not to be. Only for the hub.</summary>
    [Alias("Order"), AlwaysInterleave, Repeatable]
    Task<PinnedRun?> OrderAsync(Caller caller, string run);

    /// <summary>Sees to it that a run goes on, when its turn has come. Only for the hub.</summary>
    /// <returns>Whether the job has such a run that has not ended.</returns>
    [Alias("Wake"), Repeatable]
    Task<bool> WakeAsync(Caller caller, string run);

    /// <summary>A run that has ended is resumed. Only for the hub.</summary>
    /// <returns>False where another run of the job is under way or waits, or the job has forgotten this one.</returns>
    [Alias("Reopen"), Repeatable]
    Task<bool> ReopenAsync(Caller caller, PinnedRun pinned);

    /// <summary>Has tables of runs deleted that are not to be kept any more. Only for the hub.</summary>
    [Alias("Sweep"), Repeatable]
    Task SweepAsync(Caller caller);

    /// <summary>The triggers, once what is being stored is stored; null where there is no job. Only for the hub.</summary>
    [Alias("Triggers"), Repeatable]
    Task<JobTriggers?> TriggersAsync(Caller caller);

    /// <summary>How the triggers stand, or null where there is no job or the caller may not know of it.</summary>
    [Alias("Status"), AlwaysInterleave, Repeatable]
    Task<TriggerStatus[]?> StatusAsync(Caller caller);

    /// <summary>A trigger starts a run of the current version. Only for the hub.</summary>
    /// <param name="order">Its id makes a repeat harmless.</param>
    [Alias("Trigger"), Repeatable]
    Task<RunResult> TriggerAsync(Caller caller, RunOrder order);

    /// <summary>What a backfill would do.</summary>
    [Alias("PreviewBackfill"), AlwaysInterleave, Repeatable]
    Task<BackfillResult> PreviewBackfillAsync(Caller caller, BackfillSpec spec);

    /// <summary>Begins a backfill, where none is under way.</summary>
    /// <param name="id">A ULID; makes a repeat harmless.</param>
    [Alias("StartBackfill"), Repeatable]
    Task<BackfillResult> StartBackfillAsync(Caller caller, string id, BackfillSpec spec);

    /// <summary>The newest backfill; without one where there was none.</summary>
    [Alias("GetBackfill"), AlwaysInterleave, Repeatable]
    Task<BackfillResult> GetBackfillAsync(Caller caller);

    /// <summary>Goes on with a backfill that stopped, or gives it up; a run under way goes on.</summary>
    [Alias("ActOnBackfill"), NotRepeatable("a repeat after another failure would resume once more")]
    Task<BackfillResult> ActOnBackfillAsync(Caller caller, bool resume);

    /// <summary>A run has ended: the next one that waits begins. Only for the hub.</summary>
    [Alias("Ended"), Repeatable]
    Task EndedAsync(Caller caller, string run, RunState state);
}

[GenerateSerializer, Immutable, Alias("datahub.JobResult")]
public sealed record JobResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] JobInfo? Job, [property: Id(2)] LocalText? Detail)
{
    [Id(3)] public bool Created { get; init; }

    /// <summary>What is wrong with the definition, each with its place.</summary>
    [Id(4)] public JobProblem[] Problems { get; init; } = [];
}

/// <param name="Path">Where in the definition, such as <c>steps[2].transform.sql</c>.</param>
[GenerateSerializer, Immutable, Alias("datahub.JobProblem")]
public sealed record JobProblem([property: Id(0)] string Path, [property: Id(1)] LocalText Detail);

/// <param name="Version">Of <paramref name="Spec"/>.</param>
/// <param name="Current">The version that new runs use.</param>
[GenerateSerializer, Immutable, Alias("datahub.JobInfo")]
public sealed record JobInfo([property: Id(0)] string Id, [property: Id(1)] JobSpec Spec, [property: Id(2)] int Version, [property: Id(3)] int Current, [property: Id(4)] JobVersion[] Versions)
{
    /// <summary>The version that runs in the shadow of the current one; null: none.</summary>
    [Id(5)] public int? Shadow { get; init; }
}

/// <param name="By">As <see cref="Caller.Subject"/>.</param>
[GenerateSerializer, Immutable, Alias("datahub.JobVersion")]
public sealed record JobVersion([property: Id(0)] int Number, [property: Id(1)] DateTimeOffset At, [property: Id(2)] string By);

/// <param name="Id">Of the run, a ULID.</param>
/// <param name="Files">By the id of the step that reads it.</param>
[GenerateSerializer, Immutable, Alias("datahub.RunOrder")]
public sealed record RunOrder([property: Id(0)] string Id, [property: Id(1)] NamedFile[] Files)
{
    /// <summary>Null: the current one.</summary>
    [Id(2)] public int? Version { get; init; }

    /// <summary>A run whose inputs are pinned again as they were; null: as they stand now.</summary>
    [Id(3)] public string? Repeats { get; init; }

    /// <summary>The time that it is for; null: none.</summary>
    [Id(4)] public RunPeriod? Period { get; init; }

    /// <summary>Id of the trigger that starts it; null: somebody does.</summary>
    [Id(5)] public string? Trigger { get; init; }

    /// <summary>The backfill that it belongs to; null: none.</summary>
    [Id(6)] public string? Backfill { get; init; }

    /// <summary>The run in whose shadow it goes: on the same inputs, writing nothing; null: none.</summary>
    [Id(7)] public string? ShadowOf { get; init; }
}

/// <param name="Step">That reads it.</param>
/// <param name="File">Id of an uploaded one.</param>
[GenerateSerializer, Immutable, Alias("datahub.NamedFile")]
public sealed record NamedFile([property: Id(0)] string Step, [property: Id(1)] string File);

[GenerateSerializer, Immutable, Alias("datahub.RunEntry")]
public sealed record RunEntry([property: Id(0)] string Id, [property: Id(1)] int Version, [property: Id(2)] DateTimeOffset At, [property: Id(3)] string By, [property: Id(4)] RunState State)
{
    [Id(5)] public DateTimeOffset? Ended { get; init; }

    [Id(6)] public string? Trigger { get; init; }

    [Id(7)] public RunPeriod? Period { get; init; }

    [Id(8)] public string? Backfill { get; init; }

    [Id(9)] public string? ShadowOf { get; init; }
}
