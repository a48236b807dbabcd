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
/// growing pauses, and holds up nobody.
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

    private readonly Guid _self = Guid.NewGuid();
    private readonly Pause _file = new(), _receiver = new();

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
                foreach (var run in _receiver.IsOver(time) ? waiting : waiting.TakeLast(Newest))
                {
                    if (!await DeliverAsync(run, file, receiver, stoppingToken)) break;
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogBroken(e);
            }
        }
    }

    private ILineageOutboxGrain Outbox => grains.GetGrain<ILineageOutboxGrain>(0);

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
            if (!_receiver.IsOver(time)) break;
            var (answer, why) = await receiver.PostAsync(one.Json, one.Mark.ToString("x16", CultureInfo.InvariantCulture), stop);
            if (answer == ReceiverAnswer.NotNow)
            {
                _receiver.Begin(time, options.Value.MaxPause);
                LogNotTaken(waiting.Run, why, _receiver.Length);
                break;
            }

            if (answer == ReceiverAnswer.Refused) LogRefused(waiting.Run, why);
            _receiver.End();
            waiting = waiting with { Posted = [.. waiting.Posted, one.Mark] };
        }

        return waiting;
    }

    /// <summary>Of an event, the same whenever it is told: run, what happened, and when.</summary>
    internal static long MarkOf(JsonObject one) => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{one["run"]!["runId"]} {one["eventType"]} {one["eventTime"]}")));

    /// <summary>The pause before something is tried again; it doubles each time.</summary>
    private sealed class Pause
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

    [LoggerMessage(4074, LogLevel.Warning, "Events of runs could not be delivered; it is tried again")]
    private partial void LogBroken(Exception exception);
}
