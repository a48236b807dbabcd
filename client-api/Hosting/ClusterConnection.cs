using Microsoft.Extensions.Options;

using Orleans.Runtime;

namespace DataHub.Hosting;

/// <summary>Goes on trying until the first silo answers, for ever: a front-end may be there before any silo is.</summary>
internal sealed partial class ClusterConnection(IOptions<FrontEndClusterOptions> options, TimeProvider time, ILogger<ClusterConnection> logger)
    : IClientConnectionRetryFilter, IClusterConnectionStatusObserver
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(100), s_last = TimeSpan.FromSeconds(2);

    private int _attempts;

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        if (_attempts++ % 30 == 0) LogNoSilo(options.Value.Gateways, exception.GetType().Name);
        var wait = s_first * Math.Pow(2, Math.Min(_attempts, 5));
        await Task.Delay(wait < s_last ? wait : s_last, time, cancellationToken);
        return true;
    }

    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered) => LogGateways(currentNumberOfGateways);

    public void NotifyClusterConnectionLost() => LogLost();

    [LoggerMessage(1161, LogLevel.Warning, "No silo answers at {Gateways} yet ({Exception}); the front-end goes on trying")]
    private partial void LogNoSilo(string gateways, string exception);

    [LoggerMessage(1162, LogLevel.Information, "Connected to {Gateways} gateways")]
    private partial void LogGateways(int gateways);

    [LoggerMessage(1163, LogLevel.Warning, "The connection to the cluster is lost; the front-end goes on trying")]
    private partial void LogLost();
}
