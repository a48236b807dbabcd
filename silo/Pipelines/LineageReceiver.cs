using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace DataHub.Pipelines;

/// <summary>Posts events of runs to a receiver, one after the other.</summary>
internal sealed class LineageReceiver : IDisposable
{
    private readonly HttpClient _client;
    private readonly Uri _address;

    public LineageReceiver(LineageOptions options)
    {
        _address = new(options.Url, UriKind.Absolute);
        _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = options.Timeout, MaxResponseContentBufferSize = 64 << 10 };
        if (options.Key.Length > 0) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.Key);
    }

    /// <param name="mark">Of the event, the same whenever it is sent: by it a receiver knows what it has already.</param>
    /// <returns>How it went, and for the log what was answered.</returns>
    public async Task<(ReceiverAnswer Answer, string Why)> PostAsync(string json, string mark, CancellationToken stop)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _address) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
            request.Headers.Add("Idempotency-Key", mark);
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            var status = $"{(int)answer.StatusCode}";
            if (answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.Conflict) return (ReceiverAnswer.Taken, status);
            // Another try would be answered the same.
            return answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity
                ? (ReceiverAnswer.Refused, status)
                : (ReceiverAnswer.Failed, status);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            return (ReceiverAnswer.Silent, e.GetType().Name);
        }
    }

    public void Dispose() => _client.Dispose();
}

internal enum ReceiverAnswer
{
    /// <summary>It has the event, or had it before.</summary>
    Taken = 0,

    /// <summary>It will never take it.</summary>
    Refused = 1,

    /// <summary>It did not answer: it takes no other event either.</summary>
    Silent = 2,

    /// <summary>It answered, and has not taken it: it may take others.</summary>
    Failed = 3,
}
