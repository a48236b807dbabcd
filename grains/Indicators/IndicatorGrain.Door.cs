using System.Diagnostics;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Sharing;

namespace DataHub.Indicators;

/// <summary>
/// Values that are not open, read through a sharing agreement: which one lets somebody in, what it gives of what he asks, and
/// that it is counted before it is given.
/// </summary>
internal sealed partial class IndicatorGrain
{
    /// <summary>How often a question is answered anew because the agreement became another meanwhile.</summary>
    private const int MaxRuns = 3;

    private const int MaxFaults = 1_000, MaxPassages = 10_000;

    private readonly Dictionary<(string Agreement, int Version, int Definition, int Contract), LocalText?> _faults = [];
    private readonly Dictionary<Caller, (Passage? Through, LocalText? Missing)> _passages = [];
    private readonly Dictionary<Caller, AllowanceKey> _byRight = [];
    private DecidedBy? _decidedBy;
    private AgreementsInForce? _inForce;
    private Allowances? _allowances;
    private (CompiledContract Contract, long Asked)? _contract;

    private AgreementsInForce InForce => _inForce ??= new(GrainFactory, Source.Dataset ?? _stored.Value.Definition!.Spec.Dataset, time, logger);

    private Allowances Allowance => _allowances ??= new(GrainFactory, this, time, logger);

    public async Task<Admission> AdmitAsync(Caller caller, int values)
    {
        try
        {
            for (var run = 0; run < MaxRuns; run++)
            {
                var asked = Stopwatch.GetTimestamp();
                if (!await KnowInputsAsync()) return Admitted(Unavailable());
                var (through, refusal) = await EnterAsync(caller);
                if (refusal is not null) return Admitted(refusal);
                if (through is not null && FetchRhythm.StreamFault(through.Agreement) is { } polled) return new(ReadRefusal.Forbidden, polled, null);
                if (values > 0 && await (through is null ? CountAsync(caller, UsageOperations.Changes, values, null) : Allowance.TakeAsync(through.Allowance, UsageOperations.Changes, values, null)) is { } left)
                    return new(ReadRefusal.Forbidden, DoorRules.UsedUp(through!.Agreement, left, values), null);

                // They are admitted by what holds now, however long it took to count.
                if (Stopwatch.GetElapsedTime(asked) < AgreementsInForce.Holds) return new(ReadRefusal.None, null, through?.Key);
                values = 0;
            }

            return Admitted(Unavailable());
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return Admitted(Unavailable());
        }

        static Admission Admitted(ValuesResult refusal) => new(refusal.Refusal, refusal.Detail, null);
    }

    /// <summary>Whether an agreement may let somebody in who has no right.</summary>
    private bool IsDoorFor(Caller caller, ReadRefusal denial) =>
        denial == ReadRefusal.Forbidden && !caller.IsPublic && Source.State == ReleaseState.Available;

    /// <summary>By right (neither), through an agreement, or not.</summary>
    private async ValueTask<(Passage? Through, ValuesResult? Refusal)> EnterAsync(Caller caller)
    {
        var denial = Denial(caller);
        if (denial == ReadRefusal.None) return (null, null);
        if (!IsDoorFor(caller, denial)) return (null, Denied(denial));

        // What decides has been asked lately, or nobody is let in.
        if (SourceAge() >= 4 * SourceHolds) return (null, Unavailable());
        var inForce = await InForce.GetAsync();
        var contract = await ContractAsync();
        var decidedBy = _decidedBy;
        if (decidedBy is null || decidedBy.InForce != inForce || decidedBy.Contract != contract || !ReferenceEquals(decidedBy.Definition, _stored.Value.Definition) || !ReferenceEquals(decidedBy.Source, Source) || _passages.Count >= MaxPassages)
        {
            _passages.Clear();
            _decidedBy = decidedBy = new(inForce, contract, _stored.Value.Definition!, Source);
        }

        // For the same caller, purpose and address it is decided once while nothing that decides has become another.
        if (_passages.TryGetValue(caller, out var known)) return known.Through is null ? (null, known.Missing is null ? Denied(denial) : Refused(ReadRefusal.Forbidden, known.Missing)) : (known.Through, null);
        var (_, _, definition, source) = decidedBy;
        var (agreement, missing) = DoorRules.Through(caller, source.Holding(AccessClass.Internal), inForce.With(caller), one => Fault(one, definition, contract));
        if (agreement is null && inForce.IsPartial)
        {
            // One that cannot say may be his.
            return (null, Unavailable());
        }

        if (agreement is null)
        {
            _passages[caller] = (null, missing);
            return (null, missing is null ? Denied(denial) : Refused(ReadRefusal.Forbidden, missing));
        }

        var areas = source.AreaSystem is { } system && definition.Spec.ByArea && agreement.Terms.Data is not { Areas: null, FinestLevel: null } ? await TreeAsync(system, source.AreaVersion) : null;
        var through = new Passage(agreement, contract, areas, new(agreement, caller));
        if (ReferenceEquals(decidedBy, _decidedBy)) _passages[caller] = (through, null);
        return (through, null);
    }

