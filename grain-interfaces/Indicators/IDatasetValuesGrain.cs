using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>Values of several indicators of one dataset as of one watermark. Key: the dataset's id. Keeps nothing.</summary>
[GrainInterfaceType("datahub.dataset-values")]
public interface IDatasetValuesGrain : IGrainWithStringKey
{
    /// <summary>Answers each query as the indicator itself does, all from the same rows.</summary>
    /// <param name="indicators">Ids, each once; all of this dataset.</param>
    /// <param name="query">The same for all; no version is known.</param>
    /// <returns>The first refusal with the indicator that it is about, or a page of each.</returns>
    [Alias("Values"), Repeatable]
    Task<DatasetValuesResult> ValuesAsync(Caller caller, string[] indicators, ValuesQuery query);
}

/// <param name="Indicator">Which one refused.</param>
/// <param name="Pages">
/// In the order asked for. All name one and the same <see cref="ValuesPage.Watermark"/>, the earliest at which every one of
/// them holds, and <see cref="ValuesPage.Current"/>, up to where all of them do.
/// </param>
[GenerateSerializer, Immutable, Alias("datahub.DatasetValuesResult")]
public sealed record DatasetValuesResult(
    [property: Id(0)] ReadRefusal Refusal, [property: Id(1)] string? Indicator, [property: Id(2)] LocalText? Detail, [property: Id(3)] ValuesPage[] Pages)
{
    /// <summary>As <see cref="ValuesResult.RetryAfter"/>.</summary>
    [Id(4)] public TimeSpan RetryAfter { get; init; }
}
