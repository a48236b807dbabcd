using System.Diagnostics.Metrics;
using System.Threading.Channels;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Governance;

/// <summary>How the hub's own parts note events: durably and awaited, or beside their work. A silo that stops in order notes first what waits.</summary>
internal sealed partial class AuditTrail : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(1);

    private readonly IGrainFactory _grains;
    private readonly ILogger<AuditTrail> _logger;
    private readonly Channel<AuditEvent> _noted;
    private readonly Lock _starting = new();
    private readonly CancellationTokenSource _closing = new();
    private Task? _pump;
    private readonly Counter<long> _failed;
    private long _dropped;

    public AuditTrail(IGrainFactory grains, IOptions<AuditOptions> options, IMeterFactory meters, ILogger<AuditTrail> logger)
    {
        (_grains, _logger) = (grains, logger);
        var meter = meters.Create("DataHub");
        _failed = meter.CreateCounter<long>("datahub.audit.failed", "{event}", "Events that the audit log did not take at a try; they are kept and sent again.");
        meter.CreateObservableCounter("datahub.audit.dropped", () => Dropped, "{event}", "Events that were not noted because too many were waiting.");
        _noted = Channel.CreateBounded<AuditEvent>(new BoundedChannelOptions(options.Value.MaxWaiting) { SingleReader = true });
    }

    /// <summary>Events that were not noted because too many were waiting.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Notes an event; returns when it is durable. A repeat adds nothing.</summary>
    /// <exception cref="AuditUnavailableException">It may not have been noted.</exception>
    public Task RecordAsync(AuditEvent happened) => RecordAsync([happened]);

    /// <inheritdoc cref="RecordAsync(AuditEvent)"/>
    public async Task RecordAsync(AuditEvent[] events)
    {
        foreach (var some in events.Chunk(IAuditGrain.MaxEvents))
        {
            AuditHeadResult result;
            try
            {
                result = await _grains.GetGrain<IAuditGrain>(IAuditGrain.Main).AppendAsync(Caller.Hub, some);
            }
            catch
            {
                _failed.Add(some.Length);
                throw;
            }

            if (result.Refusal == ReadRefusal.None) continue;
            _failed.Add(some.Length);
            throw new AuditUnavailableException($"the audit log did not take {some.Length} events: {result.Refusal} {result.Detail?.En}");
        }
    }

    /// <summary>Notes, durably, that a grain may keep events from here on; or that it keeps none any more.</summary>
    public Task KeepsAsync(GrainId grain, bool keeps)
    {
        var part = _grains.GetGrain<IOutboxesGrain>(grain.GetUniformHashCode() % IOutboxesGrain.Parts);
        return keeps ? part.OpenAsync(Caller.Hub, grain.ToString()) : part.CloseAsync(Caller.Hub, grain.ToString());
    }

    /// <summary>Notes an event beside the caller's work, together with others. It is lost if the process dies first, if the silo stops while the log takes nothing, or if too many are waiting.</summary>
    public void Note(AuditEvent happened)
    {
        if (!_noted.Writer.TryWrite(happened))
        {
            // One line for many: a log that stands still must not fill the other one.
            var dropped = Interlocked.Increment(ref _dropped);
            if (dropped % 10_000 == 1) LogDropped(dropped);
            return;
        }

        if (_pump is not null) return;
        lock (_starting) _pump ??= Task.Run(PumpAsync);
    }

    /// <summary>What stops first at this stage finds all grains there still.</summary>
    public void Participate(ISiloLifecycle observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        observer.Subscribe(nameof(AuditTrail), ServiceLifecycleStage.Active, static _ => Task.CompletedTask, StopAsync);
    }

    public void Dispose() => _closing.Dispose();

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        _noted.Writer.TryComplete();
        await _closing.CancelAsync();
        if (_pump is not null) await _pump.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task PumpAsync()
    {
        var some = new List<AuditEvent>();
        while (await _noted.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (some.Count < IAuditGrain.MaxEvents && _noted.Reader.TryRead(out var next)) some.Add(next);
            while (some.Count > 0)
            {
                try
                {
                    await RecordAsync([.. some]);
                    some.Clear();
                }
                catch (Exception e)
                {
                    LogAgain(e, some.Count);
                    if (_closing.IsCancellationRequested) return;
                    await Task.Delay(s_again, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
    }

    [LoggerMessage(1255, LogLevel.Warning, "{Events} events could not be noted in the audit log yet; it is tried again")]
    private partial void LogAgain(Exception exception, int events);

    [LoggerMessage(1256, LogLevel.Error, "Too many events wait for the audit log (DataHub:Audit:MaxWaiting): {Dropped} were not noted so far")]
    private partial void LogDropped(long dropped);
}

/// <summary>The audit log did not take an event; the same may be tried again.</summary>
internal sealed class AuditUnavailableException(string message) : Exception(message);
