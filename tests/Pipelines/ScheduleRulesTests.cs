namespace DataHub.Pipelines;

/// <summary>A year of schedules, minute by minute: clocks that are put forward and back, outages, and what is caught up.</summary>
public sealed class ScheduleRulesTests
{
    private static readonly DateTimeOffset s_begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), s_end = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_time_of_the_day_comes_once_each_day_of_a_year_on_the_clocks_of_the_zone()
    {
        var runs = Year(new("30 2 * * *", "Europe/Berlin"), _ => false);
        // By the calendar alone: 365 local days, on 29 March half past two is left out and three o'clock comes instead, on 25 October the first half past two counts.
        var expected = Enumerable.Range(0, 365).Select(day => new DateTime(2026, 1, 1).AddDays(day)).Select(day =>
            day is { Month: 3, Day: 29 } ? new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero)
            : day is { Month: 10, Day: 25 } ? new(2026, 10, 25, 0, 30, 0, TimeSpan.Zero)
            : new DateTimeOffset(day.AddHours(2.5), day is { Month: > 3 and < 10 } or { Month: 3, Day: > 29 } or { Month: 10, Day: < 25 } ? TimeSpan.FromHours(2) : TimeSpan.FromHours(1)).ToUniversalTime());
        Assert.Equal(expected, runs.Select(run => run.To));
        Gapless(runs);
    }

    [Fact]
    public void Every_half_hour_goes_on_evenly_when_clocks_are_changed()
    {
        var runs = Year(new("*/30 * * * *", "Europe/Berlin"), _ => false);
        Assert.Equal(365 * 48, runs.Count);
        Assert.All(runs, run => Assert.Equal(TimeSpan.FromMinutes(30), run.To - run.From));
    }

    [Theory]
    [InlineData("last")]
    [InlineData("all")]
    [InlineData("none")]
    public void Outages_are_caught_up_as_the_trigger_says_and_no_time_is_run_twice(string catchUp)
    {
        // Away: a night, the hours around both changes of the clocks, three weeks in summer, a few minutes each day at noon.
        bool IsAway(DateTimeOffset now) =>
            Between(now, "2026-02-03T20:00Z", "2026-02-04T09:00Z") || Between(now, "2026-03-29T00:30Z", "2026-03-29T04:00Z") || Between(now, "2026-07-01T00:00Z", "2026-07-22T12:34Z")
            || Between(now, "2026-10-24T23:00Z", "2026-10-25T03:00Z") || (now.Hour == 12 && now.Minute < 4);

        var schedule = new ScheduleTrigger("0 */6 * * *", "Europe/Berlin") { CatchUp = catchUp };
        var undisturbed = Year(schedule, _ => false);
        var runs = Year(schedule, IsAway);
        Assert.Equal(runs.Count, runs.Select(run => run.To).Distinct().Count());
        Assert.Equal(runs.OrderBy(run => run.To), runs);
        // By the clock alone: the hub is there within five minutes of the time, or it is missed.
        var missed = undisturbed.Count(run => Enumerable.Range(0, 6).All(minutes => IsAway(run.To.AddMinutes(minutes))));
        switch (catchUp)
        {
            case "all":
                Assert.Equal(undisturbed, runs);
                break;
            case "none":
                Assert.Equal(undisturbed.Count - missed, runs.Count);
                Assert.Subset(undisturbed.ToHashSet(), runs.ToHashSet());
                break;
            default:
                // One for each outage that missed any, over all that it missed.
                Assert.True(missed > 80);
                Gapless(runs);
                Assert.Equal(new DateTimeOffset(2026, 7, 22, 10, 0, 0, TimeSpan.Zero), runs.Single(run => run.To - run.From > TimeSpan.FromDays(20)).To);
                break;
        }
    }

    [Fact]
    public void More_than_a_hundred_missed_times_are_told_of_and_the_newest_are_run()
    {
        var due = ScheduleRules.Due(new("0 * * * *", "UTC") { CatchUp = "all" }, s_begin, null, s_begin.AddHours(150));
        Assert.Equal((100, 50), (due.Runs.Length, due.Skipped));
        Assert.Equal(new RunPeriod(s_begin.AddHours(50), s_begin.AddHours(51)), due.Runs[0]);
        Assert.Equal(s_begin.AddHours(150), due.Handled);
    }

    [Fact]
    public void A_month_has_its_own_length_as_a_period_and_a_leap_day_its_four_years()
    {
        var months = ScheduleRules.Periods(new("0 0 1 * *", "UTC"), new(2028, 1, 31, 0, 0, 0, TimeSpan.Zero), new(2028, 3, 1, 0, 0, 0, TimeSpan.Zero), 10).ToArray();
        Assert.Equal([31, 29], months.Select(month => (month.To - month.From).Days));
        var leap = ScheduleRules.Periods(new("0 0 29 2 *", "UTC"), s_begin, s_begin.AddYears(3), 10).Single();
        Assert.Equal((new DateTimeOffset(2024, 2, 29, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2028, 2, 29, 0, 0, 0, TimeSpan.Zero)), (leap.From, leap.To));
    }

    [Theory]
    [InlineData("0 6 * *", "Europe/Berlin", "last", "cron")]
    [InlineData("0 25 * * *", "Europe/Berlin", "last", "cron")]
    [InlineData("0 0 30 2 *", "Europe/Berlin", "last", "trifft nie ein")]
    [InlineData("0 6 * * *", "Berlin", "last", "timeZone")]
    [InlineData("0 6 * * *", "Europe/Berlin", "some", "catchUp")]
    public void What_is_no_schedule_is_told(string cron, string zone, string catchUp, string part) =>
        Assert.Contains(part, ScheduleRules.Fault(new(cron, zone) { CatchUp = catchUp })!.De, StringComparison.Ordinal);

    /// <summary>A year in steps of a minute, as the schedule is looked at.</summary>
    private static List<RunPeriod> Year(ScheduleTrigger schedule, Func<DateTimeOffset, bool> isAway)
    {
        var runs = new List<RunPeriod>();
        // A second before, so that midnight of the first of January counts.
        var (handled, last) = (s_begin.AddSeconds(-1), (DateTimeOffset?)null);
        for (var now = s_begin; now < s_end; now = now.AddMinutes(1))
        {
            if (isAway(now)) continue;
            var due = ScheduleRules.Due(schedule, handled, last, now);
            handled = due.Handled;
            foreach (var run in due.Runs.Where(run => run.To >= s_begin)) runs.Add(run);
            last = due.Runs.LastOrDefault()?.To ?? last;
        }

        return runs;
    }

    private static void Gapless(List<RunPeriod> runs)
    {
        for (var i = 1; i < runs.Count; i++) Assert.Equal(runs[i - 1].To, runs[i].From);
    }

    private static bool Between(DateTimeOffset now, string from, string to) => now >= DateTimeOffset.Parse(from, System.Globalization.CultureInfo.InvariantCulture) && now < DateTimeOffset.Parse(to, System.Globalization.CultureInfo.InvariantCulture);
}
