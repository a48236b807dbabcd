using System.Buffers;
using System.IO.Hashing;
using System.Text;

namespace DataHub.Indicators;

/// <summary>
/// The hash by which <see cref="MeasureFunction.Distinct"/> tells values apart: XXH64 with seed 0 of the canonical text's
/// UTF-8 bytes. Cells are stored with what follows from it, so it never changes.
/// </summary>
internal static class DistinctHash
{
    /// <summary>Bytes that are encoded on the stack; longer texts use a rented buffer.</summary>
    private const int Short = 512;

    /// <summary>The hash of a value's canonical text. Allocates nothing.</summary>
    public static ulong Of(ReadOnlySpan<char> text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (most <= Short) return Of(text, stackalloc byte[Short]);

        var rented = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            return Of(text, rented);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    private static ulong Of(ReadOnlySpan<char> text, Span<byte> buffer) => XxHash64.HashToUInt64(buffer[..Encoding.UTF8.GetBytes(text, buffer)]);
}
