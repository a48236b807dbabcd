using System.Runtime.InteropServices;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>What a query wants to see, checked against the area system.</summary>
/// <param name="Level">Level that areas are rolled up to; null: as rows carry them.</param>
/// <param name="Area">Only this area or what lies in it at that level; null: all.</param>
/// <param name="AreaLevel">That area's own level.</param>
/// <param name="Whole">All areas together.</param>
/// <param name="Within">Only these areas; null: all.</param>
internal sealed record RollUpTarget(int? Level, string? Area, int AreaLevel, bool Whole = false, IReadOnlySet<string>? Within = null);

/// <summary>One page of an answer.</summary>
/// <param name="ValidUntil">The earliest end of a window in it that is not over; null where all are.</param>
internal sealed record RolledUp(IndicatorValue[] Rows, ValuesCursor? Next, DateTimeOffset? ValidUntil);

/// <summary>
/// Makes an answer of the partitions' cells: merges them, rolls areas up, takes the page's part, suppresses, rounds.
/// Pure; order of partitions and cells does not matter.
/// </summary>
internal static class CellRollUp
{
    /// <summary>Checks level and area.</summary>
    /// <param name="areas">The indicator's area system; null where it has none.</param>
    /// <returns>The target, or what is wrong.</returns>
    public static (RollUpTarget? Target, LocalText? Fault) Aim(IndicatorSpec spec, AreaTree? areas, ValuesQuery query)
    {
        var (target, fault) = Asked(spec, areas, query);
        return target is null || query.Within?.Areas is not { } given ? (target, fault)
            : (target with { Within = given.SelectMany(area => (IEnumerable<string>?)areas?.WithDescendants(area) ?? []).ToHashSet(StringComparer.Ordinal) }, null);
    }

    private static (RollUpTarget? Target, LocalText? Fault) Asked(IndicatorSpec spec, AreaTree? areas, ValuesQuery query)
    {
        var (level, area) = (query.Level, query.Area);
        if (query.Whole)
        {
            return level is null && area is null
                ? (new(null, null, 0, Whole: true), null)
                : (null, new("whole: Alle Gebiete zusammen geht nicht mit level oder area.", "whole: All areas together does not go with level or area."));
        }

        if (level is null && area is null) return (new(null, null, 0), null);
        if (!spec.ByArea || areas is null)
            return (null, new("level, area: Dieser Indikator ist nicht nach Gebieten gegliedert.", "level, area: This indicator is not grouped by area."));
        if (level is { } wanted && (wanted < 0 || wanted >= areas.Levels))
            return (null, new($"level: {areas.System.Id} hat die Ebenen 0 bis {areas.Levels - 1}.", $"level: {areas.System.Id} has the levels 0 to {areas.Levels - 1}."));
        if (area is null) return (new(level, null, 0), null);
        if (!areas.TryGet(area, out var found))
            return (null, new($"area: Das Gebiet „{area}“ gibt es in {areas.System.Id} nicht.", $"area: The area “{area}” does not exist in {areas.System.Id}."));
        return level < found.Level
            ? (null, new($"level, area: „{area}“ liegt auf Ebene {found.Level}, also unter Ebene {level}.", $"level, area: “{area}” is at level {found.Level}, which is below level {level}."))
            : (new(level ?? found.Level, area, found.Level), null);
    }

    /// <param name="definition">Gives function, rounding and disclosure.</param>
    /// <param name="areas">Needed where <paramref name="target"/> has a level.</param>
    /// <param name="target">From <see cref="Aim"/>.</param>
    /// <param name="query">Gives latest, cursor and limit; the cells are of its time range already.</param>
    /// <param name="partitions">The cells of each partition, of the windows that <see cref="ReadRange"/> names.</param>
    /// <param name="now">Windows that end after this are preliminary.</param>
    public static RolledUp Make(
        IndicatorDefinition definition, AreaTree? areas, RollUpTarget target, ValuesQuery query, IEnumerable<IReadOnlyList<CellValue>> partitions, DateTimeOffset now) =>
        Make(definition, areas, target, query, partitions, [], now, only: null);

