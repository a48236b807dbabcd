using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub;

/// <summary>An answer as a table: what CSV, NDJSON, GeoJSON and Parquet are written from, so that all of them hold the same values.</summary>
internal sealed class AnswerTable
{
    /// <summary>What the columns hold.</summary>
    public required FieldSpec[] Fields { get; init; }

    /// <summary>One for each field, in its form in memory.</summary>
    public required Column[] Columns { get; init; }

    /// <summary>How many rows.</summary>
    public required int Count { get; init; }

    public required AnswerMetadata Metadata { get; init; }

    /// <summary>The geometry of a row as GeoJSON text; null where it has none. Only asked for GeoJSON.</summary>
    public Func<int, byte[]?> Geometry { get; init; } = _ => null;

    /// <summary>A field of the hub's own, beside those of a contract.</summary>
    public static FieldSpec Field(string name, FieldType type, string? unit = null) => new(name, type, null, FieldRole.None, FieldConstraints.None, unit, null, null);

    /// <summary>Some of the columns, in their order; the geometry stays.</summary>
    /// <param name="which">For each column whether it is among them; null: all are.</param>
    public AnswerTable Only(bool[]? which) => which is null ? this : new()
    {
        Fields = [.. Fields.Where((_, column) => which[column])],
        Columns = [.. Columns.Where((_, column) => which[column])],
        Count = Count,
        Metadata = Metadata,
        Geometry = Geometry,
    };
}
