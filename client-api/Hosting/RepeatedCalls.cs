using System.Collections.Concurrent;
using System.Reflection;

using Microsoft.Extensions.Options;

using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace DataHub.Hosting;

/// <summary>
/// Repeats a call whose answer got lost on the way, because a silo died or a grain is moving, where repeating is harmless
/// (<see cref="RepeatableAttribute"/>): with back-off, for <see cref="FrontEndClusterOptions.RepeatFor"/> at most. A call that
/// is not answered at all is sent a second time beside the first: its silo may be frozen, or have died with it.
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
        var sent = 1;
        var pause = s_first;
        while (true)
        {
            var finished = await NextAsync(attempts, sent, began);
            if (finished is null)
            {
                sent++;
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
            if (attempts.Count > 0) continue;
            if (finished.IsCanceled || !IsPassing(finished.Exception!.InnerException!) || time.GetElapsedTime(began) + pause >= options.Value.RepeatFor)
            {
                await finished;
                return;
            }

            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), time);
            pause = pause * 2 < s_most ? pause * 2 : s_most;
            sent++;
            LogRepeated(context.InterfaceMethod.Name, sent, finished.Exception!.InnerException!.GetType().Name);
            attempts.Add(AgainAsync(context, arguments));
        }
    }

    /// <summary>The attempt that ends next; null where it is time to send another one beside the only one that is under way.</summary>
    private async Task<Task<object?>?> NextAsync(List<Task<object?>> attempts, int sent, long began)
    {
        if (attempts.Count > 1 || sent > 1 + (int)(options.Value.RepeatFor / options.Value.AskAgainAfter)) return await Task.WhenAny(attempts);
        if (attempts[0].IsCompleted) return attempts[0];
        var due = options.Value.AskAgainAfter * sent - time.GetElapsedTime(began);
        using var answered = new CancellationTokenSource();
        var late = Task.Delay(due > TimeSpan.Zero ? due : TimeSpan.Zero, time, answered.Token);
        var first = await Task.WhenAny(attempts[0], late);
        await answered.CancelAsync();
        return first == late ? null : attempts[0];
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
