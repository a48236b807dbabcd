using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>Reads what a page shows from the grains, as whoever asks may see it. What is read for somebody in particular is kept for nobody.</summary>
internal sealed class CitySource(IClusterClient cluster, AreaDirectory areas, MapShapes shapes, ValuesMemory values, IOptions<PageOptions> options)
{
    /// <summary>Rows that one page shows.</summary>
    public const int MaxRows = 2_000;

    /// <summary>Values by combinations of dimensions that a tile or a course may need.</summary>
    private const int MaxValues = 10_000;

    /// <summary>How often the parts of a page are read again to make them of one version.</summary>
    private const int Attempts = 3;

    /// <returns>Null where the address names an indicator or an area that does not exist or that the caller may not read.</returns>
    public async Task<CityView?> ReadAsync(PageQuery query, Caller caller, CancellationToken cancellationToken)
    {
        var display = Display.In(query.Language);
        var (infos, next) = await IndicatorsAsync(query.After, caller, cancellationToken);
        var chosen = query.Indicator is { } id
            ? CatalogIds.IsValid(id) ? infos.Find(i => i.Id == id) ?? await InfoAsync(id, caller, cancellationToken) : null
            : infos.Where(i => i.Definition.Spec.ByArea && i.AreaSystem is not null).MinBy(i => Length(i.Definition.Spec)) ?? infos.FirstOrDefault();
        if (query.Indicator is not null && chosen is null) return null;

        var tree = chosen is { AreaSystem: { } system, Definition.Spec.ByArea: true } ? (await areas.GetAsync(system, chosen.AreaVersion, cancellationToken))?.Tree : null;
        Area? area = null;
        // An area that another indicator's system has is no mistake of the reader: they came from there.
        if (query.Area is { } areaId && tree is not null && !tree.TryGet(areaId, out area)) return null;

        var tiles = Task.WhenAll(infos.Select(i => TileAsync(i, area, tree, display, caller, cancellationToken)));
        var shown = chosen is null ? null : await ChosenAsync(chosen, tree, area, query, display, caller, cancellationToken);
        var city = tree?.System.Title?.In(query.Language) ?? await CityAsync(query.Language, cancellationToken);
        var view = new CityView(query with { Indicator = chosen?.Id, Level = shown?.Level, Area = area?.Id }, city, [.. await tiles], next, shown, "");
        return view with { Fingerprint = Fingerprint(view) };
    }

    /// <summary>Title of the first area system, for pages that show no indicator.</summary>
    public async Task<string?> CityAsync(string language, CancellationToken cancellationToken)
    {
        foreach (var id in await cluster.GetGrain<ICatalogGrain>(CatalogKinds.AreaSystems).ListAsync(Caller.Public, null, 10).WaitAsync(cancellationToken))
        {
            if ((await cluster.GetGrain<IAreaSystemGrain>(id).PresentAsync(Caller.Public).WaitAsync(cancellationToken))?.Title is { } title) return title.In(language);
        }

        return null;
    }

    private async Task<(List<IndicatorInfo> Infos, string? Next)> IndicatorsAsync(string? after, Caller caller, CancellationToken cancellationToken)
    {
        var wanted = options.Value.IndicatorsPerPage;
        var catalog = cluster.GetGrain<ICatalogGrain>(CatalogKinds.Indicators);
        var found = new List<IndicatorInfo>();
        while (true)
        {
            var ids = await catalog.ListAsync(caller, after, wanted + 1).WaitAsync(cancellationToken);
            foreach (var info in await Task.WhenAll(ids.Select(id => InfoAsync(id, caller, cancellationToken))))
            {
                if (info is null) continue;
                if (found.Count == wanted) return (found, found[^1].Id);
                found.Add(info);
            }

            if (ids.Length <= wanted) return (found, null);
            after = ids[^1];
        }
    }

    /// <summary>An indicator whose values the caller may read; null: there is none.</summary>
    private async Task<IndicatorInfo?> InfoAsync(string id, Caller caller, CancellationToken cancellationToken)
    {
        var grain = cluster.GetGrain<IIndicatorGrain>(id);
        if (await grain.GetAsync(caller).WaitAsync(cancellationToken) is not { } info) return null;
        if (info.Definition.Spec.Access == AccessClass.Open) return info;
        if (caller.IsPublic) return null;
        var explained = await grain.AccessAsync(caller, caller).WaitAsync(cancellationToken);
        return explained?.Decisions.Any(decision => decision is { Right: AccessRights.ReadRows, IsAllowed: true }) is true ? info : null;
    }

