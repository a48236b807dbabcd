using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>Up to where somebody has seen an indicator's values.</summary>
/// <param name="Definition">Version of the definition that answered.</param>
/// <param name="AreaVersion">Version of the area system that rolled up; 0 without one.</param>
/// <param name="Watermark">Every change up to here was seen.</param>
/// <param name="At">The hub's time at which states (preliminary) were seen.</param>
[GenerateSerializer, Immutable, Alias("datahub.ChangeMark")]
public sealed record ChangeMark(
    [property: Id(0)] int Definition,
    [property: Id(1)] int AreaVersion,
    [property: Id(2)] Feeds.Watermark Watermark,
    [property: Id(3)] DateTimeOffset At);

/// <summary>Asks what became of a selection of values since some marks.</summary>
/// <param name="Selection">Which values; its limit is the most rows that the whole selection may have. Watermark, cursor and known version are not regarded.</param>
/// <param name="Full">The whole selection is wanted, not only what changed.</param>
/// <param name="Since">Marks, at most <see cref="MaxMarks"/>. Without <paramref name="Full"/> the first one is that of the caller's own rows.</param>
[GenerateSerializer, Immutable, Alias("datahub.ChangesQuery")]
public sealed record ChangesQuery([property: Id(0)] ValuesQuery Selection, [property: Id(1)] bool Full, [property: Id(2)] ChangeMark[] Since)
{
    /// <summary>Marks of one query.</summary>
    public const int MaxMarks = 32;

    /// <summary>The version the caller's own rows are of.</summary>
    [Id(3)] public long? KnownVersion { get; init; }

    /// <summary>When the first of the caller's own rows changes its state by itself; null: none will.</summary>
    [Id(4)] public DateTimeOffset? Until { get; init; }
}

[GenerateSerializer, Immutable, Alias("datahub.ChangesResult")]
public sealed record ChangesResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] ChangesPage? Page, [property: Id(2)] LocalText? Detail);

/// <param name="Kind">What <paramref name="Rows"/> are.</param>
/// <param name="Mark">Of this answer; to be named in the next query.</param>
/// <param name="Version">As <see cref="ValuesPage.Version"/>: values of the same selection in the same version are the same.</param>
/// <param name="Watermark">What made the version.</param>
/// <param name="Rows">
/// Of the whole selection, or the present rows of the places that were touched since the first mark or another one.
/// A selection of last values is answered in parts with rows of any window; the newest of each area and combination of dimensions counts.
/// </param>
/// <param name="Touched">Places whose rows changed since at least one of the marks; those without a row have lost it. In no order.</param>
/// <param name="TooOld">Bit i: since mark i nothing can be said; whoever stands there needs the whole selection.</param>
[GenerateSerializer, Immutable, Alias("datahub.ChangesPage")]
public sealed record ChangesPage(
    [property: Id(0)] ChangesKind Kind,
    [property: Id(1)] IndicatorInfo Indicator,
    [property: Id(2)] ChangeMark Mark,
    [property: Id(3)] long Version,
    [property: Id(4)] string Watermark,
    [property: Id(5)] DateTimeOffset AsOf,
    [property: Id(6)] IndicatorValue[] Rows,
    [property: Id(7)] TouchedPlace[] Touched,
    [property: Id(8)] uint TooOld)
{
    /// <summary>As <see cref="ValuesPage.Through"/>.</summary>
    [Id(9)] public string? Through { get; init; }
}

/// <summary>What a <see cref="ChangesPage"/> holds.</summary>
public enum ChangesKind
{
    /// <summary>The whole selection.</summary>
    Full = 0,

    /// <summary>What was touched since the first mark.</summary>
    Part = 1,

    /// <summary>The known version still holds; no rows.</summary>
    Same = 2,

    /// <summary>The hub cannot say that the values are current: what was seen stands, marked stale; no rows.</summary>
    Stale = 3,
}

/// <param name="From">The window's begin.</param>
/// <param name="Area">As <see cref="IndicatorValue.Area"/>.</param>
/// <param name="Dimensions">As <see cref="IndicatorValue.Dimensions"/>.</param>
/// <param name="Since">Bit i: touched since mark i.</param>
[GenerateSerializer, Immutable, Alias("datahub.TouchedPlace")]
public readonly record struct TouchedPlace(
    [property: Id(0)] DateTimeOffset From,
    [property: Id(1)] string? Area,
    [property: Id(2)] string?[]? Dimensions,
    [property: Id(3)] uint Since);
