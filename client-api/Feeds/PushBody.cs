using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace DataHub.Feeds;

/// <summary>How many bytes of bodies lie in this front-end's memory; bounded.</summary>
internal sealed class BodyBudget
{
    private long _used;

    /// <summary>Bytes taken now.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Takes bytes if they fit, or if nothing else is there.</summary>
    public bool TryTake(long bytes, long limit)
    {
        var used = Interlocked.Add(ref _used, bytes);
        if (used <= limit || used == bytes) return true;
        Interlocked.Add(ref _used, -bytes);
        return false;
    }

    public void Return(long bytes) => Interlocked.Add(ref _used, -bytes);
}

/// <summary>A push's body after decompression, in pooled memory of bounded size.</summary>
internal sealed class PushBody : IDisposable
{
    private readonly BodyBudget _budget;
    private byte[] _buffer = [];
    private int _length;

    private PushBody(BodyBudget budget) => _budget = budget;

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>SHA-256 of the body.</summary>
    public byte[] Hash { get; private set; } = [];

    /// <returns>The body, or the problem to answer with: 400, 413, 415 or 503.</returns>
    public static async Task<(PushBody? Body, IResult? Problem)> ReadAsync(HttpContext http, IngestOptions options, BodyBudget budget)
    {
        var limit = options.MaxBodyBytes;
        if (http.Request.ContentLength > limit) return (null, Requests.TooLarge(http, limit));
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = limit;

        var encoding = http.Request.Headers.ContentEncoding.ToString().Trim();
        var stream = Decompress(http.Request.Body, encoding);
        if (stream is null)
        {
            return (null, Problems.Problem(http, ProblemTypes.UnsupportedType, new(
                $"Die Content-Encoding „{encoding}“ wird nicht angenommen; möglich sind gzip, br und deflate.",
                $"The Content-Encoding “{encoding}” is not taken; gzip, br and deflate are.")));
        }

        var body = new PushBody(budget);
        IResult? problem;
        try
        {
            // What is compressed says nothing about its size.
            var expected = stream == http.Request.Body ? http.Request.ContentLength ?? 4_096 : 4_096;
            problem = await body.FillAsync(http, stream, (int)Math.Clamp(expected + 1, 256, limit + 1), limit, options);
        }
        catch (InvalidDataException)
        {
            problem = Problems.Problem(http, ProblemTypes.InvalidBody, new(
                $"Der Inhalt lässt sich nicht entpacken; Content-Encoding ist {encoding}.", $"The body cannot be decompressed; Content-Encoding is {encoding}."));
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

        if (problem is not null)
        {
            body.Dispose();
            return (null, problem);
        }

        body.Hash = SHA256.HashData(body.Memory.Span);
        return (body, null);
    }

    public void Dispose()
    {
        if (_buffer.Length == 0) return;
        _budget.Return(_buffer.Length);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    private static Stream? Decompress(Stream body, string encoding) => encoding.ToUpperInvariant() switch
    {
        "" or "IDENTITY" => body,
        "GZIP" or "X-GZIP" => new GZipStream(body, CompressionMode.Decompress, leaveOpen: true),
        "BR" => new BrotliStream(body, CompressionMode.Decompress, leaveOpen: true),
        "DEFLATE" => new ZLibStream(body, CompressionMode.Decompress, leaveOpen: true),
        _ => null,
    };

    private async Task<IResult?> FillAsync(HttpContext http, Stream stream, int expected, long limit, IngestOptions options)
    {
        if (!Grow(expected, options.MaxWaitingBytes)) return Busy(http, options);
        while (true)
        {
            if (_length == _buffer.Length && !Grow((int)Math.Min(2L * _buffer.Length, limit + 1), options.MaxWaitingBytes)) return Busy(http, options);
            var read = await stream.ReadAsync(_buffer.AsMemory(_length), http.RequestAborted);
            if (read == 0) return null;
            _length += read;
            if (_length > limit) return Requests.TooLarge(http, limit);
        }
    }

    private bool Grow(int capacity, long budget)
    {
        var larger = ArrayPool<byte>.Shared.Rent(capacity);
        // Counted as if the smaller one went back first, so that one push alone is never refused for its own copy.
        _budget.Return(_buffer.Length);
        if (!_budget.TryTake(larger.Length, budget))
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
        $"Es werden schon so viele Lieferungen gelesen, wie der Speicher fasst ({options.MaxWaitingBytes} Byte). Nichts wurde gespeichert.",
        $"As many pushes are being read as memory holds ({options.MaxWaitingBytes} bytes). Nothing was stored."), options.RetryAfter);
}
