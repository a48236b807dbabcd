using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What a step of a job fetched last, so that it is not fetched again while it is the same. Key: <c>{job}/{step}</c>.</summary>
[GrainInterfaceType("datahub.file-pull")]
internal interface IFilePullGrain : IGrainWithStringKey
{
    /// <summary>Null: nothing yet. Only for the hub.</summary>
    [Alias("Get"), Repeatable]
    Task<LastPull?> GetAsync(Caller caller);

    /// <summary>Of the files so noted the newest hundred stay; older ones are deleted. Only for the hub.</summary>
    [Alias("Note"), Repeatable]
    Task NoteAsync(Caller caller, LastPull pull);
}
