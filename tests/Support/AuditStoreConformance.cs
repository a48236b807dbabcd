using DataHub.Governance;

namespace DataHub.Support;

/// <summary>What every store of the audit log promises. An adapter's tests derive from it and say how to make one.</summary>
public abstract class AuditStoreConformance : IAsyncLifetime
{
    private const string Main = "main";

    private protected IAuditStore Store { get; private set; } = null!;

    /// <summary>A store of the test's own, empty at first.</summary>
    private protected abstract Task<IAuditStore> CreateAsync();

    protected abstract Task CloseAsync();

    /// <summary>Runs a statement on the tables behind the store's back.</summary>
    protected abstract Task ExecuteAsync(string sql);

    public async Task InitializeAsync() => Store = await CreateAsync();

    public Task DisposeAsync() => CloseAsync();

    [ConformanceFact]
    public async Task A_log_without_entries_has_the_empty_head_and_knows_nothing()
    {
        Assert.Equal(AuditHead.Empty, await Store.HeadAsync(Main, default));
        Assert.Empty(await Store.KnownAsync(Main, ["01X"], default));
        Assert.Empty(await ReadAllAsync());
        Assert.Empty(await Store.ReadAsync(Main, AuditQuery.All(0, 10) with { OldestFirst = false, After = null }, default));
    }

    [ConformanceFact]
    public async Task Entries_are_read_as_they_were_appended_and_the_head_is_the_last()
    {
        var log = AuditLogs.Log(7);
        Assert.True(await Store.AppendAsync(Main, AuditHead.Empty, log[..3], default));
        Assert.True(await Store.AppendAsync(Main, AuditChain.HeadOf(log[2]), log[3..], default));

        Assert.Equal(AuditChain.HeadOf(log[^1]), await Store.HeadAsync(Main, default));
        AuditLogs.AssertEqual(log, await ReadAllAsync());
        Assert.Equal([log[1].Columns.Id!], await Store.KnownAsync(Main, [log[1].Columns.Id!, "01X"], default));
        Assert.Equal(0, AuditLogs.Verify(await ReadAllAsync(), await Store.HeadAsync(Main, default)).FaultCount);
    }

    [ConformanceFact]
    public async Task Who_does_not_know_the_head_appends_nothing()
    {
        var log = AuditLogs.Log(4);
        Assert.False(await Store.AppendAsync(Main, AuditChain.HeadOf(log[0]), log[1..2], default));
        Assert.True(await Store.AppendAsync(Main, AuditHead.Empty, log[..2], default));
        Assert.False(await Store.AppendAsync(Main, AuditHead.Empty, log[..1], default));
        Assert.False(await Store.AppendAsync(Main, AuditChain.HeadOf(log[0]), log[1..2], default));
        Assert.False(await Store.AppendAsync(Main, new(2, log[0].Link), log[2..3], default));
        Assert.False(await Store.DeleteContentAsync(Main, AuditChain.HeadOf(log[0]), [1], log[1], default));
        AuditLogs.AssertEqual(log[..2], await ReadAllAsync());
    }

    [ConformanceFact]
    public async Task Of_two_that_append_at_the_same_time_one_does()
    {
        for (var round = 0; round < 10; round++)
        {
            var head = await Store.HeadAsync(Main, default);
            var tried = await Task.WhenAll(Enumerable.Range(0, 4).Select(n => Task.Run(() =>
                Store.AppendAsync(Main, head, [AuditChain.Next(head, AuditLogs.Event(round * 10 + n), AuditLogs.Salt(n))], default))));
            Assert.Single(tried, done => done);
        }

        Assert.Equal(10, (await ReadAllAsync()).Count);
        Assert.Equal(0, AuditLogs.Verify(await ReadAllAsync(), await Store.HeadAsync(Main, default)).FaultCount);
    }

    [ConformanceFact]
    public async Task An_event_that_is_there_already_is_not_stored_again_and_neither_are_those_with_it()
    {
        var first = AuditChain.Next(AuditHead.Empty, AuditLogs.Event(1), AuditLogs.Salt(1));
        Assert.True(await Store.AppendAsync(Main, AuditHead.Empty, [first], default));
        var head = AuditChain.HeadOf(first);
        var next = AuditChain.Next(head, [AuditLogs.Event(2), AuditLogs.Event(1)], () => AuditLogs.Salt(3));

        await Assert.ThrowsAsync<InvalidOperationException>(() => Store.AppendAsync(Main, head, next, default));

        Assert.Equal(head, await Store.HeadAsync(Main, default));
        AuditLogs.AssertEqual([first], await ReadAllAsync());
        Assert.True(await Store.AppendAsync(Main, head, next[..1], default));
    }

    [ConformanceFact]
    public async Task Chains_know_nothing_of_each_other()
    {
        var log = AuditLogs.Log(2);
        Assert.True(await Store.AppendAsync(Main, AuditHead.Empty, log, default));
        Assert.True(await Store.AppendAsync("other", AuditHead.Empty, log[..1], default));
        Assert.Equal(1, (await Store.HeadAsync("other", default)).Sequence);
        Assert.Single(await Store.ReadAsync("other", AuditQuery.All(0, 10), default));
        Assert.Empty(await Store.KnownAsync("other", [log[1].Columns.Id!], default));
    }

