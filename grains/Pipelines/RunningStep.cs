namespace DataHub.Pipelines;

/// <summary>A step while it is done, away from the grain that asked for it.</summary>
/// <param name="step">Its place in the run.</param>
internal sealed class RunningStep(int step) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private long _rowsIn, _rowsOut, _done, _of;

    public int Step => step;

    /// <summary>Ends with what the step made, or why it made nothing; never with an exception.</summary>
    public Task<(StepOutcome? Outcome, StepFault? Fault)> Task { get; set; } = null!;

    public CancellationToken Stopped => _stop.Token;

    public long RowsIn => Interlocked.Read(ref _rowsIn);

    public long RowsOut => Interlocked.Read(ref _rowsOut);

    /// <summary>0 to 1; null where it cannot be told.</summary>
    public double? Share => Interlocked.Read(ref _of) is > 0 and var of ? Math.Min(1, (double)Interlocked.Read(ref _done) / of) : null;

    public void Read(int rows) => Interlocked.Add(ref _rowsIn, rows);

    public void Made(int rows) => Interlocked.Add(ref _rowsOut, rows);

    /// <summary>How much of how much is done, in any unit.</summary>
    public void Progress(long done, long of)
    {
        Interlocked.Exchange(ref _of, of);
        Interlocked.Exchange(ref _done, done);
    }

    public void Stop() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();
}
