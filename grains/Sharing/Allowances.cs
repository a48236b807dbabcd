using System.Diagnostics;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

/// <summary>
/// What a grain may give of what is not open: it takes an allowance, which is stored, and counts in memory what it gives on it.
/// What was given is told soon after. For one activation; its turns may interleave.
/// </summary>
internal sealed partial class Allowances(IGrainFactory grains, IGrainBase grain, TimeProvider time, ILogger logger)
{
    private const int MaxWaits = 3;

    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(500), s_lastWord = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<AllowanceKey, Held> _held = [], _next = [];
    private readonly Dictionary<AllowanceKey, Task<AllowanceResult>> _taking = [];
    private readonly Dictionary<string, List<UsedAllowance>> _untold = new(StringComparer.Ordinal);
    private IGrainTimer? _timer;
    private bool _isTelling;

    /// <summary>Counts an answer before it is given.</summary>
    /// <param name="rows">Rows or values in it.</param>
    /// <param name="watermark">As of which it is.</param>
    /// <returns>Null: it may be given. Else how many are left of the day.</returns>
    public ValueTask<long?> TakeAsync(AllowanceKey key, string operation, long rows, string? watermark)
    {
        if (!TryUse(key, operation, rows, watermark)) return WaitAsync(key, operation, rows, watermark);

        // The next one is taken before this one is used up, so that nobody waits while somebody always asks.
        if (_held[key].IsRunningOut && !key.By.RowsPerDay.HasValue && !_next.ContainsKey(key) && !_taking.ContainsKey(key)) _ = AheadAsync(key, _held[key]);
        return new((long?)null);
    }

    private bool TryUse(AllowanceKey key, string operation, long rows, string? watermark)
    {
        while (true)
        {
            if (_held.TryGetValue(key, out var held) && held.Use(rows))
            {
                held.Count(operation, rows, watermark);
                return true;
            }

            if (!_next.Remove(key, out var next)) return false;
            Hold(key, next);
        }
    }

