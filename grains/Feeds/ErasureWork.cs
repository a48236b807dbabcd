using System.Buffers;

using MessagePack;

namespace DataHub.Feeds;

/// <summary>What an erasure has to remember until it is done: it holds the values looked for, and goes with them.</summary>
/// <param name="UpTo">Per partition the sequence up to which rows belong to the erasure: what was received before it was requested.</param>
/// <param name="Keys">Per partition the keys found, as rows of key fields (<see cref="RowPacking"/>); null before the search is over.</param>
/// <param name="Quarantined">Per partition the quarantined rows found, by sequence and index.</param>
internal sealed record ErasureWork(FieldText[] Where, long[] UpTo, byte[][][]? Keys, (long Sequence, int Index)[][] Quarantined)
{
    /// <summary>Per partition the definitions that have folded the retractions; null before all have.</summary>
    public string[][]? Passed { get; init; }

    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(1_024);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(5);
        writer.WriteArrayHeader(Where.Length * 2);
        foreach (var (field, text) in Where)
        {
            writer.Write(field);
            writer.Write(text);
        }

        writer.WriteArrayHeader(UpTo.Length);
        foreach (var sequence in UpTo) writer.Write(sequence);
        if (Keys is null)
        {
            writer.WriteNil();
        }
        else
        {
            writer.WriteArrayHeader(Keys.Length);
            foreach (var keys in Keys)
            {
                writer.WriteArrayHeader(keys.Length);
                foreach (var key in keys) writer.Write(key);
            }
        }

        writer.WriteArrayHeader(Quarantined.Length);
        foreach (var rows in Quarantined)
        {
            writer.WriteArrayHeader(rows.Length * 2);
            foreach (var (sequence, index) in rows)
            {
                writer.Write(sequence);
                writer.Write(index);
            }
        }

        if (Passed is null)
        {
            writer.WriteNil();
        }
        else
        {
            writer.WriteArrayHeader(Passed.Length);
            foreach (var definitions in Passed)
            {
                writer.WriteArrayHeader(definitions.Length);
                foreach (var definition in definitions) writer.Write(definition);
            }
        }

        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static ErasureWork FromBytes(byte[] bytes)
    {
        var reader = new MessagePackReader(bytes);
        reader.ReadArrayHeader();
        var where = new FieldText[reader.ReadArrayHeader() / 2];
        for (var i = 0; i < where.Length; i++) where[i] = new(reader.ReadString()!, reader.ReadString()!);
        var upTo = new long[reader.ReadArrayHeader()];
        for (var i = 0; i < upTo.Length; i++) upTo[i] = reader.ReadInt64();
        byte[][][]? keys = null;
        if (!reader.TryReadNil())
        {
            keys = new byte[reader.ReadArrayHeader()][][];
            for (var p = 0; p < keys.Length; p++)
            {
                keys[p] = new byte[reader.ReadArrayHeader()][];
                for (var i = 0; i < keys[p].Length; i++) keys[p][i] = reader.ReadBytes()!.Value.ToArray();
            }
        }

        var quarantined = new (long, int)[reader.ReadArrayHeader()][];
        for (var p = 0; p < quarantined.Length; p++)
        {
            quarantined[p] = new (long, int)[reader.ReadArrayHeader() / 2];
            for (var i = 0; i < quarantined[p].Length; i++) quarantined[p][i] = (reader.ReadInt64(), reader.ReadInt32());
        }

        if (reader.TryReadNil()) return new(where, upTo, keys, quarantined);
        var passed = new string[reader.ReadArrayHeader()][];
        for (var p = 0; p < passed.Length; p++)
        {
            passed[p] = new string[reader.ReadArrayHeader()];
            for (var i = 0; i < passed[p].Length; i++) passed[p][i] = reader.ReadString()!;
        }

        return new(where, upTo, keys, quarantined) { Passed = passed };
    }
}
