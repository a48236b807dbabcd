using System.Text.Json.Serialization;

namespace DataHub.Pipelines;

/// <summary>
/// The columns of a table that make an address, and the register that says where it is. Addresses are compared in one form
/// (<c>AddressRules</c>): case does not matter, nor whether a blank, a hyphen or a dot is between two words, ß is ss, Str. is
/// Straße, umlauts stay; <c>12 a</c> is <c>12A</c>. A range such as <c>12-14</c> is looked for as such, then by its first and last number, and those of the two
/// that the register has must lie in one area. Who says a postcode is found with it only. An address that the register has in
/// several areas has none: which one is not guessed.
/// </summary>
/// <param name="Street">Column with the name of the street, without the number. Rows without one do not say where they lie.</param>
/// <param name="Number">Column with the number of the house, a text or an integer. Without a value: the address that the register has without one.</param>
/// <param name="Register">Where addresses are.</param>
[GenerateSerializer, Immutable, Alias("datahub.PlaceAddress"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PlaceAddress([property: Id(0), JsonRequired] string Street, [property: Id(1), JsonRequired] string Number, [property: Id(2), JsonRequired] PlaceRegister Register)
{
    /// <summary>Column with what follows the number, such as <c>a</c>; null: it stands in <see cref="Number"/>.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Suffix { get; init; }

    /// <summary>Column with the postcode, a text or an integer, if the register has one too; a row without a value is looked for under all.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Postcode { get; init; }
}

/// <summary>
/// An earlier step's table of addresses, at most <see cref="JobLimits.RegisterRows"/>; its version is what that step reads.
/// Either <see cref="Area"/> or a point (<see cref="Lon"/> and <see cref="Lat"/>) says where an address is.
/// </summary>
/// <param name="Table">Id of the step whose table it is.</param>
/// <param name="Street">Column with the name of the street.</param>
/// <param name="Number">Column with the number of the house.</param>
[GenerateSerializer, Immutable, Alias("datahub.PlaceRegister"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PlaceRegister([property: Id(0), JsonRequired] string Table, [property: Id(1), JsonRequired] string Street, [property: Id(2), JsonRequired] string Number)
{
    /// <summary>Column with what follows the number; null: it stands in <see cref="Number"/>.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Suffix { get; init; }

    /// <summary>Column with the postcode; null: the register has none.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Postcode { get; init; }

    /// <summary>Column with ids of areas, of the wanted level or below.</summary>
    [Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Area { get; init; }

    /// <summary>Column with the longitude, WGS 84, degrees.</summary>
    [Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Lon { get; init; }

    /// <summary>Column with the latitude, WGS 84, degrees.</summary>
    [Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Lat { get; init; }
}
