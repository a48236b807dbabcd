namespace DataHub.Feeds;

/// <summary>
/// Lets as many pushes be decoded at once as there are processors, and lets the agencies take turns: the bodies of one that
/// floods wait behind one another, and the next of another goes before them.
/// </summary>
internal sealed class DecodeGate(int places)
{
    private readonly Lock _lock = new();
    private readonly FairQueue<TaskCompletionSource> _waiting = new();
    private int _free = places;

    public DecodeGate()
        : this(Math.Max(2, Environment.ProcessorCount))
    {
    }

    /// <summary>Waits for a turn; whoever has one gives it back by <see cref="Leave"/>.</summary>
    /// <exception cref="OperationCanceledException">Whoever waited gave up.</exception>
    public ValueTask EnterAsync(string agency, CancellationToken cancellationToken)
    {
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return ValueTask.CompletedTask;
            }

            turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(agency, turn);
        }

        return WaitAsync(turn, cancellationToken);
    }

    public void Leave()
    {
        TaskCompletionSource? next;
        do
        {
            lock (_lock)
            {
                if (!_waiting.TryDequeue(out next))
                {
                    _free++;
                    return;
                }
            }
        }
        while (!next.TrySetResult());
    }

    private static async ValueTask WaitAsync(TaskCompletionSource turn, CancellationToken cancellationToken)
    {
        await using var gaveUp = cancellationToken.Register(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), turn);
        await turn.Task;
    }
}
