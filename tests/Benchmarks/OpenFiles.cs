using System.Globalization;

namespace DataHub.Benchmarks;

/// <summary>How many files and connections this program may have open. The runtime raises the soft limit to the hard one when it starts, for the hub as well.</summary>
internal static class OpenFiles
{
    public static long Limit
    {
        get
        {
            const string Limits = "/proc/self/limits";
            if (!File.Exists(Limits)) return long.MaxValue;
            var soft = File.ReadLines(Limits).First(line => line.StartsWith("Max open files", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
            return soft == "unlimited" ? long.MaxValue : long.Parse(soft, NumberStyles.None, CultureInfo.InvariantCulture);
        }
    }
}
