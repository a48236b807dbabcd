using DataHub.Catalog;
using DataHub.Sharing;

namespace DataHub.Feeds;

/// <summary>Rows with some of their fields. Pure.</summary>
internal static class RowFields
{
    /// <summary>The rows with these fields; the others are empty.</summary>
    public static RowBlock Only(CompiledContract contract, RowBlock rows, IReadOnlySet<string> fields)
    {
        if (contract.Fields.All(field => fields.Contains(field.Name))) return rows;
        var empty = RowPacking.Unpack(contract, [.. Enumerable.Repeat((RowPacking.Pack(RowBlock.Empty, 0), (string?)null), rows.Count)]);
        var hasArea = DoorRules.HasAll(contract, fields, FieldRole.Area, FieldRole.Longitude, FieldRole.Latitude);
        return new()
        {
            Count = rows.Count,
            Columns = [.. contract.Fields.Select(field => (fields.Contains(field.Name) ? rows : empty).Columns[field.Ordinal])],
            Areas = hasArea ? rows.Areas : [],
            AreaOf = hasArea ? rows.AreaOf : null,
        };
    }
}
