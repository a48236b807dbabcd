using Orleans.Runtime;
using Orleans.Streams;

namespace DataHub.Streams;

/// <summary>Delivery that failed for a minute is given up by the agent; the consumer finds the batches in the log.</summary>
internal sealed partial class LogDeliveryFailureHandler(ILogger<LogDeliveryFailureHandler> logger) : IStreamFailureHandler
{
    public bool ShouldFaultSubsriptionOnError => false;

    public Task OnDeliveryFailure(GuidId subscriptionId, string streamProviderName, StreamId streamIdentity, StreamSequenceToken? sequenceToken)
    {
        LogGivenUp(streamIdentity, sequenceToken);
        return Task.CompletedTask;
    }

    public Task OnSubscriptionFailure(GuidId subscriptionId, string streamProviderName, StreamId streamIdentity, StreamSequenceToken? sequenceToken) =>
        OnDeliveryFailure(subscriptionId, streamProviderName, streamIdentity, sequenceToken);

    [LoggerMessage(1120, LogLevel.Warning, "Delivery on {Stream} at {Token} was given up; its consumer reads the log itself")]
    private partial void LogGivenUp(StreamId stream, StreamSequenceToken? token);
}
