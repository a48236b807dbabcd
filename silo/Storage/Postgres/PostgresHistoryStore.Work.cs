using DataHub.Feeds;

namespace DataHub.Storage.Postgres;

internal sealed partial class PostgresHistoryStore
{
    private readonly record struct FeedSum(PushCounts Counts, int Pushes, long LastReceived, long NewestRow)
    {
        public static FeedSum None { get; } = new(default, 0, 0, long.MinValue);

        public FeedSum Plus(HistoryBatch batch)
        {
            var isPush = batch.Batch.Act is null;
            var newest = NewestRow;
            foreach (var change in batch.Changes)
            {
                if (change.Change != RowChange.Retraction && change.Time > newest) newest = change.Time;
            }

            return new(
                Counts + batch.Batch.Push!.Counts, Pushes + (isPush && batch.Batch.Push.Part == 0 ? 1 : 0),
                isPush ? Math.Max(LastReceived, batch.Batch.ReceivedAt.UtcTicks) : LastReceived, newest);
        }
    }

    private sealed record Version(long Time, byte[] Key, long From, long To, string? Area, int ContractVersion, byte[] Packed);

    /// <summary>What batches come to: versions that begin, with those that end among them ended already, and ends of those that stand.</summary>
    private sealed class HistoryWork
    {
        private readonly Dictionary<byte[], int> _standing = new(ByteKeyComparer.Instance);

        /// <summary>Without rows, as in control batches, nothing tells in which table the partition's rows lie.</summary>
        public bool HasRows { get; private init; }

        public bool ByTime { get; private init; }

        public List<Version> Versions { get; } = [];

        public List<(byte[] Key, long Sequence)> Ends { get; } = [];

        /// <summary>Of a partition whose keys contain the time; it has no <see cref="Versions"/> and <see cref="Ends"/>.</summary>
        public IReadOnlyList<HistorySegment> Segments { get; private init; } = [];

        public HashSet<string> Areas { get; } = new(StringComparer.Ordinal);

        public List<(LogBatch Batch, int Index, QuarantinedRow Row)> Quarantined { get; } = [];

        public List<LogBatch> Acts { get; } = [];

        public Dictionary<(string Dataset, string Feed), FeedSum> Counts { get; } = [];

        public Dictionary<(string Dataset, string Feed, long Hour), FeedSum> Hours { get; } = [];

        public static HistoryWork Of(IReadOnlyList<HistoryBatch> batches, int segmentRows)
        {
            var telling = batches.FirstOrDefault(batch => batch.Changes.Length > 0);
            var byTime = telling?.KeyHasTime ?? false;
            var work = new HistoryWork { HasRows = telling is not null, ByTime = byTime, Segments = byTime ? SegmentRules.Cut(batches, segmentRows) : [] };
            foreach (var batch in batches) work.Add(batch);
            return work;
        }

        private void Add(HistoryBatch batch)
        {
            if (!ByTime)
            {
                foreach (var change in batch.Changes) Add(batch.Batch, change);
            }

            if (batch.Batch.Push is not { } push) return;
            for (var i = 0; i < batch.Batch.Quarantined.Length; i++) Quarantined.Add((batch.Batch, i, batch.Batch.Quarantined[i]));
            if (batch.Batch.Act is not null) Acts.Add(batch.Batch);
            var feed = (push.Dataset, push.Feed);
            Counts[feed] = Counts.GetValueOrDefault(feed, FeedSum.None).Plus(batch);
            var hour = (push.Dataset, push.Feed, batch.Batch.ReceivedAt.UtcTicks / TimeSpan.TicksPerHour);
            Hours[hour] = Hours.GetValueOrDefault(hour, FeedSum.None).Plus(batch);
        }

        private void Add(LogBatch batch, in HistoryChange change)
        {
            if (change.Change != RowChange.New) End(batch, change);
            if (change.Change != RowChange.Retraction) Begin(batch, change);
        }

        private void Begin(LogBatch batch, in HistoryChange change)
        {
            if (!_standing.TryAdd(change.Key, Versions.Count))
                throw new InvalidOperationException($"Partition {batch.Partition}, sequence {batch.Sequence}: a new row of a key under which one stands.");
            Versions.Add(new(change.Time, change.Key, batch.Sequence, long.MaxValue, change.Area, batch.ContractVersion, change.Values!));
            if (change.Area is not null) Areas.Add(change.Area);
        }

        private void End(LogBatch batch, in HistoryChange change)
        {
            if (!_standing.Remove(change.Key, out var place))
            {
                Ends.Add((change.Key, batch.Sequence));
                return;
            }

            var version = Versions[place];
            if (version.From < batch.Sequence)
            {
                Versions[place] = version with { To = batch.Sequence };
                return;
            }

            // What began and ended in one batch never stood for anybody, and leaves no version.
            var last = Versions.Count - 1;
            if (place != last)
            {
                Versions[place] = Versions[last];
                var key = Versions[place].Key;
                if (_standing.TryGetValue(key, out var moved) && moved == last) _standing[key] = place;
            }

            Versions.RemoveAt(last);
        }
    }
}
