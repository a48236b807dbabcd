namespace DataHub.Feeds;

/// <summary>A page of versions, taken from what lies under one time and key after the other.</summary>
internal sealed class SegmentVersionPage(VersionQuery query)
{
    private int _keys;

    public List<HistoryVersion> Versions { get; } = [];

    /// <summary>There are more than the page holds.</summary>
    public bool More { get; private set; }

    /// <returns>False where the page is full.</returns>
    public bool Take(IReadOnlyList<SegmentVersion> underKey)
    {
        var counted = false;
        foreach (var version in underKey)
        {
            if (query.Since is { } since ? version.StoodAt(query.AsOf) == version.StoodAt(since) : !version.StoodAt(query.AsOf)) continue;
            if (!version.IsIn(query.Areas)) continue;
            if (!counted && ++_keys > query.Limit)
            {
                More = true;
                return false;
            }

            counted = true;
            Versions.Add(new(version.Segment.Row(version.Row), version.To, null));
        }

        return true;
    }
}

/// <summary>A page of rows that stand now.</summary>
internal sealed class SegmentRowPage(IReadOnlySet<string>? areas, int limit)
{
    public List<HistoryRow> Rows { get; } = [];

    public bool More { get; private set; }

    /// <inheritdoc cref="SegmentVersionPage.Take"/>
    public bool Take(IReadOnlyList<SegmentVersion> underKey)
    {
        var last = underKey[^1];
        if (!last.Holds || !last.IsIn(areas)) return true;
        if (Rows.Count == limit)
        {
            More = true;
            return false;
        }

        Rows.Add(last.Segment.Row(last.Row));
        return true;
    }
}
