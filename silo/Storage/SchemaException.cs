namespace DataHub.Storage;

/// <summary>A database's schema is not one that this program can work with; the message says which file and what to do.</summary>
internal sealed class SchemaException(string message) : Exception(message)
{
    /// <summary>Whether it may put itself right: a migration may be under way.</summary>
    public bool MayPass { get; init; }
}
