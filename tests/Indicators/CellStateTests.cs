using System.Buffers.Binary;
using System.Globalization;

using CsCheck;

using DataHub.Support;

namespace DataHub.Indicators;

public sealed class CellStateTests
{
    /// <summary>Open records are no function of values: <see cref="BalanceAndSeriesTests"/>.</summary>
    private static readonly MeasureFunction[] Functions = Array.FindAll(Enum.GetValues<MeasureFunction>(), function => function != MeasureFunction.Open);

    private static readonly Gen<double> Values = Gen.Frequency(
        (5, Gen.Int[-20, 20].Select(i => i / 10.0)),
        (2, Gen.Int[-1_000_000, 1_000_000].Select(i => i / 1_000.0)),
        (1, Gen.OneOf(0.0, -0.0, 1e150, -1e150, 1e-140, 0.1, 0.2, 0.3)));

    /// <summary>Few times, so that many rows share one and the key decides; the key is the row's number.</summary>
    private static readonly Gen<(double Value, long Time)> Row = Gen.Select(Values, Gen.Long[0, 3]);

    [Fact]
    public void Any_way_to_the_same_rows_gives_the_same_bytes_and_the_oracles_value() =>
        Gen.Select(Gen.OneOf(Functions), Row.Array[0, 30], Row.Array[0, 15], Gen.Int[1, 4], Gen.Int).Sample((function, stay, pass, partitions, seed) =>
        {
            var random = new Random(seed);
            var rows = stay.Select((row, i) => (row.Value, row.Time, Key: Key(i), Stays: true))
                .Concat(pass.Select((row, i) => (row.Value, row.Time, Key: Key(1_000 + i), Stays: false))).ToArray();
            random.Shuffle(rows);

            // Adds in any order, the passing rows removed at any later moment, over partitions, merged in any order.
            var parts = Enumerable.Range(0, partitions).Select(_ => new Kept(function)).ToArray();
            var leaving = new List<(Kept Part, (double Value, long Time, byte[] Key, bool Stays) Row)>();
            foreach (var row in rows)
            {
                var part = parts[random.Next(partitions)];
                part.Add(row.Value, row.Time, row.Key);
                if (!row.Stays) leaving.Add((part, row));
                if (leaving.Count > 0 && random.Next(3) == 0) Leave(random.Next(leaving.Count));
            }

            while (leaving.Count > 0) Leave(random.Next(leaving.Count));
            random.Shuffle(parts);
            var merged = CellState.Create(function);
            foreach (var part in parts) merged.Merge(random.Next(2) == 0 ? part.Cell : CellState.FromBytes(function, part.Cell.ToBytes()));

            var straight = CellState.Create(function);
            for (var i = 0; i < stay.Length; i++) straight.Add(stay[i].Value, stay[i].Time, Key(i), Hash(stay[i].Value));

            Assert.Equal(straight.ToBytes(), merged.ToBytes());
            Assert.Equal(stay.Length, merged.Count);
            Assert.Equal(Bits(Expected(function, stay)), Bits(merged.Value()));

            void Leave(int index)
            {
                var (part, (value, time, key, _)) = leaving[index];
                leaving.RemoveAt(index);
                part.Remove(value, time, key);
            }
        }, iter: 20_000);

    [Fact]
    public void A_correction_is_a_removal_and_an_addition() =>
        Gen.Select(Gen.OneOf(Functions), Row.Array[1, 12], Row, Gen.Int, Gen.Bool).Sample((function, rows, other, seed, keepsTime) =>
        {
            var at = new Random(seed).Next(rows.Length);
            var corrected = keepsTime ? (other.Value, rows[at].Time) : other;
            var cell = CellState.Create(function);
            for (var i = 0; i < rows.Length; i++) cell.Add(rows[i].Value, rows[i].Time, Key(i), Hash(rows[i].Value));
            var before = cell.ToBytes();

            var result = cell.Replace(rows[at].Value, rows[at].Time, Key(at), corrected.Value, corrected.Item2, Key(at), Hash(rows[at].Value), Hash(corrected.Value));

            if (result == RemoveResult.NeedsRecompute)
            {
                Assert.Equal(before, cell.ToBytes());
                Assert.Contains(function, new[] { MeasureFunction.Min, MeasureFunction.Max, MeasureFunction.Last });
                return;
            }

            rows[at] = corrected;
            var straight = CellState.Create(function);
            for (var i = 0; i < rows.Length; i++) straight.Add(rows[i].Value, rows[i].Time, Key(i), Hash(rows[i].Value));
            Assert.Equal(straight.ToBytes(), cell.ToBytes());
        }, iter: 20_000);

    [Fact]
    public void The_last_row_corrected_in_place_needs_no_history()
    {
        var cell = CellState.Create(MeasureFunction.Last);
        cell.Add(1, 10, Key(1));
        cell.Add(2, 20, Key(2));
        Assert.Equal(RemoveResult.Ok, cell.Replace(2, 20, Key(2), 3, 20, Key(2)));
        Assert.Equal((3.0, 2L), (cell.Value(), cell.Count));
    }

