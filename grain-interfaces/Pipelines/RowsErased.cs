using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Rows of a dataset whose content was erased (design §2.3), for runs that may have tables with them.</summary>
/// <param name="Incarnation">Of the log.</param>
/// <param name="Passed">Per partition the sequence from which on no read meets them.</param>
/// <param name="Requested">When: what was received later is not of them.</param>
/// <param name="Files">Files that may have brought them: whatever a run made of one of these goes too.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowsErased")]
public sealed record RowsErased(
    [property: Id(0)] string Dataset, [property: Id(1)] Guid Incarnation, [property: Id(2)] long[] Passed, [property: Id(3)] DateTimeOffset Requested, [property: Id(4)] string[] Files);

/// <summary>What the erasure of rows means for a run.</summary>
/// <param name="IsDone">False: it is being ended, and has to be told again.</param>
/// <param name="IsReached">It has, or had, tables that may have the rows.</param>
[GenerateSerializer, Immutable, Alias("datahub.RunErased")]
public sealed record RunErased([property: Id(0)] bool IsDone, [property: Id(1)] bool IsReached)
{
    /// <summary>Uploaded files whose rows it wrote into the dataset.</summary>
    [Id(2)] public string[] Files { get; init; } = [];

    /// <summary>Files that it fetched, and whose rows it wrote into the dataset.</summary>
    [Id(3)] public string[] Fetched { get; init; } = [];

    /// <summary>Other datasets into which it wrote what it had made of the rows.</summary>
    [Id(4)] public string[] Derived { get; init; } = [];
}

/// <summary>Why a run has no tables any more, before their time.</summary>
/// <param name="Dataset">Whose rows were erased.</param>
[GenerateSerializer, Immutable, Alias("datahub.TablesErased")]
public sealed record TablesErased([property: Id(0)] string Dataset, [property: Id(1)] DateTimeOffset At)
{
    /// <summary>For people.</summary>
    public LocalText Words() => new(
        FormattableString.Invariant($"Tabellen gelöscht, weil Zeilen von „{Dataset}“ gelöscht wurden, am {At.UtcDateTime:dd.MM.yyyy} um {At.UtcDateTime:HH:mm} UTC. Zahlen und Hashwerte bleiben."),
        FormattableString.Invariant($"Tables deleted because rows of “{Dataset}” were erased, on {At.UtcDateTime:yyyy-MM-dd} at {At.UtcDateTime:HH:mm} UTC. Counts and hashes stay."));
}
