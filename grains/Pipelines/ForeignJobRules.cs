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
        ForeignRun[] kept = [.. runs.Select(run => new ForeignRun(run.Key, Newest([.. run.Value.OrderBy(one => one.At).TakeLast(ForeignJobs.EventsOfRun)])))
            .Where(run => run.Events[^1].At >= keepFrom)
            .OrderByDescending(run => run.Events[^1].At).ThenBy(run => run.Run)
            .Take(ForeignJobs.Runs)
            .TakeWhile(run => (bytes += run.Events.Sum(Bytes)) <= ForeignJobs.JobBytes)];
        return (new(job, kept), added);
    }

    /// <summary>The datasets that events name, each once for a run and a direction, as the newest of them does.</summary>
    public static IEnumerable<(Guid Run, DateTimeOffset At, ForeignDataset Dataset)> Named(ForeignEvent[] events) =>
        events.SelectMany(one => one.Datasets.Select(dataset => (one.Run, one.At, Dataset: dataset)))
            .GroupBy(one => (one.Run, one.Dataset.Dataset, one.Dataset.IsOutput)).Select(same => same.MaxBy(one => one.At));

    /// <summary>As many of a run's newest events as a job may have.</summary>
    private static ForeignEvent[] Newest(ForeignEvent[] events)
    {
        var (first, bytes) = (events.Length, 0);
        while (first > 0 && (bytes += Bytes(events[first - 1])) <= ForeignJobs.JobBytes) first--;
        return events[first..];
    }

    private static int Bytes(ForeignEvent one) => Encoding.UTF8.GetByteCount(one.Json);
}
