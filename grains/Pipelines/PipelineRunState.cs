namespace DataHub.Pipelines;

/// <summary>A run as it is stored.</summary>
/// <param name="Run">Null: there is none.</param>
/// <param name="Failures">Of the step under way, one after the other.</param>
/// <param name="Deaths">How often the silo died while the step under way ran.</param>
/// <param name="Told">The job knows that it has ended.</param>
[GenerateSerializer, Immutable, Alias("datahub.PipelineRunState")]
public sealed record PipelineRunState([property: Id(0)] RunInfo? Run, [property: Id(1)] int Failures, [property: Id(2)] int Deaths, [property: Id(3)] bool Told)
{
    public PipelineRunState()
        : this(null, 0, 0, false)
    {
    }

    /// <summary>Its turn has come.</summary>
    [Id(4)] public bool Begun { get; init; }

    /// <summary>The tables of its steps are deleted.</summary>
    [Id(5)] public bool TablesGone { get; init; }
}
