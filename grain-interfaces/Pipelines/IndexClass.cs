using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// A class of an index. It begins where the one before it ends; the first has no lower end, the last no upper one. All but the
/// last say where they end: <see cref="Below"/> or <see cref="UpTo"/>.
/// </summary>
/// <param name="Label">Its short name in the result, such as <c>1</c>; once per index.</param>
/// <param name="Name">For people.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndexClass")]
public sealed record IndexClass([property: Id(0)] string Label, [property: Id(1)] LocalText Name)
{
    /// <summary>The upper end, which belongs to the next class: x &lt; below.</summary>
    [Id(2)] public double? Below { get; init; }

    /// <summary>The upper end, which belongs to this class: x ≤ upTo.</summary>
    [Id(3)] public double? UpTo { get; init; }
}