    [ConformanceFact]
    public async Task A_deletion_takes_content_salt_and_columns_and_leaves_the_hashes_and_an_entry_that_says_so()
    {
        var (log, expected) = (AuditLogs.Log(5), AuditLogs.Log(5, [2L, 4L]));
        Assert.True(await Store.AppendAsync(Main, AuditHead.Empty, log, default));

        Assert.True(await Store.DeleteContentAsync(Main, AuditChain.HeadOf(log[^1]), [2, 4], expected[^1], default));
        await Store.CompactAsync(default);

        AuditLogs.AssertEqual(expected[..5], (await ReadAllAsync())[..5]);
        var verified = AuditLogs.Verify(await ReadAllAsync(), await Store.HeadAsync(Main, default));
        Assert.Equal((0, 2, 6), (verified.FaultCount, verified.Deleted, verified.Entries));
        Assert.Empty(await Store.KnownAsync(Main, [log[1].Columns.Id!], default));

        // An entry that is not there: nothing of it happens.
        var last = AuditChain.HeadOf(expected[^1]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Store.DeleteContentAsync(Main, last, [1, 99], AuditChain.Next(last, AuditLogs.Deletion(1, 99), AuditLogs.Salt(9)), default));
        Assert.Equal(last, await Store.HeadAsync(Main, default));
        Assert.NotNull((await ReadAllAsync())[0].Content);
    }

    [ConformanceFact]
    public async Task Entries_are_found_by_everything_that_is_named_in_both_orders_and_in_pages()
    {
        AuditEvent[] events =
        [
            AuditLogs.Event(1), AuditLogs.Event(2, "key.revoked"), AuditLogs.Event(3, "dataset.released", "verkehr", "dataset:radwege"),
            AuditLogs.Event(4, "key.created", "verkehr", "agency:verkehr", AuditOutcome.Refused), AuditLogs.Event(5, "keyring.x", null, "agency:umwelt", actor: "hub"), AuditLogs.Event(6, "rows.read", "umwelt", "dataset:luft", actor: "person:ä"),
        ];
        Assert.True(await Store.AppendAsync(Main, AuditHead.Empty, AuditChain.Next(AuditHead.Empty, events, () => AuditLogs.Salt(1)), default));

        var all = AuditQuery.All(0, 100);
        await FoundAsync(all, 1, 2, 3, 4, 5, 6);
        await FoundAsync(all with { Action = "key." }, 1, 2, 4);
        await FoundAsync(all with { Action = "key" }, 1, 2, 4, 5);
        await FoundAsync(all with { Action = "key.created", Outcome = AuditOutcome.Done }, 1);
        await FoundAsync(all with { Outcome = AuditOutcome.Refused }, 4);
        await FoundAsync(all with { Agency = "umwelt" }, 1, 2, 6);
        await FoundAsync(all with { Actor = "hub" }, 5);
        await FoundAsync(all with { Actor = "person:ä" }, 6);
        await FoundAsync(all with { Object = "agency:umwelt" }, 1, 2, 5);
        await FoundAsync(all with { From = AuditLogs.Noon.AddMinutes(2), Until = AuditLogs.Noon.AddMinutes(4) }, 2, 3);
        await FoundAsync(all with { From = AuditLogs.Noon.AddMinutes(2), Agency = "umwelt", Action = "rows.", Actor = "person:ä", Object = "dataset:luft", Outcome = AuditOutcome.Done, Until = AuditLogs.Noon.AddDays(1) }, 6);
        await FoundAsync(all with { Agency = "nobody" });

        async Task FoundAsync(AuditQuery query, params long[] places)
        {
            Assert.Equal(places, await PagesAsync(query, 100));
            Assert.Equal(places, await PagesAsync(query, 1));
            Assert.Equal(places, await PagesAsync(query, 2));
            Assert.Equal(places.Reverse(), await PagesAsync(query with { OldestFirst = false, After = null }, 2));
        }

        async Task<List<long>> PagesAsync(AuditQuery query, int limit)
        {
            var found = new List<long>();
            for (query = query with { Limit = limit }; await Store.ReadAsync(Main, query, default) is { Count: > 0 } page; query = query with { After = page[^1].Sequence })
            {
                Assert.InRange(page.Count, 1, limit);
                found.AddRange(page.Select(entry => entry.Sequence));
            }

            return found;
        }
    }

    [ConformanceFact]
    public async Task Not_even_the_owner_of_the_tables_changes_or_removes_an_entry_by_the_way()
    {
        Assert.True(await Store.AppendAsync(Main, AuditHead.Empty, AuditLogs.Log(3), default));
        foreach (var sql in new[]
                 {
                     "DELETE FROM audit_entry WHERE sequence = 2", "UPDATE audit_entry SET actor = 'hub' WHERE sequence = 2", "UPDATE audit_entry SET sequence = 9 WHERE sequence = 3",
                     "UPDATE audit_entry SET content = NULL WHERE sequence = 1", "UPDATE audit_entry SET link = leaf WHERE sequence = 1",
                 })
        {
            Assert.Contains("audit log", (await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => ExecuteAsync(sql))).Message, StringComparison.Ordinal);
        }

        AuditLogs.AssertEqual(AuditLogs.Log(3), await ReadAllAsync());
    }

    private async Task<List<AuditEntry>> ReadAllAsync() => [.. await Store.ReadAsync(Main, AuditQuery.All(0, 1_000), default)];
}
