namespace DataHub.Tool;

/// <summary>What the program ends with; scripts rely on these numbers.</summary>
internal static class ExitCode
{
    /// <summary>Everything was done.</summary>
    public const int Done = 0;

    /// <summary>Everything was sent, and some rows did not pass.</summary>
    public const int Quarantined = 1;

    /// <summary>The command line, a file or a setting is wrong; nothing was sent for it.</summary>
    public const int Usage = 2;

    /// <summary>The hub refused.</summary>
    public const int Refused = 3;

    /// <summary>The hub was not reached, or kept answering "later", until the time was up. The same command goes on.</summary>
    public const int GaveUp = 4;

    /// <summary>Ended by Ctrl-C or SIGTERM. The same command goes on.</summary>
    public const int Interrupted = 5;

    /// <summary>Of several outcomes the one that counts: what needs somebody's attention most.</summary>
    public static int Worst(int a, int b) => Rank(a) >= Rank(b) ? a : b;

    private static int Rank(int code) => code switch { Done => 0, Quarantined => 1, Refused => 2, Usage => 3, GaveUp => 4, _ => 5 };
}
