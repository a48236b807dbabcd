using System.Diagnostics.Metrics;

namespace DataHub.Indicators;

/// <summary>What live changes cost and whom they reach, since this front-end started.</summary>
internal sealed class ChangesMetrics
{
    private readonly Counter<long> _computations, _events, _connections;
    private readonly UpDownCounter<long> _viewers, _selections, _rows;
    private long _kept;

    public ChangesMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("DataHub");
        _computations = meter.CreateCounter<long>("datahub.changes.computations", "{computation}", "Times that values were computed for viewers of changes, however many viewers there were.");
        _events = meter.CreateCounter<long>("datahub.changes.events", "{event}", "States and changes sent to viewers.");
        _connections = meter.CreateCounter<long>("datahub.changes.connections", "{connection}", "Viewers that connected, by how they began.");
        _viewers = meter.CreateUpDownCounter<long>("datahub.changes.viewers", "{viewer}", "Viewers connected now.");
        _selections = meter.CreateUpDownCounter<long>("datahub.changes.selections", "{selection}", "Selections that are watched now or were just now.");
        _rows = meter.CreateUpDownCounter<long>("datahub.changes.rows", "{row}", "Values of watched selections kept in memory.");
    }

    /// <summary>Values of all selections kept now.</summary>
    public long KeptRows => Interlocked.Read(ref _kept);

    public void Computed() => _computations.Add(1);

    public void Sent() => _events.Add(1);

    /// <param name="how">new, resumed or reset.</param>
    public void Connected(string how) => _connections.Add(1, new KeyValuePair<string, object?>("begin", how));

    public void Viewers(int more) => _viewers.Add(more);

    public void Selections(int more) => _selections.Add(more);

    public void Rows(int more)
    {
        Interlocked.Add(ref _kept, more);
        _rows.Add(more);
    }
}
