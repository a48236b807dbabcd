using System.Diagnostics;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Sharing;

namespace DataHub.Indicators;

/// <summary>Live changes: what became of a selection since a mark, and when to ask again (design §2.7).</summary>
internal sealed partial class IndicatorGrain
{
    /// <summary>How long somebody waits for news before he is told that there are none; well below the time limit of a call.</summary>
    private static readonly TimeSpan s_newsLimit = TimeSpan.FromSeconds(5);

    // Begins somewhere else in every activation: whoever knew another one's number asks anew.
    private long _news = Stopwatch.GetTimestamp();
    private TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _retired;

    public async Task<long> NewsAsync(long known, CancellationToken cancellationToken)
    {
        var limit = Stopwatch.GetTimestamp() + (long)(s_newsLimit.TotalSeconds * Stopwatch.Frequency);
        while (known == _news && !_retired && !cancellationToken.IsCancellationRequested && Stopwatch.GetTimestamp() < limit)
        {
            // A fold that stands still sends no news, and news can be lost: who waits looks after them as who asks does.
            if (_stored.Value.Definition is not null && await KnowInputsAsync()) await LookAfterAsync();
            if (known != _news) break;
            await Task.WhenAny(_heard.Task, Task.Delay(options.Value.Recheck, cancellationToken));
        }

        return _news;
    }

    public async Task<ChangesResult> ChangesAsync(Caller caller, ChangesQuery query)
    {
        if (!await KnowInputsAsync()) return Changes(Unavailable());
        query = query with { Selection = query.Selection with { Within = null } };
        if (query.Since.Length > ChangesQuery.MaxMarks) throw new ArgumentException($"{query.Since.Length} marks; at most {ChangesQuery.MaxMarks}", nameof(query));

        var deadline = Stopwatch.GetTimestamp() + (long)(read.Value.MaxWait.TotalSeconds * Stopwatch.Frequency);
        try
        {
            _incarnation ??= await log.IncarnationAsync(CancellationToken.None);
            await LookAfterAsync();
            for (var attempt = 0; ; attempt++)
            {
                // Asked in every turn that answers: a right that was taken away meanwhile is gone.
                if (!await KnowInputsAsync()) return Changes(Unavailable());
                var (through, meanwhile) = await EnterAsync(caller);
                if (meanwhile is not null) return new(meanwhile.Refusal, null, meanwhile.Detail);
                if (through is not null && FetchRhythm.StreamFault(through.Agreement) is { } polled) return Changes(Refused(ReadRefusal.Forbidden, polled));
                var (selection, fault) = Narrowed(through, _stored.Value.Definition!, query.Selection);
                if (fault is not null) return Changes(fault);
                var result = await TryChangesAsync(query with { Selection = Plain(selection) }, Ledger());
                if (result?.Page is { } page) await ReleaseAsync(page.Version);
                if (result is not null && (result.Refusal != ReadRefusal.NotYet || Stopwatch.GetTimestamp() >= deadline))
                {
                    var (still, now) = await EnterAsync(caller);
                    if (now is not null) return new(now.Refusal, null, now.Detail);
                    if (still?.Key == through?.Key) return result is { Page: { } told } ? result with { Page = told with { Through = through?.Key } } : result;
                    result = null;
                }

                if (result is null && attempt >= MaxAttempts) return Changes(Unavailable());
                if (result is not null) await Task.Delay(s_again);
            }
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return Changes(Unavailable());
        }
    }

