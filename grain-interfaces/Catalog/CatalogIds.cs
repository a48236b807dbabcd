namespace DataHub.Catalog;

/// <summary>Ids of agencies, datasets, feeds, indicators and area systems: <c>[a-z0-9][a-z0-9-]{0,62}</c>.</summary>
public static class CatalogIds
{
    /// <summary>Longest id, in characters.</summary>
    public const int MaxLength = 63;

    /// <summary>What an id may look like, for messages.</summary>
    public const string Pattern = "[a-z0-9][a-z0-9-]{0,62}";

    public static bool IsValid(string? id)
    {
        if (id is null || id.Length is 0 or > MaxLength || id[0] == '-') return false;
        foreach (var c in id)
        {
            if (c is not (>= 'a' and <= 'z' or >= '0' and <= '9' or '-')) return false;
        }

        return true;
    }
}
