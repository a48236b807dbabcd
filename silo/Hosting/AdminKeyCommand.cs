using DataHub.Catalog;
using DataHub.Operator;

namespace DataHub.Hosting;

/// <summary><c>admin-key</c>: another admin key of the platform, or its first one.</summary>
internal static class AdminKeyCommand
{
    /// <summary>Made by the hub that is stopped otherwise (embedded), or by the running cluster.</summary>
    public static async Task<int> RunAsync(HubStart start)
    {
        var builder = Hub.Configure(start);
        var secret = ClusterHub.IsAskedFor(builder.Configuration) ? await OfClusterAsync(builder.Configuration) : await OfFolderAsync(start);
        await Console.Out.WriteLineAsync(secret);
        return 0;
    }

    /// <summary>A key that nobody knows yet; for the secret that <see cref="ClusterSettings.AdminKeyFile"/> names.</summary>
    public static async Task<int> PrintNewAsync()
    {
        _ = ApiKey.Create(Caller.PlatformAgency, out var text);
        await Console.Out.WriteLineAsync(text);
        return 0;
    }

    private static async Task<string> OfFolderAsync(HubStart start)
    {
        await using var hub = Hub.Build(start);
        await hub.StartAsync();
        var secret = await MakeAsync(hub.Services.GetRequiredService<IGrainFactory>());
        await hub.StopAsync();
        return secret;
    }

    private static async Task<string> OfClusterAsync(IConfiguration configuration)
    {
        using var host = await OperatorSession.ConnectAsync(configuration, ClusterHub.Postgres(configuration));
        var secret = await MakeAsync(host.Services.GetRequiredService<IClusterClient>());
        await host.StopAsync(CancellationToken.None);
        return secret;
    }

    /// <summary>The platform's first key where it has none yet, which makes its agency; else another.</summary>
    private static async Task<string> MakeAsync(IGrainFactory grains)
    {
        var platform = grains.GetGrain<IAgencyGrain>(Caller.PlatformAgency);
        if ((await platform.ListKeysAsync(Caller.Hub)).Keys.Length == 0)
        {
            var first = ApiKey.Create(Caller.PlatformAgency, out var text);
            if (await platform.BootstrapAsync(Caller.Hub, FirstStart.PlatformName, first.KeyId, first.Hash)) return text;
        }

        var made = await platform.MakeKeyAsync(Caller.Hub, new(KeyRole.Admin, "admin-key", null, null));
        return made.Secret ?? throw new StartException(made.Detail!);
    }
}
