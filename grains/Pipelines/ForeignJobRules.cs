using System.Text;

namespace DataHub.Pipelines;

/// <summary>What is kept of the events of an agency's own tools. Pure.</summary>
internal static class ForeignJobRules
{
    /// <summary>Takes events; the runs that were told of last are kept, within the limits of <see cref="ForeignJobs"/>.</summary>
    /// <param name="keepFrom">Runs whose last event is older are dropped.</param>
    /// <returns>And how many were new.</returns>
    public static (ForeignJobState State, int New) Tell(ForeignJobState state, ForeignJob job, ForeignEvent[] events, DateTimeOffset keepFrom)
    {
        var runs = state.Runs.ToDictionary(run => run.Run, run => run.Events.ToList());
        var added = 0;
        foreach (var one in events)
        {
            if (!runs.TryGetValue(one.Run, out var known)) runs[one.Run] = known = [];
            if (known.Exists(other => other.Type == one.Type && other.At == one.At && other.Json == one.Json)) continue;
            known.Add(one);
            added++;
        }

        if (added == 0) return (state, 0);
        var bytes = 0;
        ForeignRun[] kept = [.. runs.Select(run => new ForeignRun(run.Key, [.. run.Value.OrderBy(one => one.At).TakeLast(ForeignJobs.EventsOfRun)]))
            .Where(run => run.Events[^1].At >= keepFrom)
            .OrderByDescending(run => run.Events[^1].At).ThenBy(run => run.Run)
            .Take(ForeignJobs.Runs)
            .TakeWhile(run => (bytes += run.Events.Sum(one => Encoding.UTF8.GetByteCount(one.Json))) <= ForeignJobs.JobBytes)];
        return (new(job, kept), added);
    }
}
