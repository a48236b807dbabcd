using DataHub.Catalog;
using DataHub.Demo;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

using NetTopologySuite.IO;

namespace DataHub.Indicators;

/// <summary>A city with made-up values, to look at pages without a hub.</summary>
internal static class SampleCity
{
    public static readonly DateTimeOffset Now = new(2026, 11, 24, 2, 17, 5, TimeSpan.Zero);

    private static readonly Lazy<AreaTree> s_tree = new(() =>
    {
        var writer = new WKBWriter();
        return new(new AreaSystem("demo", 1, [.. DemoCity.Generate(7).Areas.Select(a => new Area(a.Id, a.Parent, a.Name, a.Level, a.Population, writer.Write(a.Shape)))])
        {
            Title = new("Stadt Beispielhausen", "City of Sampleton"),
        });
    });

    public static AreaTree Tree => s_tree.Value;

    public static IndicatorInfo Info(MeasureFunction function = MeasureFunction.Mean, string window = "PT1H", int? decimals = 1, string? unit = "ug/m3", string id = "no2-hourly") => new(
        id,
        new(id, 3, new(new("Stickstoffdioxid, Stundenmittel", "Nitrogen dioxide, hourly mean"), "air-quality", function, function == MeasureFunction.Count ? null : "no2", window, "Europe/Berlin", true, [], decimals, unit, AccessClass.Open)
        {
            Description = new("Mittel aller Messungen der Stunde an den Stationen eines Gebiets.", "Mean of all measurements of the hour at an area's stations."),
        }),
        null, "demo", 1, "dl-de/by-2-0", "senumvk");

    /// <summary>Values for the areas of a level; some missing, suppressed, of an older window.</summary>
    public static ValuesPage Page(IndicatorInfo info, int level, int seed = 1)
    {
        var random = new Random(seed);
        var windows = CalendarWindows.Parse(info.Definition.Spec.Window, "Europe/Berlin");
        var from = windows.Floor(Now.UtcTicks);
        var rows = new List<IndicatorValue>();
        foreach (var area in Tree.AtLevel(level))
        {
            var begin = random.Next(12) == 0 ? windows.Floor(from - 1) : from;
            if (random.Next(15) == 0) continue;
            var suppressed = random.Next(14) == 0;
            var value = Math.Round(8 + random.NextDouble() * random.NextDouble() * 70, info.Definition.Spec.Decimals ?? 3);
            rows.Add(new(area.Id, At(begin), At(windows.Next(begin)), null, suppressed ? null : value, suppressed ? null : random.Next(3, 60), suppressed ? ValueState.Suppressed : begin == from ? ValueState.Preliminary : ValueState.Ok));
        }

        return new(info, 184, "w1.AAECAwQ", "w1.AAECAwQ", Now, [.. rows], null, false);
    }

    /// <summary>The whole city, or one area, over the last windows.</summary>
    public static IndicatorValue[] Course(IndicatorInfo info, int count)
    {
        var windows = CalendarWindows.Parse(info.Definition.Spec.Window, "Europe/Berlin");
        var rows = new List<IndicatorValue>();
        var from = windows.Floor(Now.UtcTicks);
        for (var i = 0; i < count; i++)
        {
            if (i != 9 && i != 10) rows.Add(new(null, At(from), At(windows.Next(from)), null, Math.Round(22 + 9 * Math.Sin(i / 4.0) + i % 3, info.Definition.Spec.Decimals ?? 3), 40 + i, i == 0 ? ValueState.Preliminary : ValueState.Ok));
            from = windows.Floor(from - 1);
        }

        return [.. rows];
    }

    public static CityView View(PageQuery query, IndicatorInfo? info = null)
    {
        info ??= Info();
        var display = Display.In(query.Language);
        var level = query.Level ?? 0;
        var shapes = new MapShapes(Options.Create(new PageOptions()));
        var page = Page(info, level);
        var course = Course(info, 60);
        var begin = DataHub.Indicators.Course.Begin(CalendarWindows.Parse(info.Definition.Spec.Window, "Europe/Berlin"), Now, 45);
        Area? area = null;
        if (query.Area is { } id) Tree.TryGet(id, out area);
        var city = display.Say("Ganze Stadt", "Whole city");
        var chosen = new ChosenIndicator(
            info, display.Unit(info.Definition.Spec.Unit), "Senatsverwaltung für Mobilität, Verkehr, Klimaschutz und Umwelt", "Luftgüte", new Dictionary<string, string> { ["no2"] = "NO₂" }, page.AsOf, page.Version, page.Watermark,
            [.. Enumerable.Range(0, Tree.Levels).Select(l => new LevelChoice(l, Tree.AtLevel(l).Count(), null))], level, area, AreaRows.Row(info, course[0], Tree, city, display), [],
            AreaRows.Table(page, Tree, level, null, query.Order, display),
            DataHub.Indicators.Course.Of(course, info.Definition.Spec, begin, 45, display),
            shapes.Get(Tree, level), level > 0 ? shapes.Get(Tree, 0) : null, area is not null && area.Level != level ? shapes.Get(Tree, area.Level)!.Shapes[area.Id] : null, ReadRefusal.None, null);
        string[] titles = ["Stickstoffdioxid, Stundenmittel", "Feinstaub PM10, Tagesmittel", "Ozon, Tageshöchstwert", "Niederschlag je Stunde", "Pegelstand, höchster Wert", "Kfz-Verkehr je Viertelstunde", "Radverkehr je Stunde", "Lufttemperatur, höchster Wert", "Hitzebelastung: Stunden über 30 °C", "Neue Meldungen je Tag", "Offene Meldungen", "Erledigte Meldungen je Tag"];
        var tiles = titles.Select((t, i) => new IndicatorTile(i == 0 ? info.Id : "i" + i, t, i == 0 ? "µg/m³" : i < 3 ? "µg/m³" : i == 3 ? "mm" : "", i == 4 ? null : AreaRows.Row(info, course[i == 0 ? 0 : i + 12] with { State = i % 3 == 0 ? ValueState.Preliminary : ValueState.Ok }, Tree, city, display), i == 4 ? 0 : 1, false));
        return new(query with { Indicator = info.Id, Level = level }, Tree.System.Title!.In(query.Language), [.. tiles], null, chosen, "");
    }

    public static async Task<string> HtmlAsync(CityView view)
    {
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        var pages = new PageRenderer(services, NullLoggerFactory.Instance, Options.Create(new PageOptions()));
        var body = await pages.FrontPageAsync(view.Query, view, "http://localhost");
        return System.Text.Encoding.UTF8.GetString(body.Html.Span);
    }

    private static DateTimeOffset At(long ticks) => new(ticks, TimeSpan.Zero);
}
