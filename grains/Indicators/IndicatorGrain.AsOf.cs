using System.Diagnostics;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Logging;

namespace DataHub.Indicators;

/// <summary>Answers as of earlier moments and by earlier versions of the definition, from history (design §2.7).</summary>
internal sealed partial class IndicatorGrain
{
    /// <summary>Answers from history that are remembered, and for how long: an erasure takes what it erases out of them too.</summary>
    private const int MaxPastAnswers = 200;

    private const int MaxKnownBatches = 2_000;
    private static readonly TimeSpan s_pastLife = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pastLimit = TimeSpan.FromSeconds(25);

    private readonly Dictionary<PastKey, (long Made, Task<Past<RolledUp>> Answer)> _past = [];
    private readonly Dictionary<(string Partition, long Sequence), BatchInfo> _batches = [];

    public async Task<IndicatorDefinition[]?> DefinitionsAsync(Caller caller) =>
        await IsKnownToAsync(caller) && _stored.Value is { Definition: { } definition } state ? [.. state.Earlier, definition] : null;

    /// <summary>Values from history; whoever may read the values that stand may read these.</summary>
    private async Task<ValuesResult> PastValuesAsync(Caller caller, Passage? through, ValuesQuery query, long deadline)
    {
        var (named, unknown) = PastDefinition(caller, through, query.Definition);
        if (named is null) return unknown!;
        var (definition, none) = await PastFormulaAsync(caller, through, named);
        if (definition is null) return none!;
        (query, var fault) = Narrowed(through, definition, query);
        if (fault is not null) return fault;
        definition = Shown(definition, query);
        var (moment, noMoment) = await MomentAsync(query.AsOf, query.AtLeast, "asOf", deadline);
        if (moment is null) return noMoment!;
        var (view, noView) = await ViewAsync(definition, moment, query);
        if (view is null) return noView!;
        var answer = await PastPageAsync(view, query, deadline);
        return answer.Value is { } page
            ? new(ReadRefusal.None, new(view.Info, 0, moment.Text, moment.Text, moment.ReceivedAt, page.Rows, page.Next, false) { ValidUntil = page.ValidUntil, Through = through?.Key }, null)
            : answer.Refusal!;
    }

    /// <summary>
    /// The version asked for as it may answer this caller: the stricter of its own and the present rules of access and
    /// disclosure hold, so that nothing is told by an earlier version that is not to be told any more.
    /// </summary>
    private (IndicatorDefinition? Definition, ValuesResult? Refusal) PastDefinition(Caller caller, Passage? through, int? version)
    {
        var state = _stored.Value;
        var present = state.Definition!;
        if (version is null || version == present.Version) return (present, null);
        if (Array.Find(state.Earlier, one => one.Version == version) is not { } earlier)
        {
            return (null, Refused(ReadRefusal.Invalid, new(
                $"definition: Die Fassung {version} gibt es nicht oder nicht mehr; welche es gibt, sagt /api/v1/indicators/{Id}/definitions.",
                $"definition: There is no version {version}, or no more; /api/v1/indicators/{Id}/definitions says which there are.")));
        }

        return through is not null || IndicatorRules.MayReadEarlier(caller, state, Source, earlier)
            ? (earlier with { Spec = earlier.Spec with { MinimumCount = IndicatorRules.MinimumCount(state, earlier) } }, null)
            : (null, NotOpen(new($"Die Fassung {version} von „{Id}“ ist nicht offen.", $"Version {version} of “{Id}” is not open.")));
    }

