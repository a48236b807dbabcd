using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

using DataHub.Catalog;

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

using ZstdSharp;
using ZstdSharp.Unsafe;

namespace DataHub.Feeds;

/// <summary>How many bytes of bodies lie in this front-end's memory, or on its disk; bounded, and divided among agencies.</summary>
internal sealed class BodyBudget
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _of = [];
    private long _used;

    /// <summary>Bytes taken now.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Takes bytes if they fit (<see cref="FairShare"/>), or if nothing else is there.</summary>
    /// <param name="agency">Whose body it is.</param>
    /// <param name="limit">What one agency alone may take.</param>
    public bool TryTake(string agency, long bytes, long limit)
    {
        lock (_lock)
        {
            var own = _of.GetValueOrDefault(agency);
            if (_used > 0 && !FairShare.Allows(own, _used, bytes, limit)) return false;
            _used += bytes;
            _of[agency] = own + bytes;
            return true;
        }
    }

    public void Return(string agency, long bytes)
    {
        if (bytes == 0) return;
        lock (_lock)
        {
            _used -= bytes;
            if ((_of[agency] -= bytes) == 0) _of.Remove(agency);
        }
    }
}

/// <summary>A push's body after decompression: in pooled memory up to <see cref="PushLimits.WholeBytes"/>, beyond it in a file.</summary>
internal sealed class PushBody : IDisposable
{
    // RFC 9659: a zstd body on the web needs a window of at most 8 MiB, and a decoder must not be made to hold more.
    private const int ZstdWindowLog = 23;

    private readonly string _agency;
    private readonly BodyBudget _budget;
    private readonly PushSpool _spool;
    private byte[] _buffer = [];
    private int _length;
    private SpooledBody? _file;
    private SpooledBody? _transcoded;

    private PushBody(string agency, BodyBudget budget, PushSpool spool) => (_agency, _budget, _spool) = (agency, budget, spool);

    public ReadOnlyMemory<byte> Memory => _file?.Map() ?? _buffer.AsMemory(0, _length);

    /// <summary>SHA-256 of the body.</summary>
    public byte[] Hash { get; private set; } = [];

    /// <param name="agency">Whose body it is.</param>
    /// <returns>The body, or the problem to answer with: 400, 413, 415 or 503.</returns>
    public static async Task<(PushBody? Body, IResult? Problem)> ReadAsync(HttpContext http, string agency, IngestOptions options, BodyBudget budget, PushSpool spool)
    {
        var limit = options.MaxBodyBytes;
        if (http.Request.ContentLength > limit) return (null, Requests.TooLarge(http, limit));
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = limit;

        var encoding = http.Request.Headers.ContentEncoding.ToString().Trim();
        var stream = Decompress(http.Request.Body, encoding);
        if (stream is null)
        {
            return (null, Problems.Problem(http, ProblemTypes.UnsupportedType, encoding.Contains(',', StringComparison.Ordinal)
                ? new($"Der Inhalt ist mehrfach verpackt („{encoding}“); genommen wird eine einzige Content-Encoding: gzip, br, zstd oder deflate.",
                    $"The body is compressed more than once (“{encoding}”); a single Content-Encoding is taken: gzip, br, zstd or deflate.")
                : new($"Die Content-Encoding „{encoding}“ wird nicht angenommen; möglich sind gzip, br, zstd und deflate.",
                    $"The Content-Encoding “{encoding}” is not taken; gzip, br, zstd and deflate are.")));
        }

        var body = new PushBody(agency, budget, spool);
        IResult? problem;
        try
        {
            // What is compressed says nothing about its size.
            var expected = stream == http.Request.Body ? http.Request.ContentLength ?? 4_096 : 4_096;
            problem = await body.FillAsync(http, stream, (int)Math.Clamp(expected + 1, 256, PushLimits.WholeBytes + 1), limit, options);
        }
        catch (Exception e) when (IsUnpacking(e))
        {
            problem = Problems.Problem(http, ProblemTypes.InvalidBody, new(
                $"Der Inhalt ist abgebrochen oder beschädigt und lässt sich nicht entpacken; Content-Encoding ist {encoding}. Nichts wurde gespeichert.",
                $"The body was cut off or damaged and cannot be decompressed; Content-Encoding is {encoding}. Nothing was stored."), ("encoding", encoding));
        }
        catch (SpoolFullException)
        {
            problem = Full(http, options);
        }
        catch
        {
            body.Dispose();
            throw;
        }
        finally
        {
            if (stream != http.Request.Body) await stream.DisposeAsync();
        }

        if (problem is null) return (body, null);
        body.Dispose();
        return (null, problem);

        bool IsUnpacking(Exception e) => stream != http.Request.Body && e is InvalidDataException or InvalidOperationException or ZstdException or EndOfStreamException;
    }

