using NetTopologySuite.Algorithm.Locate;
using NetTopologySuite.Geometries;
using NetTopologySuite.Index;
using NetTopologySuite.Index.Strtree;
using NetTopologySuite.IO;

namespace DataHub.Catalog;

/// <summary>
/// One version of an area system, ready to say which area an id or a point belongs to. Immutable and safe for use by
/// many threads.
/// </summary>
public sealed class AreaIndex
{
    // The question itself, asked for every row.
    [ThreadStatic] private static Finding? t_finding;

    private readonly STRtree<Located>[] _levels;

    private AreaIndex(AreaTree tree, STRtree<Located>[] levels)
    {
        Tree = tree;
        _levels = levels;
    }

    /// <summary>The tree of the same version.</summary>
    public AreaTree Tree { get; }

    /// <summary>Id of the system.</summary>
    public string System => Tree.System.Id;

    /// <summary>The version that answers are made with.</summary>
    public int Version => Tree.System.Version;

    /// <summary>Whether any area has a polygon, so that points can be located at all.</summary>
    public bool HasGeometry => _levels.Length > 0;

    /// <exception cref="ArgumentException">The tree is not consistent, or a geometry is not a polygon or multipolygon.</exception>
    public static AreaIndex Build(AreaSystem system)
    {
        var tree = new AreaTree(system);
        var reader = new WKBReader();
        var levels = new List<STRtree<Located>>();
        for (var level = tree.Levels - 1; level >= 0; level--)
        {
            var index = new STRtree<Located>();
            foreach (var area in tree.AtLevel(level))
            {
                if (area.Geometry is null) continue;
                if (reader.Read(area.Geometry) is not IPolygonal shape)
                    throw new ArgumentException($"Area system {system.Id}, area {area.Id}: the geometry is not a polygon or multipolygon.", nameof(system));
                var geometry = (Geometry)shape;
                var locator = new IndexedPointInAreaLocator(geometry);
                // Both indexes are made at the first question; asking here keeps threads that follow from making them at once.
                locator.Locate(geometry.EnvelopeInternal.Centre);
                index.Insert(geometry.EnvelopeInternal, new(tree.PlaceOf(area.Id), locator));
            }

            if (index.IsEmpty) continue;
            index.Build();
            levels.Add(index);
        }

        return new(tree, [.. levels]);
    }

    /// <summary>
    /// The area a point lies in, at the finest level that has an area with it. A point on a boundary lies in all areas
    /// that share it; of several areas the smallest id (ordinal) is taken (design §5).
    /// </summary>
    /// <param name="longitude">WGS 84, degrees.</param>
    /// <param name="latitude">WGS 84, degrees.</param>
    /// <returns>Null where no area has the point.</returns>
    public string? Locate(double longitude, double latitude) => PlaceAt(longitude, latitude) is >= 0 and var place ? Tree.Areas[place].Id : null;

    /// <inheritdoc cref="Locate"/>
    /// <returns>The area's place in <see cref="AreaTree.Areas"/>; −1 where no area has the point.</returns>
    public int PlaceAt(double longitude, double latitude)
    {
        if (!double.IsFinite(longitude) || !double.IsFinite(latitude)) return -1;
        var finding = t_finding ??= new();
        foreach (var level in _levels)
        {
            finding.Begin(longitude, latitude);
            level.Query(finding.Bounds, finding);
            if (finding.Smallest >= 0) return finding.Smallest;
        }

        return -1;
    }

    /// <param name="Place">In the tree's areas, which are in the order of their ids.</param>
    private sealed record Located(int Place, IndexedPointInAreaLocator Locator);

    private sealed class Finding : IItemVisitor<Located>
    {
        private readonly Coordinate _point = new();

        public Envelope Bounds { get; } = new();

        public int Smallest { get; private set; }

        public void Begin(double longitude, double latitude)
        {
            (_point.X, _point.Y, Smallest) = (longitude, latitude, -1);
            Bounds.Init(_point);
        }

        public void VisitItem(Located item)
        {
            if (Smallest >= 0 && item.Place >= Smallest) return;
            if (item.Locator.Locate(_point) != Location.Exterior) Smallest = item.Place;
        }
    }
}
