using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Storage.Sqlite;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using Orleans.Runtime;

namespace DataHub.Governance;

/// <summary>The grain in a whole hub over the real store, which can be made to fail; and what agencies note through their state.</summary>
public sealed class AuditGrainTests : IAsyncLifetime
{
    private static readonly Caller s_platform = new(Caller.PlatformAgency, KeyRole.Admin, "p1");

    private FaultyAuditStore _store = null!;
    private HubFixture _hub = null!;

    private IAuditGrain Log => _hub.Grains.GetGrain<IAuditGrain>(IAuditGrain.Main);

    public async Task InitializeAsync()
    {
        _store = new(() => _hub.Services.GetRequiredService<SqliteStores>().Audit);
        _hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Audit:MaxPending"] = "2", ["DataHub:Audit:Patience"] = "00:00:00.5000000" }, services: services =>
            services.AddSingleton<IAuditStore>(provider => new FaultyAuditStore(() => provider.GetRequiredService<SqliteStores>().Audit, _store.Faults)));
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task What_waits_during_a_commit_goes_together_into_the_next_and_a_repeat_adds_nothing()
    {
        var before = (await Log.HeadAsync(Caller.Hub)).Head!.Sequence;
        var events = Enumerable.Range(1, 500).Select(n => AuditLogs.Event(n)).ToArray();
        int calls;
        using (var held = _store.Faults.Hold(nameof(IAuditStore.AppendAsync)))
        {
            calls = _store.Faults.Calls(nameof(IAuditStore.AppendAsync));
            var appended = events.Chunk(2).Select(two => Log.AppendAsync(Caller.Hub, two)).Append(Log.AppendAsync(Caller.Hub, events[..7])).ToArray();
            await held.Reached;
            held.Release();
            Assert.All(await Task.WhenAll(appended), result => Assert.Equal(ReadRefusal.None, result.Refusal));
        }

        Assert.InRange(_store.Faults.Calls(nameof(IAuditStore.AppendAsync)) - calls, 1, 50);
        Assert.Equal(before + 500, (await Log.AppendAsync(Caller.Hub, events)).Head!.Sequence);
        Assert.Equal(0, (await VerifyAsync()).FaultCount);
    }

    [Fact]
    public async Task Writers_that_do_not_know_of_each_other_never_fork_the_chain()
    {
        var real = _store.Inner;
        await Task.WhenAll(Enumerable.Range(1, 3).Select(number => Task.Run(async () =>
        {
            var writer = new AuditWriter("shared", real, new(), TimeProvider.System);
            for (var (n, attempts) = (0, 0); n < 40; attempts++)
            {
                try
                {
                    Assert.NotNull(await writer.AppendAsync([AuditLogs.Event((number * 1_000) + n)]));
                    n++;
                }
                catch (InvalidOperationException) when (attempts < 1_000)
                {
                    // The others were faster all the time; whoever noted it tries again.
                }
            }
        })));
        var entries = await real.ReadAsync("shared", AuditQuery.All(0, 1_000), default);
        Assert.Equal(120, entries.Count);
        Assert.Equal(0, AuditLogs.Verify(entries, await real.HeadAsync("shared", default)).FaultCount);
    }