    /// <summary>The body in the form that the decoder reads (<see cref="PushText"/>).</summary>
    /// <returns>The text, or the problem to answer with: 400 or 503.</returns>
    public async Task<(ReadOnlyMemory<byte> Text, IResult? Problem)> TextAsync(HttpContext http, PushFormat format, string? charset, CsvProfile? csv, IngestOptions options)
    {
        var (text, encoding, refusal) = PushText.Look(format, Memory, charset, csv);
        if (refusal is null && encoding is not null) (text, refusal) = _file is null ? PushText.Transcode(text, encoding) : (default, null);
        if (refusal is not null) return (default, Problems.Problem(http, refusal.Type, refusal.Detail, refusal.Members));
        if (encoding is null || _file is null) return (text, null);

        try
        {
            _transcoded = _spool.New(_agency);
            await PushText.TranscodeAsync(Memory, Memory.Length - text.Length, encoding, _transcoded, http.RequestAborted);
            return (_transcoded.Map(), null);
        }
        catch (DecoderFallbackException)
        {
            return (default, Problems.Problem(http, ProblemTypes.InvalidBody, new($"Der Inhalt ist kein {encoding}.", $"The body is not {encoding}.")));
        }
        catch (SpoolFullException)
        {
            return (default, Full(http, options));
        }
    }

    public void Dispose()
    {
        _transcoded?.Dispose();
        _file?.Dispose();
        if (_buffer.Length == 0) return;
        _budget.Return(_agency, _buffer.Length);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    private static Stream? Decompress(Stream body, string encoding)
    {
        switch (encoding.ToUpperInvariant())
        {
            case "" or "IDENTITY": return body;
            case "GZIP" or "X-GZIP": return new GZipStream(body, CompressionMode.Decompress, leaveOpen: true);
            case "BR": return new BrotliStream(body, CompressionMode.Decompress, leaveOpen: true);
            case "DEFLATE": return new ZLibStream(body, CompressionMode.Decompress, leaveOpen: true);
            case "ZSTD":
                var zstd = new DecompressionStream(body, checkEndOfStream: true, leaveOpen: true);
                zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, ZstdWindowLog);
                return zstd;
            default: return null;
        }
    }

    private async Task<IResult?> FillAsync(HttpContext http, Stream stream, int expected, long limit, IngestOptions options)
    {
        if (!Grow(expected, options.MaxWaitingBytes)) return Busy(http, options);
        while (_length <= Math.Min(limit, PushLimits.WholeBytes))
        {
            if (_length == _buffer.Length && !Grow(Math.Min(2 * _buffer.Length, PushLimits.WholeBytes + 1), options.MaxWaitingBytes)) return Busy(http, options);
            var read = await stream.ReadAsync(_buffer.AsMemory(_length), http.RequestAborted);
            if (read == 0)
            {
                Hash = SHA256.HashData(_buffer.AsSpan(0, _length));
                return null;
            }

            _length += read;
        }

        return _length > limit ? Requests.TooLarge(http, limit) : await SpoolAsync(http, stream, limit);
    }

    /// <summary>Writes what is there and what still comes to a file.</summary>
    private async Task<IResult?> SpoolAsync(HttpContext http, Stream stream, long limit)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _file = _spool.New(_agency);
        for (var bytes = _length; bytes > 0; bytes = await stream.ReadAsync(_buffer, http.RequestAborted))
        {
            if (_file.Length + bytes > limit) return Requests.TooLarge(http, limit);
            hash.AppendData(_buffer, 0, bytes);
            await _file.WriteAsync(_buffer.AsMemory(0, bytes), http.RequestAborted);
        }

        Hash = hash.GetHashAndReset();
        return null;
    }

    private bool Grow(int capacity, long budget)
    {
        var larger = ArrayPool<byte>.Shared.Rent(capacity);
        // Counted as if the smaller one went back first, so that one push alone is never refused for its own copy.
        _budget.Return(_agency, _buffer.Length);
        if (!_budget.TryTake(_agency, larger.Length, budget))
        {
            ArrayPool<byte>.Shared.Return(larger);
            if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            return false;
        }

        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        return true;
    }

    private static IResult Busy(HttpContext http, IngestOptions options) => Problems.Later(http, ProblemTypes.ShardFull, new(
        $"Es werden schon so viele Lieferungen gelesen, wie der Speicher fasst (DataHub:Ingest:MaxWaitingBytes, {options.MaxWaitingBytes} Byte). Nichts wurde gespeichert.",
        $"As many pushes are being read as memory holds (DataHub:Ingest:MaxWaitingBytes, {options.MaxWaitingBytes} bytes). Nothing was stored."), options.RetryAfter);

    private static IResult Full(HttpContext http, IngestOptions options) => Problems.Later(http, ProblemTypes.ShardFull, new(
        $"Der Platz, auf dem große Lieferungen zwischenlagern, ist belegt (DataHub:Ingest:MaxSpoolBytes, {options.MaxSpoolBytes} Byte). Nichts wurde gespeichert.",
        $"The room in which large pushes are kept is taken (DataHub:Ingest:MaxSpoolBytes, {options.MaxSpoolBytes} bytes). Nothing was stored."), options.RetryAfter);
}
