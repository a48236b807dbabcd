namespace DataHub.Storage.Sqlite;

/// <summary>
/// The only writer of a database file: a thread that takes all units of work that are waiting, runs each in a savepoint
/// inside one transaction, commits once and then answers. It never waits for more to come.
/// </summary>
/// <remarks>
/// A unit that throws undoes only itself. A commit that fails fails all its units with the same exception; whether
/// they were stored is unknown to the callers then, and nothing is tried again here.
/// </remarks>
internal sealed class SqliteWriter : IDisposable
{
    private const string Begin = "BEGIN IMMEDIATE";
    private const string Commit = "COMMIT";
    private const string Rollback = "ROLLBACK";
    private const string Savepoint = "SAVEPOINT unit";
    private const string ReleaseSavepoint = "RELEASE unit";
    private const string RollbackToSavepoint = "ROLLBACK TO unit";

    private readonly SqliteSession _session;
    private readonly string _name;
    private readonly int _unitsPerCommit;
    private readonly SemaphoreSlim _room;
    private readonly Queue<Unit> _waiting = new();
    private readonly Thread _thread;
    private Exception? _broken;
    private bool _closed;

    /// <param name="session">Belongs to the writer from here on.</param>
    /// <param name="name">Of the file, for messages.</param>
    /// <param name="queue">How many units may wait; more callers wait before they may queue.</param>
    /// <param name="unitsPerCommit">At most so many units share a commit.</param>
    public SqliteWriter(SqliteSession session, string name, int queue, int unitsPerCommit)
    {
        _session = session;
        _name = name;
        _unitsPerCommit = unitsPerCommit;
        _room = new(queue, queue);
        _thread = new(Work) { IsBackground = true, Name = $"SQLite {name}" };
        _thread.Start();
    }

    /// <summary>How many commits there were; several units can share one.</summary>
    public long Commits => Interlocked.Read(ref _commits);

    private long _commits;

    /// <summary>Runs the work in a transaction and returns its result after the commit.</summary>
    /// <param name="work">Runs on the writer's thread; changes through the session only.</param>
    /// <param name="cancellationToken">Withdraws work that has not begun; work begun is carried through.</param>
    /// <exception cref="ObjectDisposedException">The file is closed or closing.</exception>
    public Task<T> ExecuteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken) => QueueAsync(new Unit<T>(work, cancellationToken), cancellationToken);

    /// <summary>Runs work by itself and outside of any transaction, such as <c>VACUUM</c>; what is queued behind it waits.</summary>
    /// <inheritdoc cref="ExecuteAsync"/>
    public Task ExecuteAloneAsync(Action<SqliteSession> work, CancellationToken cancellationToken) => QueueAsync(
        new Unit<bool>(
            session =>
            {
                work(session);
                return true;
            },
            cancellationToken)
        { IsAlone = true },
        cancellationToken);

    private async Task<T> QueueAsync<T>(Unit<T> unit, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        lock (_waiting)
        {
            if (_closed)
            {
                _room.Release();
                throw new ObjectDisposedException(_name, "Die Datenbankdatei wird geschlossen. The database file is being closed.");
            }

            _waiting.Enqueue(unit);
            Monitor.Pulse(_waiting);
        }

        return await unit.Outcome;
    }

    /// <summary>Carries through what is waiting, then closes the connection.</summary>
    public void Dispose()
    {
        lock (_waiting)
        {
            if (_closed) return;
            _closed = true;
            Monitor.Pulse(_waiting);
        }

        _thread.Join();
        _session.Dispose();
        // The semaphore is left to the collector: a late caller may still be waiting in it, and is told then that the file is closed.
    }

    private void Work()
    {
        var group = new List<Unit>();
        while (Take(group))
        {
            if (_broken is { } broken) Fail(group, broken);
            else Store(group);
            group.Clear();
        }
    }

    private bool Take(List<Unit> group)
    {
        lock (_waiting)
        {
            while (_waiting.Count == 0)
            {
                if (_closed) return false;
                Monitor.Wait(_waiting);
            }

            while (group.Count < _unitsPerCommit && _waiting.TryPeek(out var unit) && (group.Count == 0 || !(unit.IsAlone || group[0].IsAlone))) group.Add(_waiting.Dequeue());
        }

        _room.Release(group.Count);
        return true;
    }

    private void Store(List<Unit> group)
    {
        group.RemoveAll(unit => unit.Withdrawn());
        if (group.Count == 0) return;
        if (group[0].IsAlone)
        {
            StoreAlone(group[0]);
            return;
        }

        try
        {
            _session.Run(Begin);
            if (group.Count == 1)
            {
                group[0].Run(_session);
            }
            else
            {
                group.RemoveAll(unit => !Try(unit));
            }

            _session.Run(Commit);
        }
        catch (Exception e)
        {
            Undo(e);
            Fail(group, e);
            return;
        }

        Interlocked.Increment(ref _commits);
        foreach (var unit in group) unit.Succeed();
    }

    private void StoreAlone(Unit unit)
    {
        try
        {
            unit.Run(_session);
            unit.Succeed();
        }
        catch (Exception e)
        {
            Undo(e);
            unit.Fail(e);
        }
    }

    /// <returns>False where the unit threw and was undone, alone.</returns>
    private bool Try(Unit unit)
    {
        _session.Run(Savepoint);
        try
        {
            unit.Run(_session);
        }
        catch (Exception e) when (_session.InTransaction)
        {
            // Where SQLite has ended the transaction by itself (disk full, I/O error), all units are undone: the filter lets it through.
            _session.Reset();
            _session.Run(RollbackToSavepoint);
            _session.Run(ReleaseSavepoint);
            unit.Fail(e);
            return false;
        }

        _session.Run(ReleaseSavepoint);
        return true;
    }

    private void Undo(Exception cause)
    {
        try
        {
            _session.Reset();
            if (_session.InTransaction) _session.Run(Rollback);
        }
        catch (Exception e)
        {
            _broken = new InvalidOperationException(
                $"Die Datenbankdatei {_name} nimmt nichts mehr an, weil eine Transaktion weder beendet noch zurückgenommen werden konnte; bitte neu starten. " +
                $"The database file {_name} takes no more writes because a transaction could be neither committed nor undone; restart the hub.",
                new AggregateException(cause, e));
        }
    }

    private static void Fail(List<Unit> group, Exception e)
    {
        foreach (var unit in group) unit.Fail(e);
    }

    private abstract class Unit
    {
        /// <summary>Runs outside of any transaction.</summary>
        public bool IsAlone { get; init; }

        public abstract bool Withdrawn();

        public abstract void Run(SqliteSession session);

        public abstract void Succeed();

        public abstract void Fail(Exception e);
    }

    private sealed class Unit<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken) : Unit
    {
        // Callers go on elsewhere: the writer's thread only writes.
        private readonly TaskCompletionSource<T> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _result = default!;

        public Task<T> Outcome => _outcome.Task;

        public override bool Withdrawn() => cancellationToken.IsCancellationRequested && _outcome.TrySetCanceled(cancellationToken);

        public override void Run(SqliteSession session) => _result = work(session);

        public override void Succeed() => _outcome.TrySetResult(_result);

        public override void Fail(Exception e) => _outcome.TrySetException(e);
    }
}
