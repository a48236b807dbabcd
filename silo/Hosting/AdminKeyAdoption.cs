using System.Data.Common;

using DataHub.Catalog;

using Microsoft.Extensions.Options;

using Orleans.Runtime;

namespace DataHub.Hosting;

/// <summary>Makes the platform's agency where it is missing and, while it never had a key, lets it adopt the one in the configured file.</summary>
internal sealed partial class AdminKeyAdoption(IGrainFactory grains, IOptions<ClusterSettings> settings, ILogger<AdminKeyAdoption> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var file = settings.Value.AdminKeyFile;
        if (file.Length == 0) return;
        if (Read(file) is not { } key)
        {
            throw new StartException(new(
                $"Die Datei {file} (DataHub:Cluster:AdminKeyFile) enthält keinen Schlüssel der Behörde „{Caller.PlatformAgency}“; „admin-key --offline“ macht einen.",
                $"The file {file} (DataHub:Cluster:AdminKeyFile) holds no key of the agency “{Caller.PlatformAgency}”; “admin-key --offline” makes one."));
        }

        while (true)
        {
            try
            {
                if (await grains.GetGrain<IAgencyGrain>(Caller.PlatformAgency).BootstrapAsync(Caller.Hub, FirstStart.PlatformName, key.KeyId, key.Hash)) LogAdopted(file);
                return;
            }
            catch (Exception e) when (e is OrleansException or TimeoutException or DbException)
            {
                // The silo that holds the agency may just die, or the database not be there; repeating is harmless.
                LogAgain(e);
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The key in a file, or null where there is none of the platform's.</summary>
    public static ApiKey? Read(string file)
    {
        try
        {
            return ApiKey.Parse(File.ReadAllText(file).Trim(), out var key) == ApiKeyFault.None && key.Agency == Caller.PlatformAgency ? key : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(1192, LogLevel.Warning, "The platform's agency does not answer yet; it is asked again")]
    private partial void LogAgain(Exception e);

    [LoggerMessage(1172, LogLevel.Information, "The platform has adopted the admin key in {File}")]
    private partial void LogAdopted(string file);
}
