using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Hosting;

/// <summary>Whether the hub has started, lives, and is ready for requests; for load balancers and operators.</summary>
internal sealed class Health(IGrainFactory grains, IHostApplicationLifetime lifetime, IOptions<HostSettings> settings, TimeProvider time) : IHostedService
{
    private static readonly TimeSpan s_probeTimeout = TimeSpan.FromSeconds(2), s_probeLease = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private Task<bool>? _probe;
    private long _probedAt;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Unready first: load balancers get time to look elsewhere before connections are refused.
        lifetime.ApplicationStopping.Register(() => Thread.Sleep(settings.Value.DrainDelay));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public bool HasStarted => lifetime.ApplicationStarted.IsCancellationRequested;

    public bool IsStopping => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Whether grains answer within two seconds; asked at most twice a second, however many ask.</summary>
    public Task<bool> GrainsAnswerAsync()
    {
        lock (_gate)
        {
            if (_probe is not null && (!_probe.IsCompleted || time.GetElapsedTime(_probedAt) < s_probeLease)) return _probe;
            _probedAt = time.GetTimestamp();
            return _probe = ProbeAsync();
        }
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/health").WithTags("Operations");
        group.MapRead("live", () => Answer(true, "live")).WithSummary("200 while the process runs.").Produces<HealthJson>();
        group.MapRead("startup", (Health health) => Answer(health.HasStarted, "startup")).WithSummary("200 once the hub has started.")
            .Produces<HealthJson>().Produces<HealthJson>(StatusCodes.Status503ServiceUnavailable);
        group.MapRead("ready", async (Health health) => Answer(health is { HasStarted: true, IsStopping: false } && await health.GrainsAnswerAsync(), "ready"))
            .WithSummary("200 while the hub takes requests; 503 before it has started, while it stops, and while its grains do not answer.")
            .Produces<HealthJson>().Produces<HealthJson>(StatusCodes.Status503ServiceUnavailable);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.JsonHttpResult<HealthJson> Answer(bool ok, string check) =>
        TypedResults.Json(new HealthJson(check, ok ? "ok" : "unavailable"), WireJson.Options, statusCode: ok ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    private async Task<bool> ProbeAsync()
    {
        try
        {
            return await grains.GetGrain<IAgencyGrain>(Caller.PlatformAgency).GetAsync(Caller.Hub).WaitAsync(s_probeTimeout, time) is not null;
        }
        catch (Exception e) when (e is TimeoutException or OrleansException or InvalidOperationException)
        {
            return false;
        }
    }

    private sealed record HealthJson(string Check, string Status);
}
