namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>
    /// What is known of the rows is how many of them fall on each whole number of a range. The canonical form has, in
    /// ascending order, the distance to the number before (of the first: to the lowest of the range) and the rows on it.
    /// </summary>
    /// <param name="lowest">Of the range.</param>
    private abstract class Counts(MeasureFunction function, int lowest) : CellState(function)
    {
        /// <summary>Of a distance: ranges are less than 2^21 wide.</summary>
        private const int MaxDistanceBytes = 3;

        protected SparseCounts Found { get; private set; } = new();

        protected override int OwnWeight => Found.Weight;

        protected override int MaxBytes => Found.Keys * (MaxDistanceBytes + MaxCountBytes);

        /// <summary>Where a row falls.</summary>
        private protected abstract int PlaceOf(in Measured row);

        /// <summary>Whether rows can fall there.</summary>
        protected abstract bool IsPlace(int place);

        /// <summary>A new cell of the same function.</summary>
        protected abstract Counts New();

        private protected override bool Include(in Measured row)
        {
            Found.Add(PlaceOf(row), 1);
            return true;
        }

        protected override void Include(CellState other) => Found.Add(((Counts)other).Found);

        private protected override bool Exclude(in Measured row) => Found.TryRemove(PlaceOf(row)) ? true : throw NotInside(Function);

        private protected override void Empty(in Measured row) => Exclude(row);

        protected override void Write(Span<byte> into, ref int at)
        {
            var before = lowest;
            foreach (var (place, rows) in Found)
            {
                WriteCount(into, ref at, place - before);
                WriteCount(into, ref at, rows);
                before = place;
            }
        }

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
            long place = lowest;
            for (var left = Count; left > 0;)
            {
                var distance = ReadCount(from, ref at);
                var rows = ReadCount(from, ref at);
                place = checked(place + distance);
                if ((distance == 0 && Found.Keys > 0) || place > int.MaxValue || !IsPlace((int)place) || rows < 1 || rows > left) throw Malformed(Function);
                Found.Append((int)place, rows);
                left -= rows;
            }
        }

        protected override CellState Copy()
        {
            var copy = New();
            copy.Found = Found.Clone();
            return copy;
        }
    }
}
