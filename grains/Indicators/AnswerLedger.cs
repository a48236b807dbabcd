namespace DataHub.Indicators;

/// <summary>How cells that were read stand to the present version.</summary>
internal enum ReadFit
{
    /// <summary>Older than something already answered in at least one partition: read again.</summary>
    Older = 0,

    /// <summary>Exactly what the present version says.</summary>
    Same = 1,

    /// <summary>Newer: a new version.</summary>
    Newer = 2,
}

/// <summary>
/// Which version of its answers an indicator is at, how far that is current, and what it answered in it (design §2.7).
/// Promises that equal version and query mean equal answers, and that neither version nor currency ever goes back.
/// Pure: no clock, no calls.
/// </summary>
/// <remarks>
/// A version stands for the cells as of <see cref="Base"/>, one sequence per partition. News that nothing changed move
/// <see cref="Current"/> on without a new version; news of changes make the version outdated until cells were read anew.
/// </remarks>
internal sealed class AnswerLedger(int partitions, int memoRows)
{
    private readonly long[] _announced = new long[partitions];
    private readonly Dictionary<ValuesQuery, MemoPage> _memo = [];
    private readonly Queue<ValuesQuery> _memoOrder = [];
    private int _memoRows;
    private bool _outdated = true;

    /// <summary>0 before the first.</summary>
    public long Version { get; private set; }

    /// <summary>The sequences that made the version.</summary>
    public long[] Base { get; private set; } = new long[partitions];

    /// <summary>The sequences up to which it holds; never smaller than <see cref="Base"/>. Replaced, never changed in place.</summary>
    public long[] Current { get; private set; } = new long[partitions];

    /// <summary>When the newest batch in the version was received.</summary>
    public DateTimeOffset AsOf { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>A state given out in this version changes by itself then.</summary>
    public DateTimeOffset ValidUntil { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>The folds do not answer; pages of the version before are given out again, marked so.</summary>
    public bool IsStale { get; private set; }

    /// <summary>Whether the version may still be given out.</summary>
    public bool IsValid(DateTimeOffset now) => Version > 0 && !IsStale && !_outdated && now < ValidUntil && !IsBehind;

    /// <summary>Whether everything up to the sequences is in.</summary>
    public bool Includes(ReadOnlySpan<long> sequences)
    {
        for (var i = 0; i < sequences.Length; i++)
        {
            if (Current[i] < sequences[i]) return false;
        }

        return true;
    }

    private bool IsBehind
    {
        get
        {
            for (var i = 0; i < _announced.Length; i++)
            {
                if (_announced[i] > Current[i]) return true;
            }

            return false;
        }
    }

    /// <summary>News of a fold: it stands at a sequence, and whether a cell changed since its last news.</summary>
    public void Announce(int partition, long sequence, bool changed)
    {
        if (sequence <= Current[partition]) return;
        if (Version > 0 && !changed && _announced[partition] <= Current[partition])
        {
            // All that was ever told is in, and since then nothing changed: the version holds on.
            var current = (long[])Current.Clone();
            current[partition] = sequence;
            Current = current;
        }

        _announced[partition] = Math.Max(_announced[partition], sequence);
    }

    /// <summary>Definition, area system or dataset changed: the next answer is a new version whatever the sequences say.</summary>
    public void Outdate()
    {
        _outdated = true;
        Forget();
    }

    /// <summary>The folds may stand still: the next answer tries to read them before it says that nothing changed.</summary>
    public void Doubt() => _outdated = true;

    /// <summary>Compares cells that were read with the present version.</summary>
    public ReadFit Fit(ReadOnlySpan<long> read)
    {
        var fit = Version == 0 ? ReadFit.Newer : ReadFit.Same;
        for (var i = 0; i < read.Length; i++)
        {
            if (read[i] < Base[i]) return ReadFit.Older;
            if (read[i] > Current[i]) fit = ReadFit.Newer;
        }

        return fit;
    }

    /// <summary>Begins a new version with cells that were read and are not <see cref="ReadFit.Older"/>.</summary>
    public void Begin(long version, ReadOnlySpan<long> read, DateTimeOffset asOf)
    {
        if (version <= Version) throw new ArgumentOutOfRangeException(nameof(version), version, $"versions rise; the present one is {Version}");
        var current = (long[])Current.Clone();

        // Where the version was known to hold beyond what was read, it holds there still.
        for (var i = 0; i < current.Length; i++) current[i] = Math.Max(current[i], read[i]);
        (Version, Base, Current) = (version, current, current);
        if (asOf > AsOf) AsOf = asOf;
        ValidUntil = DateTimeOffset.MaxValue;
        IsStale = false;
        _outdated = false;
        Forget();
    }

    /// <summary>Begins a version that gives out again what the present one gave out, marked stale.</summary>
    public void BeginStale(long version)
    {
        if (version <= Version) throw new ArgumentOutOfRangeException(nameof(version), version, $"versions rise; the present one is {Version}");
        Version = version;
        ValidUntil = DateTimeOffset.MaxValue;
        IsStale = true;
    }

    /// <summary>What was answered to a query in this version.</summary>
    /// <param name="query">Without watermark and known version.</param>
    /// <param name="page">In a stale version every value that is not suppressed is marked stale.</param>
    public bool TryRecall(ValuesQuery query, out RolledUp page)
    {
        if (!_memo.TryGetValue(query, out var memo))
        {
            page = null!;
            return false;
        }

        if (IsStale && !memo.IsStale)
        {
            var rows = Array.ConvertAll(memo.Page.Rows, row => row.State == ValueState.Suppressed ? row : row with { State = ValueState.Stale });
            _memo[query] = memo = new(memo.Page with { Rows = rows, ValidUntil = null }, true);
        }

        page = memo.Page;
        return true;
    }

    /// <summary>Keeps what is about to be answered, as far as there is room, and until when its states hold.</summary>
    public void Remember(ValuesQuery query, RolledUp page)
    {
        Holds(page.ValidUntil);
        var cost = page.Rows.Length + 1;
        if (cost > memoRows || _memo.ContainsKey(query)) return;
        while (_memoRows + cost > memoRows)
        {
            var oldest = _memoOrder.Dequeue();
            _memoRows -= _memo[oldest].Page.Rows.Length + 1;
            _memo.Remove(oldest);
        }

        _memo.Add(query, new(page, false));
        _memoOrder.Enqueue(query);
        _memoRows += cost;
    }

    /// <summary>Something of this version was given out that changes by itself at an instant; null: never.</summary>
    public void Holds(DateTimeOffset? until)
    {
        if (until < ValidUntil) ValidUntil = until.Value;
    }

    private void Forget()
    {
        _memo.Clear();
        _memoOrder.Clear();
        _memoRows = 0;
    }

    private sealed record MemoPage(RolledUp Page, bool IsStale);
}
