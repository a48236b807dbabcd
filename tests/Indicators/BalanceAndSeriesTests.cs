using CsCheck;

namespace DataHub.Indicators;

/// <summary>Cells of open records, and the series that any cell counts beside its measure.</summary>
public sealed class BalanceAndSeriesTests
{
    [Fact]
    public void A_balance_is_what_began_less_what_ended_by_any_way_to_it() =>
        Gen.Select(Gen.Bool.Array[0, 40], Gen.Bool.Array[0, 20], Gen.Int).Sample((stay, pass, seed) =>
        {
            var random = new Random(seed);
            CellState[] parts = [CellState.Create(MeasureFunction.Open), CellState.Create(MeasureFunction.Open)];
            var events = stay.Select(begins => (begins, Stays: true)).Concat(pass.Select(begins => (begins, Stays: false))).ToArray();
            random.Shuffle(events);
            var leaving = new List<(CellState Part, bool Begins)>();
            foreach (var (begins, stays) in events)
            {
                var part = parts[random.Next(2)];
                part.Add(begins ? 1 : -1, 0, null);
                if (!stays) leaving.Add((part, begins));
            }

            foreach (var (part, begins) in leaving) Assert.Equal(RemoveResult.Ok, part.Remove(begins ? 1 : -1, 0, null));
            parts[0].Merge(parts[1]);
            var straight = CellState.Create(MeasureFunction.Open);
            foreach (var begins in stay) straight.Add(begins ? 1 : -1, 0, null);

            Assert.Equal(straight.ToBytes(), parts[0].ToBytes());
            Assert.Equal(stay.Length == 0 ? null : stay.Sum(begins => begins ? 1 : -1), (int?)parts[0].Value());
            Assert.Equal(parts[0].ToBytes(), CellState.FromBytes(MeasureFunction.Open, parts[0].ToBytes()).ToBytes());
        }, iter: 3_000);

    [Fact]
    public void An_end_that_cannot_be_inside_is_refused()
    {
        var cell = CellState.Create(MeasureFunction.Open);
        cell.Add(1, 0, null);
        Assert.Throws<InvalidOperationException>(() => cell.Remove(-1, 0, null));
        cell.Add(1, 0, null);
        Assert.Throws<InvalidOperationException>(() => cell.Remove(-1, 0, null));
        Assert.Equal(2, cell.Value());
    }

    [Fact]
    public void Series_are_those_with_rows_that_remain_for_every_function() =>
        Gen.Select(Gen.OneOf(Enum.GetValues<MeasureFunction>()), Gen.Select(Gen.Int[-3, 3], Gen.OneOf(int.MinValue, -1, 0, 1, 7, int.MaxValue), Gen.Int[0, 2]).Array[0, 40], Gen.Int).Sample((function, rows, seed) =>
        {
            var random = new Random(seed);
            CellState[] parts = [CellState.Create(function, series: true), CellState.Create(function, series: true)];
            var standing = new List<(int Value, int Series, CellState Part, int Key)>();
            for (var i = 0; i < rows.Length; i++)
            {
                var (value, series, what) = rows[i];
                if (function == MeasureFunction.Open) value = value > 0 ? 1 : -1;
                if (what > 0 || standing.Count == 0)
                {
                    var part = parts[random.Next(2)];
                    part.Add(value, 0, Key(i), Hash(value), series);
                    standing.Add((value, series, part, i));
                    continue;
                }

                var at = random.Next(standing.Count);
                var gone = standing[at];
                if (gone.Part.Remove(gone.Value, 0, Key(gone.Key), Hash(gone.Value), gone.Series) == RemoveResult.Ok) standing.RemoveAt(at);
                else if (gone.Part.Replace(gone.Value, 0, Key(gone.Key), value, 0, Key(gone.Key), Hash(gone.Value), Hash(value), gone.Series, series) == RemoveResult.Ok)
                    standing[at] = (value, series, gone.Part, gone.Key);
            }

            parts[0].Merge(parts[1]);
            Assert.Equal(standing.Select(row => row.Series).Distinct().Count(), parts[0].Series);
            var straight = CellState.Create(function, series: true);
            foreach (var row in standing) straight.Add(row.Value, 0, Key(row.Key), Hash(row.Value), row.Series);
            Assert.Equal(straight.ToBytes(), parts[0].ToBytes());
            var read = CellState.FromBytes(function, parts[0].ToBytes(), series: true);
            Assert.Equal((straight.ToBytes().Length, straight.Series), (read.ToBytes().Length, read.Series));
            Assert.Equal(straight.ToBytes(), read.Clone().ToBytes());
        }, iter: 5_000);

    [Fact]
    public void A_cell_that_counts_series_and_one_that_does_not_cannot_be_merged() =>
        Assert.Throws<ArgumentException>(() => CellState.Create(MeasureFunction.Sum, series: true).Merge(CellState.Create(MeasureFunction.Sum)));

    private static byte[] Key(int number) => [(byte)(number >> 8), (byte)number];

    private static ulong Hash(int value) => DistinctHash.Of(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
