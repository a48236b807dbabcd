using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.uploaded-files")]
internal sealed class UploadedFilesGrain(
    [PersistentState("uploaded-files", "state")] IPersistentState<CatalogState> state,
    IOptions<PipelineOptions> options) : Grain, IUploadedFilesGrain
{
    private StoredState<CatalogState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task<bool> AddAsync(Caller caller, string file)
    {
        OnlyTheHub(caller);
        var ids = _stored.Value.Ids;
        var place = Array.BinarySearch(ids, file, StringComparer.Ordinal);
        if (place >= 0) return true;
        if (ids.Length >= options.Value.MaxFiles) return false;
        await _stored.StoreAsync(new([.. ids[..~place], file, .. ids[~place..]]));
        return true;
    }

    public async Task RemoveAsync(Caller caller, string file)
    {
        OnlyTheHub(caller);
        if (_stored.Value.Ids.Contains(file)) await _stored.StoreAsync(new([.. _stored.Value.Ids.Where(id => id != file)]));
    }

    public Task<string[]> ListAsync(Caller caller, string? after, int limit)
    {
        OnlyTheHub(caller);
        return Task.FromResult(_stored.Value.Ids.Reverse().Where(id => after is null || string.CompareOrdinal(id, after) < 0).Take(limit).ToArray());
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself lists files");
    }
}
