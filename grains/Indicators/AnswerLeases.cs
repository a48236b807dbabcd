namespace DataHub.Indicators;

/// <summary>
/// Which front-ends may give out again what they were answered, and which news each of them knows. Pure: instants are told,
/// in ticks of a clock that only rises. A holder counts from before it asks and this from after, so that a lease has ended
/// for its holder before it has here.
/// </summary>
internal sealed class AnswerLeases
{
    private readonly Dictionary<Guid, (long Known, long Ends)> _holders = [];

    /// <summary>A front-end that has taken note of a number asks for a lease.</summary>
    public void Renew(Guid holder, long known, long ends) => _holders[holder] = (known, ends);

    /// <summary>A front-end gives its lease back.</summary>
    public void Return(Guid holder) => _holders.Remove(holder);

    /// <summary>Whether somebody still gives out what is older than a number.</summary>
    /// <param name="newest">Greatest number there is; a holder that names a greater one has it from elsewhere.</param>
    /// <returns>When the last of their leases ends; null where there is none.</returns>
    public long? Unaware(long number, long newest, long now)
    {
        long? last = null;
        foreach (var (holder, (known, ends)) in _holders)
        {
            if (ends <= now) _holders.Remove(holder);
            else if ((known < number || known > newest) && !(ends <= last)) last = ends;
        }

        return last;
    }

    /// <summary>When the last of all leases ends; null where there is none.</summary>
    public long? Last(long now) => Unaware(long.MaxValue, long.MaxValue, now);
}
