using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DataHub.Benchmarks;

/// <summary>A connection that keeps nothing but its socket and one buffer, so that thousands of them cost the load generator little.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[4_096];
    private readonly string _host;

    private RawConnection(Uri address) => _host = address.Authority;

    public static async Task<RawConnection> OpenAsync(Uri address, CancellationToken stop)
    {
        var connection = new RawConnection(address);
        try
        {
            await connection._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port), stop);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A request's bytes, to be sent over and over.</summary>
    public byte[] Request(string path, string? has = null) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {_host}\r\n{(has is null ? "" : $"If-None-Match: {has}\r\n")}\r\n");

    public async Task SendAsync(byte[] request, CancellationToken stop)
    {
        for (var sent = 0; sent < request.Length;) sent += await _socket.SendAsync(request.AsMemory(sent), stop);
    }

    /// <summary>What has come, at least a byte.</summary>
    /// <exception cref="EndOfStreamException">The other side has ended.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken stop)
    {
        var read = await _socket.ReceiveAsync(_buffer.AsMemory(), stop);
        return read > 0 ? _buffer.AsMemory(0, read) : throw new EndOfStreamException("the hub has ended the connection");
    }

    /// <summary>Reads one whole answer that has a length or no body.</summary>
    /// <returns>Its status and ETag.</returns>
    public async Task<(int Status, string? ETag)> AnswerAsync(CancellationToken stop)
    {
        var filled = 0;
        int end;
        while ((end = _buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (filled == _buffer.Length) throw new InvalidOperationException("an answer's head is too long");
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(filled), stop);
            if (read == 0) throw new EndOfStreamException("the hub has ended the connection");
            filled += read;
        }

        var head = Encoding.ASCII.GetString(_buffer, 0, end + 2);
        var status = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
        var length = status == 304 ? 0 : int.Parse(Header("Content-Length") ?? "0", CultureInfo.InvariantCulture);
        for (var rest = length - (filled - end - 4); rest > 0;)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(0, Math.Min(rest, _buffer.Length)), stop);
            rest -= read > 0 ? read : throw new EndOfStreamException("the hub has ended the connection");
        }

        return (status, Header("ETag"));

        string? Header(string name)
        {
            var at = head.IndexOf($"\r\n{name}: ", StringComparison.OrdinalIgnoreCase);
            if (at < 0) return null;
            var from = at + name.Length + 4;
            return head[from..head.IndexOf("\r\n", from, StringComparison.Ordinal)];
        }
    }

    /// <summary>Reads one whole answer that fits the buffer, with nothing after it; its content has a length or comes in chunks.</summary>
    /// <returns>Its status, and its bytes until the next is read.</returns>
    public async ValueTask<(int Status, ReadOnlyMemory<byte> Answer)> WholeAsync(CancellationToken stop)
    {
        var filled = 0;
        do
        {
            if (filled == _buffer.Length) throw new InvalidOperationException("an answer is too long");
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(filled), stop);
            filled += read > 0 ? read : throw new EndOfStreamException("the server has ended the connection");
        }
        while (!IsWhole(_buffer.AsSpan(0, filled)));

        return (int.Parse(_buffer.AsSpan(9, 3), CultureInfo.InvariantCulture), _buffer.AsMemory(0, filled));
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        var length = answer[..end].IndexOf("\r\nContent-Length: "u8);
        if (length < 0) return answer.EndsWith("\r\n0\r\n\r\n"u8);
        return Utf8Parser.TryParse(answer[(length + 18)..], out int bytes, out _) && answer.Length >= end + 4 + bytes;
    }

    public void Dispose() => _socket.Dispose();
}
