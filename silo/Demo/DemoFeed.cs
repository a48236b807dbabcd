namespace DataHub.Demo;

/// <summary>One push that is due.</summary>
/// <param name="From">Beginning of the stretch of time it tells of.</param>
/// <param name="To">Its end; nothing is pushed before that.</param>
/// <param name="Key">Idempotency key: the same stretch always has the same key and the same body.</param>
/// <param name="Rows">What is in it, at least one.</param>
internal sealed record DemoPush(DateTimeOffset From, DateTimeOffset To, string Key, IReadOnlyList<DemoRow> Rows);

/// <summary>
/// One feed of an agency. What it pushes for a stretch of time depends only on the seed, the rate and that stretch:
/// after a crash it pushes the same again under the same keys.
/// </summary>
internal abstract class DemoFeed
{
    /// <summary>At high rates several ticks go into one push, so that pushes grow instead of becoming countless.</summary>
    private static readonly TimeSpan s_shortestPush = TimeSpan.FromMilliseconds(250);

    private readonly long _seed;
    private readonly double _rate;

    protected DemoFeed(string agency, string dataset, string feed, DemoFormat format, TimeSpan tick, TimeSpan history, int seed, double rate)
    {
        Agency = agency;
        Dataset = dataset;
        Feed = feed;
        Format = format;
        History = history;
        Tick = new(Math.Max(1, (long)Math.Round(tick.Ticks / rate)));
        Slot = Tick * Math.Max(1, (long)Math.Ceiling(s_shortestPush / Tick));
        _seed = DemoNoise.Of($"{seed}/{dataset}/{feed}");
        _rate = rate;
    }

    public string Agency { get; }

    public string Dataset { get; }

    public string Feed { get; }

    public DemoFormat Format { get; }

    /// <summary>How often something is measured while live.</summary>
    public TimeSpan Tick { get; }

    /// <summary>How long a stretch one live push tells of: a whole number of ticks.</summary>
    public TimeSpan Slot { get; }

    /// <summary>How long a stretch one push tells of while catching up; divides a day.</summary>
    public TimeSpan History { get; }

    /// <summary>How long after the demo's first start it pushes; null: for ever.</summary>
    public TimeSpan? SilentAfter { get; init; }

    public string Name => $"{Dataset}/{Feed}";

    /// <summary>The next push of catching up, null where nothing happened, and up to where it tells.</summary>
    /// <param name="position">Up to where it has pushed.</param>
    /// <param name="until">Up to where it catches up; after the position.</param>
    public (DemoPush? Push, DateTimeOffset To) CatchUp(DateTimeOffset position, DateTimeOffset until)
    {
        var boundary = Floor(position, History) + History;
        var to = boundary < until ? boundary : until;
        return (Make(position, to, "h", Past(position, to)), to);
    }

    /// <summary>The live push that begins at the position, which is a whole number of slots.</summary>
    /// <param name="position">Its beginning.</param>
    /// <param name="liveSince">Where live pushes began: what is older was told while catching up.</param>
    public DemoPush? Live(DateTimeOffset position, DateTimeOffset liveSince) =>
        Make(position, position + Slot, FormattableString.Invariant($"r{_rate}"), Now(position, liveSince));

    /// <summary>Whether the agency sends this push once more with the same key, as after an answer that was lost.</summary>
    public bool IsRepeated(DemoPush push) => Chance("repeat", push.From.UtcTicks, 0) < DemoShares.Repeated;

    /// <summary>Whether the agency sends the rows of this push once more under another key, as after an export that ran twice.</summary>
    public bool IsSentAgain(DemoPush push) => Chance("again", push.From.UtcTicks, 0) < DemoShares.SentAgain;

    public static DateTimeOffset Floor(DateTimeOffset time, TimeSpan step) => new(time.UtcTicks - (time.UtcTicks % step.Ticks), TimeSpan.Zero);

    /// <summary>What happened from one instant to before another, in few rows.</summary>
    protected abstract IEnumerable<DemoRow> Past(DateTimeOffset from, DateTimeOffset to);

    /// <summary>What is pushed for the slot that begins now.</summary>
    protected abstract IEnumerable<DemoRow> Now(DateTimeOffset slot, DateTimeOffset liveSince);

    /// <summary>At least 0, less than 1: always the same for the same question.</summary>
    protected double Chance(string about, long first, long second) => DemoNoise.Hash(_seed ^ DemoNoise.Of(about), first, second);

    private DemoPush? Make(DateTimeOffset from, DateTimeOffset to, string mode, IEnumerable<DemoRow> rows)
    {
        DemoRow[] made = [.. rows];
        return made.Length == 0 ? null : new(from, to, FormattableString.Invariant($"demo-{_seed:x}-{mode}-{from.UtcTicks:x}-{to.UtcTicks:x}"), made);
    }
}

/// <summary>How often what happens that happens to real feeds too; shares of rows, or of pushes where said so.</summary>
internal static class DemoShares
{
    /// <summary>Rows that arrive some pushes late.</summary>
    public const double Late = 0.02;

    /// <summary>Rows that arrive very late.</summary>
    public const double VeryLate = 0.005;

    /// <summary>Rows whose value is corrected later.</summary>
    public const double Corrected = 0.01;

    /// <summary>Rows of the bad feed that are wrong.</summary>
    public const double Bad = 0.15;

    /// <summary>Pushes sent twice with the same key.</summary>
    public const double Repeated = 0.03;

    /// <summary>Pushes whose rows are sent again under another key.</summary>
    public const double SentAgain = 0.01;

    /// <summary>After how many pushes what is late, very late or corrected is sent.</summary>
    public const int LateBy = 30, VeryLateBy = 360, CorrectedAfter = 60;
}
