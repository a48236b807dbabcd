using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// What a feed has left of its quota. A push is taken while anything is left and may overdraw it, so that a push of any
/// size passes in its turn; the next waits until the debt is paid. The day's rows cannot be overdrawn. Pure: the time
/// comes in.
/// </summary>
internal sealed class FeedMeter
{
    /// <summary>Seconds over which rates are averaged.</summary>
    public const int Window = 10;

    private static readonly TimeZoneInfo s_zone = TimeZoneInfo.FindSystemTimeZoneById(CompiledContract.DefaultTimeZone);

    private double _rows = double.NaN, _bytes = double.NaN;
    private DateTimeOffset _filled;
    private DateTimeOffset _dayEnds;

    /// <summary>Rows taken since midnight.</summary>
    public long Today { get; private set; }

    /// <summary>Begins a day with what was taken of it before.</summary>
    public void BeginDay(DateTimeOffset now, long taken) => (_dayEnds, Today) = (NextMidnight(now), taken);

    /// <summary>The last midnight in Europe/Berlin.</summary>
    public static DateTimeOffset Midnight(DateTimeOffset now)
    {
        var day = TimeZoneInfo.ConvertTime(now, s_zone).Date;
        return new(day, s_zone.GetUtcOffset(day));
    }

    /// <summary>Takes a push, or says how long to wait.</summary>
    /// <returns>Null where it is taken; else the time after which it would be, had nothing come between; <see cref="TimeSpan.MaxValue"/> where it is larger than a day's quota.</returns>
    public TimeSpan? Take(FeedQuota quota, PushLoad load, DateTimeOffset now)
    {
        Fill(quota, now);
        if (quota.RowsPerDay is { } day)
        {
            if (load.Rows > day) return TimeSpan.MaxValue;
            if (Today + load.Rows > day) return _dayEnds - now;
        }

        var wait = Math.Max(Wait(quota.RowsPerSecond, _rows), Wait(quota.BytesPerSecond, _bytes));
        if (wait > 0) return TimeSpan.FromSeconds(wait);
        _rows -= load.Rows;
        _bytes -= load.Bytes;
        Today += load.Rows;
        return null;
    }

    /// <summary>How the quotas stand.</summary>
    public QuotaReading[] Read(FeedQuota quota, DateTimeOffset now)
    {
        Fill(quota, now);
        var readings = new List<QuotaReading>(3);
        if (quota.RowsPerSecond is { } rows) readings.Add(Rate("rows", rows, _rows));
        if (quota.BytesPerSecond is { } bytes) readings.Add(Rate("bytes", bytes, _bytes));
        if (quota.RowsPerDay is { } day) readings.Add(new("rows-per-day", day, 86_400, Math.Max(0, day - Today), Seconds((_dayEnds - now).TotalSeconds)));
        return [.. readings];
    }

    private void Fill(FeedQuota quota, DateTimeOffset now)
    {
        var seconds = Math.Max(0, (now - _filled).TotalSeconds);
        _rows = Filled(_rows, quota.RowsPerSecond, seconds);
        _bytes = Filled(_bytes, quota.BytesPerSecond, seconds);
        if (now > _filled) _filled = now;
        if (now >= _dayEnds) BeginDay(now, 0);
    }

    /// <summary>Full at first, and where there was no limit.</summary>
    private static double Filled(double left, long? rate, double seconds) =>
        rate is not { } limit ? double.NaN
        : double.IsNaN(left) ? (double)limit * Window
        : Math.Min((double)limit * Window, left + (limit * seconds));

    private static double Wait(long? rate, double left) => rate is { } limit && left <= 0 ? (1 - left) / limit : 0;

    private static QuotaReading Rate(string name, long rate, double left) =>
        new(name, rate * Window, Window, (long)Math.Max(0, left), Seconds(((rate * Window) - left) / rate));

    private static int Seconds(double seconds) => (int)Math.Clamp(Math.Ceiling(seconds), 0, int.MaxValue);

    /// <summary>The next midnight in Europe/Berlin.</summary>
    public static DateTimeOffset NextMidnight(DateTimeOffset now)
    {
        var day = TimeZoneInfo.ConvertTime(now, s_zone).Date.AddDays(1);
        return new(day, s_zone.GetUtcOffset(day));
    }
}
