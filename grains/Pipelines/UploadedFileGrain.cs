using System.Security.Cryptography;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.uploaded-file")]
internal sealed partial class UploadedFileGrain(
    [PersistentState("uploaded-file", "state")] IPersistentState<UploadedFileState> state,
    IFileStore files,
    IOptions<PipelineOptions> options,
    TimeProvider time,
    ILogger<UploadedFileGrain> logger) : Grain, IUploadedFileGrain
{
    private static readonly LocalText s_away = new("Diese Datei gibt es nicht (mehr).", "There is no such file (any more).");

    private StoredState<UploadedFileState> _stored = null!;
    private IncrementalHash? _hash;
    private long _hashed;

    /// <summary>Name of the file's content in the store.</summary>
    public static string Content(string id) => "upload/" + id;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return OfferAsync();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _hash?.Dispose();
        return Task.CompletedTask;
    }

    public async Task<UploadResult> CreateAsync(Caller caller, UploadSpec spec)
    {
        if (!AccessRules.May(caller, AccessRights.Push, spec.Holding)) return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.Push, spec.Holding));
        if (_stored.Value.File is { } there) return there.Spec.Agency == spec.Agency && there.Spec.Name == spec.Name && there.Spec.Length == spec.Length ? Done(there) : new(CatalogRefusal.Conflict, null, s_away);
        if (UploadRules.Fault(spec, (long)options.Value.MaxFileMiB << 20) is { } fault) return new(CatalogRefusal.Invalid, null, fault);
        if (await GrainFactory.GetGrain<IAgencyGrain>(spec.Agency).GetAsync(Caller.Hub) is null)
            return new(CatalogRefusal.Invalid, null, new($"agency: Eine Behörde „{spec.Agency}“ gibt es nicht.", $"agency: There is no agency “{spec.Agency}”."));
        if (spec.Dataspace is { } dataspace && (!CatalogIds.IsValid(dataspace) || await GrainFactory.GetGrain<IDataspaceGrain>(dataspace).GetAsync(Caller.Hub) is not { } space || space.Spec.Owner != spec.Agency))
            return new(CatalogRefusal.Invalid, null, new($"dataspace: Einen Datenraum „{dataspace}“ von „{spec.Agency}“ gibt es nicht.", $"dataspace: There is no dataspace “{dataspace}” of “{spec.Agency}”."));
        if (!await GrainFactory.GetGrain<IUploadedFilesGrain>(spec.Agency).AddAsync(Caller.Hub, Id))
        {
            return new(CatalogRefusal.TooMany, null, new(
                $"„{spec.Agency}“ hat {options.Value.MaxFiles} Dateien, so viele, wie aufbewahrt werden (DataHub:Pipelines:MaxFiles); eine davon löschen.",
                $"“{spec.Agency}” has {options.Value.MaxFiles} files, as many as are kept (DataHub:Pipelines:MaxFiles); delete one of them."));
        }

        var now = time.GetUtcNow();
        var file = new UploadedFile(Id, spec, 0, null, now, now + options.Value.KeepUnfinished);
        await _stored.StoreAsync(new(file, 0));
        LogCreated(Id, spec.Agency, spec.Length);
        return Done(file);
    }

    public async Task<UploadResult> AppendAsync(Caller caller, long offset, ReadOnlyMemory<byte> piece)
    {
        if (_stored.Value.File is not { } file || !AccessRules.May(caller, AccessRights.Push, file.Spec.Holding)) return new(CatalogRefusal.NotFound, null, s_away);
        // Its answer was lost, and it comes again.
        if (offset + piece.Length == file.Offset && piece.Length > 0)
        {
            await OfferAsync();
            return Done(file);
        }

        if (UploadRules.Fault(file, offset, piece.Length) is var (refusal, detail)) return new(refusal, file, detail);

        // A piece that a crash left without the state that counts it is overwritten by the next of its number.
        await files.WriteAsync(Content(Id), _stored.Value.Pieces, piece, CancellationToken.None);
        var now = time.GetUtcNow();
        var next = file with { Offset = offset + piece.Length, Expires = now + options.Value.KeepUnfinished };
        if (_hash is null || _hashed != offset) await HashAsync(_stored.Value.Pieces);
        _hash!.AppendData(piece.Span);
        _hashed = next.Offset;
        if (next.Offset == next.Spec.Length)
        {
            var hash = _hash.GetCurrentHash();
            if (next.Spec.Sha256 is { } said && !said.AsSpan().SequenceEqual(hash))
            {
                await RemoveAsync(next);
                return new(CatalogRefusal.Invalid, null, new(
                    $"Der Inhalt hat den SHA-256 {Convert.ToHexStringLower(hash)}, angekündigt war {Convert.ToHexStringLower(said)}. Die Datei wurde verworfen; neu hochladen.",
                    $"The content has the SHA-256 {Convert.ToHexStringLower(hash)}, {Convert.ToHexStringLower(said)} was announced. The file was dropped; upload it again."));
            }

            next = next with { Sha256 = hash, Expires = now + options.Value.KeepFiles };
            LogComplete(Id, next.Offset);
        }

        await _stored.StoreAsync(_stored.Value with { File = next, Pieces = _stored.Value.Pieces + 1, IsToOffer = next.IsComplete && caller != Caller.Hub });
        await OfferAsync();
        return Done(next);
    }

    public Task<UploadedFile?> GetAsync(Caller caller) => Task.FromResult(
        _stored.Value.File is { } file && (AccessRules.May(caller, AccessRights.Push, file.Spec.Holding) || AccessRules.May(caller, AccessRights.ReadReceipts, file.Spec.Holding)) ? file : null);

    public async Task<UploadResult> DeleteAsync(Caller caller)
    {
        if (_stored.Value.File is not { } file || !AccessRules.May(caller, AccessRights.Push, file.Spec.Holding)) return new(CatalogRefusal.NotFound, null, s_away);
        await RemoveAsync(file);
        return Done(file);
    }

    public async Task KeepAsync(Caller caller, DateTimeOffset until)
    {
        OnlyTheHub(caller);
        if (_stored.Value.File is { } file && file.Expires < until) await _stored.StoreAsync(_stored.Value with { File = file with { Expires = until } });
    }

    public async Task<bool> SweepAsync(Caller caller)
    {
        OnlyTheHub(caller);
        if (_stored.Value.File is not { } file) return true;
        await OfferAsync();
        if (file.Expires > time.GetUtcNow()) return false;
        await RemoveAsync(file);
        LogExpired(Id, file.Spec.Agency);
        return true;
    }

    /// <summary>The content first: what a crash leaves is noted still, and found again.</summary>
    private async Task RemoveAsync(UploadedFile file)
    {
        await files.DeleteAsync(Content(Id), CancellationToken.None);
        await _stored.ClearAsync(new());
        await GrainFactory.GetGrain<IUploadedFilesGrain>(file.Spec.Agency).RemoveAsync(Caller.Hub, Id);
    }

    /// <summary>Jobs that wait for such a file are given it. Where that cannot be said now, the next activation says it.</summary>
    private async Task OfferAsync()
    {
        if (_stored.Value is not { File: { } file, IsToOffer: true }) return;
        try
        {
            // They note it and give it to the jobs later: a job asks this grain for the file.
            await Task.WhenAll(Enumerable.Range(0, IScheduleGrain.Parts).Select(part => GrainFactory.GetGrain<IScheduleGrain>(part).UploadedAsync(Caller.Hub, file)));
            await _stored.StoreAsync(_stored.Value with { IsToOffer = false });
        }
        catch (Exception e)
        {
            LogNotOffered(e, Id);
        }
    }

    /// <summary>A new activation hashes what an earlier one stored.</summary>
    private async Task HashAsync(int pieces)
    {
        _hash?.Dispose();
        _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < pieces; i++)
            _hash.AppendData(await files.ReadAsync(Content(Id), i, CancellationToken.None) ?? throw new InvalidDataException($"piece {i} of the uploaded file {Id} is not there"));
    }

    private static UploadResult Done(UploadedFile file) => new(CatalogRefusal.None, file, null);

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself keeps and sweeps files");
    }

    [LoggerMessage(4001, LogLevel.Information, "Upload {File} of {Agency} begins: {Bytes} bytes")]
    private partial void LogCreated(string file, string agency, long bytes);

    [LoggerMessage(4002, LogLevel.Information, "Upload {File} is complete: {Bytes} bytes")]
    private partial void LogComplete(string file, long bytes);

    [LoggerMessage(4004, LogLevel.Warning, "Upload {File} is complete, but jobs that wait for it could not be told; it is tried again within an hour")]
    private partial void LogNotOffered(Exception exception, string file);

    [LoggerMessage(4003, LogLevel.Information, "Upload {File} of {Agency} was deleted: it is not to be kept any more")]
    private partial void LogExpired(string file, string agency);
}
