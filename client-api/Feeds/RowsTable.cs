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

    /// <summary>The same with each row's geometry: its own point or geometry, else that of its area.</summary>
    /// <param name="tree">Of the version that stands; null where there is none.</param>
    public static AnswerTable WithGeometry(AnswerTable table, RowsResult result, AreaTree? tree)
    {
        var (fields, rows) = (result.Dataset!.Spec.Schema.Fields, result.Rows!);
        var (longitude, latitude) = (Of(field => field.Role == FieldRole.Longitude), Of(field => field.Role == FieldRole.Latitude));
        var (point, geometry) = (Of(field => field.Type == FieldType.GeoPoint), Of(field => field.Type == FieldType.GeoJson && field.Format is null or "default"));
        var areas = AnswerGeoJson.Areas(tree);
        return new() { Fields = table.Fields, Columns = table.Columns, Count = table.Count, Metadata = table.Metadata, Geometry = OfRow };

        int Of(Predicate<FieldSpec> which) => Array.FindIndex(fields, which);

        bool Has(int field, int row) => field >= 0 && !rows.Columns[field].IsNull(row);

        byte[]? OfRow(int row)
        {
            if (Has(longitude, row) && Has(latitude, row))
                return AnswerGeoJson.Point($"{AnswerText.Of(fields[longitude], rows.Columns[longitude], row)},{AnswerText.Of(fields[latitude], rows.Columns[latitude], row)}");
            if (Has(point, row)) return AnswerGeoJson.Point(rows.Columns[point].Texts![row]!);
            if (Has(geometry, row) && AnswerGeoJson.GeometryOf(rows.Columns[geometry].Texts![row]!) is { } own) return own;
            return areas(rows.AreaId(row));
        }
    }
}
