using System.Diagnostics;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Sharing;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using Orleans.Concurrency;

namespace DataHub.Indicators;

/// <summary>
/// Asks the indicators themselves first: mostly what they have at hand holds at a common watermark. Where rows stream in
/// faster than that, it reads the cells of all in one turn of each fold and lets each indicator make its answer of them.
/// </summary>
[GrainType("datahub.dataset-values"), StatelessWorker, Reentrant]
internal sealed partial class DatasetValuesGrain(IOptions<ReadOptions> read, ILogger<DatasetValuesGrain> logger) : Grain, IDatasetValuesGrain
{
    /// <summary>Readings that indicators were already beyond, before the caller gets 503.</summary>
    private const int MaxAttempts = 50;

    private static readonly TimeSpan s_readLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(20);

    public async Task<DatasetValuesResult> ValuesAsync(Caller caller, string[] indicators, ValuesQuery query)
    {
        query = query with { KnownVersion = null, KnownThrough = null };
        try
        {
            var own = await AllAsync(indicators, indicator => indicator.ValuesAsync(caller, query));
            if (Array.FindIndex(own, result => result.Page is null) is >= 0 and var refused)
                return await NotGivenAsync(own, Refused(indicators[refused], own[refused].Refusal, own[refused].Detail) with { RetryAfter = own[refused].RetryAfter });
            var pages = Array.ConvertAll(own, result => result.Page!);

            // A moment that is named is the same for all.
            if (query.AsOf is not null) return new(ReadRefusal.None, null, null, pages);
            return SameMoment.Of(pages) is { } same ? new(ReadRefusal.None, null, null, same) : await TogetherAsync(caller, indicators, query, own);
        }
        catch (Exception e)
        {
            LogUnreadable(e, this.GetPrimaryKeyString());
            return Refused(indicators[0], ReadRefusal.Unavailable, null);
        }
    }

    /// <param name="own">As the indicators have answered by themselves: fetches began with that.</param>
    private async Task<DatasetValuesResult> TogetherAsync(Caller caller, string[] indicators, ValuesQuery query, ValuesResult[] own)
    {
        if (!Array.Exists(own, result => result.Page!.Begun is not null)) return await TogetherAsync(caller, indicators, _ => query);

        var result = await TogetherAsync(caller, indicators, number => query with { KnownThrough = own[number].Page!.Through });
        return result.Refusal != ReadRefusal.None ? await NotGivenAsync(own, result) : result with { Pages = [.. result.Pages.Zip(own, (page, one) => page with { Begun = one.Page!.Begun })] };
    }

    /// <summary>Where one indicator is refused nothing of the others is given.</summary>
    private async Task<DatasetValuesResult> NotGivenAsync(ValuesResult[] own, DatasetValuesResult refused)
    {
        foreach (var result in own)
        {
            if (result.Page?.Begun is { } begun) await FetchRhythm.GiveBackAsync(GrainFactory, begun, logger);
        }

        return refused;
    }

    private async Task<DatasetValuesResult> TogetherAsync(Caller caller, string[] indicators, Func<int, ValuesQuery> query)
    {
        var deadline = Stopwatch.GetTimestamp() + (long)(read.Value.MaxWait.TotalSeconds * Stopwatch.Frequency);
        var plans = await AllAsync(indicators, (indicator, number) => indicator.PlanAsync(caller, query(number)));
        for (var attempt = 0; attempt < MaxAttempts && Stopwatch.GetTimestamp() < deadline; attempt++)
        {
            if (Array.FindIndex(plans, plan => plan.Refusal != ReadRefusal.None) is >= 0 and var refused) return Refused(indicators[refused], plans[refused].Refusal, plans[refused].Detail);

            var sets = await ReadAsync(plans);
            var answers = await AllAsync(indicators, (indicator, number) => indicator.AnswerAsync(caller, query(number), plans[number], sets[number]));
            var results = Array.ConvertAll(answers, answer => answer.Result);
            if (Array.FindIndex(results, result => result is { Page: null }) is >= 0 and var without)
            {
                if (results[without]!.Refusal != ReadRefusal.NotYet) return Refused(indicators[without], results[without]!.Refusal, results[without]!.Detail);
                await Task.Delay(s_again);
            }
            else if (Array.TrueForAll(results, result => result is not null) && SameMoment.Of(Array.ConvertAll(results, result => result!.Page!)) is { } same)
            {
                return new(ReadRefusal.None, null, null, same);
            }

            // Who was beyond this reading says what he needs; the others' plans still hold, and say up to where all must be read.
            plans = [.. answers.Zip(plans, (answer, plan) => answer.Again ?? plan)];
        }

        return Refused(indicators[0], ReadRefusal.NotYet, new(
            "Die Indikatoren haben keinen gemeinsamen Stand erreicht.", "The indicators have not reached a common watermark."));
    }

    /// <summary>Per plan and partition the cells, all of a partition read in one turn.</summary>
    private async Task<CellSet[][][]> ReadAsync(CellPlan[] plans)
    {
        var partitions = await Task.WhenAll(plans[0].Partitions.Select(async (partition, number) =>
        {
            var queries = plans.SelectMany(plan => plan.Queries[number]).ToArray();
            try
            {
                return await GrainFactory.GetGrain<IAggregationGrain>(partition).ReadManyAsync(queries).WaitAsync(s_readLimit);
            }
            catch (Exception e)
            {
                LogFoldUnreachable(e, partition);
                return Array.ConvertAll(queries, _ => new CellSet(ReadRefusal.Unavailable, 0, default, false, [], null));
            }
        }));

        var sets = new CellSet[plans.Length][][];
        var begin = 0;
        for (var i = 0; i < plans.Length; i++)
        {
            var count = plans[i].Queries[0].Length;
            var (from, to) = (begin, begin + count);
            sets[i] = Array.ConvertAll(partitions, partition => partition[from..to]);
            begin = to;
        }

        return sets;
    }

    private Task<T[]> AllAsync<T>(string[] indicators, Func<IIndicatorGrain, Task<T>> ask) => AllAsync(indicators, (indicator, _) => ask(indicator));

    private Task<T[]> AllAsync<T>(string[] indicators, Func<IIndicatorGrain, int, Task<T>> ask) =>
        Task.WhenAll(indicators.Select((id, number) => ask(GrainFactory.GetGrain<IIndicatorGrain>(id), number)));

    private static DatasetValuesResult Refused(string indicator, ReadRefusal refusal, LocalText? detail) => new(refusal, indicator, detail, []);

    [LoggerMessage(1320, LogLevel.Error, "Several indicators of {Dataset} could not be read together")]
    private partial void LogUnreadable(Exception exception, string dataset);

    [LoggerMessage(1321, LogLevel.Warning, "The fold {Partition} did not answer several indicators together")]
    private partial void LogFoldUnreachable(Exception exception, string partition);
}
