using System.ComponentModel.DataAnnotations;

namespace DataHub.Feeds;

/// <summary>The shape of the log. Section <c>DataHub:Log</c>.</summary>
internal sealed class LogOptions
{
    public const string Section = "DataHub:Log";

    /// <summary>Shards of the log; fixed at an installation's first start. 1 to 256, default 4.</summary>
    [Range(1, 256)]
    [Setting("Zahl der Logs mit je einem Schreiber; mit dem ersten Start festgelegt", "Number of logs with one writer each; fixed at the first start")]
    public int Shards { get; set; } = 4;
}
