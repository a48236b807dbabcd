namespace DataHub.Feeds;

/// <summary>Every version of every row with the sequences between which it held; receipts' counts and quarantine (design §2.6).</summary>
internal interface IHistoryStore
{
    /// <summary>How far history is stored, with the accepted rows applied so far.</summary>
    Task<HistoryPosition> PositionAsync(string partition, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the batches and the new position in one transaction, if the stored position is still
    /// <paramref name="expected"/>: new rows begin at their batch's sequence; a corrected or retracted row's standing
    /// version ends there. A change that does not fit what stands is refused; where keys contain the time, as far as one
    /// transaction shows it, and else when segments are joined. Quarantined rows, what acts settle of them, and the feeds' counts are stored with them.
    /// </summary>
    /// <returns>False if the stored position is another; nothing is stored then.</returns>
    Task<bool> ApplyAsync(string partition, long expected, IReadOnlyList<HistoryBatch> batches, CancellationToken cancellationToken);

    /// <summary>
    /// Joins segments of one day (<see cref="SegmentRules.Day"/>) of a partition whose keys contain the time, where too many lie over one
    /// another. What is read before and after is the same.
    /// </summary>
    /// <param name="expected">As for <see cref="ApplyAsync"/>.</param>
    /// <returns>False if the stored position is another; nothing is changed then.</returns>
    /// <exception cref="InvalidDataException">The versions of a key do not follow from one another.</exception>
    Task<bool> JoinAsync(string partition, long expected, long day, CancellationToken cancellationToken);

    /// <summary>What stands under the keys, with the position, from one snapshot.</summary>
    Task<KeyLookUp> FindKeysAsync(string partition, IReadOnlyList<HistoryKey> keys, CancellationToken cancellationToken);

    /// <summary>Raises the newest times of series, if the stored position is still <paramref name="expected"/>.</summary>
    /// <param name="newest">Ticks by series, each once; a time that is not newer changes nothing.</param>
    /// <param name="upTo">Not null: with these, all rows up to this sequence are in (<see cref="HistoryPosition.Series"/>).</param>
    /// <returns>False if the stored position is another; nothing is stored then.</returns>
    Task<bool> RaiseSeriesAsync(string partition, long expected, IReadOnlyList<KeyValuePair<byte[], long>> newest, long? upTo, CancellationToken cancellationToken);

    /// <summary>The newest time (ticks) of each series as far as it was raised, with the sequence up to which all rows are in, from one snapshot.</summary>
    Task<SeriesLookUp> FindSeriesAsync(string partition, IReadOnlyList<byte[]> series, CancellationToken cancellationToken);

    /// <summary>
    /// The rows that stood at a sequence with a time in [from, to) and, where given, this very area; in the layout of
    /// the contract version each was stored with. The sequence must not lie beyond the stored position.
    /// </summary>
    Task<IReadOnlyList<HistoryRow>> ReadWindowAsync(string partition, long asOf, string? area, long from, long to, CancellationToken cancellationToken);

    /// <summary>
    /// Versions that stood at a sequence, or that moved since an earlier one, by time, key and age, after a cursor. The
    /// sequence must not lie beyond the stored position. Two versions of one key and time are never on two pages.
    /// </summary>
    Task<VersionPage> VersionsAsync(string partition, VersionQuery query, CancellationToken cancellationToken);

    /// <summary>What stood under the keys before: per key its versions that had ended at a sequence, oldest first, at most <paramref name="limit"/> of the newest.</summary>
    Task<IReadOnlyList<HistoryVersion>[]> EarlierAsync(string partition, IReadOnlyList<HistoryKey> keys, long asOf, int limit, CancellationToken cancellationToken);

    /// <summary>Rows that stand now, by time then key, after a cursor; with the position, from one snapshot.</summary>
    /// <param name="areas">Only these areas; null: all.</param>
    Task<HistoryPage> QueryAsync(string partition, long? from, long? to, IReadOnlySet<string>? areas, RowCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>Quarantined rows of a dataset, newest first; those asked for by id in the order of their places.</summary>
    /// <param name="query">Its watermark is not looked at.</param>
    Task<IReadOnlyList<QuarantineEntry>> QuarantineAsync(string dataset, QuarantineQuery query, CancellationToken cancellationToken);

    /// <summary>Quarantined rows of a dataset by cause, most rows first.</summary>
    Task<IReadOnlyList<QuarantineGroup>> QuarantineGroupsAsync(string dataset, string? feed, QuarantineState state, int limit, CancellationToken cancellationToken);

    /// <summary>Per row asked for what became of it; null where there is none. A row counts as settled from the act on that history has applied.</summary>
    Task<QuarantineState?[]> QuarantineStatesAsync(string partition, IReadOnlyList<(long Sequence, int Index)> rows, CancellationToken cancellationToken);

    /// <summary>Acts on quarantined rows of a dataset, newest first.</summary>
    Task<IReadOnlyList<QuarantineActEntry>> QuarantineActsAsync(string dataset, QuarantineId? after, int limit, CancellationToken cancellationToken);

    /// <summary>Counts per feed of a dataset as far as history is stored.</summary>
    Task<IReadOnlyList<FeedCounts>> CountsAsync(string dataset, CancellationToken cancellationToken);

    /// <summary>Counts per feed of what was received since the beginning of an hour (of UTC), as far as history is stored; without when the last came.</summary>
    Task<IReadOnlyList<FeedCounts>> CountsSinceAsync(string dataset, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Ids of receipts of a feed that have a batch in the partition, newest first, as far as history is stored.</summary>
    /// <param name="from">The least id, or the beginning of it.</param>
    /// <param name="before">Only ids less than this.</param>
    Task<IReadOnlyList<string>> ReceiptsAsync(string partition, string feed, string from, string before, int limit, CancellationToken cancellationToken);

    /// <summary>Rows that a feed brought since an instant, by the hour (of UTC) in which they were received, as far as history is stored.</summary>
    Task<long> ReceivedSinceAsync(string dataset, string feed, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Forgets a partition, to be rebuilt from the log.</summary>
    Task ResetAsync(string partition, CancellationToken cancellationToken);
}

internal readonly record struct HistoryPosition(long Sequence, long Accepted)
{
    /// <summary>The newest times of series include all rows up to this sequence.</summary>
    public long Series { get; init; }
}

/// <summary>A batch prepared for history: each row with its key, time and packed values.</summary>
/// <param name="Changes">In the order in which they count.</param>
internal sealed record HistoryBatch(LogBatch Batch, HistoryChange[] Changes)
{
    /// <summary>
    /// The keys of this partition contain the row's time (<see cref="Catalog.CompiledContract.KeyHasTime"/>): its rows lie in segments
    /// (<see cref="HistorySegment"/>). The same for all batches of a partition; retractions then carry the time too.
    /// </summary>
    public bool KeyHasTime { get; init; }

    /// <summary>Rows that count as applied: those there are, and those whose content was erased.</summary>
    public int Accepted => Changes.Length + (Batch.Erased?.Rows ?? 0);
}

/// <summary>A key to look up.</summary>
/// <param name="Time">Ticks of the row's time where the partition's keys contain it (<see cref="HistoryBatch.KeyHasTime"/>), else null.</param>
internal readonly record struct HistoryKey(byte[] Key, long? Time);

/// <param name="Key">The primary key in canonical bytes (<see cref="RowKeys"/>).</param>
/// <param name="Time">Ticks of the row's time; <see cref="long.MinValue"/> where it has none, and for a retraction whose key does not contain it.</param>
/// <param name="Values">All fields packed (<see cref="RowPacking"/>); null for a retraction.</param>
internal readonly record struct HistoryChange(RowChange Change, byte[] Key, long Time, string? Area, byte[]? Values);

/// <summary>A row as history holds it.</summary>
/// <param name="FromSequence">Held from this sequence on.</param>
internal sealed record HistoryRow(byte[] Key, long Time, string? Area, int ContractVersion, byte[] Values, long FromSequence);

/// <param name="AsOf">Versions that stood at this sequence.</param>
/// <param name="From">Only rows with a time at or after (ticks); <see cref="long.MinValue"/>: those without a time too.</param>
/// <param name="To">Only rows with a time before.</param>
/// <param name="Areas">Only these areas; null: all.</param>
/// <param name="After">Continue after this row.</param>
/// <param name="Limit">Keys of the page.</param>
internal sealed record VersionQuery(long AsOf, long From, long To, IReadOnlySet<string>? Areas, RowCursor? After, int Limit)
{
    /// <summary>Instead: versions that stood at one of the two sequences and not at the other.</summary>
    public long? Since { get; init; }

    /// <summary>Also tell through which push each version came.</summary>
    public bool WithPush { get; init; }
}

/// <summary>A version of a row.</summary>
/// <param name="ToSequence">Held before this sequence; the greatest number while it stands.</param>
/// <param name="Push">Through which push it came; null where not asked for.</param>
internal sealed record HistoryVersion(HistoryRow Row, long ToSequence, VersionPush? Push);

/// <param name="Feed">Null where the batch came by no push.</param>
internal sealed record VersionPush(DateTimeOffset ReceivedAt, string? Feed, string? Receipt);

internal sealed record VersionPage(IReadOnlyList<HistoryVersion> Versions, bool More);

/// <param name="Rows">Per key asked for: what stands, or null.</param>
internal sealed record KeyLookUp(long Sequence, HistoryRow?[] Rows);

/// <param name="Sequence">All rows up to here are in; some of later ones may be.</param>
/// <param name="Newest">Per series asked for: ticks, or null where no row is in.</param>
internal sealed record SeriesLookUp(long Sequence, long?[] Newest);

internal sealed record HistoryPage(long Sequence, IReadOnlyList<HistoryRow> Rows, bool More);
