using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace DataHub.Support;

/// <summary>Passes bytes on between 127.0.0.1 and a port there, until its connections are cut, or held.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private readonly int _target;
    private readonly Lock _gate = new();
    private TaskCompletionSource? _held;
    private TaskCompletionSource? _reached;
    private int _before;

    public TcpProxy(int target)
    {
        _target = target;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Closes every connection at once; new ones are taken.</summary>
    /// <returns>How many there were.</returns>
    public int Cut()
    {
        var cut = 0;
        foreach (var socket in _open.Keys)
        {
            if (!_open.TryRemove(socket, out _)) continue;
            cut++;
            try
            {
                // Without a word of farewell, as a cable would.
                socket.LingerState = new(true, 0);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Its other half has closed it already.
            }

            socket.Dispose();
        }

        return cut / 2;
    }

    /// <summary>Lets so many more packets pass to the target; those behind them wait until <see cref="Release"/>, as on a slow network. Answers pass.</summary>
    /// <returns>Completes when the first one waits.</returns>
    public Task Hold(int before)
    {
        lock (_gate)
        {
            _before = before;
            _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _reached.Task;
        }
    }

    /// <summary>Whatever was held goes on.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _held?.TrySetResult();
            _held = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        await _end.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = PassAsync(await _listener.AcceptSocketAsync(_end.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task PassAsync(Socket here)
    {
        var there = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        here.NoDelay = true;
        _open[here] = _open[there] = true;
        try
        {
            await there.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
            await Task.WhenAny(CopyAsync(here, there, PassedAsync), CopyAsync(there, here, () => Task.CompletedTask));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The target is down, or the connection was cut.
        }
        finally
        {
            _open.TryRemove(here, out _);
            _open.TryRemove(there, out _);
            here.Dispose();
            there.Dispose();
        }
    }

    private Task PassedAsync()
    {
        lock (_gate)
        {
            if (_held is null || _before-- > 0) return Task.CompletedTask;
            _reached!.TrySetResult();
            return _held.Task.WaitAsync(_end.Token);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, Func<Task> may)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer, _end.Token) is > 0 and var read)
            {
                await may();
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _end.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Cut.
        }
    }
}
