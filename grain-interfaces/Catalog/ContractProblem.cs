namespace DataHub.Catalog;

/// <summary>One thing that is wrong with a schema.</summary>
/// <param name="Field">Name of the field, or null where the whole schema is meant.</param>
/// <param name="Code">A stable word of <see cref="ContractCodes"/>.</param>
/// <param name="Detail">What is wrong and what to do.</param>
[GenerateSerializer, Immutable, Alias("datahub.ContractProblem")]
public sealed record ContractProblem([property: Id(0)] string? Field, [property: Id(1)] string Code, [property: Id(2)] LocalText Detail);

/// <summary>The stable words that say what is wrong with a schema.</summary>
public static class ContractCodes
{
    public const string NoFields = "no-fields";
    public const string TooManyFields = "too-many-fields";
    public const string InvalidName = "invalid-name";
    public const string DuplicateField = "duplicate-field";
    public const string NoPrimaryKey = "no-primary-key";
    public const string TooManyKeyFields = "too-many-key-fields";
    public const string UnknownKeyField = "unknown-key-field";
    public const string DuplicateKeyField = "duplicate-key-field";
    public const string KeyFieldType = "key-field-type";
    public const string KeyFieldRole = "key-field-role";
    public const string NoTimeField = "no-time-field";
    public const string RoleTwice = "role-twice";
    public const string RoleType = "role-type";
    public const string RoleKind = "role-kind";
    public const string PointIncomplete = "point-incomplete";
    public const string InvalidFormat = "invalid-format";
    public const string InvalidTimeZone = "invalid-time-zone";
    public const string InvalidNumberFormat = "invalid-number-format";
    public const string InvalidWords = "invalid-words";
    public const string InvalidUnit = "invalid-unit";
    public const string InvalidMaxFuture = "invalid-max-future";
    public const string ConstraintType = "constraint-type";
    public const string InvalidBound = "invalid-bound";
    public const string InvalidPattern = "invalid-pattern";
    public const string InvalidEnum = "invalid-enum";

    /// <summary>A change that would give rows already stored another meaning.</summary>
    public const string BreakingChange = "breaking-change";
}
