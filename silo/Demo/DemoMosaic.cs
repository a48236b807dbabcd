using NetTopologySuite.Geometries;
using NetTopologySuite.Triangulate;

namespace DataHub.Demo;

/// <summary>
/// The smallest areas of the demo city as polygons without gaps or overlaps: Voronoi cells of relaxed sites, bent by a
/// smooth map. Neighbours are made of the same points, so they fit exactly, and stay fitting when rounded.
/// </summary>
internal sealed class DemoMosaic
{
    private const double MiddleLongitude = 13.4, MiddleLatitude = 52.5, KilometresPerDegree = 111.32;

    /// <summary>Five decimals are about a metre.</summary>
    private const double Grid = 1e5;

    /// <summary>Edges are bent in pieces of at most this length.</summary>
    private const double PieceKilometres = 0.45;

    /// <summary>Sites nearer than this to the outline are mirrored there; wider than any cell at the edge.</summary>
    private const double MirrorKilometres = 4;

    private static readonly GeometryFactory s_factory = new();

    private readonly DemoRandom _random;
    private readonly double[] _outlinePhases;
    private readonly Coordinate[] _outline;
    private readonly (double Along, double Across, double Amplitude, double PhaseX, double PhaseY)[] _waves;

    private DemoMosaic(int seed, int cells)
    {
        _random = DemoRandom.For(seed, "mosaic");
        _outlinePhases = [.. Enumerable.Range(0, 5).Select(_ => _random.Between(0, 2 * Math.PI))];
        _outline =
        [
            .. Enumerable.Range(0, 1440).Select(step =>
            {
                var angle = step * 2 * Math.PI / 1440;
                return new Coordinate(Math.Cos(angle) * Outline(angle), Math.Sin(angle) * Outline(angle));
            }),
        ];
        // Long waves bend districts, short ones the borders of single areas. The gradients add up to less than 1, so the
        // map folds nothing over.
        _waves =
        [
            .. new[] { (Length: 13.0, Amplitude: 0.75), (Length: 13.0, Amplitude: 0.5), (Length: 4.5, Amplitude: 0.12), (Length: 1.7, Amplitude: 0.035) }.Select(wave =>
            {
                var direction = _random.Between(0, 2 * Math.PI);
                var steps = 2 * Math.PI / wave.Length;
                return (Math.Cos(direction) * steps, Math.Sin(direction) * steps, wave.Amplitude, _random.Between(0, 2 * Math.PI), _random.Between(0, 2 * Math.PI));
            }),
        ];

        var sites = Relax(Scatter(cells));
        var rings = Voronoi(sites);
        Sites = sites;
        Neighbours = FindNeighbours(rings);
        Polygons = [.. rings.Select(ring => s_factory.CreatePolygon(Bend(ring)))];
        SquareKilometres = [.. rings.Select(ring => s_factory.CreatePolygon(ring).Area)];
    }

    /// <summary>Where each cell lies, in kilometres from the middle of the city (east, north).</summary>
    public Coordinate[] Sites { get; }

    /// <summary>For each cell those it shares an edge with, ascending.</summary>
    public int[][] Neighbours { get; }

    /// <summary>WGS 84, five decimals.</summary>
    public Polygon[] Polygons { get; }

    public double[] SquareKilometres { get; }

    public static DemoMosaic Generate(int seed, int cells) => new(seed, cells);

    /// <summary>Distance of the outline from the middle, in kilometres: an organic shape, a little wider than high.</summary>
    private double Outline(double angle)
    {
        var shape = 1 + (0.07 * Math.Cos((2 * angle) + 0.3));
        for (var k = 0; k < _outlinePhases.Length; k++) shape += 0.055 / (1 + (0.35 * k)) * Math.Cos(((k + 2) * angle) + _outlinePhases[k]);
        return 16.8 * shape;
    }

    /// <summary>Sites by chance, denser towards the middle.</summary>
    private Coordinate[] Scatter(int cells)
    {
        var sites = new Coordinate[cells];
        for (var i = 0; i < cells; i++)
        {
            var angle = _random.Between(0, 2 * Math.PI);
            var far = Math.Pow(_random.NextDouble(), 0.68);
            sites[i] = new(Math.Cos(angle) * far * Outline(angle) * 0.985, Math.Sin(angle) * far * Outline(angle) * 0.985);
        }

        return sites;
    }

