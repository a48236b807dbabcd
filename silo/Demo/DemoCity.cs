using System.Text.Json;
using NetTopologySuite.Coverage;
using NetTopologySuite.Geometries;

namespace DataHub.Demo;

/// <summary>One area of the demo city.</summary>
/// <param name="Shape">WGS 84, five decimals.</param>
/// <param name="Middle">A point inside the shape.</param>
internal sealed record DemoArea(string Id, string? Parent, string Name, int Level, long Population, Geometry Shape, Coordinate Middle);

/// <summary>
/// A city that does not exist: 12 districts, 58 forecast areas, 143 regions and 542 planning areas in the numbering scheme
/// that Berlin uses (2, 4, 6 and 8 digits), with polygons that fit without gaps, invented names and about 3.6 million
/// inhabitants. The same seed gives the same city, byte for byte.
/// </summary>
internal sealed class DemoCity
{
    /// <summary>How many areas each level has, coarsest first.</summary>
    public static readonly int[] AreasPerLevel = [12, 58, 143, 542];

    private static readonly (string De, string En)[] s_levels =
        [("Bezirke", "Districts"), ("Prognoseräume", "Forecast areas"), ("Bezirksregionen", "Regions"), ("Planungsräume", "Planning areas")];

    private const long Inhabitants = 3_600_000;

    private DemoCity(DemoArea[] areas)
    {
        Areas = areas;
        Smallest = [.. areas.Where(a => a.Level == 3)];
    }

    /// <summary>All areas, level by level, by id within a level.</summary>
    public IReadOnlyList<DemoArea> Areas { get; }

    /// <summary>The areas of the finest level, by id.</summary>
    public IReadOnlyList<DemoArea> Smallest { get; }

    public static DemoCity Generate(int seed)
    {
        var mosaic = DemoMosaic.Generate(seed, AreasPerLevel[3]);
        var random = DemoRandom.For(seed, "city");
        var names = new DemoNames(DemoRandom.For(seed, "names"));
        var population = Populate(mosaic, DemoRandom.For(seed, "population"));

        List<int[]> Divide(int[] cells, int count) => DemoClusters.Divide(cells, count, mosaic.Sites, mosaic.Neighbours, random);
        var districts = Districts(mosaic, Divide([.. Enumerable.Range(0, AreasPerLevel[3])], AreasPerLevel[0]));
        var forecast = districts.Zip(DemoClusters.Apportion(AreasPerLevel[1], Sizes(districts)), (cells, count) => ByPlace(mosaic, Divide(cells, count))).ToList();
        var regionCounts = DemoClusters.Apportion(AreasPerLevel[2], Sizes(forecast.SelectMany(f => f)));

        var areas = new List<DemoArea>();
        var seats = 0;
        for (var d = 0; d < districts.Count; d++)
        {
            var district = $"{d + 1:d2}";
            areas.Add(Area(district, null, names.Place(), 0, districts[d]));
            for (var f = 0; f < forecast[d].Count; f++)
            {
                // Tens, as in Berlin; a district with more than nine parts counts on from 10 in ones.
                var forecastArea = $"{district}{(forecast[d].Count < 10 ? (f + 1) * 10 : f + 10):d2}";
                areas.Add(Area(forecastArea, district, names.Place(), 1, forecast[d][f]));
                var regions = ByPlace(mosaic, Divide(forecast[d][f], regionCounts[seats++]));
                // As in Berlin, the last two digits run on through the regions of one forecast area.
                var number = 0;
                for (var r = 0; r < regions.Count; r++)
                {
                    var region = $"{forecastArea}{r + 1:d2}";
                    areas.Add(Area(region, forecastArea, names.Place(), 2, regions[r]));
                    foreach (var cell in regions[r].OrderByDescending(c => mosaic.Sites[c].Y).ThenBy(c => mosaic.Sites[c].X))
                        areas.Add(Area($"{region}{++number:d2}", region, names.Quarter(), 3, [cell]));
                }
            }
        }

        return new([.. areas.OrderBy(a => a.Level).ThenBy(a => a.Id, StringComparer.Ordinal)]);

        DemoArea Area(string id, string? parent, string name, int level, int[] cells)
        {
            var shape = cells.Length == 1 ? mosaic.Polygons[cells[0]] : CoverageUnion.Union([.. cells.Select(c => mosaic.Polygons[c])]);
            shape.Normalize();
            return new(id, parent, name, level, cells.Sum(c => population[c]), shape, shape.InteriorPoint.Coordinate);
        }
    }

