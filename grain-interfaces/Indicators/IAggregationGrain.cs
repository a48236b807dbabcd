namespace DataHub.Indicators;

/// <summary>The fold of one partition into the cells of all indicators of its dataset. Key: the stream's key, <c>{dataset}/{number}</c>.</summary>
/// <remarks>Only grains call it; the indicator's grain has decided who may see what.</remarks>
[GrainInterfaceType("datahub.aggregation")]
public interface IAggregationGrain : IGrainWithStringKey
{
    /// <summary>Cells of one definition, from memory where hot.</summary>
    [Alias("ReadCells"), Repeatable]
    Task<CellSet> ReadCellsAsync(CellQuery query);

    /// <summary>Cells of several definitions as they stand at one sequence.</summary>
    /// <returns>Per query what <see cref="ReadCellsAsync"/> says; all that are joined at the same sequence.</returns>
    [Alias("ReadMany"), Repeatable]
    Task<CellSet[]> ReadManyAsync(CellQuery[] queries);

    /// <summary>Reads the dataset's definitions anew and fills new ones. Returns when it has taken note, not when they are filled.</summary>
    [Alias("DefinitionsChanged"), Repeatable]
    Task DefinitionsChangedAsync();

    /// <summary>Whether every definition has folded and stored a sequence; for erasures, which overwrite only what nobody needs any more.</summary>
    /// <returns>The definitions that there are; null where one has not.</returns>
    [Alias("Passed"), Repeatable]
    Task<string[]?> PassedAsync(long sequence);

    /// <summary>
    /// Lets every definition but these begin anew, unless it was filled as of that sequence or a later one: they may have
    /// folded a row that was erased since, and not its retraction.
    /// </summary>
    /// <param name="passed">From <see cref="PassedAsync"/>.</param>
    /// <param name="sequence">What was asked for there.</param>
    [Alias("RefoldOthers"), Repeatable]
    Task RefoldOthersAsync(string[] passed, long sequence);

    /// <summary>Folds and stores up to a sequence now, as far as the log has it; what halted the fold is tried again without waiting.</summary>
    /// <returns>Where the fold stands then.</returns>
    [Alias("Reach"), Repeatable]
    Task<FoldStatus> ReachAsync(long sequence);

    /// <summary>Where the fold stands; for health and conservation.</summary>
    [Alias("Status"), Repeatable]
    Task<FoldStatus> StatusAsync();
}

/// <param name="From">Windows that begin at or after this instant; null: all.</param>
/// <param name="To">Windows that begin before; null: all.</param>
/// <param name="AtLeast">Answer only once folded to this sequence; 0: as it stands.</param>
/// <param name="MaxCells">Refuse rather than answer with more.</param>
[GenerateSerializer, Immutable, Alias("datahub.CellQuery")]
public sealed record CellQuery(
    [property: Id(0)] string Indicator,
    [property: Id(1)] int DefinitionVersion,
    [property: Id(2)] DateTimeOffset? From,
    [property: Id(3)] DateTimeOffset? To,
    [property: Id(4)] long AtLeast,
    [property: Id(5)] int MaxCells)
{
    /// <summary>Per area and dimensions only the last window.</summary>
    [Id(6)] public bool Latest { get; init; }

    /// <summary>With <see cref="Latest"/>: also the cells of so many windows before each last one.</summary>
    [Id(9)] public int Back { get; init; }

    /// <summary>Also what was open when the window at <see cref="From"/> began; only for <see cref="MeasureFunction.Open"/>.</summary>
    [Id(10)] public bool Opening { get; init; }

    /// <summary>Also name the cells in the range that changed after this sequence.</summary>
    [Id(7)] public long? TouchedSince { get; init; }

    /// <summary>
    /// Only cells of the windows that begin at these instants (ticks) and of those with cells changed after <see cref="TouchedSince"/>; null: all in the range.
    /// With <see cref="Latest"/>: besides the last ones all cells of these windows, those before <see cref="From"/> too.
    /// </summary>
    [Id(8)] public long[]? Windows { get; init; }
}

/// <param name="Sequence">Folded up to here.</param>
/// <param name="Joined">Whether the definition has joined the live fold.</param>
[GenerateSerializer, Immutable, Alias("datahub.CellSet")]
public sealed record CellSet(
    [property: Id(0)] ReadRefusal Refusal,
    [property: Id(1)] long Sequence,
    [property: Id(2)] DateTimeOffset ReceivedAt,
    [property: Id(3)] bool Joined,
    [property: Id(4)] CellValue[] Cells,
    [property: Id(5)] string? Detail)
{
    /// <summary>Per area and dimensions all that began and ended before <see cref="CellQuery.From"/>, where asked for.</summary>
    [Id(7)] public CellValue[] Opening { get; init; } = [];

    /// <summary>Cells that changed after <see cref="CellQuery.TouchedSince"/>, those that lost all their rows too; without their states.</summary>
    [Id(6)] public TouchedCell[] Touched { get; init; } = [];

    /// <summary>How far the definition is; null where there is no such definition.</summary>
    [Id(8)] public DefinitionProgress? Progress { get; init; }

    /// <summary>The detail with <see cref="ReadRefusal.TooMany"/> where it is rows of history, not cells, that are too many.</summary>
    public const string TooManyRows = "rows";
}

/// <param name="Area">As <see cref="CellValue.Area"/>.</param>
/// <param name="Dimensions">As <see cref="CellValue.Dimensions"/>.</param>
/// <param name="Sequence">Of the last change.</param>
[GenerateSerializer, Immutable, Alias("datahub.TouchedCell")]
public readonly record struct TouchedCell(
    [property: Id(0)] string Area,
    [property: Id(1)] long WindowFrom,
    [property: Id(2)] string Dimensions,
    [property: Id(3)] long Sequence);

/// <param name="Area">Empty where not grouped by area.</param>
/// <param name="Dimensions">JSON array of the dimension values as text; empty where not grouped by dimensions.</param>
/// <param name="State">The accumulator in its canonical bytes.</param>
[GenerateSerializer, Immutable, Alias("datahub.CellValue")]
public readonly record struct CellValue(
    [property: Id(0)] string Area,
    [property: Id(1)] long WindowFrom,
    [property: Id(2)] string Dimensions,
    [property: Id(3)] byte[] State,
    [property: Id(4)] long Sequence);

/// <param name="Sequence">Folded up to here.</param>
/// <param name="StoredSequence">Stored up to here.</param>
/// <param name="Accepted">Accepted rows applied, ever.</param>
/// <param name="Halted">Why the fold stands still, or null.</param>
[GenerateSerializer, Immutable, Alias("datahub.FoldStatus")]
public sealed record FoldStatus([property: Id(0)] long Sequence, [property: Id(1)] long StoredSequence, [property: Id(2)] long Accepted, [property: Id(3)] string? Halted);
