namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>The number of rows and nothing else.</summary>
    private sealed class Rows() : CellState(MeasureFunction.Count)
    {
        private protected override bool Include(in Measured row) => true;

        protected override void Include(CellState other)
        {
        }

        private protected override bool Exclude(in Measured row) => true;

        private protected override void Empty(in Measured row)
        {
        }

        protected override double? Read() => Count;

        protected override void Write(Span<byte> into, ref int at)
        {
        }

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
        }

        protected override CellState Copy() => new Rows();
    }
}
