using System.CommandLine;
using System.Globalization;

namespace DataHub.Tool;

/// <summary>What every command takes.</summary>
internal sealed class Common
{
    private readonly Option<string?> _hub = new("--hub") { HelpName = "URL", Recursive = true, Description = Words.Say("Adresse des Hubs (DATAHUB_HUB) [Standard: http://127.0.0.1:8080]", "Address of the hub (DATAHUB_HUB) [default: http://127.0.0.1:8080]") };
    private readonly Option<string?> _key = new("--key") { HelpName = "dh_…", Recursive = true, Description = Words.Say("Schlüssel der Behörde; besser DATAHUB_KEY oder --key-file, damit er nicht in der Prozessliste steht", "The agency's key; better DATAHUB_KEY or --key-file, so that it does not stand in the list of processes") };
    private readonly Option<string?> _keyFile = new("--key-file") { HelpName = Words.Say("DATEI", "FILE"), Recursive = true, Description = Words.Say("Datei, in der nur der Schlüssel steht (DATAHUB_KEY_FILE)", "File that holds nothing but the key (DATAHUB_KEY_FILE)") };
    private readonly Option<string?> _language = new("--lang") { HelpName = "de|en", Recursive = true, Description = Words.Say("Sprache (DATAHUB_LANG, LANG) [Standard: de]", "Language (DATAHUB_LANG, LANG) [default: de]") };
    private readonly Option<bool> _json = new("--json") { Recursive = true, Description = Words.Say("Ergebnisse als JSON, ein Objekt je Zeile; alles andere auf der Fehlerausgabe", "Results as JSON, one object a line; everything else on standard error") };
    private readonly Option<string?> _giveUp = new("--give-up-after") { HelpName = Words.Say("ZEIT", "TIME"), Recursive = true, Description = Words.Say("Wie lange versucht wird, den Hub zu erreichen: 30s, 10min, 2h [Standard: push, tail 10min; sonst 30s]", "How long the hub is tried: 30s, 10min, 2h [default: push, tail 10min; else 30s]") };
    private readonly Option<string?> _timeout = new("--timeout") { HelpName = Words.Say("ZEIT", "TIME"), Recursive = true, Description = Words.Say("Wie lange auf eine Antwort gewartet wird [Standard: 100s]", "How long to wait for an answer [default: 100s]") };

    public void AddTo(Command root)
    {
        _language.AcceptOnlyFromAmong("de", "en");
        foreach (var option in (Option[])[_hub, _key, _keyFile, _language, _json, _giveUp, _timeout]) root.Options.Add(option);
    }

    public Report Report(ParseResult parsed) => new(parsed.GetValue(_json));

    /// <summary>The hub as the command line, the environment or else the default names it.</summary>
    /// <exception cref="UsageException">Something of that cannot be used.</exception>
    public HubConnection Connect(ParseResult parsed, Report report, TimeSpan? giveUpAfter = null)
    {
        var address = parsed.GetValue(_hub) ?? Environment("DATAHUB_HUB") ?? "http://127.0.0.1:8080";
        if (!Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var hub) || hub.Scheme is not ("http" or "https") || hub.UserInfo.Length > 0 || hub.Query.Length > 0)
            throw new UsageException(Words.Say($"--hub: „{address}“ ist keine Adresse wie https://hub.example.", $"--hub: “{address}” is no address such as https://hub.example."));
        var key = Key(parsed);
        if (key is not null && hub.Scheme == "http" && !hub.IsLoopback)
            report.Note(Words.Say("Achtung: Der Schlüssel geht unverschlüsselt über das Netz (http).", "Beware: the key goes over the network unencrypted (http)."));
        return new(hub, key, Duration("--give-up-after", parsed.GetValue(_giveUp)) ?? giveUpAfter ?? TimeSpan.FromSeconds(30), Duration("--timeout", parsed.GetValue(_timeout)) ?? TimeSpan.FromSeconds(100), report, TimeProvider.System);
    }

    private string? Key(ParseResult parsed)
    {
        var key = parsed.GetValue(_key);
        if (key is null && (parsed.GetValue(_keyFile) ?? (Environment("DATAHUB_KEY") is null ? Environment("DATAHUB_KEY_FILE") : null)) is { } file)
        {
            try
            {
                key = File.ReadAllText(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new UsageException(Words.Say($"--key-file: „{file}“ ist nicht zu lesen: {e.Message}", $"--key-file: “{file}” cannot be read: {e.Message}"));
            }
        }

        key = (key ?? Environment("DATAHUB_KEY"))?.Trim();
        // What it is instead is not said: it may be half a key.
        return key is null || (key.Length is > 0 and <= 1000 && !key.AsSpan().ContainsAnyExceptInRange('!', '~'))
            ? key
            : throw new UsageException(Words.Say("Der Schlüssel ist leer oder hat Zeichen, die kein Schlüssel hat.", "The key is empty or has characters that no key has."));
    }

    /// <summary>Reads <c>500ms</c>, <c>30s</c>, <c>10min</c>, <c>2h</c>; a number alone is seconds.</summary>
    public static TimeSpan? Duration(string option, string? text)
    {
        if (text is null) return null;
        (string Unit, double Seconds)[] units = [("ms", 0.001), ("min", 60), ("s", 1), ("h", 3600), ("", 1)];
        foreach (var (unit, seconds) in units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal) && double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * seconds is >= 0 and <= 30 * 86400)
                return TimeSpan.FromSeconds(number * seconds);
        }

        throw new UsageException(Words.Say($"{option}: „{text}“ ist keine Zeit wie 30s, 10min oder 2h (höchstens 720h).", $"{option}: “{text}” is no time such as 30s, 10min or 2h (at most 720h)."));
    }

    private static string? Environment(string name) => System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
