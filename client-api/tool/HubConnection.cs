using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;

namespace DataHub.Tool;

/// <summary>
/// Speaks to the hub, and again where that can help: a lost connection, an answer that broke off, 408, 429 and 5xx.
/// Everything sent through it can be repeated without harm: reads, pushes with an idempotency key, acts on the quarantine.
/// </summary>
/// <param name="giveUpAfter">How long one request is tried; counted anew with each.</param>
internal sealed class HubConnection(Uri hub, string? key, TimeSpan giveUpAfter, TimeSpan timeout, Report report, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(250), s_longest = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http = Make(hub, key);

    public Uri Hub => hub;

    /// <summary>Sends until there is a final answer.</summary>
    /// <param name="make">Makes the request; each try has one of its own.</param>
    /// <exception cref="GaveUpException">There was none in time.</exception>
    public async Task<HubAnswer> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            string why;
            TimeSpan? named = null;
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(timeout);
                using var request = make();
                using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
                var bytes = await response.Content.ReadAsByteArrayAsync(limit.Token);
                var status = (int)response.StatusCode;
                if (!IsForLater(response.StatusCode))
                {
                    if (Parse(bytes, out var body)) return new(status, body);
                    if (status >= 300) return new(status, null);
                    why = Words.Say("Die Antwort ist kein JSON. Ist das die Adresse eines DataHub?", "The answer is no JSON. Is this the address of a DataHub?");
                }
                else
                {
                    named = After(response.Headers.RetryAfter);
                    Parse(bytes, out var problem);
                    why = new HubAnswer(status, problem).Problem;
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                why = Words.Say($"keine Antwort in {timeout.TotalSeconds:0} s", $"no answer within {timeout.TotalSeconds:0} s");
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
            {
                why = (e.InnerException ?? e).Message;
            }

            await LaterAsync(why, named, attempt, began, cancellationToken);
        }
    }

    /// <summary>Reads a document.</summary>
    public Task<HubAnswer> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(() => new(HttpMethod.Get, Address(path)), cancellationToken);

    /// <summary>Opens a stream of events; one try.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, string? lastEventId, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Address(path));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
    }

    /// <summary>Waits before the next try, for as long as the hub named or else ever longer.</summary>
    /// <param name="began">Timestamp of the first try.</param>
    /// <exception cref="GaveUpException">The time would be up.</exception>
    public async Task LaterAsync(string why, TimeSpan? named, int attempt, long began, CancellationToken cancellationToken)
    {
        var wait = named ?? TimeSpan.FromTicks(Math.Min(s_longest.Ticks, s_shortest.Ticks << Math.Min(attempt, 10)));
        // Many clients that lost one hub must not come back at the same moment.
        wait += TimeSpan.FromTicks((long)(Math.Min(wait.Ticks, TimeSpan.TicksPerSecond * 10) * 0.2 * Random.Shared.NextDouble()));
        if (time.GetElapsedTime(began) + wait > giveUpAfter)
        {
            throw new GaveUpException(Words.Say(
                $"{hub}: {why}. Aufgegeben ({(named is null ? $"seit {time.GetElapsedTime(began).TotalSeconds:0} s" : $"der Hub bittet um {named.Value.TotalSeconds:0} s Geduld")}; erlaubt sind {giveUpAfter.TotalSeconds:0} s, siehe --give-up-after). Derselbe Befehl setzt fort.",
                $"{hub}: {why}. Given up ({(named is null ? $"for {time.GetElapsedTime(began).TotalSeconds:0} s" : $"the hub asks for {named.Value.TotalSeconds:0} s of patience")}; {giveUpAfter.TotalSeconds:0} s are allowed, see --give-up-after). The same command goes on."));
        }

        report.Note(Words.Say(
            $"{why} – neuer Versuch in {wait.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s",
            $"{why} – trying again in {wait.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s"));
        await Task.Delay(wait, time, cancellationToken);
    }

    /// <summary>Whether the same request may succeed later.</summary>
    public static bool IsForLater(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError and not HttpStatusCode.NotImplemented;

    /// <summary>How long the hub asks to wait; null: it does not say.</summary>
    public TimeSpan? After(RetryConditionHeaderValue? header) =>
        header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() is { Ticks: > 0 } left ? left : TimeSpan.Zero : null);

    public void Dispose() => _http.Dispose();

    private Uri Address(string path) => new(hub, path.TrimStart('/'));

    private static bool Parse(byte[] bytes, out JsonElement? body)
    {
        body = null;
        if (bytes.Length == 0) return false;
        try
        {
            using var document = JsonDocument.Parse(bytes);
            body = document.RootElement.Clone();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static HttpClient Make(Uri hub, string? key)
    {
        // A redirect would carry the key to another host: it is an answer like any other that does not fit.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(10), PooledConnectionLifetime = TimeSpan.FromMinutes(5), AutomaticDecompression = DecompressionMethods.All };
        var http = new HttpClient(handler) { BaseAddress = hub, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.Add(new("datahub", "1"));
        http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(Words.Language);
        if (key is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return http;
    }
}
