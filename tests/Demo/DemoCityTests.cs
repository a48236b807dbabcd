using DataHub.Catalog;
using NetTopologySuite.Coverage;
using NetTopologySuite.Geometries;
using NetTopologySuite.Operation.Union;
using Xunit;

namespace DataHub.Demo;

public sealed class DemoCityTests
{
    private static readonly Lazy<DemoCity> s_city = new(() => DemoCity.Generate(1));

    public static TheoryData<int> Seeds => [1, 2, 7, 2026];

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_another_city()
    {
        Assert.Equal(s_city.Value.ToGeoJson(), DemoCity.Generate(1).ToGeoJson());
        Assert.NotEqual(s_city.Value.ToGeoJson(), DemoCity.Generate(2).ToGeoJson());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_seed_gives_a_city_that_the_import_takes_without_repair(int seed)
    {
        var bytes = DemoCity.Generate(seed).ToGeoJson();
        var import = AreaGeoJson.Read(bytes);

        Assert.Empty(import.Repaired);
        Assert.Empty(import.Merged);
        Assert.Equal((AreaRefusal.None, null), AreaSystemRules.Check(import.Areas, new()));
        Assert.InRange(bytes.Length, 100_000, 1_000_000);
    }

    [Fact]
    public void Counts_ids_and_names_are_in_the_scheme_of_Berlin()
    {
        var areas = s_city.Value.Areas;

        for (var level = 0; level < 4; level++)
        {
            var of = areas.Where(a => a.Level == level).ToArray();
            Assert.Equal(DemoCity.AreasPerLevel[level], of.Length);
            Assert.All(of, a => Assert.Matches($"^[0-9]{{{(level + 1) * 2}}}$", a.Id));
            Assert.All(of, a => Assert.Equal(level == 0 ? null : a.Id[..^2], a.Parent));
            Assert.Equal(of.Length, of.Select(a => a.Id).Distinct().Count());
        }

        Assert.Equal(areas.Count, areas.Select(a => a.Name).Distinct().Count());
        Assert.Contains(areas, a => a.Id == "01100101");
    }

    [Fact]
    public void Inhabitants_add_up_on_every_level()
    {
        foreach (var level in s_city.Value.Areas.GroupBy(a => a.Level)) Assert.Equal(3_600_000, level.Sum(a => a.Population));
        Assert.All(s_city.Value.Smallest, a => Assert.InRange(a.Population, 1, 60_000));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void On_every_level_the_areas_are_valid_fit_without_gaps_or_overlaps_and_are_in_one_piece(int seed)
    {
        var city = DemoCity.Generate(seed);
        var whole = UnaryUnionOp.Union(city.Smallest.Select(a => a.Shape));
        Assert.Equal(1, whole.NumGeometries);
        Assert.Equal(0, ((Polygon)whole.GetGeometryN(0)).NumInteriorRings);
        foreach (var level in city.Areas.GroupBy(a => a.Level))
        {
            var shapes = level.Select(a => a.Shape).ToArray();
            Assert.All(level, a => Assert.True(a.Shape.IsValid && a.Shape is Polygon, a.Id));
            Assert.True(CoverageValidator.IsValid(shapes));
            Assert.Equal(whole.Area, shapes.Sum(s => s.Area), 1e-12);
            Assert.Equal(whole.Area, UnaryUnionOp.Union(shapes).Area, 1e-12);
        }
    }

    [Fact]
    public void Every_point_of_the_city_is_in_exactly_one_area_of_each_level_and_those_nest()
    {
        var oracle = new[] { 0, 1, 2, 3 }.Select(level => new BruteForceAreas(AreaGeoJson.Write(
            new(new("demo", 1, [.. AreaGeoJson.Read(s_city.Value.ToGeoJson()).Areas])), level))).ToArray();
        var random = new Random(4);
        var inside = 0;
        for (var i = 0; i < 1_000; i++)
        {
            var x = oracle[0].West + (random.NextDouble() * (oracle[0].East - oracle[0].West));
            var y = oracle[0].South + (random.NextDouble() * (oracle[0].North - oracle[0].South));
            var having = oracle.Select(o => o.Having(x, y)).ToArray();
            if (having.All(h => h.Length == 0)) continue;
            inside++;
            Assert.All(having, h => Assert.Single(h));
            Assert.All(having, h => Assert.StartsWith(h[0], having[3][0], StringComparison.Ordinal));
        }

        Assert.InRange(inside, 600, 950);
    }

    [Fact]
    public void Areas_are_compact_and_their_middle_is_inside()
    {
        Assert.All(s_city.Value.Areas, a => Assert.True(a.Shape.Contains(new Point(a.Middle)), a.Id));

        // Polsby and Popper: 1 is a circle. Degrees are stretched to kilometres first.
        double Compact(Geometry shape)
        {
            var flat = shape.Copy();
            flat.Apply(new Stretch());
            return 4 * Math.PI * flat.Area / (flat.Length * flat.Length);
        }

        Assert.InRange(s_city.Value.Smallest.Average(a => Compact(a.Shape)), 0.6, 0.95);
        Assert.All(s_city.Value.Areas.Where(a => a.Level == 0), a => Assert.InRange(Compact(a.Shape), 0.25, 0.9));
    }

    private sealed class Stretch : ICoordinateFilter
    {
        public void Filter(Coordinate coord)
        {
            coord.X *= 111.32 * Math.Cos(52.5 * Math.PI / 180);
            coord.Y *= 111.32;
        }
    }
}
