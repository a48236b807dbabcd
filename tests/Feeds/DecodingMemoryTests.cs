using System.Globalization;
using System.Text;

using DataHub.Catalog;
using DataHub.Support;

using MessagePack;

using static DataHub.Support.Contracts;

namespace DataHub.Feeds;

public sealed class DecodingMemoryTests
{
    private const int Rows = 2_000;

    /// <summary>More than a small table of texts holds.</summary>
    private const int Stations = 1_500;

    private const int AreaCount = 500;

    /// <summary>Per row, for what a push needs once: readers, lists, the header of a CSV.</summary>
    private const double MostBeside = 4;

    private static readonly DateTimeOffset s_now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private static readonly CompiledContract s_contract = CompiledContract.Compile(
        Schema(["station", "time"],
            Field("station", FieldType.String, FieldRole.Series, new(Required: true, MaxLength: 64)),
            Field("time", FieldType.DateTime, FieldRole.Time, new(Required: true)),
            Field("area", FieldType.String, FieldRole.Area),
            Field("no2", FieldType.Number, FieldRole.Measure, new(Minimum: "0", Maximum: "2000"))),
        DatasetKind.Observations);

    private static readonly IndexedAreas s_areas = new(AreaIndex.Build(
        new("city", 1, [.. Enumerable.Range(0, AreaCount).Select(number => new Area(Area(number), null, Area(number), 0, null, null))])));

    [Theory]
    [InlineData(PushFormat.Json)]
    [InlineData(PushFormat.NdJson)]
    [InlineData(PushFormat.Csv)]
    [InlineData(PushFormat.MessagePack)]
    public void Decoding_takes_no_memory_per_row_beyond_the_columns_it_hands_on(PushFormat format)
    {
        var body = Body(format);
        var push = Decode(format, body);
        Assert.Equal((Rows, Rows), (push.Received, push.Rows.Count));
        Assert.Equal(Area(Stations % AreaCount), push.Rows.AreaId(Stations));

        // Tables of texts grow to what the feed has.
        for (var i = 0; i < 40; i++) Decode(format, body);
        // Of several, as a collection of garbage between may empty the pools.
        var least = Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Decode(format, body);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });

        var beside = (least - Carried(push.Rows)) / (double)Rows;
        Assert.True(beside < MostBeside, string.Create(CultureInfo.InvariantCulture, $"{format}: {beside:F1} bytes a row beside the {Carried(push.Rows) / Rows} that it carries"));
    }

    private static DecodedPush Decode(PushFormat format, byte[] body) => PushDecoder.Decode(format, body, s_contract, s_areas, new(), s_now).Push!;

    /// <summary>Bytes of the elements of a block's arrays; the texts themselves are shared.</summary>
    private static long Carried(RowBlock rows) => ((8L * rows.Columns.Length) + sizeof(int)) * rows.Count + (8L * rows.Areas.Length);

    private static string Station(int row) => string.Create(CultureInfo.InvariantCulture, $"station-{row % Stations:D5}");

    private static string Area(int number) => string.Create(CultureInfo.InvariantCulture, $"{number % AreaCount:D8}");

    private static string Time(int row) => string.Create(CultureInfo.InvariantCulture, $"2026-11-23T{row / Stations:D2}:00:00Z");

    private static byte[] Body(PushFormat format)
    {
        var rows = Enumerable.Range(0, Rows);
        var objects = rows.Select(row => $$"""{"station":"{{Station(row)}}","time":"{{Time(row)}}","area":"{{Area(row)}}","no2":{{row % 50}}.5}""");
        return format switch
        {
            PushFormat.Json => Encoding.UTF8.GetBytes($"[{string.Join(',', objects)}]"),
            PushFormat.NdJson => Encoding.UTF8.GetBytes(string.Join('\n', objects)),
            PushFormat.Csv => Encoding.UTF8.GetBytes("station,time,area,no2\n" + string.Join('\n', rows.Select(row => $"{Station(row)},{Time(row)},{Area(row)},{row % 50}.5"))),
            _ => MessagePackSerializer.Serialize(rows.Select(row => new Dictionary<string, object> { ["station"] = Station(row), ["time"] = Time(row), ["area"] = Area(row), ["no2"] = (row % 50) + 0.5 }).ToArray()),
        };
    }
}
