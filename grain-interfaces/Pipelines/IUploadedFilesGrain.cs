using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>The files of an agency, so that they can be listed and deleted in time. Key: the agency's id.</summary>
[GrainInterfaceType("datahub.uploaded-files")]
public interface IUploadedFilesGrain : IGrainWithStringKey
{
    /// <summary>Notes a file before it is stored.</summary>
    /// <returns>False where the agency has as many as it may.</returns>
    [Alias("Add"), Repeatable]
    Task<bool> AddAsync(Caller caller, string file);

    [Alias("Remove"), Repeatable]
    Task RemoveAsync(Caller caller, string file);

    /// <summary>Ids, newest first.</summary>
    /// <param name="after">Only older ones; null: from the newest.</param>
    [Alias("List"), AlwaysInterleave, Repeatable]
    Task<string[]> ListAsync(Caller caller, string? after, int limit);
}
