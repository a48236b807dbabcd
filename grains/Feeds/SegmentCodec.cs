using MessagePack;

namespace DataHub.Feeds;

/// <summary>A segment in bytes: its areas apart, so that a reader can tell whether they matter to it, and all the rest.</summary>
internal static class SegmentCodec
{
    private const byte AreasMagic = (byte)'A';
    private const byte RowsMagic = (byte)'S';
    private const byte FormatVersion = 1;
    private const int Members = 10;

    public static byte[] EncodeAreas(HistorySegment segment) => PackedEnvelope.Seal(AreasMagic, FormatVersion, segment, static (ref writer, s) =>
    {
        writer.WriteArrayHeader(s.Areas.Length);
        foreach (var area in s.Areas) writer.Write(area);
    });

    public static string[] DecodeAreas(ReadOnlyMemory<byte> bytes) => Read("areas", () =>
    {
        var reader = new MessagePackReader(PackedEnvelope.Open(AreasMagic, FormatVersion, bytes));
        return Array.ConvertAll(RowBlockCodec.ReadTexts(ref reader, reader.ReadArrayHeader()), area => area ?? throw new InvalidDataException("an area without an id"));
    });

    public static byte[] EncodeRows(HistorySegment segment) => PackedEnvelope.Seal(RowsMagic, FormatVersion, segment, static (ref writer, s) =>
    {
        writer.WriteArrayHeader(Members);
        writer.Write(s.Count);
        RowBlockCodec.WriteLongs(ref writer, s.Times);
        RowBlockCodec.WriteLongs(ref writer, s.Froms);
        RowBlockCodec.WriteBytes(ref writer, s.Changes);
        RowBlockCodec.WriteInts(ref writer, s.ContractVersions);
        RowBlockCodec.WriteInts(ref writer, s.AreaOf);
        RowBlockCodec.WriteInts(ref writer, Lengths(s.KeyEnds));
        writer.Write(s.Keys);
        RowBlockCodec.WriteInts(ref writer, Lengths(s.ValueEnds));
        writer.Write(s.Values);
    });

    public static HistorySegment DecodeRows(ReadOnlyMemory<byte> bytes, string[] areas) => Read("rows", () =>
    {
        var reader = new MessagePackReader(PackedEnvelope.Open(RowsMagic, FormatVersion, bytes));
        PackedEnvelope.Expect(reader.ReadArrayHeader(), Members, "members of a segment");
        var count = reader.ReadInt32();
        return new HistorySegment
        {
            Times = RowBlockCodec.ReadLongs(ref reader, count),
            Froms = RowBlockCodec.ReadLongs(ref reader, count),
            Changes = RowBlockCodec.ReadChanges(ref reader, count),
            ContractVersions = RowBlockCodec.ReadInts(ref reader, count),
            Areas = areas,
            AreaOf = RowBlockCodec.ReadInts(ref reader, count),
            KeyEnds = Ends(RowBlockCodec.ReadInts(ref reader, count)),
            Keys = RowBlockCodec.ReadBytes(ref reader).ToArray(),
            ValueEnds = Ends(RowBlockCodec.ReadInts(ref reader, count)),
            Values = RowBlockCodec.ReadBytes(ref reader).ToArray(),
        };
    });

    private static int[] Lengths(int[] ends)
    {
        var lengths = new int[ends.Length];
        for (var i = 0; i < lengths.Length; i++) lengths[i] = i == 0 ? ends[0] : ends[i] - ends[i - 1];
        return lengths;
    }

    private static int[] Ends(int[] lengths)
    {
        for (var i = 1; i < lengths.Length; i++) lengths[i] += lengths[i - 1];
        return lengths;
    }

    private static T Read<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (PackedEnvelope.IsDamage(e))
        {
            throw new InvalidDataException($"Die {(what == "areas" ? "Räume" : "Zeilen")} eines Abschnitts der Historie sind nicht lesbar. The {what} of a segment of history cannot be read: {e.Message}", e);
        }
    }
}
