using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Sharing;

namespace DataHub.Indicators;

/// <summary>Reads of cells in steps, so that those of several indicators can be made together.</summary>
internal sealed partial class IndicatorGrain
{
    public async Task<CellPlan> PlanAsync(Caller caller, ValuesQuery query)
    {
        if (!await KnowInputsAsync()) return NoPlan(Unavailable());
        try
        {
            var (through, refused) = await EnterAsync(caller);
            if (refused is not null) return NoPlan(refused);
            _incarnation ??= await log.IncarnationAsync(CancellationToken.None);
            (query, var fault) = Narrowed(through, _stored.Value.Definition!, query);
            if (fault is not null) return NoPlan(fault);
            var (reading, refusal) = await BeginAsync(Plain(query));
            return reading is null ? NoPlan(refusal!) : PlanOf(reading, query.AtLeast);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return NoPlan(Unavailable());
        }
    }

    public async Task<PlannedAnswer> AnswerAsync(Caller caller, ValuesQuery query, CellPlan plan, CellSet[][] sets)
    {
        if (!await KnowInputsAsync()) return new(Unavailable(), null);
        var before = query.KnownThrough;
        query = query with { Within = null, KnownThrough = null };
        var (given, again) = ((ValuesResult?)null, (CellPlan?)null);
        var denial = Denial(caller);
        if (denial == ReadRefusal.None)
        {
            var answer = await AnswerPlanAsync(null, query, plan, sets);
            return caller.IsPublic || answer.Result is not { } result ? answer
                : await CountedAsync(caller, query.Latest ? UsageOperations.Latest : UsageOperations.Values, answer, Given(result, query), refusal => new(refusal, null));
        }

        if (!IsDoorFor(caller, denial)) return new(Denied(denial), null);
        given = await ThroughAsync(
            caller, query.Latest ? UsageOperations.Latest : UsageOperations.Values, begins: false,
            async passage =>
            {
                // The fetch began when the same was answered before; where that was through another agreement it is asked anew.
                if (passage.Agreement.Terms.Delivery.Rhythm is not null && passage.Key != before) return Unavailable();
                var answer = await AnswerPlanAsync(passage, query, plan, sets);
                again = answer.Again;
                return answer.Result is { Page: { } page } result ? result with { Page = page with { Through = passage.Key } } : answer.Result ?? Refused(ReadRefusal.NotYet, new("", ""));
            },
            refusal => refusal,
            result => Given(result, query));
        return again is null ? new(given, null) : new(null, again);
    }

    private async Task<PlannedAnswer> AnswerPlanAsync(Passage? through, ValuesQuery query, CellPlan plan, CellSet[][] sets)
    {
        try
        {
            (query, var fault) = Narrowed(through, _stored.Value.Definition!, query);
            if (fault is not null) return new(fault, null);
            var plain = Plain(query);
            var ledger = Ledger();
            var (reading, refusal) = await BeginAsync(plain);
            if (reading is null) return new(refusal, null);
            if (reading.Definition.Version != plan.Definition || !reading.Source.Partitions.AsSpan().SequenceEqual(plan.Partitions)) return new(null, PlanOf(reading, query.AtLeast));

            var (loaded, windows) = await FinishAsync(reading with { At = plan.At, Windows = plan.Windows }, sets, ledger);
            if (windows is not null) return new(null, PlanOf(reading with { Windows = windows }, query.AtLeast));
            if (loaded is not { } done || (done.Page is not null && (done.Version != ledger.Version || done.Definition != _stored.Value.Definition))) return new(null, PlanOf(reading with { Windows = plan.Windows }, query.AtLeast));
            return new(done.Refusal ?? await GiveAsync(Page(ledger, done.Page!)), null);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return new(Unavailable(), null);
        }
    }

    private CellPlan PlanOf(Reading reading, Watermark? atLeast) => new(ReadRefusal.None, null, reading.Definition.Version, reading.Source.Partitions, reading.At, reading.Windows, Queries(reading, atLeast?.Sequences, Ledger().Current));

    private static CellPlan NoPlan(ValuesResult refusal) => new(refusal.Refusal, refusal.Detail, 0, [], default, [], []);

