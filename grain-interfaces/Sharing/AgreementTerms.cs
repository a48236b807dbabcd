using System.Text.Json.Serialization;

using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>
/// What two agencies agree on about the rows of one dataset: the one model of which the text for people, the ODRL 2.2 policy
/// for machines and the canonical bytes of the event log are made. Instants are UTC; durations are texts of ISO 8601
/// (<see cref="AgreementDuration"/>) and are kept as the parties wrote them. Limits: <see cref="AgreementLimits"/>.
/// </summary>
/// <param name="Title">For people.</param>
/// <param name="Provider">The agency that publishes the dataset (<c>odrl:assigner</c>); fixed.</param>
/// <param name="Recipient">The agency that may use it (<c>odrl:assignee</c>); fixed, another one.</param>
/// <param name="Dataset">Whose rows (<c>odrl:target</c>); fixed.</param>
/// <param name="Purposes">What the data may be used for; at least one.</param>
/// <param name="Term">From when until when, and how it is ended before.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementTerms"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AgreementTerms(
    [property: Id(0), JsonRequired] LocalText Title,
    [property: Id(1), JsonRequired] string Provider,
    [property: Id(2), JsonRequired] string Recipient,
    [property: Id(3), JsonRequired] string Dataset,
    [property: Id(4), JsonRequired] AgreementPurpose[] Purposes,
    [property: Id(5), JsonRequired] AgreementTerm Term)
{
    /// <summary>What it must never be used for.</summary>
    [Id(6)] public AgreementPurpose[] ForbiddenPurposes { get; init; } = [];

    /// <summary>The norm on which it is shared; null: not said yet, then it cannot be offered.</summary>
    [Id(7)] public string? LegalBasis { get; init; }

    /// <summary>Which rows, fields and levels.</summary>
    [Id(8)] public AgreementData Data { get; init; } = new();

    /// <summary>In which form, how often, how much.</summary>
    [Id(9)] public AgreementDelivery Delivery { get; init; } = new();

    /// <summary>Who may use it, and what they may do with it.</summary>
    [Id(10)] public AgreementUse Use { get; init; } = new();

    /// <summary>What the recipient must do.</summary>
    [Id(11)] public AgreementDuty[] Duties { get; init; } = [];

    /// <summary>Which sides agree by two different subjects.</summary>
    [Id(12)] public AgreementFourEyes FourEyes { get; init; } = new();
}

/// <summary>A purpose (ODRL 2.2 left operand <c>purpose</c>).</summary>
/// <param name="Id">A word of lower-case letters, digits and hyphens.</param>
/// <param name="Text">For people.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementPurpose"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AgreementPurpose([property: Id(0), JsonRequired] string Id, [property: Id(1), JsonRequired] LocalText Text);

