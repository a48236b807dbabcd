using System.Globalization;

namespace DataHub.Feeds;

/// <summary>Names a quarantined row for good: where in the log it lies. Written <c>q{partition}.{sequence}.{index}</c>.</summary>
/// <param name="Partition">Number of the partition in its dataset, from 0.</param>
/// <param name="Sequence">Of the batch with which it came.</param>
/// <param name="Index">Its place among the batch's quarantined rows, from 0.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineId")]
public readonly record struct QuarantineId([property: Id(0)] int Partition, [property: Id(1)] long Sequence, [property: Id(2)] int Index)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"q{Partition}.{Sequence}.{Index}");

    /// <summary>Reads what <see cref="ToString"/> wrote; anything else is false.</summary>
    public static bool TryParse(string? text, out QuarantineId id)
    {
        id = default;
        if (text is null || text.Length is < 6 or > 40 || text[0] != 'q') return false;
        var parts = text[1..].Split('.');
        if (parts.Length != 3
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var index)) return false;
        id = new(partition, sequence, index);
        return true;
    }
}

/// <summary>What became of a quarantined row.</summary>
public enum QuarantineState : byte
{
    /// <summary>It waits for somebody.</summary>
    Open = 0,

    /// <summary>It was replayed and taken.</summary>
    Accepted = 1,

    /// <summary>It was replayed, and its content stood already or was outdated.</summary>
    Duplicate = 2,

    /// <summary>Somebody gave it up, with a reason. It stays counted as quarantined.</summary>
    Discarded = 3,

    /// <summary>Its content was erased while it was open. It stays counted as quarantined.</summary>
    Erased = 4,
}

/// <summary>What is done to quarantined rows.</summary>
public enum QuarantineActKind : byte
{
    /// <summary>They are checked anew, as they came or corrected; those that pass move to accepted or duplicate, once.</summary>
    Replay = 1,

    /// <summary>They are given up.</summary>
    Discard = 2,
}

/// <summary>An act on quarantined rows of one partition, as the shard is asked for it.</summary>
/// <param name="Reason">Why, in somebody's words; null where none was given.</param>
/// <param name="Rule">What was changed, as JSON text; null where the rows go as they came.</param>
/// <param name="Rows">For a replay one per row of the part, in its order; for a discard those to give up.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineClaim")]
public sealed record QuarantineClaim(
    [property: Id(0)] QuarantineActKind Kind,
    [property: Id(1)] string? Reason,
    [property: Id(2)] string? Rule,
    [property: Id(3)] ClaimedRow[] Rows);

/// <param name="Corrected">The row as JSON text as it is replayed; null where it goes as it came.</param>
[GenerateSerializer, Immutable, Alias("datahub.ClaimedRow")]
public readonly record struct ClaimedRow([property: Id(0)] long Sequence, [property: Id(1)] int Index, [property: Id(2)] string? Corrected);

/// <summary>An act as the log keeps it: who, why, what was changed, and what became of each row.</summary>
/// <param name="KeyId">Public part of the key with which it was done.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineAct")]
public sealed record QuarantineAct(
    [property: Id(0)] QuarantineActKind Kind,
    [property: Id(1)] string? KeyId,
    [property: Id(2)] string? Reason,
    [property: Id(3)] string? Rule,
    [property: Id(4)] SettledRow[] Rows);

/// <param name="Outcome">Never <see cref="QuarantineState.Open"/>.</param>
/// <param name="Corrected">The row as JSON text as it was replayed; null where it went as it came.</param>
[GenerateSerializer, Immutable, Alias("datahub.SettledRow")]
public readonly record struct SettledRow(
    [property: Id(0)] long Sequence,
    [property: Id(1)] int Index,
    [property: Id(2)] QuarantineState Outcome,
    [property: Id(3)] string? Corrected);

/// <summary>Content that was erased from a batch (design §2.3): nothing of it is left but how much it was.</summary>
/// <param name="Rows">Rows taken out; they count as accepted and applied as before.</param>
/// <param name="Erasures">Ids of the erasures that did it.</param>
[GenerateSerializer, Immutable, Alias("datahub.ErasedContent")]
public sealed record ErasedContent([property: Id(0)] int Rows, [property: Id(1)] string[] Erasures);