    /// <summary>What a read of a query is about, or why it cannot be made.</summary>
    private async Task<(Reading? Reading, ValuesResult? Refusal)> BeginAsync(ValuesQuery query)
    {
        var definition = _stored.Value.Definition!;
        var source = Source;
        if (await AreasAsync(definition.Spec, source, query) is { } noAreas) return (null, noAreas);
        var (target, fault) = CellRollUp.Aim(definition.Spec, _areas, query);

        // Open records are counted up to the window of this instant; a later one would need other cells.
        return fault is not null ? (null, Refused(ReadRefusal.Invalid, fault)) : (new(definition, source, query, target!, _areas, time.GetUtcNow(), []), null);
    }

    private CellQuery[][] Queries(Reading reading, long[]? atLeast, long[] answered) =>
    [
        .. reading.Source.Partitions.Select((_, number) => CellReading.Queries(
            reading.Definition, reading.Query, reading.At, reading.Windows, Math.Max(answered[number], atLeast?[number] ?? 0), read.Value.MaxCells)),
    ];

    private async Task<CellSet[][]> ReadAsync(Reading reading, long[]? atLeast, long[] answered)
    {
        var queries = Queries(reading, atLeast, answered);
        return await Task.WhenAll(reading.Source.Partitions.Select(async (partition, number) =>
        {
            try
            {
                return await GrainFactory.GetGrain<IAggregationGrain>(partition).ReadManyAsync(queries[number]).WaitAsync(s_readLimit);
            }
            catch (Exception e)
            {
                LogFoldUnreachable(e, partition, Id);
                return Array.ConvertAll(queries[number], _ => new CellSet(ReadRefusal.Unavailable, 0, default, false, [], null));
            }
        }));
    }

    /// <summary>What cells that were read come to, in which version.</summary>
    /// <param name="sets">Per partition the answers to its queries.</param>
    /// <param name="renew">Even where nothing is newer it becomes a new version.</param>
    /// <returns>What was loaded, null where it must be tried again; or the windows that must be read too.</returns>
    private async Task<(Loaded? Loaded, long[]? Windows)> FinishAsync(Reading reading, CellSet[][] sets, AnswerLedger ledger, bool renew = false)
    {
        var (definition, source, query) = (reading.Definition, reading.Source, reading.Query);
        var all = sets.SelectMany(partition => partition).ToArray();
        if (definition != _stored.Value.Definition || source != Source) return (null, null);
        if (Array.Find(all, set => set.Refusal is not ReadRefusal.None and not ReadRefusal.NotFound) is { } refused)
        {
            return refused.Refusal switch
            {
                ReadRefusal.NotYet => Refusal(NotYet()),
                ReadRefusal.TooMany => Refusal(TooMany()),
                _ => (await StaleAsync(query, ledger), null),
            };
        }

        if (Array.Exists(all, set => !set.Joined)) return Refusal(Building(definition, all));
        if (all.Sum(set => (long)set.Cells.Length) > read.Value.MaxCells) return Refusal(TooMany());
        var sequences = Array.ConvertAll(sets, partition => partition[0].Sequence);

        var shown = Shown(definition, query);
        var (values, missing) = CellReading.Values(shown, reading.Areas, reading.Target, query, sets, reading.At, reading.Windows);
        if (missing is not null) return (null, missing);
        var now = time.GetUtcNow();
        var fit = ledger.Fit(sequences);
        if (fit == ReadFit.Older) return (null, null);
        if (fit == ReadFit.Newer || renew || !ledger.IsValid(now))
        {
            // Numbers are used only once they are stored; by then the cells may have moved on.
            if (!await HasVersionAsync()) return (null, null);
            ledger.Begin(++_lastVersion, sequences, all.Max(set => set.ReceivedAt));
        }

        var page = CellRollUp.Page(shown.Spec, query, values, reading.At, only: null);
        ledger.Remember(query, page);
        return (new(ledger.Version, page, null) { Definition = definition }, null);

        static (Loaded?, long[]?) Refusal(ValuesResult refusal) => (new(0, null, refusal), null);
    }

    /// <summary>One read of a query.</summary>
    /// <param name="At">Windows that end after this are preliminary.</param>
    /// <param name="Windows">Besides the last ones; see <see cref="CellReading"/>.</param>
    private sealed record Reading(
        IndicatorDefinition Definition, IndicatorSource Source, ValuesQuery Query, RollUpTarget Target, AreaTree? Areas, DateTimeOffset At, long[] Windows);
}
