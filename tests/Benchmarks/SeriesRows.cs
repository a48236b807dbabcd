using System.Globalization;
using System.Text;

namespace DataHub.Benchmarks;

/// <summary>What a push holds.</summary>
internal enum RowKind
{
    /// <summary>Rows newer than all of their series.</summary>
    Growing = 0,

    /// <summary>Of nine rows one is two hours late.</summary>
    OneOfNineLate = 1,

    /// <summary>Of nine rows one corrects an earlier one.</summary>
    OneOfNineCorrected = 2,
}

/// <summary>
/// Rows of so many series in lanes that share none, so that connections beside one another keep each series in its order.
/// A row every 60 ms over all lanes, in all areas in turn: windows and areas are the same however many series there are.
/// </summary>
/// <param name="everyTicks">Instead of 60 ms from row to row; then each series stays in one area, as a station does.</param>
internal sealed class SeriesRows(int series, int lanes, long? everyTicks = null)
{
    private const long DefaultEveryTicks = 60 * TimeSpan.TicksPerMillisecond;

    /// <summary>How many rows back a correction reaches in its lane: to one that was growing itself.</summary>
    private const int CorrectionReach = (9 * 300) + 1;

    public static readonly DateTimeOffset Start = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly int _perLane = series / lanes;

    public int Lanes => lanes;

    public int Series => series;

    /// <summary>A JSON array of consecutive rows of a lane.</summary>
    public byte[] Push(int lane, long first, int count, RowKind kind)
    {
        var json = new StringBuilder("[", 32 + (count * 90));
        for (var row = first; row < first + count; row++)
        {
            if (row > first) json.Append(',');
            var (of, late, more) = (row, 0L, 0);
            if (row % 9 == 8 && kind == RowKind.OneOfNineLate) late = 7_200_000 - 1;
            if (row % 9 == 8 && kind == RowKind.OneOfNineCorrected) (of, more) = (row - CorrectionReach, 1);
            var station = lane + (lanes * (of % _perLane));
            json.Append(CultureInfo.InvariantCulture,
                $$"""{"station":"s{{station}}","time":"{{Time(lane, of).AddMilliseconds(-late).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","area":"{{Rows.AreaId((int)((everyTicks is null ? of : station) % 542))}}","no2":{{Rows.Value((int)(of % 1_000_003)) + more}}}""");
        }

        return Encoding.UTF8.GetBytes(json.Append(']').ToString());
    }

    private DateTimeOffset Time(int lane, long row) => Start.AddTicks(((row * lanes) + lane) * (everyTicks ?? DefaultEveryTicks));
}
