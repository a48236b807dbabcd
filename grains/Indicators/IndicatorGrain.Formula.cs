using System.Diagnostics;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>What a formula has to know of its inputs: who may read them, and whether they have become others.</summary>
internal sealed partial class IndicatorGrain
{
    /// <summary>How long it is believed who may read the inputs (design I7).</summary>
    private static readonly TimeSpan s_lease = TimeSpan.FromMilliseconds(500);

    private IndicatorInfo[] _inputs = [];
    private IndicatorDefinition[]? _inputsOf;
    private long _inputsAsked;
    private Task? _asking;

    /// <summary>The dataset's other indicators where a definition has to do with them: a formula, or what formulas may be made of.</summary>
    private async Task<IReadOnlyList<IndicatorInfo>> OthersAsync(IndicatorSpec spec, DatasetInfo? dataset)
    {
        if (dataset is null || (spec.Formula is null && _stored.Value.Definition is null)) return [];
        var infos = await Task.WhenAll(dataset.Indicators.Where(id => id != Id).Select(id => GrainFactory.GetGrain<IIndicatorGrain>(id).GetAsync(Caller.Hub)));
        return [.. infos.OfType<IndicatorInfo>()];
    }

    /// <summary>Makes sure that what is known of the inputs is not older than the lease; at once where it is no formula.</summary>
    /// <returns>False where an input did not answer: then nobody is answered.</returns>
    private async ValueTask<bool> KnowInputsAsync()
    {
        await KnowSourceAsync();
        if (_stored.Value.Definition?.Inputs is not { } inputs)
        {
            if (_inputs.Length > 0) (_inputs, _inputsOf) = ([], null);
            return true;
        }

        for (var attempt = 0; _inputsOf != inputs || Stopwatch.GetElapsedTime(_inputsAsked) >= s_lease; attempt++)
        {
            if (attempt == MaxAttempts) return false;
            try
            {
                await (_asking ??= AskInputsAsync(inputs));
            }
            catch (Exception e)
            {
                LogInputsUnknown(e, Id);
                return false;
            }

            // Meanwhile another version may have come to answer.
            if (_stored.Value.Definition?.Inputs is not { } present) return true;
            inputs = present;
        }

        return true;
    }

    private async Task AskInputsAsync(IndicatorDefinition[] inputs)
    {
        await Task.Yield();
        try
        {
            var begun = Stopwatch.GetTimestamp();
            var infos = await Task.WhenAll(inputs.Select(input => GrainFactory.GetGrain<IIndicatorGrain>(input.Indicator).GetAsync(Caller.Hub))).WaitAsync(s_checkLimit);
            if (Array.Exists(infos, info => info is null)) throw new InvalidOperationException($"an input of {Id} does not exist");
            var known = Array.ConvertAll(infos, info => info!);
            if (_inputsOf == inputs && !known.Select(Versions).SequenceEqual(_inputs.Select(Versions))) Signal();
            (_inputs, _inputsOf, _inputsAsked) = (known, inputs, begun);
            if (FormulaRules.Refreshed(_stored.Value, known) != _stored.Value) SettleSoon();
        }
        finally
        {
            _asking = null;
        }

        static (int, int?) Versions(IndicatorInfo info) => (info.Definition.Version, info.Pending?.Version);
    }

    /// <summary>An input that answers with a new version makes a new version of the formula.</summary>
    private async Task RefreshAsync()
    {
        if ((_stored.Value.Pending ?? _stored.Value.Definition)?.Inputs is not { } inputs) return;
        var infos = await Task.WhenAll(inputs.Select(input => GrainFactory.GetGrain<IIndicatorGrain>(input.Indicator).GetAsync(Caller.Hub)));
        var next = FormulaRules.Refreshed(_stored.Value, [.. infos.OfType<IndicatorInfo>()]);
        if (next == _stored.Value) return;
        await _stored.StoreAsync(next);
        LogRefreshed(Id, next.Pending?.Version ?? next.Definition!.Version);
    }