    /// <summary>Lloyd's relaxation: a few steps make the cells compact and keep the middle dense.</summary>
    private Coordinate[] Relax(Coordinate[] sites)
    {
        for (var step = 0; step < 6; step++)
            sites = [.. Voronoi(sites).Select(ring => s_factory.CreatePolygon(ring).Centroid.Coordinate)];
        return sites;
    }

    /// <summary>The cells' rings. Sites mirrored at the outline stand outside, so that cells end where the city ends.</summary>
    private Coordinate[][] Voronoi(Coordinate[] sites)
    {
        var all = new List<Coordinate>(sites);
        foreach (var site in sites)
        {
            var edge = _outline.MinBy(point => point.Distance(site))!;
            // Mirroring those far inside would only cost time.
            if (edge.Distance(site) < MirrorKilometres) all.Add(new((2 * edge.X) - site.X, (2 * edge.Y) - site.Y));
        }

        var builder = new VoronoiDiagramBuilder { ClipEnvelope = new(-90, 90, -90, 90) };
        builder.SetSites(s_factory.CreateMultiPointFromCoords([.. all]));
        var diagram = builder.GetDiagram(s_factory);
        var rings = new Dictionary<Coordinate, Coordinate[]>();
        for (var i = 0; i < diagram.NumGeometries; i++)
        {
            var cell = diagram.GetGeometryN(i);
            rings[(Coordinate)cell.UserData] = cell.Coordinates;
        }

        return [.. sites.Select(site => rings[site])];
    }

    private static int[][] FindNeighbours(Coordinate[][] rings)
    {
        var edges = new Dictionary<(Coordinate, Coordinate), int>();
        var neighbours = Enumerable.Range(0, rings.Length).Select(_ => new SortedSet<int>()).ToArray();
        for (var cell = 0; cell < rings.Length; cell++)
        {
            for (var i = 1; i < rings[cell].Length; i++)
            {
                var (from, to) = (rings[cell][i - 1], rings[cell][i]);
                if (edges.TryGetValue((to, from), out var other) || edges.TryGetValue((from, to), out other))
                {
                    neighbours[cell].Add(other);
                    neighbours[other].Add(cell);
                }

                edges[(from, to)] = cell;
            }
        }

        return [.. neighbours.Select(n => n.ToArray())];
    }

    /// <summary>Cuts each edge in pieces, in the same places whichever side it is seen from, and bends every point.</summary>
    private Coordinate[] Bend(Coordinate[] ring)
    {
        var bent = new List<Coordinate>();
        for (var i = 1; i < ring.Length; i++)
        {
            var (from, to) = (ring[i - 1], ring[i]);
            var turned = from.CompareTo(to) > 0;
            var (low, high) = turned ? (to, from) : (from, to);
            var pieces = Math.Max(1, (int)Math.Ceiling(from.Distance(to) / PieceKilometres));
            for (var piece = 0; piece < pieces; piece++)
            {
                var place = turned ? pieces - piece : piece;
                var point = place == 0 ? low : place == pieces ? high
                    : new Coordinate(low.X + ((high.X - low.X) * place / pieces), low.Y + ((high.Y - low.Y) * place / pieces));
                var onMap = ToMap(point);
                if (bent.Count == 0 || !bent[^1].Equals2D(onMap)) bent.Add(onMap);
            }
        }

        if (!bent[0].Equals2D(bent[^1])) bent.Add(bent[0].Copy());
        return [.. bent];
    }

    private Coordinate ToMap(Coordinate place)
    {
        double x = place.X, y = place.Y;
        foreach (var (along, across, amplitude, phaseX, phaseY) in _waves)
        {
            x += amplitude * Math.Sin((place.X * along) + (place.Y * across) + phaseX);
            y += amplitude * Math.Sin((place.X * across) - (place.Y * along) + phaseY);
        }

        return new(
            Math.Round((MiddleLongitude + (x / (KilometresPerDegree * Math.Cos(MiddleLatitude * Math.PI / 180)))) * Grid) / Grid,
            Math.Round((MiddleLatitude + (y / KilometresPerDegree)) * Grid) / Grid);
    }
}
