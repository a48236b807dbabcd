using System.CommandLine;
using System.Text.Json.Nodes;

using Spectre.Console;

namespace DataHub.Tool;

/// <summary><c>datahub push</c>.</summary>
internal static class PushCommand
{
    public static Command Make(Common common)
    {
        var files = new Argument<string[]>("FILE") { HelpName = Words.Say("DATEI", "FILE"), Arity = ArgumentArity.ZeroOrMore, Description = Words.Say("Dateien; jede wird für sich geliefert", "Files; each is pushed by itself") };
        var dataset = new Option<string>("--dataset", "-d") { HelpName = "ID", Required = true, Description = Words.Say("Datensatz", "Dataset") };
        var feed = new Option<string>("--feed", "-f") { HelpName = "ID", DefaultValueFactory = _ => "default", Description = Words.Say("Datenquelle", "Feed") };
        var format = new Option<string>("--format") { DefaultValueFactory = _ => "auto", Description = Words.Say("Format; auto: nach Namen oder Anfang der Datei", "Format; auto: by the file's name or beginning") };
        format.AcceptOnlyFromAmong(FileFormats.Names);
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = Words.Say("Nur prüfen, nichts speichern", "Check only, store nothing") };
        var atomic = new Option<bool>("--atomic") { Description = Words.Say("Alle Zeilen einer Datei oder keine; sie geht dann als Ganzes", "All rows of a file or none; it then goes as a whole") };
        var batchRows = Bounded("--batch-rows", 10_000, 1, 100_000, Words.Say("Zeilen je Teil, höchstens", "Rows of a batch, at most"));
        var batchBytes = Bounded("--batch-bytes", 4 << 20, 1 << 10, 256 << 20, Words.Say("Bytes je Teil, höchstens (unkomprimiert)", "Bytes of a batch, at most (uncompressed)"));
        var compress = new Option<string>("--compress") { DefaultValueFactory = _ => "gzip", Description = Words.Say("Kompression der Teile", "Compression of batches") };
        compress.AcceptOnlyFromAmong("gzip", "br", "none");
        var noCompress = new Option<bool>("--no-compress") { Description = Words.Say("Wie --compress none", "As --compress none") };
        var charset = new Option<string?>("--charset") { HelpName = "NAME", Description = Words.Say("Zeichensatz von CSV, etwa windows-1252; ohne Angabe zeigt ihn die Datei", "Character set of CSV, such as windows-1252; if not named the file shows it") };
        var state = new Option<string?>("--state-folder") { HelpName = Words.Say("ORDNER", "FOLDER"), Description = Words.Say("Wo steht, was schon beantwortet ist (DATAHUB_STATE) [Standard: Zustandsordner des Benutzers]", "Where it stands what is answered already (DATAHUB_STATE) [default: the user's state folder]") };
        var again = new Option<bool>("--again") { Description = Words.Say("Auch liefern, was schon vollständig geliefert ist", "Push also what was pushed completely already") };
        var watch = new Option<string?>("--watch", "-w") { HelpName = Words.Say("ORDNER", "FOLDER"), Description = Words.Say("Statt Dateien: jede neue Datei dieses Ordners liefern, sobald sie vollständig ist, bis zum Abbruch; gemerkt wird der Inhalt", "Instead of files: push each new file of this folder once it is complete, until interrupted; what was pushed is remembered by content") };
        var pattern = new Option<string>("--pattern") { HelpName = "*.csv", DefaultValueFactory = _ => "*", Description = Words.Say("Mit --watch: nur solche Dateien; nie solche, die mit . oder ~ beginnen oder auf .tmp, .part … enden", "With --watch: only such files; never those that begin with . or ~ or end with .tmp, .part …") };
        var settle = new Option<string>("--settle") { HelpName = Words.Say("ZEIT", "TIME"), DefaultValueFactory = _ => "5s", Description = Words.Say("Mit --watch: So lange unverändert ist eine Datei vollständig. Sicherer: unter anderem Namen schreiben, dann umbenennen", "With --watch: a file unchanged for so long is complete. Safer: write under another name, then rename") };
        var period = new Option<string>("--period") { HelpName = Words.Say("ZEIT", "TIME"), DefaultValueFactory = _ => "2s", Description = Words.Say("Mit --watch: Abstand der Blicke in den Ordner (ab 100ms)", "With --watch: time between looks into the folder (from 100ms)") };
        var done = new Option<string?>("--done-folder") { HelpName = Words.Say("ORDNER", "FOLDER"), Description = Words.Say("Mit --watch: Gelieferte Dateien hierhin bewegen [Standard: sie bleiben]", "With --watch: move pushed files here [default: they stay]") };
        var failed = new Option<string?>("--failed-folder") { HelpName = Words.Say("ORDNER", "FOLDER"), Description = Words.Say("Mit --watch: Abgelehnte Dateien hierhin bewegen [Standard: sie bleiben]", "With --watch: move refused files here [default: they stay]") };

