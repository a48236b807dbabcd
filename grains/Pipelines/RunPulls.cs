using System.Security.Cryptography;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

/// <summary>
/// Fetches what a run's steps read from other hosts, before its first step, and keeps it as files of the job's agency.
/// What has not changed since the job fetched it last is the same file again.
/// </summary>
internal sealed partial class RunPulls(IFilePull pull, IFileStore files, IGrainFactory grains, IOptions<PipelineOptions> options, TimeProvider time, ILogger<RunPulls> logger)
{
    /// <param name="inputs">Takes the inputs that were not pinned yet, each as soon as it is there.</param>
    /// <param name="notes">Takes what is worth knowing of them.</param>
    /// <exception cref="StepException">One cannot be had.</exception>
    public async Task TakeAsync(RunInfo run, List<PinnedInput> inputs, List<StepNote> notes, CancellationToken cancellationToken)
    {
        var live = run.Pinned.ShadowOf is { } other ? await grains.GetGrain<IPipelineRunGrain>(other).GetAsync(Caller.Hub) : null;
        foreach (var step in run.Pinned.Spec.Steps)
        {
            if (step.Read is not { } read || read.Address() is not { } url || Array.Exists(run.Pinned.Inputs, input => input.Step == step.Id)) continue;
            if (RunRules.Pulled(step.Id, url, live) is { } shared)
            {
                await KeepAsync(shared.File!);
                inputs.Add(shared);
                continue;
            }

            var order = new PullOrder(new(url)) { Key = await KeyAsync(run.Pinned.Spec.Agency, read.Key, new(url)), Purpose = read.Purpose, IsPaged = read.Hub is not null };
            var (file, isUnchanged, watermark) = await TakeAsync(run, step.Id, order, cancellationToken);
            await KeepAsync(file.Id);
            inputs.Add(new(step.Id) { File = file.Id, Sha256 = file.Sha256, Length = file.Spec.Length, Name = file.Spec.Name, Url = url, Watermark = watermark });
            var told = PullRules.Told(new(url));
            notes.Add(new("info", isUnchanged
                ? new($"{told} ist unverändert: dieselbe Datei wie beim letzten Mal.", $"{told} has not changed: the same file as last time.")
                : new($"{told} wurde geholt ({file.Spec.Length} Byte).", $"{told} was fetched ({file.Spec.Length} bytes).")));
        }
    }

    /// <summary>The key that a step names, as it stands now.</summary>
    private async Task<PullKey?> KeyAsync(string agency, string? name, Uri url)
    {
        if (name is null) return null;
        if (await grains.GetGrain<IPullSecretGrain>(PullKeys.Key(agency, name)).SecretAsync(Caller.Hub) is not { } key) throw new StepException(PullRules.NoKey(agency, name));
        return PullRules.Takes(key.Host, url) ? key : throw new StepException(PullRules.NotFor(name, key.Host, url));
    }

    private Task KeepAsync(string file) => grains.GetGrain<IUploadedFileGrain>(file).KeepAsync(Caller.Hub, time.GetUtcNow() + options.Value.KeepFiles);

    private async Task<(UploadedFile File, bool IsUnchanged, string? Watermark)> TakeAsync(RunInfo run, string step, PullOrder order, CancellationToken cancellationToken)
    {
        var url = order.Url;
        // What only a shadow fetches says nothing of what the job fetched last.
        var memory = grains.GetGrain<IFilePullGrain>($"{run.Pinned.Job}{(run.Pinned.ShadowOf is null ? "" : "@shadow")}/{step}");
        var last = await memory.GetAsync(Caller.Hub);
        var kept = last is not null && last.Url == url.OriginalString ? await grains.GetGrain<IUploadedFileGrain>(last.File).GetAsync(Caller.Hub) : null;
        if (kept is { IsComplete: false }) kept = null;

        // How long it is, an upload has to say first: so it lies among the run's tables before, which are cleaned up.
        var spool = $"{StepTables.Prefix(run.Pinned.Id)}{step}/pulled";
        await files.DeleteAsync(spool, cancellationToken);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var pieces = 0;
        var pulled = await pull.PullAsync(
            // What a first page says of itself says nothing of the others.
            order with { Known = kept is null || order.IsPaged ? null : last!.Marks },
            async piece =>
            {
                hash.AppendData(piece.Span);
                await files.WriteAsync(spool, pieces++, piece, cancellationToken);
            },
            cancellationToken);
        if (pulled.IsUnchanged)
        {
            LogPulled(run.Pinned.Id, step, 0, true);
            return (kept!, true, null);
        }

        var sha256 = hash.GetCurrentHash();
        // Not every host says by what it knows a content again.
        var isSame = kept is not null && last!.Sha256.AsSpan().SequenceEqual(sha256) && kept.Spec.Name == pulled.Name;
        var file = isSame ? kept! : await StoreAsync(run, spool, pieces, pulled, cancellationToken);
        await memory.NoteAsync(Caller.Hub, new(url.OriginalString, pulled.Marks, file.Id, sha256));
        await files.DeleteAsync(spool, cancellationToken);
        LogPulled(run.Pinned.Id, step, pulled.Length, isSame);
        return (file, isSame, pulled.Watermark);
    }

    private async Task<UploadedFile> StoreAsync(RunInfo run, string spool, int pieces, PulledFile pulled, CancellationToken cancellationToken)
    {
        var upload = grains.GetGrain<IUploadedFileGrain>(ReceiptIds.New(time.GetUtcNow()));
        var result = await upload.CreateAsync(Caller.Hub, new(run.Pinned.Spec.Agency, pulled.Name, pulled.Length) { Dataspace = run.Pinned.Spec.Dataspace });
        for (var i = 0; i < pieces && result.Refusal == CatalogRefusal.None; i++)
        {
            var piece = await files.ReadAsync(spool, i, cancellationToken) ?? throw new InvalidDataException($"piece {i} of {spool} is not there");
            result = await upload.AppendAsync(Caller.Hub, result.File!.Offset, piece);
        }

        return result is { Refusal: CatalogRefusal.None, File: { IsComplete: true } file } ? file : throw new StepException(result.Detail ?? new("Die Datei ließ sich nicht speichern.", "The file could not be stored."));
    }

    [LoggerMessage(4065, LogLevel.Information, "Run {Run}: the file of step {Step} was fetched, {Bytes} bytes; unchanged: {Unchanged}")]
    private partial void LogPulled(string run, string step, long bytes, bool unchanged);
}
