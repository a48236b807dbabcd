using DataHub.Catalog;

namespace DataHub.Support;

/// <summary>Puts datasets into a hub beside the public routes.</summary>
internal static class Datasets
{
    /// <summary>The dataset of design §5 (without an area system unless one is named), published by an agency of its own.</summary>
    public static Task<DatasetInfo> PutAirQualityAsync(this HubFixture hub, string dataset, string publisher, int partitions = 1, string? areaSystem = null, AccessClass access = AccessClass.Open) =>
        hub.PutDatasetAsync(dataset, publisher, DatasetKind.Observations, Contracts.AirQuality.Schema, partitions, areaSystem, access);

    public static async Task<DatasetInfo> PutDatasetAsync(
        this HubFixture hub, string dataset, string publisher, DatasetKind kind, TableSchema schema, int partitions = 1, string? areaSystem = null, AccessClass access = AccessClass.Open)
    {
        var result = await hub.Grains.GetGrain<IDatasetGrain>(dataset).PutAsync(Caller.Hub, new(
            new(dataset, null), publisher, kind, access, "dl-de/by-2-0", areaSystem, schema, null)
        { Partitions = partitions, LegalBasis = "Art. 6 Abs. 1 lit. e DSGVO" });
        Assert.True(result.Refusal == CatalogRefusal.None, $"{result.Detail?.De} {string.Join(' ', result.Problems.Select(p => p.Detail.De))}");
        return result.Dataset!.State == ReleaseState.Available ? result.Dataset : await hub.ReleaseAsync(dataset);
    }

    /// <summary>Four eyes release a dataset: what has personal fields is not available before.</summary>
    public static async Task<DatasetInfo> ReleaseAsync(this HubFixture hub, string dataset)
    {
        var grain = hub.Grains.GetGrain<IDatasetGrain>(dataset);
        DatasetResult? result = null;
        foreach (var (key, to) in new[] { ("first", ReleaseState.Draft), ("first", ReleaseState.Ready), ("second", ReleaseState.Available) })
        {
            result = await grain.MoveAsync(new(Caller.PlatformAgency, KeyRole.Admin, key), to);
            Assert.True(result.Refusal == CatalogRefusal.None, result.Detail?.De);
        }

        return result!.Dataset!;
    }
}