    /// <summary>Which places of the answer the touched cells belong to, and since which marks.</summary>
    /// <param name="areas">As for <see cref="Make(IndicatorDefinition, AreaTree?, RollUpTarget, ValuesQuery, IEnumerable{IReadOnlyList{CellValue}}, DateTimeOffset)"/>.</param>
    /// <param name="target">From <see cref="Aim"/>.</param>
    /// <param name="partitions">The touched cells of each partition.</param>
    /// <param name="marks">Per mark a sequence for each partition; null: nothing is asked for this one.</param>
    public static Dictionary<Place, uint> Touched(
        AreaTree? areas, RollUpTarget target, IReadOnlyList<IReadOnlyList<TouchedCell>> partitions, IReadOnlyList<long[]?> marks)
    {
        var places = new Dictionary<string, string?>(StringComparer.Ordinal);
        var touched = new Dictionary<Place, uint>();
        for (var partition = 0; partition < partitions.Count; partition++)
        {
            foreach (var cell in partitions[partition])
            {
                if (!places.TryGetValue(cell.Area, out var area)) places[cell.Area] = area = PlaceOf(cell.Area, areas, target);
                if (area is null) continue;
                var since = 0u;
                for (var mark = 0; mark < marks.Count; mark++)
                {
                    if (marks[mark] is { } sequences && cell.Sequence > sequences[partition]) since |= 1u << mark;
                }

                if (since == 0) continue;
                ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(touched, new(cell.WindowFrom, area, cell.Dimensions), out _);
                known |= since;
            }
        }

        return touched;
    }

    /// <summary>With coverage a value also says how many series reported in the window before: what touches that touches the value.</summary>
    /// <returns>The touched places with those in the window after each.</returns>
    public static Dictionary<Place, uint> WithNext(IndicatorSpec spec, Dictionary<Place, uint> touched)
    {
        if (spec.Coverage is not true) return touched;
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var all = new Dictionary<Place, uint>(touched);
        foreach (var (place, since) in touched)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(all, place with { Window = windows.Next(place.Window) }, out _);
            known |= since;
        }

