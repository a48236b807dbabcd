using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>What counts and a rhythm say about a feed. Pure.</summary>
internal static class FeedStates
{
    /// <summary>Beginning of the hour a day ago: counts are kept by the hour.</summary>
    public static DateTimeOffset DaySince(DateTimeOffset now)
    {
        var ticks = (now - TimeSpan.FromDays(1)).UtcTicks;
        return new(ticks - (ticks % TimeSpan.TicksPerHour), TimeSpan.Zero);
    }

    /// <param name="all">Null where the feed never brought anything.</param>
    /// <param name="day">Null where it brought nothing in the last day.</param>
    public static FeedState Of(FeedInfo feed, FeedCounts? all, FeedCounts? day, DateTimeOffset now)
    {
        all ??= new(feed.Id, 0, 0, 0, 0, null);
        var silentFrom = feed.Rhythm is { } rhythm && all.LastReceived is { } last ? last + rhythm : (DateTimeOffset?)null;
        var silence = feed.Rhythm is null ? FeedSilence.NotExpected
            : silentFrom is null ? FeedSilence.Waiting
            : now > silentFrom ? FeedSilence.Silent
            : FeedSilence.Active;
        return new(feed.Id, feed.Rhythm, silence, silentFrom, all, day ?? new(feed.Id, 0, 0, 0, 0, null), DaySince(now), now - all.NewestRow);
    }
}
