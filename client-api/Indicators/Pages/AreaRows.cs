using System.Collections.Immutable;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>Makes what people read of what an indicator answers. Pure.</summary>
internal static class AreaRows
{
    /// <summary>The rows of a page, and the areas of the level that have none.</summary>
    /// <param name="combination">Only rows of this combination of dimensions; null where there are no dimensions.</param>
    public static AreaTable Table(ValuesPage page, AreaTree? tree, int? level, string? combination, RowOrder order, Display display)
    {
        var values = page.Rows.Where(r => Combination(r.Dimensions) == combination).ToList();
        var classes = Choropleth.Of(values.Where(r => r.Value is { } v && double.IsFinite(v)).Select(r => r.Value!.Value));
        var newest = values.Count == 0 ? default : values.Max(r => r.From);
        var elsewhere = page.Indicator.Definition.Spec.ByArea ? display.Say("ohne Gebiet", "without an area") : display.Say("Ganze Stadt", "Whole city");
        var rows = values.Select(r => Row(page.Indicator, r, tree, elsewhere, display) with
        {
            Older = r.From < newest,
            Shade = r.Value is { } value && classes.ClassOf(value) is >= 0 and var place ? classes.ShadeOf(place) : -1,
        });
        rows = order switch
        {
            RowOrder.Name => rows.OrderBy(r => r.Name, s_names).ThenBy(r => r.Area, StringComparer.Ordinal),
            RowOrder.Value => rows.OrderByDescending(r => r.Value ?? double.NegativeInfinity).ThenBy(r => r.Area, StringComparer.Ordinal),
            // The answer is by window first; on a page the latest values stand by area.
            _ => rows.OrderBy(r => r.Area, StringComparer.Ordinal),
        };

        var cut = page.Next is not null;
        var known = values.Select(r => r.Area).ToHashSet(StringComparer.Ordinal);
        var empty = cut || tree is null || level is not { } shown ? [] : tree.AtLevel(shown).Where(a => !known.Contains(a.Id)).ToImmutableArray();
        return new([.. rows], empty, classes, cut);
    }

    /// <summary>One row by itself, such as the whole city's.</summary>
    /// <param name="nowhere">Name of a row without an area.</param>
    public static AreaValue Row(IndicatorInfo info, IndicatorValue row, AreaTree? tree, string nowhere, Display display)
    {
        var spec = info.Definition.Spec;
        string? within = null;
        var name = nowhere;
        if (row.Area is { } id)
        {
            name = tree is not null && tree.TryGet(id, out var area) ? area.Name : id;
            if (tree?.AncestorAt(id, 0) is { } top && top != id && tree.TryGet(top, out var above)) within = above.Name;
        }

        return new(row.Area, name, within, row.Value, display.Number(row.Value, spec.Decimals), row.State, row.From,
            display.Window(row.From, row.To, spec.Window, spec.TimeZone), row.Count, false, -1)
        {
            Coverage = row.Coverage,
            Target = row.Target,
        };
    }

    /// <summary>The combinations of dimensions in a page, in the order of the rows.</summary>
    public static ImmutableArray<(string Json, string Words)> Combinations(ValuesPage page, Display display) =>
    [
        .. page.Rows.Where(r => r.Dimensions is { Length: > 0 })
            .Select(r => (Json: Combination(r.Dimensions)!, Words: string.Join(", ", r.Dimensions!.Select(d => d ?? display.Say("ohne Angabe", "not stated")))))
            .DistinctBy(c => c.Json, StringComparer.Ordinal).OrderBy(c => c.Words, s_names).ThenBy(c => c.Json, StringComparer.Ordinal).Take(MaxCombinations),
    ];

    /// <summary>A combination of dimensions as an address can name it.</summary>
    public static string? Combination(string?[]? dimensions) => dimensions is { Length: > 0 } ? JsonSerializer.Serialize(dimensions, WireJson.Options) : null;

    /// <summary>More than this in a list nobody finds anything in.</summary>
    private const int MaxCombinations = 200;

    private static readonly StringComparer s_names = StringComparer.Create(System.Globalization.CultureInfo.GetCultureInfo("de-DE", predefinedOnly: false), ignoreCase: true);
}
