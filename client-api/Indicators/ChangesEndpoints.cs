using System.Diagnostics;

using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace DataHub.Indicators;

/// <summary>Live changes by server-sent events (design §2.7).</summary>
internal static class ChangesEndpoints
{
    private const string EventStream = "text/event-stream";

    private static readonly LocalText s_indicator = new("Indikator", "Indicator");
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(5);

    public static IServiceCollection AddChanges(this IServiceCollection services) => services.AddSingleton<ChangesMetrics>().AddSingleton<ChangesHub>();

    public static void MapChangesEndpoints(this IEndpointRouteBuilder routes) =>
        routes.MapRead("/api/v1/indicators/{indicator}/changes", WatchAsync).WithTags("Indicators")
            .WithSummary("Live changes of values, as server-sent events: first the state, then what becomes different.")
            .WithDescription("event state: all rows of the selection, as in …/values, in parts; event change: rows that are different, and in removed the places (area, from, dimensions) that have none any more; event reset: what was seen cannot be continued, a state follows. The id names definition and watermark; whoever sends it back as Last-Event-ID gets the present row of every place that changed since, also after a restart of the hub. In a selection of last values the window is no part of a place: a row replaces the one of the same area and dimensions. Values between two events may be merged. A line with a colon is a sign of life.")
            .Takes("from", "Windows that begin at or after: a day or an instant. Without from and to: the last value of each area and combination of dimensions.")
            .Takes("to", "Windows that begin before; as from.")
            .Takes("level", "Areas rolled up to this level; 0 is the coarsest.", JsonSchemaType.Integer)
            .Takes("area", "Only this area, or with a deeper level what lies in it there.")
            .Takes("whole", "true: all areas together in one row.", JsonSchemaType.Boolean)
            .Takes("lastEventId", "As the header Last-Event-ID, for clients that cannot send it.")
            .Produces<string>(StatusCodes.Status200OK, EventStream).Refuses(400, 401, 403, 404, 422, 429, 503)
            .Example("""
                retry: 2000

                id: e1.lss…
                event: state
                data: {"indicator":"no2-hourly","version":184,"watermark":"w1.kw","definition":3,"unit":"ug/m3","asOf":"2026-11-23T08:01:02Z","part":1,"parts":1,"rows":[{"area":"01","from":"2026-11-23T08:00:00Z","to":"2026-11-23T09:00:00Z","value":23.4,"count":12,"state":"preliminary"}],"removed":[]}

                """, StatusCodes.Status200OK, EventStream);

    /// <summary>How often it is looked whether a stream of what is not open may go on.</summary>
    private static readonly TimeSpan s_check = TimeSpan.FromMilliseconds(400);

    /// <summary>How long a change waits for an indicator that moves, and how long between two tries.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10), s_pause = TimeSpan.FromMilliseconds(100);

    private static readonly ValuesResult s_gone = new(ReadRefusal.Forbidden, null, new(
        "Der Schlüssel, die Anmeldung oder die Rollen, mit denen dieser Strom begann, gelten nicht mehr.", "The key, the sign-in or the roles with which this stream began do not hold any more."));

    private static readonly ValuesResult s_unknown = new(ReadRefusal.Unavailable, null, ProblemTypes.Unavailable.Help);

