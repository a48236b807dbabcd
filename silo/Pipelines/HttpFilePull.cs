using System.Net;
using System.Net.Sockets;

using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

/// <summary>Fetches files with a client of its own: no proxy, no cookies, no credentials; redirects are judged one by one.</summary>
internal sealed class HttpFilePull : IFilePull, IDisposable
{
    private readonly PipelineOptions _options;
    private readonly HttpClient _http;

    public HttpFilePull(IOptions<PipelineOptions> options)
    {
        _options = options.Value;
        _http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            Credentials = null,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 64,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            ConnectCallback = ConnectAsync,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    public void Dispose() => _http.Dispose();

    public async Task<PulledFile> PullAsync(Uri url, PullMarks? known, Func<ReadOnlyMemory<byte>, Task> piece, CancellationToken cancellationToken)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timed.CancelAfter(_options.PullTime);
        try
        {
            var (asked, place) = await HeardAsync(url, AskAsync(url, known, timed.Token));
            using var answer = asked;
            var marks = new PullMarks(answer.Headers.ETag?.ToString(), answer.Content.Headers.TryGetValues("Last-Modified", out var said) ? said.First() : null) { Address = place.AbsoluteUri };
            if (answer.StatusCode == HttpStatusCode.NotModified && known?.Address == place.AbsoluteUri) return new(true, "", 0, known);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                var isTransient = (int)answer.StatusCode is >= 500 or 408 or 429;
                throw Fault(url, $"die Antwort ist {(int)answer.StatusCode}", $"the answer is {(int)answer.StatusCode}", isTransient);
            }

            if (answer.Content.Headers.ContentEncoding.Count > 0) throw Fault(url, "die Antwort ist gepackt, ohne dass darum gebeten war", "the answer is compressed although nobody asked for it");
            var disposition = answer.Content.Headers.ContentDisposition;
            var length = await TakeAsync(url, answer, piece, timed.Token);
            return new(false, PullRules.Name(url, disposition?.FileNameStar ?? disposition?.FileName), length, marks);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Fault(url, $"es dauerte länger als {_options.PullTime} (DataHub:Pipelines:PullTime)", $"it took longer than {_options.PullTime} (DataHub:Pipelines:PullTime)", isTransient: true);
        }
    }

    /// <summary>What the host sends; what goes wrong in the hub itself is not laid at its door.</summary>
    private static async Task<T> HeardAsync<T>(Uri url, Task<T> hearing)
    {
        try
        {
            return await hearing;
        }
        catch (HttpRequestException e) when (e.InnerException is StepException refused)
        {
            throw refused;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            throw Fault(url, "der Server antwortet nicht oder bricht ab", "the server does not answer, or breaks off", isTransient: true);
        }
    }

    /// <summary>The first answer that is no redirect, and whose it is.</summary>
    private async Task<(HttpResponseMessage Answer, Uri Place)> AskAsync(Uri url, PullMarks? known, CancellationToken cancellationToken)
    {
        var place = url;
        for (var redirects = 0; ; redirects++)
        {
            if (PullRules.Refused(place, _options.PullHosts) is { } refused) throw new StepException(refused);
            using var request = new HttpRequestMessage(HttpMethod.Get, place);
            request.Headers.TryAddWithoutValidation("User-Agent", "DataHub");
            var marks = known?.Address == place.AbsoluteUri ? known : null;
            if (marks?.ETag is { } tag) request.Headers.TryAddWithoutValidation("If-None-Match", tag);
            // RFC 9110, section 13.1.3: not beside If-None-Match.
            else if (marks?.LastModified is { } modified) request.Headers.TryAddWithoutValidation("If-Modified-Since", modified);
            var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (answer.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)) return (answer, place);
            using (answer)
            {
                if (redirects == PullRules.Redirects) throw Fault(url, $"mehr als {PullRules.Redirects} Weiterleitungen", $"more than {PullRules.Redirects} redirects");
                if (answer.Headers.Location is not { } location || !Uri.TryCreate(place, location, out var next) || PullRules.Fault(next.GetLeftPart(UriPartial.Query)) is not null || (place.Scheme == "https" && next.Scheme != "https"))
                    throw Fault(url, "eine Weiterleitung führt nirgends hin oder aus der Verschlüsselung heraus", "a redirect leads nowhere, or out of encryption");
                place = next;
            }
        }
    }

    private async Task<long> TakeAsync(Uri url, HttpResponseMessage answer, Func<ReadOnlyMemory<byte>, Task> piece, CancellationToken cancellationToken)
    {
        var most = (long)_options.MaxFileMiB << 20;
        if (answer.Content.Headers.ContentLength > most) throw TooLarge(url);
        await using var content = await HeardAsync(url, answer.Content.ReadAsStreamAsync(cancellationToken));
        var (buffer, total) = (new byte[UploadLimits.PieceBytes], 0L);
        while (true)
        {
            var filled = await HeardAsync(url, content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).AsTask());
            if (filled == 0) break;
            total += filled;
            if (total > most) throw TooLarge(url);
            await piece(buffer.AsMemory(0, filled));
            if (filled < buffer.Length) break;
        }

        return total > 0 ? total : throw Fault(url, "die Datei ist leer", "the file is empty");
    }

    /// <summary>A connection to an address that may be asked, whatever the name leads to next time.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellationToken);
        var allowed = Array.FindAll(addresses, address => PullRules.MayAsk(address, _options.PullHosts));
        if (allowed.Length == 0)
        {
            throw new StepException(new(
                $"„{context.DnsEndPoint.Host}“ führt zu einer Adresse im Inneren, die der Betrieb nicht erlaubt hat (DataHub:Pipelines:PullHosts).",
                $"“{context.DnsEndPoint.Host}” leads to an address inside that the operator has not allowed (DataHub:Pipelines:PullHosts)."));
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private StepException TooLarge(Uri url) => Fault(url, $"die Datei hat mehr als {_options.MaxFileMiB} MiB (DataHub:Pipelines:MaxFileMiB)", $"the file has more than {_options.MaxFileMiB} MiB (DataHub:Pipelines:MaxFileMiB)");

    private static StepException Fault(Uri url, string de, string en, bool isTransient = false) =>
        new(new($"{PullRules.Told(url)} ließ sich nicht holen: {de}.", $"{PullRules.Told(url)} could not be fetched: {en}."), isTransient);
}
