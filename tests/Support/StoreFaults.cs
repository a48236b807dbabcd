using System.Collections.Concurrent;

namespace DataHub.Support;

/// <summary>
/// Faults and delays for the calls of one store, by the name of the method
/// (<c>FailNext(nameof(ILogStore.AppendAsync), WriteFault.AnswerLost)</c>). Can be shared by the stores of several silos.
/// </summary>
internal sealed class StoreFaults
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<WriteFault?>> _coming = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, HeldCalls> _held = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _calls = new(StringComparer.Ordinal);

    /// <summary>The next calls of the method fail, after so many more that do not.</summary>
    public void FailNext(string method, WriteFault fault, int times = 1, int after = 0)
    {
        var coming = _coming.GetOrAdd(method, _ => new());
        for (var i = 0; i < after; i++) coming.Enqueue(null);
        for (var i = 0; i < times; i++) coming.Enqueue(fault);
    }

    /// <summary>Faults that no call has met yet are not coming any more.</summary>
    public void CallOff() => _coming.Clear();

    /// <summary>Calls of the method wait before they do anything, until they are released.</summary>
    public HeldCalls Hold(string method) => Held(method, new(answers: false));

    /// <summary>Calls of the method do what they do and wait before they answer, until they are released.</summary>
    public HeldCalls HoldAnswers(string method) => Held(method, new(answers: true));

    /// <summary>How many calls of the method have begun.</summary>
    public int Calls(string method) => _calls.GetValueOrDefault(method);

    public async Task<T> RunAsync<T>(string method, Func<Task<T>> call)
    {
        _calls.AddOrUpdate(method, 1, (_, calls) => calls + 1);
        var held = _held.GetValueOrDefault(method);
        if (held is { Answers: false }) await held.WaitAsync();
        WriteFault? fault = null;
        if (_coming.TryGetValue(method, out var coming) && coming.TryDequeue(out var next)) fault = next;
        if (fault == WriteFault.Refused) throw new StoreFaultException(method, WriteFault.Refused);
        var result = await call();
        if (held is { Answers: true }) await held.WaitAsync();
        if (fault == WriteFault.AnswerLost) throw new StoreFaultException(method, WriteFault.AnswerLost);
        return result;
    }

    public Task RunAsync(string method, Func<Task> call) => RunAsync(method, async () =>
    {
        await call();
        return true;
    });

    private HeldCalls Held(string method, HeldCalls held)
    {
        _held[method] = held;
        return held;
    }
}

/// <summary>Calls that a test lets wait.</summary>
/// <param name="answers">Whether they wait after they have done their work, not before.</param>
internal sealed class HeldCalls(bool answers) : IDisposable
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Answers => answers;

    /// <summary>Completes when the first call has arrived where it waits.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Lets all go on, those still to come too.</summary>
    public void Release() => _released.TrySetResult();

    public void Dispose() => Release();

    public Task WaitAsync()
    {
        _reached.TrySetResult();
        return _released.Task;
    }
}

/// <summary>A fault that a test asked for.</summary>
internal sealed class StoreFaultException(string method, WriteFault fault) : IOException($"{method}: {fault}");
