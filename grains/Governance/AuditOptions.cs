using System.ComponentModel.DataAnnotations;

namespace DataHub.Governance;

/// <summary>Limits of the audit log. Section <c>DataHub:Audit</c>.</summary>
internal sealed class AuditOptions
{
    public const string Section = "DataHub:Audit";

    /// <summary>Events that are stored in one transaction at most, 1 to 10,000; default 1,000.</summary>
    [Range(1, 10_000)]
    [Setting("Ereignisse, die das Audit-Log auf einmal festschreibt", "Events that the audit log stores in one transaction")]
    public int MaxBatch { get; set; } = 1_000;

    /// <summary>Events that may wait for the audit log, 100 to 1,000,000; default 10,000. Beyond it whoever notes one has to try again.</summary>
    [Range(100, 1_000_000)]
    [Setting("Ereignisse, die auf das Audit-Log warten dürfen", "Events that may wait for the audit log")]
    public int MaxWaiting { get; set; } = 10_000;

    /// <summary>Events that one agency or dataset keeps until the audit log has them, 1 to 10,000; default 100. Beyond it nothing of it can be changed.</summary>
    [Range(1, 10_000)]
    [Setting("Noch nicht im Audit-Log stehende Ereignisse, die eine Behörde oder ein Datensatz aufhebt", "Events not yet in the audit log that an agency or a dataset keeps")]
    public int MaxPending { get; set; } = 100;

    /// <summary>How long a change waits for the audit log before it is answered, 10 ms to one minute; default 2 seconds. It is noted later then, and never lost.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange eine Änderung auf das Audit-Log wartet; danach wird sie später vermerkt", "How long a change waits for the audit log; after that it is noted later")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(2);
}
