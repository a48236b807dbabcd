using Orleans.Concurrency;

namespace DataHub.Catalog;

/// <summary>The lists of what there is: agencies, datasets, indicators, area systems. Key: the kind's name.</summary>
[GrainInterfaceType("datahub.catalog")]
public interface ICatalogGrain : IGrainWithStringKey
{
    /// <summary>Notes an id; an id already noted changes nothing.</summary>
    /// <param name="caller">The hub itself or a platform administrator.</param>
    /// <exception cref="CatalogFullException">The list holds as many entries as DataHub:Catalog:MaxEntries allows.</exception>
    [Alias("Add"), Repeatable]
    Task AddAsync(Caller caller, string id);

    /// <summary>Ids in ordinal order.</summary>
    /// <param name="caller">Whoever asks; names are open.</param>
    /// <param name="after">Only ids greater than this; null from the beginning.</param>
    /// <param name="limit">1 to 1,000.</param>
    [Alias("List"), AlwaysInterleave, Repeatable]
    Task<string[]> ListAsync(Caller caller, string? after, int limit);
}

/// <summary>Keys of <see cref="ICatalogGrain"/>.</summary>
public static class CatalogKinds
{
    public const string Agencies = "agencies";
    public const string Datasets = "datasets";
    public const string Indicators = "indicators";
    public const string AreaSystems = "areas";
    public const string Dataspaces = "dataspaces";

    /// <summary>Jobs of pipelines.</summary>
    public const string Jobs = "jobs";

    /// <summary>All agreements.</summary>
    public const string Agreements = "agreements";

    /// <summary>The datasets of which single records were asked for (<see cref="Sharing.IEvidenceLogGrain"/>).</summary>
    public const string Evidence = "evidence";

    /// <summary>The groups of one agency, without the agency.</summary>
    public static string GroupsOf(string agency) => "groups/" + agency;

    /// <summary>The purposes for which an agency has keys that make pseudonyms.</summary>
    public static string PseudonymKeysOf(string agency) => "pseudonym-keys/" + agency;

    /// <summary>The names of an agency's keys for other hosts.</summary>
    public static string PullKeysOf(string agency) => "pull-keys/" + agency;

    /// <summary>The agreements of which an agency is a side.</summary>
    public static string AgreementsOf(string agency) => "agreements/" + agency;

    /// <summary>The jobs of one agency's own tools that events told of.</summary>
    public static string ForeignJobsOf(string agency) => "foreign-jobs/" + agency;

    /// <summary>The sharing agreements about one dataset.</summary>
    public static string AgreementsOn(string dataset) => "agreements-on/" + dataset;
}

/// <summary>A list of the catalogue is full.</summary>
[GenerateSerializer, Alias("datahub.CatalogFullException")]
public sealed class CatalogFullException : Exception
{
    public CatalogFullException()
    {
    }

    public CatalogFullException(string message)
        : base(message)
    {
    }

    public CatalogFullException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
