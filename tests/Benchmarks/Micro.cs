using System.Globalization;

using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace DataHub.Benchmarks;

/// <summary>The parts that a row passes, each alone and without a hub: time and memory per row.</summary>
internal static class Micro
{
    private static readonly Type[] s_parts = [typeof(MicroDecoding), typeof(MicroBatch), typeof(MicroShard), typeof(MicroFold), typeof(MicroAnswer), typeof(MicroDoor)];

    /// <param name="filter">Part of a name as the table shows it, whatever its case; null: all.</param>
    public static int Run(string? filter)
    {
        var folder = Directory.CreateTempSubdirectory("datahub-benchmark-").FullName;
        try
        {
            var config = ManualConfig.CreateEmpty()
                // In this process: one built for each benchmark would have to be told all that this repository's builds are told.
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
                .AddDiagnoser(MemoryDiagnoser.Default)
                .AddColumnProvider(DefaultColumnProviders.Instance)
                .AddLogger(new Faults())
                .WithArtifactsPath(folder)
                .WithOptions(ConfigOptions.DisableLogFile);
            if (filter is not null) config.AddFilter(new SimpleFilter(part => Name(part).Contains(filter, StringComparison.OrdinalIgnoreCase)));

            var parts = s_parts.Where(part => BenchmarkConverter.TypeToBenchmarks(part, config).BenchmarksCases.Length > 0).ToArray();
            if (parts.Length == 0)
            {
                Console.Error.WriteLine($"{filter}: nothing has this in its name; without it all parts are measured.");
                return 2;
            }

            var failed = false;
            Console.WriteLine(Table.Machine(3));
            Console.WriteLine();
            Console.WriteLine("| what | ns a row | ± | bytes a row |");
            Console.WriteLine("| --- | ---: | ---: | ---: |");
            foreach (var part in parts)
            {
                var summary = BenchmarkRunner.Run(part, config);
                foreach (var report in summary.Reports) failed |= !Print(report);
                foreach (var fault in summary.ValidationErrors.Where(fault => fault.IsCritical))
                {
                    Console.Error.WriteLine(fault.Message);
                    failed = true;
                }
            }

            return failed ? 1 : 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool Print(BenchmarkReport report)
    {
        var name = Name(report.BenchmarkCase);
        if (report.ResultStatistics is not { } time)
        {
            Console.WriteLine($"| {name} | failed | – | – |");
            return false;
        }

        var bytes = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {time.Median:N1} | {time.StandardError:N1} | {bytes:N0} |"));
        return true;
    }

    private static string Name(BenchmarkCase part) =>
        $"{part.Descriptor.Type.Name[nameof(Micro).Length..]}: {part.Descriptor.WorkloadMethodDisplayInfo.Trim('\'')}{(part.HasParameters ? ", " + part.Parameters.DisplayInfo : "")}";

    /// <summary>Says only what went wrong; the table says the rest.</summary>
    private sealed class Faults : ILogger
    {
        public string Id => nameof(Faults);

        public int Priority => 0;

        public void Write(LogKind logKind, string text)
        {
            // Remarks on the configuration come as errors too; those that matter are in the summary.
            if (logKind == LogKind.Error && !text.StartsWith("//", StringComparison.Ordinal)) Console.Error.Write(text);
        }

        public void WriteLine() { }

        public void WriteLine(LogKind logKind, string text) => Write(logKind, text + "\n");

        public void Flush() { }
    }
}
