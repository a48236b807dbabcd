using System.Text;
using System.Text.Json;

namespace DataHub.Demo;

public sealed class DemoFeedTests
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 23, 6, 0, 0, TimeSpan.Zero);
    private static readonly Lazy<DemoCity> s_city = new(() => DemoCity.Generate(1));

    private static DemoFeed Feed(string name, double rate = 1, int seed = 1) => DemoFeeds.All(s_city.Value, seed, rate, default).Single(f => f.Name == name);

    private static List<DemoPush> Live(DemoFeed feed, int slots, DateTimeOffset? from = null)
    {
        var since = DemoFeed.Floor(from ?? s_start, feed.Slot);
        return [.. Enumerable.Range(0, slots).Select(i => feed.Live(since + (feed.Slot * i), since)).OfType<DemoPush>()];
    }

    public static TheoryData<string> Names => [.. DemoFeeds.All(s_city.Value, 1, 1, default).Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_stretch_always_has_the_same_key_and_the_same_bytes(string name)
    {
        foreach (var rate in new[] { 0.01, 1, 1000 })
        {
            var (one, two) = (Live(Feed(name, rate), 50), Live(Feed(name, rate), 50));
            Assert.Equal(one.Select(p => p.Key), two.Select(p => p.Key));
            Assert.Equal(one.Count, one.Select(p => p.Key).Distinct().Count());
            Assert.All(one.Zip(two), pair => Assert.Equal(DemoRow.Write(pair.First.Rows, Feed(name).Format), DemoRow.Write(pair.Second.Rows, Feed(name).Format)));
        }

        var (push, to) = Feed(name).CatchUp(s_start, s_start.AddHours(2));
        var (again, _) = Feed(name, 7).CatchUp(s_start, s_start.AddHours(2));
        Assert.Equal(s_start + Feed(name).History, to);
        Assert.Equal(DemoRow.Write(push!.Rows, Feed(name).Format), DemoRow.Write(again!.Rows, Feed(name).Format));
        Assert.NotEqual(push.Key, Feed(name, seed: 2).CatchUp(s_start, s_start.AddHours(2)).Push!.Key);
    }

    [Fact]
    public void The_load_is_about_ten_rows_a_second_and_grows_with_the_rate()
    {
        double RowsPerSecond(double rate)
        {
            return DemoFeeds.All(s_city.Value, 1, rate, default).Sum(feed =>
            {
                var slots = (int)Math.Clamp(TimeSpan.FromMinutes(10) / feed.Slot, 20, 600);
                return Live(feed, slots).Sum(p => p.Rows.Count) / (feed.Slot.TotalSeconds * slots);
            });
        }

        var one = RowsPerSecond(1);
        Assert.InRange(one, 8, 12);
        Assert.InRange(RowsPerSecond(100) / one, 80, 115);
        Assert.InRange(RowsPerSecond(0.1) / one, 0.08, 0.13);
    }

    [Fact]
    public void Stations_measure_in_turn_and_about_two_and_a_half_percent_of_the_rows_come_late()
    {
        var feed = Feed("traffic/default");
        var pushes = Live(feed, 2_000);
        var rows = pushes.SelectMany(p => p.Rows.Select(r => (Push: p, Row: r, Time: DateTimeOffset.Parse((string)r["time"]!, null)))).ToArray();

        Assert.Equal(rows.Length, rows.Select(r => (r.Row["detector"], r.Time)).Distinct().Count());
        var due = rows.Where(r => r.Time < s_start + (feed.Slot * 1_600)).ToArray();
        Assert.Equal(143 * 1_600 / 6, due.Length, 30.0);
        Assert.InRange(due.Count(r => r.Time < r.Push.From) / (double)due.Length, 0.02, 0.03);
        Assert.Contains(due, r => r.Push.From - r.Time == feed.Slot * DemoShares.VeryLateBy);
        Assert.All(rows, r => Assert.True(r.Time < r.Push.To));
    }

    [Fact]
    public void About_one_percent_of_the_air_readings_are_corrected()
    {
        var rows = Live(Feed("air-quality/default"), 3_000).SelectMany(p => p.Rows).GroupBy(r => (r["station"], r["time"])).ToArray();

        Assert.InRange(rows.Count(g => g.Count() == 2) / (double)rows.Length, 0.006, 0.014);
        Assert.All(rows.Where(g => g.Count() == 2), g => Assert.True((double)g.Last()["no2"]! <= (double)g.First()["no2"]!));
        Assert.DoesNotContain(rows, g => g.Count() > 2);
    }

    [Fact]
    public void One_feed_sends_about_fifteen_percent_bad_rows_and_the_others_none()
    {
        static bool IsGood(DemoRow row) =>
            row.Fields.Length == 5 && row["time"] is string time && time.EndsWith('Z') && row["longitude"] is > 13.0 && row["temperature"] is double and > -50 and < 60;

        var bad = Live(Feed("temperature/schulen"), 1_000).SelectMany(p => p.Rows).ToArray();

        Assert.InRange(bad.Count(r => !IsGood(r)) / (double)bad.Length, 0.13, 0.17);
        Assert.All(Live(Feed("temperature/default"), 100).SelectMany(p => p.Rows), r => Assert.True(IsGood(r)));
    }

    [Fact]
    public void Some_pushes_are_repeated_and_some_rows_sent_again_under_another_key()
    {
        var feed = Feed("traffic/default");
        var pushes = Live(feed, 4_000);

        Assert.InRange(pushes.Count(feed.IsRepeated) / 4_000.0, 0.02, 0.04);
        Assert.InRange(pushes.Count(feed.IsSentAgain) / 4_000.0, 0.005, 0.015);
    }

    [Fact]
    public void One_feed_falls_silent() => Assert.Single(DemoFeeds.All(s_city.Value, 1, 1, default), f => f.SilentAfter is not null);

    [Fact]
    public void Short_and_long_stretches_count_about_the_same_traffic()
    {
        double Vehicles(IEnumerable<DemoRow> rows) => rows.Sum(r => (int)r["vehicles"]!);
        var feed = Feed("traffic/default");
        var fast = Feed("traffic/default", 20);
        var hour = s_start.AddHours(4);

        var past = Vehicles(feed.CatchUp(hour, hour.AddMinutes(30)).Push!.Rows);

        Assert.InRange(Vehicles(Live(feed, 360, hour).SelectMany(p => p.Rows)) / past, 0.9, 1.1);
        Assert.InRange(Vehicles(Live(fast, (int)(TimeSpan.FromMinutes(30) / fast.Slot), hour).SelectMany(p => p.Rows)) / past, 0.9, 1.1);
    }

    [Fact]
    public void Reports_open_move_on_get_corrected_and_close_and_a_few_are_deleted()
    {
        var feed = Feed("reports/default");
        var rows = new List<DemoRow>();
        for (var at = s_start; at < s_start.AddHours(96);)
        {
            var (push, to) = feed.CatchUp(at, s_start.AddHours(96));
            rows.AddRange(push?.Rows ?? []);
            at = to;
        }

        var lives = rows.GroupBy(r => (string)r["id"]!).Select(g => g.ToArray()).Where(l => l[0]["status"] is "open" && (int)l[0]["revision"]! == 1).ToArray();
        Assert.InRange(lives.Length, 1_000, 4_000);
        Assert.All(lives, life => Assert.Equal(
            Enumerable.Range(1, life.Length), life.Select((r, i) => r["@delete"] is true ? i + 1 : (int)r["revision"]!)));
        double Share(Func<DemoRow[], bool> which) => lives.Count(which) / (double)lives.Length;
        Assert.InRange(Share(l => l[^1]["@delete"] is true), 0.01, 0.03);
        Assert.InRange(Share(l => l.Count(r => r["status"] is "open") > 1), 0.03, 0.07);
        Assert.InRange(Share(l => l[^1]["status"] is "done"), 0.5, 0.93);
        Assert.All(lives.Where(l => l[^1]["status"] is "done"), l => Assert.NotNull(l[^1]["closed"]));
        Assert.All(rows.Where(r => r["@delete"] is null), r => Assert.Contains(r["category"], DemoReportFeed.Categories));
    }

    [Fact]
    public void Reports_opened_before_the_demo_are_not_told_of()
    {
        var feed = DemoFeeds.All(s_city.Value, 1, 1, s_start).Single(f => f.Name == "reports/default");
        var told = feed.CatchUp(s_start.AddHours(8), s_start.AddHours(9)).Push!.Rows.Where(r => r["opened"] is not null).ToArray();

        Assert.NotEmpty(told);
        Assert.All(told, r => Assert.True(DateTimeOffset.Parse((string)r["opened"]!, null) >= s_start));
    }

    [Fact]
    public void Live_reports_go_on_where_the_past_ended()
    {
        var feed = Feed("reports/default");
        var whole = feed.CatchUp(s_start.AddHours(3), s_start.AddHours(4)).Push!.Rows;
        var live = Live(feed, 360, s_start.AddHours(3)).SelectMany(p => p.Rows).ToArray();

        Assert.Equal(whole.Select(Text), live.Select(Text));

        static string Text(DemoRow row) => Encoding.UTF8.GetString(DemoRow.Write([row], DemoFormat.Json));
    }

    [Fact]
    public void Every_format_holds_the_same_rows()
    {
        DemoRow[] rows = [new(("a", "x"), ("b", 1.5)), new(("a", "y"), ("b", null))];

        Assert.Equal("""[{"a":"x","b":1.5},{"a":"y","b":null}]""", Encoding.UTF8.GetString(DemoRow.Write(rows, DemoFormat.Json)));
        Assert.Equal("{\"a\":\"x\",\"b\":1.5}\n{\"a\":\"y\",\"b\":null}\n", Encoding.UTF8.GetString(DemoRow.Write(rows, DemoFormat.NdJson)));
        Assert.Equal("a,b\r\nx,1.5\r\ny,\r\n", Encoding.UTF8.GetString(DemoRow.Write(rows, DemoFormat.Csv)));
    }

    [Fact]
    public void All_definitions_are_JSON_and_name_what_there_is()
    {
        foreach (var body in DemoDefinitions.Agencies.Select(a => a.Body).Concat(DemoDefinitions.Datasets.Select(d => d.Body)).Concat(DemoDefinitions.Feeds.Select(f => f.Body)).Concat(DemoDefinitions.Indicators.Select(i => i.Body)))
        {
            using var _ = JsonDocument.Parse(body);
        }

        Assert.All(DemoFeeds.All(s_city.Value, 1, 1, default), f => Assert.Contains((f.Agency, f.Dataset), DemoDefinitions.Datasets.Select(d => (d.Agency, d.Id))));
        Assert.Equal(
            DemoFeeds.All(s_city.Value, 1, 1, default).Select(f => f.Name).Order(), DemoDefinitions.Feeds.Select(f => $"{f.Dataset}/{f.Id}").Order());
        Assert.InRange(DemoDefinitions.Indicators.Length, 12, 20);
    }
}