    [Fact]
    public async Task A_lost_answer_of_any_call_is_healed_by_a_repeat_and_doubles_nothing()
    {
        var number = 0;
        foreach (var fault in Enum.GetValues<WriteFault>())
        {
            foreach (var method in new[] { nameof(IAuditStore.HeadAsync), nameof(IAuditStore.KnownAsync), nameof(IAuditStore.AppendAsync) })
            {
                var happened = AuditLogs.Event(++number);
                _store.Faults.FailNext(method, fault);
                var result = await Log.AppendAsync(Caller.Hub, [happened]);
                if (method != nameof(IAuditStore.HeadAsync)) Assert.Equal(ReadRefusal.Unavailable, result.Refusal);
                _store.Faults.CallOff();
                Assert.Equal(ReadRefusal.None, (await Log.AppendAsync(Caller.Hub, [happened])).Refusal);
                Assert.Single(await EntriesAsync(), record => record.Event?.Id == happened.Id);
            }

            var sequence = (await Log.HeadAsync(s_platform)).Head!.Sequence;
            foreach (var method in new[] { nameof(IAuditStore.DeleteContentAsync), nameof(IAuditStore.CompactAsync) })
            {
                _store.Faults.FailNext(method, fault);
                Assert.Equal(ReadRefusal.Unavailable, (await Log.DeleteContentAsync(s_platform, [sequence], "r", "a")).Refusal);
                Assert.Equal(ReadRefusal.None, (await Log.DeleteContentAsync(s_platform, [sequence], "r", "a")).Refusal);
                sequence--;
            }
        }

        var verified = await VerifyAsync();
        Assert.Equal((0, 4), (verified.FaultCount, verified.Deleted));
    }

    [Fact]
    public async Task Only_the_hub_notes_only_admins_read_and_only_the_platform_deletes()
    {
        var agency = new Caller("umwelt", KeyRole.Admin, "a");
        Assert.Equal(ReadRefusal.Forbidden, (await Log.AppendAsync(s_platform, [AuditLogs.Event(1)])).Refusal);
        Assert.Equal(ReadRefusal.Invalid, (await Log.AppendAsync(Caller.Hub, [AuditLogs.Event(1) with { Action = "Nein!" }])).Refusal);
        Assert.Equal(ReadRefusal.None, (await Log.AppendAsync(Caller.Hub, [AuditLogs.Event(1), AuditLogs.Event(2, agency: "verkehr"), AuditLogs.Event(3, agency: null)])).Refusal);

        Assert.Equal(["umwelt"], (await Log.ReadAsync(agency, AuditQuery.All(0, 100))).Records.Select(record => record.Event!.Agency));
        Assert.Equal(ReadRefusal.Forbidden, (await Log.ReadAsync(agency, AuditQuery.All(0, 100) with { Agency = "verkehr" })).Refusal);
        foreach (var caller in new[] { Caller.Public, agency with { Role = KeyRole.Push }, new Caller(Caller.PlatformAgency, KeyRole.Read, "r") })
        {
            Assert.Equal(ReadRefusal.Forbidden, (await Log.ReadAsync(caller, AuditQuery.All(0, 100))).Refusal);
            Assert.Equal(ReadRefusal.Forbidden, (await Log.HeadAsync(caller)).Refusal);
        }

        Assert.Equal(ReadRefusal.Forbidden, (await Log.DeleteContentAsync(agency, [1], "r", "a")).Refusal);
        Assert.Equal(ReadRefusal.Invalid, (await Log.DeleteContentAsync(s_platform, [], "r", "a")).Refusal);
        Assert.Equal(ReadRefusal.Invalid, (await Log.DeleteContentAsync(s_platform, [1, 1], "r", "a")).Refusal);
        Assert.Equal(ReadRefusal.Invalid, (await Log.DeleteContentAsync(s_platform, [1], " ", "a")).Refusal);
        Assert.Equal(ReadRefusal.Invalid, (await Log.DeleteContentAsync(s_platform, [1, 9_999], "r", "a")).Refusal);
        var deleted = await Log.DeleteContentAsync(s_platform, [1], "r", "a");
        Assert.Equal([1], deleted.Deleted);
        Assert.Equal(ReadRefusal.Invalid, (await Log.DeleteContentAsync(s_platform, [deleted.Entry!.Value], "r", "a")).Refusal);
        Assert.Equal((ReadRefusal.None, null), (await Log.DeleteContentAsync(s_platform, [1], "r", "a") is var again) ? (again.Refusal, again.Entry) : default);
    }

