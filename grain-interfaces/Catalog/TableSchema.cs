namespace DataHub.Catalog;

/// <summary>A dataset's contract as the agency wrote it: Frictionless Table Schema with roles (design §5).</summary>
/// <param name="Version">1 for the first; raised by one with every change that is taken.</param>
/// <param name="Fields">In order; a field's place is its ordinal everywhere in the hub.</param>
/// <param name="PrimaryKey">Names of the key's fields, in order; at least one.</param>
/// <param name="MissingValues">Texts that mean null in CSV; the standard's default is the empty text.</param>
[GenerateSerializer, Immutable, Alias("datahub.TableSchema")]
public sealed record TableSchema(
    [property: Id(0)] int Version,
    [property: Id(1)] FieldSpec[] Fields,
    [property: Id(2)] string[] PrimaryKey,
    [property: Id(3)] string[] MissingValues)
{
    /// <summary>How far ahead of the hub's clock a row's time may lie (design §4, default one day).</summary>
    [Id(4)] public TimeSpan MaxFuture { get; init; } = TimeSpan.FromDays(1);
}
