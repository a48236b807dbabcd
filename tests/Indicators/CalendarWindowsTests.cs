using System.Globalization;

using CsCheck;

using DataHub.Support;

namespace DataHub.Indicators;

public sealed class CalendarWindowsTests
{
    private static readonly string[] Windows =
    [
        "PT1M", "PT5M", "PT10M", "PT15M", "PT20M", "PT30M", "PT1H", "PT90M", "PT2H", "PT3H", "PT4H", "PT6H", "PT8H", "PT12H",
        "P1D", "P1W", "P1M", "P2M", "P3M", "P4M", "P6M", "P1Y",
    ];

    private static readonly string[] Zones =
    [
        "Europe/Berlin", "UTC", "Europe/London", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Sao_Paulo", "America/Havana",
        "Asia/Kolkata", "Asia/Kathmandu", "Asia/Beirut", "Asia/Gaza", "Asia/Tehran", "Africa/Casablanca", "Africa/Cairo", "Australia/Lord_Howe",
        "Australia/Sydney", "Pacific/Apia", "Pacific/Kwajalein", "Pacific/Chatham", "Pacific/Kiritimati", "America/Anchorage", "Antarctica/Troll",
    ];

    private static readonly long First = new DateTime(1980, 1, 1).Ticks;
    private static readonly long Last = new DateTime(2100, 12, 31).Ticks;

    private static readonly Gen<long> Instants = Gen.Frequency(
        (1, Gen.Long[First, Last]),
        (1, Gen.Select(Gen.Long[First / TimeSpan.TicksPerHour, Last / TimeSpan.TicksPerHour], Gen.Long[-1, 1], (hour, off) => hour * TimeSpan.TicksPerHour + off)));

    [Fact]
    public void Windows_tile_the_time_line() =>
        Gen.Select(Gen.OneOf(Windows), Gen.OneOf(Zones), Instants).Sample((window, zone, instant) =>
        {
            var windows = CalendarWindows.Parse(window, zone);
            var from = windows.Floor(instant);
            var next = windows.Next(from);
            Assert.True(from <= instant && instant < next, $"{from} <= {instant} < {next}");
            Assert.Equal(from, windows.Floor(from));
            Assert.Equal(from, windows.Floor(next - 1));
            Assert.Equal(next, windows.Floor(next));
            Assert.Equal(next, windows.Next(instant));
        }, iter: 60_000);

    [Fact]
    public void Windows_around_every_change_of_the_clock_tile_the_time_line()
    {
        foreach (var zone in Zones)
        {
            foreach (var change in Changes(zone, 1980, 2040))
            {
                foreach (var window in Windows)
                {
                    if (window is "PT1M" or "PT5M") continue;
                    var windows = CalendarWindows.Parse(window, zone);
                    var at = windows.Floor(change - 2 * TimeSpan.TicksPerDay);
                    while (at < change + 2 * TimeSpan.TicksPerDay)
                    {
                        var next = windows.Next(at);
                        Assert.True(next > at);
                        Assert.Equal(at, windows.Floor(next - 1));
                        Assert.Equal(next, windows.Floor(next));
                        at = next;
                    }
                }
            }
        }
    }

    [Fact]
    public void Windows_are_those_the_oracle_cuts() =>
        Gen.Select(Gen.OneOf(Windows), Gen.OneOf("Europe/Berlin", "UTC", "America/New_York", "America/St_Johns", "America/Sao_Paulo", "Asia/Kolkata"), Instants)
            .Sample((window, zone, instant) => AssertAsOracle(window, zone, instant), iter: 10_000);

