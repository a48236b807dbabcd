namespace DataHub.Hosting;

/// <summary>Which cluster a program belongs to; silos and front-ends must say the same.</summary>
internal abstract class ClusterIdentity
{
    /// <summary>Name of the cluster; silos and front-ends of another name do not meet. Default <c>datahub</c>.</summary>
    [Setting("Name des Clusters; gleich bei allen Silos und Front-Ends", "Name of the cluster; the same for all silos and front-ends")]
    public string ClusterId { get; set; } = "datahub";

    /// <summary>Name under which grains' state is stored; never to be changed. Default <c>datahub</c>.</summary>
    [Setting("Name, unter dem Zustände gespeichert sind; bleibt für immer", "Name under which state is stored; stays for ever")]
    public string ServiceId { get; set; } = "datahub";
}