    /// <summary>The whole area system as GeoJSON for <c>PUT /api/v1/areas/{system}</c>.</summary>
    public byte[] ToGeoJson()
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body, new() { Encoder = WireJson.Options.Encoder }))
        {
            json.WriteStartObject();
            json.WriteString("type", "FeatureCollection");
            json.WriteStartObject("title");
            json.WriteString("de", "Demo-Stadt");
            json.WriteString("en", "Demo city");
            json.WriteEndObject();
            json.WriteStartArray("levels");
            foreach (var (de, en) in s_levels)
            {
                json.WriteStartObject();
                json.WriteString("de", de);
                json.WriteString("en", en);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("features");
            foreach (var area in Areas)
            {
                json.WriteStartObject();
                json.WriteString("type", "Feature");
                json.WriteStartObject("properties");
                json.WriteString("id", area.Id);
                json.WriteString("parent", area.Parent);
                json.WriteString("name", area.Name);
                json.WriteNumber("level", area.Level);
                json.WriteNumber("population", area.Population);
                json.WriteEndObject();
                WriteGeometry(json, area.Shape);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return body.ToArray();
    }

    private static void WriteGeometry(Utf8JsonWriter json, Geometry shape)
    {
        json.WriteStartObject("geometry");
        json.WriteString("type", "MultiPolygon");
        json.WriteStartArray("coordinates");
        for (var i = 0; i < shape.NumGeometries; i++)
        {
            var polygon = (Polygon)shape.GetGeometryN(i);
            json.WriteStartArray();
            foreach (var ring in polygon.InteriorRings.Prepend(polygon.ExteriorRing))
            {
                json.WriteStartArray();
                foreach (var point in ring.Coordinates)
                {
                    json.WriteStartArray();
                    json.WriteNumberValue(point.X);
                    json.WriteNumberValue(point.Y);
                    json.WriteEndArray();
                }

                json.WriteEndArray();
            }

            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static int[] Sizes(IEnumerable<int[]> clusters) => [.. clusters.Select(c => c.Length)];

    private static (double X, double Y) Middle(DemoMosaic mosaic, int[] cells) => (cells.Average(c => mosaic.Sites[c].X), cells.Average(c => mosaic.Sites[c].Y));

    /// <summary>District 01 is the one in the middle; the others follow clockwise from the north.</summary>
    private static List<int[]> Districts(DemoMosaic mosaic, List<int[]> clusters)
    {
        var central = clusters.MinBy(c => Middle(mosaic, c) is var (x, y) ? (x * x) + (y * y) : 0)!;
        return [central, .. clusters.Where(c => c != central).OrderBy(c => Middle(mosaic, c) is var (x, y) ? (Math.Atan2(x, y) + (2 * Math.PI)) % (2 * Math.PI) : 0)];
    }

    /// <summary>From north to south.</summary>
    private static List<int[]> ByPlace(DemoMosaic mosaic, List<int[]> clusters) => [.. clusters.OrderByDescending(c => Middle(mosaic, c).Y)];

    /// <summary>Dense in the middle, thin at the edge; some areas are parks, water or works where next to nobody lives.</summary>
    private static long[] Populate(DemoMosaic mosaic, DemoRandom random)
    {
        var weights = mosaic.Sites.Select((site, cell) =>
        {
            var far = Math.Sqrt((site.X * site.X) + (site.Y * site.Y));
            var density = (15_000 * Math.Exp(-far / 5)) + 2_200;
            return mosaic.SquareKilometres[cell] * density * Math.Exp(0.35 * random.Normal()) * (random.Chance(0.03) ? 0.02 : 1);
        }).ToArray();
        var people = weights.Select(w => (long)(Inhabitants * w / weights.Sum())).ToArray();
        // What rounding down left over lives in the largest area.
        people[Array.IndexOf(people, people.Max())] += Inhabitants - people.Sum();
        return people;
    }
}
