using System.Collections.Concurrent;

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>
/// All selections that this front-end's viewers watch. Per indicator one call waits for news, however many watch it; what
/// is heard lets each selection be computed once.
/// </summary>
internal sealed partial class ChangesHub(
    IGrainFactory grains, IOptions<ChangesOptions> options, ChangesMetrics metrics, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<ChangesHub> logger)
{
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(1);

    private readonly IGrainFactory _grains = grains;
    private readonly ChangesOptions _options = options.Value;
    private readonly ChangesMetrics _metrics = metrics;
    private readonly TimeProvider _time = time;
    private readonly ConcurrentDictionary<string, Watch> _watches = new(StringComparer.Ordinal);
    private int _viewers;

    /// <summary>Ends when the front-end is about to stop.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    /// <summary>Takes a viewer of a selection in.</summary>
    /// <returns>Its feed, to be given back by <see cref="Leave"/>; null where there are too many viewers: of the indicator, or of the front-end.</returns>
    public (ChangesFeed? Feed, bool OfIndicator) Come(ChangesKey key)
    {
        if (Interlocked.Increment(ref _viewers) > _options.MaxViewers || _metrics.KeptRows > _options.MaxKeptRows)
        {
            Interlocked.Decrement(ref _viewers);
            return (null, false);
        }

        while (true)
        {
            var watch = _watches.GetOrAdd(key.Indicator, indicator => new(this, indicator));
            switch (watch.Come(key, out var feed))
            {
                case true:
                    _metrics.Viewers(1);
                    return (feed, false);
                case false:
                    Interlocked.Decrement(ref _viewers);
                    return (null, true);
                default:
                    // It was ending just now.
                    _watches.TryRemove(new(key.Indicator, watch));
                    break;
            }
        }
    }

    public void Leave(ChangesFeed feed)
    {
        Interlocked.Decrement(ref _viewers);
        _metrics.Viewers(-1);
        if (_watches.TryGetValue(feed.Key.Indicator, out var watch)) watch.Leave(feed);
        else feed.Leave(_time.GetTimestamp());
    }

    /// <summary>Lets a selection be computed although nothing was heard: somebody new waits for it.</summary>
    public void Ask(ChangesFeed feed)
    {
        if (_watches.TryGetValue(feed.Key.Indicator, out var watch)) watch.Ask();
    }

    /// <summary>An indicator that is watched: one loop that waits for news and computes its selections.</summary>
    private sealed class Watch
    {
        private readonly ChangesHub _hub;
        private readonly string _indicator;
        private readonly Lock _gate = new();
        private readonly Dictionary<ChangesKey, ChangesFeed> _feeds = [];
        private TaskCompletionSource _asked = New();
        private int _viewers;
        private bool _ended;

        public Watch(ChangesHub hub, string indicator)
        {
            (_hub, _indicator) = (hub, indicator);
            _ = Task.Run(RunAsync);
        }

        /// <returns>Null where the watch has ended.</returns>
        public bool? Come(ChangesKey key, out ChangesFeed? feed)
        {
            lock (_gate)
            {
                feed = null;
                if (_ended) return null;
                if (_viewers >= _hub._options.MaxViewersPerIndicator) return false;
                if (!_feeds.TryGetValue(key, out feed) || feed.Ended is not null)
                {
                    if (feed is null) _hub._metrics.Selections(1);
                    _feeds[key] = feed = new(key, _hub._options, _hub._metrics);
                }

                _viewers++;
                feed.Come();
                return true;
            }
        }

        public void Leave(ChangesFeed feed)
        {
            lock (_gate) _viewers--;
            feed.Leave(_hub._time.GetTimestamp());
        }

        public void Ask()
        {
            lock (_gate) _asked.TrySetResult();
        }

        private async Task RunAsync()
        {
            var grain = _hub._grains.GetGrain<IIndicatorGrain>(_indicator);
            var known = 0L;
            Task<long>? news = null;
            try
            {
                while (!_hub.Stopping.IsCancellationRequested)
                {
                    Task asked;
                    ChangesFeed[] feeds;
                    lock (_gate)
                    {
                        (feeds, asked) = (Sweep(), _asked.Task);
                        if (feeds.Length == 0)
                        {
                            _ended = true;
                            break;
                        }

                        if (asked.IsCompleted)
                        {
                            _asked = New();
                            asked = Task.CompletedTask;
                        }
                    }

                    news ??= grain.NewsAsync(known, _hub.Stopping);
                    var due = feeds.Min(feed => feed.Until) is { } until ? until - _hub._time.GetUtcNow() : (TimeSpan?)null;
                    if (!asked.IsCompleted && !feeds.Any(feed => feed.IsAwaited)) await WaitAsync(news, asked, due);
                    var heard = false;
                    if (news.IsCompleted)
                    {
                        try
                        {
                            var number = await news;
                            (heard, known) = (number != known, number);
                        }
                        catch (Exception e) when (e is Orleans.Runtime.OrleansException or TimeoutException)
                        {
                            // The indicator moves: computing finds out whether it answers again.
                            heard = true;
                        }

                        news = null;
                    }

                    var isOver = _hub._time.GetUtcNow();
                    var again = false;
                    foreach (var feed in feeds)
                    {
                        if (heard || feed.IsAwaited || feed.Until <= isOver) again |= await feed.ComputeAsync(grain, feed.Key.Caller);
                    }

                    if (again)
                    {
                        known = 0;
                        await Task.Delay(s_again, _hub.Stopping);
                    }
                    else
                    {
                        await Task.Delay(_hub._options.Period, _hub.Stopping);
                    }
                }
            }
            catch (OperationCanceledException) when (_hub.Stopping.IsCancellationRequested)
            {
                // The front-end stops; viewers see it by themselves.
            }
            catch (Exception e)
            {
                _hub.LogFailed(e, _indicator);
            }

            ChangesFeed[] left;
            lock (_gate)
            {
                _ended = true;
                left = [.. _feeds.Values];
                _feeds.Clear();
            }

            foreach (var feed in left)
            {
                feed.End(new(ReadRefusal.Unavailable, null, null));
                _hub._metrics.Selections(-1);
            }

            _hub._watches.TryRemove(new(_indicator, this));
        }

        /// <summary>The feeds that are wanted; those that nobody came back to go.</summary>
        private ChangesFeed[] Sweep()
        {
            foreach (var (key, feed) in _feeds)
            {
                if (feed.Viewers > 0 || (feed.Ended is null && _hub._time.GetElapsedTime(feed.Left) < _hub._options.Linger)) continue;
                feed.End(new(ReadRefusal.Unavailable, null, null));
                _hub._metrics.Selections(-1);
                _feeds.Remove(key);
            }

            return [.. _feeds.Values.Where(feed => feed.Ended is null)];
        }

        private async Task WaitAsync(Task news, Task asked, TimeSpan? due)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(_hub.Stopping);
            // Even without news it is looked whether anybody still watches.
            var most = due is { } soon && soon < s_again ? (soon > TimeSpan.Zero ? soon : TimeSpan.Zero) : s_again;
            var timer = Task.Delay(most, stop.Token);
            await Task.WhenAny(news, asked, timer);
            await stop.CancelAsync();
        }

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(1310, LogLevel.Error, "Live changes of {Indicator} ended; its viewers reconnect")]
    private partial void LogFailed(Exception exception, string indicator);
}
