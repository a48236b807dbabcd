namespace DataHub.Catalog;

/// <summary>
/// Who asks. Every grain call that a person or a program outside the hub causes carries one, so that the grain that
/// holds the data decides (design I7): what the caller claims to hold is settled here, at most half a second old, and
/// what it means for a dataset is decided there. Finer rights add members here and no parameter anywhere.
/// </summary>
/// <param name="Agency">Id of the agency the key belongs to; null for the public and for people.</param>
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

    /// <summary>Somebody without a key who has not signed in.</summary>
    public static Caller Public { get; } = new(null, KeyRole.None, null);

    /// <summary>The hub itself: one grain calling another while doing its own work.</summary>
    public static Caller Hub { get; } = new(PlatformAgency, KeyRole.Admin, "hub");

    /// <summary>Who has signed in, or a machine with a token: issuer and subject as <see cref="Subjects"/> writes them; null for keys and the public.</summary>
    [Id(3)] public string? Person { get; init; }

    /// <summary>The person's groups, and the roles that they hold.</summary>
    public HeldGrants Grants
    {
        get => _grants ?? HeldGrants.None;
        init => _grants = value is { All.Length: 0, Groups.Length: 0 } ? null : value;
    }

    // Null for none: what comes from a part of the hub that knows no grants has none.
    [Id(4)]
    private readonly HeldGrants? _grants;

    /// <summary>What a key is narrowed to; null: all that its role allows.</summary>
    [Id(5)] public KeyScope? Scope { get; init; }

    /// <summary>What the caller says of this one request; null: nothing. Only for those who are known.</summary>
    [Id(6)] public StatedUse? Use { get; init; }

    public bool IsPublic => Agency is null && Person is null;

    /// <summary>Administers the platform without being narrowed to anything.</summary>
    public bool IsPlatformAdmin => (Agency == PlatformAgency && Role == KeyRole.Admin && Scope is null) || Grants.Administers;

    /// <summary>What stands as the key in receipts of acts: the key's id, of people who have signed in <c>person:{…}</c>; null for the public.</summary>
    public string? ActingKey => KeyId ?? (Person is null ? null : Subject);

    /// <summary>Who it was, for logs and audit: <c>key:{agency}.{key id}</c>, <c>person:{…}</c>, <c>hub</c> or <c>public</c>.</summary>
    public string Subject =>
        Person is not null ? "person:" + Person
        : this == Hub ? "hub"
        : Agency is not null ? $"key:{Agency}.{KeyId}"
        : "public";
}
