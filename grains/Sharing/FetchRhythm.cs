using System.Globalization;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

/// <summary>What grains that give something through an agreement do where it names a rhythm.</summary>
internal static partial class FetchRhythm
{
    /// <summary>Begins a fetch, durable, before anything of it is given.</summary>
    /// <param name="agreement">One with a rhythm.</param>
    /// <returns>The fetch, or why it may not begin and for how long.</returns>
    public static async Task<(BegunFetch? Begun, LocalText? TooOften, TimeSpan Wait)> BeginAsync(IGrainFactory grains, AgreementInForce agreement, Caller caller, string operation, string read, ILogger logger)
    {
        var begun = new BegunFetch(agreement.Id, Guid.NewGuid());
        try
        {
            var result = await grains.GetGrain<IAgreementRhythmGrain>(agreement.Id).BeginAsync(Caller.Hub, new(begun.Id, agreement.Terms.Delivery.Rhythm!, caller.Subject, operation, read));
            return result.NotBefore is { } from ? (null, TooOften(agreement, from, result.IsFull), result.Wait) : (begun, null, default);
        }
        catch
        {
            // It may have begun all the same, and nothing is given of it.
            await GiveBackAsync(grains, begun, logger);
            throw;
        }
    }

    /// <summary>Nothing was given of it. Where that cannot be noted the reader waits for the rhythm.</summary>
    public static async Task GiveBackAsync(IGrainFactory grains, BegunFetch begun, ILogger logger)
    {
        try
        {
            await grains.GetGrain<IAgreementRhythmGrain>(begun.Agreement).GiveBackAsync(Caller.Hub, begun.Id);
        }
        catch (Exception e)
        {
            LogNotGivenBack(logger, e, begun.Agreement);
        }
    }

    /// <summary>Why an agreement gives no live stream; null: it does.</summary>
    public static LocalText? StreamFault(AgreementInForce agreement) => agreement.Terms.Delivery.Rhythm is not { } rhythm ? null : new(
        $"Die Vereinbarung „{agreement.Id}“ gibt Abrufe im Abstand von mindestens {rhythm} (delivery.rhythm), keinen laufenden Strom.",
        $"The agreement “{agreement.Id}” gives fetches at least {rhythm} apart (delivery.rhythm), not a live stream.");

    private static LocalText TooOften(AgreementInForce agreement, DateTimeOffset from, bool isFull)
    {
        var (id, rhythm) = (agreement.Id, agreement.Terms.Delivery.Rhythm);
        var at = from.UtcDateTime.AddTicks(TimeSpan.TicksPerSecond - 1).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        return isFull
            ? new($"Durch die Vereinbarung „{id}“ haben im Abstand {rhythm} (delivery.rhythm) schon {IAgreementRhythmGrain.MaxFetches} Abrufe begonnen; der nächste kann ab {at} beginnen.",
                $"Through the agreement “{id}” {IAgreementRhythmGrain.MaxFetches} fetches have begun within {rhythm} (delivery.rhythm) already; the next can begin from {at} on.")
            : new($"Die Vereinbarung „{id}“ gibt dasselbe im Abstand von mindestens {rhythm} (delivery.rhythm); der nächste Abruf kann ab {at} beginnen. Weitere Seiten (next) eines begonnenen Abrufs gehen vorher.",
                $"The agreement “{id}” gives the same at least {rhythm} apart (delivery.rhythm); the next fetch can begin from {at} on. Further pages (next) of one that began can be read before.");
    }

    [LoggerMessage(1291, LogLevel.Warning, "A fetch through agreement {Agreement} gave nothing, and that could not be noted: its reader waits for the rhythm")]
    private static partial void LogNotGivenBack(ILogger logger, Exception exception, string agreement);
}
