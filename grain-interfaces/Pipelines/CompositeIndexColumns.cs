namespace DataHub.Pipelines;

/// <summary>What the columns of a composite index's result are called.</summary>
internal static class CompositeIndexColumns
{
    /// <summary>Why a row is not ranked, in German; null: it is ranked.</summary>
    public const string Excluded = "excluded";

    /// <summary>The same in English.</summary>
    public const string ExcludedEn = "excluded_en";

    /// <summary>How a row stands to the previous edition: a word of <see cref="EditionComparison"/>.</summary>
    public const string Comparison = "comparison";

    public static string Standardised(IndexSpec index, string column) => $"{index.Id}_{column}_z";
    public static string Sum(IndexSpec index) => $"{index.Id}_sum";
    public static string Value(IndexSpec index) => $"{index.Id}_value";
    public static string Class(IndexSpec index) => $"{index.Id}_class";
    public static string ClassName(IndexSpec index) => $"{index.Id}_class_name";
    public static string PreviousClass(IndexSpec index) => $"{index.Id}_previous_class";

    /// <summary>Classes moved, in the order of the recipe; above 0: towards the last one.</summary>
    public static string Change(IndexSpec index) => $"{index.Id}_change";

    /// <summary>Value now − value of the previous edition.</summary>
    public static string ValueChange(IndexSpec index) => $"{index.Id}_value_change";
}
