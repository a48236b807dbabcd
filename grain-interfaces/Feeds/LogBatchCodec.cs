using MessagePack;

namespace DataHub.Feeds;

/// <summary>
/// A log batch as it lies in the log's <c>payload</c>: magic <c>DB</c>, format version, flags, then MessagePack, by
/// Brotli where that pays. What the log keeps in columns of its own (shard, position, partition, sequence, received at)
/// is not in the payload.
/// </summary>
/// <remarks>
/// Every version ever written can be read for good; each has golden files in the tests. A change of the layout is a
/// new version. Written and read by hand, because this runs once per push and consumer.
/// </remarks>
public static class LogBatchCodec
{
    /// <summary>The newest version, which names the run that pushed. What no run pushed is written as <see cref="PlainVersion"/>.</summary>
    public const byte FormatVersion = 3;

    /// <summary>A program of before reads it too.</summary>
    private const byte PlainVersion = 2;

    private const byte BatchMagic = (byte)'B';
    private const byte PushMagic = (byte)'P';
    private const byte QuarantineMagic = (byte)'Q';

    private const int BatchMembers = 11;

    /// <summary>Version 1 knew neither acts on quarantined rows nor erased content.</summary>
    private const int BatchMembersV1 = 9;
    private const int PushMembers = 10;

    /// <summary>With run and step, of version 3.</summary>
    private const int PushMembersOfRun = 12;

    /// <exception cref="ArgumentException">Changes or before-images do not fit the rows.</exception>
    public static byte[] Encode(LogBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Check(batch);
        return PackedEnvelope.Seal(BatchMagic, Version(batch.Push), batch, static (ref writer, b) =>
        {
            writer.WriteArrayHeader(BatchMembers);
            writer.Write((byte)b.Kind);
            writer.Write(b.ContractVersion);
            writer.Write(b.AreaVersion);
            WritePush(ref writer, b.Push);
            RowBlockCodec.Write(ref writer, b.Rows);
            RowBlockCodec.WriteBytes(ref writer, b.Changes);
            RowBlockCodec.WriteIndexes(ref writer, b.BeforeOf);
            RowBlockCodec.Write(ref writer, b.Befores);
            writer.WriteArrayHeader(b.Quarantined.Length);
            foreach (var row in b.Quarantined) WriteQuarantined(ref writer, row);
            WriteAct(ref writer, b.Act);
            WriteErased(ref writer, b.Erased);
        });
    }

    /// <summary>Reads what <see cref="Encode"/> wrote, in this or an earlier version.</summary>
    /// <exception cref="InvalidDataException">The payload is damaged, or a newer program wrote it; the message names shard and position.</exception>
    public static LogBatch Decode(ReadOnlyMemory<byte> payload, int shard, long position, string partition, long sequence, DateTimeOffset receivedAt)
    {
        try
        {
            var reader = new MessagePackReader(PackedEnvelope.Open(BatchMagic, FormatVersion, payload));
            var members = reader.ReadArrayHeader();
            if (members != BatchMembersV1) PackedEnvelope.Expect(members, BatchMembers, "members of a batch");
            var kind = (BatchKind)reader.ReadByte();
            var contractVersion = reader.ReadInt32();
            var areaVersion = reader.ReadInt32();
            var push = ReadPush(ref reader);
            var rows = RowBlockCodec.Read(ref reader);
            var changes = RowBlockCodec.ReadChanges(ref reader, rows.Count);
            var beforeOf = RowBlockCodec.ReadIndexes(ref reader, rows.Count);
            var befores = RowBlockCodec.Read(ref reader);
            var quarantined = new QuarantinedRow[reader.ReadArrayHeader()];
            for (var i = 0; i < quarantined.Length; i++) quarantined[i] = ReadQuarantined(ref reader);
            var act = members == BatchMembersV1 ? null : ReadAct(ref reader);
            var erased = members == BatchMembersV1 ? null : ReadErased(ref reader);
            return new()
            {
                Shard = shard,
                Position = position,
                Partition = partition,
                Sequence = sequence,
                ReceivedAt = receivedAt,
                Kind = kind,
                ContractVersion = contractVersion,
                AreaVersion = areaVersion,
                Push = push,
                Rows = rows,
                Changes = changes,
                BeforeOf = beforeOf,
                Befores = befores,
                Quarantined = quarantined,
                Act = act,
                Erased = erased,
            };
        }
        catch (Exception e) when (PackedEnvelope.IsDamage(e))
        {
            throw new InvalidDataException(
                $"Das Log-Bündel an Stelle {shard}/{position} (Partition {partition}, Folge {sequence}) ist nicht lesbar. " +
                $"The log batch at {shard}/{position} (partition {partition}, sequence {sequence}) cannot be read: {e.Message}", e);
        }
    }

