namespace DataHub.Feeds;

/// <summary>
/// Gives the same string for the same short characters while they come again and again, as station ids do, without
/// keeping more than a fixed number. For one thread.
/// </summary>
public sealed class TextPool
{
    /// <summary>Longer texts seldom repeat.</summary>
    private const int LongestPooled = 64;
    private const int Slots = 1 << 10;

    private readonly string?[] _slots = new string?[Slots];

    public string Get(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return "";
        if (text.Length > LongestPooled) return text.ToString();
        ref var slot = ref _slots[string.GetHashCode(text) & (Slots - 1)];
        if (slot is not null && text.SequenceEqual(slot)) return slot;
        return slot = text.ToString();
    }
}
