using System.Collections.Concurrent;
using System.Globalization;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DataHub.Governance;

/// <summary>
/// Notes refused keys and tokens, and what known callers were refused, in the audit log: the first of its kind within a second, those that follow within a minute
/// together with their number. A flood of them fills neither the log nor this process.
/// </summary>
internal sealed partial class AuditedSignInFailures(SignInFailures log, IGrainFactory grains, TimeProvider time, ILogger<AuditedSignInFailures> logger) : BackgroundService, ISignInFailures
{
    /// <summary>Kinds that are told apart at once; beyond it only the reason is kept.</summary>
    private const int MaxKinds = 1_000;

    private const string Forbidden = "forbidden";

    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1), s_apart = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Kind, Tally> _kinds = new();

    public void Note(string reason, string? who, string? network)
    {
        log.Note(reason, who, network);
        Count(new(reason, who, network, null));
    }

    public void Refused(string who, string request, string? network) => Count(new(Forbidden, who, network, request));

    private void Count(Kind kind)
    {
        if (_kinds.Count >= MaxKinds && !_kinds.ContainsKey(kind)) kind = new(kind.Reason, null, null, null);
        while (true)
        {
            var tally = _kinds.GetOrAdd(kind, _ => new());
            lock (tally)
            {
                if (tally.Gone) continue;
                tally.Waiting++;
                return;
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_period);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await SendAsync();
        }
        catch (OperationCanceledException)
        {
            await SendAsync(last: true);
        }
    }

    private async Task SendAsync(bool last = false)
    {
        var (taken, events) = (new List<(Tally Tally, long Times)>(), new List<AuditEvent>());
        foreach (var (kind, tally) in _kinds)
        {
            lock (tally)
            {
                var rested = tally.Sent is not { } sent || time.GetElapsedTime(sent) >= s_apart;
                if (tally.Waiting == 0 && rested) tally.Gone = _kinds.TryRemove(new(kind, tally));
                if (tally.Waiting == 0 || !(rested || last) || events.Count == IAuditGrain.MaxEvents) continue;
                taken.Add((tally, tally.Waiting));
                events.Add(Happened(kind, tally.Waiting));
                (tally.Waiting, tally.Sent) = (0, time.GetTimestamp());
            }
        }

        if (events.Count == 0) return;
        try
        {
            var result = await grains.GetGrain<IAuditGrain>(IAuditGrain.Main).AppendAsync(Caller.Hub, [.. events]);
            if (result.Refusal == ReadRefusal.None) return;
            LogNotNoted(null, events.Count);
        }
        catch (Exception e)
        {
            LogNotNoted(e, events.Count);
        }

        foreach (var (tally, times) in taken)
        {
            lock (tally) (tally.Waiting, tally.Sent) = (tally.Waiting + times, null);
        }
    }

    private AuditEvent Happened(Kind kind, long waiting)
    {
        var (now, times) = (time.GetUtcNow(), waiting.ToString(CultureInfo.InvariantCulture));
        if (kind.Reason != Forbidden)
            return AuditEvents.Of(now, Caller.Public, AuditEvents.SignInFailed, AgencyOf(kind.Who), kind.Who ?? "hub", AuditOutcome.Refused, ("reason", kind.Reason), ("network", kind.Network), ("times", times));
        var refused = AuditEvents.Of(now, Caller.Public, AuditEvents.AccessRefused, AgencyOf(kind.Who), "hub", AuditOutcome.Refused, ("request", kind.Request), ("network", kind.Network), ("times", times));
        return kind.Who is { Length: <= AuditEvents.MaxActorLength } who ? refused with { Actor = who } : refused;
    }

    private static string? AgencyOf(string? who) =>
        who is not null && who.StartsWith("key:", StringComparison.Ordinal) && who.Split(':', '.') is [_, var agency, ..] && CatalogIds.IsValid(agency) ? agency : null;

    [LoggerMessage(1236, LogLevel.Warning, "{Kinds} kinds of refused keys, tokens and requests could not be noted in the audit log; they are noted later")]
    private partial void LogNotNoted(Exception? exception, int kinds);

    /// <param name="Request">Of what a known caller was refused.</param>
    private sealed record Kind(string Reason, string? Who, string? Network, string? Request);

    private sealed class Tally
    {
        public long Waiting { get; set; }

        public long? Sent { get; set; }

        /// <summary>Nobody looks at it any more.</summary>
        public bool Gone { get; set; }
    }
}