    /// <summary>A push's record alone, as the table of receipts keeps it.</summary>
    public static byte[] EncodePush(PushRecord push)
    {
        ArgumentNullException.ThrowIfNull(push);
        return PackedEnvelope.Seal(PushMagic, Version(push), push, static (ref writer, p) => WritePush(ref writer, p));
    }

    /// <summary>Reads what <see cref="EncodePush"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Damaged, or written by a newer program.</exception>
    public static PushRecord DecodePush(ReadOnlyMemory<byte> payload)
    {
        try
        {
            var reader = new MessagePackReader(PackedEnvelope.Open(PushMagic, FormatVersion, payload));
            return ReadPush(ref reader) ?? throw new InvalidDataException("the record of the push is empty");
        }
        catch (Exception e) when (PackedEnvelope.IsDamage(e))
        {
            throw new InvalidDataException($"Ein gespeicherter Beleg ist nicht lesbar. A stored receipt cannot be read: {e.Message}", e);
        }
    }

    /// <summary>One quarantined row alone, as the table of quarantine keeps it.</summary>
    public static byte[] EncodeQuarantined(QuarantinedRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return PackedEnvelope.Seal(QuarantineMagic, PlainVersion, row, static (ref writer, r) => WriteQuarantined(ref writer, r));
    }

    /// <summary>Reads what <see cref="EncodeQuarantined"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Damaged, or written by a newer program.</exception>
    public static QuarantinedRow DecodeQuarantined(ReadOnlyMemory<byte> payload)
    {
        try
        {
            var reader = new MessagePackReader(PackedEnvelope.Open(QuarantineMagic, FormatVersion, payload));
            return ReadQuarantined(ref reader);
        }
        catch (Exception e) when (PackedEnvelope.IsDamage(e))
        {
            throw new InvalidDataException($"Eine Zeile der Quarantäne ist nicht lesbar. A quarantined row cannot be read: {e.Message}", e);
        }
    }

    private static byte Version(PushRecord? push) => push?.Run is null ? PlainVersion : FormatVersion;

    private static void Check(LogBatch batch)
    {
        var count = batch.Rows.Count;
        if (batch.Changes.Length != count || batch.BeforeOf.Length != count)
        {
            throw new ArgumentException($"{count} rows, but {batch.Changes.Length} changes and {batch.BeforeOf.Length} references to before-images.", nameof(batch));
        }

        for (var i = 0; i < count; i++)
        {
            var before = batch.BeforeOf[i];
            if (before < -1 || before >= batch.Befores.Count)
            {
                throw new ArgumentException($"Row {i} refers to before-image {before} of {batch.Befores.Count}.", nameof(batch));
            }
        }
    }

