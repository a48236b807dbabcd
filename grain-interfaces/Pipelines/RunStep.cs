namespace DataHub.Pipelines;

/// <summary>A step of a run, as what it wrote names it.</summary>
/// <param name="Run">A ULID.</param>
/// <param name="Step">Its id in the job.</param>
[GenerateSerializer, Immutable, Alias("datahub.RunStep")]
public sealed record RunStep([property: Id(0)] string Run, [property: Id(1)] string Step);
