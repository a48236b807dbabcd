namespace DataHub.Pipelines;

/// <summary>The stable words that say what is wrong with a recipe or its tables.</summary>
public static class RecipeCodes
{
    // The text of a recipe.
    public const string NotJson = "not-json";
    public const string UnknownMember = "unknown-member";
    public const string MissingMember = "missing-member";
    public const string DuplicateMember = "duplicate-member";
    public const string WrongType = "wrong-type";
    public const string UnknownWord = "unknown-word";

    // What it says.
    public const string InvalidName = "invalid-name";
    public const string TooFew = "too-few";
    public const string TooMany = "too-many";
    public const string Duplicate = "duplicate";
    public const string ConditionIncomplete = "condition-incomplete";
    public const string InvalidNumber = "invalid-number";
    public const string InvalidBound = "invalid-bound";
    public const string NotAscending = "not-ascending";
    public const string UnknownReference = "unknown-reference";
    public const string MemberTogether = "member-together";

    // The tables given to it.
    public const string UnknownColumn = "unknown-column";
    public const string ColumnType = "column-type";
    public const string TooManyRows = "too-many-rows";
    public const string MissingKey = "missing-key";
    public const string DuplicateKey = "duplicate-key";
    public const string ValueOutOfRange = "value-out-of-range";
    public const string TooFewRows = "too-few-rows";
    public const string NoSpread = "no-spread";
    public const string SharesNotOne = "shares-not-one";
    public const string UnknownArea = "unknown-area";
}
