using System.Diagnostics;
using System.Globalization;

namespace DataHub.Benchmarks;

/// <summary>Processor time in seconds, all cores, by who used it.</summary>
internal readonly record struct Cpu(double Silos, double FrontEnd, double Postgres, double Load)
{
    private const double TicksPerSecond = 100;

    public static Cpu operator -(Cpu later, Cpu earlier) =>
        new(later.Silos - earlier.Silos, later.FrontEnd - earlier.FrontEnd, later.Postgres - earlier.Postgres, later.Load - earlier.Load);

    public static double OfThisProcess => Environment.CpuUsage.TotalTime.TotalSeconds;

    public static double Of(int process)
    {
        using var found = Process.GetProcessById(process);
        return found.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>Of a process and its children, those that have ended included.</summary>
    public static double OfFamily(int parent)
    {
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process)) continue;
            string[] fields;
            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                // The name before may hold blanks and parentheses.
                fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            }
            catch (IOException)
            {
                // It has just ended, and is among its parent's.
                continue;
            }

            if (process != parent && Number(fields[1]) != parent) continue;
            ticks += Number(fields[11]) + Number(fields[12]);
            if (process == parent) ticks += Number(fields[13]) + Number(fields[14]);
        }

        return ticks / TicksPerSecond;

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Silos:F1} / {FrontEnd:F1} / {Postgres:F1} / {Load:F1}");
}
