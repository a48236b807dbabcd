using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

using MessagePack;

namespace DataHub.Feeds;

internal delegate void Pack<in T>(ref MessagePackWriter writer, T value);

/// <summary>
/// What stands around everything packed that the hub stores: <c>D</c>, one byte for the kind, one for the format
/// version, one for flags; with flag 1 the length before compression (32 bits, little-endian) and a Brotli stream,
/// else MessagePack as it is.
/// </summary>
internal static class PackedEnvelope
{
    private const byte House = (byte)'D';
    private const byte Compressed = 1;
    private const int HeaderLength = 4;

    /// <summary>Below this a batch is a page or less whatever one does, and compressing costs more than writing.</summary>
    private const int WorthCompressing = 1_024;

    /// <summary>No push is this large (the front-end's limit on bodies is far lower): a greater length is damage, not data.</summary>
    private const int LargestBody = 1 << 29;

    /// <summary>A buffer that once held an unusually large batch is not kept.</summary>
    private const int LargestKeptBuffer = 1 << 20;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    public static byte[] Seal<T>(byte magic, byte version, T value, Pack<T> pack)
    {
        var buffer = _buffer ?? new(4_096);
        _buffer = null;
        buffer.ResetWrittenCount();
        var writer = new MessagePackWriter(buffer);
        pack(ref writer, value);
        writer.Flush();
        var sealedBytes = SealBytes(magic, version, buffer.WrittenSpan);
        if (buffer.Capacity <= LargestKeptBuffer) _buffer = buffer;
        return sealedBytes;
    }

    /// <exception cref="InvalidDataException">Not such an envelope, or written by a newer program.</exception>
    public static ReadOnlyMemory<byte> Open(byte magic, byte newestVersion, ReadOnlyMemory<byte> payload)
    {
        var bytes = payload.Span;
        if (bytes.Length < HeaderLength || bytes[0] != House || bytes[1] != magic) throw new InvalidDataException($"it does not begin with D{(char)magic}");
        if (bytes[2] == 0 || bytes[2] > newestVersion)
        {
            throw new InvalidDataException($"it has format version {bytes[2]}, this program reads up to {newestVersion}: start the newer program");
        }

        switch (bytes[3])
        {
            case 0: return payload[HeaderLength..];
            case Compressed: return Decompress(bytes[HeaderLength..]);
            default: throw new InvalidDataException($"it has unknown flags {bytes[3]}");
        }
    }

    public static void Expect(int found, int expected, string what)
    {
        if (found != expected) throw new InvalidDataException($"{found} {what}, expected {expected}");
    }

    public static string Text(ref MessagePackReader reader) => reader.ReadString() ?? throw new InvalidDataException("a text is missing");

    public static bool IsDamage(Exception e) =>
        e is InvalidDataException or MessagePackSerializationException or EndOfStreamException or OverflowException or InvalidOperationException or ArgumentException;

    /// <summary>Puts the envelope around what was written already.</summary>
    public static byte[] SealBytes(byte magic, byte version, ReadOnlySpan<byte> body)
    {
        if (body.Length >= WorthCompressing)
        {
            // It pays where at least an eighth is saved; a smaller room refuses the rest by itself.
            var room = ArrayPool<byte>.Shared.Rent(body.Length - (body.Length / 8));
            try
            {
                if (BrotliEncoder.TryCompress(body, room.AsSpan(0, body.Length - (body.Length / 8)), out var written, quality: 1, window: 18))
                {
                    var packed = new byte[HeaderLength + sizeof(int) + written];
                    Head(packed, magic, version, Compressed);
                    BinaryPrimitives.WriteInt32LittleEndian(packed.AsSpan(HeaderLength), body.Length);
                    room.AsSpan(0, written).CopyTo(packed.AsSpan(HeaderLength + sizeof(int)));
                    return packed;
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(room);
            }
        }

        var plain = new byte[HeaderLength + body.Length];
        Head(plain, magic, version, 0);
        body.CopyTo(plain.AsSpan(HeaderLength));
        return plain;
    }

    private static void Head(byte[] packed, byte magic, byte version, byte flags)
    {
        packed[0] = House;
        packed[1] = magic;
        packed[2] = version;
        packed[3] = flags;
    }

    private static byte[] Decompress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < sizeof(int)) throw new InvalidDataException("it is cut short");
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (length is < 0 or > LargestBody) throw new InvalidDataException($"it claims {length} bytes");
        var body = new byte[length];
        if (!BrotliDecoder.TryDecompress(bytes[sizeof(int)..], body, out var written) || written != length)
        {
            throw new InvalidDataException("its compressed content is damaged");
        }

        return body;
    }
}
