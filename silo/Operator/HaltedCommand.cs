using System.CommandLine;
using System.Globalization;

using DataHub.Storage.Postgres;

namespace DataHub.Operator;

/// <summary><c>silo halted ls</c> and <c>retry</c>: batches that fold or history cannot apply. Neither ever discards one.</summary>
internal static class HaltedCommand
{
    public static Command Create()
    {
        var list = new Command("ls", "Zeigt sie mit dem Grund; Exit-Code 1, wenn es welche gibt / Shows them with the reason; exit code 1 if there are any");
        list.SetAction((parsed, cancellationToken) => RunAsync(null, retry: false, parsed.InvocationConfiguration.Output, cancellationToken));
        var partition = new Argument<string?>("PARTITION")
        {
            Description = "Nur diese, etwa luft/0; sonst alle / Only this one, such as luft/0; else all",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var retry = new Command("retry", "Versucht sie sofort wieder; Exit-Code 1, wenn danach noch welche stehen / Tries them again at once; exit code 1 if any stand after that") { partition };
        retry.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(partition), retry: true, parsed.InvocationConfiguration.Output, cancellationToken));
        return new Command("halted", "Stapel, die ein Verbraucher nicht anwenden kann / Batches that a consumer cannot apply") { list, retry };
    }

    public static object Json(HaltedBatch halted) => new { partition = halted.Partition, consumer = halted.Consumer, sequence = halted.Sequence, since = halted.Since, because = halted.Because };

    private static async Task<int> RunAsync(string? only, bool retry, TextWriter output, CancellationToken cancellationToken)
    {
        await using var session = await OperatorSession.OpenAsync(cancellationToken);
        await session.RequireSchemaAsync(cancellationToken);
        using var host = await session.ConnectAsync();
        var consumers = new Consumers(host.Services.GetRequiredService<IClusterClient>());
        var partitions = (await session.Database.PartitionsAsync(cancellationToken)).Where(partition => only is null || partition.Partition == only).ToArray();
        if (only is not null && partitions.Length == 0)
        {
            throw new Hosting.StartException(new($"Eine Partition „{only}“ gibt es im Log nicht; sie heißen DATENBESTAND/NUMMER.", $"There is no partition “{only}” in the log; they are named DATASET/NUMBER."));
        }

        var (halted, mute) = await consumers.LookAsync(partitions, retry);
        foreach (var batch in halted) await PrintAsync(output, batch);
        foreach (var one in mute) await output.WriteLineAsync($"{one}: keine Antwort / no answer");
        if (halted.Count == 0 && mute.Count == 0)
        {
            await output.WriteLineAsync(retry ? "Alles ist angewandt; nichts steht. / Everything is applied; nothing is halted." : "Nichts steht. / Nothing is halted.");
        }

        await host.StopAsync(CancellationToken.None);
        return halted.Count + mute.Count == 0 ? 0 : 1;
    }

    private static Task PrintAsync(TextWriter output, HaltedBatch batch) => output.WriteLineAsync(
        $"{batch.Partition}  {batch.Consumer}  Stapel / batch {batch.Sequence}  {batch.Since?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "?"} UTC  {batch.Because}");
}
