using System.CommandLine;
using System.Globalization;

namespace DataHub.Operator;

/// <summary><c>silo shard ls</c>: where each shard belongs, how far it is, and how far its consumers are behind.</summary>
internal static class ShardCommand
{
    private static readonly string[] s_titles = ["Shard", "Silo", "Stand/position", "Epoche/epoch", "Partitionen/partitions", "fold", "history"];

    public static Command Create()
    {
        var list = new Command("ls", "Shards mit Silo, Stand, Epoche, Partitionen und Rückstand / Shards with silo, position, epoch, partitions and lag");
        list.SetAction((parsed, cancellationToken) => ListAsync(parsed.InvocationConfiguration.Output, cancellationToken));
        return new Command("shard", "Die Logs mit je einem Schreiber / The logs with one writer each") { list };
    }

    private static async Task<int> ListAsync(TextWriter output, CancellationToken cancellationToken)
    {
        await using var session = await OperatorSession.OpenAsync(cancellationToken);
        await session.RequireSchemaAsync(cancellationToken);
        var database = session.Database;
        var (shards, now) = (await database.ShardsAsync(cancellationToken), await database.ClockAsync(cancellationToken));
        var active = await session.ActiveAsync(cancellationToken);
        var heads = (await database.HeadsAsync(cancellationToken)).ToDictionary(head => head.Shard);
        var partitions = (await database.PartitionsAsync(cancellationToken)).ToLookup(partition => partition.Shard);
        var homes = OperatorSession.Homes(shards, active);
        List<string[]> rows = [s_titles];
        for (var shard = 0; shard < shards; shard++)
        {
            var head = heads.GetValueOrDefault(shard);
            var held = partitions[shard].ToArray();
            rows.Add(
            [
                Text(shard), homes[shard] ?? "–", Text(head.Position), Text(head.Epoch), Text(held.Length),
                Short(LagOf.Of(held, partition => partition.Fold, now)), Short(LagOf.Of(held, partition => partition.History, now)),
            ]);
        }

        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows) await output.WriteLineAsync(string.Join("  ", row.Select((text, column) => text.PadRight(widths[column]))).TrimEnd());
        if (active.Count == 0) await output.WriteLineAsync("Kein Silo läuft; niemand hat die Shards. / No silo runs; nobody has the shards.");
        return 0;

        static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
        static string Short(LagOf lag) => lag.Batches == 0 ? "0" : $"{lag.Batches} ({DoctorRules.Seconds(lag.Waits)} s)";
    }
}
