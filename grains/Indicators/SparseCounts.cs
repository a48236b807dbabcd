namespace DataHub.Indicators;

/// <summary>
/// How often each of some whole numbers occurs, in ascending order: a handful takes a few dozen bytes, and a hundred
/// thousand are still changed in a microsecond. Not thread-safe.
/// </summary>
/// <remarks>Sorted arrays of up to <see cref="PageSize"/> numbers each, so that a new one moves few others.</remarks>
internal sealed class SparseCounts
{
    private const int PageSize = 256;

    private Page[] _pages = [];
    private int _used;

    /// <summary>Different numbers.</summary>
    public int Keys { get; private set; }

    /// <summary>Bytes that it takes in memory, about.</summary>
    public int Weight
    {
        get
        {
            var weight = 64 + (24 * _pages.Length);
            for (var i = 0; i < _used; i++) weight += 48 + (12 * _pages[i].Keys.Length);
            return weight;
        }
    }

    /// <summary>Counts a number so many times more.</summary>
    /// <param name="key">Any.</param>
    /// <param name="times">At least 1.</param>
    public void Add(int key, long times)
    {
        var at = PageOf(key);
        if (at < 0)
        {
            Append(key, times);
            return;
        }

        ref var page = ref _pages[at];
        var index = page.Find(key);
        if (index >= 0)
        {
            page.Counts[index] += times;
            return;
        }

        index = ~index;
        if (page.Used == PageSize)
        {
            // What comes in ascending order, as bytes are read, fills its pages; anything else finds room in both halves.
            var half = index == PageSize && at == _used - 1 ? PageSize : PageSize / 2;
            Insert(at + 1, page.Cut(half));
            if (index >= half) (at, index) = (at + 1, index - half);
            page = ref _pages[at];
        }

        page.Insert(index, key, times);
        Keys++;
    }

    /// <summary>Counts a number greater than all that are there so many times.</summary>
    public void Append(int key, long times)
    {
        if (_used == 0 || _pages[_used - 1].Used == PageSize)
            Insert(_used, new() { Keys = new int[_used == 0 ? 2 : PageSize], Counts = new long[_used == 0 ? 2 : PageSize] });
        ref var page = ref _pages[_used - 1];
        page.Insert(page.Used, key, times);
        Keys++;
    }

    /// <summary>Counts a number once less; one that is not there is left alone.</summary>
    /// <returns>Whether it was there.</returns>
    public bool TryRemove(int key)
    {
        var at = PageOf(key);
        if (at < 0) return false;
        ref var page = ref _pages[at];
        var index = page.Find(key);
        if (index < 0) return false;
        if (--page.Counts[index] > 0) return true;

        Keys--;
        page.Remove(index);
        if (page.Used > 0) return true;
        _used--;
        Array.Copy(_pages, at + 1, _pages, at, _used - at);
        _pages[_used] = default;
        return true;
    }

    /// <summary>Adds all counts of another; the other is not changed.</summary>
    public void Add(SparseCounts other)
    {
        if (other.Keys < Keys / 8)
        {
            foreach (var (key, count) in other) Add(key, count);
            return;
        }

        var merged = new SparseCounts();
        var (mine, theirs) = (GetEnumerator(), other.GetEnumerator());
        var (hasMine, hasTheirs) = (mine.MoveNext(), theirs.MoveNext());
        while (hasMine || hasTheirs)
        {
            var order = !hasTheirs ? -1 : !hasMine ? 1 : mine.Current.Key.CompareTo(theirs.Current.Key);
            merged.Append(order <= 0 ? mine.Current.Key : theirs.Current.Key, (order <= 0 ? mine.Current.Count : 0) + (order >= 0 ? theirs.Current.Count : 0));
            if (order <= 0) hasMine = mine.MoveNext();
            if (order >= 0) hasTheirs = theirs.MoveNext();
        }

        (_pages, _used, Keys) = (merged._pages, merged._used, merged.Keys);
    }

    /// <summary>An independent copy.</summary>
    public SparseCounts Clone()
    {
        var copy = new SparseCounts { _pages = new Page[_used], _used = _used, Keys = Keys };
        for (var i = 0; i < _used; i++)
        {
            ref readonly var page = ref _pages[i];
            copy._pages[i] = new() { Keys = page.Keys[..page.Used], Counts = page.Counts[..page.Used], Used = page.Used };
        }

        return copy;
    }

    /// <summary>Numbers and counts, ascending by number. Nothing may change meanwhile.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>The page that has the number if any has, the first one for what is less than all; −1 where there are none.</summary>
    private int PageOf(int key)
    {
        var (low, high) = (0, _used - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_pages[middle].Keys[0] <= key) low = middle;
            else high = middle - 1;
        }

        return high;
    }

    private void Insert(int at, Page page)
    {
        if (_used == _pages.Length) Array.Resize(ref _pages, Math.Max(1, _used * 2));
        Array.Copy(_pages, at, _pages, at + 1, _used - at);
        _pages[at] = page;
        _used++;
    }

    private struct Page
    {
        public int[] Keys;
        public long[] Counts;
        public int Used;

        public readonly int Find(int key) => Array.BinarySearch(Keys, 0, Used, key);

        public void Insert(int index, int key, long count)
        {
            if (Used == Keys.Length)
            {
                var size = Math.Min(PageSize, Math.Max(2, Used * 2));
                Array.Resize(ref Keys, size);
                Array.Resize(ref Counts, size);
            }

            if (index < Used)
            {
                Array.Copy(Keys, index, Keys, index + 1, Used - index);
                Array.Copy(Counts, index, Counts, index + 1, Used - index);
            }

            Keys[index] = key;
            Counts[index] = count;
            Used++;
        }

        public void Remove(int index)
        {
            Used--;
            Array.Copy(Keys, index + 1, Keys, index, Used - index);
            Array.Copy(Counts, index + 1, Counts, index, Used - index);
        }

        /// <summary>Gives away what is behind the first so many.</summary>
        public Page Cut(int kept)
        {
            var (keys, counts, rest) = (new int[PageSize], new long[PageSize], Used - kept);
            Array.Copy(Keys, kept, keys, 0, rest);
            Array.Copy(Counts, kept, counts, 0, rest);
            Used = kept;
            return new() { Keys = keys, Counts = counts, Used = rest };
        }
    }

    public struct Enumerator(SparseCounts counts)
    {
        private int _page;
        private int _index = -1;

        public readonly (int Key, long Count) Current => (counts._pages[_page].Keys[_index], counts._pages[_page].Counts[_index]);

        public bool MoveNext()
        {
            if (_page >= counts._used) return false;
            if (++_index < counts._pages[_page].Used) return true;
            _index = 0;
            return ++_page < counts._used;
        }
    }
}
