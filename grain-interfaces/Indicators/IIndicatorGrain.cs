using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Indicators;

/// <summary>An indicator: its definition, and its values merged over partitions and rolled up over areas. Key: the indicator's id.</summary>
[GrainInterfaceType("datahub.indicator")]
public interface IIndicatorGrain : IGrainWithStringKey
{
    /// <summary>Creates or changes the indicator. An equal definition changes nothing; repeating is harmless.</summary>
    /// <param name="caller">An admin of the dataset's publisher or of the platform.</param>
    [Alias("Put"), Repeatable]
    Task<IndicatorResult> PutAsync(Caller caller, IndicatorSpec spec);

    /// <summary>The definition. Definitions are open; values need not be.</summary>
    /// <returns>Null where the indicator does not exist.</returns>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<IndicatorInfo?> GetAsync(Caller caller);

    /// <summary>Values by window, area and dimensions, in that order.</summary>
    /// <returns>A refusal, or a page; where <see cref="ValuesQuery.KnownVersion"/> is still current, no rows and <see cref="ValuesPage.NotModified"/>.</returns>
    [Alias("Values"), AlwaysInterleave, Repeatable]
    Task<ValuesResult> ValuesAsync(Caller caller, ValuesQuery query);

    /// <summary>Which cells a query needs, for reading those of several indicators together.</summary>
    [Alias("Plan"), AlwaysInterleave, Repeatable]
    Task<CellPlan> PlanAsync(Caller caller, ValuesQuery query);

    /// <summary>The values of a query from cells that were read by its plan.</summary>
    /// <param name="plan">From <see cref="PlanAsync"/> or from the answer before.</param>
    /// <param name="sets">Per partition the answers to the plan's queries.</param>
    [Alias("Answer"), AlwaysInterleave, Repeatable]
    Task<PlannedAnswer> AnswerAsync(Caller caller, ValuesQuery query, CellPlan plan, CellSet[][] sets);

    /// <summary>What changed in a selection of values since some marks, and what is there now.</summary>
    /// <returns>A refusal, or the changes as of one version; never older than any of the marks.</returns>
    [Alias("Changes"), AlwaysInterleave, Repeatable]
    Task<ChangesResult> ChangesAsync(Caller caller, ChangesQuery query);

