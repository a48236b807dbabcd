using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Pipelines;

using Microsoft.Extensions.Options;

namespace DataHub.Hosting;

/// <summary>
/// Brings the events of runs to a file and to a receiver, each at least once and of a run in their order: what is still to be
/// brought follows from the run and from what the outbox has noted of it. A receiver that does not answer is tried again after
/// growing pauses, and holds up nobody; nor does a run whose events it does not take.
/// </summary>
internal sealed partial class LineageDelivery(IGrainFactory grains, IOptions<LineageOptions> options, TimeProvider time, ILogger<LineageDelivery> logger) : BackgroundService
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(500);

    /// <summary>A run that was noted and never ordered: its job died before it was stored.</summary>
    private static readonly TimeSpan s_unknown = TimeSpan.FromHours(1);

    /// <summary>A run that was noted is about to go on: that it has ended says nothing so soon.</summary>
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(10);

    /// <summary>Runs that are looked at for the file while the receiver is waited for; the others when it is tried again.</summary>
    private const int Newest = 100;

    /// <summary>Runs that fail one after the other: it is not they.</summary>
    private const int ManyFailures = 5;

    /// <summary>Tries of an event, while the receiver took others between them, before it is given up.</summary>
    internal const int MaxTries = 20;

    /// <summary>A third of the time after which another silo delivers.</summary>
    private static readonly TimeSpan s_renew = TimeSpan.FromSeconds(10);

    private readonly Guid _self = Guid.NewGuid();
    private readonly Pause _file = new(), _receiver = new();
    private readonly Dictionary<string, Trouble> _troubles = new(StringComparer.Ordinal);

    /// <summary>Events that the receiver took.</summary>
    private long _taken;

    /// <summary>When the outbox was last told that this silo delivers.</summary>
    private long _renewed;

    /// <summary>Runs that the receiver has not taken since it took one.</summary>
    private int _failures;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Url.Length > 0 && !(Uri.TryCreate(options.Value.Url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"))
        {
            throw new StartException(new(
                $"DataHub:Lineage:Url ist „{options.Value.Url}“; nötig ist eine Adresse mit http:// oder https://, oder nichts.", $"DataHub:Lineage:Url is “{options.Value.Url}”; an address with http:// or https:// is needed, or nothing."));
        }

        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.IsOn) return;
        var file = options.Value.File.Length > 0 ? new LineageFile(options.Value.File, (long)options.Value.MaxFileMiB << 20) : null;
        using var receiver = options.Value.Url.Length > 0 ? new LineageReceiver(options.Value) : null;
        while (true)
        {
            await Task.Delay(s_look, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                var waiting = await Outbox.TakeAsync(Caller.Hub, _self);
                _renewed = time.GetTimestamp();
                foreach (var gone in _troubles.Keys.Except(waiting.Select(run => run.Run)).ToArray()) _troubles.Remove(gone);
                await DeliverAsync(_receiver.IsOver(time) ? waiting : [.. waiting.TakeLast(Newest)], file, receiver, stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogBroken(e);
            }
        }
    }

    private ILineageOutboxGrain Outbox => grains.GetGrain<ILineageOutboxGrain>(0);

    /// <summary>Those that made trouble come last, each after its own pause.</summary>
    private async Task DeliverAsync(WaitingRun[] waiting, LineageFile? file, LineageReceiver? receiver, CancellationToken stop)
    {
        _failures = 0;
        var broke = 0;
        foreach (var run in waiting.OrderBy(run => _troubles.ContainsKey(run.Run)))
        {
            if (_troubles.TryGetValue(run.Run, out var trouble) && trouble.Broken is { } broken && !broken.IsOver(time)) continue;
            try
            {
                if (!await HoldsAsync(run) || !await DeliverAsync(run, file, receiver, stop)) return;
                trouble?.Broken = null;
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                var pause = TroubleOf(run.Run).Broken ??= new();
                pause.Begin(time, options.Value.MaxPause);
                LogRunBroken(e, run.Run, pause.Length);
                if (++broke == ManyFailures) return;
            }
        }
    }

    /// <summary>Says again that this silo delivers, before another one may.</summary>
    private async Task<bool> HoldsAsync(WaitingRun run)
    {
        if (time.GetElapsedTime(_renewed) < s_renew) return true;
        if (!await Outbox.MarkAsync(Caller.Hub, _self, run, isOver: false)) return false;
        _renewed = time.GetTimestamp();
        return true;
    }

    private Trouble TroubleOf(string run) => _troubles.TryGetValue(run, out var known) ? known : _troubles[run] = new();

    /// <returns>False where another silo delivers by now.</returns>
    private async Task<bool> DeliverAsync(WaitingRun waiting, LineageFile? file, LineageReceiver? receiver, CancellationToken stop)
    {
        if (await grains.GetGrain<IPipelineRunGrain>(waiting.Run).GetAsync(Caller.Hub) is not { } run)
            return time.GetUtcNow() - waiting.Noted < s_unknown || await Outbox.MarkAsync(Caller.Hub, _self, waiting, isOver: true);
        var events = OpenLineageEvents.Of(run).Select(one => (Mark: MarkOf(one), Json: one.ToJsonString(WireJson.Options))).ToArray();
        var before = waiting;
        if (file is not null) waiting = ToFile(waiting, file, [.. events.Where(one => !waiting.InFile.Contains(one.Mark))]);
        if (receiver is not null) waiting = await PostAsync(waiting, receiver, [.. events.Where(one => !waiting.Posted.Contains(one.Mark))], stop);
        var isOver = run.State is RunState.Complete or RunState.Fail or RunState.Abort && time.GetUtcNow() - waiting.Noted > s_settled
            && events.All(one => (file is null || waiting.InFile.Contains(one.Mark)) && (receiver is null || waiting.Posted.Contains(one.Mark)));
        return (waiting == before && !isOver) || await Outbox.MarkAsync(Caller.Hub, _self, waiting, isOver);
    }

    private WaitingRun ToFile(WaitingRun waiting, LineageFile file, (long Mark, string Json)[] events)
    {
        if (events.Length == 0 || !_file.IsOver(time)) return waiting;
        try
        {
            file.Append(events.Select(one => one.Json));
            _file.End();
            return waiting with { InFile = [.. waiting.InFile, .. events.Select(one => one.Mark)] };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _file.Begin(time, options.Value.MaxPause);
            LogNotWritten(e, waiting.Run);
            return waiting;
        }
    }

    private async Task<WaitingRun> PostAsync(WaitingRun waiting, LineageReceiver receiver, (long Mark, string Json)[] events, CancellationToken stop)
    {
        foreach (var one in events)
        {
            if (!_receiver.IsOver(time) || (_troubles.TryGetValue(waiting.Run, out var trouble) && !trouble.Receiver.IsOver(time)) || !await HoldsAsync(waiting)) break;
            var (answer, why) = await receiver.PostAsync(one.Json, one.Mark.ToString("x16", CultureInfo.InvariantCulture), stop);
            if (answer == ReceiverAnswer.Silent || (answer == ReceiverAnswer.Failed && ++_failures >= ManyFailures))
            {
                _receiver.Begin(time, options.Value.MaxPause);
                LogNotTaken(waiting.Run, why, _receiver.Length);
                break;
            }

            if (answer == ReceiverAnswer.Failed)
            {
                trouble = TroubleOf(waiting.Run);
                if (!trouble.IsHopeless(_taken))
                {
                    trouble.Receiver.Begin(time, options.Value.MaxPause);
                    LogNotTaken(waiting.Run, why, trouble.Receiver.Length);
                    break;
                }

                LogGivenUp(waiting.Run, MaxTries, why);
            }
            else
            {
                (_failures, _taken) = (0, _taken + 1);
                if (answer == ReceiverAnswer.Refused) LogRefused(waiting.Run, why);
                _receiver.End();
                _troubles.Remove(waiting.Run);
            }

            waiting = waiting with { Posted = [.. waiting.Posted, one.Mark] };
        }

        return waiting;
    }

    /// <summary>Of an event, the same whenever it is told: run, what happened, and when.</summary>
    internal static long MarkOf(JsonObject one) => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{one["run"]!["runId"]} {one["eventType"]} {one["eventTime"]}")));

    /// <summary>What goes wrong with one run.</summary>
    internal sealed class Trouble
    {
        private long _seen = -1;
        private int _tries;

        /// <summary>Before the receiver is asked again.</summary>
        public Pause Receiver { get; } = new();

        /// <summary>Before the run itself is; null: it answered.</summary>
        public Pause? Broken { get; set; }

        /// <summary>An event was tried once more; while the receiver takes no other either, that says nothing of it.</summary>
        /// <param name="taken">Events that the receiver took so far.</param>
        public bool IsHopeless(long taken)
        {
            if (_seen == taken) return false;
            _seen = taken;
            return ++_tries >= MaxTries;
        }
    }

    /// <summary>The pause before something is tried again; it doubles each time.</summary>
    internal sealed class Pause
    {
        private long _since;

        public TimeSpan Length { get; private set; }

        public bool IsOver(TimeProvider time) => Length == TimeSpan.Zero || time.GetElapsedTime(_since) >= Length;

        public void Begin(TimeProvider time, TimeSpan longest)
        {
            var next = Length == TimeSpan.Zero ? TimeSpan.FromSeconds(1) : 2 * Length;
            (_since, Length) = (time.GetTimestamp(), next > longest ? longest : next);
        }

        public void End() => Length = TimeSpan.Zero;
    }

    [LoggerMessage(4071, LogLevel.Warning, "Events of run {Run} could not be appended to the file of lineage; it is tried again")]
    private partial void LogNotWritten(Exception exception, string run);

    [LoggerMessage(4072, LogLevel.Warning, "The receiver of lineage did not take an event of run {Run} ({Why}); it is tried again in {Pause}")]
    private partial void LogNotTaken(string run, string why, TimeSpan pause);

    [LoggerMessage(4073, LogLevel.Warning, "The receiver of lineage refused an event of run {Run} for good ({Why}); it is not sent again")]
    private partial void LogRefused(string run, string why);

    [LoggerMessage(4075, LogLevel.Warning, "An event of run {Run} is given up after {Tries} tries: the receiver of lineage takes others, but not this one ({Why})")]
    private partial void LogGivenUp(string run, int tries, string why);

    [LoggerMessage(4076, LogLevel.Warning, "Events of run {Run} could not be delivered; it is tried again in {Pause}")]
    private partial void LogRunBroken(Exception exception, string run, TimeSpan pause);

    [LoggerMessage(4074, LogLevel.Warning, "Events of runs could not be delivered; it is tried again")]
    private partial void LogBroken(Exception exception);
}
