using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

/// <summary>Asks which agreements about a dataset are in force.</summary>
internal static partial class AgreementsInForce
{
    private const int Page = 1_000;

    /// <summary>In the order of their ids. One that cannot say is not in force, and the others are not touched by it.</summary>
    public static async Task<AgreementInForce[]> OnAsync(IGrainFactory grains, string dataset, ILogger logger)
    {
        var ids = new List<string>();
        for (string? after = null; ;)
        {
            var page = await grains.GetGrain<ICatalogGrain>(CatalogKinds.AgreementsOn(dataset)).ListAsync(Caller.Hub, after, Page);
            ids.AddRange(page);
            if (page.Length < Page) break;
            after = page[^1];
        }

        return [.. (await Task.WhenAll(ids.Select(id => AskAsync(grains, id, logger)))).OfType<AgreementInForce>()];
    }

    /// <summary>The agreement as it stands now; null where it is not in force, or cannot say.</summary>
    public static async Task<AgreementInForce?> AskAsync(IGrainFactory grains, string agreement, ILogger logger)
    {
        try
        {
            return await grains.GetGrain<ISharingAgreementGrain>(agreement).InForceAsync(Caller.Hub);
        }
        catch (Exception e)
        {
            LogSilent(logger, e, agreement);
            return null;
        }
    }

    [LoggerMessage(1273, LogLevel.Error, "Agreement {Agreement} does not say what it allows: it allows nothing meanwhile")]
    private static partial void LogSilent(ILogger logger, Exception exception, string agreement);
}
