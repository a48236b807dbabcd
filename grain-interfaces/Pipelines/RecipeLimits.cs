namespace DataHub.Pipelines;

/// <summary>Ceilings for recipes and the tables given to them.</summary>
public static class RecipeLimits
{
    public const int Rows = 1_000_000;
    public const int Indices = 20;

    /// <summary>Of one index.</summary>
    public const int Indicators = 50;

    /// <summary>Of one index.</summary>
    public const int Classes = 20;

    public const int CrossClasses = 20;

    /// <summary>Of one cross class.</summary>
    public const int CrossParts = 4;

    public const int Exclusions = 50;
    public const int CarriedColumns = 50;
    public const int GroupColumns = 10;

    /// <summary>Characters of an id.</summary>
    public const int IdLength = 40;

    /// <summary>Characters of a text for people, a label, or a value that is compared with.</summary>
    public const int TextLength = 500;

    /// <summary>Bytes of a recipe's JSON.</summary>
    public const int JsonBytes = 256 * 1024;

    /// <summary>Problems that are told at once.</summary>
    public const int Problems = 100;

    public const double GreatestWeight = 1_000_000;

    /// <summary>By how much shares of one old area may miss 1: they are decimal fractions that no double holds.</summary>
    public const double ShareTolerance = 1e-9;
}
