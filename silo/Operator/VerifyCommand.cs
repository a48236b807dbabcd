using System.CommandLine;

using DataHub.Hosting;
using DataHub.Storage;
using DataHub.Storage.Postgres;

using Npgsql;

namespace DataHub.Operator;

/// <summary><c>silo verify</c>: folds everything again from history and compares. 0: all is equal, 1: something is not.</summary>
internal static class VerifyCommand
{
    /// <summary>How long history may be behind the fold while silos run.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var dataset = new Option<string?>("--dataset") { Description = "Nur dieser Datenbestand / Only this dataset", HelpName = "ID" };
        var cells = new Option<int>("--cells")
        {
            Description = $"Zellen, die auf einmal im Speicher sind, 1 bis 10000000; sonst {Verification.DefaultStretchCells} / Cells in memory at a time, 1 to 10000000; else {Verification.DefaultStretchCells}",
            HelpName = "ZAHL",
            DefaultValueFactory = _ => Verification.DefaultStretchCells,
        };
        cells.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var value) && value is < 1 or > 10_000_000)
                result.AddError($"--cells hat den Wert „{token.Value}“; erlaubt ist 1 bis 10000000. / --cells has the value “{token.Value}”; allowed is 1 to 10000000.");
        });
        var command = new Command("verify", "Faltet alles neu aus der Historie und vergleicht Bit für Bit / Folds everything again from history and compares bit for bit") { dataset, cells };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(dataset), parsed.GetValue(cells), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string? only, int cells, TextWriter output, CancellationToken cancellationToken)
    {
        await using var session = await OperatorSession.OpenAsync(cancellationToken);
        await session.RequireSchemaAsync(cancellationToken);
        try
        {
            await using var database = PostgresDatabase.Open(session.Postgres);
            var descriptions = new StoredDescriptions(database, session.Cluster.ServiceId);
            await descriptions.ReadAsync(cancellationToken);
            var verification = new Verification(database, new PostgresHistoryStore(database), new PostgresLogStore(database), descriptions, output)
            {
                StretchCells = cells,
                Patience = (await session.ActiveAsync(cancellationToken)).Count > 0 ? s_patience : TimeSpan.Zero,
            };
            var datasets = await verification.PartitionsAsync(cancellationToken);
            if (only is not null && !datasets.Contains(only))
            {
                throw new StartException(new($"Zum Datenbestand „{only}“ steht nichts im Log.", $"Nothing of a dataset “{only}” stands in the log."));
            }

            var wrong = 0;
            foreach (var dataset in datasets.Where(dataset => only is null || dataset.Key == only))
            {
                await output.WriteLineAsync($"{dataset.Key} …");
                var result = await verification.VerifyAsync(dataset.Key, [.. dataset], cancellationToken);
                foreach (var fault in result.Faults) await output.WriteLineAsync($"  ! {fault.De} / {fault.En}");
                await output.WriteLineAsync(result.Faults.Count == 0
                    ? $"{dataset.Key}: gleich / equal · {result.Definitions} Definitionen / definitions, {result.Cells} Zellen / cells, {result.Received} Zeilen empfangen / rows received{(result.Skipped == 0 ? "" : $", {result.Skipped} übergangen / skipped")}"
                    : $"{dataset.Key}: NICHT gleich / NOT equal");
                await output.FlushAsync(cancellationToken);
                if (result.Faults.Count > 0) wrong++;
            }

            await output.WriteLineAsync(wrong == 0
                ? "Alles ist, was die Zeilen ergeben. / Everything is what the rows come to."
                : $"{wrong} Datenbestände weichen ab. Mit k8s/README.md weiter. / {wrong} datasets differ. Go on with k8s/README.md.");
            return wrong == 0 ? 0 : 1;
        }
        catch (SchemaException e)
        {
            throw new StartException(new(e.Message, e.Message), e);
        }
        catch (NpgsqlException e)
        {
            throw new StartException(new($"PostgreSQL antwortet nicht mehr: {e.Message}", $"PostgreSQL no longer answers: {e.Message}"), e);
        }
    }
}
