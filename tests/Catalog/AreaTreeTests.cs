using CsCheck;
using Xunit;

namespace DataHub.Catalog;

public sealed class AreaTreeTests
{
    /// <summary>Trees of up to four levels; every area names an earlier one as its parent.</summary>
    private static readonly Gen<Area[]> s_trees = Gen.Int[0, 1_000_000].Array[1, 60].Select(picks =>
    {
        var areas = new List<Area>();
        foreach (var pick in picks)
        {
            var above = areas.Where(a => a.Level < 3).ToArray();
            var parent = pick % 4 == 0 || above.Length == 0 ? null : above[pick / 4 % above.Length];
            areas.Add(new($"a{areas.Count * 7919 % 1000:d3}", parent?.Id, "Gebiet", parent is null ? 0 : parent.Level + 1, null, null));
        }

        return areas.ToArray();
    });

    [Fact]
    public void Ancestors_and_descendants_are_those_of_walking_up_parent_by_parent() => s_trees.Sample(areas =>
    {
        var tree = new AreaTree(new("t", 1, areas));
        var byId = areas.ToDictionary(a => a.Id);
        string? Walk(Area area, int level)
        {
            while (area.Level > level) area = byId[area.Parent!];
            return area.Level == level ? area.Id : null;
        }

        Assert.Equal(areas.Max(a => a.Level) + 1, tree.Levels);
        foreach (var area in areas)
        {
            for (var level = 0; level < 5; level++)
            {
                Assert.Equal(Walk(area, level), tree.AncestorAt(area.Id, level));
                Assert.Equal(areas.Where(a => a.Level == level && Walk(a, area.Level) == area.Id).Select(a => a.Id).Order(StringComparer.Ordinal), tree.DescendantsAt(area.Id, level));
            }

            Assert.Equal(areas.Where(a => Walk(a, area.Level) == area.Id).Select(a => a.Id).ToHashSet(), tree.WithDescendants(area.Id));
        }
    });

    [Fact]
    public void What_is_unknown_has_neither_ancestors_nor_descendants()
    {
        var tree = new AreaTree(new("t", 1, [new("01", null, "Eins", 0, null, null)]));

        Assert.False(tree.TryGet("02", out _));
        Assert.Null(tree.AncestorAt("02", 0));
        Assert.Empty(tree.DescendantsAt("02", 0));
        Assert.Empty(tree.WithDescendants("02"));
        Assert.Empty(tree.AtLevel(1));
        Assert.Empty(tree.AtLevel(-1));
    }

    [Fact]
    public void A_generated_tree_passes_the_check_and_every_way_to_break_it_is_named() => Gen.Select(s_trees, Gen.Int[0, 1000], Gen.Int[0, 5]).Sample((areas, at, how) =>
    {
        var limits = new AreaSystemOptions();
        Assert.Equal(AreaRefusal.None, AreaSystemRules.Check(areas, limits).Refusal);

        var area = areas[at % areas.Length];
        var (broken, expected) = how switch
        {
            0 => ([.. areas, area], AreaRefusal.DuplicateId),
            1 => (With(area with { Parent = "nowhere", Level = area.Level + 1 }), AreaRefusal.UnknownParent),
            2 => (With(area with { Level = area.Level + 1 }), AreaRefusal.WrongLevel),
            3 => (With(area with { Name = " " }), AreaRefusal.InvalidArea),
            4 => (With(area with { Population = -1 }), AreaRefusal.InvalidArea),
            _ => (With(area with { Parent = area.Id }), AreaRefusal.WrongLevel),
        };
        var (refusal, detail) = AreaSystemRules.Check(broken, limits);
        Assert.True(refusal == expected || refusal == AreaRefusal.WrongLevel, $"{refusal} instead of {expected}");
        Assert.NotNull(detail);

        Area[] With(Area changed) => [.. areas.Select(a => a == area ? changed : a)];
    });
}
