using System.Net;
using System.Text.RegularExpressions;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>The front page as a pure function of what the grains answered.</summary>
public sealed partial class FrontPageTests
{
    private static readonly PageQuery s_query = new("de", false, null, 0, null, null, RowOrder.Area, null);

    [Fact]
    public async Task Every_number_on_the_map_stands_in_the_table()
    {
        for (var level = 0; level < SampleCity.Tree.Levels; level++)
        {
            var html = await HtmlAsync(s_query with { Level = level });
            var table = ValueCell().Matches(html).Select(m => m.Groups[1].Value).ToHashSet();
            var map = html[html.IndexOf("<svg class=\"areas\"", StringComparison.Ordinal)..html.IndexOf("id=\"list-title\"", StringComparison.Ordinal)];
            var titles = Title().Matches(map).Select(m => m.Groups[1].Value).ToList();
            Assert.Equal(SampleCity.Tree.AtLevel(level).Count(), titles.Count);
            foreach (var title in titles)
            {
                var value = TitleValue().Match(title).Groups[1].Value;
                if (value.Length > 0) Assert.Contains(value, table);
                else Assert.True(title.EndsWith("keine Daten", StringComparison.Ordinal) || title.Contains("unterdrückt", StringComparison.Ordinal), title);
            }

            foreach (var number in MapNumber().Matches(map).SelectMany(m => m.Groups[1].Value.Split(" – "))) Assert.Contains(number, table);
        }
    }

    [Fact]
    public void Equal_values_are_in_one_class_and_every_bound_is_a_value()
    {
        var random = new Random(3);
        for (var round = 0; round < 500; round++)
        {
            var values = Enumerable.Range(0, random.Next(0, 40)).Select(_ => (double)random.Next(0, 9)).ToArray();
            var classes = Choropleth.Of(values).Classes;
            Assert.True(classes.Length <= Math.Min(Choropleth.MaxClasses, values.Distinct().Count()));
            Assert.Equal(values.Length, classes.Sum(c => c.Areas));
            Assert.All(values, v => Assert.Single(classes, c => v >= c.Least && v <= c.Greatest));
            Assert.All(classes, c => Assert.True(values.Contains(c.Least) && values.Contains(c.Greatest)));
        }
    }

    [Fact]
    public void Neighbours_on_the_map_share_their_corners()
    {
        var shape = new MapShapes(Microsoft.Extensions.Options.Options.Create(new PageOptions())).Get(SampleCity.Tree, 0)!;
        // Snapped corners of the districts lie on corners of the planning areas within them or on straight lines between those: the frame fits.
        Assert.Equal(12, shape.Shapes.Count);
        Assert.All(shape.Shapes.Values, s => Assert.Matches("^(M\\d+ \\d+l[-0-9 ]+z)+$", s.Path));
        Assert.InRange(shape.Shapes.Values.Sum(s => s.Path.Length), 100, 30_000);
    }

    [Theory]
    [InlineData("PT1H", "2026-10-25T00:00Z", "2026-10-25T01:00Z", "25.10.2026, 02:00–\u206002:00 (+02:00)\u00a0Uhr")]
    [InlineData("PT1H", "2026-10-25T01:00Z", "2026-10-25T02:00Z", "25.10.2026, 02:00–\u206003:00 (+01:00)\u00a0Uhr")]
    [InlineData("PT1H", "2026-11-24T02:00Z", "2026-11-24T03:00Z", "24.11.2026, 03:00–\u206004:00\u00a0Uhr")]
    [InlineData("P1D", "2026-11-23T23:00Z", "2026-11-24T23:00Z", "Di.\u00a024.11.2026")]
    [InlineData("P1W", "2026-11-22T23:00Z", "2026-11-29T23:00Z", "KW 48 (23.11.2026 – 29.11.2026)")]
    [InlineData("P1M", "2026-10-31T23:00Z", "2026-11-30T23:00Z", "November 2026")]
    [InlineData("P3M", "2026-09-30T22:00Z", "2026-12-31T23:00Z", "Oktober – Dezember 2026")]
    [InlineData("P1Y", "2025-12-31T23:00Z", "2026-12-31T23:00Z", "2026")]
    public void Windows_are_written_by_the_clock_of_their_zone(string window, string from, string to, string expected) =>
        Assert.Equal(expected, Display.German.Window(Instant(from), Instant(to), window, "Europe/Berlin"));

    [Theory]
    [InlineData(1234.56, 1, "1.234,6", "1,234.6")]
    [InlineData(-1234, 0, "−1.234", "−1,234")]
    [InlineData(-0.04, 1, "0,0", "0.0")]
    [InlineData(23.4, null, "23,4", "23.4")]
    [InlineData(0, 2, "0,00", "0.00")]
    public void Numbers_are_written_as_people_of_the_language_do(double value, int? decimals, string german, string english)
    {
        Assert.Equal(german, Display.German.Number(value, decimals));
        Assert.Equal(english, Display.English.Number(value, decimals));
    }

