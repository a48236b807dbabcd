using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DataHub.Catalog;

/// <summary>Is told of every key and token that was refused, and of what known callers were refused.</summary>
internal interface ISignInFailures
{
    /// <param name="reason">One of the words of <see cref="SignInFailures"/>.</param>
    /// <param name="who">Whose it claims to be, where that is known: <c>key:{agency}.{key id}</c> or <c>person:{issuer}:{subject}</c>; never the secret.</param>
    /// <param name="network">Where it came from, without the part that names one machine.</param>
    void Note(string reason, string? who, string? network);

    /// <summary>Somebody known asked for what he may not.</summary>
    /// <param name="who"><c>key:{agency}.{key id}</c> or <c>person:{issuer}:{subject}</c>.</param>
    /// <param name="request">Method and path.</param>
    /// <param name="network">Where it came from, without the part that names one machine.</param>
    void Refused(string who, string request, string? network);
}

/// <summary>Writes to the log, at most one line a second for each reason.</summary>
internal sealed partial class SignInFailures(TimeProvider time, ILogger<SignInFailures> logger) : ISignInFailures
{
    public const string Malformed = "malformed", Mistyped = "mistyped", UnknownKey = "unknown-key", NotConfigured = "not-configured", NoKeys = "issuer-unavailable",
        Algorithm = "algorithm", Issuer = "issuer", Signature = "signature", Audience = "audience", Expired = "expired", NotYet = "not-yet-valid", Kind = "kind", Subject = "subject",
        CodeFlow = "code-flow", Origin = "origin", NoAdministrator = "no-platform-administrator", NotHere = "not-from-this-machine";

    private static readonly TimeSpan s_apart = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Told> _told = new(StringComparer.Ordinal);

    public void Note(string reason, string? who, string? network)
    {
        var told = _told.GetOrAdd(reason, _ => new());
        long silent;
        lock (told)
        {
            if (told.At is { } last && time.GetElapsedTime(last) < s_apart)
            {
                told.Silent++;
                return;
            }

            (silent, told.Silent, told.At) = (told.Silent, 0, time.GetTimestamp());
        }

        LogRefused(reason, who ?? "somebody unknown", network ?? "nowhere", silent);
    }

    /// <summary>Nothing: the audit log has it, and the answer said why.</summary>
    public void Refused(string who, string request, string? network)
    {
    }

    /// <summary>The network that a request came from: of IPv4 the first 24 bits, of IPv6 the first 48.</summary>
    public static string? NetworkOf(HttpContext http)
    {
        if (http.Connection.RemoteIpAddress is not { } address) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 24 : 48;
        bytes.AsSpan(bits / 8).Clear();
        return $"{new IPAddress(bytes)}/{bits}";
    }

    [LoggerMessage(1230, LogLevel.Warning, "A key or token was refused ({Reason}): {Who} from {Network}; {Silent} more like it since the last line")]
    private partial void LogRefused(string reason, string who, string network, long silent);

    private sealed class Told
    {
        public long? At { get; set; }

        public long Silent { get; set; }
    }
}
