using System.Globalization;

using DataHub.Catalog;
using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Sharing;

[GrainType("datahub.agreement-usage")]
internal sealed partial class AgreementUsageGrain(
    [PersistentState("agreement-usage", "state")] IPersistentState<AgreementUsageState> state,
    IOptions<AgreementOptions> options,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<AgreementUsageGrain> logger) : Grain, IAgreementUsageGrain, IOutboxGrain
{
    private StoredState<AgreementUsageState> _stored = null!;
    private Outbox<AgreementUsageState> _outbox = null!;

    private string Agreement => this.GetPrimaryKeyString() is var key ? key[..key.LastIndexOf('/')] : "";

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger) { MayClose = () => _stored.Value.Out.Length == 0 };
        _outbox.Start();
        return Task.CompletedTask;
    }

    public async Task<AllowanceResult> TakeAsync(Caller caller, AllowanceRequest request)
    {
        OnlyTheHub(caller);
        var now = time.GetUtcNow();
        if (_stored.Value.Out.Any(one => now >= one.Until + AgreementUsageRules.Forgotten)) await SettleAsync(caller, []);
        var (next, result) = AgreementUsageRules.Take(_stored.Value, request, request.By.Recipient is null ? options.Value.AllowanceByRight : options.Value.Allowance, now);
        if (result.Requests > 0 && _outbox.IsFull && request.By.Recipient is not null) throw new AuditUnavailableException($"the audit log has not taken what was given through {Agreement}: nothing more is given");
        await StoreAsync(next, []);
        return result;
    }

    public Task SweepAsync(Caller caller) => SettleAsync(caller, []);

    public async Task SettleAsync(Caller caller, UsedAllowance[] used)
    {
        OnlyTheHub(caller);
        var (settled, events) = Settled(used, time.GetUtcNow());
        await StoreAsync(settled, events);
    }

    public Task<AgreementUsage> GetAsync(Caller caller)
    {
        OnlyTheHub(caller);
        var (swept, _) = AgreementUsageRules.Sweep(_stored.Value, time.GetUtcNow());
        return Task.FromResult(new AgreementUsage(swept.Entries, Array.ConvertAll(swept.Out, AgreementUsageRules.Bound)));
    }

    public async Task FlushAsync(Caller caller)
    {
        // After a crash somebody asks who knows that allowances are out.
        await SettleAsync(caller, []);
        await _outbox.FlushAsync(caller);
    }

    private (AgreementUsageState State, List<AuditEvent> Events) Settled(UsedAllowance[] used, DateTimeOffset now)
    {
        var (state, told) = AgreementUsageRules.Settle(_stored.Value, used);
        (state, var forgotten) = AgreementUsageRules.Sweep(state, now);
        var events = new List<AuditEvent>();
        foreach (var (allowance, operations) in told)
        {
            foreach (var operation in operations) Note(allowance, operation, isUpperBound: false);
        }

        foreach (var one in forgotten)
        {
            Note(one, new(UsageOperations.Unknown, $"dataset:{one.By?.Dataset}", one.Requests, one.Rows, null), isUpperBound: true);
            LogForgotten(Agreement, one.Requests, one.Rows, one.Subject);
        }

        return (state, events);

        // For each side, so that both can read it.
        void Note(AllowanceOut allowance, UsedOperation operation, bool isUpperBound)
        {
            foreach (var agency in new[] { allowance.By?.Provider, allowance.By?.Recipient }.OfType<string>())
            {
                events.Add(AuditEvents.OfActor(
                    now, allowance.Subject, allowance.By?.Recipient is null ? AuditEvents.ValuesRead : AuditEvents.AgreementUsed, agency, operation.Object, AuditOutcome.Done,
                    ("reference", allowance.By?.Reference), ("purpose", allowance.Purpose.Length == 0 ? null : allowance.Purpose), ("operation", operation.Operation), ("requests", Number(operation.Requests)), ("rows", Number(operation.Rows)),
                    ("watermark", operation.Watermark), ("until", allowance.Until.ToString("u", CultureInfo.InvariantCulture)), ("upperBound", isUpperBound ? "true" : null)));
            }
        }

        static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
    }

    private async Task StoreAsync(AgreementUsageState next, List<AuditEvent> events)
    {
        if (ReferenceEquals(next, _stored.Value)) return;
        await _outbox.KeepAsync(next, [.. events]);
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself counts what is given");
    }

    [LoggerMessage(1277, LogLevel.Warning, "Agreement {Agreement}: nobody told what was given of {Requests} answers with {Rows} rows that {Subject} was allowed; all of it counts as given")]
    private partial void LogForgotten(string agreement, int requests, long rows, string subject);
}
