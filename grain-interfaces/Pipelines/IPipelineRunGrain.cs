using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>
/// One execution of a job (OpenLineage: Run). Its inputs are pinned before its first step; what a step made is stored before
/// the next begins, so that whatever dies, the run goes on where it stood. Key: its id, a ULID.
/// </summary>
[GrainInterfaceType("datahub.pipeline-run")]
public interface IPipelineRunGrain : IGrainWithStringKey
{
    /// <summary>Notes what the run is to do; it begins when it is woken. Only for the hub.</summary>
    [Alias("Order"), Repeatable]
    Task OrderAsync(Caller caller, PinnedRun pinned);

    /// <summary>Deletes the tables of its steps, and notes, which may have values; counts and hashes stay. Only for the hub.</summary>
    /// <returns>False where it has not ended.</returns>
    [Alias("Forget"), Repeatable]
    Task<bool> ForgetTablesAsync(Caller caller);

    /// <summary>Begins, or goes on after a death. Does not wait for the end. Only for the hub.</summary>
    /// <param name="job">Whose run it is.</param>
    /// <returns>Whether it has ended and everybody knows.</returns>
    [Alias("Wake"), Repeatable]
    Task<bool> WakeAsync(Caller caller, string job);

    /// <summary>The run with its steps, or null where there is none or the caller may not know of it.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<RunInfo?> GetAsync(Caller caller);

    /// <summary>Ends it before its time; a step under way is stopped. What was written stays.</summary>
    [Alias("Abort"), Repeatable]
    Task<RunResult> AbortAsync(Caller caller, string reason);

    /// <summary>Goes on with the step that failed or was stopped, from what the steps before it made.</summary>
    [Alias("Resume"), NotRepeatable("a repeat after another failure would begin once more")]
    Task<RunResult> ResumeAsync(Caller caller);

    /// <summary>Looks what has become of the step under way. Only for the hub.</summary>
    [Alias("Advance"), Repeatable]
    Task AdvanceAsync(Caller caller);

    /// <summary>A step that made a table, or null where there is none or the caller may not see rows.</summary>
    [Alias("Table"), AlwaysInterleave, Repeatable]
    Task<StepInfo?> TableAsync(Caller caller, string step);

    /// <summary>What differs between the tables of a step in another run and in this one, cell by cell.</summary>
    [Alias("Differences"), AlwaysInterleave, Repeatable]
    Task<DifferenceResult> DifferencesAsync(Caller caller, DifferenceQuery query);

    /// <summary>One batch of a step's table (<see cref="TableCodec"/>), or null where there is none or the caller may not see rows.</summary>
    [Alias("Output"), AlwaysInterleave, Repeatable]
    Task<byte[]?> OutputAsync(Caller caller, string step, int batch);

    /// <summary>
    /// Rows of a dataset were erased. A run that had read them, or brought them, loses its tables, and notes and causes, which
    /// may have values; counts and hashes stay. One that is under way is ended for it, and cannot be resumed. Only for the hub.
    /// </summary>
    [Alias("Erase"), Repeatable]
    Task<RunErased> EraseAsync(Caller caller, RowsErased rows);
}

/// <summary>The runs that have not ended, so that somebody asks for them after a death. Key: one of <see cref="Parts"/>.</summary>
[GrainInterfaceType("datahub.open-runs")]
public interface IOpenRunsGrain : IGrainWithIntegerKey
{
    const int Parts = 4;

    [Alias("Open"), Repeatable]
    Task OpenAsync(Caller caller, OpenRun run);

    [Alias("Close"), Repeatable]
    Task CloseAsync(Caller caller, string run);

    [Alias("List"), AlwaysInterleave, Repeatable]
    Task<OpenRun[]> ListAsync(Caller caller);
}

[GenerateSerializer, Immutable, Alias("datahub.OpenRun")]
public sealed record OpenRun([property: Id(0)] string Run, [property: Id(1)] string Job)
{
    /// <summary>A backfill of the job, which is no run itself.</summary>
    [Id(2)] public bool IsBackfill { get; init; }
}