    /// <summary>A moment as one sequence per partition.</summary>
    /// <param name="asked">Null: everything committed by now.</param>
    /// <param name="atLeast">What it must include.</param>
    /// <param name="parameter">What names it in a refusal.</param>
    private async Task<(PastMoment? Moment, ValuesResult? Refusal)> MomentAsync(Moment? asked, Watermark? atLeast, string parameter, long deadline)
    {
        var (spec, partitions, now) = (_stored.Value.Definition!.Spec, Source.Partitions, time.GetUtcNow());
        long[] sequences;
        DateTimeOffset? at = null;
        if (asked?.Watermark is { } watermark)
        {
            if (WatermarkFault(watermark, spec.Dataset, parameter) is { } fault) return (null, fault);
            sequences = watermark.Sequences;
            var heads = await Task.WhenAll(partitions.Select(partition => log.HeadAsync(partition, CancellationToken.None)));
            if (sequences.Zip(heads, (sequence, head) => sequence < 0 || sequence > head).Contains(true)) return (null, InFuture(parameter));
        }
        else if (asked is not null)
        {
            var instant = asked.Day is { } day ? new(CalendarWindows.Parse(spec.Window, spec.TimeZone).DayBegins(day), TimeSpan.Zero) : asked.Instant!.Value;
            if (instant > now) return (null, InFuture(parameter));
            sequences = await Task.WhenAll(partitions.Select(partition => log.SequenceAtAsync(partition, instant, CancellationToken.None)));
            at = instant;
        }
        else
        {
            for (; ; await Task.Delay(s_again))
            {
                sequences = await Task.WhenAll(partitions.Select(partition => log.HeadAsync(partition, CancellationToken.None)));
                if (atLeast is null || Includes(sequences, atLeast)) break;
                if (Stopwatch.GetTimestamp() >= deadline) return (null, NotYet());
            }

            at = now;
        }

        if (atLeast is not null && !Includes(sequences, atLeast))
        {
            return (null, Refused(ReadRefusal.Invalid, new(
                $"watermark: {parameter} liegt davor; der Stand von damals kann ihn nicht enthalten.", $"watermark: {parameter} lies before it; what was known then cannot include it.")));
        }

        var batches = await Task.WhenAll(partitions.Select((partition, i) => BatchAsync(partition, sequences[i])));
        if (at is null)
        {
            // A watermark held until the next batch came: windows that were over by then may have been published as such.
            var next = await Task.WhenAll(partitions.Select((partition, i) => BatchAsync(partition, sequences[i] + 1)));
            at = next.Min(batch => batch?.ReceivedAt ?? now);
        }

        var isNow = at == now;

        var mark = new Watermark(_incarnation!.Value, spec.Dataset, sequences);
        return (new(mark, mark.ToString(), at.Value, batches.Max(batch => batch?.ReceivedAt ?? DateTimeOffset.MinValue), batches.Max(batch => batch?.AreaVersion ?? 0), isNow), null);

        static bool Includes(long[] sequences, Watermark atLeast) => !sequences.Zip(atLeast.Sequences, (sequence, least) => sequence < least).Contains(true);
    }

    /// <summary>What is known of a batch; null where there is none.</summary>
    private async Task<BatchInfo?> BatchAsync(string partition, long sequence)
    {
        if (sequence < 1) return null;
        if (_batches.TryGetValue((partition, sequence), out var known)) return known;
        var found = await log.ReadPartitionAsync(partition, sequence - 1, maxBatches: 1, maxBytes: 1, CancellationToken.None);
        if (found.Count == 0 || found[0].Sequence != sequence) return null;
        if (_batches.Count >= MaxKnownBatches) _batches.Clear();
        return _batches[(partition, sequence)] = new(found[0].ReceivedAt, found[0].AreaVersion, found[0].Push?.Feed, found[0].Push?.Receipt);
    }

    /// <summary>
    /// How a definition looks at a moment: with the version of the area system that was in force then, where it is kept,
    /// else the present one.
    /// </summary>
    /// <param name="present">The present version in any case.</param>
    private async Task<(PastView? View, ValuesResult? Refusal)> ViewAsync(IndicatorDefinition definition, PastMoment moment, ValuesQuery query, bool present = false)
    {
        var (source, then) = (Source, present ? 0 : moment.AreaVersion);
        AreaTree? areas = null;
        if (source.AreaSystem is { } system && NeedsAreas(definition.Spec, query))
        {
            if (then > 0 && then != source.AreaVersion) areas = await TreeAsync(system, then);
            areas ??= await TreeAsync(system, source.AreaVersion);
            if (areas is null) return (null, Unavailable());
        }

        var (target, fault) = CellRollUp.Aim(definition.Spec, areas, query);
        if (target is null) return (null, Refused(ReadRefusal.Invalid, fault!));
        var version = areas?.System.Version ?? (then > 0 ? then : source.AreaVersion);
        return (new(definition, moment, areas, target, Info()! with { Definition = definition, AreaVersion = version }), null);
    }

