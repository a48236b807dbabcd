using System.Net;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Hosting;

using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace DataHub.Demo;

/// <summary>
/// The demo city's agencies. They use the public routes only, with keys of their own: put what they publish, tell of the
/// last two days, then push what is measured, late, twice, wrong or not at all, as real ones do.
/// </summary>
internal sealed partial class DemoAgencies(
    IOptions<DemoOptions> options, SignIn signIn, DataFolder folder, IServer server, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<DemoAgencies> logger) : BackgroundService
{
    /// <summary>How much is told when the demo starts.</summary>
    private static readonly TimeSpan s_past = TimeSpan.FromHours(48);

    /// <summary>Who is further behind catches up in long stretches.</summary>
    private static readonly TimeSpan s_behind = TimeSpan.FromMinutes(15);

    /// <summary>Positions are stored when they have moved on by this much; after a crash that much is pushed again, with the same keys.</summary>
    private static readonly TimeSpan s_stored = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_afterTrouble = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _storing = new(1);
    private readonly Dictionary<string, DateTimeOffset> _storedPositions = [];
    private DemoState _state = null!;

    public override void Dispose()
    {
        _storing.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        // The hub must not wait for the city.
        await Task.Yield();
        try
        {
            _state = DemoState.Read(folder.Path) ?? new(options.Value.Seed, Now());
            if (_state.Seed != options.Value.Seed) LogOtherCity(_state.Seed, options.Value.Seed);
            var city = DemoCity.Generate(_state.Seed);
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registered = lifetime.ApplicationStarted.Register(started.SetResult);
            await started.Task.WaitAsync(stoppingToken);

            using var http = new HttpClient { BaseAddress = Address(), Timeout = TimeSpan.FromSeconds(60) };
            var client = new DemoClient(http, time);
            await StoreAsync();
            await DefineAsync(client, city, stoppingToken);
            LogDefined(city.Areas.Count, DemoDefinitions.Datasets.Length, DemoDefinitions.Indicators.Length + DemoDefinitions.Formulas.Length);
            var feeds = DemoFeeds.All(city, _state.Seed, options.Value.Rate, _state.Started - s_past);
            // All positions are read before the first is moved.
            var positions = Array.ConvertAll(feeds, Position);
            await Task.WhenAll(feeds.Zip(positions, (feed, position) => RunAsync(client, feed, position, stoppingToken)));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops; what was acknowledged is stored below.
        }
        catch (Exception e) when (e is DemoRefusedException or JsonException or IOException)
        {
            // Without its definitions the city cannot push; the hub itself is well.
            LogGivenUp(e);
        }
        finally
        {
            if (_state is not null && _storedPositions.Count > 0) await StoreAsync();
        }
    }

    /// <summary>Where the hub listens: the first address, of this machine where it listens on all.</summary>
    private Uri Address()
    {
        var address = server.Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new Uri(address.Replace("//+", "//127.0.0.1", StringComparison.Ordinal).Replace("//*", "//127.0.0.1", StringComparison.Ordinal)
            .Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal).Replace("//[::]", "//[::1]", StringComparison.Ordinal) + "/");
    }

    /// <summary>Puts everything; what is there already stays as it is.</summary>
    private async Task DefineAsync(DemoClient client, DemoCity city, CancellationToken cancellationToken)
    {
        if (File.Exists(folder.AdminKeyFile))
        {
            var admin = (await File.ReadAllTextAsync(folder.AdminKeyFile, cancellationToken)).Trim();
            await PutAsync(client, $"api/v1/areas/{DemoDefinitions.AreaSystem}", admin, "application/geo+json", city.ToGeoJson(), cancellationToken);
            foreach (var (agency, body) in DemoDefinitions.Agencies)
            {
                await PutAsync(client, $"api/v1/agencies/{agency}", admin, body, cancellationToken);
                if (_state.Keys.ContainsKey(agency)) continue;
                _state.Keys[agency] = new(await KeyAsync(client, agency, "admin", admin, cancellationToken), await KeyAsync(client, agency, "push", admin, cancellationToken));
                await StoreAsync();
            }
        }
        else if (_state.Keys.Count < DemoDefinitions.Agencies.Length)
        {
            throw new DemoRefusedException($"{folder.AdminKeyFile} is missing, and without it the demo agencies cannot be made");
        }

        await Task.WhenAll(DemoDefinitions.Datasets.Select(d => PutAsync(client, $"api/v1/datasets/{d.Id}", _state.Keys[d.Agency].Admin, d.Body, cancellationToken)));
        await Task.WhenAll(DemoDefinitions.Feeds.Select(f => PutAsync(client, $"api/v1/datasets/{f.Dataset}/feeds/{f.Id}", _state.Keys[f.Agency].Admin, f.Body, cancellationToken)));
        await Task.WhenAll(DemoDefinitions.Indicators.Select(i => PutAsync(client, $"api/v1/indicators/{i.Id}", _state.Keys[i.Agency].Admin, i.Body, cancellationToken)));
        await Task.WhenAll(DemoDefinitions.Formulas.Select(i => PutAsync(client, $"api/v1/indicators/{i.Id}", _state.Keys[i.Agency].Admin, i.Body, cancellationToken)));
        if (signIn.IsLocal && !_state.People) await IntroduceAsync(client, cancellationToken);
    }

    /// <summary>Gives people their groups and roles, once; an act that was interrupted is repeated whole, which changes nothing.</summary>
    private async Task IntroduceAsync(DemoClient client, CancellationToken cancellationToken)
    {
        foreach (var (method, path, body) in DemoPeople.Acts)
        {
            var (status, text) = await client.SendAsync(method, path, _state.Keys[DemoPeople.Agency].Admin, "application/json", Encoding.UTF8.GetBytes(body), null, cancellationToken);
            if (status is not (HttpStatusCode.OK or HttpStatusCode.Created)) throw new DemoRefusedException($"{method} {path} was answered {(int)status} {text}");
        }

        _state.People = true;
        await StoreAsync();
        LogIntroduced(DemoPeople.All.Length);
    }

    private static Task PutAsync(DemoClient client, string path, string key, string body, CancellationToken cancellationToken) =>
        PutAsync(client, path, key, "application/json", Encoding.UTF8.GetBytes(body), cancellationToken);

    private static async Task PutAsync(DemoClient client, string path, string key, string contentType, byte[] body, CancellationToken cancellationToken)
    {
        var (status, text) = await client.SendAsync(HttpMethod.Put, path, key, contentType, body, null, cancellationToken);
        if (status is not (HttpStatusCode.OK or HttpStatusCode.Created)) throw new DemoRefusedException($"PUT {path} was answered {(int)status} {text}");
    }

    private static async Task<string> KeyAsync(DemoClient client, string agency, string role, string admin, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new { role, label = "demo" }, WireJson.Options);
        var (status, text) = await client.SendAsync(HttpMethod.Post, $"api/v1/agencies/{agency}/keys", admin, "application/json", body, null, cancellationToken);
        if (status != HttpStatusCode.Created) throw new DemoRefusedException($"a {role} key of {agency} was answered {(int)status} {text}");
        using var made = JsonDocument.Parse(text);
        return made.RootElement.GetProperty("key").GetString()!;
    }

    private DemoPosition Position(DemoFeed feed) =>
        _state.Positions.GetValueOrDefault(feed.Name) ?? new(DemoFeed.Floor(_state.Started - s_past, feed.History), DemoFeed.Floor(Now(), feed.Slot));

    private async Task RunAsync(DemoClient client, DemoFeed feed, DemoPosition position, CancellationToken cancellationToken)
    {
        // What a crash may have left pushed but not noted is pushed again as it was, before anything else.
        var sameAgainUntil = position.Pushed + (2 * s_stored);
        await MoveAsync(feed, position);
        while (feed.SilentAfter is not { } after || position.Pushed < _state.Started + after)
        {
            var now = Now();
            if (position.Pushed < position.CatchUpTo)
            {
                var (push, to) = feed.CatchUp(position.Pushed, position.CatchUpTo);
                if (push is not null) await DeliverAsync(client, feed, push, cancellationToken);
                position = position with { Pushed = to };
                if (to == position.CatchUpTo) LogLive(feed.Name);
            }
            else if (position.Pushed.UtcTicks % feed.Slot.Ticks != 0 || (now - position.Pushed > s_behind && position.Pushed >= sameAgainUntil))
            {
                // Another rate, or a long pause: over to the grid of slots in long stretches.
                var grid = DemoFeed.Floor(now, feed.Slot);
                if (grid <= position.Pushed) await Task.Delay(feed.Slot, time, cancellationToken);
                else position = position with { CatchUpTo = grid };
            }
            else if (position.Pushed + feed.Slot is var due && due > now)
            {
                await Task.Delay(due - now, time, cancellationToken);
                continue;
            }
            else
            {
                if (feed.Live(position.Pushed, position.CatchUpTo) is { } push) await DeliverAsync(client, feed, push, cancellationToken);
                position = position with { Pushed = position.Pushed + feed.Slot };
            }

            await MoveAsync(feed, position);
        }

        LogSilent(feed.Name);
    }

    /// <summary>Sends a push until it is acknowledged or refused for good; some twice, as happens.</summary>
    private async Task DeliverAsync(DemoClient client, DemoFeed feed, DemoPush push, CancellationToken cancellationToken)
    {
        var body = DemoRow.Write(push.Rows, feed.Format);
        var keys = new List<string> { push.Key };
        if (feed.IsRepeated(push)) keys.Add(push.Key);
        if (feed.IsSentAgain(push)) keys.Add(push.Key + "-again");
        foreach (var key in keys)
        {
            var (status, text) = await client.SendAsync(
                HttpMethod.Post, $"api/v1/datasets/{feed.Dataset}/feeds/{feed.Feed}/records", _state.Keys[feed.Agency].Push, DemoRow.ContentType(feed.Format), body, key, cancellationToken);
            // 422: all rows are in quarantine, which is a receipt too.
            if (status is HttpStatusCode.OK or HttpStatusCode.UnprocessableEntity) continue;
            LogRefused(feed.Name, (int)status, text.Length > 500 ? text[..500] : text);
            await Task.Delay(s_afterTrouble, time, cancellationToken);
        }
    }

    private async Task MoveAsync(DemoFeed feed, DemoPosition position)
    {
        await _storing.WaitAsync(CancellationToken.None);
        try
        {
            var known = _state.Positions.GetValueOrDefault(feed.Name);
            _state.Positions[feed.Name] = position;
            // A new goal is noted before it is worked on: what is pushed for it depends on it.
            if (known?.CatchUpTo == position.CatchUpTo && position.Pushed - _storedPositions.GetValueOrDefault(feed.Name) < s_stored) return;
            Store();
        }
        finally
        {
            _storing.Release();
        }
    }

    private async Task StoreAsync()
    {
        await _storing.WaitAsync(CancellationToken.None);
        try
        {
            Store();
        }
        finally
        {
            _storing.Release();
        }
    }

    private void Store()
    {
        _state.Write(folder.Path);
        foreach (var (feed, position) in _state.Positions) _storedPositions[feed] = position.Pushed;
    }

    private DateTimeOffset Now() => time.GetUtcNow();

    [LoggerMessage(9001, LogLevel.Information, "The demo city stands: {Areas} areas, {Datasets} datasets, {Indicators} indicators")]
    private partial void LogDefined(int areas, int datasets, int indicators);

    [LoggerMessage(1262, LogLevel.Information, "{People} people of the demo city have their groups and roles")]
    private partial void LogIntroduced(int people);

    [LoggerMessage(9002, LogLevel.Information, "Demo feed {Feed} has caught up and pushes live")]
    private partial void LogLive(string feed);

    [LoggerMessage(9003, LogLevel.Information, "Demo feed {Feed} falls silent, as one feed does")]
    private partial void LogSilent(string feed);

    [LoggerMessage(9004, LogLevel.Warning, "Demo feed {Feed}: a push was refused with {Status} and left out: {Answer}")]
    private partial void LogRefused(string feed, int status, string answer);

    [LoggerMessage(9005, LogLevel.Error, "The demo city cannot be put; the hub goes on without it")]
    private partial void LogGivenUp(Exception e);

    [LoggerMessage(9006, LogLevel.Warning, "This folder holds the demo city of seed {Seed}; DataHub:Demo:Seed {Asked} is for another folder")]
    private partial void LogOtherCity(int seed, int asked);
}

/// <summary>The hub refused what the demo needs.</summary>
internal sealed class DemoRefusedException(string message) : Exception(message);