    [Fact]
    public void Windows_around_every_change_of_the_clock_are_those_the_oracle_cuts()
    {
        foreach (var zone in new[] { "Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "Australia/Lord_Howe" })
        {
            // Since 1990 these zones changed for summer only; the oracle's questions about local times do not answer for changes of standard time.
            foreach (var change in Changes(zone, 1990, 2040))
            {
                foreach (var window in Windows)
                {
                    for (var hours = -26; hours <= 26; hours++)
                    {
                        AssertAsOracle(window, zone, change + hours * TimeSpan.TicksPerHour);
                        AssertAsOracle(window, zone, change + hours * TimeSpan.TicksPerHour - 1);
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("2026-03-29", 23)]
    [InlineData("2026-10-25", 25)]
    [InlineData("2026-06-01", 24)]
    public void Berlins_days_have_23_24_and_25_hours(string day, int hours)
    {
        var noon = DateTime.Parse(day, CultureInfo.InvariantCulture).AddHours(12).Ticks;
        var days = CalendarWindows.Parse("P1D", "Europe/Berlin");
        var from = days.Floor(noon);
        Assert.Equal(hours * TimeSpan.TicksPerHour, days.Next(from) - from);

        var hourly = CalendarWindows.Parse("PT1H", "Europe/Berlin");
        Assert.Equal(hours, Count(hourly, from, days.Next(from)));
        Assert.Equal(hours * 4, Count(CalendarWindows.Parse("PT15M", "Europe/Berlin"), from, days.Next(from)));
    }

    [Theory]
    [InlineData("PT2H", "2026-03-29", "23:00 01:00 02:00 04:00 06:00 08:00 10:00 12:00 14:00 16:00 18:00 20:00")] // 02:00 is jumped over: the jump, 01:00Z
    [InlineData("PT3H", "2026-03-29", "23:00 01:00 04:00 07:00 10:00 13:00 16:00 19:00")]
    [InlineData("PT6H", "2026-10-25", "22:00 05:00 11:00 17:00")]
    [InlineData("PT2H", "2026-10-25", "22:00 00:00 03:00 05:00 07:00 09:00 11:00 13:00 15:00 17:00 19:00 21:00")] // 02:00 is shown twice: the first, 00:00Z
    public void Longer_windows_begin_at_Berlins_clock_times(string window, string day, string expected)
    {
        var days = CalendarWindows.Parse("P1D", "Europe/Berlin");
        var from = days.Floor(DateTime.Parse(day, CultureInfo.InvariantCulture).AddHours(12).Ticks);
        var windows = CalendarWindows.Parse(window, "Europe/Berlin");
        var begins = new List<string>();
        for (var at = from; at < days.Next(from); at = windows.Next(at)) begins.Add(new DateTime(at).ToString("HH:mm", CultureInfo.InvariantCulture));
        Assert.Equal(expected, string.Join(' ', begins));
    }

    [Theory]
    [InlineData("P1W", "2026-11-25T10:00:00Z", "2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z")]
    [InlineData("P1M", "2026-10-25T10:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z")]
    [InlineData("P3M", "2026-05-01T00:00:00Z", "2026-03-31T22:00:00Z", "2026-06-30T22:00:00Z")]
    [InlineData("P1Y", "2025-12-31T23:00:00Z", "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z")]
    [InlineData("P1M", "2024-02-29T12:00:00Z", "2024-01-31T23:00:00Z", "2024-02-29T23:00:00Z")]
    public void Weeks_begin_on_Monday_and_months_on_the_first(string window, string instant, string from, string to)
    {
        var windows = CalendarWindows.Parse(window, "Europe/Berlin");
        var at = windows.Floor(DateTimeOffset.Parse(instant, CultureInfo.InvariantCulture).UtcTicks);
        Assert.Equal(DateTimeOffset.Parse(from, CultureInfo.InvariantCulture), new DateTimeOffset(at, TimeSpan.Zero));
        Assert.Equal(DateTimeOffset.Parse(to, CultureInfo.InvariantCulture), new DateTimeOffset(windows.Next(at), TimeSpan.Zero));
    }

    [Fact]
    public void A_day_begins_where_its_windows_do() =>
        Gen.Select(Gen.OneOf(Zones), Gen.Int[DateOnly.FromDateTime(new(1980, 1, 1)).DayNumber, DateOnly.FromDateTime(new(2100, 1, 1)).DayNumber]).Sample((zone, number) =>
        {
            var windows = CalendarWindows.Parse("P1D", zone);
            var begin = windows.DayBegins(DateOnly.FromDayNumber(number));
            Assert.Equal(begin, windows.Floor(begin));
            Assert.True(windows.DayBegins(DateOnly.FromDayNumber(number + 1)) >= begin);
        }, iter: 5_000);

    [Fact]
    public void The_time_line_ends_where_dates_do()
    {
        foreach (var zone in Zones)
        {
            foreach (var window in Windows)
            {
                var windows = CalendarWindows.Parse(window, zone);
                Assert.Equal(0, windows.Floor(0));
                Assert.True(windows.Next(0) > 0);
                var last = windows.Floor(DateTime.MaxValue.Ticks);
                Assert.InRange(last, DateTime.MaxValue.Ticks - 366 * TimeSpan.TicksPerDay, DateTime.MaxValue.Ticks);
                Assert.InRange(windows.Next(last), DateTime.MaxValue.Ticks, DateTime.MaxValue.Ticks + 1);
                Assert.True(windows.Next(last) > last);
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("P")]
    [InlineData("PT")]
    [InlineData("PT0M")]
    [InlineData("PT7M")]
    [InlineData("PT01M")]
    [InlineData("PT5H")]
    [InlineData("PT24H")]
    [InlineData("PT1440M")]
    [InlineData("PT30S")]
    [InlineData("P2D")]
    [InlineData("P2W")]
    [InlineData("P5M")]
    [InlineData("P24M")]
    [InlineData("P2Y")]
    [InlineData("P1DT12H")]
    [InlineData("pt1h")]
    [InlineData("PT99999M")]
    [InlineData("PT1H ")]
    public void Other_durations_are_refused(string window)
    {
        var refusal = Assert.Throws<FormatException>(() => CalendarWindows.Parse(window, "Europe/Berlin"));
        Assert.Contains($"'{window}'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Europe/Nowhere")]
    [InlineData("../../etc/passwd")]
    [InlineData("W. Europe Standard Time")]
    public void Other_zones_are_refused(string zone) => Assert.Throws<FormatException>(() => CalendarWindows.Parse("PT1H", zone));

    private static void AssertAsOracle(string window, string zone, long instant)
    {
        var windows = CalendarWindows.Parse(window, zone);
        var from = windows.Floor(instant);
        var (expectedFrom, expectedTo) = Oracle.Window(window, zone, new(instant, TimeSpan.Zero));
        Assert.True(
            (expectedFrom.UtcTicks, expectedTo.UtcTicks) == (from, windows.Next(from)),
            $"{window} {zone} {new DateTime(instant):O}: oracle {expectedFrom:u} to {expectedTo:u}, hub {new DateTime(from):u} to {new DateTime(windows.Next(from)):u}");
    }

    private static int Count(CalendarWindows windows, long from, long to)
    {
        var count = 0;
        for (var at = from; at < to; at = windows.Next(at)) count++;
        return count;
    }

    private static IEnumerable<long> Changes(string zone, int fromYear, int toYear)
    {
        var info = TimeZoneInfo.FindSystemTimeZoneById(zone);
        var at = new DateTime(fromYear, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var offset = info.GetUtcOffset(at);
        for (; at.Year < toYear; at = at.AddHours(1))
        {
            if (info.GetUtcOffset(at) == offset) continue;
            offset = info.GetUtcOffset(at);
            yield return at.Ticks;
        }
    }
}
