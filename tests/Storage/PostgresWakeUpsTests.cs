using System.Threading.Channels;

using DataHub.Feeds;
using DataHub.Storage.Postgres;
using DataHub.Support;

using Microsoft.Extensions.Logging.Abstractions;

using Npgsql;

namespace DataHub.Storage;

/// <summary>Silos tell one another of new batches, but only where somebody else has to know.</summary>
public sealed class PostgresWakeUpsTests
{
    [PostgresFact]
    public async Task Other_silos_are_told_of_a_shard_unless_its_reader_is_here()
    {
        var server = await PostgresServer.SharedAsync();
        var connectionString = await server.CreateDatabaseAsync();
        await using var database = PostgresDatabase.Open(new() { ConnectionString = connectionString });
        await using var listener = new NpgsqlConnection(connectionString + ";Pooling=false");
        await listener.OpenAsync();
        var heard = Channel.CreateUnbounded<string>();
        listener.Notification += (_, notification) => heard.Writer.TryWrite(notification.Payload);
        await using (var listen = new NpgsqlCommand("LISTEN datahub_log", listener)) await listen.ExecuteNonQueryAsync();
        var tails = new LogTails();
        using var wakeUps = new PostgresWakeUps(database, tails, NullLogger<PostgresWakeUps>.Instance);
        await wakeUps.StartAsync(default);

        wakeUps.Appended(3, [LogBatches.At(3, 17, "air/0", 1, rows: 1)]);
        Assert.Equal("3:17", await HearAsync());

        // A reader of this process takes it from memory.
        tails.TryRead(3, 17, 10);
        wakeUps.Appended(3, [LogBatches.At(3, 18, "air/0", 2, rows: 1)]);
        wakeUps.Appended(4, [LogBatches.At(4, 1, "noise/0", 1, rows: 1)]);
        Assert.Equal("4:1", await HearAsync());
        Assert.Equal(18, Assert.Single(tails.TryRead(3, 17, 10)!).Position);

        // One that has not asked for a while may have moved.
        await Task.Delay(TimeSpan.FromMilliseconds(400));
        wakeUps.Appended(3, [LogBatches.At(3, 19, "air/0", 3, rows: 1)]);
        Assert.Equal("3:19", await HearAsync());

        await wakeUps.StopAsync(default);
        await listener.CloseAsync();
        await server.DropDatabaseAsync(connectionString);

        async Task<string> HearAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            string? text;
            while (!heard.Reader.TryRead(out text)) await listener.WaitAsync(patience.Token);
            return text;
        }
    }
}
