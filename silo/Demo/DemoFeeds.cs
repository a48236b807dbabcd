namespace DataHub.Demo;

/// <summary>The feeds of the demo city: who measures what, how often, and what goes wrong.</summary>
internal static class DemoFeeds
{
    /// <summary>Agencies' ids.</summary>
    public const string Environment = "umweltamt", Water = "wasserbetriebe", Traffic = "verkehrszentrale", Order = "ordnungsamt";

    /// <summary>All feeds; at rate 1 about ten rows a second.</summary>
    /// <param name="city">Where stations stand and people live.</param>
    /// <param name="seed">The city's.</param>
    /// <param name="rate">Multiple of the usual load.</param>
    /// <param name="since">What lies before this is not told of.</param>
    public static DemoFeed[] All(DemoCity city, int seed, double rate, DateTimeOffset since)
    {
        var world = new DemoWorld(city, seed);
        DemoFeed Stations(
            string agency, string dataset, string feed, DemoFormat format, double tick, int groups, TimeSpan history, DemoStation[] stations,
            Func<DemoStation, DateTimeOffset, TimeSpan, DemoRow> measure, string? corrected = null, string? bad = null, TimeSpan? silentAfter = null) =>
            new DemoStationFeed(agency, dataset, feed, format, TimeSpan.FromSeconds(tick), groups, history, seed, rate, stations, measure)
            {
                Corrected = corrected,
                Bad = bad,
                SilentAfter = silentAfter,
            };

        DemoRow Air(DemoStation station, DateTimeOffset time, TimeSpan over) => new(
            ("station", station.Id), ("time", DemoRow.Text(time)), ("area", station.Area),
            ("no2", Math.Round(world.NitrogenDioxide(station, time), 1)),
            ("pm10", Math.Round(world.FineDust(station, time), 1)),
            ("o3", Math.Round(world.Ozone(station, time), 1)));
        DemoRow Warmth(DemoStation station, DateTimeOffset time, TimeSpan over) => new(
            ("sensor", station.Id), ("time", DemoRow.Text(time)), ("longitude", station.Longitude), ("latitude", station.Latitude),
            ("temperature", Math.Round(world.Temperature(station, time), 1)));
        DemoRow Rain(DemoStation station, DateTimeOffset time, TimeSpan over) => new(
            ("gauge", station.Id), ("time", DemoRow.Text(time)), ("longitude", station.Longitude), ("latitude", station.Latitude),
            ("rain", Math.Round(world.RainRate(station, time) * over.TotalHours, 3)));
        DemoRow Level(DemoStation station, DateTimeOffset time, TimeSpan over) => new(
            ("gauge", station.Id), ("time", DemoRow.Text(time)), ("area", station.Area), ("level", Math.Round(world.WaterLevel(station, time), 1)));
        DemoRow Vehicles(DemoStation station, DateTimeOffset time, TimeSpan over) => new(
            ("detector", station.Id), ("time", DemoRow.Text(time)), ("area", station.Area),
            // Rounded by chance, so that short stretches add up to what long ones count.
            ("vehicles", (int)((world.TrafficRate(station, time) * over.TotalHours) + DemoNoise.Hash(seed, station.Number, time.UtcTicks))),
            ("speed", Math.Round(world.Speed(station, time), 1)));

        TimeSpan halfHour = TimeSpan.FromMinutes(30), hour = TimeSpan.FromHours(1);
        return
        [
            Stations(Environment, "air-quality", "default", DemoFormat.Json, 10, 6, hour, world.Stations("mc", 24, 0), Air, corrected: "no2"),
            Stations(Environment, "air-quality", "mobil", DemoFormat.Json, 20, 1, hour, world.Stations("mobil", 6, 0), Air, silentAfter: TimeSpan.FromMinutes(10)),
            Stations(Environment, "temperature", "default", DemoFormat.NdJson, 10, 6, halfHour, world.Stations("t", 143, 2), Warmth),
            Stations(Environment, "temperature", "schulen", DemoFormat.Json, 20, 3, hour, world.Stations("schule", 30, 0), Warmth, bad: "temperature"),
            Stations(Water, "rain", "default", DemoFormat.Csv, 15, 4, halfHour, world.Stations("r", 58, 1), Rain),
            Stations(Water, "water-levels", "default", DemoFormat.Json, 30, 3, hour, world.Stations("p", 18, 0), Level),
            Stations(Traffic, "traffic", "default", DemoFormat.NdJson, 5, 6, halfHour, world.Stations("d", 143, 2), Vehicles),
            new DemoReportFeed(Order, "reports", "default", city, seed, rate, since),
        ];
    }
}
