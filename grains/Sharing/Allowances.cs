using System.Diagnostics;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

/// <summary>
/// What a grain may give through agreements: it takes an allowance, which is stored, and counts in memory what it gives on it.
/// What was given is told soon after. For one activation; its turns may interleave.
/// </summary>
internal sealed partial class Allowances(IGrainFactory grains, IGrainBase grain, TimeProvider time, ILogger logger)
{
    private const int MaxWaits = 3;

    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<Key, Held> _held = [];
    private readonly Dictionary<Key, Task<AllowanceResult>> _leasing = [];
    private readonly Dictionary<string, List<UsedAllowance>> _untold = new(StringComparer.Ordinal);
    private IGrainTimer? _timer;
    private bool _isTelling;

    /// <summary>Counts an answer before it is given.</summary>
    /// <param name="rows">Rows or values in it.</param>
    /// <param name="watermark">As of which it is.</param>
    /// <returns>Null: it may be given. Else how many are left of the day.</returns>
    public ValueTask<long?> TakeAsync(AgreementInForce through, Caller caller, string operation, long rows, string? watermark)
    {
        var key = new Key(through.Id, through.Version, caller.Subject, caller.Use?.Purpose ?? "");
        return TryUse(key, through, operation, rows, watermark) ? new((long?)null) : LeaseAsync(key, through, operation, rows, watermark);
    }

    private bool TryUse(Key key, AgreementInForce through, string operation, long rows, string? watermark)
    {
        if (!_held.TryGetValue(key, out var held) || !held.Use(rows)) return false;
        held.Count(operation, Object(through, operation), rows, watermark);
        return true;
    }

    private async ValueTask<long?> LeaseAsync(Key key, AgreementInForce through, string operation, long rows, string? watermark)
    {
        // Where nothing limits the day, who asks meanwhile waits for the allowance that is being taken.
        for (var tries = 0; tries < MaxWaits && through.Terms.Delivery.RowsPerDay is null && _leasing.TryGetValue(key, out var taken); tries++)
        {
            await ((Task)taken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (TryUse(key, through, operation, rows, watermark)) return null;
        }

        var (month, id, asked) = (Month(key.Agreement), Guid.NewGuid(), Stopwatch.GetTimestamp());
        var taking = grains.GetGrain<IAgreementUsageGrain>(month).TakeAsync(Caller.Hub, new(id, rows, through, key.Subject, key.Purpose));
        _leasing[key] = taking;
        AllowanceResult result;
        try
        {
            result = await taking;
        }
        finally
        {
            if (_leasing.TryGetValue(key, out var mine) && mine == taking) _leasing.Remove(key);
        }

        if (result.Requests == 0) return result.Left;
        var held = new Held(month, id, result.Requests, result.Rows, asked + (long)(result.For.TotalSeconds * Stopwatch.Frequency));

        // The store may have taken longer than it is allowed for: this answer is counted all the same.
        held.Use(rows, always: true);
        held.Count(operation, Object(through, operation), rows, watermark);
        if (_held.Remove(key, out var other)) Untold(other);
        _held[key] = held;
        TellSoon();
        return null;
    }

    private string Object(AgreementInForce through, string operation) =>
        operation is UsageOperations.Rows or UsageOperations.Evidence ? $"dataset:{through.Terms.Dataset}" : $"indicator:{grain.GrainContext.GrainId.Key}";

    private string Month(string agreement) => $"{agreement}/{time.GetUtcNow():yyyy-MM}";

    private void Untold(Held held)
    {
        if (!_untold.TryGetValue(held.Month, out var list)) _untold[held.Month] = list = [];
        list.Add(new(held.Id, held.Used()));
    }

    private UsedAllowance[] Take(string month) => _untold.Remove(month, out var list) ? [.. list] : [];

    private void Again(string month, UsedAllowance[] used)
    {
        if (used.Length == 0) return;
        if (!_untold.TryGetValue(month, out var list)) _untold[month] = list = [];
        list.AddRange(used);
        TellSoon();
    }

    private void TellSoon() => _timer ??= grain.RegisterGrainTimer(_ => TellAsync(), new GrainTimerCreationOptions(s_period, s_period) { Interleave = true, KeepAlive = true });

    /// <summary>Tells what was used of allowances that are over.</summary>
    private async Task TellAsync()
    {
        if (_isTelling) return;
        _isTelling = true;
        try
        {
            foreach (var (key, held) in _held.Where(one => one.Value.IsOver).ToArray())
            {
                _held.Remove(key);
                Untold(held);
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

        if (_held.Count > 0 || _untold.Count > 0) return;
        _timer?.Dispose();
        _timer = null;
    }

    [LoggerMessage(1278, LogLevel.Warning, "What was given through {Month} could not be told; it is tried again, and counts as given until then")]
    private static partial void LogUntold(ILogger logger, Exception exception, string month);

    private readonly record struct Key(string Agreement, int Version, string Subject, string Purpose);

    /// <param name="until">Timestamp after which nothing is given on it.</param>
    private sealed class Held(string month, Guid id, int requests, long rows, long until)
    {
        private readonly Dictionary<(string Operation, string Object), (long Requests, long Rows, string? Watermark)> _used = [];
        private int _requests = requests;
        private long _rows = rows;

        public string Month => month;

        public Guid Id => id;

        public bool IsOver => _requests == 0 || Stopwatch.GetTimestamp() >= until;

        public bool Use(long wanted, bool always = false)
        {
            if (!always && (IsOver || wanted > _rows)) return false;
            (_requests, _rows) = (_requests - 1, _rows - wanted);
            return true;
        }

        public void Count(string operation, string what, long given, string? watermark)
        {
            var known = _used.GetValueOrDefault((operation, what));
            _used[(operation, what)] = (known.Requests + 1, known.Rows + given, watermark ?? known.Watermark);
        }

        public UsedOperation[] Used() => [.. _used.Select(one => new UsedOperation(one.Key.Operation, one.Key.Object, one.Value.Requests, one.Value.Rows, one.Value.Watermark))];
    }
}
