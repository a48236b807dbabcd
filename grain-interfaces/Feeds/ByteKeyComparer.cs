using System.IO.Hashing;

namespace DataHub.Feeds;

/// <summary>Keys in canonical bytes: equal by content, ordered as <c>memcmp</c> orders them.</summary>
public sealed class ByteKeyComparer : IEqualityComparer<byte[]>, IComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    /// <summary>Keys come from outside: a seed of this process's own keeps anybody from choosing keys that collide.</summary>
    private static readonly long Seed = Random.Shared.NextInt64();

    private ByteKeyComparer()
    {
    }

    public static ByteKeyComparer Instance { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => ReferenceEquals(x, y) || (x is not null && y is not null && x.AsSpan().SequenceEqual(y));

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    public int Compare(byte[]? x, byte[]? y)
    {
        if (ReferenceEquals(x, y)) return 0;
        if (x is null) return -1;
        return y is null ? 1 : x.AsSpan().SequenceCompareTo(y);
    }

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)XxHash3.HashToUInt64(alternate, Seed);

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
