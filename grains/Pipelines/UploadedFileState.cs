namespace DataHub.Pipelines;

/// <summary>An upload as it is stored.</summary>
/// <param name="Pieces">In the store.</param>
[GenerateSerializer, Immutable, Alias("datahub.UploadedFileState")]
public sealed record UploadedFileState([property: Id(0)] UploadedFile? File, [property: Id(1)] int Pieces)
{
    public UploadedFileState()
        : this(null, 0)
    {
    }

    /// <summary>It is complete, and jobs that wait for such a file have to be told.</summary>
    [Id(2)] public bool IsToOffer { get; init; }
}