    [Theory]
    [InlineData(0, 12.3, true)]
    [InlineData(-7, 12.3, true)]
    [InlineData(21.2, 21.4, false)]
    [InlineData(5, 5, false)]
    [InlineData(0, 0, true)]
    [InlineData(-3e7, 1e9, false)]
    [InlineData(0.00012, 0.00019, false)]
    public void The_axis_of_a_course_has_even_marks_around_its_values(double least, double greatest, bool fromZero)
    {
        var (ticks, _) = Course.Axis(least, greatest, fromZero);
        Assert.InRange(ticks.Length, 3, 9);
        Assert.True(ticks[0] <= least && ticks[^1] >= greatest, string.Join(" ", ticks));
        var step = ticks[1] - ticks[0];
        for (var i = 1; i < ticks.Length; i++) Assert.Equal(step, ticks[i] - ticks[i - 1], step * 1e-6);
        if (fromZero) Assert.Contains(0, ticks);
    }

    [Fact]
    public async Task A_page_is_one_language_and_every_link_keeps_it()
    {
        var english = await HtmlAsync(s_query with { Language = "en", LanguageChosen = true });
        Assert.Contains("<html lang=\"en\"", english, StringComparison.Ordinal);
        Assert.DoesNotContain("Gebiet", english, StringComparison.Ordinal);
        Assert.DoesNotContain("Zeitfenster", english, StringComparison.Ordinal);
        Assert.All(AreaLink().Matches(english), m => Assert.Contains("lang=en", m.Value, StringComparison.Ordinal));
        var german = await HtmlAsync(s_query);
        Assert.DoesNotContain("Table", german, StringComparison.Ordinal);
        Assert.Contains("Stadt Beispielhausen", german, StringComparison.Ordinal);
        Assert.Contains("Ebene 0 · 12 Gebiete", Regex.Replace(german, "<[^>]+>", ""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_agencies_write_cannot_become_markup()
    {
        var info = SampleCity.Info();
        var spec = info.Definition.Spec with { Title = new("<script>alert(1)</script>", null), Unit = "\"><img src=x>" };
        var html = await SampleCity.HtmlAsync(SampleCity.View(s_query, info with { Definition = info.Definition with { Spec = spec } }));
        Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", html, StringComparison.Ordinal);
        Assert.DoesNotContain(" style=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("onclick", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_shows_one_combination_of_dimensions_and_names_rows_without_an_area()
    {
        var info = SampleCity.Info(MeasureFunction.Count, "P1D", 0, "{report}");
        var spec = info.Definition.Spec with { Dimensions = ["kind"] };
        info = info with { Definition = info.Definition with { Spec = spec } };
        var (from, to) = (Instant("2026-11-22T23:00Z"), Instant("2026-11-23T23:00Z"));
        IndicatorValue Row(string? area, string? kind, double value, int days = 0) => new(area, from.AddDays(days), to.AddDays(days), [kind], value, (long)value, ValueState.Ok);
        var page = new ValuesPage(info, 1, "", "", from, [Row("01", "b", 3, -1), Row(null, "b", 9), Row("01", "a", 1), Row("02", "b", 5), Row("02", null, 7)], null, false);

        var combinations = AreaRows.Combinations(page, Display.German);
        Assert.Equal(["a", "b", "ohne Angabe"], combinations.Select(c => c.Words));
        var table = AreaRows.Table(page, SampleCity.Tree, 0, combinations[1].Json, RowOrder.Value, Display.German);
        Assert.Equal([9, 5, 3], table.Rows.Select(r => r.Value!.Value));
        Assert.Equal("ohne Gebiet", table.Rows[0].Name);
        Assert.Equal([false, false, true], table.Rows.Select(r => r.Older));
        Assert.Equal(10, table.Empty.Length);
        Assert.Equal("Meldungen", Display.German.Unit("{report}"));
    }

    [Fact]
    public async Task The_page_stays_small()
    {
        Assert.InRange((await HtmlAsync(s_query)).Length, 20_000, 80_000);
        Assert.InRange((await HtmlAsync(s_query with { Level = 3 })).Length, 200_000, 700_000);
    }

    private static async Task<string> HtmlAsync(PageQuery query) => WebUtility.HtmlDecode(await SampleCity.HtmlAsync(SampleCity.View(query)));

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex("<td class=\"right value\" data-flash><a [^>]+>([^<]+)</a></td>")]
    private static partial Regex ValueCell();

    [GeneratedRegex("<title>([^<]+)</title>")]
    private static partial Regex Title();

    [GeneratedRegex(": ([−0-9.,]+) µg/m³, ")]
    private static partial Regex TitleValue();

    [GeneratedRegex("(?:<text [^>]*>|<span class=\"range\">)([^<]+)<")]
    private static partial Regex MapNumber();

    [GeneratedRegex("<a [^>]*href=\"/\\?indicator[^\"]*area=[^\"]*\"")]
    private static partial Regex AreaLink();
}
