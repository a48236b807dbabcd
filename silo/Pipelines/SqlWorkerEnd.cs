namespace DataHub.Pipelines;

/// <summary>How a worker ended that said nothing last.</summary>
/// <param name="Refusal">Which limit ended it; null where none did.</param>
/// <param name="Errors">The beginning of what it wrote to standard error.</param>
internal sealed record SqlWorkerEnd(int ExitCode, SqlRefusal? Refusal, string Errors);