    [Fact]
    public async Task What_an_agency_changes_while_the_log_takes_nothing_is_noted_once_when_it_does_again()
    {
        var agency = _hub.Grains.GetGrain<IAgencyGrain>("spaeter");
        Assert.Equal(CatalogRefusal.None, (await agency.PutAsync(s_platform, new("Später", null))).Refusal);
        _store.Faults.FailNext(nameof(IAuditStore.AppendAsync), WriteFault.Refused, times: 10_000);
        var first = await agency.MakeKeyAsync(s_platform, new(KeyRole.Push, "eins", null, null));
        Assert.Equal(CatalogRefusal.None, first.Refusal);
        Assert.NotNull(await agency.AuthenticateAsync(first.Key!.Id, ApiKeyHash(first.Secret!)));
        Assert.Equal(CatalogRefusal.None, (await agency.MakeKeyAsync(s_platform, new(KeyRole.Push, "zwei", null, null))).Refusal);

        // So many are kept; nothing more is changed, but a key can always be ended.
        Assert.Equal(CatalogRefusal.Unavailable, (await agency.MakeKeyAsync(s_platform, new(KeyRole.Push, "drei", null, null))).Refusal);
        Assert.Equal(CatalogRefusal.Unavailable, (await agency.PutAsync(s_platform, new("Anders", null))).Refusal);
        Assert.Equal(CatalogRefusal.None, (await agency.RevokeKeyAsync(s_platform, first.Key.Id)).Refusal);
        Assert.DoesNotContain(await EntriesAsync(), record => record.Event?.Object == "agency:spaeter" && record.Event.Action != AuditEvents.AgencyCreated);

        // The hub ends with all that; the next activation sends it.
        await _hub.RestartAsync();
        _store.Faults.CallOff();
        await _hub.Grains.GetGrain<IAgencyGrain>("spaeter").GetAsync(Caller.Public);
        var waited = TimeProvider.System.GetTimestamp();
        while (await OfAgencyAsync("spaeter") is { Count: < 4 } && TimeProvider.System.GetElapsedTime(waited) < TimeSpan.FromSeconds(20)) await Task.Delay(50);
        Assert.Equal(["agency.created", "key.created", "key.created", "key.revoked"], await OfAgencyAsync("spaeter"));

        // That the log has them the agency hears when it sends the next time.
        KeyResult third;
        while ((third = await _hub.Grains.GetGrain<IAgencyGrain>("spaeter").MakeKeyAsync(s_platform, new(KeyRole.Push, "drei", null, null))).Refusal == CatalogRefusal.Unavailable && TimeProvider.System.GetElapsedTime(waited) < TimeSpan.FromSeconds(30)) await Task.Delay(100);
        Assert.Equal(CatalogRefusal.None, third.Refusal);
        Assert.Equal(5, (await OfAgencyAsync("spaeter")).Count);
        Assert.Equal(0, (await VerifyAsync()).FaultCount);
    }

    private static byte[] ApiKeyHash(string secret)
    {
        Assert.Equal(ApiKeyFault.None, ApiKey.Parse(secret, out var key));
        return key.Hash;
    }

    private async Task<List<string>> OfAgencyAsync(string agency) => [.. (await EntriesAsync()).Where(record => record.Event?.Object == $"agency:{agency}").Select(record => record.Event!.Action)];

    private async Task<List<AuditRecord>> EntriesAsync()
    {
        var found = new List<AuditRecord>();
        for (long? after = 0; after is not null;)
        {
            var page = await Log.ReadAsync(Caller.Hub, AuditQuery.All(after.Value, 1_000));
            Assert.Equal(ReadRefusal.None, page.Refusal);
            found.AddRange(page.Records);
            after = page.Next;
        }

        return found;
    }

    private async Task<AuditVerification> VerifyAsync()
    {
        var real = _hub.Services.GetRequiredService<SqliteStores>().Audit;
        var verification = new AuditVerification();
        for (var after = 0L; await real.ReadAsync(IAuditGrain.Main, AuditQuery.All(after, 1_000), default) is { Count: > 0 } page; after = page[^1].Sequence)
        {
            foreach (var entry in page) verification.Next(entry);
        }

        verification.End(await real.HeadAsync(IAuditGrain.Main, default));
        return verification;
    }
}
