using System.Text;
using DataHub.Support;
using NetTopologySuite.IO;
using Xunit;

namespace DataHub.Catalog;

public sealed class AreaImportTests
{
    private const string Hierarchy = "lor/lor_2021_hierarchie.csv";
    private const string Districts = "lor/bezirke_wgs84_simplified.geojson";
    private const string Forecast = "lor/lor_2021_prognoseraeume_wgs84_simplified.geojson";
    private const string Old = "lor/lor_2006_planungsraeume_wgs84_simplified.geojson";

    /// <summary>The published table has one row per planning area with the areas above it; the import wants one row per area of any level.</summary>
    private static byte[] HierarchyAsImport()
    {
        var rows = SharedData.Text(Hierarchy).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(l => l.Split(',')).ToArray();
        var lines = rows.SelectMany(r => new[]
        {
            $"{r[1][..2]},,{r[7]},0", $"{r[5]},{r[1][..2]},{r[6]},1", $"{r[3]},{r[5]},{r[4]},2", $"{r[1]},{r[3]},{r[2]},3",
        }).Distinct();
        return Encoding.UTF8.GetBytes("\uFEFFid,parent,name,level\n" + string.Join('\n', lines) + "\n");
    }

    private static AreaSystem System(AreaImport import)
    {
        Assert.Equal((AreaRefusal.None, null), AreaSystemRules.Check(import.Areas, new()));
        return new("lor", 1, [.. import.Areas]);
    }

    [SharedDataFact(Hierarchy)]
    public void The_2021_hierarchy_is_a_tree_of_12_58_143_and_542()
    {
        var tree = new AreaTree(System(AreaCsv.Read(HierarchyAsImport())));

        Assert.Equal([12, 58, 143, 542], Enumerable.Range(0, tree.Levels).Select(l => tree.AtLevel(l).Count()));
        foreach (var area in tree.AtLevel(3))
        {
            Assert.Equal(area.Id[..2], tree.AncestorAt(area.Id, 0));
            Assert.Equal(area.Id[..4], tree.AncestorAt(area.Id, 1));
            Assert.Equal(area.Id[..6], tree.AncestorAt(area.Id, 2));
        }

        Assert.True(tree.TryGet("01100101", out var known));
        Assert.Equal("Stülerstraße", known.Name);
        Assert.Equal(542, tree.AtLevel(0).Sum(d => tree.DescendantsAt(d.Id, 3).Count));
    }

    [SharedDataFact(Hierarchy)]
    public void What_is_written_as_CSV_reads_as_the_same()
    {
        var system = System(AreaCsv.Read(HierarchyAsImport()));

        var again = System(AreaCsv.Read(AreaCsv.Write(new(system))));

        Assert.Equal(system.Areas.OrderBy(a => a.Id, StringComparer.Ordinal), again.Areas.OrderBy(a => a.Id, StringComparer.Ordinal));
    }

    [SharedDataFact(Districts, Forecast, Old)]
    public void Each_file_has_one_invalid_ring_which_is_repaired_and_reported()
    {
        foreach (var (file, areas, invalid) in new[] { (Districts, 12, "03"), (Forecast, 58, "0320"), (Old, 447, "03020203") })
        {
            var import = AreaGeoJson.Read(SharedData.Bytes(file));

            Assert.Equal(areas, import.Areas.Count);
            var repaired = Assert.Single(import.Repaired);
            Assert.Equal(invalid, repaired.Id);
            Assert.Equal(2, repaired.At!.Length);
            Assert.All(import.Areas, a => Assert.True(new WKBReader().Read(a.Geometry).IsValid, a.Id));
        }
    }

    [SharedDataFact(Old, Hierarchy)]
    public void The_2006_polygons_are_a_system_of_their_own()
    {
        var import = AreaGeoJson.Read(SharedData.Bytes(Old));

        Assert.Equal(["06010102"], import.Merged);
        Assert.Equal(2, new WKBReader().Read(import.Areas.Single(a => a.Id == "06010102").Geometry).NumGeometries);
        Assert.All(import.Areas, a => Assert.Equal(0, a.Level));
        var present = AreaCsv.Read(HierarchyAsImport()).Areas.Select(a => a.Id).ToHashSet();
        Assert.DoesNotContain(import.Areas, a => present.Contains(a.Id));
    }

