using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Hosting;
using DataHub.Storage;
using DataHub.Storage.Postgres;

using Orleans.Runtime;

namespace DataHub.Operator;

/// <summary><c>silo doctor</c>: how a cluster is, in plain words with what to do. 0: all is well, 1: there are findings, 2: the database cannot be reached.</summary>
internal static class DoctorCommand
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Für Programme / For programs" };
        var lag = new Option<int>("--max-lag")
        {
            Description = "Sekunden, die ein Stapel warten darf / Seconds that a batch may wait",
            HelpName = "SEKUNDEN",
            DefaultValueFactory = _ => 30,
        };
        var command = new Command("doctor", "Sagt, wie es dem Cluster geht und was zu tun ist / Says how the cluster is and what to do") { json, lag };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(json), TimeSpan.FromSeconds(parsed.GetValue(lag)), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(bool json, TimeSpan maxLag, TextWriter output, CancellationToken cancellationToken)
    {
        await using var session = await OperatorSession.OpenAsync(cancellationToken);
        var facts = await LookAsync(session, cancellationToken) with { MaxLag = maxLag };
        var findings = DoctorRules.Findings(facts);
        if (json) await output.WriteLineAsync(JsonSerializer.Serialize(Json(facts, findings), s_json));
        else await PrintAsync(output, facts, findings);
        return findings.Count == 0 ? 0 : 1;
    }

    private static async Task<DoctorFacts> LookAsync(OperatorSession session, CancellationToken cancellationToken)
    {
        var database = session.Database;
        var server = await database.ServerAsync(cancellationToken);
        var (at, here) = await HereAsync(database, cancellationToken);
        var connection = session.Connection;
        var facts = new DoctorFacts($"{connection.Database} @ {connection.DataSource}", at, here, server, await SchemaAsync(session, cancellationToken), session.SiloConnections);
        if (!facts.Schema.IsCurrent) return facts;

        facts = facts with
        {
            Incarnation = await database.IncarnationAsync(cancellationToken),
            Shards = await database.ShardsAsync(cancellationToken),
            Silos = await database.SilosAsync(session.Cluster.ClusterId, cancellationToken),
            Partitions = await database.PartitionsAsync(cancellationToken),
        };
        var running = facts.Silos.Where(silo => DoctorRules.Runs(silo, at)).ToArray();
        return running.Length == 0 ? facts : await AskAsync(session, facts, running, cancellationToken);
    }

    /// <summary>Asks the silos themselves.</summary>
    private static async Task<DoctorFacts> AskAsync(OperatorSession session, DoctorFacts facts, SiloFacts[] running, CancellationToken cancellationToken)
    {
        IHost host;
        try
        {
            host = await session.ConnectAsync();
        }
        catch (StartException e)
        {
            return facts with { NoAnswer = e.InnerException?.Message ?? e.Message };
        }

        using (host)
        {
            var grains = host.Services.GetRequiredService<IClusterClient>();
            var (halted, mute) = await new Consumers(grains).LookAsync(facts.Partitions, retry: false);
            var clocks = new Dictionary<string, TimeSpan>();
            var silent = new List<string>(mute);
            foreach (var silo in running)
            {
                try
                {
                    clocks[silo.Name] = await SkewAsync(
                        async () => new DateTimeOffset((await grains.GetGrain<IManagementGrain>(0).GetRuntimeStatistics([silo.SiloAddress]).WaitAsync(TimeSpan.FromSeconds(10), cancellationToken))[0].DateTime, TimeSpan.Zero)) + facts.Here;
                }
                catch (Exception e) when (e is OrleansException or TimeoutException or IndexOutOfRangeException)
                {
                    silent.Add(silo.Name);
                }
            }

            await host.StopAsync(CancellationToken.None);
            return facts with { Clocks = clocks, Halted = halted, Mute = silent };
        }
    }

    /// <summary>How far another clock is ahead of this machine's: the best of three, each good to half its round trip.</summary>
    private static async Task<TimeSpan> SkewAsync(Func<Task<DateTimeOffset>> ask)
    {
        var (best, skew) = (TimeSpan.MaxValue, TimeSpan.Zero);
        for (var i = 0; i < 3; i++)
        {
            var before = DateTimeOffset.UtcNow;
            var begun = Stopwatch.GetTimestamp();
            var there = await ask();
            var took = Stopwatch.GetElapsedTime(begun);
            if (took < best) (best, skew) = (took, there - (before + (took / 2)));
        }

        return skew;
    }

    private static async Task<(DateTimeOffset At, TimeSpan Here)> HereAsync(PostgresInspection database, CancellationToken cancellationToken)
    {
        var ahead = await SkewAsync(() => database.ClockAsync(cancellationToken));
        return (await database.ClockAsync(cancellationToken), -ahead);
    }

    private static async Task<SchemaFacts> SchemaAsync(OperatorSession session, CancellationToken cancellationToken)
    {
        var known = $"{PostgresMigrations.Known[^1].Number:D4}_{PostgresMigrations.Known[^1].Name}";
        try
        {
            return new(known, (await PostgresMigrations.PendingAsync(session.Connection, cancellationToken)).Count, null);
        }
        catch (SchemaException e)
        {
            return new(known, 0, e.Message);
        }
    }

    private static async Task PrintAsync(TextWriter output, DoctorFacts facts, IReadOnlyList<Finding> findings)
    {
        var server = facts.Server;
        await output.WriteLineAsync($"Datenbank / database:          {facts.Database}, PostgreSQL {server.Version}, {facts.At.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        await output.WriteLineAsync($"Schema / schema:               {(facts.Schema.IsCurrent ? facts.Schema.Known : facts.Schema.Fault ?? $"−{facts.Schema.Missing} → {facts.Schema.Known}")}");
        await output.WriteLineAsync($"Dauerhaftigkeit / durability:  fsync {server.Fsync}, full_page_writes {server.FullPageWrites}, synchronous_commit {server.SynchronousCommit} (Silos: on)");
        await output.WriteLineAsync($"Verbindungen / connections:    Silos ≤ {server.Promised}, andere / others {server.Others}, erlaubt / allowed {server.Limit}");
        await output.WriteLineAsync($"Uhren / clocks:                hier / here {Skew(facts.Here)}{string.Concat(facts.Clocks.OrderBy(clock => clock.Key, StringComparer.Ordinal).Select(clock => $", {clock.Key} {Skew(clock.Value)}"))}");
        if (facts.Schema.IsCurrent)
        {
            await output.WriteLineAsync($"Inkarnation / incarnation:     {facts.Incarnation}");
            await output.WriteLineAsync($"Silos:                         {facts.Silos.Count(silo => DoctorRules.Runs(silo, facts.At))} laufen / run");
            foreach (var silo in facts.Silos.Where(silo => silo.Status != SiloStatus.Dead))
            {
                await output.WriteLineAsync($"  {silo.Name}  {silo.Endpoint}  {silo.Status}  {silo.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
            }

            await output.WriteLineAsync($"Rückstand / lag:               {Lag(facts, facts.Partitions)}");
            foreach (var shard in facts.Partitions.GroupBy(partition => partition.Shard).Where(shard => shard.Any(IsBehind)))
            {
                await output.WriteLineAsync($"  Shard {shard.Key}: {Lag(facts, [.. shard])}");
            }
        }

        await output.WriteLineAsync();
        if (findings.Count == 0) await output.WriteLineAsync("Alles in Ordnung. / All is well.");
        else await output.WriteLineAsync($"{findings.Count} {(findings.Count == 1 ? "Befund / finding" : "Befunde / findings")}:");
        foreach (var finding in findings)
        {
            await output.WriteLineAsync($"[{finding.Code}] {Both(finding.Text)}");
            await output.WriteLineAsync($"    → {Both(finding.Advice)}");
        }

        static string Skew(TimeSpan ahead) => ahead.TotalSeconds.ToString("+0.000;−0.000", CultureInfo.InvariantCulture) + " s";
        static string Both(LocalText text) => text.De == text.En ? text.De : $"{text.De} / {text.En}";
    }

    private static bool IsBehind(PartitionFacts partition) => partition.Fold.Sequence < partition.Head || partition.History.Sequence < partition.Head;

    private static string Lag(DoctorFacts facts, IReadOnlyCollection<PartitionFacts> partitions)
    {
        var (fold, history) = (LagOf.Of(partitions, partition => partition.Fold, facts.At), LagOf.Of(partitions, partition => partition.History, facts.At));
        return $"{Consumers.Fold} {fold}, {Consumers.History} {history}";
    }

    private static object Json(DoctorFacts facts, IReadOnlyList<Finding> findings) => new
    {
        healthy = findings.Count == 0,
        at = facts.At,
        database = facts.Database,
        server = new
        {
            version = facts.Server.Version,
            fsync = facts.Server.Fsync,
            fullPageWrites = facts.Server.FullPageWrites,
            synchronousCommit = facts.Server.SynchronousCommit,
            connections = new { allowed = facts.Server.Limit, silos = facts.Server.Promised, others = facts.Server.Others },
        },
        schema = new { program = facts.Schema.Known, missing = facts.Schema.Missing, fault = facts.Schema.Fault },
        incarnation = facts.Incarnation,
        clocks = facts.Clocks.Select(clock => new { name = clock.Key, aheadSeconds = clock.Value.TotalSeconds }).Prepend(new { name = "here", aheadSeconds = facts.Here.TotalSeconds }),
        silos = facts.Silos.Select(silo => new { name = silo.Name, address = silo.Endpoint, status = silo.Status.ToString(), running = DoctorRules.Runs(silo, facts.At), started = silo.Started, alive = silo.Alive, suspected = DoctorRules.SuspectedAt(silo) }),
        lag = facts.Partitions.GroupBy(partition => partition.Shard).Select(shard => new
        {
            shard = shard.Key,
            partitions = shard.Count(),
            fold = LagOf.Of([.. shard], partition => partition.Fold, facts.At).ToJson(),
            history = LagOf.Of([.. shard], partition => partition.History, facts.At).ToJson(),
        }),
        halted = facts.Halted.Select(HaltedCommand.Json),
        findings = findings.Select(finding => new
        {
            code = finding.Code,
            text = new { de = finding.Text.De, en = finding.Text.En },
            advice = new { de = finding.Advice.De, en = finding.Advice.En },
        }),
    };
}

/// <summary>How far a consumer is behind over some partitions.</summary>
/// <param name="Batches">Of all of them.</param>
/// <param name="Waits">The longest that a batch has waited.</param>
internal readonly record struct LagOf(long Batches, TimeSpan Waits)
{
    public static LagOf Of(IReadOnlyCollection<PartitionFacts> partitions, Func<PartitionFacts, ConsumerFacts> consumer, DateTimeOffset now)
    {
        var (batches, waits) = (0L, TimeSpan.Zero);
        foreach (var partition in partitions)
        {
            var at = consumer(partition);
            batches += Math.Max(0, partition.Head - at.Sequence);
            if (at.WaitsSince is { } since && now - since > waits) waits = now - since;
        }

        return new(batches, waits);
    }

    public object ToJson() => new { batches = Batches, seconds = Waits.TotalSeconds };

    public override string ToString() => $"{Batches} Stapel / batches, {DoctorRules.Seconds(Waits)} s";
}