    private async Task<IndicatorTile> TileAsync(IndicatorInfo info, Area? area, AreaTree? tree, Display display, Caller caller, CancellationToken cancellationToken)
    {
        var spec = info.Definition.Spec;
        var cityWide = area is not null && (!spec.ByArea || info.AreaSystem != tree?.System.Id);
        var answer = await values.ReadAsync(caller, info.Id, Latest(spec, cityWide ? null : area), cancellationToken);
        var rows = answer.Page?.Rows ?? [];
        return new(info.Id, spec.Title.In(display.Language), display.Unit(spec.Unit), rows.Length == 1 ? AreaRows.Row(info, rows[0], tree, WholeCity(display), display) : null, rows.Length, cityWide);
    }

    private async Task<ChosenIndicator> ChosenAsync(IndicatorInfo info, AreaTree? tree, Area? area, PageQuery query, Display display, Caller caller, CancellationToken cancellationToken)
    {
        var spec = info.Definition.Spec;
        var level = tree is null ? (int?)null : Math.Min(query.Level ?? 0, tree.Levels - 1);
        var describing = cluster.GetGrain<IDatasetGrain>(spec.Dataset).GetAsync(caller).WaitAsync(cancellationToken);
        var publisher = cluster.GetGrain<IAgencyGrain>(info.Publisher).GetAsync(caller).WaitAsync(cancellationToken);

        ValuesResult table, headline, course;
        DateTimeOffset begin = default;
        var attempt = 0;
        do
        {
            var answers = await Task.WhenAll(
                values.ReadAsync(caller, info.Id, new(null, null, true, level, null, null, null, MaxRows), cancellationToken),
                values.ReadAsync(caller, info.Id, Latest(spec, area), cancellationToken));
            (table, headline) = (answers[0], answers[1]);
            course = headline;
            if (headline.Page is { Rows: [_, ..] rows })
            {
                begin = Course.Begin(CalendarWindows.Parse(spec.Window, spec.TimeZone), rows.Max(r => r.From), options.Value.ChartWindows);
                course = await values.ReadAsync(caller, info.Id, Latest(spec, area) with { Latest = false, From = begin, Limit = MaxValues }, cancellationToken);
            }
        }
        while (++attempt < Attempts && (table.Page?.Version != headline.Page?.Version || table.Page?.Version != course.Page?.Version));

        var unit = display.Unit(spec.Unit);
        var name = (await publisher)?.Name.In(display.Language) ?? info.Publisher;
        var described = await describing;
        var dataset = described?.Spec.Title.In(display.Language) ?? spec.Dataset;
        var fields = described?.Spec.Schema.Fields.Where(f => f.Title is not null).ToDictionary(f => f.Name, f => f.Title!.In(display.Language), StringComparer.Ordinal) ?? [];
        var levels = tree is null ? [] : Enumerable.Range(0, tree.Levels).Select(l => new LevelChoice(l, tree.AtLevel(l).Count(), tree.System.LevelTitle(l)?.In(display.Language))).ToImmutableArray();
        if (table.Page is not { } page)
        {
            return new(info, unit, name, dataset, fields, null, 0, "", levels, level, area, null, [], AreaTable.None, null, null, null, null, table.Refusal, table.Detail?.In(display.Language));
        }

        var combinations = AreaRows.Combinations(page, display);
        var combination = combinations.Any(c => c.Json == query.Dimensions) ? query.Dimensions : combinations.Length > 0 ? combinations[0].Json : null;
        bool IsChosen(IndicatorValue row) => AreaRows.Combination(row.Dimensions) == combination;

        var rowsShown = AreaRows.Table(page, tree, level, combination, query.Order, display);
        var latest = headline.Page?.Rows.Where(IsChosen).Select(r => AreaRows.Row(info, r, tree, WholeCity(display), display)).FirstOrDefault();
        var marked = tree is not null && area is not null && area.Level != level ? shapes.Get(tree, area.Level)?.Shapes.GetValueOrDefault(area.Id) : null;
        return new(
            page.Indicator, unit, name, dataset, fields, page.AsOf == DateTimeOffset.MinValue ? null : page.AsOf, page.Version, page.Watermark, levels, level, area, latest, combinations, rowsShown,
            course.Page is { } points ? Course.Of(points.Rows.Where(IsChosen), spec, begin, options.Value.ChartWindows, display) : null,
            tree is not null && level is { } l ? shapes.Get(tree, l) : null,
            tree is not null && level > 0 ? shapes.Get(tree, 0) : null,
            marked, ReadRefusal.None, null)
        {
            Dimensions = combination is null ? null : System.Text.Json.JsonSerializer.Deserialize<string?[]>(combination),
        };
    }

