using System.Globalization;

namespace DataHub.Tool;

/// <summary>The language in which the program speaks: German, or English where that is asked for.</summary>
internal static class Words
{
    /// <summary><c>de</c> or <c>en</c>.</summary>
    public static string Language { get; private set; } = "de";

    public static string Say(string de, string en) => Language == "en" ? en : de;

    /// <summary>A number as people of the language write it.</summary>
    public static string Number(long value) => value.ToString("N0", Culture);

    /// <summary>A number of bytes for people.</summary>
    public static string Bytes(long value) => value < 1024 ? string.Create(Culture, $"{value} B")
        : value < 1024 * 1024 ? string.Create(Culture, $"{value / 1024d:N1} KiB")
        : string.Create(Culture, $"{value / (1024d * 1024):N1} MiB");

    public static CultureInfo Culture { get; private set; } = CultureInfo.GetCultureInfo("de-DE");

    /// <summary>
    /// Chosen before the command line is read, since its help is in that language too: <c>--lang</c>, else
    /// DATAHUB_LANG, else the system's LC_ALL, LC_MESSAGES or LANG where these say de or en, else German.
    /// </summary>
    public static void Choose(string[] args, Func<string, string?> environment)
    {
        Language = Chosen(args) ?? Known(environment("DATAHUB_LANG")) ?? Known(environment("LC_ALL")) ?? Known(environment("LC_MESSAGES")) ?? Known(environment("LANG")) ?? "de";
        Culture = CultureInfo.GetCultureInfo(Language == "en" ? "en-GB" : "de-DE");
        CultureInfo.CurrentUICulture = CultureInfo.DefaultThreadCurrentUICulture = Culture;
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
    }

    private static string? Chosen(string[] args)
    {
        for (var i = 0; i < args.Length && args[i] != "--"; i++)
        {
            if (args[i] == "--lang" && i + 1 < args.Length) return Known(args[i + 1]);
            if (args[i].StartsWith("--lang=", StringComparison.Ordinal) || args[i].StartsWith("--lang:", StringComparison.Ordinal)) return Known(args[i][7..]);
        }

        return null;
    }

    private static string? Known(string? name) =>
        name is null ? null
        : name.StartsWith("de", StringComparison.OrdinalIgnoreCase) ? "de"
        : name.StartsWith("en", StringComparison.OrdinalIgnoreCase) ? "en"
        : null;
}
