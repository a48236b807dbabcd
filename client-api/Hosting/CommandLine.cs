using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;

using DataHub.Catalog;

namespace DataHub.Hosting;

/// <summary>What the command lines of all programs have in common.</summary>
internal static class CommandLine
{
    public static Option<string> Urls() => new("--urls")
    {
        Description = "Adressen, durch Semikolon getrennt / Addresses, separated by semicolons",
        HelpName = "URL",
        DefaultValueFactory = _ => ListenAddresses.Default,
    };

    /// <summary>Lets <c>--help</c> show every setting and <c>--version</c> the program's version.</summary>
    public static RootCommand WithSettings(this RootCommand root, Settings settings)
    {
        foreach (var option in root.Options)
        {
            if (option is HelpOption help) help.Action = new HelpWithSettings((HelpAction)help.Action!, settings);
            if (option is VersionOption version) version.Action = new PrintVersion();
        }

        return root;
    }

    /// <summary>Parses, runs, and turns everything an operator can put right into one line and exit code 2.</summary>
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithSettings)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync("--help zeigt, was möglich ist. / --help shows what is possible.");
            return StartException.ExitCode;
        }

        try
        {
            // The program ends itself on SIGTERM and SIGINT, in its own order.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (StartException e)
        {
            await Console.Error.WriteLineAsync($"{e.Reason.De} / {e.Reason.In(Language.English)}");
            return StartException.ExitCode;
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync($"Der Hub ist unerwartet zu Ende gegangen. / The hub ended unexpectedly. {e}");
            return 1;
        }
    }

    /// <summary>The usual help, then every setting.</summary>
    private sealed class HelpWithSettings(HelpAction help, Settings settings) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var result = help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is not RootCommand) return result;
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Einstellungen / settings (Konfiguration oder Umgebungsvariable / configuration or environment variable):");
            foreach (var section in settings.Sections)
            {
                output.WriteLine();
                foreach (var setting in section.Settings)
                {
                    output.WriteLine($"  {setting.Key} · {setting.Variable}");
                    output.WriteLine($"      {setting.Default}   ({setting.Allowed})");
                    if (setting.Meaning is { } meaning) output.WriteLine($"      {meaning.De} / {meaning.In(Language.English)}");
                }
            }

            return result;
        }
    }

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(
                typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion);
            return 0;
        }
    }
}
