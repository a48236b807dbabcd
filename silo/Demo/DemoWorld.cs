using NetTopologySuite.Geometries;

namespace DataHub.Demo;

/// <summary>A place that measures.</summary>
/// <param name="Id">Unique among the stations of its kind.</param>
/// <param name="Number">From 0; in the order of the ids.</param>
/// <param name="Area">The planning area it stands in.</param>
/// <param name="Busy">0 at the edge of the city to 1 in its middle.</param>
internal sealed record DemoStation(string Id, int Number, string Area, double Longitude, double Latitude, double Busy);

/// <summary>
/// What happens in the demo city: weather, air, traffic, rivers. Every value is a function of seed, place and time, so
/// that what was pushed once is the same when it is pushed again.
/// </summary>
internal sealed class DemoWorld
{
    private static readonly TimeZoneInfo s_zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    private readonly int _seed;
    private readonly Coordinate _middle;

    public DemoWorld(DemoCity city, int seed)
    {
        City = city;
        _seed = seed;
        _middle = new(city.Smallest.Average(a => a.Middle.X), city.Smallest.Average(a => a.Middle.Y));
    }

    public DemoCity City { get; }

    /// <summary>Stations spread over the city: one after the other in every area of a level, in a different small area each.</summary>
    /// <param name="kind">Beginning of the ids.</param>
    /// <param name="count">How many; at least as many as the level has areas, for every area to have one.</param>
    /// <param name="level">Level whose areas take turns.</param>
    public DemoStation[] Stations(string kind, int count, int level)
    {
        var random = DemoRandom.For(_seed, kind);
        var turns = City.Smallest.GroupBy(a => a.Id[..((level + 1) * 2)]).Select(g => new Queue<DemoArea>(random.Shuffled(g))).ToArray();
        var chosen = new List<DemoArea>();
        for (var turn = 0; chosen.Count < count; turn = (turn + 1) % turns.Length)
        {
            if (turns[turn].TryDequeue(out var area)) chosen.Add(area);
        }

        return [.. chosen.OrderBy(a => a.Id, StringComparer.Ordinal).Select((a, i) => new DemoStation($"{kind}{i + 1:d3}", i, a.Id, Math.Round(a.Middle.X, 5), Math.Round(a.Middle.Y, 5), BusyAt(a.Middle)))];
    }

    /// <summary>Degrees Celsius: season, time of day, the city's own warmth, and weather that comes and goes.</summary>
    public double Temperature(DemoStation station, DateTimeOffset time)
    {
        var local = TimeZoneInfo.ConvertTime(time, s_zone);
        var season = 10.5 - (10 * Math.Cos(2 * Math.PI * (local.DayOfYear - 20) / 365.25));
        var day = 4.5 * Math.Sin(2 * Math.PI * (local.TimeOfDay.TotalHours - 9.5) / 24);
        var weather = 9 * (DemoNoise.Along(Part("weather"), Hours(time) / 60) - 0.5);
        return season + day + weather + (2.4 * station.Busy) + (1.6 * (Local("warmth", station, time, 3) - 0.5));
    }

    /// <summary>Millimetres in an hour, mostly none: showers drift over the city.</summary>
    public double RainRate(DemoStation station, DateTimeOffset time)
    {
        var hours = Hours(time);
        // A front is there or not for hours; within it showers of some kilometres move east.
        var front = DemoNoise.Along(Part("front"), hours / 5) - 0.45;
        var shower = DemoNoise.In(Part("shower"), (station.Longitude * 9) - (hours * 1.6), station.Latitude * 14, hours * 1.1) - 0.5;
        return front > 0 && shower > 0 ? Math.Min(48, 25 * front * shower) : 0;
    }

    /// <summary>Centimetres at a gauge: a slow river that answers the rain of the last days.</summary>
    public double WaterLevel(DemoStation station, DateTimeOffset time)
    {
        var mean = 120 + (160 * DemoNoise.Hash(Part("gauge"), station.Number));
        return mean + (60 * (DemoNoise.Along(Part("river"), Hours(time) / 40) - 0.4)) + (6 * (Local("gauge", station, time, 2) - 0.5));
    }

