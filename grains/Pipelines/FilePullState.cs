namespace DataHub.Pipelines;

[GenerateSerializer, Immutable, Alias("datahub.FilePullState")]
public sealed record FilePullState([property: Id(0)] LastPull? Last)
{
    public FilePullState()
        : this((LastPull?)null)
    {
    }

    /// <summary>Ids of the uploaded files that were fetched, the oldest first.</summary>
    [Id(1)] public string[] Files { get; init; } = [];
}

/// <param name="Marks">By which the host knows the content again.</param>
/// <param name="File">Id of the uploaded file that it is kept as.</param>
/// <param name="Sha256">Of the content.</param>
[GenerateSerializer, Immutable, Alias("datahub.LastPull")]
public sealed record LastPull([property: Id(0)] string Url, [property: Id(1)] PullMarks Marks, [property: Id(2)] string File, [property: Id(3)] byte[] Sha256);
