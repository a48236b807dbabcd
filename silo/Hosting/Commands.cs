using System.CommandLine;
using System.Globalization;

using DataHub.Operator;
using DataHub.Pipelines;

namespace DataHub.Hosting;

/// <summary>The command line.</summary>
internal static class Commands
{
    private const double MinRate = 0.01, MaxRate = 1_000;

    public static RootCommand Root()
    {
        var demo = new Option<bool>("--demo") { Description = "Eine erfundene Stadt liefert laufend Daten / An invented city keeps pushing data" };
        var rate = new Option<double>("--demo-rate")
        {
            Description = $"Vielfaches der Demo-Last, {Text(MinRate)} bis {Text(MaxRate)} / Multiple of the demo's load, {Text(MinRate)} to {Text(MaxRate)}",
            HelpName = "FAKTOR",
            DefaultValueFactory = _ => 1,
        };
        rate.CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= MinRate and <= MaxRate) return value;
            result.AddError($"--demo-rate hat den Wert „{text}“; erlaubt ist {Text(MinRate)} bis {Text(MaxRate)}. / --demo-rate has the value “{text}”; allowed is {Text(MinRate)} to {Text(MaxRate)}.");
            return 1;
        };
        var urls = CommandLine.Urls();
        var data = new Option<string?>("--data")
        {
            Description = "Ordner der Daten, vom Ort des Aufrufs aus; sonst ./data / Folder of the data, from where the program is called; else ./data",
            HelpName = "ORDNER",
        };

        var root = new RootCommand("DataHub: Behörden liefern Zeilen, der Hub macht daraus Kennzahlen. / Agencies push rows, the hub makes indicators of them.") { demo, rate, urls, data };
        root.SetAction((parsed, cancellationToken) => RunAsync(new HubStart
        {
            Demo = parsed.GetValue(demo),
            DemoRate = parsed.GetValue(rate),
            Urls = parsed.GetValue(urls)!,
            Data = parsed.GetValue(data),
            Console = Console.Out,
        }));

        var offline = new Option<bool>("--offline") { Description = "Nur einen neuen Schlüssel ausgeben, für DataHub:Cluster:AdminKeyFile / Only print a new key, for DataHub:Cluster:AdminKeyFile" };
        var newKey = new Command("admin-key", "Legt einen weiteren Admin-Schlüssel der Plattform an: bei beendetem Hub, im Cluster bei laufendem / Makes another admin key of the platform: while the hub is stopped, in a cluster while it runs") { data, offline };
        newKey.SetAction((parsed, cancellationToken) => parsed.GetValue(offline)
            ? AdminKeyCommand.PrintNewAsync()
            : AdminKeyCommand.RunAsync(new HubStart { Urls = "http://127.0.0.1:0", Data = parsed.GetValue(data) }));
        root.Subcommands.Add(newKey);
        root.Subcommands.Add(MigrateCommand.Create());
        foreach (var command in new[] { DoctorCommand.Create(), ShardCommand.Create(), HaltedCommand.Create(), EvictCommand.Create(), VerifyCommand.Create(), AuditCommand.Create(), NewIncarnationCommand.Create() }) root.Subcommands.Add(command);

        return root.WithSettings(Hub.Settings);
    }

    /// <summary>A worker for somebody's SQL is this program too: it starts at once, without a host and without settings.</summary>
    public static Task<int> RunAsync(string[] args) => args is [SqlWorker.Command, ..] ? Task.FromResult(SqlWorker.Run(args)) : CommandLine.RunAsync(Root(), args);

    private static async Task<int> RunAsync(HubStart start)
    {
        await using var hub = Hub.Build(start);
        await hub.StartAsync();
        await WelcomeAsync(hub, start);
        await hub.WaitForShutdownAsync();
        return 0;
    }

    private static async Task WelcomeAsync(WebApplication hub, HubStart start)
    {
        if (hub.Services.GetService<DataFolder>() is not { } folder)
        {
            await start.Console.WriteLineAsync($"DataHub-Silo läuft / silo is running:   {ListenAddresses.Of(hub)}");
            await start.Console.FlushAsync();
            return;
        }

        var key = hub.Services.GetRequiredService<AdminKey>();
        var console = start.Console;
        await console.WriteLineAsync($"DataHub läuft / is running:   {ListenAddresses.Of(hub)}");
        await console.WriteLineAsync($"Daten in / data in:           {folder.Path}");
        if (key.First is not null)
        {
            await console.WriteLineAsync($"Admin-Schlüssel / admin key:  {key.First}");
            await console.WriteLineAsync($"  Er wird nur jetzt gezeigt und steht in / it is shown only now and stands in: {folder.AdminKeyFile}");
        }
        else if (key.FileIsThere)
        {
            await console.WriteLineAsync($"Admin-Schlüssel / admin key:  {folder.AdminKeyFile}");
        }
        else
        {
            await console.WriteLineAsync(
                $"Admin-Schlüssel / admin key:  {folder.AdminKeyFile} fehlt; einen weiteren legt bei beendetem Hub „admin-key“ an. / is missing; “admin-key” makes another while the hub is stopped.");
        }

        await console.FlushAsync();
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
