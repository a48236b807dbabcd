using System.Collections.Concurrent;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>What an answer is a function of, besides the version.</summary>
/// <param name="Query">Without watermark and known version.</param>
/// <param name="PathBase">Stands in the link to the next page.</param>
internal sealed record AnswerKey(string Indicator, ValuesQuery Query, AnswerFormat Format, string PathBase)
{
    private readonly int _hash = HashCode.Combine(Indicator, Query, Format, PathBase);

    /// <summary>Whose answer it is and what for, where that may decide what is in it; null: the same for all who may see it.</summary>
    public string? Reader { get; init; }

    public bool Equals(AnswerKey? other) => ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && Indicator == other.Indicator && Format == other.Format && PathBase == other.PathBase && Reader == other.Reader && Query == other.Query);

    public override int GetHashCode() => _hash;
}

/// <summary>A request as it came, for finding its answer without reading it once more.</summary>
internal readonly record struct AnswerRequest(string Path, string Query, string Accept, string PathBase)
{
    public static AnswerRequest Of(HttpRequest request) =>
        new(request.Path.Value ?? "", request.QueryString.Value ?? "", request.Headers.Accept.ToString(), request.PathBase.Value ?? "");
}

/// <summary>An answer's bytes and headers in one version.</summary>
/// <param name="rows">How many values are in it.</param>
/// <param name="through">The agreement through which it came; null: by right.</param>
internal sealed class RenderedAnswer(long version, Rendered rendered, int rows = 0, string? through = null)
{
    private LentAnswer? _lent;

    public long Version => version;

    public string? Through => through;

    public int Rows => rows;

    public Rendered Rendered => rendered;

    public int Size => rendered.Body.Length;

    /// <summary>Lets it be given out again under a lease.</summary>
    /// <param name="number">The lease's when the answer was asked for.</param>
    /// <param name="current">How far the indicator said that it is current.</param>
    /// <param name="until">Its states change by themselves then; null: never.</param>
    /// <param name="endpoint">That made it, by whose route it is counted.</param>
    public void Lend(LeasedIndicator lease, long number, string current, DateTimeOffset? until, Endpoint? endpoint) =>
        Volatile.Write(ref _lent, new(rendered, lease, number, current, until, endpoint));

    /// <summary>The answer with how far it is current, if it may be given out again without asking.</summary>
    public LentAnswer? Lent(TimeProvider time) => Volatile.Read(ref _lent) is { } lent && lent.Holds(time) ? lent : null;
}

/// <summary>An answer that is given out again for as long as the lease holds under which it was asked for.</summary>
internal sealed class LentAnswer(Rendered rendered, LeasedIndicator lease, long number, string current, DateTimeOffset? until, Endpoint? endpoint) : IResult
{
    public LeasedIndicator Lease => lease;

    public bool Holds(TimeProvider time) => lease.Holds(number) && (until is not { } end || time.GetUtcNow() < end);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.SetEndpoint(endpoint);
        httpContext.Response.Headers[Requests.WatermarkHeader] = current;
        return rendered.WriteAsync(httpContext, varies: true);
    }
}

/// <summary>
/// Rendered answers, each in the newest version seen, bounded by bytes; those not asked for of late go first. An
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
    private readonly Dictionary<AnswerKey, LinkedListNode<Place>> _entries = [];
    private readonly LinkedList<Place> _places = [];
    private readonly ConcurrentDictionary<AnswerRequest, Place> _requests = new();
    private int _noted;
    private long _bytes;

    /// <summary>What a request that came before is answered with, if it is still kept.</summary>
    public RenderedAnswer? Find(in AnswerRequest request) => _requests.TryGetValue(request, out var place) ? place.Ask() : null;

    /// <summary>Notes how a request was read. Only such as were answered under a lease, so that rare ones do not fill the memory.</summary>
    public void Note(in AnswerRequest request, AnswerKey key)
    {
        Place place;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node)) return;
            place = node.Value;
        }

        if (_requests.TryGetValue(request, out var noted) && noted == place) return;
        _requests[request] = place;
        if (noted is not null || Interlocked.Increment(ref _noted) < MaxNoted) return;
        _requests.Clear();
        Volatile.Write(ref _noted, 0);
    }

    public RenderedAnswer? Find(AnswerKey key)
    {
        lock (_lock) return _entries.TryGetValue(key, out var node) ? node.Value.Ask() : null;
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
                var old = node.Value.Answer!;
                if (old.Version >= answer.Version && old.Through == answer.Through) return;
                _bytes += answer.Size - old.Size;
                node.Value.Answer = answer;
            }
            else
            {
                _entries[key] = _places.AddFirst(new Place(key, answer));
                _bytes += answer.Size + Overhead;
            }

            // Each has its turn; whoever was asked for since the last one stays for another.
            for (var turns = _places.Count; _bytes > limit; turns--)
            {
                var last = _places.Last!;
                if (turns > 0 && last.Value.WasAsked())
                {
                    _places.RemoveLast();
                    _places.AddFirst(last);
                }
                else
                {
                    Drop(last);
                }
            }
        }
    }

    private void Drop(LinkedListNode<Place> node)
    {
        _places.Remove(node);
        _entries.Remove(node.Value.Key);
        _bytes -= node.Value.Answer!.Size + Overhead;
        node.Value.Answer = null;
    }

    /// <summary>Where an answer lies, in the newest version seen; read by many without the lock.</summary>
    private sealed class Place(AnswerKey key, RenderedAnswer answer)
    {
        private RenderedAnswer? _answer = answer;
        private bool _asked;

        public AnswerKey Key => key;

        /// <summary>Null once it has been dropped.</summary>
        public RenderedAnswer? Answer
        {
            get => Volatile.Read(ref _answer);
            set => Volatile.Write(ref _answer, value);
        }

        public RenderedAnswer? Ask()
        {
            if (!_asked) _asked = true;
            return Answer;
        }

        /// <summary>Whether it was asked for since this was asked.</summary>
        public bool WasAsked()
        {
            var asked = _asked;
            _asked = false;
            return asked;
        }
    }
}
