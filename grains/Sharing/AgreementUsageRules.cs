namespace DataHub.Sharing;

/// <summary>How allowances are given, settled and left behind. Pure.</summary>
internal static class AgreementUsageRules
{
    /// <summary>Different entries of a day; more are counted together, without what was read.</summary>
    public const int MaxEntriesOfDay = 500;

    /// <summary>What an allowance is given for where nothing limits the day: as much as is usual with the reader, within these bounds.</summary>
    public const int FewestRequests = 50, MostRequests = 100_000;

    public const long FewestRows = 10_000, MostRows = 10_000_000;

    /// <summary>After so long nobody will tell any more what was given.</summary>
    public static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The month after an allowance was asked for, and what it allows: where the rows of a day are limited exactly what is
    /// asked for, once.
    /// </summary>
    public static (AgreementUsageState State, AllowanceResult Result) Take(AgreementUsageState state, AllowanceRequest request, TimeSpan length, DateTimeOffset now)
    {
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        if (state.Out.FirstOrDefault(one => one.Id == request.Id) is { } known) return (state, new(known.Requests, known.Rows, length, 0));
        var (requests, rows) = (Math.Clamp(request.Requests, 1, MostRequests), Math.Max(Math.Min(request.MostRows, MostRows), request.Rows));
        if (request.By.RowsPerDay is { } perDay)
        {
            var left = perDay - Taken(state, day);
            if (request.Rows > left) return (state, new(0, 0, default, Math.Max(0, left)));
            (requests, rows) = (1, request.Rows);
        }

        var allowance = new AllowanceOut(request.Id, day, request.By.Version, request.Subject, request.Purpose, requests, rows, now + length) { By = request.By };
        return (state with { Out = [.. state.Out, allowance] }, new(requests, rows, length, 0));
    }

    /// <summary>The month after it was told what was used; and which allowances that were.</summary>
    public static (AgreementUsageState State, (AllowanceOut Allowance, UsedOperation[] Used)[] Settled) Settle(AgreementUsageState state, UsedAllowance[] used)
    {
        var settled = new List<(AllowanceOut, UsedOperation[])>();
        foreach (var one in used)
        {
            if (state.Out.FirstOrDefault(known => known.Id == one.Id) is not { } allowance) continue;
            state = state with { Out = [.. state.Out.Where(known => known.Id != one.Id)] };

            // By right there is no report: the audit log has it.
            foreach (var operation in allowance.By?.Recipient is null ? [] : one.Operations)
                state = Add(state, new(allowance.Day, allowance.Version, allowance.Subject, allowance.Purpose, operation.Operation, operation.Object, operation.Requests, operation.Rows, false));
            if (one.Operations.Length > 0) settled.Add((allowance, one.Operations));
        }

        return (state, [.. settled]);
    }

    /// <summary>The month after those were given up of which nobody told: as if used up, and marked.</summary>
    public static (AgreementUsageState State, AllowanceOut[] Forgotten) Sweep(AgreementUsageState state, DateTimeOffset now)
    {
        var gone = state.Out.Where(one => now >= one.Until + Forgotten).ToArray();
        if (gone.Length == 0) return (state, gone);
        state = state with { Out = [.. state.Out.Except(gone)] };
        foreach (var one in gone.Where(one => one.By?.Recipient is not null)) state = Add(state, Bound(one));
        return (state, gone);
    }

    /// <summary>What may have been given on an allowance.</summary>
    public static UsageEntry Bound(AllowanceOut one) => new(one.Day, one.Version, one.Subject, one.Purpose, UsageOperations.Unknown, "", one.Requests, one.Rows, true);

    /// <summary>Rows of a day that were given, or may be.</summary>
    public static long Taken(AgreementUsageState state, DateOnly day) =>
        state.Entries.Where(entry => entry.Day == day).Sum(entry => entry.Rows) + state.Out.Where(one => one.Day == day).Sum(one => one.Rows);

    private static AgreementUsageState Add(AgreementUsageState state, UsageEntry entry)
    {
        var at = Array.FindIndex(state.Entries, one => Same(one, entry));
        if (at < 0 && state.Entries.Count(one => one.Day == entry.Day) >= MaxEntriesOfDay)
        {
            entry = entry with { Object = "", Subject = "", Purpose = "" };
            at = Array.FindIndex(state.Entries, one => Same(one, entry));
        }

        if (at < 0) return state with { Entries = [.. state.Entries, entry] };
        var entries = (UsageEntry[])state.Entries.Clone();
        entries[at] = entries[at] with { Requests = entries[at].Requests + entry.Requests, Rows = entries[at].Rows + entry.Rows };
        return state with { Entries = entries };

        static bool Same(UsageEntry one, UsageEntry other) => one with { Requests = 0, Rows = 0 } == other with { Requests = 0, Rows = 0 };
    }
}