/// <summary>In the words of OpenLineage (2-0-2, RunEvent.eventType), without OTHER.</summary>
public enum RunState
{
    /// <summary>Ordered; its first step has not begun.</summary>
    Start = 0,
    Running = 1,
    Complete = 2,

    /// <summary>A step failed; it can be resumed.</summary>
    Fail = 3,

    /// <summary>Somebody ended it; it can be resumed.</summary>
    Abort = 4,
}

[GenerateSerializer, Immutable, Alias("datahub.RunResult")]
public sealed record RunResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] RunInfo? Run, [property: Id(2)] LocalText? Detail);

/// <summary>What a run is to do: everything that could be another the next time is written down here.</summary>
/// <param name="Job">Its id.</param>
/// <param name="Version">Of the definition.</param>
/// <param name="By">Who started it, as <see cref="Caller.Subject"/>.</param>
/// <param name="Engine">Name and version of what runs SQL.</param>
[GenerateSerializer, Immutable, Alias("datahub.PinnedRun")]
public sealed record PinnedRun(
    [property: Id(0)] string Id, [property: Id(1)] string Job, [property: Id(2)] int Version, [property: Id(3)] JobSpec Spec, [property: Id(4)] DateTimeOffset At, [property: Id(5)] string By,
    [property: Id(6)] PinnedInput[] Inputs, [property: Id(7)] string Engine)
{
    /// <summary>The run whose inputs it has; null: inputs of its own.</summary>
    [Id(8)] public string? Repeats { get; init; }

    /// <summary>The job's last complete run, with which checks compare; null: there was none.</summary>
    [Id(9)] public string? Previous { get; init; }

    /// <summary>The time that it is for; null: none.</summary>
    [Id(10)] public RunPeriod? Period { get; init; }

    /// <summary>Id of the trigger that started it; null: <see cref="By"/> did.</summary>
    [Id(11)] public string? Trigger { get; init; }

    /// <summary>The run in whose shadow it goes: it writes and publishes nothing; null: it does what its steps say.</summary>
    [Id(12)] public string? ShadowOf { get; init; }

    /// <summary>Which keys make pseudonyms; null: none.</summary>
    [Id(13)] public PinnedKey[]? Keys { get; init; }

    /// <summary>Which areas rows are placed in; null: none.</summary>
    [Id(14)] public PinnedAreas[]? Areas { get; init; }
}

/// <summary>The version of a purpose's key that a step makes pseudonyms with.</summary>
[GenerateSerializer, Immutable, Alias("datahub.PinnedKey")]
public sealed record PinnedKey([property: Id(0)] string Step, [property: Id(1)] string Purpose, [property: Id(2)] int Version);

/// <summary>What a reading step reads; a file or a dataset.</summary>
[GenerateSerializer, Immutable, Alias("datahub.PinnedInput")]
public sealed record PinnedInput([property: Id(0)] string Step)
{
    [Id(1)] public string? File { get; init; }

    /// <summary>Of the file's content.</summary>
    [Id(2)] public byte[]? Sha256 { get; init; }

    [Id(3)] public long Length { get; init; }

    [Id(4)] public string? Dataset { get; init; }

    /// <summary>At which the dataset is read; of a file that another hub gave, at which that hub did.</summary>
    [Id(5)] public string? Watermark { get; init; }

    /// <summary>Version of the dataset's contract.</summary>
    [Id(6)] public int Contract { get; init; }

    /// <summary>Version of the dataset's area system.</summary>
    [Id(7)] public int Areas { get; init; }

    /// <summary>The file's name, for people.</summary>
    [Id(8)] public string? Name { get; init; }

    /// <summary>From where the run fetched the file; null: it was named.</summary>
    [Id(9)] public string? Url { get; init; }
}

/// <param name="Steps">In their order.</param>
[GenerateSerializer, Immutable, Alias("datahub.RunInfo")]
public sealed record RunInfo([property: Id(0)] PinnedRun Pinned, [property: Id(1)] RunState State, [property: Id(2)] StepInfo[] Steps)
{
    [Id(3)] public DateTimeOffset? Started { get; init; }

