using DataHub.Feeds;

namespace DataHub.Storage.Sqlite;

/// <summary>Segments that were looked into a moment ago, by their ids. They never change, and an id is never given twice.</summary>
/// <param name="bytes">How much is kept; the longest unused goes first.</param>
internal sealed class SegmentCache(long bytes)
{
    private readonly Dictionary<long, LinkedListNode<(long Id, HistorySegment Segment)>> _nodes = [];
    private readonly LinkedList<(long Id, HistorySegment Segment)> _used = new();
    private long _held;

    public HistorySegment? Find(long id)
    {
        lock (_nodes)
        {
            if (!_nodes.TryGetValue(id, out var node)) return null;
            _used.Remove(node);
            _used.AddFirst(node);
            return node.Value.Segment;
        }
    }

    public void Keep(long id, HistorySegment segment)
    {
        lock (_nodes)
        {
            if (_nodes.ContainsKey(id)) return;
            _nodes.Add(id, _used.AddFirst((id, segment)));
            _held += Size(segment);
            while (_held > bytes && _used.Last is { } last)
            {
                _used.RemoveLast();
                _nodes.Remove(last.Value.Id);
                _held -= Size(last.Value.Segment);
            }
        }
    }

    /// <summary>Lets go of all: what was erased must not stay.</summary>
    public void Clear()
    {
        lock (_nodes)
        {
            _nodes.Clear();
            _used.Clear();
            _held = 0;
        }
    }

    // Beside the content seven numbers a row.
    private static long Size(HistorySegment segment) => segment.Bytes + (segment.Count * 40L);
}