    private async Task<AreaTree?> TreeAsync(string system, int version)
    {
        if (_areas?.System.Id == system && _areas.System.Version == version) return _areas;
        if (_pastAreas?.System.Id == system && _pastAreas.System.Version == version) return _pastAreas;
        if (await GrainFactory.GetGrain<IAreaSystemGrain>(system).GetAsync(Caller.Hub, version) is not { } areas) return null;
        return _pastAreas = new(areas);
    }

    private AreaTree? _pastAreas;

    /// <summary>A page of values as a view has them; all who ask the same at a time wait for one.</summary>
    private async Task<Past<RolledUp>> PastPageAsync(PastView view, ValuesQuery query, long deadline)
    {
        var plain = Plain(query, view.Definition.Spec) with { AsOf = new(null, null, view.Moment.Watermark), Definition = view.Definition.Version };
        var key = new PastKey(plain, view.Definition.Spec.MinimumCount, string.Join(' ', view.Definition.Inputs?.Select(input => input.Spec.MinimumCount) ?? []), view.Areas?.System.Version ?? 0, view.Moment.IsNow ? null : view.Moment.At);
        if (_past.TryGetValue(key, out var known) && Stopwatch.GetElapsedTime(known.Made) < s_pastLife)
        {
            // As of now windows end while the answer is kept.
            var kept = await known.Answer;
            if (!view.Moment.IsNow || !(kept.Value?.ValidUntil <= view.Moment.At)) return kept;
        }

        if (_past.Count >= MaxPastAnswers) _past.Clear();
        var making = MakePastPageAsync(view, plain, deadline);
        _past[key] = (Stopwatch.GetTimestamp(), making);
        var made = await making;
        if (made.Value is null || made.Value.Rows.Length > options.Value.MemoRows / 20) _past.Remove(key);
        return made;
    }

    private async Task<Past<RolledUp>> MakePastPageAsync(PastView view, ValuesQuery query, long deadline)
    {
        if (view.Definition.Inputs is not null) return await MakePastFormulaAsync(view, query, deadline);
        var cells = await ReadPastAsync(view.Definition, view.Moment, query, deadline);
        return cells.Value is { } sets ? new(Roll(view, view.Moment, query, sets, only: null), null) : new(null, cells.Refusal);
    }

    private static RolledUp Roll(PastView view, PastMoment moment, ValuesQuery query, CellSet[] sets, Dictionary<CellRollUp.Place, uint>? only) =>
        CellRollUp.Make(view.Definition, view.Areas, view.Target, query, sets.Select(set => set.Cells), sets.Select(set => set.Opening), moment.At, only);

    /// <summary>The cells of all partitions as of a moment, folded from history once that has reached it.</summary>
    private async Task<Past<CellSet[]>> ReadPastAsync(IndicatorDefinition definition, PastMoment moment, ValuesQuery values, long deadline)
    {
        var range = ReadRange.Of(definition.Spec, values, moment.At);
        var query = new CellQuery(Id, definition.Version, range.From, range.To, 0, read.Value.MaxCells) { Latest = range.Latest, Back = range.Back, Opening = range.Opening };
        var sets = await Task.WhenAll(Source.Partitions.Select((partition, i) => ReadPastAsync(partition, definition, moment.Sequences[i], query, deadline)));
        return PastRefusal(sets) is { } refusal ? new(null, refusal) : new(sets, null);
    }

