using System.ComponentModel.DataAnnotations;

namespace DataHub.Hosting;

/// <summary>The process of a silo. Section <c>DataHub:Host</c>.</summary>
internal sealed class SiloHostSettings : HostSettings
{
    public new const string Section = HostSettings.Section;

    /// <summary>Calls that may wait for one grain; further ones are refused with 503. 100 to 1,000,000, default 20,000.</summary>
    [Range(100, 1_000_000)]
    [Setting("Aufrufe, die auf ein einzelnes Grain warten dürfen", "Calls that may wait for one grain")]
    public int MaxWaitingCalls { get; set; } = 20_000;
}

/// <summary>The Orleans dashboard, for operators. Section <c>DataHub:Dashboard</c>.</summary>
internal sealed class DashboardSettings
{
    public const string Section = "DataHub:Dashboard";

    /// <summary>Whether <c>/dashboard</c> is there, for admin keys of the platform only. Default false.</summary>
    [Setting("Orleans-Dashboard unter /dashboard, nur für Admin-Schlüssel der Plattform", "Orleans dashboard at /dashboard, for admin keys of the platform only")]
    public bool Enabled { get; set; }
}
