using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace DataHub.Feeds;

/// <summary>Ids of receipts: ULIDs (github.com/ulid/spec), 48 bits of milliseconds and 80 random bits in Crockford's base 32.</summary>
public static class ReceiptIds
{
    public const int Length = 26;

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    private static readonly SearchValues<char> s_alphabet = SearchValues.Create(Alphabet);

    public static string New(DateTimeOffset now)
    {
        // 16 characters of 5 bits each are the 80 random bits.
        Span<byte> random = stackalloc byte[16];
        RandomNumberGenerator.Fill(random);
        return Make(now, random);
    }

    /// <summary>The one id of an instant and a text that names what it is for: asked for again, the same.</summary>
    public static string Of(DateTimeOffset instant, string text) => Make(instant, SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>What all ids made at or after an instant are not less than (to the millisecond): their first ten characters.</summary>
    public static string Begin(DateTimeOffset instant) => New(instant < DateTimeOffset.UnixEpoch ? DateTimeOffset.UnixEpoch : instant)[..10];

    private static string Make(DateTimeOffset instant, ReadOnlySpan<byte> random)
    {
        Span<char> id = stackalloc char[Length];
        var milliseconds = instant.ToUnixTimeMilliseconds();
        for (var i = 9; i >= 0; i--)
        {
            id[i] = Alphabet[(int)(milliseconds & 31)];
            milliseconds >>= 5;
        }

        for (var i = 0; i < 16; i++) id[10 + i] = Alphabet[random[i] & 31];
        return new(id);
    }

    /// <summary>Whether a text can be a receipt's id at all.</summary>
    public static bool IsValid(string id) => id.Length == Length && id[0] <= '7' && !id.AsSpan().ContainsAnyExcept(s_alphabet);
}
