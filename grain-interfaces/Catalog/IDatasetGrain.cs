using Orleans.Concurrency;

namespace DataHub.Catalog;

/// <summary>A dataset: what is described, owned and released. Key: the dataset's id.</summary>
[GrainInterfaceType("datahub.dataset")]
public interface IDatasetGrain : IGrainWithStringKey
{
    /// <summary>
    /// Creates or changes the dataset. A changed schema becomes a new contract version and enters every partition as a
    /// control batch before this returns. Repeating is harmless.
    /// </summary>
    /// <param name="caller">An admin of the publisher or of the platform.</param>
    /// <param name="spec">The whole dataset; <see cref="TableSchema.Version"/> is ignored.</param>
    [Alias("Put"), Repeatable]
    Task<DatasetResult> PutAsync(Caller caller, DatasetSpec spec);

    /// <summary>The dataset as it stands, or null where there is none or the caller may not know of it. The description of an available dataset is open; its rows need not be.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<DatasetInfo?> GetAsync(Caller caller);

    /// <summary>Takes a step in the dataset's life: one that is done whole or not at all. Repeating is harmless.</summary>
    /// <param name="to">Where the dataset shall stand.</param>
    [Alias("Move"), Repeatable]
    Task<DatasetResult> MoveAsync(Caller caller, ReleaseState to);

    /// <summary>Every right on the dataset, decided for a subject, for a caller who may know: the subject itself, or whoever gives roles there.</summary>
    /// <returns>Null where there is no such dataset or the caller may not know.</returns>
    [Alias("Access"), AlwaysInterleave, Repeatable]
    Task<AccessExplanation?> AccessAsync(Caller caller, Caller subject);

    /// <summary>The contract in an earlier version, or null.</summary>
    [Alias("GetContract"), AlwaysInterleave, Repeatable]
    Task<TableSchema?> GetContractAsync(Caller caller, int version);

    /// <summary>Creates or changes a feed. Repeating is harmless.</summary>
    [Alias("PutFeed"), Repeatable]
    Task<DatasetResult> PutFeedAsync(Caller caller, FeedInfo feed);

    /// <summary>Called by an indicator's grain once its definition is stored: notes it and tells the folds.</summary>
    [Alias("AttachIndicator"), Repeatable]
    Task<DatasetResult> AttachIndicatorAsync(Caller caller, string indicator);

    /// <summary>From now on it takes no rows. Only for the hub, which does what an agreement says.</summary>
    [Alias("Freeze"), Repeatable]
    Task FreezeAsync(Caller caller, DatasetFreeze freeze);

    /// <summary>Called by an area system's grain when it has a new version.</summary>
    [Alias("AreaSystemChanged"), Repeatable]
    Task AreaSystemChangedAsync(Caller caller, int version);
}

[GenerateSerializer, Immutable, Alias("datahub.DatasetResult")]
public sealed record DatasetResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] DatasetInfo? Dataset, [property: Id(2)] LocalText? Detail)
{
    /// <summary>True where the call made something that was not there before.</summary>
    [Id(3)] public bool Created { get; init; }

    /// <summary>What is wrong with the schema: in itself (<see cref="CatalogRefusal.Invalid"/>) or as a successor of what stands (<see cref="CatalogRefusal.Conflict"/>).</summary>
    [Id(4)] public ContractProblem[] Problems { get; init; } = [];

    /// <summary>The checklist for the step that was refused.</summary>
    [Id(5)] public ReleaseCheck[] Checks { get; init; } = [];
}
