using System.Collections.Concurrent;

using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>What an answer is a function of, besides the version.</summary>
/// <param name="Query">Without watermark and known version.</param>
/// <param name="PathBase">Stands in the link to the next page.</param>
internal sealed record AnswerKey(string Indicator, ValuesQuery Query, AnswerFormat Format, string PathBase)
{
    private readonly int _hash = HashCode.Combine(Indicator, Query, Format, PathBase);

    public bool Equals(AnswerKey? other) => ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && Indicator == other.Indicator && Format == other.Format && PathBase == other.PathBase && Query == other.Query);

    public override int GetHashCode() => _hash;
}

/// <summary>A request as it came, for finding its answer without reading it once more.</summary>
internal readonly record struct AnswerRequest(string Path, string Query, string Accept, string PathBase);

/// <summary>An answer's bytes and headers in one version.</summary>
internal sealed class RenderedAnswer(long version, Rendered rendered)
{
    private Repeat? _repeat;

    public long Version => version;

    public Rendered Rendered => rendered;

    public int Size => rendered.Body.Length;

    /// <summary>Lets it be given out again under a lease.</summary>
    /// <param name="number">The lease's when the answer was asked for.</param>
    /// <param name="current">How far the indicator said that it is current.</param>
    /// <param name="until">Its states change by themselves then; null: never.</param>
    public void Lend(LeasedIndicator lease, long number, string current, DateTimeOffset? until) => Volatile.Write(ref _repeat, new(lease, number, current, until));

    /// <summary>How far it is current, and the lease, if it may be given out again without asking.</summary>
    public (LeasedIndicator? Lease, string Current) Repeatable(TimeProvider time) =>
        Volatile.Read(ref _repeat) is { } repeat && repeat.Lease.Holds(repeat.Number) && (repeat.Until is not { } until || time.GetUtcNow() < until) ? (repeat.Lease, repeat.Current) : default;

    private sealed record Repeat(LeasedIndicator Lease, long Number, string Current, DateTimeOffset? Until);
}

/// <summary>
/// Rendered answers, each in the newest version seen, bounded by bytes; the one not asked for longest goes first. An
/// answer is given out only after the indicator's grain has said, to this very caller, that its version still holds; or,
/// where it is open, under a lease.
/// </summary>
internal sealed class RenderedAnswers(IOptions<AnswerOptions> options)
{
    /// <summary>What an entry costs beyond its bytes, roughly.</summary>
    private const int Overhead = 1_024;

    /// <summary>Requests that are known by their text; beyond it all are forgotten and read anew.</summary>
    private const int MaxNoted = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<AnswerKey, LinkedListNode<(AnswerKey Key, RenderedAnswer Answer)>> _entries = [];
    private readonly LinkedList<(AnswerKey Key, RenderedAnswer Answer)> _byUse = [];
    private readonly ConcurrentDictionary<AnswerRequest, AnswerKey> _requests = new();
    private int _noted;
    private long _bytes;

    /// <summary>What a request that came before is answered with, if it is still kept.</summary>
    public RenderedAnswer? Find(in AnswerRequest request) => _requests.TryGetValue(request, out var key) ? Find(key) : null;

    /// <summary>Notes how a request was read. Only such as were answered under a lease, so that rare ones do not fill the memory.</summary>
    public void Note(in AnswerRequest request, AnswerKey key)
    {
        if (!_requests.TryAdd(request, key) || Interlocked.Increment(ref _noted) < MaxNoted) return;
        _requests.Clear();
        Volatile.Write(ref _noted, 0);
    }

    public RenderedAnswer? Find(AnswerKey key)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node)) return null;
            if (_byUse.First != node)
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
            }

            return node.Value.Answer;
        }
    }

    /// <summary>Keeps an answer unless a newer one is kept; one larger than an eighth of the room is not kept.</summary>
    public void Keep(AnswerKey key, RenderedAnswer answer)
    {
        var limit = options.Value.CachedBytes;
        if (answer.Size + Overhead > limit / 8) return;
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out var node))
            {
                if (node.Value.Answer.Version >= answer.Version) return;
                Drop(node);
            }

            _entries[key] = _byUse.AddFirst((key, answer));
            _bytes += answer.Size + Overhead;
            while (_bytes > limit) Drop(_byUse.Last!);
        }
    }

    private void Drop(LinkedListNode<(AnswerKey Key, RenderedAnswer Answer)> node)
    {
        _byUse.Remove(node);
        _entries.Remove(node.Value.Key);
        _bytes -= node.Value.Answer.Size + Overhead;
    }
}
