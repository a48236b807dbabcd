using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

using DataHub.Catalog;

using MessagePack;

namespace DataHub.Feeds;

/// <summary>A body's arrays and maps lie deeper within one another than is allowed.</summary>
internal sealed class TooDeepException : Exception
{
    public TooDeepException()
        : base("arrays and maps lie too deep")
    {
    }
}

/// <summary>
/// Reads single values of a MessagePack body into a <see cref="RowAssembler"/>. What a header announces is never
/// believed: nothing is made before the bytes for it are there. For one push and one thread.
/// </summary>
internal sealed class MessagePackValues(DecodeContext context, RowAssembler rows) : IDisposable
{
    private static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly TextPool _pool = TextPool.OfThisThread;
    private readonly IngestOptions _options = context.Options;
    private char[] _scratch = ArrayPool<char>.Shared.Rent(1_024);

    public void Dispose() => ArrayPool<char>.Shared.Return(_scratch);

    /// <summary>Reads a value of a field, or <c>@delete</c>.</summary>
    public void Read(scoped ref MessagePackReader reader, int ordinal)
    {
        var field = context.Contract.Fields[ordinal];
        FieldValue value;
        FieldFault fault;
        ReadOnlySpan<char> told = default;
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Nil:
                reader.ReadNil();
                return;
            case MessagePackType.Boolean:
                var boolean = reader.ReadBoolean();
                told = boolean ? "true" : "false";
                fault = field.ReadBoolean(boolean, out value);
                break;
            case MessagePackType.Integer:
                told = Integer(ref reader);
                fault = field.ReadNumber(told, out value);
                break;
            case MessagePackType.Float:
                // A float of 32 bits is the double it stands for, not the decimals somebody had in mind.
                var number = reader.ReadDouble();
                told = Told(number);
                if (field.Type == FieldType.Number) fault = field.ReadNumber(number, out value);
                else fault = double.IsFinite(number) ? field.ReadNumber(told, out value) : field.WrongType(out value);
                break;
            case MessagePackType.String:
                if (!TryText(ref reader, _options.MaxFieldLength, out told, out var code))
                {
                    rows.Fail(ordinal, code, code == RowErrorCodes.TooLong ? PushDecoder.Text(_options.MaxFieldLength) : null, default);
                    return;
                }

                fault = field.Read(told, _pool, out value);
                break;
            case MessagePackType.Binary:
                fault = ReadBinary(ref reader, field, out value);
                break;
            case MessagePackType.Extension:
                fault = TryInstant(ref reader, out var ticks) ? field.ReadInstant(ticks, out value) : field.WrongType(out value);
                told = "(ext)";
                break;
            default:
                ReadNested(ref reader, ordinal, field);
                return;
        }

