using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>
/// One selection of an indicator's values, computed once for all its viewers. Viewers hold nothing but the step they have
/// seen: one who is slow, or comes back, gets what became different since, merged.
/// </summary>
internal sealed class ChangesFeed(ChangesKey key, ChangesOptions options, ChangesMetrics metrics)
{
    /// <summary>Places without a row that are remembered for viewers that have not heard of them.</summary>
    private const int MaxGone = 10_000;

    private readonly Lock _gate = new();
    private readonly ChangesState _state = new(key.Selection.Latest, MaxGone);
    private readonly Dictionary<long, ChangesBytes> _rendered = [];
    private readonly List<Resuming> _resuming = [];
    private readonly ulong _selection = ChangesEventId.SelectionOf(key.Indicator, key.Selection, key.Through);
    private TaskCompletionSource _moved = New();
    private int _kept;

    /// <summary>What is said where something else decides by now who may see what.</summary>
    public static ValuesResult Other { get; } = new(ReadRefusal.Unavailable, null, new(
        "Wodurch diese Werte gelesen werden, ist ein anderes geworden (eine Vereinbarung wurde geändert, oder ein Recht kam dazu); neu verbinden.",
        "What these values are read through has become another (an agreement was changed, or a right was given); reconnect."));

    public ChangesKey Key => key;

    public ulong Selection => _selection;

    /// <summary>Why it ended; viewers must go. Null while it lives.</summary>
    public ValuesResult? Ended { get; private set; }

    public int Viewers { get; private set; }

    /// <summary>When its last viewer left; for how long it lingers.</summary>
    public long Left { get; private set; }

    /// <summary>When the first row changes its state by itself.</summary>
    public DateTimeOffset? Until
    {
        get
        {
            lock (_gate) return _state.Until;
        }
    }

    public void Come()
    {
        lock (_gate) Viewers++;
    }

    public void Leave(long now)
    {
        lock (_gate) (Viewers, Left) = (Viewers - 1, now);
    }

    /// <summary>Completes once there is something beyond a step, or the feed ended.</summary>
    public Task MovedAsync(long step)
    {
        lock (_gate) return Ended is not null || _state.Step > step || (step == 0 && _state.Page is not null) ? Task.CompletedTask : _moved.Task;
    }

