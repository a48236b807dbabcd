namespace DataHub.Pipelines;

/// <summary>Ends a worker that was cancelled, takes too long, holds or writes too much, whatever it does meanwhile.</summary>
internal sealed class SqlOverseer : IAsyncDisposable
{
    /// <summary>So near to the system's limit it is ended: where an allocation fails in the middle of its work, DuckDB may break instead of saying so.</summary>
    private const long Margin = 96L << 20;

    private readonly SqlWorkerProcess _worker;
    private readonly SqlScratch _scratch;
    private readonly SqlLimits _limits;
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenRegistration _cancelled;
    private readonly Task _watching;
    private long _deadline;
    private volatile SqlRefusedException? _refusal;

    /// <param name="starting">Until its clock is started.</param>
    /// <param name="look">Between two looks at the clock and the folder.</param>
    public SqlOverseer(SqlWorkerProcess worker, SqlScratch scratch, SqlLimits limits, TimeSpan starting, TimeSpan look, CancellationToken cancellationToken)
    {
        (_worker, _scratch, _limits) = (worker, scratch, limits);
        _deadline = Environment.TickCount64 + (long)starting.TotalMilliseconds;
        _cancelled = cancellationToken.Register(worker.Kill);
        _watching = WatchAsync(look);
    }

    /// <summary>Why it ended the worker; null where it did not.</summary>
    public SqlRefusedException? Refusal => _refusal;

    public void StartClock() => Interlocked.Exchange(ref _deadline, Environment.TickCount64 + (long)_limits.Time.TotalMilliseconds);

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _watching;
        await _cancelled.DisposeAsync();
        _over.Dispose();
    }

    private async Task WatchAsync(TimeSpan look)
    {
        using var timer = new PeriodicTimer(look);
        try
        {
            while (await timer.WaitForNextTickAsync(_over.Token))
            {
                if (Environment.TickCount64 > Interlocked.Read(ref _deadline)) _refusal = SqlProblems.OutOfTime(_limits.Time);
                else if (OperatingSystemLimits.DataOf(_worker.Id) > OperatingSystemLimits.DataOf(_limits) - Margin || _scratch.Size() > _limits.Disk) _refusal = SqlProblems.OutOfMemory();
                else continue;
                _worker.Kill();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // The worker is over.
        }
    }
}
