using System.Text.Json.Serialization;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// A text column with the id of the area in which each row lies, in the version of the area system that the run pins. By a
/// point (<see cref="Lon"/> and <see cref="Lat"/>): decided as for rows that are pushed, so a point on a boundary lies in
/// the smallest id of those that share it. By an id (<see cref="Column"/>): the area itself or one above it. By an address
/// (<see cref="Address"/>) that a register knows. Rows without point, id or address have no area; those whose point, id or
/// address is in no area of the level, or not in the register, or there in several areas, have none either and are counted.
/// </summary>
/// <param name="Input">Id of the step whose table it is.</param>
/// <param name="AreaSystem">Its id.</param>
/// <param name="Into">Name of the new column, the last one.</param>
[GenerateSerializer, Immutable, Alias("datahub.PlaceStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PlaceStep([property: Id(0), JsonRequired] string Input, [property: Id(1), JsonRequired] string AreaSystem, [property: Id(2), JsonRequired] string Into)
{
    /// <summary>Column with the longitude, WGS 84, degrees.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Lon { get; init; }

    /// <summary>Column with the latitude, WGS 84, degrees.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Lat { get; init; }

    /// <summary>Column with ids of areas, instead of a point.</summary>
    [Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Column { get; init; }

    /// <summary>Of the area that is wanted, 0 is the coarsest; null: the finest that has the point, or the very area of the id.</summary>
    [Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Level { get; init; }

    /// <summary>Rows that may get no area although they say where they lie, 0 to 1,000,000,000; beyond that the step fails. Null: all may.</summary>
    [Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public long? MaxOutside { get; init; }

    /// <summary>Columns with an address, and the register that knows where it is; instead of a point.</summary>
    [Id(8), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public PlaceAddress? Address { get; init; }
}

/// <summary>The version of an area system that a step places rows with.</summary>
[GenerateSerializer, Immutable, Alias("datahub.PinnedAreas")]
public sealed record PinnedAreas([property: Id(0)] string Step, [property: Id(1)] string System, [property: Id(2)] int Version);