/// <summary>Which part of the dataset.</summary>
[GenerateSerializer, Immutable, Alias("datahub.AgreementData"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AgreementData
{
    /// <summary>Names of the contract's fields; null: all that are not personal. Personal ones have to be named.</summary>
    [Id(0)] public string[]? Fields { get; init; }

    /// <summary>Rows of this instant and later; null: from the beginning.</summary>
    [Id(1)] public DateTimeOffset? From { get; init; }

    /// <summary>Rows before this instant; null: without end.</summary>
    [Id(2)] public DateTimeOffset? To { get; init; }

    /// <summary>Ids of the dataset's area system: rows of these and of all below them; null: of all.</summary>
    [Id(3)] public string[]? Areas { get; init; }

    /// <summary>CQL2 text over the contract's fields, as the filter of an indicator; null: all rows.</summary>
    [Id(4)] public string? Filter { get; init; }

    /// <summary>Finest level of areas that values may have; 0 is the coarsest, null: any.</summary>
    [Id(5)] public int? FinestLevel { get; init; }

    /// <summary>Values of fewer rows than this are not given; 0: all are.</summary>
    [Id(6)] public int SmallestGroup { get; init; }
}

/// <summary>How the data is given.</summary>
[GenerateSerializer, Immutable, Alias("datahub.AgreementDelivery"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AgreementDelivery
{
    [Id(0)] public AgreementForm Form { get; init; }

    /// <summary>How often at most it is fetched, such as <c>PT1H</c>; null: as often as one likes.</summary>
    [Id(1)] public string? Rhythm { get; init; }

    /// <summary>Most rows of a UTC day; null: no limit.</summary>
    [Id(2)] public long? RowsPerDay { get; init; }
}

/// <summary>Who may use it, and for what beyond themselves.</summary>
[GenerateSerializer, Immutable, Alias("datahub.AgreementUse"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AgreementUse
{
    /// <summary>Groups of the recipient, <c>{agency}/{group}</c>; null: the whole agency.</summary>
    [Id(0)] public string[]? Groups { get; init; }

    /// <summary>Ids of keys of the recipient; null: any of its keys.</summary>
    [Id(1)] public string[]? Keys { get; init; }

    /// <summary>Networks from which it is fetched, in CIDR notation (<c>192.0.2.0/24</c>); null: any.</summary>
    [Id(2)] public string[]? Networks { get; init; }

    [Id(3)] public OnwardTransfer OnwardTransfer { get; init; }

    [Id(4)] public PublicationRule Publication { get; init; }

    /// <summary>What becomes of datasets of the recipient that are derived from it when the agreement is over; null: nothing was agreed, they are kept.</summary>
    [Id(5)] public DerivedRule? Derived { get; init; }
}

/// <summary>Something that the recipient has to do (<c>odrl:duty</c>).</summary>
/// <param name="Id">A word of lower-case letters, digits and hyphens, once in the terms.</param>
/// <param name="Text">For people.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementDuty"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AgreementDuty([property: Id(0), JsonRequired] string Id, [property: Id(1), JsonRequired] DutyKind Kind, [property: Id(2), JsonRequired] LocalText Text)
{
    /// <summary>The one instant by which it is done; either this or <c>every</c>.</summary>
    [Id(3)] public DateTimeOffset? Due { get; init; }

    /// <summary>Done again and again: for the first time so long after the agreement became active, for the last time before it ends.</summary>
    [Id(4)] public string? Every { get; init; }

    /// <summary>What it brings when it is missed.</summary>
    [Id(5)] public DutyMiss Missed { get; init; }
}

/// <param name="From">When it becomes active, if both have agreed by then.</param>
/// <param name="Until">When it ends.</param>
/// <param name="Notice">How long before an end either side says so, such as <c>P1M</c>; in this time before its end it is expiring.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementTerm"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AgreementTerm([property: Id(0), JsonRequired] DateTimeOffset From, [property: Id(1), JsonRequired] DateTimeOffset Until, [property: Id(2), JsonRequired] string Notice);

/// <summary>Sides that agree by two different subjects.</summary>
[GenerateSerializer, Immutable, Alias("datahub.AgreementFourEyes"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AgreementFourEyes
{
    [Id(0)] public bool Provider { get; init; }

    [Id(1)] public bool Recipient { get; init; }
}

/// <summary>What is given.</summary>
public enum AgreementForm
{
    /// <summary>Rows and values.</summary>
    Both = 0,
    Rows = 1,

    /// <summary>Values of indicators only.</summary>
    Values = 2,

    /// <summary>Single records, one at a time, each for one procedure (<see cref="EvidenceRequest"/>).</summary>
    Evidence = 3,
}

/// <summary>Whether the recipient may pass it on.</summary>
public enum OnwardTransfer
{
    None = 0,

    /// <summary>If the provider consents each time.</summary>
    WithConsent = 1,
    Allowed = 2,
}

/// <summary>What the recipient may publish of it.</summary>
public enum PublicationRule
{
    None = 0,

    /// <summary>Aggregates, never rows.</summary>
    AggregatesOnly = 1,
    Free = 2,
}

/// <summary>What becomes of derived data when an agreement is over.</summary>
public enum DerivedRule
{
    Kept = 0,

    /// <summary>It stays as it is and takes no rows any more.</summary>
    Frozen = 1,

    /// <summary>Its rows are erased everywhere, and a receipt shows it.</summary>
    Deleted = 2,
}

public enum DutyKind
{
    Other = 0,

    /// <summary>Tell what it was used for.</summary>
    Report = 1,

    /// <summary>Delete what was received.</summary>
    Delete = 2,

    /// <summary>Renew a declaration or a certificate.</summary>
    Renew = 3,
}

/// <summary>What a missed duty brings.</summary>
public enum DutyMiss
{
    /// <summary>It is on record, and both sides see it.</summary>
    Notice = 0,

    /// <summary>The agreement is suspended besides.</summary>
    Suspension = 1,
}

/// <summary>How much terms may hold.</summary>
public static class AgreementLimits
{
    /// <summary>Longest title, purpose and duty, in characters.</summary>
    public const int MaxText = 1_000;

    /// <summary>Longest legal basis, reason and evidence, in characters.</summary>
    public const int MaxReason = 2_000;

    /// <summary>Most purposes, forbidden purposes and duties, each.</summary>
    public const int MaxPurposes = 20, MaxDuties = 20;

    /// <summary>Most fields, areas, groups, keys and networks, each.</summary>
    public const int MaxFields = 200, MaxAreas = 200, MaxGroups = 50, MaxKeys = 50, MaxNetworks = 50;

    /// <summary>Most derived datasets of an agreement, greatest smallest group, and most rows of a day.</summary>
    public const int MaxDerived = 100, MaxSmallestGroup = 100_000;

    public const long MaxRowsPerDay = 1_000_000_000;

    /// <summary>Longest terms as <see cref="AgreementContent"/> writes them.</summary>
    public const int MaxBytes = 65_536;

    /// <summary>First and last year in which a term begins.</summary>
    public const int FirstYear = 2000, LastYear = 2200;

    /// <summary>Longest term, in years.</summary>
    public const int MaxYears = 20;
}