    /// <summary>Counts what is given by right and is not open, before it is given.</summary>
    private ValueTask<long?> CountAsync(Caller caller, string operation, long values, string? watermark)
    {
        if (caller.IsPublic || caller == Caller.Hub || Denial(Caller.Public) == ReadRefusal.None) return new((long?)null);
        if (!_byRight.TryGetValue(caller, out var key))
        {
            var holding = Source.Holding(AccessClass.Internal);
            if (_byRight.Count >= MaxPassages) _byRight.Clear();
            _byRight[caller] = key = new(AccessRules.Decide(caller, AccessRights.ReadRows, holding), holding with { Dataset = holding.Dataset ?? _stored.Value.Definition!.Spec.Dataset }, Id, caller);
        }

        return Allowance.TakeAsync(key, operation, values, watermark);
    }

    /// <summary>An answer by right, counted where it is not open.</summary>
    private async Task<T> CountedAsync<T>(Caller caller, string operation, T result, (long Values, string? Watermark)? given, Func<ValuesResult, T> refused)
    {
        if (given is not var (values, watermark)) return result;
        try
        {
            var asked = Stopwatch.GetTimestamp();
            await CountAsync(caller, operation, values, watermark);

            // A right may have been taken away while it was counted.
            return Stopwatch.GetElapsedTime(asked) >= AgreementsInForce.Holds && Denial(caller) is not ReadRefusal.None and var denial ? refused(Denied(denial)) : result;
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return refused(Unavailable());
        }
    }

    private LocalText? Fault(AgreementInForce agreement, IndicatorDefinition definition, CompiledContract contract)
    {
        var key = (agreement.Id, agreement.Version, definition.Version, contract.Version);
        if (_faults.TryGetValue(key, out var known)) return known;
        if (_faults.Count >= MaxFaults) _faults.Clear();
        return _faults[key] = DoorRules.ValuesFault(agreement, definition, contract);
    }

    /// <summary>The dataset's present contract.</summary>
    private async ValueTask<CompiledContract> ContractAsync()
    {
        if (_contract is { } known && time.GetElapsedTime(known.Asked) < AgreementsInForce.Holds) return known.Contract;
        var asked = time.GetTimestamp();
        var id = _stored.Value.Definition!.Spec.Dataset;
        var dataset = await GrainFactory.GetGrain<IDatasetGrain>(id).GetAsync(Caller.Hub) ?? throw new InvalidOperationException($"dataset {id} does not exist");
        var contract = await contracts.GetAsync(id, dataset.ContractVersion);
        _contract = (contract, asked);
        return contract;
    }

