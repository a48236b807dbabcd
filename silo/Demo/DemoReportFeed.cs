using NetTopologySuite.Geometries;

namespace DataHub.Demo;

/// <summary>
/// Citizens' reports: opened, taken up, some corrected, most closed after hours or days, a few deleted. What becomes of
/// a report is settled when it is opened, so that its life can be told again from any instant.
/// </summary>
internal sealed class DemoReportFeed : DemoFeed
{
    public static readonly string[] Categories = ["strassenschaden", "abfall", "beleuchtung", "gruenflaeche", "laerm", "verkehrszeichen"];

    /// <summary>Chance of each category, beside <see cref="Categories"/>.</summary>
    private static readonly double[] s_weights = [0.24, 0.31, 0.14, 0.13, 0.08, 0.10];

    /// <summary>In the busiest hour about 80 reports, at night about five.</summary>
    private static readonly TimeSpan s_arrival = TimeSpan.FromSeconds(45);

    /// <summary>Nothing happens to a report after this.</summary>
    private static readonly TimeSpan s_longestLife = TimeSpan.FromHours(72);

    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    private readonly DemoCity _city;
    private readonly long[] _inhabitants;
    private readonly double _rate;
    private readonly DateTimeOffset _since;

    /// <summary>What becomes of the reports opened in each of the last hours, in order.</summary>
    private readonly Dictionary<DateTimeOffset, (DateTimeOffset At, DemoRow Row)[]> _lives = [];

    public DemoReportFeed(string agency, string dataset, string feed, DemoCity city, int seed, double rate, DateTimeOffset since)
        : base(agency, dataset, feed, DemoFormat.Json, TimeSpan.FromSeconds(10), TimeSpan.FromHours(1), seed, rate)
    {
        _city = city;
        _rate = rate;
        _since = since;
        _inhabitants = new long[city.Smallest.Count];
        for (var i = 0; i < _inhabitants.Length; i++) _inhabitants[i] = city.Smallest[i].Population + (i == 0 ? 0 : _inhabitants[i - 1]);
    }

    protected override IEnumerable<DemoRow> Past(DateTimeOffset from, DateTimeOffset to)
    {
        foreach (var old in _lives.Keys.Where(hour => hour < from - s_longestLife - s_hour).ToArray()) _lives.Remove(old);
        var told = new List<(DateTimeOffset At, DemoRow Row)>();
        for (var hour = Floor(from - s_longestLife, s_hour); hour < to; hour += s_hour)
        {
            if (!_lives.TryGetValue(hour, out var events)) _lives[hour] = events = [.. OpenedIn(hour).OrderBy(e => e.At)];
            var (low, high) = (0, events.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (events[middle].At < from) low = middle + 1;
                else high = middle;
            }

            for (; low < events.Length && events[low].At < to; low++) told.Add(events[low]);
        }

        return told.OrderBy(e => e.At).Select(e => e.Row);
    }

    private IEnumerable<(DateTimeOffset At, DemoRow Row)> OpenedIn(DateTimeOffset hour)
    {
        for (var at = hour; at < hour + s_hour; at += s_arrival)
        {
            // Of a report that was opened before, only the end would be told, and days would seem to have had few.
            if (at >= _since && Chance("opens", at.UtcTicks, 0) < DemoWorld.TimeOfDay(at) && Chance("thin", at.UtcTicks, 0) < _rate)
            {
                foreach (var told in Life(at, "", 1)) yield return told;
            }
        }
    }

    /// <summary>The usual reports and, at rates above 1, quick ones besides that are closed within some pushes.</summary>
    protected override IEnumerable<DemoRow> Now(DateTimeOffset slot, DateTimeOffset liveSince)
    {
        foreach (var row in Past(slot, slot + Slot)) yield return row;
        foreach (var (slots, stage) in new[] { (0, 0), (8, 1), (24, 2) })
        {
            var then = slot - (Slot * slots);
            if (then < liveSince) continue;
            for (var i = 0; i < Extra(then); i++)
            {
                var life = Life(then + (Slot * ((i + 0.5) / Extra(then))), "x", 0.02).ToArray();
                if (stage < life.Length) yield return life[stage].Row;
            }
        }
    }

