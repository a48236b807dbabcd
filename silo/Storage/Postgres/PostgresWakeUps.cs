using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

using DataHub.Feeds;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>
/// Tells the other silos how far a shard's log has grown, and hears it from them: one notification for all that was
/// appended while the last was on its way, and none where the shard's reader is here. One that is lost costs a reader the period of its net.
/// </summary>
internal sealed partial class PostgresWakeUps(PostgresDatabase database, LogTails tails, ILogger<PostgresWakeUps> logger) : BackgroundService, ILogNotifier
{
    private const string Channel = "datahub_log";

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<int, long> _grown = new();
    private readonly SemaphoreSlim _news = new(0, 1);

    public void Appended(int shard, IReadOnlyList<LogBatch> batches)
    {
        tails.Appended(shard, batches);
        // Writer and reader of a shard mostly are at home on one silo.
        if (tails.IsReadHere(shard)) return;
        _grown[shard] = batches[^1].Position;
        try
        {
            if (_news.CurrentCount == 0) _news.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else has just said so.
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _news.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(TellAsync(stoppingToken), HearAsync(stoppingToken));

    /// <summary>A notification need not be on disk: whoever must not miss it looks at the log.</summary>
    private const string Hurry = "SELECT set_config('synchronous_commit', 'off', true)";

    private const string Notify = $"SELECT pg_notify('{Channel}', $1)";

    private async Task TellAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await _news.WaitAsync(stopping);
                foreach (var text in Texts()) await database.WriteAsync([new(Hurry), new PostgresStatement(Notify).Bind(text)], stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                LogNotTold(e);
                await Task.Delay(s_pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Such as <c>3:17,5:2</c>; a notification holds less than 8,000 bytes.</summary>
    private IEnumerable<string> Texts()
    {
        var text = new StringBuilder();
        foreach (var shard in _grown.Keys)
        {
            if (!_grown.TryRemove(shard, out var position)) continue;
            if (text.Length > 0) text.Append(',');
            text.Append(CultureInfo.InvariantCulture, $"{shard}:{position}");
            if (text.Length < 7_000) continue;
            yield return text.ToString();
            text.Clear();
        }

        if (text.Length > 0) yield return text.ToString();
    }

    private async Task HearAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                // A connection of its own, outside the pool: it waits for ever.
                await using var connection = new NpgsqlConnection(database.ListenerConnectionString);
                connection.Notification += (_, notification) => Hear(notification.Payload);
                await connection.OpenAsync(stopping);
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection)) await listen.ExecuteNonQueryAsync(stopping);
                LogListening();
                while (true) await connection.WaitAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
            {
                LogDeaf(e);
                await Task.Delay(s_pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Hear(string text)
    {
        foreach (var part in text.Split(','))
        {
            var colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0
                && int.TryParse(part.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var shard)
                && long.TryParse(part.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var position))
            {
                tails.Announce(shard, position);
            }
        }
    }

    [LoggerMessage(1130, LogLevel.Warning, "Other silos were not told of new batches; they find them by themselves within half a second")]
    private partial void LogNotTold(Exception e);

    [LoggerMessage(1131, LogLevel.Warning, "Not listening for new batches of other silos; this silo looks for them twice a second meanwhile")]
    private partial void LogDeaf(Exception e);

    [LoggerMessage(1132, LogLevel.Information, "Listening for new batches of other silos")]
    private partial void LogListening();
}