    /// <summary>Answers through an agreement: narrowed to what it gives, counted, and given only if it still holds.</summary>
    /// <param name="begins">It goes on from no earlier page: where a rhythm is agreed a fetch begins.</param>
    /// <param name="answer">Null where it must be answered anew.</param>
    /// <param name="given">How many values an answer gives, and as of when; null: none.</param>
    /// <param name="noted">The answer with the fetch that began with it, where somebody asks for that.</param>
    private async Task<T> ThroughAsync<T>(
        Caller caller, string operation, bool begins, Func<Passage, Task<T?>> answer, Func<ValuesResult, T> refused, Func<T, (long Values, string? Watermark)?> given, Func<T, BegunFetch, T>? noted = null)
        where T : class
    {
        BegunFetch? begun = null;
        try
        {
            for (var run = 0; run < MaxRuns; run++)
            {
                var asked = Stopwatch.GetTimestamp();
                var (through, refusal) = await EnterAsync(caller);
                if (refusal is not null) return refused(refusal);

                // Meanwhile it may have become his by right: then he asks again.
                if (through is null) break;
                if (await answer(through) is not { } answered) continue;
                if (given(answered) is not var (values, watermark)) return answered;
                if (begins && through.Agreement.Terms.Delivery.Rhythm is not null && begun?.Agreement != through.Agreement.Id)
                {
                    if (begun is not null) await FetchRhythm.GiveBackAsync(GrainFactory, begun, logger);
                    (begun, var tooOften, var wait) = await FetchRhythm.BeginAsync(GrainFactory, through.Agreement, caller, operation, $"indicator:{Id}", logger);
                    if (tooOften is not null) return refused(Refused(ReadRefusal.TooOften, tooOften) with { RetryAfter = wait });
                }

                if (await Allowance.TakeAsync(through.Allowance, operation, values, watermark) is { } left)
                    return refused(Refused(ReadRefusal.Forbidden, DoorRules.UsedUp(through.Agreement, left, values)));
                if (Stopwatch.GetElapsedTime(asked) >= AgreementsInForce.Holds)
                {
                    // It is given by what holds now, however long it took to find and to note.
                    (var still, refusal) = await EnterAsync(caller);
                    if (refusal is not null) return refused(refusal);
                    if (still?.Key != through.Key) continue;
                }

                if (begun is not null && noted is not null) answered = noted(answered, begun);
                begun = null;
                return answered;
            }

            return refused(Unavailable());
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return refused(Unavailable());
        }
        finally
        {
            // Nothing was given.
            if (begun is not null) await FetchRhythm.GiveBackAsync(GrainFactory, begun, logger);
        }
    }

    private static (long Values, string? Watermark)? Given(ValuesResult result, ValuesQuery query) =>
        result.Page is { } page ? (page.NotModified ? query.KnownRows : page.Rows.Length, page.Current) : null;

    /// <returns>Null where another definition answers by now.</returns>
    private async Task<ValuesResult?> AnswerThroughAsync(Passage through, ValuesQuery query, long deadline)
    {
        var definition = _stored.Value.Definition!;
        if (Fault(through.Agreement, definition, through.Contract) is not null) return null;
        var (narrowed, refusal) = Narrowed(through, definition, query with { AtLeast = null, KnownVersion = null, KnownThrough = null, KnownRows = 0 });
        if (refusal is not null) return refusal;

        // What the front-end has at hand may have come through another agreement.
        var knows = query.KnownVersion is not null && query.KnownThrough == through.Key;
        if (knows || query.AtLeast is not null) narrowed = narrowed with { AtLeast = query.AtLeast, KnownVersion = knows ? query.KnownVersion : null };
        var answer = await AnswerAsync(narrowed, deadline);
        if (answer.Page is not { } page) return answer;
        if (page.Indicator.Definition.Version != definition.Version) return null;
        return _ledger is { IsStale: true } ? Unavailable() : answer with { Page = page with { Through = through.Key } };
    }

    /// <summary>What is asked of what an agreement gives; all of it where it is read by right.</summary>
    private (ValuesQuery Query, ValuesResult? Refusal) Narrowed(Passage? through, IndicatorDefinition definition, ValuesQuery query)
    {
        query = query with { Within = null };
        if (through is null) return (query, null);
        if (through.Known(definition, query) is { } known) return (known, null);
        if (Fault(through.Agreement, definition, through.Contract) is { } wrong) return (query, Refused(ReadRefusal.Forbidden, wrong));
        if (through.Agreement.Terms.Data.SmallestGroup > 1 && (query.AsOf is not null || query.Definition is not null)) return (query, NoPast(through.Agreement));
        var (narrowed, fault) = DoorRules.Narrow(through.Agreement, definition, through.Contract, Timed(query, definition.Spec), through.Areas);
        if (narrowed is null) return (query, Refused(ReadRefusal.Forbidden, fault!));
        through.Know(definition, query, narrowed);
        return (narrowed, null);
    }