    private static async Task<IResult> WatchAsync(string indicator, HttpContext http, IndicatorGrains grains, ChangesHub hub, ChangesMetrics metrics, IOptions<ChangesOptions> options)
    {
        if (!CatalogIds.IsValid(indicator)) return Problems.NotFound(http, s_indicator, indicator);
        var (selection, lastEventId, invalid) = ChangesParameters.Read(http, options.Value.MaxRows);
        if (invalid is not null) return invalid;
        if (await grains.Get(indicator).GetAsync(http.Caller()) is not { } info) return Problems.NotFound(http, s_indicator, indicator);

        // Whoever may see the same is one viewer more of the same feed; the grain decides for it.
        var isOpen = info.Definition.Spec.Access == AccessClass.Open;
        var admitted = isOpen ? new(ReadRefusal.None, null, null) : await AdmitAsync(grains.Get(indicator), http.Caller(), 0);
        if (admitted.Refusal != ReadRefusal.None) return IndicatorEndpoints.Refused(http, indicator, new(admitted.Refusal, null, admitted.Detail));
        var key = new ChangesKey(indicator, selection!, isOpen ? Caller.Public : admitted.Through is null ? http.Caller() with { KeyId = null, Use = null } : http.Caller(), admitted.Through);
        var (feed, ofIndicator) = hub.Come(key);
        if (feed is null)
        {
            return ofIndicator
                ? Problems.Later(http, ProblemTypes.TooManyRequests, new(
                    $"„{indicator}“ hat schon so viele Zuschauer, wie DataHub:Changes:MaxViewersPerIndicator erlaubt ({options.Value.MaxViewersPerIndicator}). Später wieder verbinden oder …/latest abfragen.",
                    $"“{indicator}” has as many viewers as DataHub:Changes:MaxViewersPerIndicator allows ({options.Value.MaxViewersPerIndicator}). Reconnect later, or poll …/latest."), s_retryAfter)
                : Problems.Later(http, ProblemTypes.Unavailable, new(
                    "Es gibt so viele Zuschauer, wie DataHub:Changes erlaubt. Später wieder verbinden oder …/latest abfragen.",
                    "There are as many viewers as DataHub:Changes allows. Reconnect later, or poll …/latest."), s_retryAfter);
        }

        try
        {
            return await ServeAsync(http, grains, feed, hub, lastEventId, isOpen, metrics, options.Value);
        }
        finally
        {
            hub.Leave(feed);
        }
    }