    /// <summary>Waits until something may have changed: a value, the definition, who may read, or whether values are current.</summary>
    /// <param name="known">What the last call returned; anything else returns at once.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>A number to name in the next call; the known one where nothing was heard for some seconds. It tells nothing else, so everybody may ask.</returns>
    [Alias("News"), AlwaysInterleave, NotRepeatable("whoever waits for news asks again")]
    Task<long> NewsAsync(long known, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lets a front-end give out again, until the lease ends, what it was answered since it heard the number that it names.
    /// While a lease lasts nobody is given anything newer before its holder has been told.
    /// </summary>
    /// <param name="holder">The front-end.</param>
    /// <param name="known">The number that the last call returned, which its holder has taken note of; 0 at first; <see cref="AnswerLease.Returned"/> gives the lease back.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>At news at once, else after half of the lease. It tells nothing but that there is news, so everybody may ask.</returns>
    [Alias("Lease"), AlwaysInterleave, NotRepeatable("whoever holds a lease asks again")]
    Task<AnswerLease> LeaseAsync(Guid holder, long known, CancellationToken cancellationToken = default);

    /// <summary>The dataset tells what it is now: who may read, its areas, its licence. Once this has returned nobody is answered by what it was before. Only for the hub.</summary>
    [Alias("SourceChanged"), AlwaysInterleave, Repeatable]
    Task SourceChangedAsync(Caller caller, DatasetInfo dataset);

    /// <summary>Every right on the indicator, decided for a subject, for a caller who may know: the subject itself, or whoever gives roles there.</summary>
    /// <returns>Null where there is no such indicator or the caller may not know.</returns>
    [Alias("Access"), AlwaysInterleave, Repeatable]
    Task<AccessExplanation?> AccessAsync(Caller caller, Caller subject);

    /// <summary>The versions of the definition that values can be asked by: the earlier ones that are kept, oldest first, then the one that answers. Definitions are open.</summary>
    /// <returns>Null where the indicator does not exist.</returns>
    [Alias("Definitions"), AlwaysInterleave, Repeatable]
    Task<IndicatorDefinition[]?> DefinitionsAsync(Caller caller);

    /// <summary>Where one number comes from: its definition, the rows that went in and how they came, and the number folded again from exactly these.</summary>
    /// <returns>A refusal, or a page as of one watermark; the next page is to be asked for at that watermark.</returns>
    [Alias("Explain"), AlwaysInterleave, Repeatable]
    Task<ExplainResult> ExplainAsync(Caller caller, ExplainQuery query);

    /// <summary>What moved values between two moments: the cells before and after, and the rows that did it.</summary>
    /// <returns>A refusal, or a page between two watermarks; the next page is to be asked for between the same.</returns>
    [Alias("Diff"), AlwaysInterleave, Repeatable]
    Task<DiffResult> DiffAsync(Caller caller, DiffQuery query);

    /// <summary>
    /// Whether somebody who watches, or wants to, may be given so many values now. Asked before they are given to each who
    /// watches; given through an agreement, they are counted by it.
    /// </summary>
    /// <param name="values">0: nothing is given, it is only asked whether it still holds.</param>
    [Alias("Admit"), AlwaysInterleave, NotRepeatable("a repeat counts the values twice")]
    Task<Admission> AdmitAsync(Caller caller, int values);

    /// <summary>Told by a fold: it has folded up to a sequence. One-way news; a lost one is made up for by the next.</summary>
    /// <param name="partition">Stream key of the fold.</param>
    /// <param name="definitionVersion">Which definition advanced.</param>
    /// <param name="sequence">Everything up to here is in.</param>
    /// <param name="receivedAt">When the batch at that sequence was received.</param>
    /// <param name="changed">Whether any cell of this indicator changed since the last news.</param>
    [Alias("Advanced"), AlwaysInterleave, Repeatable]
    Task AdvancedAsync(string partition, int definitionVersion, long sequence, DateTimeOffset receivedAt, bool changed);
}

/// <param name="Number">Answers that were asked for since this number was heard may be given out again.</param>
/// <param name="For">How long, counted from when the lease was asked for; zero: there is none.</param>
[GenerateSerializer, Immutable, Alias("datahub.AnswerLease")]
public readonly record struct AnswerLease([property: Id(0)] long Number, [property: Id(1)] TimeSpan For)
{
    /// <summary>Named instead of a number by a front-end that gives out nothing any more: nobody need wait for it.</summary>
    public const long Returned = -1;
}

/// <param name="Refusal">None: yes.</param>
/// <param name="Through">As <see cref="ValuesPage.Through"/>.</param>
[GenerateSerializer, Immutable, Alias("datahub.Admission")]
public sealed record Admission([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] LocalText? Detail, [property: Id(2)] string? Through);

[GenerateSerializer, Immutable, Alias("datahub.IndicatorResult")]
public sealed record IndicatorResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] IndicatorInfo? Indicator, [property: Id(2)] LocalText? Detail)
{
    [Id(3)] public bool Created { get; init; }
}

