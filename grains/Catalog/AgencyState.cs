namespace DataHub.Catalog;

/// <summary>An agency as it is stored.</summary>
/// <param name="Name">Null: the agency does not exist.</param>
/// <param name="Keys">In the order of their making.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgencyState")]
public sealed record AgencyState([property: Id(0)] LocalText? Name, [property: Id(1)] StoredKey[] Keys)
{
    public AgencyState()
        : this(null, [])
    {
    }
}

/// <param name="Hash">SHA-256 of the whole key; the key itself is nowhere.</param>
[GenerateSerializer, Immutable, Alias("datahub.StoredKey")]
public sealed record StoredKey(
    [property: Id(0)] string Id,
    [property: Id(1)] byte[] Hash,
    [property: Id(2)] KeyRole Role,
    [property: Id(3)] string? Label,
    [property: Id(4)] DateTimeOffset Created,
    [property: Id(5)] DateTimeOffset? Revoked)
{
    public KeyInfo Info => new(Id, Role, Label, Created, Revoked);
}
