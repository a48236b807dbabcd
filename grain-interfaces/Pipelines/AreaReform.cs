namespace DataHub.Pipelines;

/// <summary>
/// A day on which areas were cut anew, and the columns of the table that says which share of an old area went where. Counts and
/// inhabitants dated before the day are distributed by it; rates are calculated afterwards.
/// </summary>
/// <param name="On">The first day of the new areas.</param>
/// <param name="OldArea">Of the type of the counts' area.</param>
/// <param name="NewArea">Of the same type.</param>
/// <param name="Share">A number, above 0 and at most 1; those of one old area sum to 1 (± <see cref="RecipeLimits.ShareTolerance"/>).</param>
[GenerateSerializer, Immutable, Alias("datahub.AreaReform")]
public sealed record AreaReform([property: Id(0)] DateOnly On, [property: Id(1)] string OldArea, [property: Id(2)] string NewArea, [property: Id(3)] string Share);