    /// <summary>Notes a viewer that comes back with what it saw; the next computation tells what it missed.</summary>
    public Task<ChangesStart> ResumeAsync(ChangesEventId seen)
    {
        var resuming = new Resuming(seen, new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
        {
            if (Ended is not null) resuming.Start.SetResult(default);
            // Most who come back saw exactly what is here.
            else if (_state.Page is { } page && !_state.IsStale && !seen.IsStale && Same(page.Mark, seen.Mark)) resuming.Start.SetResult(new(true, default, _state.Step));
            else _resuming.Add(resuming);
        }

        return resuming.Start.Task;
    }

    /// <summary>Whether somebody waits for a computation although nothing is known to have changed.</summary>
    public bool IsAwaited
    {
        get
        {
            lock (_gate) return _state.Page is null || _resuming.Count > 0;
        }
    }

    /// <summary>The whole state; empty before there is one.</summary>
    public (ChangesBytes Events, long Step) All()
    {
        lock (_gate)
        {
            return _state.Page is not { } page
                ? (default, 0)
                : (Render(-1, () => Written("state", page, _state.All())), _state.Step);
        }
    }

    /// <summary>What became different since a step; where that is too long ago, a reset and the whole.</summary>
    public (ChangesBytes Events, long Step) Since(long step)
    {
        lock (_gate)
        {
            if (_state.Page is not { } page || step >= _state.Step) return (default, step);
            if (step < _state.Floor) return (Render(-2, () => Written("state", page, _state.All()) is var all ? new(Joined(ChangesEvents.Reset, all.Bytes), all.Rows) : default), _state.Step);
            return (Render(step, () => Written("change", page, _state.Since(step))), _state.Step);
        }
    }

    /// <summary>Asks the indicator what became of the selection, and takes it in.</summary>
    /// <returns>Whether it is to be asked again soon, because nothing could be said.</returns>
    public async Task<bool> ComputeAsync(IIndicatorGrain indicator, Caller caller)
    {
        var full = false;
        while (true)
        {
            ChangesQuery query;
            Resuming[] resuming;
            lock (_gate)
            {
                if (Ended is not null) return false;
                var own = full || _state.Page is null || _state.IsStale ? null : _state.Page;
                // Many come back with one and the same mark after a restart.
                var marks = _resuming.Select(r => r.Seen.Mark).DistinctBy(MarkText).Take(ChangesQuery.MaxMarks - 1).ToArray();
                resuming = [.. _resuming.Where(r => marks.Any(mark => MarkText(mark) == MarkText(r.Seen.Mark)))];
                query = new(key.Selection, own is null, own is null ? marks : [own.Mark, .. marks]) { KnownVersion = own?.Version, Until = own is null ? null : _state.Until };
            }

            metrics.Computed();
            ChangesResult result;
            try
            {
                result = await indicator.ChangesAsync(caller, query);
            }
            catch (Exception e) when (e is Orleans.Runtime.OrleansException or TimeoutException)
            {
                lock (_gate) Doubt();
                return true;
            }

            lock (_gate)
            {
                if (result.Page is not { } page)
                {
                    if (result.Refusal is ReadRefusal.NotYet or ReadRefusal.Unavailable && _state.Page is not null)
                    {
                        Doubt();
                        return true;
                    }

                    End(new(result.Refusal, null, result.Detail));
                    return false;
                }

                if (page.Through != key.Through)
                {
                    End(Other);
                    return false;
                }

                var before = _state.Step;
                if (_state.Apply(page) == ChangesApplied.NeedsFull)
                {
                    full = true;
                    continue;
                }

                Count();
                if (_state.Page is null)
                {
                    End(new(ReadRefusal.Unavailable, null, null));
                    return false;
                }

                if (_state.Count + 0 > options.MaxRows)
                {
                    End(new(ReadRefusal.TooMany, null, new($"Die Auswahl hat mehr als {options.MaxRows} Werte; Zeitraum oder Gebiet einschränken.", $"The selection has more than {options.MaxRows} values; narrow the time range or the area.")));
                    return false;
                }

                Start(resuming, page, query.Full ? 0 : 1);
                if (_state.Step > before) Move();
                full = false;
                if (_resuming.Count == 0) return page.Kind == ChangesKind.Stale;
            }
        }
    }

    /// <summary>Lets all viewers go.</summary>
    public void End(ValuesResult because)
    {
        lock (_gate)
        {
            if (Ended is not null) return;
            Ended = because;
            foreach (var resuming in _resuming) resuming.Start.TrySetResult(default);
            _resuming.Clear();
            metrics.Rows(-_kept);
            _kept = 0;
            _moved.TrySetResult();
        }
    }

    private void Start(Resuming[] resuming, ChangesPage page, int firstMark)
    {
        var marks = resuming.Select(r => r.Seen.Mark).DistinctBy(MarkText).ToArray();
        var texts = Array.ConvertAll(marks, MarkText);
        var told = new Dictionary<string, ChangesBytes?>(StringComparer.Ordinal);
        foreach (var viewer in resuming)
        {
            var text = MarkText(viewer.Seen.Mark);
            var number = firstMark + Array.IndexOf(texts, text);
            if (!told.TryGetValue(text, out var events))
            {
                var isTooOld = page.Kind == ChangesKind.Stale || (page.TooOld & (1u << number)) != 0;
                if (!isTooOld)
                {
                    var part = _state.Since(_state.Step, _state.TouchedSince(page, number, viewer.Seen.Mark));
                    events = part.Rows.Count + part.Removed.Count == 0 ? default(ChangesBytes) : Written("change", _state.Page!, part);
                }

                told[text] = events;
            }

            // What was shown as stale may be current again without any cell having changed.
            viewer.Start.TrySetResult(events is { } some && !viewer.Seen.IsStale ? new(true, some, _state.Step) : new(false, default, _state.Step));
            _resuming.Remove(viewer);
        }
    }

    private void Doubt()
    {
        var before = _state.Step;
        _state.Doubt();
        if (_state.Step > before) Move();
    }

    private void Move()
    {
        _rendered.Clear();
        var moved = _moved;
        _moved = New();
        moved.TrySetResult();
    }

    private void Count()
    {
        metrics.Rows(_state.Count - _kept);
        _kept = _state.Count;
    }

    private ChangesBytes Written(string name, ChangesPage page, ChangesPart part) =>
        new(ChangesEvents.Write(name, _selection, page, _state.IsStale, part, options.RowsPerEvent), part.Rows.Count + part.Removed.Count);

    private ChangesBytes Render(long step, Func<ChangesBytes> write)
    {
        // Almost all viewers stand at the same step.
        if (_rendered.TryGetValue(step, out var events)) return events;
        if (_rendered.Count > 8) _rendered.Clear();
        return _rendered[step] = write();
    }

    private static ReadOnlyMemory<byte> Joined(ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) => (byte[])[.. a.Span, .. b.Span];

    private static bool Same(ChangeMark a, ChangeMark b) => ChangesState.Continues(a, b) && a.Watermark.Equals(b.Watermark) && a.At == b.At;

    private static string MarkText(ChangeMark mark) => FormattableString.Invariant($"{mark.Definition}/{mark.AreaVersion}/{mark.Watermark}/{mark.At.UtcTicks}");

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Resuming(ChangesEventId Seen, TaskCompletionSource<ChangesStart> Start);
}

/// <summary>Which values are watched, and with whose rights.</summary>
/// <param name="Caller">The public where the indicator is open.</param>
/// <param name="Through">The agreement, as <c>{id}@{version}</c>, through which they are; null: by right.</param>
internal sealed record ChangesKey(string Indicator, ValuesQuery Selection, Caller Caller, string? Through = null);

/// <summary>Events as they are sent, and how many rows and removed places they tell.</summary>
internal readonly record struct ChangesBytes(ReadOnlyMemory<byte> Bytes, int Rows);

/// <summary>How a viewer that came back goes on.</summary>
/// <param name="Continues">Whether what it saw can be continued; else it needs the whole.</param>
/// <param name="Events">What it missed.</param>
/// <param name="Step">What it has seen then.</param>
internal readonly record struct ChangesStart(bool Continues, ChangesBytes Events, long Step);