/// <param name="From">Windows that begin at or after; null for the beginning.</param>
/// <param name="To">Windows that begin before; null for the end.</param>
/// <param name="Latest">Only each area's (and combination of dimensions') last window; <paramref name="From"/> and <paramref name="To"/> then bound which.</param>
/// <param name="Level">Roll up to this level; null for the areas as rows carry them (their finest), or with <paramref name="Area"/> for that area's own. Rows known to a coarser area only are in no area of a finer level.</param>
/// <param name="Area">Only this area, or with a deeper <paramref name="Level"/> its descendants there.</param>
/// <param name="AtLeast">A watermark the answer must include.</param>
/// <param name="After">Continue after this row of an earlier page.</param>
/// <param name="Limit">1 to 10,000 rows.</param>
[GenerateSerializer, Immutable, Alias("datahub.ValuesQuery")]
public sealed record ValuesQuery(
    [property: Id(0)] DateTimeOffset? From,
    [property: Id(1)] DateTimeOffset? To,
    [property: Id(2)] bool Latest,
    [property: Id(3)] int? Level,
    [property: Id(4)] string? Area,
    [property: Id(5)] Feeds.Watermark? AtLeast,
    [property: Id(6)] ValuesCursor? After,
    [property: Id(7)] int Limit)
{
    /// <summary>A version the caller holds this very answer for.</summary>
    [Id(8)] public long? KnownVersion { get; init; }

    /// <summary>
    /// All areas together, rolled up to one row per window and combination of dimensions whose area is null: the whole
    /// city. Not together with a level or an area. Rows without an area belong to it too.
    /// </summary>
    [Id(9)] public bool Whole { get; init; }

    /// <summary>Instead of <see cref="From"/>: the begin of this day in the indicator's zone.</summary>
    [Id(10)] public DateOnly? FromDay { get; init; }

    /// <summary>Instead of <see cref="To"/>: the begin of this day in the indicator's zone.</summary>
    [Id(11)] public DateOnly? ToDay { get; init; }

    /// <summary>
    /// Answer as it was known at this moment, from history: equal to replaying only what had been received by then. A window
    /// that was not over then is preliminary. Null: as it is now.
    /// </summary>
    [Id(12)] public Moment? AsOf { get; init; }

    /// <summary>Answer by this version of the definition, from history; null: by the one that answers now.</summary>
    [Id(13)] public int? Definition { get; init; }

    /// <summary>
    /// With <see cref="KnownVersion"/>: through which agreement that answer came (<see cref="ValuesPage.Through"/>). With
    /// <see cref="IIndicatorGrain.AnswerAsync"/>: through which the same request was answered before, so that its fetch has begun.
    /// </summary>
    [Id(14)] public string? KnownThrough { get; init; }

    /// <summary>With <see cref="KnownVersion"/>: how many values that answer has, which count as given again.</summary>
    [Id(16)] public int KnownRows { get; init; }

    /// <summary>What an agreement gives of the answer. Set by the grain that decides, whatever the caller says.</summary>
    [Id(15)] public ValuesWithin? Within { get; init; }
}

/// <summary>What a sharing agreement gives of an indicator's values, beside time range and level.</summary>
/// <param name="Through">Agreement and version: <c>{id}@{version}</c>.</param>
/// <param name="Areas">Only values of these areas and of all below them; null: of all.</param>
/// <param name="SmallestGroup">Values of fewer rows are suppressed.</param>
/// <param name="CoverageAfter">Ticks: only values of windows that begin later say how many series reported.</param>
[GenerateSerializer, Immutable, Alias("datahub.ValuesWithin")]
public sealed record ValuesWithin([property: Id(0)] string Through, [property: Id(1)] string[]? Areas, [property: Id(2)] int SmallestGroup, [property: Id(3)] long CoverageAfter)
{
    /// <summary>The terms of a version never change: agreement and version say the rest.</summary>
    public bool Equals(ValuesWithin? other) => other is not null && Through == other.Through && CoverageAfter == other.CoverageAfter;

    public override int GetHashCode() => HashCode.Combine(Through, CoverageAfter);
}

[GenerateSerializer, Immutable, Alias("datahub.ValuesCursor")]
public sealed record ValuesCursor([property: Id(0)] DateTimeOffset From, [property: Id(1)] string Area, [property: Id(2)] string Dimensions);

public enum ReadRefusal
{
    None = 0,
    NotFound = 1,
    Forbidden = 2,

    /// <summary>The watermark was not reached in time: 503 with Retry-After.</summary>
    NotYet = 3,

    /// <summary>The watermark is of another incarnation of the log: 410.</summary>
    Gone = 4,

    /// <summary>A parameter names something that does not exist (area, level): 400.</summary>
    Invalid = 5,

    /// <summary>More cells than one answer may touch (limit in the detail): 422.</summary>
    TooMany = 6,

    /// <summary>A store did not answer or a grain moved: 503.</summary>
    Unavailable = 7,