    private static async Task<IResult> ServeAsync(HttpContext http, IndicatorGrains grains, ChangesFeed feed, ChangesHub hub, string? lastEventId, bool isOpen, ChangesMetrics metrics, ChangesOptions options)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, hub.Stopping);
        var first = default(ChangesBytes);
        var step = 0L;
        try
        {
            var seen = ChangesEventId.TryParse(lastEventId, out var id) && id!.Selection == feed.Selection ? id : null;
            var start = default(ChangesStart);
            if (seen is not null)
            {
                var resumed = feed.ResumeAsync(seen);
                hub.Ask(feed);
                start = await resumed.WaitAsync(stop.Token);
            }
            else
            {
                hub.Ask(feed);
                await feed.MovedAsync(0).WaitAsync(stop.Token);
            }

            if (feed.Ended is { } ended) return IndicatorEndpoints.Refused(http, feed.Key.Indicator, ended);
            if (HttpMethods.IsHead(http.Request.Method))
            {
                Head(http);
                return Results.Empty;
            }

            if (start.Continues) (first, step) = (start.Events, start.Step);
            else (first, step) = feed.All();
            if (await RefusedAsync(first.Rows) is { } refused) return IndicatorEndpoints.Refused(http, feed.Key.Indicator, refused);
            metrics.Connected(start.Continues ? "resumed" : lastEventId is null ? "new" : "reset");

            Head(http);
            using var viewer = new Viewer(http, options.Patience, stop.Token);
            await viewer.WriteAsync(ChangesEvents.Retry(options.Retry));
            if (lastEventId is not null && !start.Continues) await viewer.WriteAsync(ChangesEvents.Reset);
            if (first.Bytes.Length > 0) await viewer.WriteAsync(first.Bytes);
            var written = Stopwatch.GetTimestamp();
            var over = (ValuesResult?)null;
            while ((over ??= feed.Ended) is null)
            {
                // Whose key, roles or agreement were taken away meanwhile gets nothing more, and is told soon although nothing changes.
                var moved = feed.MovedAsync(step);
                var rest = options.Heartbeat - Stopwatch.GetElapsedTime(written);
                var pause = isOpen || rest < s_check ? rest : s_check;
                if (!moved.IsCompleted && await Task.WhenAny(moved, Task.Delay(pause > TimeSpan.Zero ? pause : TimeSpan.Zero, stop.Token)) != moved)
                {
                    stop.Token.ThrowIfCancellationRequested();
                    if (!isOpen && (over = await RefusedAsync(0)) is not null) continue;
                    if (Stopwatch.GetElapsedTime(written) < options.Heartbeat) continue;
                    await viewer.WriteAsync(ChangesEvents.Heartbeat);
                    written = Stopwatch.GetTimestamp();
                    continue;
                }

                var (events, next) = feed.Since(step);
                step = next;
                if ((over = await RefusedAsync(events.Rows)) is not null || events.Bytes.Length == 0) continue;
                await viewer.WriteAsync(events.Bytes);
                written = Stopwatch.GetTimestamp();
                metrics.Sent();
            }

            var (type, why) = IndicatorEndpoints.Reason(over!);
            await viewer.WriteAsync(ChangesEvents.End(type.Word, why.In(Language.Of(http))));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The viewer has gone, or the front-end stops: the stream ends, and clients come back.
        }
        catch (TimeoutException)
        {
            // It takes nothing: it may come back and gets what it missed, merged.
            http.Abort();
        }

        return Results.Empty;

        // Asked before so many rows are given to this viewer; null: they may be.
        async ValueTask<ValuesResult?> RefusedAsync(int rows)
        {
            if (isOpen) return null;
            if (!await Authentication.IsStillAsync(http)) return s_gone;
            var counts = rows;
            for (var begun = Stopwatch.GetTimestamp(); ;)
            {
                var asked = Stopwatch.GetTimestamp();
                var admitted = await AdmitAsync(grains.Get(feed.Key.Indicator), http.Caller(), counts);
                if (admitted.Refusal is ReadRefusal.Unavailable)
                {
                    // An indicator moves: nothing is given meanwhile, and nothing is lost.
                    if (rows == 0) return null;
                    if (Stopwatch.GetElapsedTime(begun) >= s_patience) return s_unknown;
                    await Task.Delay(s_pause, stop.Token);
                    continue;
                }

                if (admitted.Refusal != ReadRefusal.None) return new(admitted.Refusal, null, admitted.Detail);
                if (admitted.Through != feed.Key.Through) return ChangesFeed.Other;

                // What took long is asked once more, with nothing to count.
                if (Stopwatch.GetElapsedTime(asked) < s_check && await Authentication.IsStillAsync(http)) return null;
                if (!await Authentication.IsStillAsync(http)) return s_gone;
                counts = 0;
            }
        }
    }

    private static async Task<Admission> AdmitAsync(IIndicatorGrain indicator, Caller caller, int rows)
    {
        try
        {
            return await indicator.AdmitAsync(caller, rows);
        }
        catch (Exception e) when (e is Orleans.Runtime.OrleansException or TimeoutException)
        {
            return new(ReadRefusal.Unavailable, null, null);
        }
    }

    private static void Head(HttpContext http)
    {
        http.Response.ContentType = EventStream;
        http.Response.Headers.CacheControl = "no-store";
        // Some proxies collect small writes unless they are told not to.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }

    private sealed class Viewer(HttpContext http, TimeSpan patience, CancellationToken stop) : IDisposable
    {
        private readonly CancellationTokenSource _given = CancellationTokenSource.CreateLinkedTokenSource(stop);

        /// <exception cref="TimeoutException">It did not take it in time.</exception>
        public async Task WriteAsync(ReadOnlyMemory<byte> events)
        {
            var written = http.Response.Body.WriteAsync(events, _given.Token);
            if (!written.IsCompletedSuccessfully) await written.AsTask().WaitAsync(patience, stop);
            var flushed = http.Response.Body.FlushAsync(_given.Token);
            if (!flushed.IsCompletedSuccessfully) await flushed.WaitAsync(patience, stop);
        }

        public void Dispose()
        {
            _given.Cancel();
            _given.Dispose();
        }
    }
}
