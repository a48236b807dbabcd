namespace DataHub.Pipelines;

/// <summary>So many steps at the same time; agencies that wait take turns, however many steps each of them has.</summary>
internal sealed class StepTurns(int atOnce)
{
    private readonly Lock _lock = new();
    private readonly FairQueue<TaskCompletionSource> _waiting = new();
    private int _free = atOnce;

    /// <summary>Waits for a turn. Whoever has one gives it back by <see cref="Leave"/>.</summary>
    /// <exception cref="OperationCanceledException">It was stopped before its turn came.</exception>
    public async Task EnterAsync(string agency, CancellationToken stop)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return;
            }

            _waiting.Enqueue(agency, turn);
        }

        await using var registration = stop.Register(() => turn.TrySetCanceled(stop));
        await turn.Task;
    }

    public void Leave()
    {
        lock (_lock)
        {
            while (_waiting.TryDequeue(out var next))
            {
                // One that was stopped meanwhile does not take its turn.
                if (next.TrySetResult()) return;
            }

            _free++;
        }
    }
}
