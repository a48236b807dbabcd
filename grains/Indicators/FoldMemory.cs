namespace DataHub.Indicators;

/// <summary>The memory that the cells of all folds of this process take, about, and what each fold may keep of it. Safe for all threads.</summary>
/// <param name="limit">In bytes.</param>
internal sealed class FoldMemory(long limit)
{
    private long _used;

    /// <summary>In bytes.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Notes that a fold takes so many bytes more, or less.</summary>
    public void Add(long bytes) => Interlocked.Add(ref _used, bytes);

    /// <summary>
    /// What a fold that takes so many bytes may keep: all of it while there is room. Else every fold gives up the same part of what it
    /// has, so that together they take three quarters of the limit and have room again.
    /// </summary>
    public long Share(long bytes) => Used is var used && used <= limit ? long.MaxValue : (long)(bytes * (limit * 0.75 / used));
}
