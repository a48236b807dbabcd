using CsCheck;

using DataHub.Support;

namespace DataHub.Feeds;

public sealed class SegmentTests
{
    private const long Day = TimeSpan.TicksPerDay;

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(Day - 1, 0, 0)]
    [InlineData(Day, 1, Day)]
    [InlineData(-1, -1, -Day)]
    [InlineData(-Day, -1, -Day)]
    [InlineData(-Day - 1, -2, -2 * Day)]
    public void A_time_lies_in_one_day(long time, long day, long start)
    {
        Assert.Equal(day, SegmentRules.Day(time));
        Assert.Equal(start, SegmentRules.DayStart(time));
    }

    [Fact]
    public void The_ends_of_time_lie_in_days_too()
    {
        Assert.Equal(long.MinValue, SegmentRules.DayStart(long.MinValue));
        Assert.InRange(SegmentRules.DayStart(long.MaxValue), long.MaxValue - Day, long.MaxValue);
    }

    [Fact]
    public void Segments_hold_no_more_rows_than_allowed_and_one_day_each()
    {
        var segments = SegmentRules.Cut([Batch(1, [.. Enumerable.Range(0, 25).Select(i => New($"k{i:D2}", i * Day / 10))])], maxRows: 4);

        Assert.All(segments, segment => Assert.InRange(segment.Count, 1, 4));
        Assert.All(segments, segment => Assert.Equal(SegmentRules.Day(segment.FirstTime), SegmentRules.Day(segment.LastTime)));
        Assert.Equal(25, segments.Sum(segment => segment.Count));
    }

    [Fact]
    public void A_segment_comes_out_of_its_bytes_as_it_went_in()
    {
        var segment = Assert.Single(SegmentRules.Cut([Batch(7, New("ä", long.MinValue, null, ""), New("b", long.MinValue, "01"), Retraction("c", long.MinValue)), Batch(9, Correction("b", long.MinValue, "02", "w"))]));

        var read = SegmentCodec.DecodeRows(SegmentCodec.EncodeRows(segment), SegmentCodec.DecodeAreas(SegmentCodec.EncodeAreas(segment)));

        Assert.Equal(Enumerable.Range(0, segment.Count).Select(row => Told(segment, row)), Enumerable.Range(0, read.Count).Select(row => Told(read, row)));
        Assert.True(read.HasEnds);
        Assert.Throws<InvalidDataException>(() => SegmentCodec.DecodeRows(new byte[] { 1, 2, 3 }, []));
    }

    [Fact]
    public void Full_segments_that_hardly_share_a_time_lie_side_by_side()
    {
        Assert.True(SegmentRules.LieSideBySide([(0, 10, 100), (10, 20, 100), (10, 20, 60), (20, 30, 80)], maxRows: 100));
        Assert.False(SegmentRules.LieSideBySide([(0, 10, 40), (10, 20, 40)], maxRows: 100));
        Assert.False(SegmentRules.LieSideBySide([.. Enumerable.Repeat((0L, 10L, 100), 5)], maxRows: 100));
    }

    /// <summary>Random lives of a few keys, cut and joined in any way, some versions taken out: what is left holds as it held.</summary>
    [Fact]
    public void Versions_that_are_taken_out_leave_the_others_holding_as_they_held() =>
        Gen.Select(Gen.Select(Gen.Int[0, 3], Gen.Int[0, 9]).Array[0, 4].Array[1, 12], Gen.Int[1, 5], Gen.Int[0, 255]).Sample((steps, maxRows, without) =>
        {
            var versions = new List<Version>();
            var batches = new List<HistoryBatch>();
            foreach (var step in steps)
            {
                var sequence = batches.Count + 1;
                batches.Add(Batch(sequence, [.. step.Select(change => Next(versions, sequence, change.Item1, change.Item2))]));
            }

            var segments = batches.SelectMany(batch => SegmentRules.Cut([batch], maxRows)).ToArray();
            if (without % 2 == 0) segments = [.. SegmentRules.Join(segments, maxRows)];
            Assert.Equal(Listed(versions), Standing(segments));

            var gone = versions.Where((_, number) => (without >> (number % 8) & 1) == 1).ToArray();
            var left = SegmentRules.Without(segments, gone.Select(version => new SegmentPlace(version.Time, Bytes(version.Key), version.From)).ToHashSet(), maxRows);

            Assert.Equal(Listed(versions.Except(gone)), Standing(left));
            // What is left follows from one another again.
            Assert.Equal(Listed(versions.Except(gone)), Standing(SegmentRules.Join(left, maxRows)));
            var keysLeft = versions.Except(gone).Select(version => version.Key).ToHashSet();
            Assert.All(left, segment => Assert.All(Enumerable.Range(0, segment.Count), row => Assert.Contains(System.Text.Encoding.UTF8.GetString(segment.Key(row)), keysLeft)));
        }, iter: 2_000);

    private sealed record Version(string Key, long Time, long From, string Value)
    {
        public long To { get; set; } = long.MaxValue;
    }

    private static HistoryChange Next(List<Version> versions, long sequence, int number, int value)
    {
        var (key, time) = ($"k{number}", number < 2 ? 5 : Day + 5);
        var standing = versions.SingleOrDefault(version => version.Key == key && version.To == long.MaxValue);
        if (standing is not null)
        {
            if (standing.From == sequence) versions.Remove(standing);
            else standing.To = sequence;
            if (value < 3) return Retraction(key, time);
        }

        versions.Add(new(key, time, sequence, $"v{value}"));
        return standing is null ? New(key, time, null, $"v{value}") : Correction(key, time, null, $"v{value}");
    }

    private static string[] Listed(IEnumerable<Version> versions) =>
        [.. versions.OrderBy(v => v.Time).ThenBy(v => v.Key, StringComparer.Ordinal).ThenBy(v => v.From).Select(v => $"{v.Key} {v.Time} {v.Value} {v.From}-{v.To}")];

    private static string[] Standing(IReadOnlyList<HistorySegment> segments)
    {
        var scan = new SegmentScan(long.MinValue, long.MaxValue);
        var told = new List<string>();
        var waiting = new Queue<HistorySegment>(segments.OrderBy(segment => segment.FirstTime));
        while (true)
        {
            while (scan.NeedsSegment)
            {
                if (waiting.TryDequeue(out var segment)) scan.Add(segment);
                else scan.Close();
            }

            if (!scan.Next()) return [.. told];
            told.AddRange(scan.Versions.Where(version => version.Holds).Select(version =>
                $"{System.Text.Encoding.UTF8.GetString(version.Segment.Key(version.Row))} {version.Segment.Times[version.Row]} {System.Text.Encoding.UTF8.GetString(version.Segment.Value(version.Row))} {version.From}-{version.To}"));
        }
    }

    private static string Told(HistorySegment segment, int row) =>
        $"{Convert.ToHexString(segment.Key(row))} {segment.Times[row]} {segment.Froms[row]} {segment.Changes[row]} {segment.Area(row)} {segment.ContractVersions[row]} {Convert.ToHexString(segment.Value(row))}";

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private static HistoryChange New(string key, long time, string? area = null, string value = "v") => new(RowChange.New, Bytes(key), time, area, Bytes(value));

    private static HistoryChange Correction(string key, long time, string? area, string value) => new(RowChange.Correction, Bytes(key), time, area, Bytes(value));

    private static HistoryChange Retraction(string key, long time) => new(RowChange.Retraction, Bytes(key), time, null, null);

    private static HistoryBatch Batch(long sequence, params HistoryChange[] changes) => new(LogBatches.Control(0, sequence, "air/0", sequence), changes) { KeyHasTime = true };
}
