namespace DataHub.Storage;

/// <summary>A database's schema is not one that this program can work with; the message says which file and what to do.</summary>
internal sealed class SchemaException(string message) : Exception(message);
