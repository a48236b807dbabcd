using System.Security.Cryptography;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

internal sealed partial class StepRunner
{
    private async Task<StepOutcome> PseudonymiseAsync(RunInfo run, StepSpec step, StepInfo info, RunningStep work, CancellationToken stop)
    {
        var spec = step.Pseudonymise!;
        var input = run.Steps.Single(one => one.Id == spec.Input);
        var columns = PseudonymRules.Columns(spec, input.Columns);
        var pinned = Array.Find(run.Pinned.Keys ?? [], key => key.Step == step.Id);
        var secret = spec.Drop ? [] : await SecretAsync(run, spec, pinned);
        try
        {
            // Through the engine for its order: in that of their source rows would tell who is who.
            var made = await ComputeAsync(
                run, step, info, [new(spec.Input, columns, Rows(stop))], $"SELECT * FROM {SqlText.Name(spec.Input)}", work, stop);
            // Whoever destroys a key is sure that no table comes of it afterwards.
            if (!spec.Drop) CryptographicOperations.ZeroMemory(await SecretAsync(run, spec, pinned));
            return made with
            {
                IsPersonal = true,
                Notes = spec.Drop ? made.Notes : [new("info", new(
                    $"Pseudonyme unter Fassung {pinned!.Version} des Schlüssels für „{spec.Purpose}“. Die Tabelle bleibt personenbezogen.", $"Pseudonyms under version {pinned.Version} of the key for “{spec.Purpose}”. The table stays personal.")), .. made.Notes],
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }

        async IAsyncEnumerable<RowBlock> Rows([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var rows in ReadAsync(run, input, work, input.RowsOut, cancellationToken))
                yield return PseudonymRules.Apply(spec, input.Columns, rows, secret, pinned?.Version ?? 0);
        }
    }

    private async Task<byte[]> SecretAsync(RunInfo run, PseudonymiseStep spec, PinnedKey? pinned)
    {
        if (pinned is null) throw new InvalidDataException("no key is pinned");
        return await grains.GetGrain<IPseudonymSecretGrain>(PseudonymPurposes.Key(run.Pinned.Spec.Agency, spec.Purpose)).SecretAsync(Caller.Hub, pinned.Version)
            ?? throw new StepException(RunPins.Destroyed(pinned));
    }
}
