namespace DataHub.Sharing;

/// <summary>When a fetch may begin. Pure.</summary>
internal static class AgreementRhythmRules
{
    /// <summary>The state after a fetch was to begin, and whether it has. A refusal changes nothing.</summary>
    public static (AgreementRhythmState State, FetchResult Result) Begin(AgreementRhythmState state, FetchRequest request, DateTimeOffset now)
    {
        if (Array.Exists(state.Fetches, one => one.Id == request.Id)) return (state, new(null, default, false));
        var standing = Array.FindAll(state.Fetches, one => one.Next > now);
        if (Array.Find(standing, one => one.Subject == request.Subject && one.Operation == request.Operation && one.Object == request.Object) is { } before) return Refused(before.Next, isFull: false);
        if (standing.Length >= IAgreementRhythmGrain.MaxFetches) return Refused(standing.Min(one => one.Next), isFull: true);
        var next = AgreementDuration.Add(now, request.Rhythm);
        return (new([.. standing, new(request.Id, request.Subject, request.Operation, request.Object, next)]), new(null, default, false));

        (AgreementRhythmState, FetchResult) Refused(DateTimeOffset until, bool isFull) => (state, new(until, until - now, isFull));
    }

    /// <summary>The state as if a fetch had not begun. The one before it need not come back: the rhythm had passed since.</summary>
    public static AgreementRhythmState GiveBack(AgreementRhythmState state, Guid id) =>
        Array.Exists(state.Fetches, one => one.Id == id) ? new(Array.FindAll(state.Fetches, one => one.Id != id)) : state;
}
