namespace DataHub.Catalog;

/// <summary>What somebody says a request is for, and from where it comes: what sharing agreements ask.</summary>
/// <param name="Purpose">Id of a purpose of an agreement, as the caller says; kept in the record.</param>
/// <param name="Address">The address that asks; null where it is not known.</param>
[GenerateSerializer, Immutable, Alias("datahub.StatedUse")]
public sealed record StatedUse([property: Id(0)] string Purpose, [property: Id(1)] string? Address)
{
    /// <summary>Longest purpose, in characters.</summary>
    public const int MaxPurpose = 100;
}
