using System.Security.Cryptography;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Governance;

/// <summary>
/// The writer of one chain: takes all events that are waiting, stores them in one transaction, then answers. Used by one
/// activation, whose turns never run at the same time; should there be another, the store refuses whoever does not know the head.
/// </summary>
internal sealed class AuditWriter(string chain, IAuditStore store, AuditOptions options, TimeProvider time)
{
    /// <summary>How often the head is read again before giving up: somebody else writes all the time then.</summary>
    private const int MaxAttempts = 10;

    private readonly Queue<Work> _waiting = new();
    private int _events;
    private bool _running;

    /// <summary>What surely stands; null: to be read.</summary>
    private AuditHead? _head;

    /// <summary>Stores events; false where too many are waiting. Throws what the store throws: whether they were stored is not known then, and a repeat adds nothing twice.</summary>
    public async Task<AuditHead?> AppendAsync(AuditEvent[] events)
    {
        if (_events + events.Length > options.MaxWaiting) return null;
        var work = new Work(events, null);
        return (await QueueAsync(work)).Head;
    }

    public async Task<AuditDeletionResult> DeleteAsync(Caller caller, long[] sequences, string reason, string authority) =>
        (await QueueAsync(new Work([], new(caller, sequences, reason, authority)))).Deletion!;

    private Task<Outcome> QueueAsync(Work work)
    {
        _waiting.Enqueue(work);
        _events += work.Events.Length;
        if (!_running) _ = RunAsync();
        return work.Done.Task;
    }

    private async Task RunAsync()
    {
        _running = true;
        var group = new List<Work>();
        while (_waiting.Count > 0)
        {
            Take(group);
            try
            {
                var outcome = group[0].Deletion is { } deletion ? await DeleteAsync(deletion) : new(await StoreAsync(group), null);
                foreach (var work in group) work.Done.TrySetResult(outcome);
            }
            catch (Exception e)
            {
                // The write may or may not have reached the store.
                _head = null;
                foreach (var work in group) work.Done.TrySetException(e);
            }

            group.Clear();
        }

        _running = false;
    }

    /// <summary>A deletion goes alone; of the others as many as one transaction takes, and at least one.</summary>
    private void Take(List<Work> group)
    {
        var events = 0;
        while (_waiting.TryPeek(out var next) && (group.Count == 0 || (next.Deletion is null && group[0].Deletion is null && events + next.Events.Length <= options.MaxBatch)))
        {
            group.Add(_waiting.Dequeue());
            events += next.Events.Length;
        }

        _events -= events;
    }

    private async Task<AuditHead> StoreAsync(List<Work> group)
    {
        // In the order of coming, each once.
        var events = group.SelectMany(work => work.Events).DistinctBy(happened => happened.Id).ToArray();
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var head = _head ??= await store.HeadAsync(chain, CancellationToken.None);
            var known = await store.KnownAsync(chain, [.. events.Select(happened => happened.Id)], CancellationToken.None);
            var entries = AuditChain.Next(head, events.Where(happened => !known.Contains(happened.Id)), NewSalt);
            if (entries.Count == 0) return head;
            if (await store.AppendAsync(chain, head, entries, CancellationToken.None)) return _head = AuditChain.HeadOf(entries[^1]);
            _head = null;
        }

        throw NoHead();
    }

    private async Task<Outcome> DeleteAsync(Deletion deletion)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var head = _head ??= await store.HeadAsync(chain, CancellationToken.None);
            var found = new List<AuditEntry>();
            foreach (var sequence in deletion.Sequences)
            {
                found.AddRange((await store.ReadAsync(chain, AuditQuery.All(sequence - 1, 1), CancellationToken.None)).Where(entry => entry.Sequence == sequence));
            }

            var (sequences, refused) = AuditRules.Deletable(deletion.Sequences, found);
            if (refused is not null) return new(null, new(ReadRefusal.Invalid, [], null, refused));
            if (sequences.Length == 0)
            {
                // Perhaps the files were not cleaned when it was deleted.
                await store.CompactAsync(CancellationToken.None);
                return new(null, new(ReadRefusal.None, [], null, null));
            }

            var happened = AuditEvents.Of(time.GetUtcNow(), deletion.Caller, AuditEvents.ContentDeleted, null, $"audit:{chain}", AuditOutcome.Done,
                ("sequences", AuditChain.Places(sequences)), ("reason", deletion.Reason), ("authority", deletion.Authority));
            var entry = AuditChain.Next(head, happened, NewSalt());
            if (!await store.DeleteContentAsync(chain, head, sequences, entry, CancellationToken.None))
            {
                _head = null;
                continue;
            }

            _head = AuditChain.HeadOf(entry);
            await store.CompactAsync(CancellationToken.None);
            return new(null, new(ReadRefusal.None, sequences, entry.Sequence, null));
        }

        throw NoHead();
    }

    private InvalidOperationException NoHead() => new($"the audit log {chain} is written to by somebody else all the time");

    private static byte[] NewSalt() => RandomNumberGenerator.GetBytes(AuditContent.SaltLength);

    private sealed record Deletion(Caller Caller, long[] Sequences, string Reason, string Authority);

    private sealed record Outcome(AuditHead? Head, AuditDeletionResult? Deletion);

    private sealed record Work(AuditEvent[] Events, Deletion? Deletion)
    {
        public TaskCompletionSource<Outcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
