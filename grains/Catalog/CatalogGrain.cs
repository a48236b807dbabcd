using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.catalog")]
internal sealed class CatalogGrain(
    [PersistentState("catalog", "state")] IPersistentState<CatalogState> state,
    IOptions<CatalogOptions> options) : Grain, ICatalogGrain
{
    private StoredState<CatalogState> _stored = null!;

    private string Kind => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task AddAsync(Caller caller, string id)
    {
        if (!caller.IsPlatformAdmin) throw new UnauthorizedAccessException($"only the hub itself may add to the list {Kind}");
        var ids = _stored.Value.Ids;
        var place = Array.BinarySearch(ids, id, StringComparer.Ordinal);
        if (place >= 0) return;
        if (ids.Length >= options.Value.MaxEntries)
        {
            throw new CatalogFullException($"the list {Kind} has {ids.Length} entries, as many as DataHub:Catalog:MaxEntries allows; {id} was not added");
        }

        await _stored.StoreAsync(new([.. ids[..~place], id, .. ids[~place..]]));
    }

    public Task<string[]> ListAsync(Caller caller, string? after, int limit)
    {
        var ids = _stored.Value.Ids;
        var place = after is null ? 0 : Array.BinarySearch(ids, after, StringComparer.Ordinal);
        var from = place < 0 ? ~place : after is null ? 0 : place + 1;
        return Task.FromResult(ids[from..Math.Min(ids.Length, from + Math.Clamp(limit, 1, 1_000))]);
    }
}

/// <summary>A list of ids as it is stored.</summary>
/// <param name="Ids">In ordinal order.</param>
[GenerateSerializer, Immutable, Alias("datahub.CatalogState")]
public sealed record CatalogState([property: Id(0)] string[] Ids)
{
    public CatalogState()
        : this([])
    {
    }
}
