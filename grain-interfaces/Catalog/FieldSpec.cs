namespace DataHub.Catalog;

/// <summary>One field of a Table Schema, as the agency wrote it.</summary>
/// <param name="Name">Unique in the schema; the member name in JSON and the header in CSV.</param>
/// <param name="Type">Default string.</param>
/// <param name="Format">Table Schema format (<c>default</c>, <c>any</c>, a strptime pattern, <c>email</c>, …) or null.</param>
/// <param name="Role">What the field means to the hub.</param>
/// <param name="Unit">UCUM code of a measure, or null.</param>
/// <param name="TimeZone">IANA zone of times written without an offset; null refuses them.</param>
/// <param name="Title">For people.</param>
[GenerateSerializer, Immutable, Alias("datahub.FieldSpec")]
public sealed record FieldSpec(
    [property: Id(0)] string Name,
    [property: Id(1)] FieldType Type,
    [property: Id(2)] string? Format,
    [property: Id(3)] FieldRole Role,
    [property: Id(4)] FieldConstraints Constraints,
    [property: Id(5)] string? Unit,
    [property: Id(6)] string? TimeZone,
    [property: Id(7)] LocalText? Title)
{
    /// <summary>Table Schema <c>trueValues</c>/<c>falseValues</c>; null means the standard's defaults.</summary>
    [Id(8)] public string[]? TrueValues { get; init; }

    /// <inheritdoc cref="TrueValues"/>
    [Id(9)] public string[]? FalseValues { get; init; }

    /// <summary>Table Schema <c>decimalChar</c>; null means a point.</summary>
    [Id(10)] public string? DecimalChar { get; init; }

    /// <summary>Table Schema <c>groupChar</c>; null means none.</summary>
    [Id(11)] public string? GroupChar { get; init; }

    /// <summary>Table Schema <c>bareNumber</c>; false allows leading and trailing text such as <c>€</c> or <c>%</c>.</summary>
    [Id(12)] public bool BareNumber { get; init; } = true;

    /// <summary>For people.</summary>
    [Id(13)] public LocalText? Description { get; init; }
}

/// <summary>Table Schema constraints. Bounds are kept as written (JSON text) and compiled to the field's type.</summary>
[GenerateSerializer, Immutable, Alias("datahub.FieldConstraints")]
public sealed record FieldConstraints(
    [property: Id(0)] bool Required = false,
    [property: Id(1)] bool Unique = false,
    [property: Id(2)] int? MinLength = null,
    [property: Id(3)] int? MaxLength = null,
    [property: Id(4)] string? Minimum = null,
    [property: Id(5)] string? Maximum = null,
    [property: Id(6)] string? Pattern = null,
    [property: Id(7)] string[]? Enum = null)
{
    public static FieldConstraints None { get; } = new();
}
