using System.Collections.Concurrent;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>Contracts from the dataset's grain, kept per silo.</summary>
internal sealed class ContractSource(IGrainFactory grains) : IContractSource
{
    private const int Capacity = 10_000;
    private readonly ConcurrentDictionary<(string Dataset, int Version), CompiledContract> _known = new();

    public ValueTask<CompiledContract> GetAsync(string dataset, int version) =>
        _known.TryGetValue((dataset, version), out var contract) ? new(contract) : FetchAsync(dataset, version);

    private async ValueTask<CompiledContract> FetchAsync(string dataset, int version)
    {
        var grain = grains.GetGrain<IDatasetGrain>(dataset);
        var info = await grain.GetAsync(Caller.Hub);
        var schema = info is null ? null
            : info.ContractVersion == version ? info.Spec.Schema
            : await grain.GetContractAsync(Caller.Hub, version);
        if (schema is null) throw new InvalidOperationException($"dataset {dataset} has no contract version {version}");
        if (_known.Count >= Capacity) _known.Clear();
        return _known[(dataset, version)] = CompiledContract.Compile(schema, info!.Spec.Kind);
    }
}
