using System.Data.Common;

using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

using Orleans.Runtime;

namespace DataHub.Hosting;

/// <summary>Whether the program has started, lives, and is ready for requests; for load balancers and operators.</summary>
internal sealed class Health(IHealthProbe part, IHostApplicationLifetime lifetime, IOptions<HostSettings> settings, TimeProvider time) : IHostedService
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

    /// <summary>Whether what the program depends on answers within two seconds; asked at most twice a second, however many ask.</summary>
    public Task<bool> IsServedAsync()
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
        group.MapRead("ready", async (Health health) => Answer(health is { HasStarted: true, IsStopping: false } && await health.IsServedAsync(), "ready"))
            .WithSummary("200 while requests are taken; 503 before the start is complete, during a stop, and while grains do not answer.")
            .Produces<HealthJson>().Produces<HealthJson>(StatusCodes.Status503ServiceUnavailable);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.JsonHttpResult<HealthJson> Answer(bool ok, string check) =>
        TypedResults.Json(new HealthJson(check, ok ? "ok" : "unavailable"), WireJson.Options, statusCode: ok ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    private async Task<bool> ProbeAsync()
    {
        using var patience = new CancellationTokenSource(s_probeTimeout, time);
        try
        {
            return await part.AnswersAsync(patience.Token).WaitAsync(s_probeTimeout, time);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or OrleansException or InvalidOperationException or DbException)
        {
            return false;
        }
    }

    private sealed record HealthJson(string Check, string Status);
}

/// <summary>What has to answer for a program to be ready.</summary>
internal interface IHealthProbe
{
    Task<bool> AnswersAsync(CancellationToken cancellationToken);
}

/// <summary>Whether grains answer, and with them the storage of their state.</summary>
internal sealed class GrainsAnswer(IGrainFactory grains) : IHealthProbe
{
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        _ = await grains.GetGrain<IAgencyGrain>(Caller.PlatformAgency).GetAsync(Caller.Hub);
        return true;
    }
}