    [SharedDataFact(Districts, Forecast, Old)]
    public void Random_points_are_located_as_brute_force_over_every_edge_says()
    {
        foreach (var file in new[] { Districts, Forecast, Old })
        {
            var index = AreaIndex.Build(System(AreaGeoJson.Read(SharedData.Bytes(file))));
            var oracle = new BruteForceAreas(SharedData.Bytes(file));
            var random = new Random(20061);
            int inside = 0, several = 0;
            for (var i = 0; i < 4_000; i++)
            {
                var x = oracle.West + (random.NextDouble() * (oracle.East - oracle.West));
                var y = oracle.South + (random.NextDouble() * (oracle.North - oracle.South));
                var having = oracle.Having(x, y);
                var found = index.Locate(x, y);
                if (found != having.FirstOrDefault())
                {
                    // Only where a point is on the line to the last digits, or in the sliver that the repair of the one
                    // invalid ring gave up, may the two differ.
                    var near = having.Append(found).OfType<string>().Min(id => oracle.DistanceToEdge(id, x, y));
                    Assert.True(near < 1e-9, $"{file} ({x:r}, {y:r}): found {found}, expected {string.Join(", ", having)}");
                }

                if (having.Length > 0) inside++;
                if (having.Length > 1) several++;
            }

            Assert.InRange(inside, 1_500, 3_900);
            Assert.True(several < 100, $"{file}: {several} points in several areas");
        }
    }

    [SharedDataFact(Hierarchy, Districts, Forecast)]
    public void Polygons_of_two_levels_join_the_hierarchy_and_points_go_to_the_finer_one()
    {
        var areas = AreaCsv.Read(HierarchyAsImport()).Areas.ToDictionary(a => a.Id);
        foreach (var file in new[] { Districts, Forecast })
        {
            foreach (var (id, geometry) in AreaGeoJson.ReadGeometries(SharedData.Bytes(file)).Geometries) areas[id] = areas[id] with { Geometry = geometry };
        }

        var index = AreaIndex.Build(new("lor", 2, [.. areas.Values]));

        Assert.Equal("0110", index.Locate(13.3733, 52.5100));
        Assert.Equal("01", index.Tree.AncestorAt(index.Locate(13.3733, 52.5100)!, 0));
        Assert.Null(index.Locate(0, 0));
    }

    [Fact]
    public void A_point_on_a_shared_boundary_goes_to_the_smallest_id()
    {
        var index = AreaIndex.Build(System(AreaGeoJson.Read(Bytes("""
            {"type":"FeatureCollection","features":[
             {"type":"Feature","properties":{"id":"b","name":"B","level":0},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}},
             {"type":"Feature","properties":{"id":"a","name":"A","level":0},"geometry":{"type":"Polygon","coordinates":[[[1,0],[2,0],[2,1],[1,1],[1,0]]]}}]}
            """))));

        Assert.Equal("a", index.Locate(1, 0.5));
        Assert.Equal("b", index.Locate(0, 0));
        Assert.Equal("b", index.Locate(0.999999, 0.5));
        Assert.Null(index.Locate(-0.000001, 0.5));
        Assert.Null(index.Locate(double.NaN, 0.5));
    }

    [Fact]
    public void Parts_with_one_id_are_merged_and_must_not_contradict_each_other()
    {
        var part = """{"type":"Feature","properties":{"id":"a","name":"A","level":LEVEL},"geometry":{"type":"Polygon","coordinates":[[[X,0],[X,1],[X.5,1],[X,0]]]}}""";
        var one = part.Replace("LEVEL", "0").Replace("X", "1");

        var merged = AreaGeoJson.Read(Bytes($$"""{"type":"FeatureCollection","title":{"de":"Probe"},"features":[{{one}},{{part.Replace("LEVEL", "0").Replace("X", "3")}}]}"""));
        var refused = Assert.Throws<AreaImportException>(() => AreaGeoJson.Read(Bytes($$"""{"type":"FeatureCollection","features":[{{one}},{{part.Replace("LEVEL", "1").Replace("X", "3")}}]}""")));

        Assert.Equal("Probe", merged.Title!.De);
        Assert.Equal(["a"], merged.Merged);
        Assert.Equal(2, new WKBReader().Read(Assert.Single(merged.Areas).Geometry).NumGeometries);
        Assert.Contains("level", refused.Detail.De, StringComparison.Ordinal);
    }

    [Fact]
    public void Levels_that_are_not_given_follow_from_the_parents()
    {
        static string Feature(string id, string? parent) => $$"""{"type":"Feature","properties":{"id":"{{id}}","parent":"{{parent}}","name":"x"},"geometry":null}""";

        var areas = AreaGeoJson.Read(Bytes($$"""{"type":"FeatureCollection","features":[{{Feature("c", "b")}},{{Feature("b", "a")}},{{Feature("a", null)}}]}""")).Areas;
        var loop = AreaGeoJson.Read(Bytes($$"""{"type":"FeatureCollection","features":[{{Feature("a", "b")}},{{Feature("b", "a")}}]}""")).Areas;

        Assert.Equal([2, 1, 0], areas.Select(a => a.Level));
        Assert.Equal(AreaRefusal.WrongLevel, AreaSystemRules.Check(loop, new()).Refusal);
    }

