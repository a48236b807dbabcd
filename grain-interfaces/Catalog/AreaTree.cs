using System.Diagnostics.CodeAnalysis;

namespace DataHub.Catalog;

/// <summary>
/// One version of an area system as a tree that answers quickly: who is above, who is below. Immutable and safe for
/// use by many threads.
/// </summary>
public sealed class AreaTree
{
    private readonly Area[] _areas;
    private readonly int[] _parents;
    private readonly int[][] _children;
    private readonly int[][] _levels;
    private readonly Dictionary<string, int> _places;

    /// <param name="system">A checked system; see <see cref="AreaRefusal"/>.</param>
    /// <exception cref="ArgumentException">An id occurs twice, a parent is unknown, or a level is not its parent's plus one.</exception>
    public AreaTree(AreaSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        System = system;
        _areas = [.. system.Areas.OrderBy(a => a.Id, StringComparer.Ordinal)];
        _places = new(_areas.Length, StringComparer.Ordinal);
        for (var i = 0; i < _areas.Length; i++)
        {
            if (!_places.TryAdd(_areas[i].Id, i))
                throw new ArgumentException($"Area system {system.Id}: area {_areas[i].Id} occurs twice.", nameof(system));
        }

        _parents = new int[_areas.Length];
        var children = new List<int>?[_areas.Length];
        for (var i = 0; i < _areas.Length; i++)
        {
            var area = _areas[i];
            _parents[i] = -1;
            if (area.Parent is null)
            {
                if (area.Level != 0)
                    throw new ArgumentException($"Area system {system.Id}: area {area.Id} at level {area.Level} has no parent.", nameof(system));
                continue;
            }

            if (!_places.TryGetValue(area.Parent, out var parent) || _areas[parent].Level != area.Level - 1)
                throw new ArgumentException($"Area system {system.Id}: area {area.Id} at level {area.Level} has no parent {area.Parent} at level {area.Level - 1}.", nameof(system));
            _parents[i] = parent;
            (children[parent] ??= []).Add(i);
        }

        _children = [.. children.Select(c => c?.ToArray() ?? [])];
        _levels = [.. Enumerable.Range(0, _areas.Length).GroupBy(i => _areas[i].Level).OrderBy(g => g.Key).Select(g => g.ToArray())];
    }

    /// <summary>The version this tree was made of.</summary>
    public AreaSystem System { get; }

    /// <summary>How many levels there are; areas are at 0 to this minus one.</summary>
    public int Levels => _levels.Length;

    /// <summary>All areas, by id (ordinal).</summary>
    public IReadOnlyList<Area> Areas => _areas;

    /// <returns>The area's place in <see cref="Areas"/>; −1 where there is none of this id.</returns>
    public int PlaceOf(string id) => _places.TryGetValue(id, out var place) ? place : -1;

    /// <returns>False, and null in <paramref name="area"/>, where there is none of this id.</returns>
    public bool TryGet(string id, [MaybeNullWhen(false)] out Area area)
    {
        var known = _places.TryGetValue(id, out var place);
        area = known ? _areas[place] : null;
        return known;
    }

    /// <summary>The area at a level that the given one lies in: itself where it is at that level.</summary>
    /// <returns>Null where the area is unknown or coarser than the level.</returns>
    public string? AncestorAt(string id, int level)
    {
        if (!_places.TryGetValue(id, out var place)) return null;
        while (place >= 0 && _areas[place].Level > level) place = _parents[place];
        return place >= 0 && _areas[place].Level == level ? _areas[place].Id : null;
    }

    /// <summary>The areas at a level that lie in the given one, by id (ordinal); itself where it is at that level.</summary>
    /// <returns>Empty where the area is unknown or finer than the level.</returns>
    public IReadOnlyList<string> DescendantsAt(string id, int level)
    {
        if (!_places.TryGetValue(id, out var place)) return [];
        var found = new List<string>();
        Visit(place, i =>
        {
            if (_areas[i].Level == level) found.Add(_areas[i].Id);
            return _areas[i].Level < level;
        });
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>The area and everything in it, at all levels; empty where it is unknown.</summary>
    public IReadOnlySet<string> WithDescendants(string id)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        if (_places.TryGetValue(id, out var place))
        {
            Visit(place, i =>
            {
                found.Add(_areas[i].Id);
                return true;
            });
        }

        return found;
    }

    /// <summary>The areas of a level by id (ordinal); none where there is no such level.</summary>
    public IEnumerable<Area> AtLevel(int level) => level < 0 || level >= _levels.Length ? [] : _levels[level].Select(i => _areas[i]);

    /// <summary>Calls <paramref name="visit"/> for the area and, as long as it answers true, for what lies in it.</summary>
    private void Visit(int from, Func<int, bool> visit)
    {
        var open = new Stack<int>();
        open.Push(from);
        while (open.TryPop(out var place))
        {
            if (!visit(place)) continue;
            foreach (var child in _children[place]) open.Push(child);
        }
    }
}
