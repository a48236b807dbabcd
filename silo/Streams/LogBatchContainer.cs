using DataHub.Feeds;

using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;

namespace DataHub.Streams;

/// <summary>One batch of the log on its way to the consumers of its partition.</summary>
[GenerateSerializer, Immutable, Alias("datahub.LogBatchContainer")]
internal sealed class LogBatchContainer(LogBatch batch) : IBatchContainer
{
    [Id(0)]
    private readonly LogBatch _batch = batch;

    public StreamId StreamId => StreamId.Create(LogStream.Namespace, _batch.Partition);

    public StreamSequenceToken SequenceToken => new EventSequenceTokenV2(_batch.Position);

    public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>() =>
        _batch is T typed ? [Tuple.Create(typed, SequenceToken)] : [];

    public bool ImportRequestContext() => false;
}
