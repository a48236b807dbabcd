namespace DataHub.Catalog;

/// <summary>One value as it lies in a column of its field's kind; the other members mean nothing.</summary>
#pragma warning disable CA1051 // a value that is handed on in registers, one per cell of a push
public struct FieldValue
{
    public string? Text;
    public double Number;

    /// <summary>Also booleans: 0 or 1.</summary>
    public long Integer;
}
#pragma warning restore CA1051

/// <summary>Why a value was not taken.</summary>
/// <param name="Code">A word of <see cref="Feeds.RowErrorCodes"/>; null: it was taken.</param>
/// <param name="Expected">What would have been right, in the code's own terms.</param>
public readonly record struct FieldFault(string? Code, string? Expected = null)
{
    public static FieldFault None => default;

    public bool IsNone => Code is null;
}
