using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>What an answer is a function of, besides the version.</summary>
/// <param name="Query">Without watermark and known version.</param>
/// <param name="PathBase">Stands in the link to the next page.</param>
internal sealed record AnswerKey(string Indicator, ValuesQuery Query, AnswerFormat Format, string PathBase);

/// <summary>An answer's bytes and headers in one version.</summary>
internal sealed record RenderedAnswer(long Version, Rendered Rendered)
{
    public int Size => Rendered.Body.Length;
}

/// <summary>
/// Rendered answers, each in the newest version seen, bounded by bytes; the one not asked for longest goes first. An
/// answer is given out only after the indicator's grain has said, to this very caller, that its version still holds.
/// </summary>
internal sealed class RenderedAnswers(IOptions<AnswerOptions> options)
{
    /// <summary>What an entry costs beyond its bytes, roughly.</summary>
    private const int Overhead = 1_024;

    private readonly Lock _lock = new();
    private readonly Dictionary<AnswerKey, LinkedListNode<(AnswerKey Key, RenderedAnswer Answer)>> _entries = [];
    private readonly LinkedList<(AnswerKey Key, RenderedAnswer Answer)> _byUse = [];
    private long _bytes;

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