    /// <summary>The rhythm of the agreement has not passed since it was fetched: 429 with Retry-After.</summary>
    TooOften = 8,
}

[GenerateSerializer, Immutable, Alias("datahub.ValuesResult")]
public sealed record ValuesResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] ValuesPage? Page, [property: Id(2)] LocalText? Detail)
{
    /// <summary>With <see cref="ReadRefusal.TooOften"/>: how long to wait.</summary>
    [Id(3)] public TimeSpan RetryAfter { get; init; }
}

/// <param name="Version">Rises with every change of any value of the indicator; never reused. 0 for an answer from history, which its watermark and definition name for good.</param>
/// <param name="Watermark">As of the version: what made it.</param>
/// <param name="Current">How far the answer is current now; at least <paramref name="Watermark"/>.</param>
/// <param name="AsOf">When the newest row in the version was received; <see cref="DateTimeOffset.MinValue"/> where there is none.</param>
[GenerateSerializer, Immutable, Alias("datahub.ValuesPage")]
public sealed record ValuesPage(
    [property: Id(0)] IndicatorInfo Indicator,
    [property: Id(1)] long Version,
    [property: Id(2)] string Watermark,
    [property: Id(3)] string Current,
    [property: Id(4)] DateTimeOffset AsOf,
    [property: Id(5)] IndicatorValue[] Rows,
    [property: Id(6)] ValuesCursor? Next,
    [property: Id(7)] bool NotModified)
{
    /// <summary>Until when the states (preliminary) hold if nothing is pushed; the answer changes by itself then. Null: for good.</summary>
    [Id(8)] public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>The agreement, as <c>{id}@{version}</c>, through which the caller sees it; null: by right.</summary>
    [Id(9)] public string? Through { get; init; }

    /// <summary>The fetch that began with this answer, where the agreement names a rhythm.</summary>
    [Id(10)] public Sharing.BegunFetch? Begun { get; init; }
}

/// <param name="Area">Null where the indicator is not grouped by area, and for rows that have none.</param>
/// <param name="Dimensions">In the order of the definition's dimensions; null where it has none.</param>
/// <param name="Value">Null where suppressed.</param>
/// <param name="Count">Rows behind the value; null where suppressed.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorValue")]
public readonly record struct IndicatorValue(
    [property: Id(0)] string? Area,
    [property: Id(1)] DateTimeOffset From,
    [property: Id(2)] DateTimeOffset To,
    [property: Id(3)] string?[]? Dimensions,
    [property: Id(4)] double? Value,
    [property: Id(5)] long? Count,
    [property: Id(6)] ValueState State)
{
    /// <summary>Null where the definition does not ask for it, and where the value is suppressed.</summary>
    [Id(7)] public SeriesCoverage? Coverage { get; init; }

    /// <summary>Null where the definition has no target, and where there is no value.</summary>
    [Id(8)] public TargetState? Target { get; init; }
}

/// <summary>How many series stand behind a value.</summary>
/// <param name="Series">Different series with a row in the window.</param>
/// <param name="Before">The same in the window before.</param>
[GenerateSerializer, Immutable, Alias("datahub.SeriesCoverage")]
public readonly record struct SeriesCoverage([property: Id(0)] long Series, [property: Id(1)] long Before);

/// <summary>How a value stands to its indicator's target.</summary>
public enum TargetState
{
    Met = 0,

    /// <summary>Not met, and not due when the value's window ends.</summary>
    Open = 1,

    /// <summary>Not met although due.</summary>
    Missed = 2,
}

public enum ValueState
{
    Ok = 0,

    /// <summary>Fewer rows than the disclosure rule asks for.</summary>
    Suppressed = 1,

    /// <summary>The window is not over.</summary>
    Preliminary = 2,

    /// <summary>The hub cannot say that the value is current.</summary>
    Stale = 3,

    /// <summary>Only of formulas: something it is made of has no value there.</summary>
    Missing = 4,

    /// <summary>Only of formulas: divided by zero, or beyond what a number can hold.</summary>
    Undefined = 5,
}
