using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>A column of a table that goes from one step of a run to the next; its values lie in a <see cref="Column"/> of the kind that belongs to the type.</summary>
/// <param name="Name">Unique in its table, whatever its case; 1 to <see cref="LongestName"/> characters.</param>
/// <param name="Type">
/// String, number, integer, boolean, date, time or datetime; the other types of Table Schema travel as their text.
/// </param>
[GenerateSerializer, Immutable, Alias("datahub.TableColumn")]
public sealed record TableColumn([property: Id(0)] string Name, [property: Id(1)] FieldType Type)
{
    public const int LongestName = 128;

    /// <summary>The columns that it is computed from by SQL; null where that is not known, or it was not.</summary>
    [Id(2)] public ColumnSource[]? From { get; init; }

    /// <summary>Where its values come from does not make it another column.</summary>
    public bool Equals(TableColumn? other) => other is not null && Name == other.Name && Type == other.Type;

    public override int GetHashCode() => HashCode.Combine(Name, Type);

    /// <summary>How its values lie in memory.</summary>
    public ColumnKind Kind => CompiledField.KindOf(Type);

    /// <summary>The type as which values of a field travel through a pipeline.</summary>
    public static FieldType Travelling(FieldType type) => type switch
    {
        FieldType.Number or FieldType.Integer or FieldType.Boolean or FieldType.Date or FieldType.Time or FieldType.DateTime => type,
        FieldType.Year => FieldType.Integer,
        _ => FieldType.String,
    };
}
