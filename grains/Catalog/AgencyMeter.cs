using DataHub.Feeds;

namespace DataHub.Catalog;

/// <summary>
/// What an agency has left of its quotas. What was stored is added afterwards, so a limit may be overdrawn; the debt is
/// paid before it may push again. Pure: the time comes in.
/// </summary>
internal sealed class AgencyMeter
{
    private double _rows = double.NaN;
    private DateTimeOffset _filled;

    /// <summary>The midnight in Europe/Berlin at which the day ends.</summary>
    public DateTimeOffset DayEnds { get; private set; }

    public long RowsToday { get; private set; }

    public long BytesToday { get; private set; }

    /// <summary>Goes on with a day that was stored; one that is over counts nothing.</summary>
    public void GoOn(AgencyUseState stored, DateTimeOffset now)
    {
        if (stored.DayEnds > now) (DayEnds, RowsToday, BytesToday) = (stored.DayEnds, stored.Rows, stored.Bytes);
    }

    /// <summary>Adds what was stored.</summary>
    public void Add(AgencyQuota holds, PushLoad used, DateTimeOffset now)
    {
        Fill(holds, now);
        _rows -= used.Rows;
        RowsToday += used.Rows;
        BytesToday += used.Bytes;
    }

    /// <summary>Whether the agency may push, and how its quotas stand.</summary>
    public AgencyStanding Read(AgencyQuota holds, DateTimeOffset now)
    {
        Fill(holds, now);
        if (holds is { RowsPerSecond: null, BytesPerDay: null }) return AgencyStanding.Free;
        var readings = new List<QuotaReading>(2);
        var wait = 0.0;
        if (holds.RowsPerSecond is { } rate)
        {
            readings.Add(new("agency-rows", rate * FeedMeter.Window, FeedMeter.Window, (long)Math.Max(0, _rows), Seconds(((rate * FeedMeter.Window) - _rows) / rate)));
            if (_rows <= 0) wait = (1 - _rows) / rate;
        }

        if (holds.BytesPerDay is { } bytes)
        {
            readings.Add(new("agency-bytes-per-day", bytes, 86_400, Math.Max(0, bytes - BytesToday), Seconds((DayEnds - now).TotalSeconds)));
            if (BytesToday >= bytes) wait = Math.Max(wait, (DayEnds - now).TotalSeconds);
        }

        return new(true, TimeSpan.FromSeconds(wait), [.. readings]);
    }

    private void Fill(AgencyQuota holds, DateTimeOffset now)
    {
        var seconds = Math.Max(0, (now - _filled).TotalSeconds);
        // Full at first, and where there was no limit.
        _rows = holds.RowsPerSecond is not { } rate ? double.NaN
            : double.IsNaN(_rows) ? (double)rate * FeedMeter.Window
            : Math.Min((double)rate * FeedMeter.Window, _rows + (rate * seconds));
        if (now > _filled) _filled = now;
        if (now >= DayEnds) (DayEnds, RowsToday, BytesToday) = (FeedMeter.NextMidnight(now), 0, 0);
    }

    private static int Seconds(double seconds) => (int)Math.Clamp(Math.Ceiling(seconds), 0, int.MaxValue);
}
