using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace DataHub.Demo;

/// <summary>How an agency should speak with a hub: over HTTP, patiently, repeating what was not answered with the same key.</summary>
/// <param name="http">With the hub's address.</param>
/// <param name="time">For waiting.</param>
internal sealed class DemoClient(HttpClient http, TimeProvider time)
{
    private static readonly TimeSpan s_firstWait = TimeSpan.FromMilliseconds(200), s_longestWait = TimeSpan.FromSeconds(10);

    /// <summary>Attempts after answers that say the hub itself has failed (500 and the like, without Retry-After).</summary>
    private const int MaxFailures = 10;

    /// <summary>Sends until there is an answer that a repeat would not change.</summary>
    /// <param name="method">PUT and POST with <paramref name="idempotencyKey"/> may be repeated.</param>
    /// <param name="path">Relative to the hub's address.</param>
    /// <param name="key">API key.</param>
    /// <param name="contentType">Of the body.</param>
    /// <param name="body">Sent anew with every attempt.</param>
    /// <param name="idempotencyKey">Null where the route has none.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Status and body.</returns>
    public async Task<(HttpStatusCode Status, string Body)> SendAsync(
        HttpMethod method, string path, string key, string contentType, byte[] body, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var wait = s_firstWait;
        for (var failures = 0; ;)
        {
            TimeSpan? asked = null;
            try
            {
                using var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(body) };
                request.Headers.Authorization = new("Bearer", key);
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
                if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
                using var response = await http.SendAsync(request, cancellationToken);
                var text = await response.Content.ReadAsStringAsync(cancellationToken);
                if (response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout) && (int)response.StatusCode < 500) return (response.StatusCode, text);
                asked = response.Headers.RetryAfter?.Delta;
                if (asked is null && ++failures >= MaxFailures) return (response.StatusCode, text);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // Not reached, or the answer was lost: nobody knows whether it was stored. The same key tells.
            }

            await Task.Delay(asked is { } said && said < s_longestWait ? said : asked is null ? wait : s_longestWait, time, cancellationToken);
            wait = wait * 2 < s_longestWait ? wait * 2 : s_longestWait;
        }
    }
}
