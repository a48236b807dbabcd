using System.Buffers;

namespace DataHub.Feeds;

/// <summary>Makes segments of versions that come by time, key and sequence.</summary>
/// <param name="maxRows">Of a segment.</param>
internal sealed class SegmentBuilder(int maxRows)
{
    /// <summary>A segment that has so many bytes takes no more rows: it is read whole.</summary>
    private const int EnoughBytes = 1 << 20;

    private readonly List<HistorySegment> _done = [];
    private readonly List<long> _times = [];
    private readonly List<long> _froms = [];
    private readonly List<RowChange> _changes = [];
    private readonly List<int> _contractVersions = [];
    private readonly List<int> _areaOf = [];
    private readonly List<string> _areas = [];
    private readonly Dictionary<string, int> _placeOf = new(StringComparer.Ordinal);
    private readonly List<int> _keyEnds = [];
    private readonly List<int> _valueEnds = [];
    private readonly ArrayBufferWriter<byte> _keys = new();
    private readonly ArrayBufferWriter<byte> _values = new();

    public void Add(long time, ReadOnlySpan<byte> key, long from, RowChange change, string? area, int contractVersion, ReadOnlySpan<byte> values)
    {
        if (_times.Count > 0 && (_times.Count == maxRows || _keys.WrittenCount + _values.WrittenCount >= EnoughBytes || SegmentRules.Day(_times[0]) != SegmentRules.Day(time))) Close();
        _times.Add(time);
        _froms.Add(from);
        _changes.Add(change);
        _contractVersions.Add(contractVersion);
        _areaOf.Add(area is null ? -1 : Place(area));
        _keys.Write(key);
        _keyEnds.Add(_keys.WrittenCount);
        _values.Write(values);
        _valueEnds.Add(_values.WrittenCount);
    }

    /// <summary>The segments that are full, once.</summary>
    public IReadOnlyList<HistorySegment> Take()
    {
        if (_done.Count == 0) return [];
        HistorySegment[] done = [.. _done];
        _done.Clear();
        return done;
    }

    /// <summary>All that were not taken.</summary>
    public IReadOnlyList<HistorySegment> Build()
    {
        if (_times.Count > 0) Close();
        return Take();
    }

    private int Place(string area)
    {
        if (_placeOf.TryGetValue(area, out var place)) return place;
        place = _areas.Count;
        _areas.Add(area);
        _placeOf.Add(area, place);
        return place;
    }

    private void Close()
    {
        _done.Add(new()
        {
            Times = [.. _times],
            Froms = [.. _froms],
            Changes = [.. _changes],
            ContractVersions = [.. _contractVersions],
            Areas = [.. _areas],
            AreaOf = [.. _areaOf],
            KeyEnds = [.. _keyEnds],
            Keys = _keys.WrittenSpan.ToArray(),
            ValueEnds = [.. _valueEnds],
            Values = _values.WrittenSpan.ToArray(),
        });
        _times.Clear();
        _froms.Clear();
        _changes.Clear();
        _contractVersions.Clear();
        _areaOf.Clear();
        _areas.Clear();
        _placeOf.Clear();
        _keyEnds.Clear();
        _valueEnds.Clear();
        _keys.ResetWrittenCount();
        _values.ResetWrittenCount();
    }
}
