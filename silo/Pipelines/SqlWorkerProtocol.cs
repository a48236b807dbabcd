using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

using DataHub.Catalog;
using DataHub.Feeds;

using MessagePack;

namespace DataHub.Pipelines;

/// <summary>
/// Messages between the silo and its worker: length (4 bytes, little-endian, of what follows), kind (1 byte), content. Both are
/// the same build, so there are no versions.
/// </summary>
internal static class SqlWorkerProtocol
{
    /// <summary>Bytes of one message; a batch of very long texts may come near it.</summary>
    public const int LargestFrame = 256 * 1024 * 1024;

    /// <summary>Bytes before the content.</summary>
    public const int Header = 5;

    public static byte[] Frame(SqlWorkerFrame kind, Action<ArrayBufferWriter<byte>>? content = null)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        Write(buffer, kind, content);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Start(SqlWorkerStart start) => Frame(SqlWorkerFrame.Start, buffer =>
    {
        var writer = new MessagePackWriter(buffer);
        writer.Write(start.DescribeOnly);
        writer.Write(start.Limits.Memory);
        writer.Write(start.Limits.Disk);
        writer.Write(start.Limits.Time.Ticks);
        writer.Write(start.Limits.Rows);
        writer.WriteArrayHeader(start.Inputs.Count);
        foreach (var (name, columns) in start.Inputs)
        {
            writer.Write(name);
            WriteColumns(ref writer, columns);
        }

        writer.WriteArrayHeader(start.Statements.Count);
        foreach (var statement in start.Statements) writer.Write(statement);
        writer.Flush();
    });

    public static SqlWorkerStart ReadStart(ReadOnlyMemory<byte> content)
    {
        var reader = new MessagePackReader(content);
        var describeOnly = reader.ReadBoolean();
        var limits = new SqlLimits(reader.ReadInt64(), reader.ReadInt64(), new(reader.ReadInt64()), reader.ReadInt64());
        var inputs = new (string, TableColumn[])[reader.ReadArrayHeader()];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = (reader.ReadString()!, ReadColumns(ref reader));
        var statements = new string[reader.ReadArrayHeader()];
        for (var i = 0; i < statements.Length; i++) statements[i] = reader.ReadString()!;
        return new(describeOnly, limits, inputs, statements);
    }

    /// <param name="buffer">Holds the message until it is used again: rows are many.</param>
    /// <param name="table">Which input, or which statement's result.</param>
    public static ReadOnlyMemory<byte> Rows(ArrayBufferWriter<byte> buffer, SqlWorkerFrame kind, int table, RowBlock rows)
    {
        buffer.ResetWrittenCount();
        Write(buffer, kind, to =>
        {
            BinaryPrimitives.WriteInt32LittleEndian(to.GetSpan(sizeof(int)), table);
            to.Advance(sizeof(int));
            TableCodec.Write(to, rows);
        });
        return buffer.WrittenMemory;
    }

    public static (int Table, RowBlock Rows) ReadRows(ReadOnlyMemory<byte> content) => (BinaryPrimitives.ReadInt32LittleEndian(content.Span), TableCodec.Read(content[sizeof(int)..]));

    public static byte[] Opened(int statement, TableColumn[] columns) => Frame(SqlWorkerFrame.Opened, buffer =>
    {
        var writer = new MessagePackWriter(buffer);
        writer.Write(statement);
        WriteColumns(ref writer, columns);
        writer.Flush();
    });

    public static (int Statement, TableColumn[] Columns) ReadOpened(ReadOnlyMemory<byte> content)
    {
        var reader = new MessagePackReader(content);
        return (reader.ReadInt32(), ReadColumns(ref reader));
    }

    public static byte[] Refused(SqlRefusedException refused) => Frame(SqlWorkerFrame.Refused, buffer =>
    {
        var writer = new MessagePackWriter(buffer);
        writer.Write((int)refused.Refusal);
        writer.Write(refused.Reason.De);
        writer.Write(refused.Reason.En);
        writer.Flush();
    });

    public static SqlRefusedException ReadRefused(ReadOnlyMemory<byte> content)
    {
        var reader = new MessagePackReader(content);
        return new((SqlRefusal)reader.ReadInt32(), new LocalText(reader.ReadString()!, reader.ReadString()));
    }

    public static byte[] Done(SqlWorkerReport report) => Frame(SqlWorkerFrame.Done, buffer =>
    {
        var writer = new MessagePackWriter(buffer);
        writer.Write(report.PeakMemory);
        writer.Write(report.CallsFiltered);
        writer.Flush();
    });

    public static SqlWorkerReport ReadDone(ReadOnlyMemory<byte> content)
    {
        var reader = new MessagePackReader(content);
        return new(reader.ReadInt64(), reader.ReadBoolean());
    }

    private static void Write(ArrayBufferWriter<byte> buffer, SqlWorkerFrame kind, Action<ArrayBufferWriter<byte>>? content)
    {
        buffer.GetSpan(Header)[..Header].Clear();
        buffer.Advance(Header);
        content?.Invoke(buffer);
        // What was written is this method's own.
        var header = MemoryMarshal.AsMemory(buffer.WrittenMemory).Span;
        BinaryPrimitives.WriteInt32LittleEndian(header, buffer.WrittenCount - sizeof(int));
        header[sizeof(int)] = (byte)kind;
    }

    private static void WriteColumns(ref MessagePackWriter writer, TableColumn[] columns)
    {
        writer.WriteArrayHeader(columns.Length);
        foreach (var column in columns)
        {
            writer.Write(column.Name);
            writer.Write((int)column.Type);
            if (column.From is not { } from)
            {
                writer.WriteNil();
                continue;
            }

            writer.WriteArrayHeader(from.Length);
            foreach (var source in from)
            {
                writer.Write(source.Table);
                writer.Write(source.Column);
            }
        }
    }

    private static TableColumn[] ReadColumns(ref MessagePackReader reader)
    {
        var columns = new TableColumn[reader.ReadArrayHeader()];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = new(reader.ReadString()!, (FieldType)reader.ReadInt32());
            if (reader.TryReadNil()) continue;
            var from = new ColumnSource[reader.ReadArrayHeader()];
            for (var j = 0; j < from.Length; j++) from[j] = new(reader.ReadString()!, reader.ReadString()!);
            columns[i] = columns[i] with { From = from };
        }

        return columns;
    }
}
