namespace DataHub.Pipelines;

/// <summary>The stable words of notes.</summary>
public static class RecipeNotes
{
    /// <summary>How many rows were ranked.</summary>
    public const string Rows = "rows";

    /// <summary>How many rows were left out for one reason.</summary>
    public const string Excluded = "excluded";

    /// <summary>By what the values of an indicator or a sum were made comparable.</summary>
    public const string Standardised = "standardised";

    /// <summary>The previous edition has classes that this recipe does not know.</summary>
    public const string UnknownClass = "unknown-class";

    /// <summary>Values are missing; they count in no total.</summary>
    public const string ValueMissing = "value-missing";

    /// <summary>Values of old areas were distributed to new ones.</summary>
    public const string Distributed = "distributed";
}
