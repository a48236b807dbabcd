using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

using DataHub.Catalog;
using DataHub.Storage.Postgres;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

using Xunit.Abstractions;

namespace DataHub.Feeds;

/// <summary>
/// Two writers of one shard on a real PostgreSQL, the first of which the network holds at any point of what it does until
/// the second has claimed the shard, and perhaps written (design I3). <c>DATAHUB_FENCE_SEED</c> repeats a run.
/// </summary>
public sealed class SupersededWriterTests(ITestOutputHelper output) : IContractSource, ILogNotifier
{
    private const int Runs = 40;

    private static readonly Caller s_agency = new("senumvk", KeyRole.Push, "key");
    private static readonly DateTimeOffset s_start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);
    private static readonly CompiledContract s_contract = Contracts.Observations(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series, new(Required: true)),
        Contracts.Field("time", FieldType.DateTime, FieldRole.Time, new(Required: true)),
        Contracts.Field("value", FieldType.Number, FieldRole.Measure));

    private int _receipts;

    [PostgresFact]
    public async Task A_writer_that_was_held_while_another_claimed_its_shard_writes_nothing_more_and_every_push_ends_exactly_once()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("DATAHUB_FENCE_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        await using var scratch = await PostgresScratch.CreateAsync();
        await LogWitness.WatchAsync(scratch.ConnectionString);
        await using var network = new TcpProxy(scratch.Server.Port);
        // Numbers of connections are part of their names, by which the two are told apart.
        await using var far = PostgresDatabase.Open(new() { ConnectionString = new Npgsql.NpgsqlConnectionStringBuilder(scratch.ConnectionString) { Port = network.Port }.ConnectionString, MaxConnections = 20 });
        await using var near = PostgresDatabase.Open(new() { ConnectionString = scratch.ConnectionString, MaxConnections = 21 });
        await using var services = new ServiceCollection().AddMetrics().AddSingleton<LogMetrics>().BuildServiceProvider();
        using var counted = new SupersededAppends(services.GetRequiredService<IMeterFactory>());
        var metrics = services.GetRequiredService<LogMetrics>();
        var history = new PostgresHistoryStore(near);
        var (heldLog, log) = (new PostgresLogStore(far), new PostgresLogStore(near));
        LogShard Writer(int shard, ILogStore over) => new(shard, over, history, this, this, new(), TimeProvider.System, NullLogger<LogShard>.Instance, metrics);

        var random = new Random(seed);
        var (refused, silent) = (0, 0);
        for (var run = 0; run < Runs; run++)
        {
            var partition = string.Create(CultureInfo.InvariantCulture, $"air{run}/0");
            var parts = Enumerable.Range(0, random.Next(2, 9)).Select(number => Part(partition, number, random.Next(3) == 0 ? 400 : 1)).ToArray();
            var first = Writer(run, heldLog);
            await first.StartAsync();
            Assert.Equal(AppendRefusal.None, (await first.AppendControlAsync(partition, 1, 0)).Refusal);
            var early = random.Next(0, parts.Length / 2);
            foreach (var part in parts.Take(early)) Assert.NotNull((await first.AppendAsync(part, s_agency)).Receipt);

            // Its packets stop anywhere: before a key is looked up, before an append, within one, or not at all.
            var waits = network.Hold(random.Next(0, 14));
            var pushing = parts.Select(part => first.AppendAsync(part, s_agency)).ToArray();
            await Task.WhenAny(waits, Task.WhenAll(pushing));
            var second = Writer(run, log);
            var claiming = second.StartAsync();
            // An append whose head is locked already goes before the claim, and ends only when its rest comes.
            if (await Task.WhenAny(claiming, Task.Delay(TimeSpan.FromMilliseconds(250))) != claiming) network.Release();
            await claiming;
            var claimed = (await LogWitness.HeadsAsync(scratch.ConnectionString))[run];
            // Often nothing at all, so that the position alone would let the first go on.
            var wrote = random.Next(0, 3);
            var told = new ConcurrentDictionary<string, string>();
            foreach (var part in parts.Skip(early).Take(wrote)) Told(part, await second.AppendAsync(part, s_agency));

            network.Release();
            var results = await Task.WhenAll(pushing);
            Assert.All(results, result => Assert.True(result.Receipt is not null || result.Refusal == AppendRefusal.Unavailable, $"{result.Refusal} {result.Detail}"));
            for (var i = 0; i < parts.Length; i++) Told(parts[i], results[i]);
            if (first.RetiredBecause is { } because)
            {
                Assert.Contains("another writer has taken over", because, StringComparison.Ordinal);
                Assert.Contains(results, result => result.Refusal == AppendRefusal.Unavailable);
                refused++;
                if (wrote == 0) silent++;
            }

            // It has retired at the latest when it tries once more, and has written nothing since the claim.
            Assert.Equal(AppendRefusal.Unavailable, (await first.AppendAsync(Part(partition, 100, 1), s_agency)).Refusal);
            Assert.True(first.IsRetired);
            var writers = (await LogWitness.AppendsAsync(scratch.ConnectionString)).Where(append => append.Shard == run).ToArray();
            Assert.All(writers.Where(append => append.Writer.StartsWith("datahub/20/", StringComparison.Ordinal)), append => Assert.True(append.Position <= claimed.Position && append.Epoch < claimed.Epoch, $"{append} after {claimed}"));

            // Who was refused sends again, with the same key, to whoever writes now.
            foreach (var part in parts) Told(part, await second.AppendAsync(part, s_agency));
            Assert.Equal(parts.Length, told.Count);
            var stored = await log.ReadPartitionAsync(partition, 0, 1_000, int.MaxValue, default);
            Assert.Equal(parts.Select(part => part.IdempotencyKey).Order(StringComparer.Ordinal), stored.Where(batch => batch.Push is not null).Select(batch => batch.Push!.IdempotencyKey).Order(StringComparer.Ordinal));
            Assert.Equal(Enumerable.Range(1, stored.Count).Select(sequence => (long)sequence), stored.Select(batch => batch.Sequence));

            // One key has one receipt, whoever says so.
            void Told(PushPart part, AppendResult result)
            {
                if (result.Receipt is { } receipt) Assert.Equal(told.GetOrAdd(part.IdempotencyKey!, receipt.Push.Receipt), receipt.Push.Receipt);
            }
        }

        await LogWitness.AssertOneWriterAtATimeAsync(scratch.ConnectionString);
        output.WriteLine($"{refused} of {Runs} writers were refused while pushes waited, {silent} of them though nobody had written since; {counted.Total} appends were refused");
        Assert.True(refused >= 5 && silent >= 1, "too few met another writer");
        Assert.True(counted.Total >= Runs, "every one of them was refused once at least");
    }

    public ValueTask<CompiledContract> GetAsync(string dataset, int version) => new(s_contract);

    public void Appended(int shard, IReadOnlyList<LogBatch> batches)
    {
    }

    private PushPart Part(string partition, int number, int rows) => new(
        partition.Split('/')[0], partition, "default", $"R{Interlocked.Increment(ref _receipts):D8}", $"k{number}", [(byte)number], 0, 1, 1, 0,
        new()
        {
            Count = rows,
            Columns =
            [
                Column.OfTexts([.. Enumerable.Repeat($"s{number}", rows)]),
                Column.OfIntegers([.. Enumerable.Range(0, rows).Select(row => s_start.AddSeconds(row).UtcTicks)]),
                Column.OfNumbers([.. Enumerable.Range(0, rows).Select(row => row * Math.PI)]),
            ],
        },
        []);

    /// <summary>The count that an operator sees.</summary>
    private sealed class SupersededAppends : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _total;

        public SupersededAppends(IMeterFactory meters)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name == "datahub.log.superseded_appends") listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _total, value));
            _listener.Start();
        }

        public long Total => Interlocked.Read(ref _total);

        public void Dispose() => _listener.Dispose();
    }
}