    [Fact]
    public void Bytes_read_back_are_the_same_cell_and_a_copy_lives_on_its_own() =>
        Gen.Select(Gen.OneOf(Functions), Row.Array[0, 20]).Sample((function, rows) =>
        {
            var cell = CellState.Create(function);
            for (var i = 0; i < rows.Length; i++) cell.Add(rows[i].Value, rows[i].Time, Key(i), Hash(rows[i].Value));
            var bytes = cell.ToBytes();
            var read = CellState.FromBytes(function, bytes);
            var copy = cell.Clone();
            cell.Add(99, 99, Key(99), Hash(99));
            if (rows.Length > 0) cell.Remove(rows[0].Value, rows[0].Time, Key(0), Hash(rows[0].Value));
            Assert.Equal(bytes, read.ToBytes());
            Assert.Equal(bytes, copy.ToBytes());
            Assert.Equal(rows.Length == 0, bytes.Length == 0);
        }, iter: 5_000);

    [Fact]
    public void Removing_the_only_extreme_row_asks_for_history_and_changes_nothing()
    {
        foreach (var (function, extreme) in new[] { (MeasureFunction.Min, -5.0), (MeasureFunction.Max, 5.0), (MeasureFunction.Last, 0.0) })
        {
            var cell = CellState.Create(function);
            cell.Add(0, 1, Key(1));
            cell.Add(extreme, 2, Key(2));
            var before = cell.ToBytes();
            Assert.Equal(RemoveResult.NeedsRecompute, cell.Remove(extreme, 2, Key(2)));
            Assert.Equal(before, cell.ToBytes());
            Assert.Equal(RemoveResult.Ok, cell.Remove(0, 1, Key(1)));
            Assert.Equal(RemoveResult.Ok, cell.Remove(extreme, 2, Key(2)));
            Assert.True(cell.IsEmpty);
            Assert.Null(cell.Value());
        }
    }

    [Fact]
    public void Two_rows_at_the_extreme_may_lose_one()
    {
        var cell = CellState.Create(MeasureFunction.Max);
        cell.Add(5, 0, null);
        cell.Add(5, 0, null);
        cell.Add(1, 0, null);
        Assert.Equal(RemoveResult.Ok, cell.Remove(5, 0, null));
        Assert.Equal(RemoveResult.NeedsRecompute, cell.Remove(5, 0, null));
        Assert.Equal((5.0, 2L), (cell.Value(), cell.Count));
    }

    [Fact]
    public void Rows_that_cannot_be_inside_are_refused()
    {
        foreach (var function in Functions) Assert.Throws<InvalidOperationException>(() => CellState.Create(function).Remove(1, 1, Key(1)));
        var minimum = CellState.Create(MeasureFunction.Min);
        minimum.Add(1, 0, null);
        Assert.Throws<InvalidOperationException>(() => minimum.Remove(2, 0, null));
        var sum = CellState.Create(MeasureFunction.Sum);
        sum.Add(1, 0, null);
        Assert.Throws<InvalidOperationException>(() => sum.Remove(2, 0, null));
        Assert.Equal((1.0, 1L), (sum.Value(), sum.Count));
        Assert.Throws<ArgumentException>(() => sum.Merge(minimum));
        foreach (var function in Functions.Where(f => f >= MeasureFunction.Stddev))
        {
            var cell = CellState.Create(function);
            for (var rows = 1; rows <= 2; rows++)
            {
                cell.Add(1, 0, null, Hash(1));
                if (rows == 2 && function is MeasureFunction.Stddev or MeasureFunction.StddevSample) break;
                var before = cell.ToBytes();
                Assert.Throws<InvalidOperationException>(() => cell.Remove(2, 0, null, Hash(2)));
                Assert.Equal(before, cell.ToBytes());
            }
        }
    }

    [Theory]
    [InlineData(MeasureFunction.Sum, new byte[] { 9, 1, 0 })]
    [InlineData(MeasureFunction.Sum, new byte[] { 1, 1 })]
    [InlineData(MeasureFunction.Count, new byte[] { 1, 0 })]
    [InlineData(MeasureFunction.Count, new byte[] { 1, 1, 1 })]
    [InlineData(MeasureFunction.Min, new byte[] { 1, 1, 0, 0 })]
    [InlineData(MeasureFunction.Count, new byte[] { 1, 0x81, 0 })]
    [InlineData(MeasureFunction.Stddev, new byte[] { 1, 1, 0, 1, 0, 0, 1, 0, 1 })]
    [InlineData(MeasureFunction.P50, new byte[] { 1, 1, 0, 1 })]
    [InlineData(MeasureFunction.P50, new byte[] { 1, 2, 0x80, 0xFF, 0x0F, 1 })]
    [InlineData(MeasureFunction.P50, new byte[] { 1, 1, 0x81, 0xFF, 0x0F, 1 })]
    [InlineData(MeasureFunction.Distinct, new byte[] { 1, 1, 0, 1 })]
    [InlineData(MeasureFunction.Distinct, new byte[] { 1, 1, 54, 1 })]
    [InlineData(MeasureFunction.Distinct, new byte[] { 1, 2, 1, 1, 0, 1 })]
    [InlineData(MeasureFunction.Distinct, new byte[] { 1, 2, 1, 3 })]
    [InlineData(MeasureFunction.Distinct, new byte[] { 1, 1, 0x81, 0x80, 0x10, 1 })]
    [InlineData(MeasureFunction.Last, new byte[] { 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 1 })]
    public void Other_bytes_are_refused(MeasureFunction function, byte[] bytes) =>
        Assert.Throws<FormatException>(() => CellState.FromBytes(function, bytes));

