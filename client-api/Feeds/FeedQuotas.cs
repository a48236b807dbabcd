using System.Collections.Concurrent;
using System.Globalization;

using Microsoft.AspNetCore.Http;

namespace DataHub.Feeds;

/// <summary>
/// Feeds that are over their quota, as the shards said it: until then their pushes are refused before their bodies are
/// read, so that a flood costs this front-end headers only. Forgetting one is harmless; the shard says it again.
/// </summary>
internal sealed class FeedQuotas(TimeProvider time)
{
    private const int MostFeeds = 100_000;

    /// <summary>A quota may be raised in between: what was said is not believed for longer.</summary>
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<(string Dataset, string Feed), (DateTimeOffset Until, DateTimeOffset Said, QuotaReading[] Quotas)> _over = new();

    public void Over(string dataset, string feed, TimeSpan after, QuotaReading[] quotas)
    {
        if (_over.Count > MostFeeds) _over.Clear();
        var now = time.GetUtcNow();
        _over[(dataset, feed)] = (now + after, now, quotas);
    }

    /// <summary>Whether the feed is surely over its quota, and how long it still is.</summary>
    public bool IsOver(string dataset, string feed, out TimeSpan after, out QuotaReading[] quotas)
    {
        (after, quotas) = (default, []);
        if (!_over.TryGetValue((dataset, feed), out var over)) return false;
        var now = time.GetUtcNow();
        if (over.Until <= now || over.Said + Believed <= now)
        {
            _over.TryRemove(new((dataset, feed), over));
            return false;
        }

        var passed = (now - over.Said).TotalSeconds;
        after = over.Until - now;
        quotas = Array.ConvertAll(over.Quotas, quota => quota with { Reset = (int)Math.Max(0, Math.Ceiling(quota.Reset - passed)) });
        return true;
    }

    /// <summary>Writes the fields RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10).</summary>
    public static void Tell(HttpResponse response, QuotaReading[] quotas)
    {
        if (quotas.Length == 0) return;
        response.Headers["RateLimit-Policy"] = string.Join(", ", quotas.Select(quota => string.Create(CultureInfo.InvariantCulture, $"\"{quota.Name}\";q={quota.Quota};w={quota.Window}")));
        response.Headers["RateLimit"] = string.Join(", ", quotas.Select(quota => string.Create(CultureInfo.InvariantCulture, $"\"{quota.Name}\";r={quota.Remaining};t={quota.Reset}")));
    }
}
