using System.Diagnostics.CodeAnalysis;
using System.Reflection;

using DataHub.Hosting;

using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

using Orleans.CodeGeneration;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace DataHub.Cluster;

/// <summary>What a front-end does when a call is not answered.</summary>
public sealed class RepeatedCallsTests
{
    private readonly Replies _grain = new();
    private readonly FrontEndClusterOptions _options = new() { RepeatFor = TimeSpan.FromSeconds(2), AskAgainAfter = TimeSpan.FromMilliseconds(200) };

    public interface IReplies
    {
        [Repeatable]
        Task<string> ReadAsync(string what);

        [Repeatable(IfArgumentSays = true)]
        Task<string> PushAsync(Part part);

        [NotRepeatable("it counts")]
        Task<string> CountAsync(string what);
    }

    public sealed record Part(bool MayBeRepeated) : IRepeatable;

    [Theory]
    [InlineData(typeof(OrleansMessageRejectionException))]
    [InlineData(typeof(SiloUnavailableException))]
    [InlineData(typeof(GatewayTooBusyException))]
    [InlineData(typeof(Orleans.Runtime.Messaging.ConnectionFailedException))]
    [InlineData(typeof(TimeoutException))]
    public async Task A_read_whose_answer_got_lost_is_repeated_until_there_is_one(Type lost)
    {
        _grain.Will(Throw(lost), Throw(lost), Answer("b"));
        Assert.Equal("b", await CallAsync(nameof(IReplies.ReadAsync), "a"));
        Assert.Equal(["a", "a", "a"], _grain.Asked);
    }

    [Fact]
    public async Task What_must_not_be_repeated_is_sent_once()
    {
        _grain.Will(Throw(typeof(SiloUnavailableException)));
        await Assert.ThrowsAsync<SiloUnavailableException>(() => CallAsync(nameof(IReplies.CountAsync), "a"));
        await Assert.ThrowsAsync<SiloUnavailableException>(() => CallAsync(nameof(IReplies.PushAsync), new Part(false)));
        Assert.Equal(2, _grain.Asked.Count);
    }

    [Fact]
    public async Task A_push_with_a_key_is_repeated()
    {
        _grain.Will(Throw(typeof(SiloUnavailableException)), Answer("stored"));
        Assert.Equal("stored", await CallAsync(nameof(IReplies.PushAsync), new Part(true)));
    }

    [Fact]
    public async Task An_error_of_the_grain_is_not_repeated()
    {
        _grain.Will(Throw(typeof(InvalidOperationException)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => CallAsync(nameof(IReplies.ReadAsync), "a"));
        Assert.Single(_grain.Asked);
    }

    [Fact]
    public async Task Repeating_ends_after_its_time()
    {
        _grain.Will(Throw(typeof(SiloUnavailableException)));
        var began = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => CallAsync(nameof(IReplies.ReadAsync), "a"));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(4));
        Assert.InRange(_grain.Asked.Count, 3, 100);
    }

    [Fact]
    public async Task A_call_that_nobody_answers_is_sent_a_second_time_beside_the_first()
    {
        _grain.Will(_ => new TaskCompletionSource<string>().Task, Answer("b"));
        Assert.Equal("b", await CallAsync(nameof(IReplies.ReadAsync), "a"));
        Assert.Equal(["a", "a"], _grain.Asked);
    }

    [Fact]
    public async Task A_late_first_answer_is_as_good_as_another()
    {
        var first = new TaskCompletionSource<string>();
        _grain.Will(_ => first.Task, _ =>
        {
            first.SetResult("late");
            return new TaskCompletionSource<string>().Task;
        });
        Assert.Equal("late", await CallAsync(nameof(IReplies.ReadAsync), "a"));
    }

    private static Func<string, Task<string>> Throw(Type exception) => _ =>
        Task.FromException<string>((Exception)Activator.CreateInstance(exception, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, null, ["gone"], null)!);

    private static Func<string, Task<string>> Answer(string text) => _ => Task.FromResult(text);

    private async Task<object?> CallAsync(string method, object argument)
    {
        var calls = new RepeatedCalls(Options.Create(_options), TimeProvider.System, NullLogger<RepeatedCalls>.Instance);
        var call = new Call(_grain, typeof(IReplies).GetMethod(method)!, argument);
        await calls.Invoke(call);
        return call.Result;
    }

    private sealed class Replies : IReplies
    {
        private Func<string, Task<string>>[] _replies = [];

        public List<string> Asked { get; } = [];

        /// <summary>The last one goes for all further calls.</summary>
        public void Will(params Func<string, Task<string>>[] replies) => _replies = replies;

        public Task<string> ReadAsync(string what) => Reply(what);

        public Task<string> PushAsync(Part part) => Reply("push");

        public Task<string> CountAsync(string what) => Reply(what);

        private Task<string> Reply(string what)
        {
            Asked.Add(what);
            return _replies[Math.Min(Asked.Count, _replies.Length) - 1](what);
        }
    }

    /// <summary>A call as the client makes it: the answer is what the method returns.</summary>
    private sealed class Call(Replies grain, MethodInfo method, object argument) : IOutgoingGrainCallContext
    {
        public IInvokable Request { get; } = new Arguments(argument);

        public object Grain => grain;

        public MethodInfo InterfaceMethod => method;

        [AllowNull]
        public object Result { get; set; } = null!;

        [AllowNull]
        public Response Response { get; set; } = null!;

        public IGrainContext? SourceContext => null;

        public GrainId? SourceId => null;

        public GrainId TargetId => default;

        public GrainInterfaceType InterfaceType => default;

        public string InterfaceName => nameof(IReplies);

        public string MethodName => method.Name;

        public async Task Invoke() => Result = await (Task<string>)method.Invoke(grain, [argument])!;
    }

    private sealed class Arguments(object argument) : IInvokable
    {
        public object GetTarget() => throw new NotSupportedException();

        public void SetTarget(ITargetHolder holder) => throw new NotSupportedException();

        public ValueTask<Response> Invoke() => throw new NotSupportedException();

        public int GetArgumentCount() => 1;

        public object GetArgument(int index) => argument;

        public void SetArgument(int index, object value) => throw new NotSupportedException();

        public string GetMethodName() => throw new NotSupportedException();

        public string GetInterfaceName() => throw new NotSupportedException();

        public string GetActivityName() => throw new NotSupportedException();

        public MethodInfo GetMethod() => throw new NotSupportedException();

        public Type GetInterfaceType() => throw new NotSupportedException();

        public TimeSpan? GetDefaultResponseTimeout() => null;

        public void Dispose()
        {
        }
    }
}
