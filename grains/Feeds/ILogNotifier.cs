namespace DataHub.Feeds;

/// <summary>Told by the writer of a shard what it has just committed. A hint: whoever misses it finds the batches in the log.</summary>
internal interface ILogNotifier
{
    /// <summary>Batches in the order of their positions. Must not block or throw.</summary>
    void Appended(int shard, IReadOnlyList<LogBatch> batches);
}
