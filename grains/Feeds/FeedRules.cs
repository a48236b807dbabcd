using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>What each row of a push is (design §2, "Row semantics", and §2.2). Pure: what stands is handed in.</summary>
internal static class FeedRules
{
    /// <summary>Decides rows all of which are known to be newer than everything their series ever stored.</summary>
    public static RowDecision AllNew(RowBlock rows)
    {
        var changes = new RowChange[rows.Count];
        var befores = new int[rows.Count];
        Array.Fill(befores, -1);
        return new(rows, changes, befores, RowBlock.Empty, new(0, rows.Count, 0, 0, 0, 0), []);
    }

    /// <summary>
    /// Decides rows in their order, each seeing what the rows before it made of its key: absent key, new; equal content
    /// or a revision that is not higher, duplicate; other content, correction. Retracting an absent key is a duplicate.
    /// </summary>
    /// <param name="contract">The contract the rows lie in.</param>
    /// <param name="rows">In the order in which they count.</param>
    /// <param name="keys">Their keys.</param>
    /// <param name="standing">What stands under each key that occurs before the first of these rows; absent keys may be missing.</param>
    /// <param name="contractOf">Compiled contracts of the versions that occur in <paramref name="standing"/>.</param>
    public static RowDecision Decide(
        CompiledContract contract,
        RowBlock rows,
        byte[][] keys,
        Dictionary<byte[], StandingRow?> standing,
        Func<int, CompiledContract> contractOf)
    {
        var kept = new List<int>(rows.Count);
        var changes = new List<RowChange>(rows.Count);
        var beforeOf = new List<int>(rows.Count);
        var befores = new List<(byte[] Values, string? Area)>();
        int created = 0, corrected = 0, retracted = 0, duplicate = 0;

        for (var row = 0; row < rows.Count; row++)
        {
            var key = keys[row];
            standing.TryGetValue(key, out var before);
            before = InLayout(before, contract, contractOf);

            if (rows.IsDelete(row))
            {
                if (before is null)
                {
                    duplicate++;
                    continue;
                }

                retracted++;
                Keep(row, RowChange.Retraction, before);
                standing[key] = null;
                continue;
            }

            var values = RowPacking.Pack(rows, row);
            if (before is null)
            {
                created++;
                Keep(row, RowChange.New, null);
            }
            else if (before.Values.AsSpan().SequenceEqual(values) || !IsHigherRevision(contract, rows, row, before))
            {
                duplicate++;
                continue;
            }
            else
            {
                corrected++;
                Keep(row, RowChange.Correction, before);
            }

            standing[key] = new(values, rows.AreaId(row), contract.Version);
        }

        return new(
            kept.Count == rows.Count ? rows : rows.Take([.. kept]),
            [.. changes],
            [.. beforeOf],
            befores.Count == 0 ? RowBlock.Empty : RowPacking.Unpack(contract, befores),
            new(0, created, corrected, retracted, duplicate, 0),
            kept.ConvertAll(row => keys[row]).ToArray());

        void Keep(int row, RowChange change, StandingRow? before)
        {
            kept.Add(row);
            changes.Add(change);
            beforeOf.Add(before is null ? -1 : befores.Count);
            if (before is not null) befores.Add((before.Values, before.Area));
        }
    }

    /// <summary>
    /// What becomes of the quarantined rows that a part claims: replayed ones are accepted where the decision kept them
    /// and duplicates where it did not; given up ones are discarded.
    /// </summary>
    /// <param name="part">Its claim names one quarantined row per row of the part, in the same order, or those to give up.</param>
    /// <param name="decision">What the part's rows are.</param>
    public static QuarantineAct Settle(PushPart part, RowDecision decision, string? keyId)
    {
        var claim = part.Claim!;
        var kept = new HashSet<int>(decision.Rows.Count);
        for (var row = 0; row < decision.Rows.Count; row++) kept.Add(decision.Rows.Number(row));
        var settled = new SettledRow[claim.Rows.Length];
        for (var i = 0; i < settled.Length; i++)
        {
            var (sequence, index, corrected) = claim.Rows[i];
            var outcome = claim.Kind == QuarantineActKind.Discard ? QuarantineState.Discarded
                : kept.Contains(part.Rows.Number(i)) ? QuarantineState.Accepted
                : QuarantineState.Duplicate;
            settled[i] = new(sequence, index, outcome, corrected);
        }

        return new(claim.Kind, keyId, claim.Reason, claim.Rule, settled);
    }

    /// <summary>What became of the first rows of a part, by their numbers; for dry runs.</summary>
    public static RowOutcome[] Outcomes(PushPart part, RowDecision decision)
    {
        var stored = new Dictionary<int, RowChange>(decision.Rows.Count);
        for (var row = 0; row < decision.Rows.Count; row++) stored[decision.Rows.Number(row)] = decision.Changes[row];
        return
        [
            .. Enumerable.Range(0, part.Rows.Count).Select(row => part.Rows.Number(row))
                .Select(number => new RowOutcome(number, stored.TryGetValue(number, out var change) ? Fate(change) : RowFate.Duplicate))
                .Concat(part.Quarantined.Select(row => new RowOutcome(row.Row, RowFate.Quarantined)))
                .OrderBy(outcome => outcome.Row).Take(PushLimits.OutcomesInDryRun),
        ];

        static RowFate Fate(RowChange change) => change switch
        {
            RowChange.New => RowFate.New,
            RowChange.Correction => RowFate.Correction,
            _ => RowFate.Retraction,
        };
    }

    /// <summary>A row stored under an older contract, packed anew under this one, so that equal content is equal bytes.</summary>
    private static StandingRow? InLayout(StandingRow? row, CompiledContract contract, Func<int, CompiledContract> contractOf)
    {
        if (row is null || row.ContractVersion == contract.Version) return row;
        _ = contractOf(row.ContractVersion); // a version that does not exist must not pass for an older layout
        var block = RowPacking.Unpack(contract, [(row.Values, row.Area)]);
        return new(RowPacking.Pack(block, 0), row.Area, contract.Version);
    }

    private static bool IsHigherRevision(CompiledContract contract, RowBlock rows, int row, StandingRow before)
    {
        var field = contract.RevisionField;
        if (field < 0) return true;
        var stood = RowPacking.Unpack(contract, [(before.Values, before.Area)]).Columns[field];
        var column = rows.Columns[field];
        if (stood.IsNull(0)) return true;
        if (column.IsNull(row)) return false;
        return column.Kind switch
        {
            ColumnKind.Integer => column.Integers![row] > stood.Integers![0],
            ColumnKind.Number => column.Numbers![row] > stood.Numbers![0],
            ColumnKind.Text => string.CompareOrdinal(column.Texts![row], stood.Texts![0]) > 0,
            _ => column.Booleans![row] > stood.Booleans![0],
        };
    }
}

/// <summary>What a part's rows are.</summary>
/// <param name="Rows">Those to store, in order.</param>
/// <param name="Changes">Per stored row.</param>
/// <param name="BeforeOf">Per stored row an index into <paramref name="Befores"/>, or −1.</param>
/// <param name="Counts">Without received and quarantined.</param>
/// <param name="Keys">Keys of the stored rows; empty where they were not needed.</param>
internal sealed record RowDecision(RowBlock Rows, RowChange[] Changes, int[] BeforeOf, RowBlock Befores, PushCounts Counts, byte[][] Keys);
