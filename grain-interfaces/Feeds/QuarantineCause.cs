namespace DataHub.Feeds;

/// <summary>
/// Why a row was quarantined, as a text by which rows are grouped: its errors as <c>field:code</c>, each once, in ordinal
/// order, joined by <c>+</c>; an error of the whole row has no field (<c>:malformed-row</c>). Beyond five, how many more.
/// </summary>
public static class QuarantineCause
{
    private const int MostTold = 5;

    public static string Of(QuarantinedRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Errors.Length == 1) return Of(row.Errors[0]);
        var causes = row.Errors.Select(Of).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        return causes.Length <= MostTold
            ? string.Join('+', causes)
            : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{string.Join('+', causes[..MostTold])}+{causes.Length - MostTold}");
    }

    /// <summary>What stood in the field, where the row has one error and it may be told; else null.</summary>
    public static string? Value(QuarantinedRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.Errors is [{ Value: { } value }] && value != RowError.Masked ? value : null;
    }

    private static string Of(RowError error) => $"{error.Field}:{error.Code}";
}