    /// <summary>The cell of a question as an agreement gives it: all of it, or nothing.</summary>
    /// <returns>The cell; or why not, and which parameter says so.</returns>
    private (ValuesQuery? Cell, ValuesResult? Refusal, string? Parameter) Narrowed(Passage through, IndicatorDefinition definition, ValuesQuery cell, long window)
    {
        var (from, id, data) = (Instant(window), through.Agreement.Id, through.Agreement.Terms.Data);
        if (definition.Spec.ByArea && cell.Area is null && !cell.Whole) return No("area", new("area fehlt: das Gebiet der Zahl.", "area is missing: the area of the number."));
        var (narrowed, refusal) = Narrowed(through, definition, cell with { From = from, To = from.AddTicks(1), FromDay = null, ToDay = null });
        if (refusal is not null) return (null, refusal, null);
        if (narrowed.From != from || narrowed.To != from.AddTicks(1)) return No("from", new($"Die Vereinbarung „{id}“ gibt dieses Fenster nicht.", $"The agreement “{id}” does not give this window."));
        if (data.Areas is { } areas && cell.Area is { } area && !areas.Any(given => through.Areas?.WithDescendants(given).Contains(area) is true))
            return No("area", new($"Die Vereinbarung „{id}“ gibt das Gebiet „{area}“ nicht.", $"The agreement “{id}” does not give the area “{area}”."));
        return (cell with { Level = narrowed.Level, Within = narrowed.Within }, null, null);

        (ValuesQuery?, ValuesResult?, string?) No(string parameter, LocalText why) => (null, Refused(ReadRefusal.Forbidden, why), parameter);
    }

    /// <summary>A definition as it is shown: an agreement's smallest group suppresses too.</summary>
    private static IndicatorDefinition Shown(IndicatorDefinition definition, ValuesQuery query)
    {
        if (query.Within is not { SmallestGroup: > 0 and var smallest }) return definition;
        return Stricter(definition) with { Inputs = definition.Inputs is { } inputs ? Array.ConvertAll(inputs, Stricter) : null };

        IndicatorDefinition Stricter(IndicatorDefinition one) => one.Spec.MinimumCount >= smallest ? one : one with { Spec = one.Spec with { MinimumCount = smallest } };
    }

    private static ValuesResult NoDiff(AgreementInForce agreement) => Refused(ReadRefusal.Forbidden, new(
        $"Die Vereinbarung „{agreement.Id}“ nennt eine kleinste Gruppe; was sich zwischen zwei Ständen änderte, verriete einzelne Zeilen.",
        $"The agreement “{agreement.Id}” names a smallest group; what changed between two moments would tell single rows."));

    /// <summary>What passages were decided by.</summary>
    private sealed record DecidedBy(AgreementSet InForce, CompiledContract Contract, IndicatorDefinition Definition, IndicatorSource Source);

    /// <summary>Past states one after the other tell what single rows changed, as differences do.</summary>
    private static ValuesResult NoPast(AgreementInForce agreement) => Refused(ReadRefusal.Forbidden, new(
        $"Die Vereinbarung „{agreement.Id}“ nennt eine kleinste Gruppe; vergangene Stände nebeneinander verrieten einzelne Zeilen (asOf, definition).",
        $"The agreement “{agreement.Id}” names a smallest group; past states side by side would tell single rows (asOf, definition)."));

    /// <summary>An agreement through which requests of one caller go, with what it decides by.</summary>
    /// <param name="Contract">The dataset's.</param>
    /// <param name="Areas">Where the agreement names areas or a level.</param>
    private sealed record Passage(AgreementInForce Agreement, CompiledContract Contract, AreaTree? Areas, AllowanceKey Allowance)
    {
        private (IndicatorDefinition Definition, ValuesQuery Asked, ValuesQuery Narrowed)? _last;

        public string Key { get; } = $"{Agreement.Id}@{Agreement.Version}";

        /// <summary>As it stands in records.</summary>
        public string Reference => $"{Agreement.Id} v{Agreement.Version}";

        /// <summary>What was narrowed last, if this is the same: polls ask the same again and again.</summary>
        public ValuesQuery? Known(IndicatorDefinition definition, ValuesQuery asked) => _last is { } last && ReferenceEquals(last.Definition, definition) && last.Asked == asked ? last.Narrowed : null;

        public void Know(IndicatorDefinition definition, ValuesQuery asked, ValuesQuery narrowed) => _last = (definition, asked, narrowed);
    }
}
