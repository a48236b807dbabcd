using System.CommandLine;

using DataHub.Hosting;

namespace DataHub.Operator;

/// <summary><c>silo new-incarnation</c>: what comes between the restore of a database and the start of silos on it.</summary>
internal static class NewIncarnationCommand
{
    public static Command Create()
    {
        var command = new Command("new-incarnation", "Nach einer Wiederherstellung, vor dem Start der Silos: frühere Wasserstände bekommen 410 / After a restore, before silos start: earlier watermarks get 410");
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        await using var session = await OperatorSession.OpenAsync(cancellationToken);
        await session.RequireSchemaAsync(cancellationToken);
        // Membership cannot tell: it was restored with the rest, and names the silos of that time.
        if ((await session.Database.ServerAsync(cancellationToken)).Processes is > 0 and var processes)
        {
            throw new StartException(new(
                $"{processes} Silos sind mit dieser Datenbank verbunden. Erst alle Silos beenden: laufende würden mit der alten Inkarnation weiter antworten.",
                $"{processes} silos are connected to this database. Stop all silos first: running ones would go on answering with the old incarnation."));
        }

        var before = await session.Database.IncarnationAsync(cancellationToken);
        var now = await session.Database.RenewIncarnationAsync(cancellationToken);
        await output.WriteLineAsync($"Inkarnation / incarnation: {before} → {now}");
        await output.WriteLineAsync("Jetzt die Silos starten, dann „silo verify“. / Start the silos now, then “silo verify”.");
        return 0;
    }
}
