using System.Text.Json;

namespace DataHub.Feeds;

/// <summary>A stretch of a body's text that holds whole rows.</summary>
/// <param name="Start">In bytes.</param>
/// <param name="Length">In bytes.</param>
/// <param name="FirstRow">Number of its first row in the push, from 1.</param>
/// <param name="Rows">How many rows it has; <see cref="int.MaxValue"/>: all that come.</param>
/// <param name="State">Where a JSON reader stands at its start.</param>
internal readonly record struct PushChunk(int Start, int Length, int FirstRow, int Rows, JsonReaderState State)
{
    /// <summary>The whole text.</summary>
    public bool IsWhole => Rows == int.MaxValue;

    public static PushChunk Whole(int length) => new(0, length, 1, int.MaxValue, default);

    /// <summary>Most rows that are read in one go.</summary>
    public int MaxRows(IngestOptions options) => IsWhole ? Math.Min(options.MaxRows, PushLimits.WholeRows) : Rows;
}
