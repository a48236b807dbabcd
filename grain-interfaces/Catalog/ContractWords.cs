namespace DataHub.Catalog;

/// <summary>The words of Table Schema and of the public interface for what contracts are made of.</summary>
public static class ContractWords
{
#pragma warning disable CA1308 // these words are lower case
    /// <summary><c>yearmonth</c>, <c>observations</c>, <c>dimension</c>, ….</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