    [Fact]
    public void An_open_ring_is_closed_and_a_ring_of_a_point_is_dropped_and_both_are_reported()
    {
        var import = AreaGeoJson.Read(Bytes("""
            {"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","name":"A"},
             "geometry":{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,9]],[[1,1],[1,1]]]}}]}
            """));

        Assert.Equal(["ring-not-closed", "too-few-points"], import.Repaired.Select(r => r.Problem));
        Assert.Equal(81, new WKBReader().Read(import.Areas[0].Geometry).Area);
    }

    [Fact]
    public void Titles_of_levels_go_in_and_out_as_GeoJSON()
    {
        var import = AreaGeoJson.Read("""{"type":"FeatureCollection","levels":[{"de":"Bezirke","en":"Districts"}],"features":[{"type":"Feature","properties":{"id":"01","name":"Mitte"},"geometry":null}]}"""u8.ToArray());
        Assert.Equal([new("Bezirke", "Districts")], import.LevelTitles!);

        var written = AreaGeoJson.Write(new(new AreaSystem("demo", 1, [.. import.Areas]) { LevelTitles = import.LevelTitles }), null);
        Assert.Equal(import.LevelTitles!, AreaGeoJson.Read(written).LevelTitles!);
        Assert.Throws<AreaImportException>(() => AreaGeoJson.Read("""{"type":"FeatureCollection","levels":[null],"features":[]}"""u8.ToArray()));
        Assert.Throws<AreaImportException>(() => AreaGeoJson.Read("""{"type":"FeatureCollection","levels":7,"features":[]}"""u8.ToArray()));
    }

    [Fact]
    public void GeoJSON_that_is_written_reads_as_the_same_and_its_rings_run_as_the_standard_says()
    {
        var system = System(AreaGeoJson.Read(Bytes("""
            {"type":"FeatureCollection","features":[
             {"type":"Feature","properties":{"id":"a","name":"Ä, \"quoted\"","population":12},"geometry":{"type":"Polygon","coordinates":[[[0,0],[0,9],[9,9],[9,0],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]}},
             {"type":"Feature","properties":{"id":"b","parent":"a","name":"B"},"geometry":null}]}
            """)));

        var written = AreaGeoJson.Write(new(system), null);
        var again = System(AreaGeoJson.Read(written));

        Assert.Equal(system.Areas.Select(a => a with { Geometry = null }), again.Areas.Select(a => a with { Geometry = null }));
        Assert.Contains("[[0,0],[9,0],[9,9],[0,9],[0,0]]", Encoding.UTF8.GetString(written), StringComparison.Ordinal);
        Assert.Equal(80.5, new WKBReader().Read(again.Areas[0].Geometry).Area);
        Assert.Single(System(AreaGeoJson.Read(AreaGeoJson.Write(new(system), 0))).Areas);
    }

    [Theory]
    [InlineData("id,parent,name\n01,,X", "level")]
    [InlineData("id,parent,name,level,einwohner\n01,,X,0,5", "einwohner")]
    [InlineData("id,parent,name,level\n01,,X,null", "null")]
    [InlineData("id,parent,name,level\n01,,X,-1", "-1")]
    [InlineData("id,parent,name,level\n,,X,0", "id")]
    [InlineData("id,parent,name,level\n01,,X,0\n02,,Y", "2")]
    [InlineData("id,parent,name,level,population\n01,,X,0,1.5", "1.5")]
    [InlineData("", "")]
    public void CSV_that_cannot_be_read_says_where(string csv, string named)
    {
        var refused = Assert.Throws<AreaImportException>(() => AreaCsv.Read(Bytes(csv)));

        Assert.Same(ProblemTypes.InvalidCsv, refused.Type);
        Assert.Contains(named, refused.Detail.De, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"Feature"}""", "FeatureCollection")]
    [InlineData("""{"type":"FeatureCollection","features":[""", "")]
    [InlineData("""{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":1}}]}""", "1")]
    [InlineData("""{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","level":"x"}}]}""", "level")]
    [InlineData("""{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a"},"geometry":{"type":"Point","coordinates":[1,2]}}]}""", "Point")]
    [InlineData("""{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a"},"geometry":{"type":"Polygon","coordinates":[[[391000,5820000],[1,2],[3,4],[391000,5820000]]]}}]}""", "391000")]
    [InlineData("""{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a"},"geometry":{"type":"Polygon","coordinates":[1,2]}}]}""", "coordinates")]
    [InlineData("""{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a"},"geometry":{"type":"Polygon","coordinates":[[[1,1],[1,1],[1,1],[1,1]]]}}]}""", "leer")]
    [InlineData("""{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::25833"}},"features":[]}""", "crs")]
    public void GeoJSON_that_cannot_be_read_says_where(string json, string named)
    {
        var refused = Assert.Throws<AreaImportException>(() => AreaGeoJson.Read(Bytes(json)));

        Assert.Contains(named, refused.Detail.De, StringComparison.Ordinal);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