    [Fact]
    public void Damaged_bytes_are_refused_or_are_another_cells_own_and_nothing_else_happens() =>
        Gen.Select(Gen.OneOf(Functions), Row.Array[1, 20], Gen.Int).Sample((function, rows, seed) =>
        {
            var cell = CellState.Create(function);
            for (var i = 0; i < rows.Length; i++) cell.Add(rows[i].Value, rows[i].Time, Key(i), Hash(rows[i].Value));
            var random = new Random(seed);
            var bytes = cell.ToBytes().ToList();
            for (var damage = random.Next(3); damage >= 0; damage--)
            {
                var at = random.Next(bytes.Count + 1);
                switch (random.Next(5))
                {
                    case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                    case 1 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
                    case 2: bytes.Insert(at, (byte)random.Next(256)); break;
                    case 3: bytes.RemoveRange(at, bytes.Count - at); break;
                    default: bytes.AddRange(bytes[..at]); break;
                }
            }

            byte[] damaged = [.. bytes];
            CellState read;
            try
            {
                read = CellState.FromBytes(function, damaged);
            }
            catch (FormatException)
            {
                return;
            }

            Assert.Equal(damaged, read.ToBytes());
            Assert.True(read.Value() is null or >= double.MinValue and <= double.MaxValue);
        }, iter: 100_000);

    private static string Text(double value) => (value + 0.0).ToString(CultureInfo.InvariantCulture);

    private static ulong Hash(double value) => DistinctHash.Of(Text(value));

    private static long? Bits(double? value) => value is { } v ? BitConverter.DoubleToInt64Bits(v) : null;

    private static byte[] Key(int i)
    {
        var key = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(key, i);
        return key;
    }

    private static double? Expected(MeasureFunction function, (double Value, long Time)[] rows) => rows.Length == 0 ? null : function switch
    {
        MeasureFunction.Count => rows.Length,
        MeasureFunction.Sum => Oracle.Sum(rows.Select(r => r.Value)),
        MeasureFunction.Mean => Oracle.Sum(rows.Select(r => r.Value)) / rows.Length,
        MeasureFunction.Min => rows.Min(r => r.Value + 0.0),
        MeasureFunction.Max => rows.Max(r => r.Value + 0.0),
        MeasureFunction.Stddev => Oracle.Deviation([.. rows.Select(r => r.Value)], sample: false),
        MeasureFunction.StddevSample => Oracle.Deviation([.. rows.Select(r => r.Value)], sample: true),
        MeasureFunction.P50 => Oracle.Percentile(rows.Select(r => r.Value), 50),
        MeasureFunction.P90 => Oracle.Percentile(rows.Select(r => r.Value), 90),
        MeasureFunction.P95 => Oracle.Percentile(rows.Select(r => r.Value), 95),
        MeasureFunction.P99 => Oracle.Percentile(rows.Select(r => r.Value), 99),
        MeasureFunction.Distinct => Oracle.Distinct(rows.Select(r => Text(r.Value))),
        _ => rows.Select((r, i) => (r.Value, r.Time, i)).OrderBy(r => r.Time).ThenBy(r => r.i).Last().Value + 0.0,
    };

    /// <summary>A cell beside its rows, made anew from them when it asks for that: what the fold does with history.</summary>
    private sealed class Kept(MeasureFunction function)
    {
        private readonly List<(double Value, long Time, byte[] Key)> _rows = [];

        public CellState Cell { get; private set; } = CellState.Create(function);

        public void Add(double value, long time, byte[] key)
        {
            _rows.Add((value, time, key));
            Cell.Add(value, time, key, Hash(value));
        }

        public void Remove(double value, long time, byte[] key)
        {
            _rows.RemoveAt(_rows.FindIndex(row => row.Key.AsSpan().SequenceEqual(key)));
            if (Cell.Remove(value, time, key, Hash(value)) == RemoveResult.Ok) return;
            Cell = CellState.Create(function);
            foreach (var row in _rows) Cell.Add(row.Value, row.Time, row.Key, Hash(row.Value));
        }
    }
}
