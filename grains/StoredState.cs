namespace DataHub;

/// <summary>
/// The stored state of a grain as interleaving calls may see it: never a value whose write is still under way
/// (write first, tell afterwards).
/// </summary>
/// <param name="state">The grain's state.</param>
/// <param name="retire">Ends the activation (<c>DeactivateOnIdle</c>).</param>
internal sealed class StoredState<T>(IPersistentState<T> state, Action retire)
    where T : class
{
    /// <summary>What surely stands.</summary>
    public T Value { get; private set; } = state.State;

    /// <summary>Writes the next value; one equal to what stands writes nothing. Only for calls that do not interleave with one another.</summary>
    public async Task StoreAsync(T next)
    {
        if (next == Value) return;
        state.State = next;
        try
        {
            await state.WriteStateAsync(CancellationToken.None);
        }
        catch
        {
            // The write may or may not have reached the store: the next activation reads what stands.
            state.State = Value;
            retire();
            throw;
        }

        Value = next;
    }

    /// <summary>Deletes what stands and ends the activation. Only for calls that do not interleave with one another.</summary>
    /// <param name="empty">The value of what is not there.</param>
    public async Task ClearAsync(T empty)
    {
        try
        {
            await state.ClearStateAsync(CancellationToken.None);
            Value = empty;
        }
        finally
        {
            retire();
        }
    }
}