    /// <summary>Vehicles in an hour: two peaks on working days, one broad one at weekends.</summary>
    public double TrafficRate(DemoStation station, DateTimeOffset time)
    {
        var size = 300 + (1_500 * DemoNoise.Hash(Part("road"), station.Number)) + (500 * station.Busy);
        return size * TimeOfDay(time) * (0.85 + (0.3 * Local("flow", station, time, 0.5)));
    }

    /// <summary>Kilometres per hour: slower where more drive.</summary>
    public double Speed(DemoStation station, DateTimeOffset time)
    {
        var free = 32 + (28 * DemoNoise.Hash(Part("limit"), station.Number)) - (6 * station.Busy);
        return Math.Max(4, free * (1 - (0.45 * TimeOfDay(time))) * (0.9 + (0.2 * Local("speed", station, time, 0.3))));
    }

    /// <summary>Micrograms per cubic metre: traffic, thinned by wind.</summary>
    public double NitrogenDioxide(DemoStation station, DateTimeOffset time) =>
        (8 + (34 * (0.35 + (0.65 * station.Busy)) * (0.25 + TimeOfDay(time)))) * Still(time) * (0.8 + (0.4 * Local("no2", station, time, 1)));

    /// <inheritdoc cref="NitrogenDioxide"/>
    public double FineDust(DemoStation station, DateTimeOffset time) =>
        (9 + (12 * station.Busy) + (9 * TimeOfDay(time))) * Still(time) * (0.75 + (0.5 * Local("pm10", station, time, 2)));

    /// <summary>Micrograms per cubic metre: sun makes it, exhaust takes it away.</summary>
    public double Ozone(DemoStation station, DateTimeOffset time)
    {
        var local = TimeZoneInfo.ConvertTime(time, s_zone);
        var sun = Math.Max(0, Math.Sin(Math.PI * (local.TimeOfDay.TotalHours - 6) / 14)) * (0.55 - (0.45 * Math.Cos(2 * Math.PI * (local.DayOfYear - 5) / 365.25)));
        return Math.Max(2, 38 + (75 * sun) - (0.45 * NitrogenDioxide(station, time)) + (14 * (Local("o3", station, time, 2) - 0.5)));
    }

    /// <summary>0 at night to 1 at the busiest time of a working day.</summary>
    public static double TimeOfDay(DateTimeOffset time)
    {
        var local = TimeZoneInfo.ConvertTime(time, s_zone);
        var hour = local.TimeOfDay.TotalHours;
        double Peak(double at, double width) => Math.Exp(-Math.Pow((hour - at) / width, 2));
        return local.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday
            ? 0.06 + (0.55 * Peak(14.5, 4.5))
            : Math.Min(1, 0.06 + (0.75 * Peak(8, 1.7)) + (0.9 * Peak(17, 2.2)) + (0.42 * Peak(12.5, 3)));
    }

    /// <summary>0 at the edge, 1 in the middle.</summary>
    private double BusyAt(Coordinate place)
    {
        double east = (place.X - _middle.X) * 67.8, north = (place.Y - _middle.Y) * 111.3;
        return Math.Exp(-((east * east) + (north * north)) / 70);
    }

    /// <summary>How little wind there is: 0.6 to 1.5, for the whole city.</summary>
    private double Still(DateTimeOffset time) => 0.6 + (0.9 * DemoNoise.Along(Part("wind"), Hours(time) / 20));

    /// <summary>Noise of one station, changing over some hours.</summary>
    private double Local(string part, DemoStation station, DateTimeOffset time, double hours) =>
        DemoNoise.Along(Part(part) + (station.Number * 7_919L), Hours(time) / hours);

    private long Part(string part) => DemoNoise.Of(part) ^ (_seed * 0x5851F42DL);

    private static double Hours(DateTimeOffset time) => time.UtcTicks / (double)TimeSpan.TicksPerHour;
}
