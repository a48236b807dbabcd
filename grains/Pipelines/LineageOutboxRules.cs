namespace DataHub.Pipelines;

/// <summary>Which runs wait for receivers. Pure.</summary>
internal static class LineageOutboxRules
{
    /// <returns>And the run whose events are given up for it; null: none.</returns>
    public static (LineageOutboxState State, string? Dropped) Note(LineageOutboxState state, string run, DateTimeOffset now, int most)
    {
        if (Array.FindIndex(state.Waiting, one => one.Run == run) is >= 0 and var place)
            return (new([.. state.Waiting[..place], state.Waiting[place] with { Noted = now }, .. state.Waiting[(place + 1)..]]), null);
        var full = state.Waiting.Length >= most;
        return (new([.. full ? state.Waiting[1..] : state.Waiting, new(run, now, [], [])]), full ? state.Waiting[0].Run : null);
    }

    /// <summary>What receivers have only grows; a run that is noted anew meanwhile is not over.</summary>
    public static LineageOutboxState Mark(LineageOutboxState state, WaitingRun run, bool isOver)
    {
        if (Array.FindIndex(state.Waiting, one => one.Run == run.Run) is not (>= 0 and var place)) return state;
        var known = state.Waiting[place];
        if (isOver && known.Noted == run.Noted) return new([.. state.Waiting[..place], .. state.Waiting[(place + 1)..]]);
        return new([.. state.Waiting[..place], known with { InFile = [.. known.InFile.Union(run.InFile)], Posted = [.. known.Posted.Union(run.Posted)] }, .. state.Waiting[(place + 1)..]]);
    }
}