    [Id(4)] public DateTimeOffset? Ended { get; init; }

    /// <summary>Why it failed or was ended, for people.</summary>
    [Id(5)] public LocalText? Cause { get; init; }

    /// <summary>How it ended before it was resumed, oldest first.</summary>
    [Id(6)] public RunBreak[] Breaks { get; init; } = [];

    /// <summary>Why its tables were deleted before their time; null: they were not.</summary>
    [Id(7)] public TablesErased? TablesErased { get; init; }
}

/// <summary>A run ended, and was resumed later.</summary>
/// <param name="Step">That failed or was stopped, as it was then; without notes, which may have values.</param>
/// <param name="Cause">Of the run.</param>
[GenerateSerializer, Immutable, Alias("datahub.RunBreak")]
public sealed record RunBreak([property: Id(0)] StepInfo Step, [property: Id(1)] RunState State, [property: Id(2)] DateTimeOffset Ended, [property: Id(3)] LocalText? Cause, [property: Id(4)] DateTimeOffset Resumed);

/// <summary>A step of a run.</summary>
[GenerateSerializer, Immutable, Alias("datahub.StepInfo")]
public sealed record StepInfo([property: Id(0)] string Id, [property: Id(1)] string Kind, [property: Id(2)] RunState State)
{
    /// <summary>How often it was begun.</summary>
    [Id(3)] public int Attempts { get; init; }

    [Id(4)] public DateTimeOffset? Started { get; init; }

    [Id(5)] public DateTimeOffset? Ended { get; init; }

    /// <summary>Rows that went in, as far as it has come.</summary>
    [Id(6)] public long RowsIn { get; init; }

    /// <summary>Rows that it made or wrote, as far as it has come.</summary>
    [Id(7)] public long RowsOut { get; init; }

    /// <summary>How far it has come, 0 to 1; null where that cannot be told.</summary>
    [Id(8)] public double? Share { get; init; }

    /// <summary>Its table's columns.</summary>
    [Id(9)] public TableColumn[] Columns { get; init; } = [];

    /// <summary>Batches of its table.</summary>
    [Id(10)] public int Batches { get; init; }

    /// <summary>SHA-256 of its table: columns and rows. The same inputs give the same.</summary>
    [Id(11)] public byte[]? Sha256 { get; init; }

    /// <summary>What is worth knowing of it, for people: what was found out about a file, rows left out, warnings.</summary>
    [Id(12)] public StepNote[] Notes { get; init; } = [];

    /// <summary>Of a writing step: the push's receipt.</summary>
    [Id(13)] public string? Receipt { get; init; }

    /// <summary>Of a writing step: how far answers have to be current to include what it wrote.</summary>
    [Id(14)] public string? Watermark { get; init; }

    /// <summary>Why it failed, for people.</summary>
    [Id(15)] public LocalText? Cause { get; init; }

    /// <summary>When it is tried again; null: it is not.</summary>
    [Id(16)] public DateTimeOffset? Again { get; init; }

    /// <summary>Of a check: what was measured, by the place of its rule; null where the rule measures nothing.</summary>
    [Id(17)] public double?[] Measures { get; init; } = [];

    /// <summary>Of a check: which of its rules are kept, by their places; empty where it was not asked.</summary>
    [Id(18)] public bool[] Kept { get; init; } = [];

    /// <summary>Its table is made of personal fields, or may be: it is for those who may see these.</summary>
    [Id(19)] public bool IsPersonal { get; init; }

    /// <summary>Of a step that read a file: the format by which the next one is read in the same way; null: it read none, or has not ended.</summary>
    [Id(20)] public FileFormat? Format { get; init; }
}

/// <param name="Severity"><c>info</c>, <c>warning</c> or <c>error</c>.</param>
[GenerateSerializer, Immutable, Alias("datahub.StepNote")]
public sealed record StepNote([property: Id(0)] string Severity, [property: Id(1)] LocalText Text);
