using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.person")]
internal sealed partial class PersonGrain(
    [PersistentState("person", "state")] IPersistentState<PersonState> state,
    IOptions<CatalogOptions> options,
    TimeProvider time,
    ILogger<PersonGrain> logger) : Grain, IPersonGrain
{
    private StoredState<PersonState> _stored = null!;
    private PersonState? _seen;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task<Caller> ResolveAsync(Caller caller, string[]? claimed, string? name)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub says who somebody is");
        if (claimed is not null) _seen = _stored.Value with { Claimed = claimed, Name = name, LastSeen = time.GetUtcNow() };
        var named = (claimed ?? _seen?.Claimed ?? _stored.Value.Claimed).Where(Subjects.IsGroup).ToHashSet(StringComparer.Ordinal);
        // Invented people must not fill the memory.
        if (claimed is null && _seen is null && _stored.Value is { Groups.Length: 0, LastSeen: null }) DeactivateOnIdle();
        var groups = _stored.Value.Groups.Union(named, StringComparer.Ordinal).ToArray();
        var asked = groups.Take(options.Value.MaxPersonGroups).ToArray();
        var held = await Task.WhenAll(asked.Select(group => MembershipAsync(GrainFactory.GetGrain<IGroupGrain>(group), named.Contains(group))));
        var grants = held.SelectMany(one => one ?? []).ToArray();
        if (groups.Length > options.Value.MaxPersonGroups || grants.Length > options.Value.MaxHeldGrants) LogTooMany(Id, groups.Length, grants.Length);
        return Caller.Public with { Person = Id, Grants = DataspaceRules.Together(grants, options.Value.MaxHeldGrants) with { Groups = [.. asked.Where((_, number) => held[number] is not null).Order(StringComparer.Ordinal)] } };
    }

    /// <summary>What a person holds through a group; null where he is not in it.</summary>
    private async Task<HeldGrant[]?> MembershipAsync(IGroupGrain group, bool claimed)
    {
        try
        {
            return await group.MembershipAsync(Caller.Hub, Id, claimed);
        }
        catch (Exception)
        {
            // A silo of before, while the hub is updated, knows only what is held.
            return await group.HeldAsync(Caller.Hub, Id, claimed) is { Length: > 0 } held ? held : null;
        }
    }

    public async Task NoteGroupAsync(Caller caller, string group)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub notes groups");
        if (!_stored.Value.Groups.Contains(group, StringComparer.Ordinal))
            await _stored.StoreAsync(_stored.Value with { Groups = [.. _stored.Value.Groups.Append(group).Order(StringComparer.Ordinal)] });
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_seen is null) return;
        try
        {
            await _stored.StoreAsync(_stored.Value with { Claimed = _seen.Claimed, Name = _seen.Name, LastSeen = _seen.LastSeen });
        }
        catch (Exception e)
        {
            // For explanations only.
            LogNotStored(e, Id);
        }
    }

    [LoggerMessage(1022, LogLevel.Warning, "Person {Person} is in {Groups} groups with {Grants} roles, more than DataHub:Catalog:MaxPersonGroups or MaxHeldGrants allows; the rest does not count")]
    private partial void LogTooMany(string person, int groups, int grants);

    [LoggerMessage(1023, LogLevel.Warning, "Person {Person}: the last sign-in could not be stored")]
    private partial void LogNotStored(Exception exception, string person);
}
