using NetTopologySuite.Geometries;

namespace DataHub.Demo;

/// <summary>Joins neighbouring cells to compact, contiguous areas: k-means over the graph of neighbours.</summary>
internal static class DemoClusters
{
    /// <param name="members">The cells to divide; together they must be contiguous.</param>
    /// <param name="count">How many areas, at most as many as cells.</param>
    /// <param name="sites">Where each cell lies.</param>
    /// <param name="neighbours">For each cell those it shares an edge with.</param>
    /// <param name="random">Chooses the first centres.</param>
    /// <returns>The areas' cells, each contiguous, together all members.</returns>
    public static List<int[]> Divide(int[] members, int count, Coordinate[] sites, int[][] neighbours, DemoRandom random)
    {
        var centres = Spread(members, count, sites, random);
        var owner = Grow(members, centres, sites, neighbours);
        for (var step = 0; step < 25; step++)
        {
            var moved = new int[count];
            for (var c = 0; c < count; c++)
            {
                var own = members.Where(m => owner[m] == c).ToArray();
                var middle = new Coordinate(own.Average(m => sites[m].X), own.Average(m => sites[m].Y));
                moved[c] = own.MinBy(m => sites[m].Distance(middle));
            }

            if (moved.SequenceEqual(centres)) break;
            centres = moved;
            owner = Grow(members, centres, sites, neighbours);
        }

        return [.. Enumerable.Range(0, count).Select(c => members.Where(m => owner[m] == c).ToArray())];
    }

    /// <summary>Divides seats among shares by largest remainder, at least one each and never more than the share itself.</summary>
    public static int[] Apportion(int seats, int[] shares)
    {
        var whole = (double)shares.Sum();
        var given = shares.Select(s => Math.Clamp((int)(seats * s / whole), 1, s)).ToArray();
        while (given.Sum() != seats)
        {
            var sign = Math.Sign(seats - given.Sum());
            var next = Enumerable.Range(0, shares.Length)
                .Where(i => given[i] + sign >= 1 && given[i] + sign <= shares[i])
                .MaxBy(i => sign * ((seats * shares[i] / whole) - given[i]));
            given[next] += sign;
        }

        return given;
    }

    /// <summary>First centres, each as far as can be from those before.</summary>
    private static int[] Spread(int[] members, int count, Coordinate[] sites, DemoRandom random)
    {
        var centres = new List<int> { random.Pick(members) };
        while (centres.Count < count)
            centres.Add(members.Where(m => !centres.Contains(m)).MaxBy(m => centres.Min(c => sites[c].Distance(sites[m])) * random.Between(0.7, 1)));
        return [.. centres];
    }

    /// <summary>Each cell goes to the centre it is nearest to by way of neighbours (Dijkstra), which keeps areas contiguous.</summary>
    private static Dictionary<int, int> Grow(int[] members, int[] centres, Coordinate[] sites, int[][] neighbours)
    {
        var allowed = members.ToHashSet();
        var owner = new Dictionary<int, int>();
        var queue = new PriorityQueue<(int Cell, int Centre, double Way), (double, int)>();
        for (var c = 0; c < centres.Length; c++) queue.Enqueue((centres[c], c, 0), (0, c));
        while (queue.TryDequeue(out var next, out _))
        {
            if (!owner.TryAdd(next.Cell, next.Centre)) continue;
            foreach (var neighbour in neighbours[next.Cell])
            {
                if (!allowed.Contains(neighbour) || owner.ContainsKey(neighbour)) continue;
                var way = next.Way + sites[next.Cell].Distance(sites[neighbour]);
                queue.Enqueue((neighbour, next.Centre, way), (way, neighbour));
            }
        }

        return owner;
    }
}
