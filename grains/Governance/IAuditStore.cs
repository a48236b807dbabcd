namespace DataHub.Governance;

/// <summary>
/// Where the audit log is kept. Entries and the head are stored together, and the head apart from them, so that a tail that
/// was cut off is noticed. Whatever the store promises is tested for every adapter by one suite.
/// </summary>
internal interface IAuditStore
{
    /// <summary>The stored head; <see cref="AuditHead.Empty"/> of a chain that has none.</summary>
    Task<AuditHead> HeadAsync(string chain, CancellationToken cancellationToken);

    /// <summary>Which of these event ids the chain has.</summary>
    Task<IReadOnlySet<string>> KnownAsync(string chain, IReadOnlyCollection<string> ids, CancellationToken cancellationToken);

    /// <summary>Stores entries that follow the head, and moves the head behind them, in one transaction.</summary>
    /// <param name="head">What the caller believes to be the head.</param>
    /// <param name="entries">In order; not empty.</param>
    /// <returns>False where the head is another; nothing was stored then.</returns>
    /// <exception cref="InvalidOperationException">An event id is there already; nothing was stored.</exception>
    Task<bool> AppendAsync(string chain, AuditHead head, IReadOnlyList<AuditEntry> entries, CancellationToken cancellationToken);

    /// <summary>Deletes content, salt and columns of entries and stores the entry that says so, in one transaction. The only change ever made to what is stored.</summary>
    /// <inheritdoc cref="AppendAsync"/>
    Task<bool> DeleteContentAsync(string chain, AuditHead head, IReadOnlyList<long> sequences, AuditEntry entry, CancellationToken cancellationToken);

    /// <summary>Takes what was deleted out of the store's files, as far as the store can.</summary>
    Task CompactAsync(CancellationToken cancellationToken);

    /// <summary>Entries that a query finds, in its order.</summary>
    Task<IReadOnlyList<AuditEntry>> ReadAsync(string chain, AuditQuery query, CancellationToken cancellationToken);
}

/// <summary>An entry as it is stored: what is hashed, and beside it what is searched.</summary>
internal sealed record AuditEntry(long Sequence, byte[] Link, byte[] Leaf, byte[]? Salt, byte[]? Content, AuditColumns Columns)
{
    public AuditRecord Record => new(Sequence, Link, Leaf, Salt, Content);
}

/// <summary>What entries are searched by. It says nothing of its own: verifying compares it with the content. All null where the content was deleted.</summary>
/// <param name="At">UTC ticks.</param>
/// <param name="Outcome">The number of an <see cref="AuditOutcome"/>.</param>
internal sealed record AuditColumns(string? Id, long? At, string? Action, string? Agency, string? Actor, string? Object, int? Outcome)
{
    public static AuditColumns None { get; } = new(null, null, null, null, null, null, null);

    public static AuditColumns Of(AuditEvent happened) => new(happened.Id, happened.At.UtcTicks, happened.Action, happened.Agency, happened.Actor, happened.Object, (int)happened.Outcome);
}
