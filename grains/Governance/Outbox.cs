using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Governance;

/// <summary>A stored state that keeps events until the audit log has them.</summary>
internal interface IKeepsEvents<T>
    where T : class
{
    /// <summary>Events that the audit log may not have yet.</summary>
    AuditEvent[] Pending { get; }

    T WithPending(AuditEvent[] pending);
}

/// <summary>
/// Notes what a grain changes, so that neither is ever without the other: the event is stored in one write with the change,
/// then sent to the audit log, then taken out of the state. Whatever dies in between, the next activation sends it again,
/// and the log takes it once; that there is a next one, the note of it (<see cref="IOutboxesGrain"/>) sees to.
/// </summary>
/// <param name="stored">The grain's state.</param>
/// <param name="grain">For the timer that tries again.</param>
internal sealed partial class Outbox<T>(StoredState<T> stored, AuditTrail trail, AuditOptions options, IGrainBase grain, ILogger logger)
    where T : class, IKeepsEvents<T>
{
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(5);

    /// <summary>How long after the last change it stays noted: several in a row note it once.</summary>
    private static readonly TimeSpan s_closing = TimeSpan.FromSeconds(30);

    private IGrainTimer? _timer;
    private IGrainTimer? _closing;
    private bool _isNoted;

    /// <summary>Whether nothing but events is to be looked for after a crash; always where it is not said.</summary>
    public Func<bool>? MayClose { get; init; }

    /// <summary>Whether so many events wait that nothing may be changed before the log has them.</summary>
    public bool IsFull => stored.Value.Pending.Length >= options.MaxPending;

    /// <summary>At activation: sends what an earlier one left. Does not wait for it.</summary>
    public void Start()
    {
        if (stored.Value.Pending.Length > 0) SendLater(TimeSpan.Zero);
    }

    /// <summary>Stores a change together with what is noted of it; a state equal to what stands stores and notes nothing. Only for calls that do not interleave with one another.</summary>
    public async Task StoreAsync(T next, params AuditEvent[] happened)
    {
        if (!await PutAsync(next, happened)) return;
        await SendAsync(options.Patience);
    }

    /// <summary>As <see cref="StoreAsync"/>, but what is noted is sent a second later, together with what comes meanwhile: nobody waits for the log.</summary>
    public async Task KeepAsync(T next, params AuditEvent[] happened)
    {
        if (await PutAsync(next, happened) && stored.Value.Pending.Length > 0) SendLater(TimeSpan.FromSeconds(1));
    }

    private async Task<bool> PutAsync(T next, AuditEvent[] happened)
    {
        if (next == stored.Value) return false;
        if (!_isNoted) await trail.KeepsAsync(grain.GrainContext.GrainId, true);
        _isNoted = true;
        _closing ??= grain.RegisterGrainTimer(_ => CloseAsync(), new GrainTimerCreationOptions(s_closing, s_closing));
        _closing.Change(s_closing, s_closing);
        await stored.StoreAsync(next.WithPending([.. stored.Value.Pending, .. happened]));
        return true;
    }

    /// <summary>Sends what is kept; once nothing is, it need not be looked for any more.</summary>
    public async Task FlushAsync(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself asks for kept events");
        await SendAsync(options.Patience);
        await CloseAsync();
    }

    private async Task CloseAsync()
    {
        if (stored.Value.Pending.Length > 0 || MayClose?.Invoke() is false) return;
        try
        {
            // Whether the note is gone is not known if this fails: the next change notes it again.
            _isNoted = false;
            await trail.KeepsAsync(grain.GrainContext.GrainId, false);
            _closing?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        catch (Exception e)
        {
            LogNotClosed(e, grain.GrainContext.GrainId);
        }
    }

    /// <summary>The change stands, whatever comes of this: a failure is only put off.</summary>
    private async Task SendAsync(TimeSpan patience)
    {
        var pending = stored.Value.Pending;
        if (pending.Length == 0) return;
        try
        {
            await trail.RecordAsync(pending).WaitAsync(patience);
        }
        catch (Exception e)
        {
            LogPutOff(e, grain.GrainContext.GrainId, pending.Length);
            SendLater(s_again);
            return;
        }

        try
        {
            // Nothing else was stored meanwhile: changes do not interleave.
            await stored.StoreAsync(stored.Value.WithPending([]));
        }
        catch (Exception e)
        {
            // The activation retires; the next one sends them again, which adds nothing.
            LogNotCleared(e, grain.GrainContext.GrainId, pending.Length);
        }
    }

    private void SendLater(TimeSpan due) => _timer ??= grain.RegisterGrainTimer(
        async _ =>
        {
            await SendAsync(options.Patience);
            if (stored.Value.Pending.Length > 0) return;
            _timer?.Dispose();
            _timer = null;
        },
        new GrainTimerCreationOptions(due, s_again) { KeepAlive = true });

    [LoggerMessage(1259, LogLevel.Warning, "{Grain} keeps no events, but stays noted as if it did; it is tried again")]
    private partial void LogNotClosed(Exception exception, GrainId grain);

    [LoggerMessage(1257, LogLevel.Warning, "{Grain}: {Events} events could not be noted in the audit log yet; they are kept and sent again")]
    private partial void LogPutOff(Exception exception, GrainId grain, int events);

    [LoggerMessage(1258, LogLevel.Warning, "{Grain}: {Events} events were noted in the audit log, but are kept still; they are sent again, which adds nothing")]
    private partial void LogNotCleared(Exception exception, GrainId grain, int events);
}
