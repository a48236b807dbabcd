namespace DataHub.Tool;

/// <summary>Some rows of a file, as they are sent.</summary>
/// <param name="Number">Of the batch in its file, from 1.</param>
/// <param name="Body">Rows, for CSV with everything that stands before the first row of the file.</param>
/// <param name="Rows">How many.</param>
/// <param name="Length">Bytes of the file that it takes, and that come before its rows.</param>
internal readonly record struct RowBatch(int Number, ReadOnlyMemory<byte> Body, int Rows, long Length);
