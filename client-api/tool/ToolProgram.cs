using System.CommandLine;

namespace DataHub.Tool;

/// <summary>The program <c>datahub</c>: pushes files, follows indicators, deals with the quarantine.</summary>
internal static class ToolProgram
{
    public static async Task<int> Main(string[] args)
    {
        Words.Choose(args, Environment.GetEnvironmentVariable);
        Console.OutputEncoding = new System.Text.UTF8Encoding(false);
        var common = new Common();
        var root = new RootCommand(Words.Say(
            "Liefert Dateien einer Behörde an einen DataHub, verfolgt Indikatoren und bringt Zeilen der Quarantäne in Ordnung.",
            "Pushes an agency's files to a DataHub, follows indicators, and puts quarantined rows right.")
            + "\n\n" + Words.Say(
            "Endet mit 0: alles erledigt; 1: einige Zeilen sind in Quarantäne; 2: Aufruf oder Datei falsch; 3: vom Hub abgelehnt; 4: nicht erreicht, aufgegeben; 5: unterbrochen. Nach 4 und 5 setzt derselbe Befehl fort.",
            "Ends with 0: all done; 1: some rows are quarantined; 2: call or file is wrong; 3: refused by the hub; 4: not reached, given up; 5: interrupted. After 4 and 5 the same command goes on."));
        common.AddTo(root);
        foreach (var command in (Command[])[PushCommand.Make(common), TailCommand.Make(common), QuarantineCommand.Make(common), ReadCommands.Receipt(common), ReadCommands.Status(common)]) root.Subcommands.Add(command);

        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(Translated(error.Message));
            await Console.Error.WriteLineAsync(Words.Say("Hilfe: datahub … --help", "Help: datahub … --help"));
            return ExitCode.Usage;
        }

        using var help = new StringWriter();
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(5), Output = help };
        var code = await parsed.InvokeAsync(configuration);
        if (help.GetStringBuilder().Length > 0) await Console.Out.WriteAsync(Translated(help.ToString()));
        return code;
    }

    /// <summary>Words of the command line's own that its German texts leave in English.</summary>
    private static string Translated(string text)
    {
        if (Words.Language == "en") return text;
        foreach (var (english, german) in ((string, string)[])[("Description:", "Beschreibung:"), ("Nutzung:", "Aufruf:"), ("[options]", "[Optionen]"), ("[command]", "[Befehl]"), ("(REQUIRED)", "(nötig)"), ("[default: ", "[Standard: "), ("Show help and usage information", "Zeigt diese Hilfe"), ("Show version information", "Zeigt die Version"), ("Option '", "Option „"), ("' is required.", "“ fehlt.")])
            text = text.Replace(english, german, StringComparison.Ordinal);
        return text;
    }

    /// <summary>Runs a command's work and turns how it ended into an exit code.</summary>
    public static void Runs(this Command command, Common common, Func<ParseResult, Report, CancellationToken, Task<int>> work) => command.SetAction(async (parsed, cancellationToken) =>
    {
        var report = common.Report(parsed);
        try
        {
            return await work(parsed, report, cancellationToken);
        }
        catch (UsageException e)
        {
            report.Error(e.Message);
            return ExitCode.Usage;
        }
        catch (GaveUpException e)
        {
            report.Error(e.Message);
            return ExitCode.GaveUp;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            report.Note(Words.Say("Unterbrochen. Derselbe Befehl setzt fort.", "Interrupted. The same command goes on."));
            return ExitCode.Interrupted;
        }
    });
}
