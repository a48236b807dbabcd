namespace DataHub.Storage.Sqlite;

/// <summary>The folder of the databases belongs to another running process; the message names it.</summary>
public sealed class FolderInUseException(string message, Exception inner) : IOException(message, inner);
