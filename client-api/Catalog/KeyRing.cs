using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace DataHub.Catalog;

/// <summary>Asks the agencies who a key stands for, and remembers the answer for a moment (design I7).</summary>
/// <param name="grains">The cluster.</param>
/// <param name="time">Clock of the lease.</param>
internal sealed class KeyRing(IGrainFactory grains, TimeProvider time)
{
    /// <summary>How long an answer may be used; a revoked key is dead after it.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMilliseconds(500);

    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<KeyHash, Entry> _remembered = new();

    /// <summary>The caller a key stands for, or null where no agency knows it (any more).</summary>
    public async ValueTask<Caller?> FindAsync(ApiKey key)
    {
        var hash = MemoryMarshal.Read<KeyHash>(key.Hash);
        if (_remembered.TryGetValue(hash, out var entry) && time.GetElapsedTime(entry.Asked) < Lease) return entry.Caller;

        // The lease begins when the question is put: the answer may be that old.
        var asked = time.GetTimestamp();
        var caller = await grains.GetGrain<IAgencyGrain>(key.Agency).AuthenticateAsync(key.KeyId, key.Hash);
        if (caller is null)
        {
            _remembered.TryRemove(hash, out _);
            return null;
        }

        if (_remembered.Count >= MaxRemembered) Forget();
        _remembered[hash] = new(caller, asked);
        return caller;
    }

    private void Forget()
    {
        foreach (var (hash, entry) in _remembered)
        {
            if (time.GetElapsedTime(entry.Asked) >= Lease) _remembered.TryRemove(hash, out _);
        }

        // All of them in use within one lease: start over rather than grow.
        if (_remembered.Count >= MaxRemembered) _remembered.Clear();
    }

    private readonly record struct Entry(Caller Caller, long Asked);

    /// <summary>A SHA-256 by value; the key itself is not kept.</summary>
    internal readonly record struct KeyHash(ulong A, ulong B, ulong C, ulong D);
}
