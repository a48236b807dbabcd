namespace DataHub.Catalog;

/// <summary>
/// Who asks. Every grain call that a person or a program outside the hub causes carries one, so that the grain that
/// holds the data decides (design I7). Finer rights add members here and no parameter anywhere.
/// </summary>
/// <param name="Agency">Id of the agency the key belongs to; null for the public.</param>
/// <param name="Role">What the key may do for its agency.</param>
/// <param name="KeyId">The public part of the key, for logs and audit; never the secret.</param>
[GenerateSerializer, Immutable, Alias("datahub.Caller")]
public sealed record Caller(
    [property: Id(0)] string? Agency,
    [property: Id(1)] KeyRole Role,
    [property: Id(2)] string? KeyId)
{
    /// <summary>The agency that runs the hub; its admin keys administer the platform.</summary>
    public const string PlatformAgency = "platform";

    /// <summary>Somebody without a key.</summary>
    public static Caller Public { get; } = new(null, KeyRole.None, null);

    /// <summary>The hub itself: one grain calling another while doing its own work.</summary>
    public static Caller Hub { get; } = new(PlatformAgency, KeyRole.Admin, "hub");

    public bool IsPlatformAdmin => Agency == PlatformAgency && Role == KeyRole.Admin;
}
