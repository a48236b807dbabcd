using System.CommandLine;

using DataHub.Hosting;

using Orleans.Runtime;

namespace DataHub.Operator;

/// <summary><c>silo evict</c>: declares a silo dead that the others still believe in.</summary>
internal static class EvictCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("SILO") { Description = "Name oder Adresse, wie „silo doctor“ sie zeigt / Name or address as “silo doctor” shows them" };
        var yes = new Option<bool>("--yes") { Description = "Nicht fragen / Do not ask" };
        var command = new Command("evict", "Erklärt ein Silo für tot; es beendet sich, sobald es das merkt / Declares a silo dead; it ends itself when it notices") { name, yes };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(name)!, parsed.GetValue(yes), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string name, bool yes, TextWriter output, CancellationToken cancellationToken)
    {
        await using var session = await OperatorSession.OpenAsync(cancellationToken);
        await session.RequireSchemaAsync(cancellationToken);
        var alive = (await session.Database.SilosAsync(session.Cluster.ClusterId, cancellationToken)).Where(silo => silo.Status != SiloStatus.Dead).ToArray();
        var meant = alive.Where(silo => silo.Name == name || silo.Endpoint == name).ToArray();
        if (meant.Length == 0)
        {
            var there = string.Join(", ", alive.Select(silo => $"{silo.Name} ({silo.Endpoint})"));
            throw new StartException(new($"Ein Silo „{name}“ gibt es nicht; es gibt: {there}.", $"There is no silo “{name}”; there are: {there}."));
        }

        foreach (var silo in meant)
        {
            if (!yes)
            {
                await output.WriteAsync($"{silo.Name} ({silo.Endpoint}, {silo.Status}) für tot erklären? Seine Shards gehen an die anderen. / Declare it dead? Its shards go to the others. [j/y/N] ");
                await output.FlushAsync(cancellationToken);
                if (await Console.In.ReadLineAsync(cancellationToken) is not ("j" or "J" or "y" or "Y"))
                {
                    await output.WriteLineAsync("Nichts geändert. / Nothing was changed.");
                    return 1;
                }
            }

            var changed = await session.Database.EvictAsync(session.Cluster.ClusterId, silo, cancellationToken);
            await output.WriteLineAsync(changed
                ? $"{silo.Name} ({silo.Endpoint}) ist für tot erklärt; die anderen merken es binnen zehn Sekunden. / is declared dead; the others notice within ten seconds."
                : $"{silo.Name} ({silo.Endpoint}) war es schon. / was dead already.");
        }

        return 0;
    }
}
