using System.Runtime.InteropServices;

namespace DataHub.Pipelines;

/// <summary>
/// Keeps this process, all its threads, from the network, from starting programs, from other processes and from the kernel's
/// administration (seccomp with a BPF program): such calls give EPERM.
/// </summary>
internal static class SystemCallFilter
{
    private const int NoNewPrivileges = 38, Permission = 1;
    private const uint Allow = 0x7fff0000, KillProcess = 0x80000000, Errno = 0x00050000;
    private const ushort Load = 0x20, JumpEqual = 0x15, JumpAtLeast = 0x35, Return = 0x06;
    private const uint NumberAt = 0, ArchitectureAt = 4, FirstArgumentAt = 16;

    /// <summary>Numbers of x86-64, each with its name.</summary>
    private static readonly uint[] s_x64 =
    [
        41, 42, 43, 44, 46, 49, 50, 53, 288, 307, // socket connect accept sendto sendmsg bind listen socketpair accept4 sendmmsg
        57, 58, 59, 322, // fork vfork execve execveat
        62, 129, 200, 297, 424, 434, 438, // kill rt_sigqueueinfo tkill rt_tgsigqueueinfo pidfd_send_signal pidfd_open pidfd_getfd
        101, 310, 311, 298, 321, 323, // ptrace process_vm_readv process_vm_writev perf_event_open bpf userfaultfd
        155, 161, 165, 166, 272, 308, 428, 429, 430, 431, 432, 442, // pivot_root chroot mount umount2 unshare setns open_tree move_mount fsopen fsconfig fsmount mount_setattr
        175, 176, 246, 313, 320, 169, // init_module delete_module kexec_load finit_module kexec_file_load reboot
        248, 249, 250, 303, 304, 425, 426, 427, // add_key request_key keyctl name_to_handle_at open_by_handle_at io_uring_setup _enter _register
    ];

    /// <summary>The same of arm64, which has neither fork nor vfork.</summary>
    private static readonly uint[] s_arm64 =
    [
        198, 203, 202, 206, 211, 200, 201, 199, 242, 269,
        221, 281,
        129, 138, 130, 240, 424, 434, 438,
        117, 270, 271, 241, 280, 282,
        41, 51, 40, 39, 97, 268, 428, 429, 430, 431, 432, 442,
        105, 106, 104, 273, 294, 142,
        217, 218, 219, 264, 265, 425, 426, 427,
    ];

    /// <returns>Whether the kernel keeps to it; elsewhere than on Linux, or where it has no seccomp, false.</returns>
    public static bool Install()
    {
        if (!OperatingSystem.IsLinux()) return false;
        // Number of seccomp(), the architecture as the kernel names it, forbidden calls, tgkill and prlimit64.
        var (seccomp, architecture, forbidden, onlyItself) = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (317, 0xC000003Eu, s_x64, new uint[] { 234, 302 }),
            Architecture.Arm64 => (277, 0xC00000B7u, s_arm64, new uint[] { 131, 261 }),
            _ => (0, 0u, [], []),
        };
        if (seccomp == 0) return false;
        var program = Program(architecture, forbidden, onlyItself, (uint)Environment.ProcessId);
        var pinned = GCHandle.Alloc(program, GCHandleType.Pinned);
        try
        {
            var filter = new Filter { Length = (ushort)program.Length, Instructions = pinned.AddrOfPinnedObject() };
            return ProcessControl(NoNewPrivileges, 1, 0, 0, 0) == 0 && Call(seccomp, 1, 1, ref filter) == 0;
        }
        finally
        {
            pinned.Free();
        }
    }

    private static Instruction[] Program(uint architecture, uint[] forbidden, uint[] onlyItself, uint process)
    {
        var program = new List<Instruction>
        {
            new(Load, 0, 0, ArchitectureAt), new(JumpEqual, 1, 0, architecture), new(Return, 0, 0, KillProcess),
            new(Load, 0, 0, NumberAt),
            // The numbers of x32, another way to the same calls.
            new(JumpAtLeast, 0, 1, 0x40000000), new(Return, 0, 0, Errno | Permission),
        };
        foreach (var number in forbidden) program.AddRange([new(JumpEqual, 0, 1, number), new(Return, 0, 0, Errno | Permission)]);
        // Signals to and limits of this process only (0 is itself).
        foreach (var number in onlyItself)
        {
            program.AddRange([
                new(JumpEqual, 0, 5, number), new(Load, 0, 0, FirstArgumentAt), new(JumpEqual, 2, 0, process), new(JumpEqual, 1, 0, 0),
                new(Return, 0, 0, Errno | Permission), new(Return, 0, 0, Allow),
            ]);
        }

        program.Add(new(Return, 0, 0, Allow));
        return [.. program];
    }

    [DllImport("libc", EntryPoint = "prctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ProcessControl(int option, nuint first, nuint second, nuint third, nuint fourth);

    [DllImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Call(nint number, nuint operation, nuint flags, ref Filter filter);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    [StructLayout(LayoutKind.Sequential)]
    private struct Filter
    {
        public ushort Length;
        public nint Instructions;
    }
}
