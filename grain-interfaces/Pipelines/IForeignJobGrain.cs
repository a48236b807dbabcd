using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>A job of an agency's own tools, as these tell of it in events of OpenLineage. Key: <see cref="ForeignJobs.Key"/>.</summary>
[GrainInterfaceType("datahub.foreign-job")]
public interface IForeignJobGrain : IGrainWithStringKey
{
    /// <summary>Takes events. One that is there already changes nothing.</summary>
    /// <param name="caller">Who may push for the agency, or in the job's dataspace.</param>
    /// <param name="job">The same in all of them; its dataspace is that of the first.</param>
    /// <returns>A refusal, which changes nothing, or how many were new.</returns>
    [Alias("Tell"), Repeatable]
    Task<ForeignResult> TellAsync(Caller caller, ForeignJob job, ForeignEvent[] events);

    /// <summary>Its runs, the one that was told of last first, or null where there is no such job or the caller may not know of it.</summary>
    [Alias("Runs"), AlwaysInterleave, Repeatable]
    Task<ForeignRun[]?> RunsAsync(Caller caller);
}

/// <summary>Where jobs of agencies' own tools are found.</summary>
public static class ForeignJobs
{
    public const int NamespaceLength = 128, NameLength = 512;

    /// <summary>Events of one call, runs of a job and events of a run that are kept, bytes of one event and of all of a job.</summary>
    public const int Events = 100, Runs = 200, EventsOfRun = 100, EventBytes = 64 << 10, JobBytes = 1 << 20;

    /// <summary>Datasets of the hub that the events of one call name.</summary>
    public const int Datasets = 200;

    /// <summary>Whose namespace it is: the agency's id stands before the first <c>.</c> or <c>:</c>, or is all of it. Null where it is nobody's.</summary>
    public static string? Agency(string space)
    {
        var end = space.AsSpan().IndexOfAny('.', ':');
        var agency = end < 0 ? space : space[..end];
        return space.Length <= NamespaceLength && CatalogIds.IsValid(agency) ? agency : null;
    }

    public static string Key(string space, string name) => $"{Agency(space)}/{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{space}\n{name}")))}";
}

/// <param name="Dataspace">Whose roles reach it; null: keys of the agency only.</param>
[GenerateSerializer, Immutable, Alias("datahub.ForeignJob")]
public sealed record ForeignJob([property: Id(0)] string Namespace, [property: Id(1)] string Name, [property: Id(2)] string? Dataspace);

/// <param name="Type">As OpenLineage has it; OTHER where the event says none.</param>
/// <param name="Json">As it was sent.</param>
/// <param name="Datasets">Of the hub that it names.</param>
[GenerateSerializer, Immutable, Alias("datahub.ForeignEvent")]
public sealed record ForeignEvent([property: Id(0)] Guid Run, [property: Id(1)] string Type, [property: Id(2)] DateTimeOffset At, [property: Id(3)] string Json, [property: Id(4)] ForeignDataset[] Datasets);

/// <param name="Watermark">Its version where the event says one of the hub's.</param>
[GenerateSerializer, Immutable, Alias("datahub.ForeignDataset")]
public sealed record ForeignDataset([property: Id(0)] string Dataset, [property: Id(1)] bool IsOutput, [property: Id(2)] string? Watermark);

[GenerateSerializer, Immutable, Alias("datahub.ForeignRun")]
public sealed record ForeignRun([property: Id(0)] Guid Run, [property: Id(1)] ForeignEvent[] Events);

/// <param name="New">Events that were not there.</param>
[GenerateSerializer, Immutable, Alias("datahub.ForeignResult")]
public sealed record ForeignResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] int New, [property: Id(2)] LocalText? Detail);
