using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

using MessagePack;

namespace DataHub.Benchmarks;

/// <summary>Pushes of a hundred rows and what they are read into, for the parts that are measured without a hub.</summary>
internal static class MicroRows
{
    /// <summary>Rows of a push.</summary>
    public const int Count = 100;

    public const string Partition = "bench/0";

    /// <summary>Of the dataset that the hub is measured with, too.</summary>
    public static CompiledContract Contract { get; } = CompiledContract.Compile(new(1,
        [
            Field("station", FieldType.String, FieldRole.Series, new(Required: true, MaxLength: 64)), Field("time", FieldType.DateTime, FieldRole.Time, new(Required: true)),
            Field("area", FieldType.String, FieldRole.Area, FieldConstraints.None), Field("no2", FieldType.Number, FieldRole.Measure, new(Minimum: "0", Maximum: "2000")),
        ],
        ["station", "time"], [""]), DatasetKind.Observations);

    public static AreaTree Areas { get; } = new(new("bench", 1, [.. AreaCsv.Read(Encoding.UTF8.GetBytes(Rows.AreasCsv())).Areas]));

    public static DateTimeOffset Now { get; } = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A push as it comes.</summary>
    public static byte[] Body(PushFormat format)
    {
        var json = Rows.Push(0, Count);
        var rows = JsonDocument.Parse(json).RootElement.EnumerateArray().ToArray();
        return format switch
        {
            PushFormat.Json => json,
            PushFormat.NdJson => Encoding.UTF8.GetBytes(string.Join('\n', rows.Select(row => row.GetRawText()))),
            PushFormat.Csv => Encoding.UTF8.GetBytes("station,time,area,no2\n" + string.Join('\n', rows.Select(row => string.Join(',', row.EnumerateObject().Select(field => field.Value.ToString()))))),
            _ => Packed(rows),
        };
    }

    /// <summary>Rows that have passed the contract.</summary>
    /// <param name="first">Number of the first; a thousand are one minute.</param>
    public static RowBlock Block(int first) =>
        PushDecoder.Decode(PushFormat.Json, Rows.Push(first, Count), Contract, new IndexedAreas(AreaIndex.Build(Areas.System)), new(), Now).Push!.Rows;

    /// <summary>The same rows with other values.</summary>
    public static RowBlock Corrected(RowBlock rows) => new()
    {
        Count = rows.Count,
        Columns = [.. rows.Columns[..3], Column.OfNumbers([.. rows.Columns[3].Numbers!.Select(value => value + 1)])],
        Areas = rows.Areas,
        AreaOf = rows.AreaOf,
    };

    /// <summary>What the shard's writer makes of rows all of which are new.</summary>
    public static LogBatch Batch(RowBlock rows, long sequence)
    {
        var decision = FeedRules.AllNew(rows);
        return new()
        {
            Shard = 0,
            Position = sequence,
            Partition = Partition,
            Sequence = sequence,
            ContractVersion = 1,
            AreaVersion = 1,
            ReceivedAt = Now,
            Rows = decision.Rows,
            Changes = decision.Changes,
            BeforeOf = decision.BeforeOf,
            Befores = decision.Befores,
            Push = new("01J00000000000000000000000", "bench", "default", null, new byte[32], 0, 1, decision.Counts with { Received = rows.Count }, []) { Agency = "bench" },
        };
    }

    private static FieldSpec Field(string name, FieldType type, FieldRole role, FieldConstraints constraints) => new(name, type, null, role, constraints, null, null, null);

    private static byte[] Packed(JsonElement[] rows)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(rows.Length);
        foreach (var row in rows)
        {
            writer.WriteMapHeader(4);
            foreach (var field in row.EnumerateObject())
            {
                writer.Write(field.Name);
                if (field.Value.ValueKind == JsonValueKind.Number) writer.Write(double.Parse(field.Value.GetRawText(), CultureInfo.InvariantCulture));
                else writer.Write(field.Value.GetString());
            }
        }

        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