    private int Extra(DateTimeOffset slot)
    {
        var mean = Math.Max(0, _rate - 1) * DemoWorld.TimeOfDay(slot) * (Slot / s_arrival);
        return (int)(mean + Chance("extra", slot.UtcTicks, 0));
    }

    /// <summary>Everything that a report opened at this instant will ever be, in order.</summary>
    /// <param name="opened">When; also the report's name.</param>
    /// <param name="kind">Sets reports of different processes apart.</param>
    /// <param name="pace">1 for usual lives, less for shorter ones.</param>
    private IEnumerable<(DateTimeOffset At, DemoRow Row)> Life(DateTimeOffset opened, string kind, double pace)
    {
        var random = new DemoRandom((ulong)(Chance("life" + kind, opened.UtcTicks, 0) * (1UL << 52)));
        var area = Resident(random);
        var place = PlaceIn(area, random);
        var category = Category(random);
        var status = "open";
        DateTimeOffset? closed = null;
        var revision = 0;

        DemoRow Row() => new(
            ("id", $"{kind}{opened.UtcTicks / TimeSpan.TicksPerMillisecond:x}"),
            ("opened", DemoRow.Text(opened)),
            ("closed", closed is { } at ? DemoRow.Text(at) : null),
            ("status", status),
            ("category", category),
            ("longitude", Math.Round(place.X, 5)),
            ("latitude", Math.Round(place.Y, 5)),
            ("open", closed is null ? 1 : 0),
            ("hours", closed is { } end ? Math.Round((end - opened).TotalHours, 2) : null),
            ("revision", ++revision));

        double Hours(double mean) => -Math.Log(1 - random.NextDouble()) * mean * pace;
        yield return (opened, Row());

        var at = opened + TimeSpan.FromHours(0.05 * pace);
        if (random.Chance(0.02))
        {
            // Spam, or sent twice: deleted, not closed.
            yield return (at + TimeSpan.FromHours(Hours(1)), new(("id", Row()["id"]), ("@delete", true)));
            yield break;
        }

        if (random.Chance(0.05))
        {
            category = Category(random);
            place = PlaceIn(area, random);
            at += TimeSpan.FromHours(Hours(0.4));
            yield return (at, Row());
        }

        at += TimeSpan.FromHours(Hours(2.5));
        status = "in-progress";
        yield return (at, Row());

        at += TimeSpan.FromHours(Hours(14));
        if (at - opened >= s_longestLife || random.Chance(0.08)) yield break;
        closed = Floor(at, TimeSpan.FromSeconds(1));
        status = "done";
        yield return (at, Row());
    }

    private DemoArea Resident(DemoRandom random)
    {
        var found = Array.BinarySearch(_inhabitants, (long)(random.NextDouble() * _inhabitants[^1]));
        return _city.Smallest[Math.Min(found < 0 ? ~found : found + 1, _city.Smallest.Count - 1)];
    }

    private static Coordinate PlaceIn(DemoArea area, DemoRandom random)
    {
        var box = area.Shape.EnvelopeInternal;
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var place = new Coordinate(Math.Round(random.Between(box.MinX, box.MaxX), 5), Math.Round(random.Between(box.MinY, box.MaxY), 5));
            if (area.Shape.Contains(area.Shape.Factory.CreatePoint(place))) return place;
        }

        return area.Middle;
    }

    private static string Category(DemoRandom random)
    {
        var left = random.NextDouble();
        for (var i = 0; i < s_weights.Length - 1; i++)
        {
            left -= s_weights[i];
            if (left < 0) return Categories[i];
        }

        return Categories[^1];
    }
}
