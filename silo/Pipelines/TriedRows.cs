using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

/// <summary>Rows of a table read against a dataset's contract as a push of them is, and then let go.</summary>
internal sealed class TriedRows(IPushTarget target, DecodeGate gate, IOptions<IngestOptions> options, TimeProvider time) : IRowTrial
{
    public async Task<RowsTried> TryAsync(RowsToTry rows, Action<long> tried, CancellationToken cancellationToken)
    {
        var (dataset, areas) = await OpenAsync(rows, cancellationToken);
        var context = new DecodeContext(CompiledContract.Compile(dataset.Spec.Schema, dataset.Spec.Kind), areas, options.Value, time.GetUtcNow(), dataset.Partitions.Length);
        var found = new RowsTried(context.Contract.Version, areas?.System, dataset.AreaVersion, 0, null, null);
        string[] names = [.. rows.Columns.Select(column => column.Name)];
        FieldType[] types = [.. rows.Columns.Select(column => column.Type)];
        var done = 0L;
        for (var number = 0; number < rows.Batches; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var batch = await rows.Batch(number);
            DecodeResult result;
            await gate.EnterAsync(Push.SenderOf(rows.Caller), cancellationToken);
            try
            {
                result = TablePush.Decode(context, names, types, batch, (number * TableCodec.BatchRows) + 1);
            }
            finally
            {
                gate.Leave();
            }

            // What speaks against the columns speaks against every row.
            if (result.Refusal is { } refusal) return found with { Refusal = refusal.Detail };
            var quarantined = result.Push!.Quarantined;
            found = found with { Quarantined = found.Quarantined + quarantined.Count, First = found.First ?? quarantined.FirstOrDefault()?.Errors[0] };
            tried(done += batch.Count);
        }

        return found;
    }

    /// <summary>The dataset as it stands, with the areas that it has then.</summary>
    private async Task<(DatasetInfo Dataset, IRowAreas? Areas)> OpenAsync(RowsToTry rows, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < PushService.MaxAttempts; attempt++)
        {
            if (await target.DatasetAsync(rows.Dataset) is not { } dataset) throw PushedRows.NoDataset(rows.Dataset);
            if (!AccessRules.May(rows.Caller, AccessRights.Push, dataset.Holding))
                throw AccessRules.May(rows.Caller, AccessRights.ReadMetadata, dataset.Holding) ? PushedRows.Forbidden(rows.Dataset) : PushedRows.NoDataset(rows.Dataset);
            if (dataset.Frozen is { } frozen) throw PushedRows.Frozen(rows.Dataset, frozen.Agreement);
            if (dataset.State == ReleaseState.Retired) throw PushedRows.Retired(rows.Dataset);
            if (dataset.Spec.AreaSystem is not { } system) return (dataset, null);
            // A version that is not kept any more: the dataset has moved on to another meanwhile.
            if (await target.AreasAsync(system, dataset.AreaVersion, cancellationToken) is { } areas) return (dataset, areas);
        }

        throw new StepException(
            new($"Die Gebiete von „{rows.Dataset}“ sind gerade nicht zu bekommen.", $"The areas of “{rows.Dataset}” cannot be had at the moment."), isTransient: true);
    }
}
