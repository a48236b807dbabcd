using System.ComponentModel.DataAnnotations;

namespace DataHub.Demo;

/// <summary>The demo city. Section <c>DataHub:Demo</c>.</summary>
internal sealed class DemoOptions
{
    public const string Section = "DataHub:Demo";

    /// <summary>Whether demo agencies push an invented city. Default false; <c>--demo</c> sets it.</summary>
    [Setting("Ob eine erfundene Stadt laufend Daten liefert; auch --demo", "Whether an invented city keeps pushing data; also --demo")]
    public bool Enabled { get; set; }

    /// <summary>How many times the usual load of about ten rows a second. 0.01 to 1,000, default 1; <c>--demo-rate</c> sets it.</summary>
    [Range(0.01, 1_000)]
    [Setting("Vielfaches der Demo-Last von etwa zehn Zeilen je Sekunde; auch --demo-rate", "Multiple of the demo's load of about ten rows a second; also --demo-rate")]
    public double Rate { get; set; } = 1;

    /// <summary>Which city: the same number gives the same one. 0 to 1,000,000, default 1.</summary>
    [Range(0, 1_000_000)]
    [Setting("Welche Stadt: dieselbe Zahl ergibt dieselbe", "Which city: the same number gives the same one")]
    public int Seed { get; set; } = 1;
}
