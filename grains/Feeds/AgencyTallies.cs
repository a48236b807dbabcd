using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// What a shard has stored of each agency and not told yet, and how the agency stood when it was told last. A push costs
/// no call for it: a few times a second the sums are told (<see cref="IAgencyQuotaGrain"/>), and where the agency is over
/// its quota, it waits. Not thread-safe.
/// </summary>
internal sealed class AgencyTallies
{
    /// <summary>How often an agency's sums are told that has quotas, and that has none; the latter too how often it is asked whether one that waits still has to.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200), FreePeriod = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_idle = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, Tally> _tallies = [];

    /// <summary>Whether nothing is to be told and nobody waits.</summary>
    public bool IsEmpty => _tallies.Count == 0;

    /// <summary>How long an agency has to wait; zero where it may push.</summary>
    public TimeSpan Wait(string agency, DateTimeOffset now) => _tallies.TryGetValue(agency, out var tally) && tally.Until > now ? tally.Until - now : TimeSpan.Zero;

    /// <summary>How its quotas stood when it was told last.</summary>
    public QuotaReading[] Standing(string agency, DateTimeOffset now)
    {
        if (!_tallies.TryGetValue(agency, out var tally) || tally.Standing.Quotas.Length == 0) return [];
        var passed = (now - tally.Told).TotalSeconds;
        return Array.ConvertAll(tally.Standing.Quotas, quota => quota with { Reset = (int)Math.Max(0, Math.Ceiling(quota.Reset - passed)) });
    }

    public void Add(string agency, PushLoad load, DateTimeOffset now)
    {
        if (!_tallies.TryGetValue(agency, out var tally)) _tallies[agency] = tally = new();
        tally.Load = new(tally.Load.Rows + load.Rows, tally.Load.Bytes + load.Bytes);
        tally.Used = now;
    }

    /// <summary>Takes what is to be told now; whoever has not pushed for a while is forgotten.</summary>
    /// <param name="all">Whether also what could wait.</param>
    public List<(string Agency, PushLoad Load)> TakeDue(DateTimeOffset now, bool all = false)
    {
        var due = new List<(string, PushLoad)>();
        foreach (var (agency, tally) in _tallies)
        {
            if (tally.Load == default)
            {
                // Its quota may have been raised since.
                if (tally.Until > now && now - tally.Told >= FreePeriod) due.Add((agency, default));
                if (now - tally.Used > s_idle && tally.Until < now) _tallies.Remove(agency);
                continue;
            }

            if (!all && !tally.Standing.IsLimited && now - tally.Told < FreePeriod) continue;
            due.Add((agency, tally.Load));
            tally.Load = default;
        }

        return due;
    }

    /// <summary>What was told was not heard: it is told again.</summary>
    public void PutBack(string agency, PushLoad load, DateTimeOffset now) => Add(agency, load, now);

    public void Learn(string agency, AgencyStanding standing, DateTimeOffset now)
    {
        if (!_tallies.TryGetValue(agency, out var tally)) _tallies[agency] = tally = new();
        (tally.Standing, tally.Told, tally.Until) = (standing, now, now + standing.Wait);
    }

    private sealed class Tally
    {
        public PushLoad Load { get; set; }

        public AgencyStanding Standing { get; set; } = AgencyStanding.Free;

        public DateTimeOffset Told { get; set; }

        public DateTimeOffset Used { get; set; }

        public DateTimeOffset Until { get; set; }
    }
}
