using System.Globalization;

namespace DataHub.Feeds;

/// <summary>The keys of partitions (and of their streams): <c>{dataset}/{number}</c>.</summary>
public static class PartitionKeys
{
    public static string Of(string dataset, int number) => string.Create(CultureInfo.InvariantCulture, $"{dataset}/{number}");

    public static string Dataset(string partition) => partition[..partition.LastIndexOf('/')];

    public static int Number(string partition) => int.Parse(partition.AsSpan(partition.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture);
}
