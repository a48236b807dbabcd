using System.Collections.Concurrent;
using System.Reflection;

using Microsoft.Extensions.Options;

using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace DataHub.Hosting;

/// <summary>
/// Repeats a call whose answer got lost on the way, because a silo died or a grain is moving, where repeating is harmless
/// (<see cref="RepeatableAttribute"/>): with back-off, for <see cref="FrontEndClusterOptions.RepeatFor"/> at most. A call that
/// is not answered at all is sent again beside the first: its silo may be frozen, or have died with it.
/// </summary>
internal sealed partial class RepeatedCalls(IOptions<FrontEndClusterOptions> options, TimeProvider time, ILogger<RepeatedCalls> logger) : IOutgoingGrainCallFilter
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(20), s_most = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<MethodInfo, RepeatableAttribute?> _repeatable = new();

    /// <summary>Set while a repeat is on its way: it is not repeated in its turn.</summary>
    private readonly AsyncLocal<bool> _isRepeat = new();

    public Task Invoke(IOutgoingGrainCallContext context) => _isRepeat.Value || !MayBeRepeated(context) ? context.Invoke() : InvokeAsync(context);

    /// <summary>Whether the exception means that the call may not have been carried out, and another attempt may succeed.</summary>
    public static bool IsPassing(Exception exception) => exception is
        OrleansMessageRejectionException or SiloUnavailableException or ConnectionFailedException or GatewayTooBusyException or ClientNotAvailableException
        or OrleansException { InnerException: ConnectionFailedException or SiloUnavailableException }
        or TimeoutException;

    private bool MayBeRepeated(IOutgoingGrainCallContext context)
    {
        if (context.InterfaceMethod is not { } method) return false;
        var says = _repeatable.GetOrAdd(method, static m => m.GetCustomAttribute<RepeatableAttribute>());
        if (says is null or { IfArgumentSays: false }) return says is not null;
        for (var i = 0; i < context.Request.GetArgumentCount(); i++)
        {
            if (context.Request.GetArgument(i) is IRepeatable { MayBeRepeated: true }) return true;
        }

        return false;
    }

    private async Task InvokeAsync(IOutgoingGrainCallContext context)
    {
        var began = time.GetTimestamp();
        var arguments = new object?[context.Request.GetArgumentCount()];
        for (var i = 0; i < arguments.Length; i++) arguments[i] = context.Request.GetArgument(i);

        // The first attempt is the ordinary one and costs nothing more.
        var first = FirstAsync(context);
        var attempts = new List<Task<object?>> { first };
        var (sent, silent) = (1, 0);
        var since = began;
        var pause = s_first;
        while (true)
        {
            // 3, 6, 12, 24 s after the first: a slow answer is not worked out again and again.
            var finished = await NextAsync(attempts, options.Value.AskAgainAfter * (1 << silent) - time.GetElapsedTime(since));
            if (finished is null)
            {
                (sent, silent) = (sent + 1, silent + 1);
                LogSilent(context.InterfaceMethod.Name, time.GetElapsedTime(began));
                attempts.Add(AgainAsync(context, arguments));
                continue;
            }

            if (finished.IsCompletedSuccessfully)
            {
                if (finished != first) context.Result = finished.Result;
                return;
            }

            attempts.Remove(finished);
            var elapsed = time.GetElapsedTime(began);
            if (finished.IsCanceled || !IsPassing(finished.Exception!.InnerException!) || elapsed >= options.Value.CallTimeout || (attempts.Count == 0 && elapsed + pause >= options.Value.RepeatFor))
            {
                await finished;
                return;
            }

            if (attempts.Count > 0) continue;
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), time);
            pause = pause * 2 < s_most ? pause * 2 : s_most;
            (sent, silent, since) = (sent + 1, 0, time.GetTimestamp());
            LogRepeated(context.InterfaceMethod.Name, sent, finished.Exception!.InnerException!.GetType().Name);
            attempts.Add(AgainAsync(context, arguments));
        }
    }

    /// <summary>The attempt that ends next; null where none does in time.</summary>
    private async Task<Task<object?>?> NextAsync(List<Task<object?>> attempts, TimeSpan patience)
    {
        if (attempts.Find(attempt => attempt.IsCompleted) is { } ended) return ended;
        using var answered = new CancellationTokenSource();
        var late = Task.Delay(patience > TimeSpan.Zero ? patience : TimeSpan.Zero, time, answered.Token);
        var next = await Task.WhenAny([.. attempts, late]);
        await answered.CancelAsync();
        return next == late ? null : (Task<object?>)next;
    }

    private static async Task<object?> FirstAsync(IOutgoingGrainCallContext context)
    {
        await context.Invoke();
        if (context.Response?.Exception is { } failed) throw failed;
        return null;
    }

    private async Task<object?> AgainAsync(IOutgoingGrainCallContext context, object?[] arguments)
    {
        Task call;
        _isRepeat.Value = true;
        try
        {
            call = (Task)context.InterfaceMethod.Invoke(context.Grain, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
        }
        finally
        {
            _isRepeat.Value = false;
        }

        await call;
        return call.GetType() is { IsGenericType: true } type ? type.GetProperty(nameof(Task<>.Result))!.GetValue(call) : null;
    }

    [LoggerMessage(1164, LogLevel.Information, "{Method} is sent for the {Attempt}. time after {Exception}")]
    private partial void LogRepeated(string method, int attempt, string exception);

    [LoggerMessage(1165, LogLevel.Warning, "{Method} was not answered for {Waited} and is sent again")]
    private partial void LogSilent(string method, TimeSpan waited);
}
