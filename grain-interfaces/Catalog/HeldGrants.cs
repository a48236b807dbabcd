namespace DataHub.Catalog;

/// <summary>A role that somebody holds through a group.</summary>
/// <param name="Id">Of the grant.</param>
/// <param name="Dataspace">Where it holds.</param>
/// <param name="Dataset">The one dataset it is narrowed to; null: all of the dataspace.</param>
/// <param name="Group">Through which group, <c>{agency}/{group}</c>.</param>
[GenerateSerializer, Immutable, Alias("datahub.HeldGrant")]
public sealed record HeldGrant(
    [property: Id(0)] string Id,
    [property: Id(1)] DataspaceRole Role,
    [property: Id(2)] string Dataspace,
    [property: Id(3)] string? Dataset,
    [property: Id(4)] string Group)
{
    /// <summary>Whether it reaches an object: roles are inherited downwards, from a dataspace to its datasets, never upwards.</summary>
    public bool Covers(Holding holding) =>
        Dataspace == Dataspaces.Platform || (holding.Dataspace == Dataspace && (Dataset is null || holding.Dataset == Dataset));
}

/// <summary>All roles that somebody holds, and his groups; equal where these are equal.</summary>
/// <param name="All">Ordered by id.</param>
[GenerateSerializer, Immutable, Alias("datahub.HeldGrants")]
public sealed record HeldGrants([property: Id(0)] HeldGrant[] All)
{
    public static HeldGrants None { get; } = new([]);

    /// <summary>All groups that he is in, <c>{agency}/{group}</c>, whether or not they hold a role; in order.</summary>
    [Id(1)] public string[] Groups { get; init; } = [];

    public bool Administers => Array.Exists(All, grant => grant is { Role: DataspaceRole.Administrator, Dataspace: Dataspaces.Platform });

    public bool Equals(HeldGrants? other) => other is not null && All.AsSpan().SequenceEqual(other.All) && Groups.AsSpan().SequenceEqual(other.Groups);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var grant in All) hash.Add(grant);
        foreach (var group in Groups) hash.Add(group, StringComparer.Ordinal);
        return hash.ToHashCode();
    }
}
