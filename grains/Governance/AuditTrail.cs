using System.Diagnostics.Metrics;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Governance;

/// <summary>How the hub's own parts note events: durably and awaited.</summary>
internal sealed class AuditTrail(IGrainFactory grains, IMeterFactory meters)
{
    private readonly Counter<long> _failed = meters.Create("DataHub")
        .CreateCounter<long>("datahub.audit.failed", "{event}", "Events that the audit log did not take at a try; they are kept and sent again.");

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
                result = await grains.GetGrain<IAuditGrain>(IAuditGrain.Main).AppendAsync(Caller.Hub, some);
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
        var part = grains.GetGrain<IOutboxesGrain>(grain.GetUniformHashCode() % IOutboxesGrain.Parts);
        return keeps ? part.OpenAsync(Caller.Hub, grain.ToString()) : part.CloseAsync(Caller.Hub, grain.ToString());
    }
}

/// <summary>The audit log did not take an event; the same may be tried again.</summary>
internal sealed class AuditUnavailableException(string message) : Exception(message);
