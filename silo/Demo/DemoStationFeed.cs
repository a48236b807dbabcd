namespace DataHub.Demo;

/// <summary>A feed of stations that measure: each in its turn, some rows late, some corrected, of some feeds some bad.</summary>
internal sealed class DemoStationFeed(
    string agency, string dataset, string feed, DemoFormat format, TimeSpan tick, int groups, TimeSpan history, int seed, double rate,
    DemoStation[] stations, Func<DemoStation, DateTimeOffset, TimeSpan, DemoRow> measure)
    : DemoFeed(agency, dataset, feed, format, tick, history, seed, rate)
{
    /// <summary>Field whose value is corrected; null: nothing is.</summary>
    public string? Corrected { get; init; }

    /// <summary>Field that bad rows are wrong in; null: no row is bad.</summary>
    public string? Bad { get; init; }

    protected override IEnumerable<DemoRow> Past(DateTimeOffset from, DateTimeOffset to) =>
        stations.Select(station => Spoilt(measure(station, from, to - from), station, from));

    protected override IEnumerable<DemoRow> Now(DateTimeOffset slot, DateTimeOffset liveSince)
    {
        foreach (var (station, time) in Ticks(slot))
        {
            if (Delay(station, time) == 0) yield return Row(station, time);
        }

        foreach (var by in (int[])[DemoShares.LateBy, DemoShares.VeryLateBy])
        {
            foreach (var (station, time) in Earlier(slot, by, liveSince))
            {
                if (Delay(station, time) == by) yield return Row(station, time);
            }
        }

        if (Corrected is null) yield break;
        foreach (var (station, time) in Earlier(slot, DemoShares.CorrectedAfter, liveSince))
        {
            if (Chance("corrected", station.Number, time.UtcTicks) >= DemoShares.Corrected || Delay(station, time) != 0) continue;
            var row = Row(station, time);
            if (row[Corrected] is double value) yield return row.With(Corrected, Math.Round(value * 0.94, 1));
        }
    }

    /// <summary>Which stations measure when in a slot.</summary>
    private IEnumerable<(DemoStation Station, DateTimeOffset Time)> Ticks(DateTimeOffset slot)
    {
        for (var time = slot; time < slot + Slot; time += Tick)
        {
            var turn = (int)(time.UtcTicks / Tick.Ticks % groups);
            for (var i = turn; i < stations.Length; i += groups) yield return (stations[i], time);
        }
    }

    private IEnumerable<(DemoStation Station, DateTimeOffset Time)> Earlier(DateTimeOffset slot, int slots, DateTimeOffset liveSince) =>
        slot - (Slot * slots) is var then && then >= liveSince ? Ticks(then) : [];

    private int Delay(DemoStation station, DateTimeOffset time) => Chance("late", station.Number, time.UtcTicks) switch
    {
        < DemoShares.VeryLate => DemoShares.VeryLateBy,
        < DemoShares.VeryLate + DemoShares.Late => DemoShares.LateBy,
        _ => 0,
    };

    private DemoRow Row(DemoStation station, DateTimeOffset time) => Spoilt(measure(station, time, Tick * groups), station, time);

    /// <summary>The row, or for some rows of a bad feed one with a mistake that agencies make.</summary>
    private DemoRow Spoilt(DemoRow row, DemoStation station, DateTimeOffset time)
    {
        if (Bad is null || Chance("bad", station.Number, time.UtcTicks) >= DemoShares.Bad) return row;
        return (int)(6 * Chance("mistake", station.Number, time.UtcTicks)) switch
        {
            0 => row.With(Bad, 9999),
            1 => row.With(Bad, "defekt"),
            2 => row.Without("time"),
            3 => row.With("time", time.UtcDateTime.ToString("dd.MM.yyyy HH:mm", System.Globalization.CultureInfo.InvariantCulture)),
            4 => row.With("longitude", 0.0),
            _ => row.Add("batterie", "schwach"),
        };
    }
}
