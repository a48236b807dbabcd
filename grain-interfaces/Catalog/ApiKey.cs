using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace DataHub.Catalog;

/// <summary>
/// An API key as its owner holds it: <c>dh_{agency}.{key id}.{secret}{check}</c>. One token of URL-safe characters.
/// </summary>
/// <remarks>
/// The agency's id says which grain knows the key, so that a check is one grain call. The key id is public (lists,
/// logs). The secret has 32 characters of base 62 (190 bits), so a plain SHA-256 of the key is safe to store. The check
/// is CRC-32C over all before it in 6 characters of base 62: a typing mistake is told apart from an unknown key
/// without asking anybody.
/// </remarks>
/// <param name="Agency">Id of the agency it belongs to.</param>
/// <param name="KeyId">Public part.</param>
/// <param name="Hash">SHA-256 of the whole text; all that the hub ever stores.</param>
public readonly record struct ApiKey(string Agency, string KeyId, byte[] Hash)
{
    private const string Prefix = "dh_";
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int KeyIdLength = 8;
    private const int SecretLength = 32;
    private const int CheckLength = 6;

    /// <summary>Longest key, in characters.</summary>
    public const int MaxLength = 3 + CatalogIds.MaxLength + 1 + KeyIdLength + 1 + SecretLength + CheckLength;

    /// <summary>A new random key of an agency.</summary>
    /// <param name="agency">A valid id.</param>
    /// <param name="text">The key itself, to be shown once.</param>
    public static ApiKey Create(string agency, out string text)
    {
        var keyId = RandomNumberGenerator.GetString(Digits, KeyIdLength);
        var body = $"{Prefix}{agency}.{keyId}.{RandomNumberGenerator.GetString(Digits, SecretLength)}";
        text = body + Check(body);
        return new(agency, keyId, HashOf(text));
    }

    /// <summary>Reads a presented key.</summary>
    public static ApiKeyFault Parse(string? text, out ApiKey key)
    {
        key = default;
        if (text is null || text.Length > MaxLength || !text.StartsWith(Prefix, StringComparison.Ordinal)) return ApiKeyFault.NotAKey;
        var parts = text[Prefix.Length..].Split('.');
        if (parts.Length != 3 || !CatalogIds.IsValid(parts[0])) return ApiKeyFault.NotAKey;
        if (parts[1].Length != KeyIdLength || parts[2].Length != SecretLength + CheckLength) return ApiKeyFault.Mistyped;
        var body = text.AsSpan(0, text.Length - CheckLength);
        if (!text.AsSpan(body.Length).SequenceEqual(Check(body))) return ApiKeyFault.Mistyped;
        key = new(parts[0], parts[1], HashOf(text));
        return ApiKeyFault.None;
    }

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private static string Check(ReadOnlySpan<char> body)
    {
        var crc = uint.MaxValue;
        foreach (var c in body)
        {
            crc = BitOperations.Crc32C(crc, (ushort)c);
        }

        Span<char> check = stackalloc char[CheckLength];
        var rest = ~crc;
        for (var i = CheckLength - 1; i >= 0; i--)
        {
            check[i] = Digits[(int)(rest % 62)];
            rest /= 62;
        }

        return new(check);
    }
}

/// <summary>Why a presented text is not an API key.</summary>
public enum ApiKeyFault
{
    None = 0,

    /// <summary>It does not look like a key of this hub at all.</summary>
    NotAKey = 1,

    /// <summary>It looks like one, but length or check do not fit: a part is missing or mistyped.</summary>
    Mistyped = 2,
}