    /// <summary>How long a window is about, in ticks: without a choice the liveliest indicator is shown.</summary>
    private static long Length(IndicatorSpec spec)
    {
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var begin = windows.Floor(DateTimeOffset.UnixEpoch.UtcTicks);
        return windows.Next(begin) - begin;
    }

    private static string WholeCity(Display display) => display.Say("Ganze Stadt", "Whole city");

    /// <summary>The latest value of an area or, without one, of the whole city.</summary>
    private static ValuesQuery Latest(IndicatorSpec spec, Area? area) =>
        new(null, null, true, spec.ByArea ? area?.Level : null, spec.ByArea ? area?.Id : null, null, null, 1_000) { Whole = spec.ByArea && area is null };

    /// <summary>What could make the page another one: the versions of all answers, and the descriptions.</summary>
    private static string Fingerprint(CityView view)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{view.Query}|{view.City}|{view.NextAfter}|");
        foreach (var tile in view.Tiles) text.Append(CultureInfo.InvariantCulture, $"{tile}|");
        if (view.Chosen is { } chosen)
        {
            text.Append(CultureInfo.InvariantCulture, $"{chosen.Info.Definition.Version} {chosen.Version} {chosen.Watermark} {chosen.AsOf:O} {chosen.Spec.Title} {chosen.Spec.Description} ");
            text.Append(CultureInfo.InvariantCulture, $"{chosen.Info.License} {chosen.Publisher} {chosen.Dataset} {string.Join(' ', chosen.Fields)} {chosen.Info.AreaSystem} {chosen.Info.AreaVersion} {chosen.Refusal} {chosen.Trouble} {chosen.Headline} ");
            text.Append(CultureInfo.InvariantCulture, $"{chosen.Course?.Points.Length} {chosen.Course?.Points[^1]}");
        }

        return text.ToString();
    }
}

/// <summary>Answers of indicators that were read before: while the version is the same, the grain need not send them again. Bounded.</summary>
internal sealed class ValuesMemory(IClusterClient cluster, IOptions<PageOptions> options)
{
    /// <summary>A page asks for a table, a headline, a course and a tile per indicator.</summary>
    private const int AnswersPerPage = 8;

    private readonly ConcurrentDictionary<(string Indicator, ValuesQuery Query), Entry> _entries = new();
    private long _clock;

    /// <summary>The answer as it is now; a part of the hub that does not answer is a refusal. Only what the public is answered is remembered.</summary>
    public async Task<ValuesResult> ReadAsync(Caller caller, string indicator, ValuesQuery query, CancellationToken cancellationToken)
    {
        var key = (indicator, query);
        var known = caller.IsPublic ? _entries.GetValueOrDefault(key) : null;
        ValuesResult result;
        try
        {
            result = await cluster.GetGrain<IIndicatorGrain>(indicator).ValuesAsync(caller, query with { KnownVersion = known?.Page.Version }).WaitAsync(cancellationToken);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return new(ReadRefusal.Unavailable, null, null);
        }

        if (result.Page is not { } page || !caller.IsPublic) return result;
        if (page.NotModified && known is not null)
        {
            known.Used = Interlocked.Increment(ref _clock);
            return result with { Page = known.Page with { Indicator = page.Indicator, Current = page.Current, NotModified = false } };
        }

        _entries[key] = new(page) { Used = Interlocked.Increment(ref _clock) };
        while (_entries.Count > options.Value.CachedPages * AnswersPerPage) _entries.TryRemove(_entries.MinBy(e => e.Value.Used));
        return result;
    }

    private sealed class Entry(ValuesPage page)
    {
        public ValuesPage Page { get; } = page;

        public long Used { get; set; }
    }
}