    /// <summary>One reading of the cells that the changes need; other turns go on meanwhile, as with values.</summary>
    /// <returns>Null where it must be tried again.</returns>
    private async Task<ChangesResult?> TryChangesAsync(ChangesQuery query, AnswerLedger ledger)
    {
        var (definition, source, selection) = (_stored.Value.Definition!, Source, query.Selection);
        if (!query.Full && query.Since.Length == 1 && query.KnownVersion == ledger.Version && ledger.IsValid(time.GetUtcNow()) && !IsOver(query.Until, time.GetUtcNow())) return Changes(ChangesKind.Same, ledger, [], [], 0);
        if (definition.Inputs is not null) return await TryFormulaChangesAsync(query, ledger);
        if (await AreasAsync(definition.Spec, source, selection) is { } noAreas) return Changes(noAreas);
        var (target, fault) = CellRollUp.Aim(definition.Spec, _areas, selection);
        if (fault is not null) return Changes(Refused(ReadRefusal.Invalid, fault));

        var asked = time.GetUtcNow();
        var range = ReadRange.Of(definition.Spec, selection with { After = null }, asked);
        var tooMuch = false;
        var windows = Array.Empty<long>();
        ChangePlan plan;
        CellSet[] sets;
        while (true)
        {
            plan = ChangeRules.Plan(query, definition, source, _incarnation!.Value, ledger.Current, tooMuch);
            sets = await ReadChangesAsync(definition, source, range, plan, windows);
            if (Array.Exists(sets, set => set.Refusal == ReadRefusal.TooMany) && plan.Floors is not null)
            {
                tooMuch = true;
                continue;
            }

            if (Array.Exists(sets, set => set.Refusal is not ReadRefusal.None) || plan.IsFull) break;
            if (ChangeRules.Missing(windows, Array.ConvertAll(sets, set => set.Touched), definition.Spec) is not { } wanted) break;
            windows = wanted;
        }

        if (definition != _stored.Value.Definition || source != Source) return null;
        if (Array.Find(sets, set => set.Refusal is not ReadRefusal.None and not ReadRefusal.NotFound) is { } refused)
        {
            return refused.Refusal switch
            {
                ReadRefusal.NotYet => Changes(NotYet()),
                ReadRefusal.TooMany => Changes(TooMany()),
                _ => await StaleChangesAsync(ledger),
            };
        }

        if (Array.Exists(sets, set => !set.Joined)) return Changes(Building(definition, sets));
        if (sets.Sum(set => (long)set.Cells.Length) > read.Value.MaxCells) return Changes(TooMany());
        var sequences = Array.ConvertAll(sets, set => set.Sequence);
        var now = time.GetUtcNow();
        var fit = ledger.Fit(sequences);
        if (fit == ReadFit.Older) return null;

        // What the caller was told in this version ends as much as what others were told.
        if (fit == ReadFit.Newer || !ledger.IsValid(now) || (query.KnownVersion == ledger.Version && IsOver(query.Until, now)))
        {
            if (!await HasVersionAsync()) return null;
            ledger.Begin(++_lastVersion, sequences, sets.Max(set => set.ReceivedAt));
        }

        var touched = CellRollUp.Touched(_areas, target!, Array.ConvertAll(sets, set => set.Touched), plan.Marks);
        var affected = CellRollUp.WithNext(definition.Spec, touched);
        var rolled = CellRollUp.Make(
            Shown(definition, selection), _areas, target!, plan.IsFull ? selection : selection with { Latest = false, Limit = int.MaxValue },
            sets.Select(set => set.Cells), sets.Select(set => set.Opening), plan.IsFull ? asked : now, plan.IsFull ? null : affected);
        if (rolled.Next is not null)
        {
            return Changes(Refused(ReadRefusal.TooMany, new(
                $"Die Auswahl hat mehr als {selection.Limit} Werte; Zeitraum oder Gebiet einschränken.", $"The selection has more than {selection.Limit} values; narrow the time range or the area.")));
        }

        ledger.Holds(rolled.ValidUntil);
        if (!plan.IsFull && !IsOver(query.Until, now)) ledger.Holds(query.Until);
        return Changes(plan.IsFull ? ChangesKind.Full : ChangesKind.Part, ledger, rolled.Rows, CellRollUp.Tell(definition.Spec, Told(touched, affected, rolled.Rows, selection)), plan.TooOld);
    }

    /// <summary>What was touched in the selection; of the windows after only what has a row, since one that lost it was touched itself.</summary>
    private static IEnumerable<KeyValuePair<CellRollUp.Place, uint>> Told(
        Dictionary<CellRollUp.Place, uint> touched, Dictionary<CellRollUp.Place, uint> affected, IndicatorValue[] rows, ValuesQuery selection)
    {
        var (from, to) = (selection.From?.UtcTicks ?? long.MinValue, selection.To?.UtcTicks ?? long.MaxValue);
        var present = touched.Count == affected.Count ? [] : rows.Select(row => (row.From.UtcTicks, row.Area ?? "")).ToHashSet();
        return affected.Where(place =>
            place.Key.Window >= from && place.Key.Window < to && (touched.ContainsKey(place.Key) || present.Contains((place.Key.Window, place.Key.Area))));
    }

    private Task<CellSet[]> ReadChangesAsync(IndicatorDefinition definition, IndicatorSource source, ReadRange range, ChangePlan plan, long[] windows) =>
        ReadAsync(source, number => new CellQuery(definition.Indicator, definition.Version, range.From, range.To, plan.AtLeast[number], read.Value.MaxCells)
        {
            Latest = range.Latest,
            Back = range.Back,
            Opening = range.Opening,
            TouchedSince = plan.Floors?[number],
            Windows = plan.IsFull ? null : windows,
        });

    /// <summary>The folds do not answer: whoever has seen something is told that it may be out of date.</summary>
    private async Task<ChangesResult?> StaleChangesAsync(AnswerLedger ledger)
    {
        _foldsFailed = Stopwatch.GetTimestamp();
        if (ledger.Version == 0) return Changes(Unavailable());
        if (!ledger.IsStale)
        {
            if (!await HasVersionAsync()) return null;
            ledger.BeginStale(++_lastVersion);
            LogStale(Id, ledger.Version);
        }

        return Changes(ChangesKind.Stale, ledger, [], [], 0);
    }

    private ChangesResult Changes(ChangesKind kind, AnswerLedger ledger, IndicatorValue[] rows, TouchedPlace[] touched, uint tooOld)
    {
        var definition = _stored.Value.Definition!;
        var mark = new ChangeMark(definition.Version, Source.AreaVersion, new Watermark(_incarnation!.Value, definition.Spec.Dataset, ledger.Base), time.GetUtcNow());
        return new(ReadRefusal.None, new(kind, Info()!, mark, ledger.Version, Text(ref _baseText, ledger.Base), ledger.AsOf, rows, touched, tooOld), null);
    }

    private static bool IsOver(DateTimeOffset? until, DateTimeOffset now) => until is { } end && end <= now;

    private static ChangesResult Changes(ValuesResult refusal) => new(refusal.Refusal, null, refusal.Detail);

    /// <summary>Something may have changed: all who wait are told.</summary>
    private void Signal()
    {
        _news++;
        var heard = _heard;
        _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        heard.TrySetResult();
    }

    /// <summary>Ends the activation; those who wait for news would keep it.</summary>
    private void Retire()
    {
        _retired = true;
        Signal();
        DeactivateOnIdle();
    }
}
