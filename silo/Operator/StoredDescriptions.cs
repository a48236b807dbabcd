using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Storage;
using DataHub.Storage.Postgres;

namespace DataHub.Operator;

/// <summary>Datasets and definitions as grains have stored them; read without grains, so that no silo need run.</summary>
internal sealed class StoredDescriptions(PostgresDatabase database, string serviceId) : IContractSource
{
    private readonly GrainStateSerializer _serializer = new();
    private readonly Dictionary<(string Dataset, int Version), CompiledContract> _contracts = [];
    private Dictionary<string, DatasetState> _datasets = [];

    /// <summary>Every definition that a fold may hold cells of, by indicator and version; those that belong to the fold alone too.</summary>
    public IReadOnlyDictionary<(string Indicator, int Version), IndicatorDefinition> Definitions { get; private set; } = new Dictionary<(string, int), IndicatorDefinition>();

    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        _datasets = (await StatesAsync<DatasetState>("dataset", cancellationToken)).Where(state => state.Info is not null).ToDictionary(state => state.Info!.Id);
        var definitions = new Dictionary<(string, int), IndicatorDefinition>();
        foreach (var state in await StatesAsync<IndicatorState>("indicator", cancellationToken))
        {
            foreach (var definition in new[] { state.Definition, state.Pending }.Concat(state.Earlier)) Add(definition);
        }

        Definitions = definitions;

        void Add(IndicatorDefinition? definition)
        {
            if (definition is null) return;
            foreach (var folded in definition.Inputs ?? [definition])
            {
                definitions[(folded.Indicator, folded.Version)] = folded;
                foreach (var block in OpenBlocks.Of(folded)) definitions[(block.Indicator, block.Version)] = block;
            }
        }
    }

    public async ValueTask<CompiledContract> GetAsync(string dataset, int version)
    {
        if (_contracts.TryGetValue((dataset, version), out var known)) return known;
        // Made since it was read.
        if (Find(dataset, version) is null) await ReadAsync(CancellationToken.None);
        var (schema, kind) = Find(dataset, version) ?? throw new InvalidOperationException($"dataset {dataset} has no contract version {version}");
        return _contracts[(dataset, version)] = CompiledContract.Compile(schema, kind);
    }

    private (TableSchema Schema, DatasetKind Kind)? Find(string dataset, int version) =>
        _datasets.TryGetValue(dataset, out var state) && Array.Find(state.Contracts, contract => contract.Version == version) is { } schema ? (schema, state.Info!.Spec.Kind) : null;

    private const string SelectStates = "SELECT payload FROM orleans.grain_state WHERE service_id = $1 AND grain_type = $2 AND payload IS NOT NULL";

    private async Task<List<T>> StatesAsync<T>(string name, CancellationToken cancellationToken) => await database.ReadAsync(
        new PostgresStatement(SelectStates).Bind(serviceId).Bind(name), row => _serializer.Deserialize<T>(new BinaryData(row.Blob(0))), cancellationToken);
}
