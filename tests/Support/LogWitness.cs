using Npgsql;

namespace DataHub.Support;

/// <summary>
/// The database's own record of who has appended what: a trigger of the tests' that notes, for every batch and in its
/// transaction, which connection wrote it and which epoch held.
/// </summary>
internal static class LogWitness
{
    /// <summary>One batch of a log.</summary>
    /// <param name="Writer">Name of the connection, which tells the process.</param>
    /// <param name="Epoch">Of the shard at that moment.</param>
    public sealed record Append(int Shard, long Position, long Epoch, string Writer);

    private const string Watch =
        """
        CREATE TABLE datahub.witness (id bigint GENERATED ALWAYS AS IDENTITY, commits xid8 DEFAULT pg_current_xact_id(), shard int, position bigint, epoch bigint, writer text);
        CREATE FUNCTION datahub.witness() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO datahub.witness (shard, position, epoch, writer)
          SELECT NEW.shard, NEW.position, h.epoch, current_setting('application_name') FROM datahub.shard_head h WHERE h.shard = NEW.shard;
          RETURN NULL;
        END
        $$;
        CREATE TRIGGER witness AFTER INSERT ON datahub.batch FOR EACH ROW EXECUTE FUNCTION datahub.witness();
        """;

    /// <summary>Begins with an empty log.</summary>
    public static async Task WatchAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(Watch, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Everything appended so far, in the order of the commits.</summary>
    public static async Task<List<Append>> AppendsAsync(string connectionString) =>
        await ReadAsync(connectionString, "SELECT shard, position, epoch, writer FROM datahub.witness ORDER BY min(id) OVER (PARTITION BY commits), position", row => new Append(row.GetInt32(0), row.GetInt64(1), row.GetInt64(2), row.GetString(3)));

    /// <summary>Epoch and position of every shard that was ever claimed.</summary>
    public static async Task<Dictionary<int, (long Epoch, long Position)>> HeadsAsync(string connectionString) =>
        (await ReadAsync(connectionString, "SELECT shard, epoch, position FROM datahub.shard_head", row => (Shard: row.GetInt32(0), Epoch: row.GetInt64(1), Position: row.GetInt64(2))))
        .ToDictionary(head => head.Shard, head => (head.Epoch, head.Position));

    public static async Task<List<T>> ReadAsync<T>(string connectionString, string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync()) rows.Add(read(reader));
        return rows;
    }

    /// <summary>
    /// The log of every shard is without a hole up to its head, was written in that order, and each epoch had one writer,
    /// after which none of an earlier epoch came.
    /// </summary>
    public static async Task AssertOneWriterAtATimeAsync(string connectionString)
    {
        var appends = await AppendsAsync(connectionString);
        var stored = (await ReadAsync(connectionString, "SELECT shard, position FROM datahub.batch ORDER BY shard, position", row => (Shard: row.GetInt32(0), Position: row.GetInt64(1)))).ToLookup(row => row.Shard, row => row.Position);
        foreach (var (shard, (epoch, position)) in await HeadsAsync(connectionString))
        {
            var own = appends.Where(append => append.Shard == shard).ToArray();
            var whole = Enumerable.Range(1, (int)position).Select(place => (long)place).ToArray();
            Assert.Equal(whole, stored[shard]);
            Assert.Equal(whole, own.Select(append => append.Position));
            Assert.Equal(own.Select(append => append.Epoch).Order(), own.Select(append => append.Epoch));
            Assert.All(own.GroupBy(append => append.Epoch), writers => Assert.True(writers.Select(append => append.Writer).Distinct().Count() == 1, $"shard {shard}, epoch {writers.Key}: {string.Join(", ", writers)}"));
            Assert.All(own, append => Assert.InRange(append.Epoch, 1, epoch));
        }
    }
}
