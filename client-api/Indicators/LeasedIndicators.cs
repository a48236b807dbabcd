using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>
/// Leases of this front-end on indicators that are polled much: while one lasts, open answers are given out from memory,
/// and news end it at once (design §2.7). Indicators that are polled seldom are asked each time.
/// </summary>
internal sealed class LeasedIndicators
{
    private readonly ConcurrentDictionary<string, LeasedIndicator> _leased = new(StringComparer.Ordinal);
    private readonly IGrainFactory _grains;
    private readonly AnswerOptions _options;
    private readonly CancellationToken _stopping;
    private readonly Counter<long> _repeated;
    private readonly UpDownCounter<int> _held;
    private Counts _counts = new(0);

    public LeasedIndicators(IGrainFactory grains, IOptions<AnswerOptions> options, IHostApplicationLifetime lifetime, IMeterFactory meters)
    {
        (_grains, _options, _stopping) = (grains, options.Value, lifetime.ApplicationStopping);
        var meter = meters.Create("DataHub");
        _repeated = meter.CreateCounter<long>("datahub.answers.repeated", "{answer}", "Answers given out again under a lease, without asking the indicator.");
        _held = meter.CreateUpDownCounter<int>("datahub.answers.leases", "{lease}", "Indicators on which this front-end holds a lease.");
    }

    /// <summary>Names this front-end to the indicators; another one in every life.</summary>
    public Guid Self { get; } = Guid.NewGuid();

    /// <summary>The lease on an indicator; null where it is not polled much.</summary>
    public LeasedIndicator? Find(string indicator) => _leased.GetValueOrDefault(indicator);

    /// <summary>An answer was asked for and given to a caller without a key; if that happens often a lease is asked for.</summary>
    public void Asked(string indicator)
    {
        if (_options.LeaseFrom == 0) return;
        var second = Stopwatch.GetTimestamp() / Stopwatch.Frequency;
        var counts = Volatile.Read(ref _counts);
        if (counts.Second != second) Volatile.Write(ref _counts, counts = new(second));
        var often = counts.Of.AddOrUpdate(indicator, 1, static (_, count) => count + 1) >= _options.LeaseFrom;
        if (_leased.TryGetValue(indicator, out var held)) held.Use();
        if (!often || held is not null) return;
        var lease = new LeasedIndicator();
        if (_leased.TryAdd(indicator, lease)) _ = Task.Run(() => HoldAsync(indicator, lease));
    }

    /// <summary>An answer was given out again.</summary>
    public void Repeated(LeasedIndicator lease)
    {
        lease.Use();
        _repeated.Add(1);
    }

    private async Task HoldAsync(string indicator, LeasedIndicator lease)
    {
        _held.Add(1);
        var grain = _grains.GetGrain<IIndicatorGrain>(indicator);
        try
        {
            var (looked, used) = (Stopwatch.GetTimestamp(), 0L);
            while (!_stopping.IsCancellationRequested)
            {
                var asked = Stopwatch.GetTimestamp();
                var granted = await grain.LeaseAsync(Self, lease.Number, _stopping);
                if (granted.For == TimeSpan.Zero) return;
                lease.Hear(granted.Number, asked + (long)(granted.For.TotalSeconds * Stopwatch.Frequency));
                if (Stopwatch.GetElapsedTime(looked) < TimeSpan.FromSeconds(1)) continue;
                if (lease.Used - used < _options.LeaseFrom) break;
                (looked, used) = (Stopwatch.GetTimestamp(), lease.Used);
            }

            // Otherwise what is new would wait until it had ended.
            lease.End();
            await grain.LeaseAsync(Self, AnswerLease.Returned, CancellationToken.None);
        }
        catch (Exception)
        {
            // No lease, then: whoever polls asks the indicator, and is told what is the matter.
        }
        finally
        {
            lease.End();
            _leased.TryRemove(new(indicator, lease));
            _held.Add(-1);
        }
    }

    /// <summary>How often each indicator was asked in one second.</summary>
    private sealed class Counts(long second)
    {
        public long Second => second;

        public ConcurrentDictionary<string, int> Of { get; } = new(StringComparer.Ordinal);
    }
}

/// <summary>A lease on one indicator. Read by many threads, changed by one.</summary>
internal sealed class LeasedIndicator
{
    private long _number, _ends, _used;

    /// <summary>The news that were heard last; 0: none yet, or the lease is over for good.</summary>
    public long Number => Volatile.Read(ref _number);

    /// <summary>How often the indicator was polled.</summary>
    public long Used => Volatile.Read(ref _used);

    /// <summary>Whether what was asked for while a number was the last may still be given out.</summary>
    public bool Holds(long number) => number != 0 && Number == number && Stopwatch.GetTimestamp() < Volatile.Read(ref _ends);

    public void Use() => Interlocked.Increment(ref _used);

    /// <summary>News first: the new end must never count for old answers.</summary>
    public void Hear(long number, long ends)
    {
        Volatile.Write(ref _number, number);
        Volatile.Write(ref _ends, ends);
    }

    public void End() => Volatile.Write(ref _number, 0);
}
