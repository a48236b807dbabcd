namespace DataHub.Feeds;

/// <summary>
/// Gives the same string for the same short characters while they come again and again, as station ids do, without
/// keeping more than a fixed number. For one thread.
/// </summary>
public sealed class TextPool
{
    /// <summary>Longer texts seldom repeat.</summary>
    private const int LongestPooled = 64;

    /// <summary>How many texts are kept at first, and at most.</summary>
    private const int Fewest = 1 << 10, Most = 1 << 14;

    /// <summary>How many places a text may stand in.</summary>
    private const int Ways = 4;

    [ThreadStatic] private static TextPool? t_pool;

    private Slot[] _slots = new Slot[Fewest];
    private int _displaced;

    private struct Slot
    {
        public int Hash;
        public string? Text;
    }

    /// <summary>That of the thread that asks.</summary>
    public static TextPool OfThisThread => t_pool ??= new();

    public string Get(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return "";
        if (text.Length > LongestPooled) return text.ToString();
        var hash = string.GetHashCode(text);
        foreach (ref var slot in PlacesOf(hash))
            if (slot.Hash == hash && slot.Text is { } known && text.SequenceEqual(known)) return known;
        var added = text.ToString();
        if (Add(hash, added)) return added;
        // More texts come than there is room for: some of them will come again.
        if (++_displaced > _slots.Length / 8 && _slots.Length < Most) Grow();
        return added;
    }

    private Span<Slot> PlacesOf(int hash) => _slots.AsSpan(hash & (_slots.Length - Ways), Ways);

    /// <returns>False where another text had to go.</returns>
    private bool Add(int hash, string text)
    {
        var places = PlacesOf(hash);
        foreach (ref var slot in places)
        {
            if (slot.Text is not null) continue;
            slot = new() { Hash = hash, Text = text };
            return true;
        }

        // Not the oldest: texts that come in turn would all be gone before they come again.
        places[_displaced & (Ways - 1)] = new() { Hash = hash, Text = text };
        return false;
    }

    private void Grow()
    {
        var old = _slots;
        _slots = new Slot[2 * old.Length];
        _displaced = 0;
        foreach (var slot in old)
            if (slot.Text is not null) Add(slot.Hash, slot.Text);
    }
}
