using System.CommandLine;

namespace DataHub.Hosting;

/// <summary>The front-end's command line.</summary>
internal static class FrontEndCommands
{
    public static RootCommand Root()
    {
        var urls = CommandLine.Urls();
        var root = new RootCommand("DataHub-Front-End: nimmt Anfragen an und gibt sie an die Silos eines Clusters. / DataHub front-end: takes requests and hands them to the silos of a cluster.") { urls };
        root.SetAction((parsed, cancellationToken) => RunAsync(new FrontEndStart { Urls = parsed.GetValue(urls)! }));
        return root.WithSettings(FrontEndHost.Settings);
    }

    public static Task<int> RunAsync(string[] args) => CommandLine.RunAsync(Root(), args);

    private static async Task<int> RunAsync(FrontEndStart start)
    {
        await using var app = FrontEndHost.Build(start);
        var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
        try
        {
            var started = app.StartAsync();
            await Task.WhenAny(started, ListeningAsync(app, lifetime.ApplicationStopping));
            if (!started.IsCompleted) await Console.Out.WriteLineAsync($"DataHub wartet auf ein Silo / waits for a silo:   {ListenAddresses.Of(app)}");
            await started;
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Asked to stop before any silo was there.
            return 0;
        }

        await Console.Out.WriteLineAsync($"DataHub-Front-End läuft / is running:   {ListenAddresses.Of(app)}");
        await Console.Out.FlushAsync();
        await app.WaitForShutdownAsync();
        return 0;
    }

    /// <summary>Completes once the addresses are listened on.</summary>
    private static async Task ListeningAsync(WebApplication app, CancellationToken stopping)
    {
        while (ListenAddresses.Of(app).Length == 0 || ListenAddresses.Of(app).Contains(":0", StringComparison.Ordinal)) await Task.Delay(50, stopping);
    }
}
