using DataHub.Storage.Sqlite;
using DataHub.Support;

using Microsoft.Data.Sqlite;

namespace DataHub.Storage;

public sealed class SqliteWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Units_that_wait_share_a_commit()
    {
        using var writer = Writer();
        var (first, gate) = await HoldAsync(writer);
        var waiting = Enumerable.Range(0, 50).Select(i => writer.ExecuteAsync(s => Insert(s, i), default)).ToArray();

        gate.Set();
        Assert.True(await first);
        await Task.WhenAll(waiting);

        // The table, the first unit, and all that waited meanwhile.
        Assert.Equal(3, writer.Commits);
        Assert.Equal(50, await CountAsync(writer));
    }

    [Fact]
    public async Task A_unit_that_throws_undoes_itself_and_no_neighbour()
    {
        using var writer = Writer();
        var (first, gate) = await HoldAsync(writer);
        var before = writer.ExecuteAsync(s => Insert(s, 1), default);
        var refused = writer.ExecuteAsync<int>(
            s =>
            {
                Insert(s, 2);
                s.Statement("SELECT value FROM item").Step();
                throw new InvalidOperationException("refused");
            },
            default);
        var twice = writer.ExecuteAsync(s => Insert(s, 3) + Insert(s, 3), default);
        var after = writer.ExecuteAsync(s => Insert(s, 4), default);
        gate.Set();

        Assert.Equal("refused", (await Assert.ThrowsAsync<InvalidOperationException>(() => refused)).Message);
        await Assert.ThrowsAsync<SqliteException>(() => twice);
        await Task.WhenAll(first, before, after);
        Assert.Equal([1, 4], await ValuesAsync(writer));
    }

    [Fact]
    public async Task A_single_unit_that_throws_leaves_nothing()
    {
        using var writer = Writer();

        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.ExecuteAsync<int>(s => Insert(s, 1) > 0 ? throw new InvalidOperationException("refused") : 0, default));

        Assert.Empty(await ValuesAsync(writer));
        await writer.ExecuteAsync(s => Insert(s, 1), default);
        Assert.Equal([1], await ValuesAsync(writer));
    }

    [Fact]
    public async Task A_commit_that_fails_fails_all_its_units_with_one_exception_and_the_writer_goes_on()
    {
        using var writer = Writer();
        var (first, gate) = await HoldAsync(writer);
        var good = writer.ExecuteAsync(s => Insert(s, 1), default);
        // A deferred foreign key is checked by the commit.
        var bad = writer.ExecuteAsync(s => s.Run("INSERT INTO reference (item) VALUES (99)"), default);
        gate.Set();
        await first;

        var one = await Assert.ThrowsAsync<SqliteException>(() => good);
        var two = await Assert.ThrowsAsync<SqliteException>(() => bad);

        Assert.Same(one, two);
        Assert.Empty(await ValuesAsync(writer));
        await writer.ExecuteAsync(s => Insert(s, 5), default);
        Assert.Equal([5], await ValuesAsync(writer));
    }

    [Fact]
    public async Task Callers_beyond_the_queues_length_wait_and_can_give_up()
    {
        using var writer = Writer(queue: 16);
        var (first, gate) = await HoldAsync(writer);
        var queued = Enumerable.Range(0, 16).Select(i => writer.ExecuteAsync(s => Insert(s, i), default)).ToArray();
        using var giveUp = new CancellationTokenSource();
        var outside = writer.ExecuteAsync(s => Insert(s, 100), giveUp.Token);
        var patient = writer.ExecuteAsync(s => Insert(s, 200), default);

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outside);
        Assert.False(patient.IsCompleted);
        gate.Set();
        await Task.WhenAll([first, patient, .. queued]);
        Assert.Equal([.. Enumerable.Range(0, 16).Select(i => (long)i), 200L], await ValuesAsync(writer));
    }

    [Fact]
    public async Task A_unit_withdrawn_while_it_waits_does_not_run()
    {
        using var writer = Writer();
        var (first, gate) = await HoldAsync(writer);
        using var withdraw = new CancellationTokenSource();
        var withdrawn = writer.ExecuteAsync(s => Insert(s, 1), withdraw.Token);
        var other = writer.ExecuteAsync(s => Insert(s, 2), default);
        await withdraw.CancelAsync();
        gate.Set();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => withdrawn);
        await Task.WhenAll(first, other);
        Assert.Equal([2], await ValuesAsync(writer));
    }

    [Fact]
    public async Task Closing_carries_through_what_waits_and_refuses_what_comes_later()
    {
        var writer = Writer();
        var waiting = Enumerable.Range(0, 20).Select(i => writer.ExecuteAsync(s => Insert(s, i), default)).ToArray();

        writer.Dispose();

        await Task.WhenAll(waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writer.ExecuteAsync(s => Insert(s, 99), default));
        using var again = Writer(make: false);
        Assert.Equal(20, await CountAsync(again));
    }

    public void Dispose() => _folder.Dispose();

    private SqliteWriter Writer(int queue = 1_024, bool make = true)
    {
        var writer = new SqliteWriter(
            SqliteSession.Open(Path.Combine(_folder.FullName, "test.db"), ["PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON"]), "test.db", queue, 256);
        if (make)
        {
            writer.ExecuteAsync(
                s =>
                {
                    s.Script("CREATE TABLE item (value INTEGER PRIMARY KEY); CREATE TABLE reference (item INTEGER REFERENCES item (value) DEFERRABLE INITIALLY DEFERRED)");
                    return 0;
                },
                default).GetAwaiter().GetResult();
        }

        return writer;
    }

    /// <summary>Keeps the writer busy in a unit of its own until the gate is set.</summary>
    private static async Task<(Task<bool> Unit, ManualResetEventSlim Gate)> HoldAsync(SqliteWriter writer)
    {
        var gate = new ManualResetEventSlim();
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var unit = writer.ExecuteAsync(
            _ =>
            {
                running.SetResult();
                return gate.Wait(TimeSpan.FromSeconds(30));
            },
            default);
        await running.Task;
        return (unit, gate);
    }

    private static int Insert(SqliteSession session, int value) => session.Statement("INSERT INTO item (value) VALUES (?1)").Bind(1, value).Run();

    private static Task<long> CountAsync(SqliteWriter writer) => writer.ExecuteAsync(s => s.Number("SELECT count(*) FROM item") ?? 0, default);

    private static Task<List<long>> ValuesAsync(SqliteWriter writer) => writer.ExecuteAsync(
        s =>
        {
            var values = new List<long>();
            var statement = s.Statement("SELECT value FROM item ORDER BY value");
            while (statement.Step()) values.Add(statement.Int64(0));
            return values;
        },
        default);
}
