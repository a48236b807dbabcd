using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// The rows of a dataset as a table: the fields in the contract's order; where the dataset has an area system, <c>@area</c>
/// is the area a row was resolved to.
/// </summary>
internal static class RowsTable
{
    public const string Area = "@area";

    /// <param name="pathBase">Stands before the paths that the metadata names.</param>
    public static AnswerMetadata Metadata(DatasetInfo dataset, string pathBase)
    {
        var path = $"{pathBase}/api/v1/datasets/{dataset.Id}";
        var time = Array.Find(dataset.Spec.Schema.Fields, field => field.Role == FieldRole.Time) ?? Array.Find(dataset.Spec.Schema.Fields, field => field.Role == FieldRole.Opened);
        return new("dataset", dataset.Id, dataset.Spec.Title, dataset.Spec.Publisher, dataset.Spec.License, time?.TimeZone ?? CompiledContract.DefaultTimeZone, path, path + "/csvw")
        {
            Contract = dataset.ContractVersion,
            AreaSystem = dataset.Spec.AreaSystem,
            AreaVersion = dataset.Spec.AreaSystem is null ? null : dataset.AreaVersion,
            FileName = dataset.Id,
        };
    }

    /// <summary>The columns of a dataset's rows.</summary>
    public static FieldSpec[] Fields(DatasetInfo dataset) =>
        dataset.Spec.AreaSystem is null ? dataset.Spec.Schema.Fields : [.. dataset.Spec.Schema.Fields, AnswerTable.Field(Area, FieldType.String)];

    public static AnswerTable Of(RowsResult result, AnswerMetadata metadata)
    {
        var (dataset, rows) = (result.Dataset!, result.Rows!);
        var columns = rows.Columns;
        if (dataset.Spec.AreaSystem is not null)
        {
            var areas = new string?[rows.Count];
            for (var row = 0; row < areas.Length; row++) areas[row] = rows.AreaId(row);
            columns = [.. columns, Column.OfTexts(areas)];
        }

        return new() { Fields = Fields(dataset), Columns = columns, Count = rows.Count, Metadata = metadata };
    }
}
