using System.CommandLine;

using DataHub.Storage;
using DataHub.Storage.Postgres;

using Npgsql;

namespace DataHub.Hosting;

/// <summary><c>silo migrate</c>: brings the database to this program's schema. Run before the silos of a new version.</summary>
internal static class MigrateCommand
{
    private const string Setting = $"{PostgresOptions.Section}:{nameof(PostgresOptions.ConnectionString)}";

    public static Command Create()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Nur zeigen, was fehlt / Only show what is missing" };
        var connection = new Option<string?>("--connection")
        {
            Description = $"Verbindung als Eigentümer der Datenbank; sonst {Setting} / Connection as the database's owner; else {Setting}",
            HelpName = "VERBINDUNG",
        };
        var command = new Command("migrate", "Bringt die PostgreSQL-Datenbank auf den Stand dieses Programms / Brings the PostgreSQL database to this program's schema") { dryRun, connection };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(connection), parsed.GetValue(dryRun), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string? given, bool dryRun, TextWriter output, CancellationToken cancellationToken)
    {
        given ??= new ConfigurationBuilder().AddEnvironmentVariables().Build()[Setting];
        if (string.IsNullOrWhiteSpace(given))
        {
            throw new StartException(new(
                $"Es fehlt die Verbindung: --connection oder die Umgebungsvariable {Setting.Replace(":", "__", StringComparison.Ordinal).ToUpperInvariant()} angeben.",
                $"The connection is missing: give --connection or the environment variable {Setting.Replace(":", "__", StringComparison.Ordinal).ToUpperInvariant()}."));
        }

        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(given) { Pooling = false, ApplicationName = "datahub migrate", CommandTimeout = 0 }.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            if (dryRun)
            {
                var pending = await PostgresMigrations.PendingAsync(connection, cancellationToken);
                foreach (var migration in pending) await output.WriteLineAsync($"fehlt / missing: {migration.Number:D4}_{migration.Name}");
                await output.WriteLineAsync($"{pending.Count} fehlen in / are missing in {connection.Database}");
                return 0;
            }

            var count = await PostgresMigrations.ApplyAsync(
                connection, migration => output.WriteLine($"angewandt / applied: {migration.Number:D4}_{migration.Name}"), cancellationToken);
            await output.WriteLineAsync($"{count} angewandt auf / applied to {connection.Database}: {PostgresMigrations.Known[^1].Number:D4}_{PostgresMigrations.Known[^1].Name}");
            return 0;
        }
        catch (Exception e) when (e is SchemaException or ArgumentException)
        {
            throw new StartException(new(e.Message, e.Message), e);
        }
        catch (NpgsqlException e)
        {
            throw new StartException(new(
                $"PostgreSQL hat abgelehnt oder ist nicht erreichbar: {e.Message} Was vorher angewandt wurde, bleibt; der Befehl lässt sich wiederholen.",
                $"PostgreSQL refused or cannot be reached: {e.Message} What was applied before stays; the command can be repeated."), e);
        }
    }
}
