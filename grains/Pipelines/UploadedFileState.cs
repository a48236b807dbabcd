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
}
