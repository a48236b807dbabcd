using System.Text.Json.Serialization;

namespace DataHub.Pipelines;

/// <summary>What starts runs of a job by itself; exactly one of its kinds is set.</summary>
/// <param name="Id">As a step's; unique in the job. A new version that keeps the trigger goes on where it stood.</param>
[GenerateSerializer, Immutable, Alias("datahub.TriggerSpec"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record TriggerSpec([property: Id(0), JsonRequired] string Id)
{
    /// <summary>At times.</summary>
    [Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public ScheduleTrigger? Schedule { get; init; }

    /// <summary>When a dataset has new rows.</summary>
    [Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public NewRowsTrigger? NewRows { get; init; }

    /// <summary>When a file has been uploaded.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public UploadTrigger? Upload { get; init; }
}

/// <summary>
/// Each time that the expression names starts one run, whose period reaches from the time before to this one. Where clocks
/// are put forward, a time that is left out counts as the first one after; where they are put back, a time of the day counts
/// once, and "every so many minutes or hours" goes on evenly.
/// </summary>
/// <param name="Cron">Minute, hour, day of month, month, day of week (crontab(5)); also <c>@daily</c> and the like.</param>
/// <param name="TimeZone">IANA name of the zone whose clocks it means, such as <c>Europe/Berlin</c>.</param>
[GenerateSerializer, Immutable, Alias("datahub.ScheduleTrigger"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ScheduleTrigger([property: Id(0), JsonRequired] string Cron, [property: Id(1), JsonRequired] string TimeZone)
{
    /// <summary>
    /// What becomes of times that passed while the hub was away: <c>last</c> (one run, whose period reaches over all of them),
    /// <c>all</c> (a run for each, the newest <see cref="JobLimits.CaughtUp"/>), or <c>none</c> (those more than five minutes ago are left out).
    /// </summary>
    [Id(2)] public string CatchUp { get; init; } = "last";
}

/// <summary>Starts a run when rows of a dataset were added or changed, once it has been quiet for a while.</summary>
/// <param name="Dataset">Not one that the job writes.</param>
[GenerateSerializer, Immutable, Alias("datahub.NewRowsTrigger"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record NewRowsTrigger([property: Id(0), JsonRequired] string Dataset)
{
    /// <summary>ISO 8601 duration, a second to a day: so long no new rows.</summary>
    [Id(1)] public string Quiet { get; init; } = "PT1M";

    /// <summary>ISO 8601 duration, <see cref="Quiet"/> to seven days: later than that after the first new row it does not wait for quiet.</summary>
    [Id(2)] public string AtMost { get; init; } = "PT1H";
}

/// <summary>Starts a run with a file that the job's agency has uploaded.</summary>
/// <param name="Step">The job's one step that reads a file.</param>
/// <param name="Name">Of the file, with <c>*</c> for any characters and <c>?</c> for one; case does not matter.</param>
[GenerateSerializer, Immutable, Alias("datahub.UploadTrigger"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record UploadTrigger([property: Id(0), JsonRequired] string Step, [property: Id(1), JsonRequired] string Name);

/// <summary>The time that a run is for; <paramref name="To"/> does not belong to it.</summary>
[GenerateSerializer, Immutable, Alias("datahub.RunPeriod"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RunPeriod([property: Id(0), JsonRequired] DateTimeOffset From, [property: Id(1), JsonRequired] DateTimeOffset To);