    private ValuesResult? PastRefusal(CellSet[] sets) => Array.Find(sets, set => set.Refusal != ReadRefusal.None) is { } refused
        ? refused.Refusal switch
        {
            ReadRefusal.NotYet => NotYet(),
            ReadRefusal.TooMany when refused.Detail == CellSet.TooManyRows => TooManyRows(),
            ReadRefusal.TooMany => TooMany(),
            _ => Unavailable(),
        }
        : sets.Sum(set => (long)set.Cells.Length) > read.Value.MaxCells ? TooMany() : null;

    private async Task<CellSet> ReadPastAsync(string partition, IndicatorDefinition definition, long sequence, CellQuery query, long deadline)
    {
        try
        {
            var history = GrainFactory.GetGrain<IHistoryGrain>(partition);
            var set = await history.CellsAsOfAsync(definition, query, sequence, read.Value.MaxPastRows).WaitAsync(s_pastLimit);
            if (set.Refusal != ReadRefusal.NotYet) return set;
            return await ReachHistoryAsync(partition, sequence, deadline)
                ? await history.CellsAsOfAsync(definition, query, sequence, read.Value.MaxPastRows).WaitAsync(s_pastLimit)
                : set;
        }
        catch (Exception e)
        {
            LogHistoryUnreachable(e, partition, Id);
            return new(ReadRefusal.Unavailable, 0, default, false, [], null);
        }
    }

    /// <summary>Waits until history includes a sequence, until the deadline.</summary>
    private async Task<bool> ReachHistoryAsync(string partition, long sequence, long deadline)
    {
        for (; ; await Task.Delay(s_again))
        {
            var rest = TimeSpan.FromSeconds((deadline - Stopwatch.GetTimestamp()) / (double)Stopwatch.Frequency);
            if (rest <= TimeSpan.Zero) return false;
            try
            {
                if (await GrainFactory.GetGrain<IHistoryGrain>(partition).ReachAsync(sequence).WaitAsync(rest) >= sequence) return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }

    private static ValuesResult InFuture(string parameter) => Refused(ReadRefusal.Invalid, new(
        $"{parameter}: Der Zeitpunkt liegt in der Zukunft; was dann bekannt sein wird, weiß der Hub nicht.",
        $"{parameter}: The moment lies in the future; the hub does not know what will be known then."));

    private ValuesResult TooManyRows() => Refused(ReadRefusal.TooMany, new(
        $"Dazu wären je Partition mehr als {read.Value.MaxPastRows} Zeilenfassungen zu lesen (DataHub:Read:MaxPastRows); Zeitraum einschränken.",
        $"More than {read.Value.MaxPastRows} versions of rows per partition would have to be read for it (DataHub:Read:MaxPastRows); narrow the time range."));

    /// <param name="At">Windows that end after this are preliminary.</param>
    /// <param name="ReceivedAt">When the newest batch was received.</param>
    /// <param name="AreaVersion">In which rows were resolved then; 0 where none is known.</param>
    /// <param name="IsNow">Nothing came since: <paramref name="At"/> moves on.</param>
    private sealed record PastMoment(Watermark Watermark, string Text, DateTimeOffset At, DateTimeOffset ReceivedAt, int AreaVersion, bool IsNow)
    {
        public long[] Sequences => Watermark.Sequences;
    }

    /// <param name="AreaVersion">Of the area system in which the batch's rows were resolved.</param>
    private sealed record BatchInfo(DateTimeOffset ReceivedAt, int AreaVersion, string? Feed, string? Receipt);

    /// <summary>A definition's values at a moment.</summary>
    private sealed record PastView(IndicatorDefinition Definition, PastMoment Moment, AreaTree? Areas, RollUpTarget Target, IndicatorInfo Info);

    private readonly record struct PastKey(ValuesQuery Query, int MinimumCount, string MinimumCounts, int AreaVersion, DateTimeOffset? At);

    /// <summary>Something read from history, or why not.</summary>
    private readonly record struct Past<T>(T? Value, ValuesResult? Refusal)
        where T : class;

    [LoggerMessage(1307, LogLevel.Warning, "The history {Partition} did not answer indicator {Indicator}")]
    private partial void LogHistoryUnreachable(Exception exception, string partition, string indicator);
}
