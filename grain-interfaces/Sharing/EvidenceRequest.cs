namespace DataHub.Sharing;

/// <summary>
/// A question for one record in one procedure: the once-only principle as this hub models it, no implementation of a
/// specification. What it is for says the caller (<see cref="Catalog.StatedUse"/>).
/// </summary>
/// <param name="Key">The whole primary key of the record.</param>
/// <param name="LegalNorm">The norm on which it is asked for.</param>
/// <param name="Procedure">What it is needed in, such as the service applied for.</param>
/// <param name="FileNumber">Of that procedure at the agency that asks; does not name the person.</param>
/// <param name="Requester">The office or official who asks.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceRequest")]
public sealed record EvidenceRequest(
    [property: Id(0)] EvidenceKeyPart[] Key, [property: Id(1)] string LegalNorm, [property: Id(2)] string Procedure, [property: Id(3)] string FileNumber, [property: Id(4)] string Requester);

/// <summary>A field of a primary key with its value.</summary>
/// <param name="Json">The value as JSON text, as it was sent.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceKeyPart")]
public readonly record struct EvidenceKeyPart([property: Id(0)] string Field, [property: Id(1)] string Json);

/// <summary>How much a question holds, and how many are kept.</summary>
public static class EvidenceLimits
{
    /// <summary>Longest legal norm and procedure, in characters.</summary>
    public const int MaxNorm = 500, MaxProcedure = 500;

    /// <summary>Longest file number and requester.</summary>
    public const int MaxFileNumber = 200, MaxRequester = 200;

    /// <summary>Longest reason of an inquiry.</summary>
    public const int MaxReason = 1_000;

    /// <summary>Longest value of a field of a key, as JSON text.</summary>
    public const int MaxKeyText = 4_000;

    /// <summary>Entries of a part of a day, and parts of a day: so many questions to a dataset on a day (UTC) at most.</summary>
    public const int EntriesOfPart = 100, PartsOfDay = 500;

    /// <summary>Entries about one record that are kept at a time: as many questions about it within the time they are kept.</summary>
    public const int EntriesOfRecord = 1_000;
}
