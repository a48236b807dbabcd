using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>Compiled contracts by dataset and version; a version never changes, so an answer may be kept.</summary>
internal interface IContractSource
{
    /// <exception cref="InvalidOperationException">The dataset has no such version.</exception>
    ValueTask<CompiledContract> GetAsync(string dataset, int version);
}