    private async ValueTask<long?> WaitAsync(AllowanceKey key, string operation, long rows, string? watermark)
    {
        // Where nothing limits the day, who asks meanwhile waits for the allowance that is being taken.
        for (var tries = 0; tries < MaxWaits && key.By.RowsPerDay is null && _taking.TryGetValue(key, out var taken); tries++)
        {
            await ((Task)taken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (TryUse(key, operation, rows, watermark)) return null;
        }

        var (held, left) = await TakeAsync(key, rows, _held.GetValueOrDefault(key));
        if (held is null) return left;

        // The store may have taken longer than it is allowed for: this answer was counted all the same.
        held.Use(rows, always: true);
        held.Count(operation, rows, watermark);
        Hold(key, held);
        return null;
    }

    private async Task AheadAsync(AllowanceKey key, Held present)
    {
        try
        {
            var (held, _) = await TakeAsync(key, 0, present);
            if (held is null) return;
            if (_next.Remove(key, out var other)) Untold(other, key.By.Dataset);
            _next[key] = held;
            TellSoon();
        }
        catch (Exception e)
        {
            // Whoever needs the next one takes it, and hears why it cannot be had.
            LogNotAhead(logger, e, key.By.Id);
        }
    }

    /// <param name="before">The one before: how much was asked of it says how much is asked for.</param>
    private async Task<(Held? Held, long? Left)> TakeAsync(AllowanceKey key, long rows, Held? before)
    {
        var (month, id, asked) = (Month(key.By.Id), Guid.NewGuid(), Stopwatch.GetTimestamp());
        var (requests, most) = before is null ? (AgreementUsageRules.FewestRequests, AgreementUsageRules.FewestRows) : before.Wanted();
        var taking = grains.GetGrain<IAgreementUsageGrain>(month).TakeAsync(Caller.Hub, new(id, rows, key.By, key.Subject, key.Purpose) { Requests = requests, MostRows = Math.Max(most, rows) });
        _taking[key] = taking;
        try
        {
            var result = await taking;
            return result.Requests == 0 ? (null, result.Left) : (new(month, id, result.Requests, result.Rows, asked, result.For), null);
        }
        finally
        {
            if (_taking.TryGetValue(key, out var mine) && mine == taking) _taking.Remove(key);
        }
    }

    private void Hold(AllowanceKey key, Held held)
    {
        if (_held.Remove(key, out var other)) Untold(other, key.By.Dataset);
        _held[key] = held;
        TellSoon();
    }

    private string Object(string dataset, string operation) => operation is UsageOperations.Rows or UsageOperations.Evidence ? $"dataset:{dataset}" : $"indicator:{grain.GrainContext.GrainId.Key}";

    private string Month(string agreement) => $"{agreement}/{time.GetUtcNow():yyyy-MM}";

    private void Untold(Held held, string dataset)
    {
        if (!_untold.TryGetValue(held.Month, out var list)) _untold[held.Month] = list = [];
        list.Add(new(held.Id, [.. held.Used.Select(one => new UsedOperation(one.Key, Object(dataset, one.Key), one.Value.Requests, one.Value.Rows, one.Value.Watermark))]));
    }

    private UsedAllowance[] Take(string month) => _untold.Remove(month, out var list) ? [.. list] : [];

    private void Again(string month, UsedAllowance[] used)
    {
        if (used.Length == 0) return;
        if (!_untold.TryGetValue(month, out var list)) _untold[month] = list = [];
        list.AddRange(used);
        TellSoon();
    }

    /// <summary>Tells everything, before the grain goes; bounded, since the hub may be ending.</summary>
    public async Task EndAsync()
    {
        foreach (var some in new[] { _held, _next })
        {
            foreach (var (key, held) in some) Untold(held, key.By.Dataset);
            some.Clear();
        }

        if (_untold.Count > 0) await TellAsync().WaitAsync(s_lastWord).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private void TellSoon() => _timer ??= grain.RegisterGrainTimer(_ => TellAsync(), new GrainTimerCreationOptions(s_period, s_period) { Interleave = true, KeepAlive = true });

    /// <summary>Tells what was used of allowances that are over.</summary>
    private async Task TellAsync()
    {
        if (_isTelling) return;
        _isTelling = true;
        try
        {
            foreach (var some in new[] { _held, _next })
            {
                foreach (var (key, held) in some.Where(one => one.Value.IsOver).ToArray())
                {
                    some.Remove(key);
                    Untold(held, key.By.Dataset);
                }
            }

            foreach (var month in _untold.Keys.ToArray())
            {
                var used = Take(month);
                try
                {
                    await grains.GetGrain<IAgreementUsageGrain>(month).SettleAsync(Caller.Hub, used);
                }
                catch (Exception e)
                {
                    LogUntold(logger, e, month);
                    Again(month, used);
                }
            }
        }
        finally
        {
            _isTelling = false;
        }

        if (_held.Count > 0 || _next.Count > 0 || _untold.Count > 0) return;
        _timer?.Dispose();
        _timer = null;
    }

    [LoggerMessage(1278, LogLevel.Warning, "What was given through {Month} could not be told; it is tried again, and counts as given until then")]
    private static partial void LogUntold(ILogger logger, Exception exception, string month);

    [LoggerMessage(1279, LogLevel.Warning, "The next allowance through agreement {Agreement} could not be taken ahead")]
    private static partial void LogNotAhead(ILogger logger, Exception exception, string agreement);

    private sealed class Held(string month, Guid id, int requests, long rows, long asked, TimeSpan length)
    {
        private readonly Dictionary<string, (long Requests, long Rows, string? Watermark)> _used = new(StringComparer.Ordinal);
        private readonly long _until = asked + (long)(length.TotalSeconds * Stopwatch.Frequency);
        private readonly (int Requests, long Rows) _all = (requests, rows);
        private int _requests = requests;
        private long _rows = rows;

        public string Month => month;

        public Guid Id => id;

        public IReadOnlyDictionary<string, (long Requests, long Rows, string? Watermark)> Used => _used;

        public bool IsOver => _requests == 0 || Stopwatch.GetTimestamp() >= _until;

        /// <summary>Less than half of it is left, of answers, rows or time.</summary>
        public bool IsRunningOut => _requests < _all.Requests / 2 || _rows < _all.Rows / 2 || Stopwatch.GetTimestamp() >= asked + ((_until - asked) / 2);

        public bool Use(long wanted, bool always = false)
        {
            if (!always && (IsOver || wanted > _rows)) return false;
            (_requests, _rows) = (Math.Max(0, _requests - 1), _rows - wanted);
            return true;
        }

        /// <summary>What the next one should allow: twice of what this one would have been used for in its time.</summary>
        public (int Requests, long Rows) Wanted()
        {
            var share = Math.Clamp(Stopwatch.GetElapsedTime(asked) / length, 0.01, 1);
            return ((int)Math.Clamp(2 * (_all.Requests - _requests) / share, AgreementUsageRules.FewestRequests, AgreementUsageRules.MostRequests),
                (long)Math.Clamp(2 * (_all.Rows - _rows) / share, AgreementUsageRules.FewestRows, AgreementUsageRules.MostRows));
        }

        public void Count(string operation, long given, string? watermark)
        {
            var known = _used.GetValueOrDefault(operation);
            _used[operation] = (known.Requests + 1, known.Rows + given, watermark ?? known.Watermark);
        }
    }
}

/// <summary>On whose behalf something is given, by what, and for what.</summary>
/// <param name="Subject">To whom, as in the audit log.</param>
/// <param name="Purpose">As he says; empty by right.</param>
internal readonly record struct AllowanceKey(AllowanceSource By, string Subject, string Purpose)
{
    public AllowanceKey(AgreementInForce through, Caller caller)
        : this(AllowanceSource.Of(through), caller.Subject, caller.Use?.Purpose ?? "")
    {
    }

    /// <summary>Values that somebody reads by right.</summary>
    /// <param name="indicator">Whose values: each has a count of its own.</param>
    public AllowanceKey(AccessDecision decision, Holding holding, string indicator, Caller caller)
        : this(new($"right:{indicator}", $"{ContractWords.Of(decision.Because)} {decision.Reference}".TrimEnd(), 0, holding.Publisher, null, holding.Dataset ?? "", null), caller.Subject, "")
    {
    }

    public bool Equals(AllowanceKey other) => By.Id == other.By.Id && By.Reference == other.By.Reference && Subject == other.Subject && Purpose == other.Purpose;

    public override int GetHashCode() => HashCode.Combine(By.Id, Subject, Purpose);
}