        return all;
    }

    /// <summary>The touched places as they are told.</summary>
    public static TouchedPlace[] Tell(IndicatorSpec spec, IEnumerable<KeyValuePair<Place, uint>> touched)
    {
        var dimensions = new Dictionary<string, string?[]>(StringComparer.Ordinal);
        return
        [
            .. touched.Select(place => new TouchedPlace(
                Instant(place.Key.Window), spec.ByArea && place.Key.Area.Length > 0 ? place.Key.Area : null, DimensionsOf(place.Key.Dimensions, dimensions), place.Value)),
        ];
    }

    /// <inheritdoc cref="Make(IndicatorDefinition, AreaTree?, RollUpTarget, ValuesQuery, IEnumerable{IReadOnlyList{CellValue}}, DateTimeOffset)"/>
    /// <param name="openings">Of each partition what was open before the first window; only for open records.</param>
    /// <param name="only">Leaves out all other places.</param>
    public static RolledUp Make(
        IndicatorDefinition definition, AreaTree? areas, RollUpTarget target, ValuesQuery query, IEnumerable<IReadOnlyList<CellValue>> partitions,
        IEnumerable<IReadOnlyList<CellValue>> openings, DateTimeOffset now, Dictionary<Place, uint>? only)
    {
        var values = Values(definition.Spec, areas, target, query, partitions, openings, now);
        return Page(definition.Spec, query, values, now, only);
    }

    /// <summary>The values of a query, not yet suppressed, rounded or cut into pages.</summary>
    public static DerivedValues Values(
        IndicatorSpec spec, AreaTree? areas, RollUpTarget target, ValuesQuery query, IEnumerable<IReadOnlyList<CellValue>> partitions,
        IEnumerable<IReadOnlyList<CellValue>> openings, DateTimeOffset now)
    {
        var cells = Merge(spec, areas, target, partitions);
        return spec.Function == MeasureFunction.Open
            ? new OpenValues(spec, query, cells, Merge(spec, areas, target, openings), now)
            : new WindowValues(spec, query, cells, now);
    }

    /// <summary>What cells come to at each place.</summary>
    private static Dictionary<Place, PlaceCell> Merge(IndicatorSpec spec, AreaTree? areas, RollUpTarget target, IEnumerable<IReadOnlyList<CellValue>> partitions)
    {
        var places = new Dictionary<string, string?>(StringComparer.Ordinal);
        var merged = new Dictionary<Place, PlaceCell>();
        foreach (var cells in partitions)
        {
            foreach (var cell in cells)
            {
                if (cell.State.Length == 0) continue;
                if (!places.TryGetValue(cell.Area, out var area)) places[cell.Area] = area = PlaceOf(cell.Area, areas, target);
                if (area is null) continue;

                var place = new Place(cell.WindowFrom, area, cell.Dimensions);
                if (merged.TryGetValue(place, out var known)) known.Add(cell.State);
                else merged.Add(place, new(spec.Function, cell.State));
            }
        }

        return merged;
    }

    /// <summary>Suppresses, rounds, holds against the target, and cuts.</summary>
    public static RolledUp Page(IndicatorSpec spec, ValuesQuery query, DerivedValues values, DateTimeOffset now, Dictionary<Place, uint>? only)
    {
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var due = spec.Target?.Due is { } day ? windows.DayBegins(day.AddDays(1)) : long.MinValue;
        var dimensions = new Dictionary<string, string?[]>(StringComparer.Ordinal);
        var rows = new List<IndicatorValue>();
        var (last, more) = (default(Place), false);
        DateTimeOffset? validUntil = null;
        foreach (var place in values.After(query.After is { } after ? new Place(after.From.UtcTicks, after.Area, after.Dimensions) : null))
        {
            if (only is not null && !only.ContainsKey(place)) continue;
            if (rows.Count == query.Limit)
            {
                more = rows.Count > 0;
                break;
            }

            var derived = values.At(place);
            var to = Instant(windows.Next(place.Window));
            var suppressed = derived.Suppressed || (derived.Lack != ValueState.Missing && derived.Count < spec.MinimumCount);
            var state = suppressed ? ValueState.Suppressed : derived.Lack ?? (to > now ? ValueState.Preliminary : ValueState.Ok);
            if (to > now && (!suppressed || values.GrowWithTime) && (validUntil is null || to < validUntil)) validUntil = to;
            rows.Add(new(
                spec.ByArea && place.Area.Length > 0 ? place.Area : null,
                Instant(place.Window),
                to,
                DimensionsOf(place.Dimensions, dimensions),
                suppressed ? null : spec.Decimals is { } decimals && derived.Value is { } exact ? Decimals.Round(exact, decimals) : derived.Value,
                suppressed ? null : derived.Count,
                state)
            {
                Coverage = suppressed || place.Window <= query.Within?.CoverageAfter ? null : derived.Coverage,
                Target = suppressed || derived.Value is not { } value || spec.Target is not { } aim ? null : TargetRules.State(aim, value, to.UtcTicks <= due),
            });
            last = place;
        }

        return new([.. rows], more ? new(Instant(last.Window), last.Area, last.Dimensions) : null, validUntil);
    }

    /// <summary>The area a cell counts for; empty for all together and for rows without one, null where it is not asked for.</summary>
    internal static string? PlaceOf(string area, AreaTree? areas, RollUpTarget target)
    {
        if (target.Whole) return target.Within is null ? "" : null;
        if (area.Length == 0) return target.Area is null && target.Within is null ? area : null;
        if (target.Level is not { } level) return target.Within?.Contains(area) is false ? null : area;
        var place = areas!.AncestorAt(area, level);
        return place is null || (target.Area is not null && areas.AncestorAt(place, target.AreaLevel) != target.Area) || target.Within?.Contains(place) is false ? null : place;
    }

    private static string?[]? DimensionsOf(string json, Dictionary<string, string?[]> known)
    {
        if (json.Length == 0) return null;
        if (!known.TryGetValue(json, out var values)) known[json] = values = JsonSerializer.Deserialize<string?[]>(json)!;
        return values;
    }

    /// <summary>The end of the time line is one tick beyond the last instant.</summary>
    private static DateTimeOffset Instant(long ticks) => new(Math.Min(ticks, DateTime.MaxValue.Ticks), TimeSpan.Zero);

    /// <summary>By window, area, dimensions.</summary>
    public readonly record struct Place(long Window, string Area, string Dimensions) : IComparable<Place>
    {
        public int CompareTo(Place other)
        {
            var order = Window.CompareTo(other.Window);
            if (order == 0) order = string.CompareOrdinal(Area, other.Area);
            return order != 0 ? order : string.CompareOrdinal(Dimensions, other.Dimensions);
        }
    }
}
