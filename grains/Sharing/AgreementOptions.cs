using System.ComponentModel.DataAnnotations;

namespace DataHub.Sharing;

/// <summary>Limits of agreements. Section <c>DataHub:Sharing</c>.</summary>
internal sealed class AgreementOptions
{
    public const string Section = "DataHub:Sharing";

    /// <summary>Events of one agreement after which it cannot be negotiated on; it can always be suspended, revoked and ended. 20 to 5,000, default 1,000.</summary>
    [Range(20, 5_000)]
    [Setting("Ereignisse einer Vereinbarung, nach denen nicht mehr verhandelt wird", "Events of one agreement after which it is not negotiated on")]
    public int MaxEvents { get; set; } = 1_000;

    /// <summary>Versions of the terms of one agreement. 1 to 500, default 100.</summary>
    [Range(1, 500)]
    [Setting("Fassungen der Bedingungen je Vereinbarung", "Versions of the terms of one agreement")]
    public int MaxVersions { get; set; } = 100;

    /// <summary>How often an agreement in memory notes what became due. A second to an hour, default 30 seconds; what it answers is right to the instant at any rate.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie oft eine Vereinbarung vermerkt, was fällig wurde", "How often an agreement notes what became due")]
    public TimeSpan CatchUp { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long something is given through an agreement on one allowance that is stored; after a crash so much counts as given. A second to a minute, default 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange durch eine Vereinbarung auf eine gespeicherte Zusage hin gegeben wird", "How long something is given through an agreement on one stored allowance")]
    public TimeSpan Allowance { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The same for values that are not open and are read by right. A second to an hour, default 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Dasselbe für Werte, die nicht offen sind und mit einem Recht gelesen werden", "The same for values that are not open and are read by right")]
    public TimeSpan AllowanceByRight { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long it is kept who asked for single records. 30 days to 10 years, default 730 days; deleted within an hour after, and never shown from then on.</summary>
    [Range(typeof(TimeSpan), "30.00:00:00", "3652.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange aufbewahrt wird, wer einzelne Datensätze abgerufen hat", "How long it is kept who asked for single records")]
    public TimeSpan KeepEvidence { get; set; } = TimeSpan.FromDays(730);
}
