using System.ComponentModel.DataAnnotations;

namespace DataHub.Feeds;

/// <summary>Limits of erasures. Section <c>DataHub:Erasure</c>.</summary>
internal sealed class ErasureOptions
{
    public const string Section = "DataHub:Erasure";

    /// <summary>Keys and quarantined rows that one erasure takes, 1 to 10,000,000; default 100,000. With more it changes nothing and says so.</summary>
    [Range(1, 10_000_000)]
    [Setting("Zeilen, die eine Löschung höchstens umfasst", "Rows that one erasure takes at most")]
    public int MaxRows { get; set; } = 100_000;

    /// <summary>Files up to so many MiB are written anew after an erasure, 0 to 1,048,576; default 2,048. Of larger ones the erased pages are zeroed only.</summary>
    [Range(0, 1 << 20)]
    [Setting("Größte Datei, die nach einer Löschung neu geschrieben wird, in MiB", "Largest file that is written anew after an erasure, in MiB")]
    public int CompactUpToMiB { get; set; } = 2_048;
}
