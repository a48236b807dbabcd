using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

/// <summary>Fetches files with a client of its own: no proxy, no cookies, no credentials but a key for its own host; redirects are judged one by one.</summary>
internal sealed partial class HttpFilePull : IFilePull, IDisposable
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

    /// <summary>RFC 8288, as hubs write it.</summary>
    [GeneratedRegex("<([^>]*)>(?:\\s*;\\s*[^\\s;,=]+(?:=(?:\"[^\"]*\"|[^\\s;,\"]*))?)*?\\s*;\\s*rel=\"?next\"?\\s*(?=[;,]|\\z)", RegexOptions.IgnoreCase)]
    private static partial Regex NextLink();

    public async Task<PulledFile> PullAsync(PullOrder order, Func<ReadOnlyMemory<byte>, Task> piece, CancellationToken cancellationToken)
    {
        var url = order.Url;
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timed.CancelAfter(_options.PullTime);
        try
        {
            var pieces = new Pieces(piece);
            PulledFile? pulled = null;
            for (var page = url; page is not null;)
            {
                var (asked, place) = await HeardAsync(url, AskAsync(order, page, timed.Token));
                using var answer = asked;
                var marks = new PullMarks(answer.Headers.ETag?.ToString(), answer.Content.Headers.TryGetValues("Last-Modified", out var said) ? said.First() : null) { Address = place.AbsoluteUri };
                if (answer.StatusCode == HttpStatusCode.NotModified && order.Known?.Address == place.AbsoluteUri) return new(true, "", 0, order.Known);
                if (answer.StatusCode != HttpStatusCode.OK) throw Refused(order, answer.StatusCode, place);
                if (answer.Content.Headers.ContentEncoding.Count > 0) throw Fault(url, "die Antwort ist gepackt, ohne dass darum gebeten war", "the answer is compressed although nobody asked for it");
                var watermark = order.IsPaged && answer.Headers.TryGetValues("DataHub-Watermark", out var told) ? told.First() : null;
                if (order.IsPaged && watermark is null) throw Fault(url, "die Antwort ist nicht die eines Hubs (DataHub-Watermark fehlt)", "the answer is not that of a hub (DataHub-Watermark is missing)");
                if (pulled is not null && pulled.Watermark != watermark)
                    throw Fault(url, "die Zeilen änderten sich, während sie geholt wurden; kleinere Zeiträume (from, to) oder ein späterer Lauf helfen", "the rows changed while they were fetched; smaller spans (from, to) or a later run help", isTransient: true);
                var disposition = answer.Content.Headers.ContentDisposition;
                pulled ??= new(false, PullRules.Name(url, disposition?.FileNameStar ?? disposition?.FileName), 0, marks) { Watermark = watermark };
                await TakeAsync(url, answer, pieces, timed.Token);
                page = order.IsPaged ? Next(url, answer, place) : null;
            }

            await pieces.EndAsync();
            if (pieces.Length > 0) return pulled! with { Length = pieces.Length };
            throw order.IsPaged ? Fault(url, "der Datensatz hat dort keine Zeilen, die gegeben würden", "the dataset has no rows there that would be given") : Fault(url, "die Datei ist leer", "the file is empty");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Fault(url, $"es dauerte länger als {_options.PullTime} (DataHub:Pipelines:PullTime)", $"it took longer than {_options.PullTime} (DataHub:Pipelines:PullTime)", isTransient: true);
        }
    }

    /// <summary>The page after one, from the host that gave it; null: there is none.</summary>
    private static Uri? Next(Uri url, HttpResponseMessage answer, Uri place)
    {
        if (!answer.Headers.TryGetValues("Link", out var links) || links.Select(link => NextLink().Match(link)).FirstOrDefault(link => link.Success) is not { } found) return null;
        return Uri.TryCreate(place, found.Groups[1].Value, out var next) && next.GetLeftPart(UriPartial.Authority) == place.GetLeftPart(UriPartial.Authority) && next != place
            ? next
            : throw Fault(url, "die nächste Seite liegt woanders", "the next page lies elsewhere");
    }

    private static StepException Refused(PullOrder order, HttpStatusCode status, Uri place)
    {
        var isTransient = (int)status is >= 500 or 408 or 429;
        return PullRules.Why(status, order, order.Key is { } key && PullRules.Takes(key.Host, place)) is { } why
            ? Fault(order.Url, $"{why.De} (die Antwort ist {(int)status})", $"{why.In("en")} (the answer is {(int)status})", isTransient)
            : Fault(order.Url, $"die Antwort ist {(int)status}", $"the answer is {(int)status}", isTransient);
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
    private async Task<(HttpResponseMessage Answer, Uri Place)> AskAsync(PullOrder order, Uri page, CancellationToken cancellationToken)
    {
        var (url, known, place) = (order.Url, order.Known, page);
        for (var redirects = 0; ; redirects++)
        {
            if (PullRules.Refused(place, _options.PullHosts) is { } refused) throw new StepException(refused);
            using var request = new HttpRequestMessage(HttpMethod.Get, place);
            request.Headers.TryAddWithoutValidation("User-Agent", "DataHub");
            // Each place by itself: no other host gets the key, or is told what for.
            if (order.Key is { } key && PullRules.Takes(key.Host, place)) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Encoding.UTF8.GetString(key.Secret));
            if (order.Purpose is { } purpose && place.GetLeftPart(UriPartial.Authority) == url.GetLeftPart(UriPartial.Authority)) request.Headers.TryAddWithoutValidation("DataHub-Purpose", purpose);
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

    private async Task TakeAsync(Uri url, HttpResponseMessage answer, Pieces pieces, CancellationToken cancellationToken)
    {
        var most = (long)_options.MaxFileMiB << 20;
        if (answer.Content.Headers.ContentLength + pieces.Length > most) throw TooLarge(url);
        await using var content = await HeardAsync(url, answer.Content.ReadAsStreamAsync(cancellationToken));
        while (true)
        {
            var read = await HeardAsync(url, content.ReadAsync(pieces.Free, cancellationToken).AsTask());
            if (read == 0) return;
            if (pieces.Length + read > most) throw TooLarge(url);
            await pieces.AddAsync(read);
        }
    }

    /// <summary>What comes, in pieces of one size; only the last is shorter.</summary>
    private sealed class Pieces(Func<ReadOnlyMemory<byte>, Task> piece)
    {
        private readonly byte[] _buffer = new byte[UploadLimits.PieceBytes];
        private int _filled;

        /// <summary>Bytes that have come.</summary>
        public long Length { get; private set; }

        /// <summary>Where the next bytes go; never empty.</summary>
        public Memory<byte> Free => _buffer.AsMemory(_filled);

        public async Task AddAsync(int count)
        {
            Length += count;
            _filled += count;
            if (_filled == _buffer.Length) await EndAsync();
        }

        public async Task EndAsync()
        {
            if (_filled == 0) return;
            var filled = _filled;
            _filled = 0;
            await piece(_buffer.AsMemory(0, filled));
        }
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
