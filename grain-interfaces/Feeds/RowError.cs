namespace DataHub.Feeds;

/// <summary>Why a row was quarantined.</summary>
/// <param name="Row">Number of the row in the push, counted from 1.</param>
/// <param name="Field">Name of the field, or null where the whole row is meant.</param>
/// <param name="Code">A stable word; all are listed in <c>RowErrorCodes</c>.</param>
/// <param name="Expected">What would have been right, in the code's own terms, such as <c>2000</c> for above-maximum.</param>
/// <param name="Value">What stood there, shortened to 100 characters, masked for personal fields; null where nothing stood there.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowError")]
public sealed record RowError(
    [property: Id(0)] int Row,
    [property: Id(1)] string? Field,
    [property: Id(2)] string Code,
    [property: Id(3)] string? Expected,
    [property: Id(4)] string? Value)
{
    /// <summary>What stands instead of a value of a personal field.</summary>
    public const string Masked = "•••";
}

/// <summary>A row that did not pass, kept as it came.</summary>
/// <param name="Row">Number in the push, counted from 1.</param>
/// <param name="Errors">At least one.</param>
/// <param name="Raw">The row as JSON text: what the agency sent, field by field.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantinedRow")]
public sealed record QuarantinedRow([property: Id(0)] int Row, [property: Id(1)] RowError[] Errors, [property: Id(2)] string Raw)
{
    /// <summary>What stands instead of the content of a row that was erased; a row that came has at least two characters of JSON.</summary>
    public const string ErasedRaw = "";

    /// <summary>Its content was erased (design §2.3); row number, fields and codes of its errors are left.</summary>
    public bool IsErased => Raw.Length == 0;
}
