using System.ComponentModel.DataAnnotations;

namespace DataHub.Hosting;

/// <summary>How a front-end finds the silos and how long it tries. Section <c>DataHub:Cluster</c>.</summary>
internal sealed class FrontEndClusterOptions : ClusterIdentity
{
    public const string Section = "DataHub:Cluster";

    /// <summary>The silos' gateways: <c>host:port</c>, several by semicolons; a name stands for all its addresses. Default <c>127.0.0.1:30000</c>.</summary>
    [Setting("Zugänge zu den Silos, host:port, durch Semikolon getrennt; ein Name steht für alle seine Adressen", "The silos' gateways, host:port, separated by semicolons; a name stands for all its addresses")]
    public string Gateways { get; set; } = "127.0.0.1:30000";

    /// <summary>How often names are resolved anew and the cluster is asked which silos are active. 0.1 s to 10 min, default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    [Setting("Abstand, in dem die Zugänge neu gesucht werden", "How often the gateways are looked for anew")]
    public TimeSpan GatewayRefresh { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a call that may be repeated is repeated before the answer is 503. 0 to 1 min, default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    [Setting("Wie lange ein wiederholbarer Aufruf wiederholt wird, bevor die Antwort 503 ist", "How long a call that may be repeated is repeated before the answer is 503")]
    public TimeSpan RepeatFor { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>After how long without an answer a call that may be repeated is sent again beside the first, and then after twice that time, and so on. 0.1 s to 1 min, default 3 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    [Setting("Nach welcher Zeit ohne Antwort ein wiederholbarer Aufruf noch einmal gesendet wird, danach nach der doppelten, und so fort", "After how long without an answer a call that may be repeated is sent again, then after twice that time, and so on")]
    public TimeSpan AskAgainAfter { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest wait for one call. 1 s to 10 min, default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    [Setting("Längste Wartezeit auf einen Aufruf", "Longest wait for one call")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