    /// <summary>Changes of a formula are told in full: a cell of an input can move many of its values.</summary>
    private async Task<ChangesResult?> TryFormulaChangesAsync(ChangesQuery query, AnswerLedger ledger)
    {
        var selection = query.Selection with { After = null, AtLeast = null, KnownVersion = null };
        var (reading, refusal) = await BeginAsync(selection);
        if (reading is null) return Changes(refusal!);
        var plan = ChangeRules.Plan(query, reading.Definition, reading.Source, _incarnation!.Value, ledger.Current, tooMuch: false);
        while (true)
        {
            var renew = query.KnownVersion == ledger.Version && IsOver(query.Until, time.GetUtcNow());
            var (loaded, windows) = await FinishAsync(reading, await ReadAsync(reading, plan.AtLeast, ledger.Current), ledger, renew);
            if (windows is not null)
            {
                reading = reading with { Windows = windows };
                continue;
            }

            if (loaded is not { } done) return null;
            if (done.Refusal is { } refused) return Changes(refused);
            if (done.Version != ledger.Version) return null;
            if (ledger.IsStale) return Changes(ChangesKind.Stale, ledger, [], [], 0);
            return done.Page!.Next is null
                ? Changes(ChangesKind.Full, ledger, done.Page.Rows, [], plan.TooOld)
                : Changes(Refused(ReadRefusal.TooMany, new(
                    $"Die Auswahl hat mehr als {selection.Limit} Werte; Zeitraum oder Gebiet einschränken.", $"The selection has more than {selection.Limit} values; narrow the time range or the area.")));
        }
    }

    /// <summary>
    /// A version of the formula as it may answer this caller about the past: he must be allowed to read what it was computed
    /// from, and the stricter of then's and the present rules of disclosure hold for each input.
    /// </summary>
    private async Task<(IndicatorDefinition? Definition, ValuesResult? Refusal)> PastFormulaAsync(Caller caller, Passage? through, IndicatorDefinition definition)
    {
        if (definition.Inputs is not { } inputs) return (definition, null);
        var infos = await Task.WhenAll(inputs.Select(input => GrainFactory.GetGrain<IIndicatorGrain>(input.Indicator).GetAsync(Caller.Hub)));
        if (Array.Exists(infos, info => info is null)) return (null, Unavailable());
        if (through is null && !FormulaRules.MayRead(caller, Source, infos!))
        {
            return (null, NotOpen(new(
                $"Nicht alles, woraus „{Id}“ berechnet wurde, ist offen.", $"Not everything that “{Id}” was computed from is open.")));
        }

        return (definition with { Inputs = FormulaRules.Strictest(inputs, infos!) }, null);
    }

    private async Task<Past<RolledUp>> MakePastFormulaAsync(PastView view, ValuesQuery query, long deadline)
    {
        var (values, refusal) = await PastFormulaValuesAsync(view, view.Moment, query, deadline);
        return values is null ? new(null, refusal) : new(CellRollUp.Page(view.Definition.Spec, query, values, view.Moment.At, only: null), null);
    }

    /// <summary>A formula's values as of a moment, made of its inputs' cells folded from history.</summary>
    private async Task<Past<FormulaValues>> PastFormulaValuesAsync(PastView view, PastMoment moment, ValuesQuery query, long deadline)
    {
        var (definition, windows) = (view.Definition, Array.Empty<long>());
        while (true)
        {
            var queries = CellReading.Queries(definition, query, moment.At, windows, 0, read.Value.MaxCells);
            var sets = await Task.WhenAll(Source.Partitions.Select((partition, number) => Task.WhenAll(
                queries.Select((cells, input) => ReadPastAsync(partition, definition.Inputs![input], moment.Sequences[number], cells, deadline)))));
            var all = sets.SelectMany(partition => partition).ToArray();
            if (PastRefusal(all) is { } refusal) return new(null, refusal);
            var (values, missing) = CellReading.Values(definition, view.Areas, view.Target, query, sets, moment.At, windows);
            if (missing is null) return new((FormulaValues)values, null);
            windows = missing;
        }
    }

    [Microsoft.Extensions.Logging.LoggerMessage(1316, Microsoft.Extensions.Logging.LogLevel.Warning, "Formula {Indicator} could not ask its inputs who may read them; it answers nobody until it can")]
    private partial void LogInputsUnknown(Exception exception, string indicator);

    [Microsoft.Extensions.Logging.LoggerMessage(1317, Microsoft.Extensions.Logging.LogLevel.Information, "Formula {Indicator}: an input answers with a new version; definition {Version} takes it up")]
    private partial void LogRefreshed(string indicator, int version);
}
