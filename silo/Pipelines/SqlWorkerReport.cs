namespace DataHub.Pipelines;

/// <summary>What a worker used.</summary>
/// <param name="PeakMemory">Bytes it held at most; 0 where the system does not say.</param>
/// <param name="CallsFiltered">Whether the kernel keeps it from opening sockets and starting programs.</param>
internal sealed record SqlWorkerReport(long PeakMemory, bool CallsFiltered);
