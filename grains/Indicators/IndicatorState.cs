using DataHub.Catalog;
using DataHub.Governance;

namespace DataHub.Indicators;

/// <summary>An indicator as it is stored.</summary>
/// <param name="Definition">The version that answers; null: the indicator does not exist.</param>
/// <param name="Pending">A newer version that has not joined in all partitions yet.</param>
/// <param name="Changes">Counts changes of what folds must know; a new definition takes the number as its version.</param>
/// <param name="Announced">The change up to which the dataset and its folds were surely told.</param>
/// <param name="Source">What the dataset was when last looked at.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorState")]
public sealed record IndicatorState(
    [property: Id(0)] IndicatorDefinition? Definition,
    [property: Id(1)] IndicatorDefinition? Pending,
    [property: Id(2)] int Changes,
    [property: Id(3)] int Announced,
    [property: Id(4)] IndicatorSource? Source) : IKeepsEvents<IndicatorState>
{
    public IndicatorState()
        : this(null, null, 0, 0, null)
    {
    }

    /// <summary>Versions that answered before <see cref="Definition"/>, oldest first; so many as <c>DataHub:Indicator:MaxDefinitions</c> says.</summary>
    [Id(5)] public IndicatorDefinition[] Earlier { get; init; } = [];

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(6)] public AuditEvent[] Events { get; init; } = [];

    AuditEvent[] IKeepsEvents<IndicatorState>.Pending => Events;

    public IndicatorState WithPending(AuditEvent[] pending) => this with { Events = pending };
}

/// <summary>What an indicator needs to know of its dataset.</summary>
/// <param name="Partitions">Stream keys, by number; fixed.</param>
/// <param name="AreaVersion">0 without an area system.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorSource")]
public sealed record IndicatorSource(
    [property: Id(0)] string Publisher,
    [property: Id(1)] string[] Partitions,
    [property: Id(2)] string? AreaSystem,
    [property: Id(3)] int AreaVersion,
    [property: Id(4)] string? License)
{
    /// <summary>The dataset itself.</summary>
    [Id(5)] public string? Dataset { get; init; }

    /// <summary>The dataspace that the dataset belongs to.</summary>
    [Id(6)] public string? Dataspace { get; init; }

    /// <summary>Where the dataset stands in its life.</summary>
    [Id(7)] public ReleaseState State { get; init; }

    /// <summary>What decides who may read values of an access class.</summary>
    public Holding Holding(AccessClass access) => new(Dataset, Dataspace, Publisher, access, State);

    public bool Equals(IndicatorSource? other) =>
        other is not null && Publisher == other.Publisher && AreaSystem == other.AreaSystem && AreaVersion == other.AreaVersion
        && License == other.License && Dataset == other.Dataset && Dataspace == other.Dataspace && State == other.State && Partitions.AsSpan().SequenceEqual(other.Partitions);

    public override int GetHashCode() => HashCode.Combine(Publisher, AreaSystem, AreaVersion, License, Partitions.Length, Dataspace, State);
}

/// <summary>Version numbers of an indicator's answers that may have been used.</summary>
/// <param name="Reserved">All up to this one.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorVersions")]
public sealed record IndicatorVersions([property: Id(0)] long Reserved)
{
    public IndicatorVersions()
        : this(0L)
    {
    }
}
