using DataHub.Indicators;

namespace DataHub.Support;

/// <summary>A store of cells with faults before it.</summary>
internal sealed class FaultyCellStore(ICellStore inner, StoreFaults? faults = null) : ICellStore
{
    public StoreFaults Faults { get; } = faults ?? new();

    public Task<IReadOnlyList<DefinitionPosition>> PositionsAsync(string partition, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(PositionsAsync), () => inner.PositionsAsync(partition, cancellationToken));

    public Task<bool> FlushAsync(string partition, IReadOnlyList<DefinitionMove> moves, IReadOnlyList<StoredCell> cells, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(FlushAsync), () => inner.FlushAsync(partition, moves, cells, cancellationToken));

    public Task<IReadOnlyList<StoredCell>> ReadAsync(string partition, string indicator, int version, long from, long to, int limit, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ReadAsync), () => inner.ReadAsync(partition, indicator, version, from, to, limit, cancellationToken));

    public Task<IReadOnlyList<long>> TouchedWindowsAsync(string partition, string indicator, int version, long after, long from, long to, int limit, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(TouchedWindowsAsync), () => inner.TouchedWindowsAsync(partition, indicator, version, after, from, to, limit, cancellationToken));

    public Task<int> CountAsync(string partition, string indicator, int version, long from, long to, int limit, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(CountAsync), () => inner.CountAsync(partition, indicator, version, from, to, limit, cancellationToken));

    public Task DropAsync(string partition, string indicator, int version, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(DropAsync), () => inner.DropAsync(partition, indicator, version, cancellationToken));

    public Task FinishDropsAsync(string partition, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(FinishDropsAsync), () => inner.FinishDropsAsync(partition, cancellationToken));
}
