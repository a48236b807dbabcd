namespace DataHub.Catalog;

/// <summary>What a key is narrowed to, beside its role. A null member narrows nothing.</summary>
/// <param name="Operations">Rights that the key may use; those that its role lacks it does not gain.</param>
/// <param name="Datasets">Ids; other datasets of the agency are out of its reach, new ones cannot be made.</param>
/// <param name="Feeds"><c>{dataset}/{feed}</c>: pushes go to these only.</param>
[GenerateSerializer, Immutable, Alias("datahub.KeyScope")]
public sealed record KeyScope(
    [property: Id(0)] AccessRights? Operations,
    [property: Id(1)] string[]? Datasets,
    [property: Id(2)] string[]? Feeds)
{
    /// <summary>Longest lists.</summary>
    public const int MaxEntries = 100;

    /// <summary>Whether a right may be used on an object.</summary>
    /// <param name="feed">Into which rows are pushed; null where it is not about a feed.</param>
    public bool Admits(AccessRights right, Holding holding, string? feed)
    {
        if (Operations is { } operations && (operations & right) == 0) return false;
        if (Datasets is not null && (holding.Dataset is null || !Datasets.Contains(holding.Dataset, StringComparer.Ordinal))) return false;
        if (Feeds is null) return true;
        if (holding.Dataset is null) return false;
        return feed is null
            ? Array.Exists(Feeds, one => one.AsSpan(0, one.IndexOf('/', StringComparison.Ordinal)).SequenceEqual(holding.Dataset))
            : Feeds.Contains($"{holding.Dataset}/{feed}", StringComparer.Ordinal);
    }

    public bool Equals(KeyScope? other) =>
        other is not null && Operations == other.Operations && Same(Datasets, other.Datasets) && Same(Feeds, other.Feeds);

    public override int GetHashCode() => HashCode.Combine(Operations, Datasets?.Length, Feeds?.Length);

    private static bool Same(string[]? a, string[]? b) => (a is null) == (b is null) && a.AsSpan().SequenceEqual(b);
}
