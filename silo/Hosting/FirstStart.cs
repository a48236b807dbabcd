using DataHub.Catalog;

namespace DataHub.Hosting;

/// <summary>Sees to it that somebody can administer the hub: the platform's agency and, at the very first start, its admin key.</summary>
/// <remarks>Runs before the front-end takes connections. A file that was lost is not made anew silently: its key may be in somebody's hands.</remarks>
internal sealed class FirstStart(IGrainFactory grains, DataFolder folder, AdminKey adminKey) : IHostedService
{
    public static LocalText PlatformName { get; } = new("Plattform", "Platform");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var platform = grains.GetGrain<IAgencyGrain>(Caller.PlatformAgency);
        var keys = (await platform.ListKeysAsync(Caller.Hub)).Keys;
        if (keys.Length == 0)
        {
            var text = ReadFile(out var key) ?? NewKey(out key);
            if (await platform.BootstrapAsync(Caller.Hub, PlatformName, key.KeyId, key.Hash)) adminKey.First = text;
        }

        adminKey.FileIsThere = File.Exists(folder.AdminKeyFile);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A key that an interrupted first start has written already.</summary>
    private string? ReadFile(out ApiKey key)
    {
        key = default;
        if (!File.Exists(folder.AdminKeyFile)) return null;
        var text = File.ReadAllText(folder.AdminKeyFile).Trim();
        return ApiKey.Parse(text, out key) == ApiKeyFault.None && key.Agency == Caller.PlatformAgency ? text : null;
    }

    private string NewKey(out ApiKey key)
    {
        key = ApiKey.Create(Caller.PlatformAgency, out var text);
        DataFolder.Write(folder.AdminKeyFile, text + "\n");
        return text;
    }
}

/// <summary>What this start found out about the administrator's key; for the console.</summary>
internal sealed class AdminKey
{
    /// <summary>The key itself, at the very first start only.</summary>
    public string? First { get; set; }

    public bool FileIsThere { get; set; }
}
