using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Gathers what <see cref="StalenessRules"/> judges by, of a dataset and of what the jobs that write it read, as the caller may know of it.</summary>
/// <param name="now">As of when.</param>
internal sealed class StalenessFacts(IGrainFactory grains, Caller caller, DateTimeOffset now)
{
    /// <summary>How far inputs of inputs are followed, and datasets in all.</summary>
    public const int MaxLevels = 5, MaxDatasets = 20;

    /// <summary>Greater than every receipt's id.</summary>
    private const string PastTheLast = "~";

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <returns>Null where there is no such dataset or the caller may not see its receipts; the refusal says which. And when a last push changed rows.</returns>
    public async Task<(Staleness? Staleness, FeedStatesResult States, DateTimeOffset? Changed)> JudgeAsync(string dataset, int level = 0)
    {
        _seen.Add(dataset);
        var states = await grains.GetGrain<IDatasetRowsGrain>(dataset).FeedStatesAsync(caller, null);
        if (states.Refusal != ReadRefusal.None || await grains.GetGrain<IDatasetGrain>(dataset).GetAsync(caller) is not { } info) return (null, states, null);
        var feeds = await Task.WhenAll(states.Feeds.Select(feed => OfAsync(dataset, feed)));
        var jobs = new List<JobFacts>();
        foreach (var job in (await grains.GetGrain<IDatasetLineageGrain>(dataset).GetAsync(caller)).Jobs.Where(job => job.Feeds.Length > 0))
        {
            if (await OfAsync(job.Job, dataset, level) is { } facts) jobs.Add(facts);
        }

        return (StalenessRules.Judge(new(dataset, info.State == ReleaseState.Retired, info.Frozen?.Agreement, states.FoldLag, feeds, [.. jobs]), now), states, feeds.Max(feed => feed.Last is { Accepted: > 0 } last ? last.At : (DateTimeOffset?)null));
    }

    private async Task<FeedFacts> OfAsync(string dataset, FeedState feed)
    {
        var found = await grains.GetGrain<IDatasetRowsGrain>(dataset).ReceiptsAsync(caller, new(feed.Feed, "", PastTheLast, 1));
        var last = found is { Refusal: ReadRefusal.None, Receipts: [var parts, ..] } ? parts : null;
        var counts = last?.Aggregate(default(PushCounts), (sum, part) => sum + part.Push.Counts) ?? default;
        return new(
            feed.Feed, feed.Rhythm, feed.Silence, feed.All.LastReceived, feed.SilentFrom,
            last is null ? null : new(last[0].Push.Receipt, last.Max(part => part.ReceivedAt), counts.Received, counts.Quarantined) { Accepted = counts.Accepted });
    }

    /// <returns>Null where the job does not write the dataset any more, or the caller may not know of it.</returns>
    private async Task<JobFacts?> OfAsync(string job, string dataset, int level)
    {
        var grain = grains.GetGrain<IPipelineJobGrain>(job);
        if (await grain.GetAsync(caller, null) is not { } info || !Array.Exists(info.Spec.Steps, step => step.Write?.Dataset == dataset) || await grain.RunsAsync(caller) is not { } entries) return null;
        // A run in another's shadow writes nothing, however it ends.
        var runs = Array.ConvertAll(Array.FindAll(entries, run => run.ShadowOf is null), run => new RunFacts(run.Id, run.State, run.At, run.Ended, null));
        if (Array.FindIndex(runs, run => RunText.IsOver(run.State)) is >= 0 and var last && runs[last].State != RunState.Complete)
            runs[last] = runs[last] with { Cause = (await grains.GetGrain<IPipelineRunGrain>(runs[last].Run).GetAsync(caller))?.Cause };

        var inputs = new List<InputFacts>();
        foreach (var input in info.Spec.Steps.Select(step => step.Read?.Own()).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            // Once each: jobs may go in a circle.
            if (level >= MaxLevels || _seen.Count >= MaxDatasets || _seen.Contains(input)) continue;
            var (own, _, changed) = await JudgeAsync(input, level + 1);
            inputs.Add(new(input, changed, own));
        }

        return new(job, runs, [.. inputs]);
    }
}
