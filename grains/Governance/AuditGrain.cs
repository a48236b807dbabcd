using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Governance;

/// <summary>Thin shell around <see cref="AuditWriter"/>: decides who may do what.</summary>
/// <remarks>All its calls interleave, so that what arrives during a commit waits together for the next.</remarks>
[GrainType("datahub.audit")]
internal sealed partial class AuditGrain(IAuditStore store, IOptions<AuditOptions> options, TimeProvider time, ILogger<AuditGrain> logger) : Grain, IAuditGrain
{
    private AuditWriter? _writer;

    private AuditWriter Writer => _writer ??= new(Chain, store, options.Value, time);

    private string Chain => this.GetPrimaryKeyString();

    public async Task<AuditHeadResult> AppendAsync(Caller caller, AuditEvent[] events)
    {
        if (caller != Caller.Hub) return new(ReadRefusal.Forbidden, null, new("Nur der Hub selbst vermerkt Ereignisse.", "Only the hub itself notes events."));
        if (events.Length > IAuditGrain.MaxEvents) return Invalid($"{events.Length} events; {IAuditGrain.MaxEvents} are the most");
        foreach (var happened in events)
        {
            if (AuditEvents.Fault(happened) is { } fault) return Invalid($"{happened.Id} {happened.Action}: {fault}");
        }

        try
        {
            return await Writer.AppendAsync(events) is { } head
                ? new(ReadRefusal.None, head, null)
                : new(ReadRefusal.Unavailable, null, new("Es warten schon zu viele Ereignisse.", "Too many events are waiting already."));
        }
        catch (Exception e)
        {
            LogNotStored(e, Chain, events.Length);
            return new(ReadRefusal.Unavailable, null, null);
        }

        AuditHeadResult Invalid(string what)
        {
            LogInvalid(Chain, what);
            return new(ReadRefusal.Invalid, null, new(what, what));
        }
    }

    public async Task<AuditPage> ReadAsync(Caller caller, AuditQuery query)
    {
        var (visible, refused) = AuditRules.Visible(caller, query);
        if (visible is null) return new(ReadRefusal.Forbidden, [], null, refused);
        if (query.Limit is < 1 or > IAuditGrain.MaxEvents) return new(ReadRefusal.Invalid, [], null, new("limit", "limit"));
        try
        {
            var found = await store.ReadAsync(Chain, visible with { Limit = query.Limit + 1 }, CancellationToken.None);
            return new(ReadRefusal.None, [.. found.Take(query.Limit).Select(entry => entry.Record)], found.Count > query.Limit ? found[query.Limit - 1].Sequence : null, null);
        }
        catch (Exception e)
        {
            LogNotRead(e, Chain);
            return new(ReadRefusal.Unavailable, [], null, null);
        }
    }

    public async Task<AuditDeletionResult> DeleteContentAsync(Caller caller, long[] sequences, string reason, string authority)
    {
        if (!caller.IsPlatformAdmin) return new(ReadRefusal.Forbidden, [], null, AuditRules.NeedsPlatform);
        if (AuditRules.Fault(sequences, reason, authority) is { } fault) return new(ReadRefusal.Invalid, [], null, fault);
        try
        {
            var result = await Writer.DeleteAsync(caller, sequences, reason, authority);
            if (result.Entry is { } entry) LogDeleted(Chain, result.Deleted.Length, entry, caller.KeyId);
            return result;
        }
        catch (Exception e)
        {
            LogNotDeleted(e, Chain, sequences.Length);
            return new(ReadRefusal.Unavailable, [], null, null);
        }
    }

    public async Task<AuditHeadResult> HeadAsync(Caller caller)
    {
        if (!AuditRules.MayReadSome(caller)) return new(ReadRefusal.Forbidden, null, AuditRules.NeedsAdmin);
        try
        {
            return new(ReadRefusal.None, await store.HeadAsync(Chain, CancellationToken.None), null);
        }
        catch (Exception e)
        {
            LogNotRead(e, Chain);
            return new(ReadRefusal.Unavailable, null, null);
        }
    }

    [LoggerMessage(1250, LogLevel.Error, "Audit log {Chain}: {Events} events could not be stored; whoever noted them tries again")]
    private partial void LogNotStored(Exception exception, string chain, int events);

    [LoggerMessage(1251, LogLevel.Error, "Audit log {Chain} could not be read")]
    private partial void LogNotRead(Exception exception, string chain);

    [LoggerMessage(1252, LogLevel.Error, "Audit log {Chain}: the content of {Entries} entries may not have been deleted; the request has to be repeated")]
    private partial void LogNotDeleted(Exception exception, string chain, int entries);

    [LoggerMessage(1253, LogLevel.Warning, "Audit log {Chain}: the content of {Entries} entries was deleted by key {By}; entry {Entry} says so")]
    private partial void LogDeleted(string chain, int entries, long entry, string? by);

    [LoggerMessage(1254, LogLevel.Error, "Audit log {Chain}: an event does not keep the limits and is not noted: {What}")]
    private partial void LogInvalid(string chain, string what);
}
