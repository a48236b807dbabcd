namespace DataHub.Catalog;

/// <summary>Whether somebody may use a right on an object, and why. The same rules decide and explain.</summary>
/// <param name="Because">Through what it is allowed; <see cref="AccessReason.Nothing"/>: it is not.</param>
/// <param name="Reference">Id of the key or grant; null where the reason needs none.</param>
/// <param name="Missing">What would be needed; null where it is allowed.</param>
[GenerateSerializer, Immutable, Alias("datahub.AccessDecision")]
public sealed record AccessDecision(
    [property: Id(0)] AccessRights Right,
    [property: Id(1)] AccessReason Because,
    [property: Id(2)] string? Reference,
    [property: Id(3)] LocalText? Missing)
{
    public bool IsAllowed => Because != AccessReason.Nothing;
}

/// <summary>Through what something is allowed.</summary>
public enum AccessReason
{
    /// <summary>It is not: what nothing allows is denied.</summary>
    Nothing = 0,

    /// <summary>It is open to everybody.</summary>
    Openness = 1,

    /// <summary>A key of the agency that it belongs to.</summary>
    Key = 2,

    /// <summary>A role that a group of the person holds.</summary>
    Grant = 3,

    /// <summary>The platform is administered by the key or the person.</summary>
    Platform = 4,

    /// <summary>The hub itself does it.</summary>
    Hub = 5,

    /// <summary>A sharing agreement with the agency that it belongs to, for a purpose that it names.</summary>
    Agreement = 6,
}