    private static void WritePush(ref MessagePackWriter writer, PushRecord? push)
    {
        if (push is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(push.Run is null ? PushMembers : PushMembersOfRun);
        writer.Write(push.Receipt);
        writer.Write(push.Dataset);
        writer.Write(push.Feed);
        writer.Write(push.IdempotencyKey);
        writer.Write(push.BodyHash);
        writer.Write(push.Part);
        writer.Write(push.Parts);
        writer.WriteArrayHeader(6);
        writer.Write(push.Counts.Received);
        writer.Write(push.Counts.New);
        writer.Write(push.Counts.Corrected);
        writer.Write(push.Counts.Retracted);
        writer.Write(push.Counts.Duplicate);
        writer.Write(push.Counts.Quarantined);
        WriteErrors(ref writer, push.Errors);
        writer.Write(push.Agency);
        if (push.Run is not { } by) return;
        writer.Write(by.Run);
        writer.Write(by.Step);
    }

    private static PushRecord? ReadPush(ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return null;
        var members = reader.ReadArrayHeader();
        if (members != PushMembersOfRun) PackedEnvelope.Expect(members, PushMembers, "members of a push");
        var receipt = PackedEnvelope.Text(ref reader);
        var dataset = PackedEnvelope.Text(ref reader);
        var feed = PackedEnvelope.Text(ref reader);
        var idempotencyKey = reader.ReadString();
        var bodyHash = RowBlockCodec.ReadBytes(ref reader).ToArray();
        var part = reader.ReadInt32();
        var parts = reader.ReadInt32();
        PackedEnvelope.Expect(reader.ReadArrayHeader(), 6, "counts of a push");
        var counts = new PushCounts(
            reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        var errors = ReadErrors(ref reader);
        var agency = reader.ReadString();
        return new(receipt, dataset, feed, idempotencyKey, bodyHash, part, parts, counts, errors)
        {
            Agency = agency,
            Run = members == PushMembersOfRun ? new(PackedEnvelope.Text(ref reader), PackedEnvelope.Text(ref reader)) : null,
        };
    }

    private static void WriteErrors(ref MessagePackWriter writer, RowError[] errors)
    {
        writer.WriteArrayHeader(errors.Length);
        foreach (var error in errors)
        {
            writer.WriteArrayHeader(5);
            writer.Write(error.Row);
            writer.Write(error.Field);
            writer.Write(error.Code);
            writer.Write(error.Expected);
            writer.Write(error.Value);
        }
    }

    private static RowError[] ReadErrors(ref MessagePackReader reader)
    {
        var errors = new RowError[reader.ReadArrayHeader()];
        for (var i = 0; i < errors.Length; i++)
        {
            PackedEnvelope.Expect(reader.ReadArrayHeader(), 5, "members of an error");
            errors[i] = new(reader.ReadInt32(), reader.ReadString(), PackedEnvelope.Text(ref reader), reader.ReadString(), reader.ReadString());
        }

        return errors;
    }

    private static void WriteQuarantined(ref MessagePackWriter writer, QuarantinedRow row)
    {
        writer.WriteArrayHeader(3);
        writer.Write(row.Row);
        WriteErrors(ref writer, row.Errors);
        writer.Write(row.Raw);
    }

    private static QuarantinedRow ReadQuarantined(ref MessagePackReader reader)
    {
        PackedEnvelope.Expect(reader.ReadArrayHeader(), 3, "members of a quarantined row");
        return new(reader.ReadInt32(), ReadErrors(ref reader), PackedEnvelope.Text(ref reader));
    }

    private static void WriteAct(ref MessagePackWriter writer, QuarantineAct? act)
    {
        if (act is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(5);
        writer.Write((byte)act.Kind);
        writer.Write(act.KeyId);
        writer.Write(act.Reason);
        writer.Write(act.Rule);
        writer.WriteArrayHeader(act.Rows.Length);
        foreach (var row in act.Rows)
        {
            writer.WriteArrayHeader(4);
            writer.Write(row.Sequence);
            writer.Write(row.Index);
            writer.Write((byte)row.Outcome);
            writer.Write(row.Corrected);
        }
    }

    private static QuarantineAct? ReadAct(ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return null;
        PackedEnvelope.Expect(reader.ReadArrayHeader(), 5, "members of an act");
        var (kind, keyId, reason, rule) = ((QuarantineActKind)reader.ReadByte(), reader.ReadString(), reader.ReadString(), reader.ReadString());
        var rows = new SettledRow[reader.ReadArrayHeader()];
        for (var i = 0; i < rows.Length; i++)
        {
            PackedEnvelope.Expect(reader.ReadArrayHeader(), 4, "members of a settled row");
            rows[i] = new(reader.ReadInt64(), reader.ReadInt32(), (QuarantineState)reader.ReadByte(), reader.ReadString());
        }

        return new(kind, keyId, reason, rule, rows);
    }

    private static void WriteErased(ref MessagePackWriter writer, ErasedContent? erased)
    {
        if (erased is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(2);
        writer.Write(erased.Rows);
        writer.WriteArrayHeader(erased.Erasures.Length);
        foreach (var erasure in erased.Erasures) writer.Write(erasure);
    }

    private static ErasedContent? ReadErased(ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return null;
        PackedEnvelope.Expect(reader.ReadArrayHeader(), 2, "members of erased content");
        var rows = reader.ReadInt32();
        var erasures = new string[reader.ReadArrayHeader()];
        for (var i = 0; i < erasures.Length; i++) erasures[i] = PackedEnvelope.Text(ref reader);
        return new(rows, erasures);
    }
}
