using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;

namespace DataHub.Benchmarks;

/// <summary>Bounded load over keep-alive connections of its own.</summary>
internal sealed class Load(Uri address, string? key, int connections) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = connections, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5) }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };

    public HttpClient Http => _http;

    /// <summary>Sends every request once, spread over the connections.</summary>
    /// <returns>Requests per second and the latencies in milliseconds, sorted.</returns>
    public async Task<(double PerSecond, double[] Latencies)> SendAsync(int requests, Func<int, HttpRequestMessage> make, Func<HttpResponseMessage, bool> good)
    {
        var next = -1;
        var latencies = new ConcurrentBag<double[]>();
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            var own = new List<double>();
            for (int i; (i = Interlocked.Increment(ref next)) < requests;)
            {
                var begin = Stopwatch.GetTimestamp();
                using var request = make(i);
                if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
                using var answer = await _http.SendAsync(request);
                if (!good(answer)) throw new InvalidOperationException($"{request.RequestUri}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                await answer.Content.CopyToAsync(Stream.Null);
                own.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            }

            latencies.Add([.. own]);
        })));
        var perSecond = requests / clock.Elapsed.TotalSeconds;
        return (perSecond, [.. latencies.SelectMany(l => l).Order()]);
    }

    /// <summary>Gets the same over and over, all of it or, where the client names what it has, only that it still holds.</summary>
    /// <returns>Answers per second.</returns>
    public async Task<double> PollAsync(int polls, string path, EntityTagHeaderValue? has) => (await SendAsync(
        polls,
        _ =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (has is not null) request.Headers.IfNoneMatch.Add(has);
            return request;
        },
        answer => answer.StatusCode == (has is null ? HttpStatusCode.OK : HttpStatusCode.NotModified))).PerSecond;

    public static HttpRequestMessage Post(string path, byte[] json) => new(HttpMethod.Post, path)
    {
        Content = new ByteArrayContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
    };

    public void Dispose() => _http.Dispose();
}
