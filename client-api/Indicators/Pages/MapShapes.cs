using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

using DataHub.Catalog;

using Microsoft.Extensions.Options;

using NetTopologySuite.Geometries;
using NetTopologySuite.IO;

namespace DataHub.Indicators;

/// <summary>The outlines of one level of an area system, ready for an SVG.</summary>
/// <param name="Width">Of the view box.</param>
/// <param name="Height">Of the view box.</param>
/// <param name="Shapes">By area id; areas without a polygon are absent.</param>
public sealed record MapShape(int Width, int Height, IReadOnlyDictionary<string, AreaShape> Shapes);

/// <param name="Path">The <c>d</c> of a path.</param>
/// <param name="LabelX">Where a label stands, inside the area.</param>
/// <param name="LabelY">Where a label stands, inside the area.</param>
/// <param name="LabelRoom">Width of the area's box, in units of the view box.</param>
public sealed record AreaShape(string Path, int LabelX, int LabelY, int LabelRoom);

/// <summary>Outlines by (system, version): made once, since a version never changes; bounded.</summary>
public sealed class MapShapes(IOptions<PageOptions> options)
{
    private readonly ConcurrentDictionary<(string System, int Version, int Level), Entry> _entries = new();
    private long _clock;

    /// <summary>Outlines of one level.</summary>
    /// <returns>Null where no area of the level has a polygon.</returns>
    public MapShape? Get(AreaTree tree, int level)
    {
        ArgumentNullException.ThrowIfNull(tree);
        var entry = _entries.GetOrAdd((tree.System.Id, tree.System.Version, level), static (key, tree) => new(new(() => Outlines.Of(tree, key.Level))), tree);
        entry.Used = Interlocked.Increment(ref _clock);
        var shape = entry.Shape.Value;
        // A system has a handful of levels; what is bounded are systems and versions.
        while (_entries.Count > options.Value.CachedMaps * 8) _entries.TryRemove(_entries.MinBy(e => e.Value.Used));
        return shape;
    }

    private sealed class Entry(Lazy<MapShape?> shape)
    {
        public Lazy<MapShape?> Shape { get; } = shape;

        public long Used { get; set; }
    }
}

/// <summary>
/// Draws polygons: a local equirectangular projection (east-west shortened by the cosine of the middle latitude), snapped
/// to a grid. Equal corners are snapped to equal points, so neighbours stay neighbours without gaps.
/// </summary>
internal static class Outlines
{
    /// <summary>Units of the view box along the longer side. A city of 45 km is drawn to about 30 m.</summary>
    private const int Size = 1_500;

    private const int Margin = 8;

    /// <summary>The frame is that of the whole system, so all levels lie upon one another.</summary>
    public static MapShape? Of(AreaTree tree, int level)
    {
        var reader = new WKBReader();
        var geometries = tree.AtLevel(level).Where(a => a.Geometry is not null).Select(a => (a.Id, Geometry: reader.Read(a.Geometry))).ToList();
        if (geometries.Count == 0) return null;

        var box = new Envelope();
        foreach (var area in tree.Areas)
        {
            if (area.Geometry is not null) box.ExpandToInclude(reader.Read(area.Geometry).EnvelopeInternal);
        }

        var shorten = Math.Cos((box.MinY + box.MaxY) / 2 * Math.PI / 180);
        var (width, height) = (box.Width * shorten, box.Height);
        var scale = Math.Max(width, height) is > 0 and var longer ? (Size - 2 * Margin) / longer : 1;
        int X(double longitude) => (int)Math.Round((longitude - box.MinX) * shorten * scale) + Margin;
        int Y(double latitude) => (int)Math.Round((box.MaxY - latitude) * scale) + Margin;

        var shapes = new Dictionary<string, AreaShape>(StringComparer.Ordinal);
        foreach (var (id, geometry) in geometries)
        {
            var path = new StringBuilder();
            foreach (var polygon in Polygons(geometry))
            {
                Draw(path, polygon.ExteriorRing, X, Y);
                foreach (var hole in polygon.InteriorRings) Draw(path, hole, X, Y);
            }

            if (path.Length == 0) continue;
            var label = LabelPoint(geometry);
            var room = (int)(geometry.EnvelopeInternal.Width * shorten * scale);
            shapes.Add(id, new(path.ToString(), X(label.X), Y(label.Y), room));
        }

        return new((int)Math.Ceiling(width * scale) + 2 * Margin, (int)Math.Ceiling(height * scale) + 2 * Margin, shapes);
    }

    /// <summary>A point inside the area: its centroid where that is inside, which looks better than any other.</summary>
    private static Point LabelPoint(Geometry geometry)
    {
        var largest = Polygons(geometry).MaxBy(p => p.Area)!;
        var centroid = largest.Centroid;
        return largest.IsValid && largest.Contains(centroid) ? centroid : largest.InteriorPoint;
    }

    private static IEnumerable<Polygon> Polygons(Geometry geometry)
    {
        for (var i = 0; i < geometry.NumGeometries; i++)
        {
            if (geometry.GetGeometryN(i) is Polygon { IsEmpty: false } polygon) yield return polygon;
        }
    }

    /// <summary>One ring with relative moves; corners that fall on the line between their neighbours are left out.</summary>
    private static void Draw(StringBuilder path, LineString ring, Func<double, int> x, Func<double, int> y)
    {
        var points = new List<(int X, int Y)>();
        foreach (var c in ring.Coordinates)
        {
            var point = (X: x(c.X), Y: y(c.Y));
            if (points.Count > 0 && points[^1] == point) continue;
            if (points.Count > 1 && OnLine(points[^2], points[^1], point)) points[^1] = point;
            else points.Add(point);
        }

        if (points.Count > 1 && points[0] == points[^1]) points.RemoveAt(points.Count - 1);
        if (points.Count < 3) return;

        var last = points[0];
        path.Append(CultureInfo.InvariantCulture, $"M{last.X} {last.Y}l");
        for (var i = 1; i < points.Count; i++)
        {
            var (dx, dy) = (points[i].X - last.X, points[i].Y - last.Y);
            if (i > 1 && dx >= 0) path.Append(' ');
            path.Append(CultureInfo.InvariantCulture, $"{dx}");
            if (dy >= 0) path.Append(' ');
            path.Append(CultureInfo.InvariantCulture, $"{dy}");
            last = points[i];
        }

        path.Append('z');
    }

    /// <summary>Whether the middle point lies on the way straight on from the first to the last.</summary>
    private static bool OnLine((int X, int Y) a, (int X, int Y) b, (int X, int Y) c)
    {
        var (ux, uy, vx, vy) = ((long)b.X - a.X, (long)b.Y - a.Y, (long)c.X - b.X, (long)c.Y - b.Y);
        return ux * vy == uy * vx && ux * vx + uy * vy > 0;
    }
}
