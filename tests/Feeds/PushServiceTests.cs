using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;

using CsCheck;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DataHub.Feeds;

/// <summary>The front-end's part of a push against shards that do what the test says.</summary>
public sealed class PushServiceTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(s_now);
    private readonly Target _target = new();
    private readonly PushService _service;

    public PushServiceTests()
    {
        var options = Options.Create(new IngestOptions());
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        _service = new(new(_target, options, _time), _target, options, new(meters, new()), new(), _time, NullLogger<PushService>.Instance);
    }

    [Fact]
    public async Task A_push_made_with_an_outdated_contract_is_made_again_with_the_one_that_holds()
    {
        _target.Put(1);
        await PushAsync("[]");
        _target.Put(2);
        var answer = await PushAsync(Row(1));
        Assert.Equal((PushRefusal.None, 1), (answer.Refusal, answer.Receipt!.Counts.Accepted));
        Assert.Equal([1, 1, 2], _target.Sent.Select(p => p.ContractVersion));
    }

    [Fact]
    public async Task Areas_that_are_not_kept_any_more_are_asked_for_anew()
    {
        _target.Put(1, areas: "city", areaVersion: 1);
        await PushAsync("[]");
        _target.GoneAreas = 1;
        _target.Put(1, areas: "city", areaVersion: 2);
        var answer = await PushAsync(Row(1));
        Assert.Equal(PushRefusal.None, answer.Refusal);
        Assert.Equal(2, _target.Sent[^1].AreaVersion);
    }

    [Fact]
    public async Task A_dataset_that_never_stops_changing_is_unavailable()
    {
        _target.Put(1);
        _target.AlwaysOutdated = true;
        Assert.Equal(PushRefusal.Unavailable, (await PushAsync(Row(1))).Refusal);
        Assert.Equal(PushService.MaxAttempts, _target.Sent.Count);
    }

    [Fact]
    public async Task Only_the_parts_that_are_missing_are_made_again()
    {
        _target.Put(1, partitions: 4);
        _target.OutdatedOnce.UnionWith([2, 3]);
        var answer = await PushAsync(Rows(40));
        Assert.Equal((PushRefusal.None, 40), (answer.Refusal, answer.Receipt!.Counts.Accepted));
        Assert.Equal([0, 1, 2, 2, 3, 3], _target.Sent.Select(p => p.Part).Order());
        Assert.Single(_target.Sent.Select(p => p.Receipt).Distinct());
        Assert.Equal(0, _target.Sent[0].Part);
    }

    [Fact]
    public async Task A_retry_completes_the_parts_that_are_missing_under_the_first_receipt()
    {
        _target.Put(1, partitions: 4);
        _target.Refuse[3] = AppendRefusal.Unavailable;
        Assert.Equal(PushRefusal.Unavailable, (await PushAsync(Rows(40), key: "k")).Refusal);
        _target.Refuse.Clear();
        var answer = await PushAsync(Rows(40), key: "k");
        Assert.Equal((PushRefusal.None, 40, true), (answer.Refusal, answer.Receipt!.Counts.Accepted, answer.Receipt.Replayed));
        Assert.Equal(_target.Stored[(Kept("k"), 0)].Push.Receipt, answer.Receipt.Receipt);
        Assert.Equal(answer.Receipt.Receipt, _target.Stored[(Kept("k"), 3)].Push.Receipt);
    }

    [Theory]
    [InlineData(AppendRefusal.Full, "Full")]
    [InlineData(AppendRefusal.Unavailable, "Unavailable")]
    [InlineData(AppendRefusal.KeyReused, "KeyReused")]
    [InlineData(AppendRefusal.Forbidden, "Forbidden")]
    [InlineData(AppendRefusal.NotFound, "NoDataset")]
    [InlineData(AppendRefusal.NotAtomic, "NotAtomic")]
    public async Task What_the_shard_refuses_the_push_is_refused(AppendRefusal refusal, string expected)
    {
        _target.Put(1);
        _target.Refuse[0] = refusal;
        Assert.Equal(expected, (await PushAsync(Row(1))).Refusal.ToString());
    }

    [Fact]
    public async Task That_there_is_no_dataset_is_believed_for_a_second_only()
    {
        Assert.Equal(PushRefusal.NoDataset, (await PushAsync(Row(1))).Refusal);
        Assert.Equal(PushRefusal.NoDataset, (await PushAsync(Row(1))).Refusal);
        Assert.Equal(1, _target.Asked);
        _target.Put(1);
        Assert.Equal(PushRefusal.NoDataset, (await PushAsync(Row(1))).Refusal);
        _time.Advance(DatasetDirectory.AbsenceHolds);
        Assert.Equal(PushRefusal.None, (await PushAsync(Row(1))).Refusal);
    }

    [Fact]
    public async Task A_feed_that_is_made_later_is_found_within_a_second()
    {
        _target.Put(1);
        Assert.Equal(PushRefusal.NoFeed, (await PushAsync(Row(1), feed: "new")).Refusal);
        _target.Put(1, feeds: ["default", "new"]);
        _time.Advance(DatasetDirectory.AbsenceHolds);
        Assert.Equal(PushRefusal.None, (await PushAsync(Row(1), feed: "new")).Refusal);
    }

    [Fact]
    public async Task A_dataset_is_asked_for_once_however_often_it_is_pushed_into()
    {
        _target.Put(1);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => PushAsync(Row(i))));
        Assert.Equal(1, _target.Asked);
    }

    [Fact]
    public async Task A_failed_look_up_is_not_remembered()
    {
        _target.Put(1);
        _target.FailNextLookUp = true;
        await Assert.ThrowsAsync<TimeoutException>(() => PushAsync(Row(1)));
        Assert.Equal(PushRefusal.None, (await PushAsync(Row(1))).Refusal);
    }

    [Fact]
    public async Task Atomic_needs_one_partition()
    {
        _target.Put(1, partitions: 2);
        Assert.Equal(PushRefusal.AtomicNeedsOnePartition, (await PushAsync(Row(1), atomic: true)).Refusal);
        Assert.Empty(_target.Sent);
    }

    [Fact]
    public void However_a_push_is_divided_every_row_is_in_the_part_of_its_key_and_in_its_order() =>
        Gen.Select(Gen.Int[0, 12].Array[0, 60], Gen.Int[1, 5]).Sample((stations, partitions) =>
        {
            var target = new Target();
            target.Put(1, partitions);
            var options = Options.Create(new IngestOptions());
            var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
            var service = new PushService(new(target, options, _time), target, options, new(meters, new()), new(), _time, NullLogger<PushService>.Instance);
            // Station 7 is always wrong.
            var body = $"[{string.Join(',', stations.Select((s, i) => $$"""{"station":"s{{s}}","time":"2026-11-23T08:00:00Z","no2":{{(s == 7 ? -1 : i)}}}"""))}]";
            var answer = service.PushAsync(Push(body), default).GetAwaiter().GetResult();

            Assert.Equal(stations.Length, answer.Receipt!.Counts.Received);
            Assert.Equal(stations.Length, target.Sent.Sum(p => p.Rows.Count + p.Quarantined.Length));
            Assert.Equal(stations.Select((s, i) => (s, i)).Where(r => r.s == 7).Select(r => r.i + 1), answer.Receipt.Errors.Select(e => e.Row));
            var partOf = new Dictionary<int, int>();
            foreach (var part in target.Sent)
            {
                Assert.Equal(target.Sent.Count, part.Parts);
                Assert.Equal($"x/{part.Part}", part.Partition);
                var numbers = Enumerable.Range(0, part.Rows.Count).Select(part.Rows.Number).ToArray();
                Assert.Equal(numbers.Order(), numbers);
                foreach (var number in numbers.Concat(part.Quarantined.Select(q => q.Row)))
                    Assert.Equal(part.Part, partOf.TryGetValue(stations[number - 1], out var known) ? known : partOf[stations[number - 1]] = part.Part);
            }
        }, iter: 200);

    [Fact]
    public void Receipts_ids_are_ulids_in_the_order_of_time()
    {
        var id = ReceiptIds.New(DateTimeOffset.FromUnixTimeMilliseconds(1469918176385));
        Assert.Equal("01ARYZ6S41", id[..10]);
        Assert.True(ReceiptIds.IsValid(id));
        Assert.NotEqual(id, ReceiptIds.New(DateTimeOffset.FromUnixTimeMilliseconds(1469918176385)));
        Assert.True(string.CompareOrdinal(id, ReceiptIds.New(DateTimeOffset.FromUnixTimeMilliseconds(1469918176386))) < 0);
        Assert.False(ReceiptIds.IsValid(id[..25] + "U"));
        Assert.False(ReceiptIds.IsValid("8" + id[1..]));
    }

    private static string Row(int station) => $$"""{"station":"s{{station}}","time":"2026-11-23T08:00:00Z"}""";

    private static string Rows(int count) => $"[{string.Join(',', Enumerable.Range(0, count).Select(Row))}]";

    /// <summary>What is kept of a key.</summary>
    private static string Kept(string key) => Push("", key: key).KeptKey!;

    private static Push Push(string body, string feed = "default", string? key = null, bool atomic = false)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        return new(Caller.Public, "x", feed, PushFormat.Json, bytes, SHA256.HashData(bytes)) { IdempotencyKey = key, Atomic = atomic };
    }

    private Task<PushAnswer> PushAsync(string body, string feed = "default", string? key = null, bool atomic = false) => _service.PushAsync(Push(body, feed, key, atomic), default);

    /// <summary>Shards that take every row as new, keep what has a key, and otherwise do as they are told.</summary>
    private sealed class Target : IPushTarget
    {
        private DatasetInfo? _dataset;

        public List<PushPart> Sent { get; } = [];

        public Dictionary<(string Key, int Part), PartReceipt> Stored { get; } = [];

        public Dictionary<int, AppendRefusal> Refuse { get; } = [];

        public HashSet<int> OutdatedOnce { get; } = [];

        public bool AlwaysOutdated { get; set; }

        public bool FailNextLookUp { get; set; }

        public int GoneAreas { get; set; }

        public int Asked { get; private set; }

        public void Put(int version, int partitions = 1, string? areas = null, int areaVersion = 0, string[]? feeds = null) => _dataset = new(
            "x",
            new(new("x", null), "a", DatasetKind.Observations, AccessClass.Open, "dl-de/by-2-0", areas, Contracts.AirQuality.Schema with { Version = version }, null) { Partitions = partitions },
            [.. Enumerable.Range(0, partitions).Select(p => new DatasetPartition($"x/{p}", p))], areaVersion,
            [.. (feeds ?? ["default"]).Select(f => new FeedInfo(f, null, null))], [], default, default);

        public Task<DatasetInfo?> DatasetAsync(string dataset)
        {
            Asked++;
            if (!FailNextLookUp) return Task.FromResult(_dataset);
            FailNextLookUp = false;
            return Task.FromException<DatasetInfo?>(new TimeoutException());
        }

        public ValueTask<IRowAreas?> AreasAsync(string system, int version, CancellationToken cancellationToken) => ValueTask.FromResult<IRowAreas?>(version == GoneAreas ? null : new NoAreas());

        public Task<AppendResult> AppendAsync(int shard, Caller caller, PushPart part)
        {
            lock (Sent)
            {
                Sent.Add(part);
                if (part.IdempotencyKey is { } key && Stored.TryGetValue((key, part.Part), out var stored)) return Task.FromResult(new AppendResult(AppendRefusal.None, stored with { Replayed = true }, null));
                if (AlwaysOutdated || OutdatedOnce.Remove(part.Part) || part.ContractVersion != _dataset!.ContractVersion || part.AreaVersion != _dataset.AreaVersion)
                    return Task.FromResult(AppendResult.Refused(AppendRefusal.Outdated, "outdated"));
                if (Refuse.TryGetValue(part.Part, out var refusal)) return Task.FromResult(AppendResult.Refused(refusal, "as told"));
                var receipt = new PartReceipt(
                    new(part.Receipt, part.Dataset, part.Feed, part.IdempotencyKey, part.BodyHash, part.Part, part.Parts,
                        new(part.Rows.Count + part.Quarantined.Length, part.Rows.Count, 0, 0, 0, part.Quarantined.Length), [.. part.Quarantined.SelectMany(q => q.Errors)]),
                    part.Partition, 1, default, false);
                if (part.IdempotencyKey is not null) Stored[(part.IdempotencyKey, part.Part)] = receipt;
                return Task.FromResult(new AppendResult(AppendRefusal.None, receipt, null) { Incarnation = Guid.NewGuid() });
            }
        }

        private sealed class NoAreas : IRowAreas
        {
            public string System => "city";

            public int Count => 0;

            public string Id(int number) => throw new ArgumentOutOfRangeException(nameof(number));

            public int Find(string id) => -1;

            public int Locate(double longitude, double latitude) => -1;
        }
    }
}
