using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

/// <summary>
/// Knows for a grain which agreements about a dataset are in force. What it says is a quarter of a second old at most, so
/// that a revocation is felt well within a second; a decision in between costs no call.
/// </summary>
internal sealed partial class AgreementsInForce(IGrainFactory grains, string dataset, TimeProvider time, ILogger logger)
{
    /// <summary>How long it is believed what was asked.</summary>
    public static readonly TimeSpan Holds = TimeSpan.FromMilliseconds(250);

    private const int Page = 1_000;

    private (AgreementInForce[] Agreements, long Asked)? _known;
    private Task<(AgreementInForce[] Agreements, long Asked)>? _asking;

    /// <summary>In the order of their ids.</summary>
    public async ValueTask<AgreementInForce[]> GetAsync()
    {
        while (true)
        {
            if (_known is { } known && time.GetElapsedTime(known.Asked) < Holds) return known.Agreements;

            // All who ask meanwhile wait for one answer; it is as old as the question.
            var asking = _asking ??= AskAllAsync();
            try
            {
                _known = await asking;
            }
            finally
            {
                if (_asking == asking) _asking = null;
            }

            if (time.GetElapsedTime(_known.Value.Asked) < 2 * Holds) return _known.Value.Agreements;
        }
    }

    /// <summary>An agreement as it stands now; null where it is not in force, or cannot say.</summary>
    public async Task<AgreementInForce?> AskAsync(string agreement)
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

    private async Task<(AgreementInForce[] Agreements, long Asked)> AskAllAsync()
    {
        await Task.Yield();
        var asked = time.GetTimestamp();
        var ids = new List<string>();
        for (string? after = null; ;)
        {
            var page = await grains.GetGrain<ICatalogGrain>(CatalogKinds.AgreementsOn(dataset)).ListAsync(Caller.Hub, after, Page);
            ids.AddRange(page);
            if (page.Length < Page) break;
            after = page[^1];
        }

        // One that cannot say is not in force, and the others are not touched by it.
        return ([.. (await Task.WhenAll(ids.Select(AskAsync))).OfType<AgreementInForce>()], asked);
    }

    [LoggerMessage(1276, LogLevel.Error, "Agreement {Agreement} does not say what it allows: it allows nothing meanwhile")]
    private static partial void LogSilent(ILogger logger, Exception exception, string agreement);
}
