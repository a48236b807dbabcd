using System.Net;
using System.Net.Sockets;

using Microsoft.Extensions.Options;

using Orleans.Messaging;
using Orleans.Runtime;

namespace DataHub.Hosting;

/// <summary>
/// Where a front-end finds the silos: the configured addresses, every name resolved anew each time to all it stands for
/// (the silos' headless service), without those of which the cluster itself says that they are not active. A front-end has
/// no access to the database and so cannot look there.
/// </summary>
internal sealed partial class GatewayList(
    IOptions<FrontEndClusterOptions> options, IServiceProvider services, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<GatewayList> logger) : IGatewayListProvider
{
    /// <summary>A call goes through the gateway that its grain's key happens to fall to; several keys ask through several.</summary>
    private const int Askers = 4;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly GatewayAddress[] _configured = GatewayAddress.ParseAll(options.Value.Gateways);
    private IReadOnlyList<IPEndPoint> _last = [];

    /// <summary>How long a gateway that could not be reached is left alone.</summary>
    public TimeSpan MaxStaleness => options.Value.GatewayRefresh;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    public async Task<IList<Uri>> GetGateways()
    {
        var found = await ResolveAsync();
        // Names that lead nowhere for a moment are no reason to leave silos that answer.
        if (found.Count == 0) found = _last;
        _last = found;
        // Once the client has been connected, the cluster can be asked.
        if (lifetime.ApplicationStarted.IsCancellationRequested && found.Count > 1 && await ActiveAsync() is { } active)
        {
            var living = found.Where(active.Contains).ToArray();
            if (living.Length > 0) found = living;
        }

        return [.. found.Select(address => SiloAddress.New(address, 0).ToGatewayUri())];
    }

    private async Task<IReadOnlyList<IPEndPoint>> ResolveAsync()
    {
        var resolved = await Task.WhenAll(_configured.Select(ResolveAsync));
        return [.. resolved.SelectMany(addresses => addresses).Distinct().OrderBy(address => address.ToString(), StringComparer.Ordinal)];
    }

    private async Task<IEnumerable<IPEndPoint>> ResolveAsync(GatewayAddress gateway)
    {
        if (IPAddress.TryParse(gateway.Host, out var address)) return [new(address, gateway.Port)];
        try
        {
            using var patience = new CancellationTokenSource(s_patience, time);
            var addresses = await Dns.GetHostAddressesAsync(gateway.Host, patience.Token);
            return addresses.Where(a => a.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6).Select(a => new IPEndPoint(a, gateway.Port));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            LogUnresolved(gateway.Host, e.Message);
            return [];
        }
    }

    /// <summary>Gateways of the silos that the cluster holds for active; null where nobody says so in time.</summary>
    private async Task<HashSet<IPEndPoint>?> ActiveAsync()
    {
        var grains = services.GetRequiredService<IClusterClient>();
        // A frozen silo takes messages and never answers; the first answer of any other counts.
        var asked = Enumerable.Range(0, Askers).Select(key => grains.GetGrain<IManagementGrain>(key).GetDetailedHosts(onlyActive: true)).ToList();
        foreach (var task in asked) _ = task.ContinueWith(static failed => _ = failed.Exception, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously);
        var late = Task.Delay(s_patience, time);
        while (asked.Count > 0)
        {
            var first = await Task.WhenAny([.. asked, late]);
            if (first == late) return null;
            asked.Remove((Task<MembershipEntry[]>)first);
            if (first.IsCompletedSuccessfully)
                return [.. ((Task<MembershipEntry[]>)first).Result.Where(silo => silo.Status == SiloStatus.Active).Select(silo => new IPEndPoint(silo.SiloAddress.Endpoint.Address, silo.ProxyPort))];
        }

        return null;
    }

    [LoggerMessage(1160, LogLevel.Warning, "The gateway name {Host} was not resolved: {Reason}")]
    private partial void LogUnresolved(string host, string reason);
}
