using DataHub.Feeds;

using Microsoft.Extensions.Logging;

namespace DataHub.Indicators;

/// <summary>
/// New definitions: filled with the rows of history that stood at one fixed sequence, step by step between the turns of
/// the live fold; cells and how far the fill is are stored together, so that it goes on after any break where it stood.
/// </summary>
internal sealed partial class PartitionFold
{
    /// <summary>How long a step waits for history before it lets the live fold have its turn.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(20);

    private (long AsOf, Task<long> Reached)? _reaching;

    /// <summary>Why fills stand still, or null. The live fold goes on meanwhile.</summary>
    public string? FillHalted { get; private set; }

    /// <summary>How far a definition is.</summary>
    public DefinitionProgress ProgressOf(DefinitionFold fold) => HasJoined(fold) ? new(Accepted, Accepted, FillPhase.Joined)
        : fold.IsFilling ? new(fold.Fill!.Rows, Accepted, FillPhase.History)
        : IsNew(fold) ? new(0, Accepted, FillPhase.History)
        : new(fold.Accepted, Accepted, FillPhase.Log);

    private async Task FillAsync()
    {
        var begun = _folds.Where(fold => fold.IsFilling).MinBy(fold => fold.Fill!.AsOf)?.Fill;
        var folds = _folds.Where(fold => begun is null ? IsNew(fold) : fold.IsFilling && (fold.Fill!.AsOf, fold.Fill.Rows) == (begun.AsOf, begun.Rows)).ToArray();
        if (folds.Length == 0) return;
        if (begun is null)
        {
            // What the live fold has stored: no definition is ever found ahead of it.
            if (Sequence < HeadAtStart) await ReadLogAsync(HeadAtStart);
            await FlushNowAsync();
            if (IsSuperseded) return;
            foreach (var fold in folds) (fold.Fill, fold.Accepted, fold.ReceivedAt) = (new(Sequence, 0, null), Accepted, Live!.ReceivedAt);
        }

        try
        {
            await FillAsync(folds);
            FillHalted = null;
        }
        catch (Exception e)
        {
            // What was stored is read again; the live fold is not touched by it.
            FillHalted = e.Message;
            LogFillHalted(e, partition, folds[0].Fill!.AsOf);
            foreach (var fold in folds) _folds.Remove(fold);
            _forgotten = true;
        }
    }

    /// <summary>One step of definitions that are equally far.</summary>
    private async Task FillAsync(DefinitionFold[] folds)
    {
        var (fill, accepted) = (folds[0].Fill!, folds[0].Accepted);
        if (!await HasHistoryReachedAsync(fill.AsOf)) return;
        var page = await history.VersionsAsync(partition, new(fill.AsOf, long.MinValue, long.MaxValue, null, fill.After, options.CatchUpRows), CancellationToken.None);
        foreach (var rows in page.Versions.GroupBy(version => version.Row.ContractVersion, version => version.Row))
        {
            var contract = await contracts.GetAsync(_dataset, rows.Key);
            var batch = fill.Batch(partition, RowPacking.Unpack(contract, [.. rows.Select(row => (row.Values, row.Area))]), rows.Key);
            var series = new SeriesOfBatch(contract, batch);
            foreach (var fold in folds) await FoldAsync(fold, batch, contract, series);
        }

        foreach (var fold in folds) fold.Accepted = accepted;
        var last = page.Versions.Count == 0 ? null : page.Versions[^1].Row;
        var next = new DefinitionFill(fill.AsOf, fill.Rows + page.Versions.Count, page.More ? new(last!.Time, last.Key) : null);
        if (!await StoreAsync(folds, _ => page.More ? 0 : fill.AsOf, _ => next) || page.More) return;
        foreach (var fold in folds)
        {
            fold.TouchedKnownAfter = fill.AsOf;
            LogFilled(partition, fold.Definition.Indicator, fold.Definition.Version, next.Rows, fill.AsOf);
        }
    }

    private async Task<bool> HasHistoryReachedAsync(long sequence)
    {
        if ((await history.PositionAsync(partition, CancellationToken.None)).Sequence >= sequence) return true;
        var (asOf, reached) = _reaching ??= (sequence, reachHistory(sequence));
        if (!reached.IsCompleted) await Task.WhenAny(reached, Task.Delay(s_patience));
        if (!reached.IsCompleted) return false;
        _reaching = null;
        return await reached >= asOf ? asOf >= sequence : throw new InvalidOperationException($"history of {partition} has not reached {asOf}");
    }

    [LoggerMessage(1203, LogLevel.Error, "The fill of definitions of {Partition} as of sequence {Sequence} stands still; it is tried again")]
    private partial void LogFillHalted(Exception exception, string partition, long sequence);

    [LoggerMessage(1204, LogLevel.Information, "{Partition}: {Indicator} version {Version} was filled from {Rows} rows as of sequence {Sequence}")]
    private partial void LogFilled(string partition, string indicator, int version, long rows, long sequence);
}
