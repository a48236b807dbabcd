using DataHub.Feeds;

namespace DataHub.Storage.Sqlite;

/// <summary>A segment as it is written.</summary>
internal sealed record StoredSegment(long FirstTime, long LastTime, int Rows, bool HasEnds, byte[] Areas, byte[] Payload)
{
    public static StoredSegment Of(HistorySegment segment) =>
        new(segment.FirstTime, segment.LastTime, segment.Count, segment.HasEnds, SegmentCodec.EncodeAreas(segment), SegmentCodec.EncodeRows(segment));
}