        if (fault.IsNone) rows.Set(ordinal, value);
        else rows.Fail(ordinal, fault.Code!, fault.Expected, told);
    }

    public void ReadDelete(ref MessagePackReader reader)
    {
        if (reader.NextMessagePackType == MessagePackType.Boolean)
        {
            rows.Delete(reader.ReadBoolean());
            return;
        }

        if (reader.NextMessagePackType != MessagePackType.Nil) rows.Fail(CsvTable.Delete, RowErrorCodes.InvalidDelete, "true, false");
        Skip(ref reader);
    }

    /// <summary>A text's bytes; empty for anything else, which is passed over.</summary>
    public ReadOnlySpan<byte> Name(ref MessagePackReader reader, out bool isText)
    {
        isText = reader.NextMessagePackType == MessagePackType.String;
        // A body lies in one piece.
        if (isText && reader.TryReadStringSpan(out var name)) return name;
        Skip(ref reader);
        return default;
    }

    /// <summary>Passes over a value, whatever is in it.</summary>
    /// <exception cref="TooDeepException">It is deeper than a row may be.</exception>
    public void Skip(ref MessagePackReader reader) => Skip(ref reader, _options.MaxDepth + 2);

    /// <summary>A value as JSON text: times as ISO 8601, bytes as Base64.</summary>
    public string Json(ReadOnlySequence<byte> value)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, s_writing)) Write(new MessagePackReader(value), writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <inheritdoc cref="Json(ReadOnlySequence{byte})"/>
    public void Write(MessagePackReader value, Utf8JsonWriter writer) => Write(ref value, writer, _options.MaxDepth + 2);

    /// <summary>A text as it is told to people; <c>null</c> where it is no valid Unicode.</summary>
    public static string? Told(ReadOnlySpan<byte> utf8) =>
        !Utf8.IsValid(utf8) ? null : utf8.Length <= 4_000 ? Encoding.UTF8.GetString(utf8) : Encoding.UTF8.GetString(utf8[..4_000]);

    private static void Skip(ref MessagePackReader reader, int depth)
    {
        var type = reader.NextMessagePackType;
        if (type is not (MessagePackType.Array or MessagePackType.Map))
        {
            reader.Skip();
            return;
        }

        if (depth == 0) throw new TooDeepException();
        // A header that announces more than there are bytes ends here; a map has two values an entry.
        var count = type == MessagePackType.Array ? reader.ReadArrayHeader() : 2L * reader.ReadMapHeader();
        for (var i = 0L; i < count; i++) Skip(ref reader, depth - 1);
    }

    private ReadOnlySpan<char> Integer(scoped ref MessagePackReader reader)
    {
        int length;
        if (reader.NextCode == MessagePackCode.UInt64) reader.ReadUInt64().TryFormat(_scratch, out length, provider: CultureInfo.InvariantCulture);
        else reader.ReadInt64().TryFormat(_scratch, out length, provider: CultureInfo.InvariantCulture);
        return _scratch.AsSpan(0, length);
    }

    private ReadOnlySpan<char> Told(double number)
    {
        number.TryFormat(_scratch, out var length, "R", CultureInfo.InvariantCulture);
        return _scratch.AsSpan(0, length);
    }

    private FieldFault ReadBinary(scoped ref MessagePackReader reader, CompiledField field, out FieldValue value)
    {
        var bytes = reader.ReadBytes().GetValueOrDefault().FirstSpan;
        if (field.Type is not (FieldType.String or FieldType.Any)) return field.WrongType(out value);
        if (bytes.Length > _options.MaxFieldLength / 4 * 3)
        {
            value = default;
            return new(RowErrorCodes.TooLong, PushDecoder.Text(_options.MaxFieldLength));
        }

        return field.Read(Convert.ToBase64String(bytes), null, out value);
    }

    private void ReadNested(scoped ref MessagePackReader reader, int ordinal, CompiledField field)
    {
        var start = reader.Position;
        Skip(ref reader, _options.MaxDepth);
        var value = reader.Sequence.Slice(start, reader.Position);
        FieldFault fault;
        if (!field.TakesJson)
        {
            fault = field.WrongType(out _);
            rows.Fail(ordinal, fault.Code!, fault.Expected, new MessagePackReader(value).NextMessagePackType == MessagePackType.Map ? "{…}" : "[…]");
            return;
        }

        // An entry of a map takes more room in JSON; the limit is one of bytes that came, as in the other formats.
        if (value.Length > _options.MaxFieldLength)
        {
            rows.Fail(ordinal, RowErrorCodes.TooLong, PushDecoder.Text(_options.MaxFieldLength), default);
            return;
        }

        using var document = JsonDocument.Parse(Json(value), new JsonDocumentOptions { MaxDepth = ContractLimits.JsonDepth + 2 });
        fault = field.ReadJson(document.RootElement, out var json);
        if (fault.IsNone) rows.Set(ordinal, json);
        else rows.Fail(ordinal, fault.Code!, fault.Expected, document.RootElement.GetRawText());
    }

    private bool TryText(scoped ref MessagePackReader reader, int limit, out ReadOnlySpan<char> text, out string code)
    {
        text = default;
        code = RowErrorCodes.TooLong;
        reader.TryReadStringSpan(out var bytes);
        // A character takes at most four bytes.
        if (bytes.Length > 4L * limit) return false;
        if (!Utf8.IsValid(bytes))
        {
            code = RowErrorCodes.InvalidText;
            return false;
        }

        if (bytes.Length > _scratch.Length)
        {
            ArrayPool<char>.Shared.Return(_scratch);
            _scratch = ArrayPool<char>.Shared.Rent(bytes.Length);
        }

        text = _scratch.AsSpan(0, Encoding.UTF8.GetChars(bytes, _scratch));
        return text.Length <= limit;
    }

    /// <summary>The timestamp of the specification, extension −1, in ticks UTC; parts of 100 ns are cut off.</summary>
    private static bool TryInstant(ref MessagePackReader reader, out long ticks)
    {
        ticks = 0;
        var extension = reader.ReadExtensionFormat();
        if (extension.TypeCode != -1) return false;
        var data = extension.Data.FirstSpan;
        long seconds;
        long nanoseconds;
        switch (data.Length)
        {
            case 4:
                seconds = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(data);
                nanoseconds = 0;
                break;
            case 8:
                var packed = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(data);
                seconds = (long)(packed & 0x3_FFFF_FFFF);
                nanoseconds = (long)(packed >> 34);
                break;
            case 12:
                nanoseconds = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(data);
                seconds = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(data[4..]);
                break;
            default:
                return false;
        }

        const long First = -62_135_596_800, Last = 253_402_300_799;
        if (seconds is < First or > Last || nanoseconds > 999_999_999) return false;
        ticks = DateTime.UnixEpoch.Ticks + (seconds * TimeSpan.TicksPerSecond) + (nanoseconds / 100);
        return true;
    }

    private static void Write(ref MessagePackReader reader, Utf8JsonWriter writer, int depth)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Nil: reader.ReadNil(); writer.WriteNullValue(); return;
            case MessagePackType.Boolean: writer.WriteBooleanValue(reader.ReadBoolean()); return;
            case MessagePackType.Integer when reader.NextCode == MessagePackCode.UInt64: writer.WriteNumberValue(reader.ReadUInt64()); return;
            case MessagePackType.Integer: writer.WriteNumberValue(reader.ReadInt64()); return;
            case MessagePackType.Float:
                var number = reader.ReadDouble();
                if (double.IsFinite(number)) writer.WriteNumberValue(number);
                else writer.WriteStringValue(number.ToString(CultureInfo.InvariantCulture));
                return;
            case MessagePackType.String: writer.WriteStringValue(Encoding.UTF8.GetString(reader.ReadStringSequence().GetValueOrDefault().FirstSpan)); return;
            case MessagePackType.Binary: writer.WriteBase64StringValue(reader.ReadBytes().GetValueOrDefault().FirstSpan); return;
            case MessagePackType.Extension:
                var peek = reader.CreatePeekReader();
                if (TryInstant(ref reader, out var ticks)) writer.WriteStringValue(new DateTime(ticks, DateTimeKind.Utc));
                else writer.WriteBase64StringValue(peek.ReadExtensionFormat().Data.FirstSpan);
                return;
        }

        if (depth == 0) throw new TooDeepException();
        if (reader.NextMessagePackType == MessagePackType.Array)
        {
            writer.WriteStartArray();
            for (var i = reader.ReadArrayHeader(); i > 0; i--) Write(ref reader, writer, depth - 1);
            writer.WriteEndArray();
            return;
        }

        writer.WriteStartObject();
        for (var i = reader.ReadMapHeader(); i > 0; i--)
        {
            if (reader.NextMessagePackType == MessagePackType.String)
            {
                writer.WritePropertyName(Encoding.UTF8.GetString(reader.ReadStringSequence().GetValueOrDefault().FirstSpan));
            }
            else
            {
                // JSON has names only: a key of another kind is told as its text.
                var start = reader.Position;
                Skip(ref reader, depth - 1);
                var key = new ArrayBufferWriter<byte>(32);
                using (var text = new Utf8JsonWriter(key, s_writing))
                {
                    var other = new MessagePackReader(reader.Sequence.Slice(start, reader.Position));
                    Write(ref other, text, depth - 1);
                }

                writer.WritePropertyName(key.WrittenSpan);
            }

            Write(ref reader, writer, depth - 1);
        }

        writer.WriteEndObject();
    }
}
