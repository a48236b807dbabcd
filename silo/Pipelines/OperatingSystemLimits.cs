using System.Globalization;
using System.Runtime.InteropServices;

namespace DataHub.Pipelines;

/// <summary>What Linux keeps a process from; elsewhere nothing is set.</summary>
internal static class OperatingSystemLimits
{
    /// <summary>Bytes for the runtime, beside what somebody's SQL may have.</summary>
    private const long Runtime = 384L * 1024 * 1024;

    private const int Cpu = 0, FileSize = 1, Data = 2, Core = 4, OpenFiles = 7;
    private const int MostOpenFiles = 128, Niceness = 10;

    /// <summary>Limits this process for good: memory, processor time, bytes of a file, open files, no core dump, behind everybody else.</summary>
    /// <exception cref="InvalidOperationException">The system refuses.</exception>
    public static void Apply(SqlLimits limits)
    {
        if (!OperatingSystem.IsLinux()) return;
        var seconds = (long)Math.Ceiling(limits.Time.TotalSeconds);
        Set(Core, 0, 0);
        Set(Data, DataOf(limits), DataOf(limits));
        // SIGXCPU at the first, SIGKILL at the second. A start takes a part of a second.
        Set(Cpu, seconds + 1, seconds + 2);
        Set(FileSize, limits.Disk, limits.Disk);
        Set(OpenFiles, MostOpenFiles, MostOpenFiles);
        _ = Nice(Niceness);
    }

    /// <summary>Bytes of data that a process with these limits may have.</summary>
    public static long DataOf(SqlLimits limits) => limits.Memory + Runtime;

    /// <summary>Bytes of data that another process has, as the limit counts them (proc(5), statm); 0 where the system does not say.</summary>
    public static long DataOf(int process)
    {
        const int Field = 5;
        if (!OperatingSystem.IsLinux()) return 0;
        try
        {
            return long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[Field], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is over.
            return 0;
        }
    }

    /// <summary>Bytes that this process held at most; 0 where the system does not say.</summary>
    public static long PeakMemory()
    {
        if (!OperatingSystem.IsLinux()) return 0;
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.AsSpan(6).Trim().TrimEnd(" kB"), CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Ends this process at once, whatever its threads do.</summary>
    public static void Exit(int code)
    {
        if (OperatingSystem.IsLinux()) ExitNow(code);
        Environment.Exit(code);
    }

    private static void Set(int resource, long soft, long hard)
    {
        var limit = new Limit { Soft = (ulong)soft, Hard = (ulong)hard };
        if (SetLimit(resource, ref limit) != 0) throw new InvalidOperationException($"setrlimit {resource} gave {Marshal.GetLastPInvokeError()}");
    }

    [DllImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetLimit(int resource, ref Limit limit);

    [DllImport("libc", EntryPoint = "nice")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Nice(int increment);

    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void ExitNow(int code);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
