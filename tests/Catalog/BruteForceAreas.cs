using System.Text.Json;

namespace DataHub.Catalog;

/// <summary>
/// Point in polygon by casting a ray over every edge of a GeoJSON file, even-odd over all rings of an id, in plain
/// arithmetic: shares no code with the product.
/// </summary>
internal sealed class BruteForceAreas
{
    private readonly List<(string Id, List<double[][]> Rings)> _areas = [];

    public BruteForceAreas(byte[] geoJson)
    {
        using var document = JsonDocument.Parse(geoJson);
        foreach (var feature in document.RootElement.GetProperty("features").EnumerateArray())
        {
            var geometry = feature.GetProperty("geometry");
            var polygons = geometry.GetProperty("type").GetString() == "Polygon" ? [geometry.GetProperty("coordinates")] : geometry.GetProperty("coordinates").EnumerateArray().ToArray();
            _areas.Add((
                feature.GetProperty("properties").GetProperty("id").GetString()!,
                [.. polygons.SelectMany(p => p.EnumerateArray()).Select(ring => ring.EnumerateArray().Select(c => new[] { c[0].GetDouble(), c[1].GetDouble() }).ToArray())]));
        }

        West = Points().Min(p => p[0]);
        East = Points().Max(p => p[0]);
        South = Points().Min(p => p[1]);
        North = Points().Max(p => p[1]);
    }

    public double West { get; }
    public double East { get; }
    public double South { get; }
    public double North { get; }

    /// <summary>Ids whose polygons have the point, in ordinal order.</summary>
    public string[] Having(double x, double y) => [.. _areas.Where(a => a.Rings.Count(r => Crossings(r, x, y) % 2 == 1) % 2 == 1).Select(a => a.Id).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>How near the point is to an edge of an area; where it is very near, rounding decides the side.</summary>
    public double DistanceToEdge(string id, double x, double y) => _areas.Where(a => a.Id == id).SelectMany(a => a.Rings).Min(r =>
    {
        var least = double.MaxValue;
        for (var i = 1; i < r.Length; i++)
        {
            double ax = r[i - 1][0], ay = r[i - 1][1], dx = r[i][0] - ax, dy = r[i][1] - ay;
            var length = (dx * dx) + (dy * dy);
            var t = length == 0 ? 0 : Math.Clamp((((x - ax) * dx) + ((y - ay) * dy)) / length, 0, 1);
            least = Math.Min(least, Math.Sqrt(Math.Pow(ax + (t * dx) - x, 2) + Math.Pow(ay + (t * dy) - y, 2)));
        }

        return least;
    });

    private IEnumerable<double[]> Points() => _areas.SelectMany(a => a.Rings).SelectMany(r => r);

    private static int Crossings(double[][] ring, double x, double y)
    {
        var crossings = 0;
        for (var i = 1; i < ring.Length; i++)
        {
            double[] a = ring[i - 1], b = ring[i];
            if (a[1] > y != b[1] > y && x < a[0] + ((y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))) crossings++;
        }

        return crossings;
    }
}
