using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>One run in a list.</summary>
/// <param name="Job">Its id.</param>
/// <param name="Info">How it stands; null: its turn has not come.</param>
public sealed record RunRow(string Job, RunEntry Entry, RunInfo? Info)
{
    public RunState State => Info?.State ?? Entry.State;
}

/// <summary>The newest runs.</summary>
/// <param name="IsPublic">Whether nobody in particular reads it.</param>
/// <param name="Jobs">Ids of those that the reader may see.</param>
/// <param name="Job">The only one that is shown; null: all.</param>
public sealed record RunListView(RunPlace Place, DateTimeOffset Now, bool IsPublic, RunRow[] Rows, string[] Jobs, string? Job)
{
    /// <summary>Whether there are more jobs than were looked at.</summary>
    public bool MoreJobs { get; init; }

    /// <summary>Path and query of older runs; null: there are none.</summary>
    public string? Next { get; init; }
}

/// <summary>One run.</summary>
public sealed record RunView(RunPlace Place, RunInfo Run, DateTimeOffset Now)
{
    /// <summary>What has just been done; null: nothing.</summary>
    public string? Done { get; init; }

    /// <summary>Why something was refused that has no form here; null: nothing was.</summary>
    public string? Fault { get; init; }

    public StewardForm[] Forms { get; init; } = [];

    /// <summary>Whether there is a page on which it can be ended.</summary>
    public bool CanStop { get; init; }
}

/// <summary>One job.</summary>
/// <param name="Rows">Its newest runs.</param>
public sealed record JobView(RunPlace Place, DateTimeOffset Now, JobInfo Job, RunRow[] Rows)
{
    /// <summary>The form that starts a run; null: there is none.</summary>
    public StewardForm? Start { get; init; }

    /// <summary>How its triggers stand.</summary>
    public TriggerStatus[] Triggers { get; init; } = [];

    /// <summary>The newest one; null: there was none.</summary>
    public Backfill? Backfill { get; init; }
}

/// <summary>Two runs side by side; a run is null where it was not asked for.</summary>
/// <param name="AskedA">The id that was entered.</param>
/// <param name="AskedB">The id that was entered.</param>
public sealed record RunCompareView(RunPlace Place, DateTimeOffset Now, RunInfo? A, RunInfo? B, string? AskedA, string? AskedB)
{
    /// <summary>What differs between the tables of one step; null: it was not compared.</summary>
    public DifferenceResult? Differences { get; init; }
}