        var command = new Command("push", Words.Say(
            "Liefert Dateien, große in Teilen. Nach einem Abbruch, gleich welchem, setzt derselbe Befehl fort; nichts zählt doppelt.",
            "Pushes files, large ones in batches. After a break, of whatever kind, the same command goes on; nothing counts twice."));
        command.Arguments.Add(files);
        foreach (var option in (Option[])[dataset, feed, format, dryRun, atomic, batchRows, batchBytes, compress, noCompress, charset, state, again, watch, pattern, settle, period, done, failed]) command.Options.Add(option);
        command.Runs(common, async (parsed, report, cancellationToken) =>
        {
            var settings = new PushSettings(
                parsed.GetValue(dataset)!, parsed.GetValue(feed)!, parsed.GetValue(format)!, parsed.GetValue(dryRun), parsed.GetValue(atomic), parsed.GetValue(batchRows), parsed.GetValue(batchBytes),
                parsed.GetValue(noCompress) ? "none" : parsed.GetValue(compress)!, parsed.GetValue(charset), PushMemory.Folder(parsed.GetValue(state)), parsed.GetValue(again));
            using var hub = common.Connect(parsed, report, TimeSpan.FromMinutes(10));
            var push = new FilePush(hub, settings, report);
            var named = parsed.GetValue(files) ?? [];
            if (parsed.GetValue(watch) is not { } folder)
            {
                return named.Length > 0
                    ? await PushAsync(named, push, report, cancellationToken)
                    : throw new UsageException(Words.Say("Welche Datei? Oder --watch ORDNER.", "Which file? Or --watch FOLDER."));
            }

            if (named.Length > 0 || settings.DryRun || settings.Again) throw new UsageException(Words.Say("--watch steht ohne Dateien, --dry-run und --again.", "--watch stands without files, --dry-run and --again."));
            if (!Directory.Exists(folder)) throw new UsageException(Words.Say($"Den Ordner „{folder}“ gibt es nicht.", $"There is no folder “{folder}”."));
            var every = Common.Duration("--period", parsed.GetValue(period))!.Value;
            if (every < TimeSpan.FromMilliseconds(100)) throw new UsageException(Words.Say("--period: ab 100ms.", "--period: from 100ms."));
            folder = Path.GetFullPath(folder);
            using var memory = FolderMemory.Open(settings.StateFolder, [hub.Hub.ToString(), settings.Dataset, settings.Feed, folder]);
            var watching = new WatchSettings(folder, parsed.GetValue(pattern)!, every, Common.Duration("--settle", parsed.GetValue(settle))!.Value, parsed.GetValue(done), parsed.GetValue(failed));
            return await new FolderWatch(watching, push, memory, report, TimeProvider.System).RunAsync(cancellationToken);
        });
        return command;
    }

    private static Option<int> Bounded(string name, int standard, int least, int most, string description)
    {
        var option = new Option<int>(name) { HelpName = "N", DefaultValueFactory = _ => standard, Description = $"{description} ({least}–{most})" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var value) || value < least || value > most)) result.AddError(Words.Say($"{name}: {least} bis {most}.", $"{name}: {least} to {most}."));
        });
        return option;
    }

    private static async Task<int> PushAsync(string[] files, FilePush push, Report report, CancellationToken cancellationToken)
    {
        if (files.FirstOrDefault(file => !File.Exists(file)) is { } missing) throw new UsageException(Words.Say($"„{missing}“ gibt es nicht.", $"“{missing}” does not exist."));
        var (code, sum) = (ExitCode.Done, new PushCounts());
        await DrawnAsync(report, async draw =>
        {
            foreach (var file in files)
            {
                var outcome = await push.RunAsync(file, draw(file), cancellationToken);
                code = ExitCode.Worst(code, outcome.ExitCode);
                sum = sum.Plus(outcome.Counts);
                if (outcome.ForAll) break;
            }
        });
        if (files.Length > 1)
        {
            var members = sum.Members();
            members.Insert(0, "files", files.Length);
            report.Result(Words.Say($"{files.Length} Dateien, ", $"{files.Length} files, ") + sum, "sum", members);
        }

        return code;
    }

    /// <summary>Shows a bar per file where somebody watches, and nothing elsewhere.</summary>
    public static async Task DrawnAsync(Report report, Func<Func<string, Action<PushProgress>>, Task> work)
    {
        if (!report.IsWatched)
        {
            await work(_ => _ => { });
            return;
        }

        await report.Progress.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(file =>
            {
                var name = Markup.Escape(Report.Flat(Path.GetFileName(file)));
                var task = context.AddTask(name, maxValue: Math.Max(1, new FileInfo(file).Length));
                return now =>
                {
                    task.Value = now.Total == 0 ? 1 : now.Done;
                    task.Description = $"{name} · {Words.Number(now.Counts.Received)} {Words.Say("Zeilen", "rows")} · {now.Receipts} {Words.Say("Quittungen", "receipts")} · {Words.Number(now.Counts.Quarantined)} {Words.Say("Fehler", "errors")}";
                };
            }));
    }
}
