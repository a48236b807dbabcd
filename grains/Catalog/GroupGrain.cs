using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.group")]
internal sealed class GroupGrain(
    [PersistentState("group", "state")] IPersistentState<GroupState> state,
    IOptions<CatalogOptions> options,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<GroupGrain> logger) : Grain, IGroupGrain, IOutboxGrain
{
    private StoredState<GroupState> _stored = null!;
    private Outbox<GroupState> _outbox = null!;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        return Task.CompletedTask;
    }

    public async Task<GroupResult> PutAsync(Caller caller, LocalText name)
    {
        var agency = Subjects.AgencyOf(Id);
        var agencyExists = await GrainFactory.GetGrain<IAgencyGrain>(agency).GetAsync(Caller.Hub) is not null;
        var (next, result) = DataspaceRules.PutGroup(_stored.Value, Id, caller, name, agencyExists);
        if (result.Refusal != CatalogRefusal.None) return result;
        if (result.Created)
        {
            try
            {
                await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.GroupsOf(agency)).AddAsync(Caller.Hub, Id[(agency.Length + 1)..]);
            }
            catch (CatalogFullException e)
            {
                return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
            }
        }

        if (next == _stored.Value) return result;
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);
        await _outbox.StoreAsync(next, Happened(caller, result.Created ? AuditEvents.GroupCreated : AuditEvents.GroupRenamed, ("name", name.De)));
        return result;
    }

    public Task<GroupResult> GetAsync(Caller caller) => Task.FromResult(DataspaceRules.GetGroup(_stored.Value, Id, caller));

    public Task<bool> ExistsAsync()
    {
        // Invented groups must not fill the memory.
        if (_stored.Value.Name is null) DeactivateOnIdle();
        return Task.FromResult(_stored.Value.Name is not null);
    }

    public async Task<GroupResult> AddMemberAsync(Caller caller, string person, string why, DateTimeOffset? until)
    {
        var (next, result) = DataspaceRules.AddMember(_stored.Value, Id, caller, person, why, until, options.Value, time.GetUtcNow());
        if (next == _stored.Value || result.Refusal != CatalogRefusal.None) return result;

        // The person must know where to look before there is anything to find.
        if (result.Created) await GrainFactory.GetGrain<IPersonGrain>(person).NoteGroupAsync(Caller.Hub, Id);
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);
        await _outbox.StoreAsync(next, Happened(caller, AuditEvents.MemberAdded, ("person", person), ("why", why), ("until", until?.ToString("u"))));
        return result;
    }

    public async Task<GroupResult> RemoveMemberAsync(Caller caller, string person)
    {
        var (next, result) = DataspaceRules.RemoveMember(_stored.Value, Id, caller, person);
        // A membership is ended however many events wait.
        if (result.Refusal == CatalogRefusal.None) await _outbox.StoreAsync(next, Happened(caller, AuditEvents.MemberRemoved, ("person", person)));
        return result;
    }

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    private AuditEvent Happened(Caller caller, string action, params (string Name, string? Text)[] detail) =>
        AuditEvents.Of(time.GetUtcNow(), caller, action, Subjects.AgencyOf(Id), $"group:{Id}", AuditOutcome.Done, detail);

    public async Task<bool> NoteDataspaceAsync(Caller caller, string dataspace)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub notes dataspaces");
        var known = _stored.Value.Dataspaces;
        if (known.Contains(dataspace, StringComparer.Ordinal)) return true;
        if (known.Length >= options.Value.MaxGroupDataspaces)
        {
            // Where nothing is held any more need not be looked.
            var held = await Task.WhenAll(known.Select(async one => (one, await GrainFactory.GetGrain<IDataspaceGrain>(one).HeldByAsync(Caller.Hub, Id))));
            known = [.. held.Where(one => one.Item2.Length > 0).Select(one => one.one)];
            if (known.Length >= options.Value.MaxGroupDataspaces) return false;
        }

        await _stored.StoreAsync(_stored.Value with { Dataspaces = [.. known.Append(dataspace).Order(StringComparer.Ordinal)] });
        return true;
    }

    public async Task<HeldGrant[]> HeldAsync(Caller caller, string? person, bool claimed) => await FindAsync(caller, person, claimed) ?? [];

    public Task<HeldGrant[]?> MembershipAsync(Caller caller, string person, bool claimed) => FindAsync(caller, person, claimed);

    private async Task<HeldGrant[]?> FindAsync(Caller caller, string? person, bool claimed)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub asks what a group holds");
        var (known, now) = (_stored.Value, time.GetUtcNow());
        if (known.Name is null)
        {
            DeactivateOnIdle();
            return null;
        }

        if (person is not null && !claimed && !known.Members.Any(member => member.Person == person && member.Holds(now))) return null;
        var held = await Task.WhenAll(known.Dataspaces.Select(dataspace => GrainFactory.GetGrain<IDataspaceGrain>(dataspace).HeldByAsync(Caller.Hub, Id)));
        return [.. held.SelectMany(grants => grants)];
    }
}
