using CsCheck;

using DataHub.Catalog;

namespace DataHub.Indicators;

public sealed class AnswerLedgerTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly ValuesQuery All = new(null, null, false, null, null, null, null, 100);

    /// <summary>
    /// Folds advance, news are coalesced, delayed or lost (the next then says "changed"), reads come back late and out of
    /// order: what is given out under one version is always the same, and no answer is older than one before it.
    /// </summary>
    [Fact]
    public void One_version_is_one_content_and_nothing_goes_back() => Gen.Select(Gen.Int[1, 3], Gen.Int).Sample((partitions, seed) =>
    {
        var random = new Random(seed);
        var folds = Enumerable.Range(0, partitions).Select(_ => new ModelFold()).ToArray();
        var ledger = new AnswerLedger(partitions, 1_000);
        var reads = new List<long[]>();
        var contents = new Dictionary<long, string>();
        var (version, current, answers) = (0L, new long[partitions], 0);
        for (var step = 0; step < 200; step++)
        {
            var p = random.Next(partitions);
            switch (random.Next(6))
            {
                case 0: folds[p].Advance(changes: random.Next(3) == 0); break;
                case 1: folds[p].Send(); break;
                case 2:
                    if (folds[p].Deliver(lost: random.Next(5) == 0) is { } news) ledger.Announce(p, news.Sequence, news.Changed);
                    break;
                case 3: reads.Add(folds.Select(fold => fold.Sequence).ToArray()); break;
                case 4 when reads.Count > 0:
                    var at = random.Next(reads.Count);
                    var read = reads[at];
                    reads.RemoveAt(at);
                    var fit = ledger.Fit(read);
                    if (fit == ReadFit.Older) break;
                    if (fit == ReadFit.Newer || !ledger.IsValid(Noon)) ledger.Begin(ledger.Version + 1 + random.Next(3), read, Noon);
                    Answered(read);
                    break;
                case 5 when ledger.IsValid(Noon):
                    Answered(ledger.Base);
                    break;
            }
        }

        void Answered(long[] read)
        {
            answers++;
            var content = string.Join(',', folds.Select((fold, i) => fold.ContentAt(read[i])));
            Assert.Equal(content, string.Join(',', folds.Select((fold, i) => fold.ContentAt(ledger.Base[i]))));
            Assert.Equal(content, string.Join(',', folds.Select((fold, i) => fold.ContentAt(ledger.Current[i]))));
            if (!contents.TryAdd(ledger.Version, content)) Assert.Equal(contents[ledger.Version], content);
            Assert.True(ledger.Version >= version);
            for (var i = 0; i < partitions; i++) Assert.True(ledger.Current[i] >= current[i] && ledger.Current[i] >= ledger.Base[i]);
            (version, current) = (ledger.Version, ledger.Current);
        }
    }, iter: 5_000);

    [Fact]
    public void News_without_change_keep_the_version_and_move_its_currency()
    {
        var ledger = Begun(5, 7);
        ledger.Announce(0, 9, changed: false);
        Assert.True(ledger.IsValid(Noon));
        Assert.Equal([9, 7], ledger.Current);
        Assert.Equal([5, 7], ledger.Base);
        Assert.Equal(ReadFit.Same, ledger.Fit([8, 7]));
        Assert.Equal(ReadFit.Older, ledger.Fit([4, 7]));
        Assert.Equal(ReadFit.Newer, ledger.Fit([9, 8]));
    }

    [Fact]
    public void News_of_a_change_end_the_version_until_it_was_read()
    {
        var ledger = Begun(5, 7);
        ledger.Announce(1, 8, changed: true);
        Assert.False(ledger.IsValid(Noon));
        ledger.Announce(1, 9, changed: false);
        Assert.False(ledger.IsValid(Noon));
        ledger.Begin(2, [5, 9], Noon);
        Assert.True(ledger.IsValid(Noon));
    }

    [Fact]
    public void News_that_come_before_the_first_read_is_back_are_not_lost()
    {
        var ledger = new AnswerLedger(1, 10);
        ledger.Announce(0, 6, changed: false);
        ledger.Begin(1, [5], Noon);
        Assert.False(ledger.IsValid(Noon));
    }

    [Fact]
    public void A_version_ends_when_one_of_its_states_changes_by_itself()
    {
        var ledger = Begun(1);
        ledger.Remember(All, new([], null, Noon.AddMinutes(5)));
        ledger.Remember(All with { Limit = 1 }, new([], null, Noon.AddMinutes(1)));
        ledger.Remember(All with { Limit = 2 }, new([], null, null));
        Assert.True(ledger.IsValid(Noon.AddSeconds(59)));
        Assert.False(ledger.IsValid(Noon.AddMinutes(1)));
    }

    [Fact]
    public void A_stale_version_repeats_what_was_answered_and_says_so()
    {
        var ledger = Begun(1);
        var rows = new[] { Row(3, ValueState.Ok), Row(null, ValueState.Suppressed), Row(4, ValueState.Preliminary) };
        ledger.Remember(All, new(rows, null, Noon.AddMinutes(1)));
        ledger.BeginStale(2);
        Assert.False(ledger.IsValid(Noon));
        Assert.True(ledger.TryRecall(All, out var page));
        Assert.Equal([ValueState.Stale, ValueState.Suppressed, ValueState.Stale], page.Rows.Select(row => row.State));
        Assert.Null(page.ValidUntil);
        ledger.Begin(3, [1], Noon);
        Assert.True(ledger.IsValid(Noon));
        Assert.False(ledger.TryRecall(All, out _));
    }

    [Fact]
    public void What_is_remembered_is_bounded_by_rows()
    {
        var ledger = new AnswerLedger(1, 10);
        ledger.Begin(1, [1], Noon);
        var rows = new[] { Row(1, ValueState.Ok), Row(2, ValueState.Ok), Row(3, ValueState.Ok) };
        for (var limit = 1; limit <= 5; limit++) ledger.Remember(All with { Limit = limit }, new(rows, null, null));
        Assert.Equal([false, false, false, true, true], Enumerable.Range(1, 5).Select(limit => ledger.TryRecall(All with { Limit = limit }, out _)));
        ledger.Remember(All with { Limit = 9 }, new([.. Enumerable.Repeat(Row(1, ValueState.Ok), 10)], null, null));
        Assert.False(ledger.TryRecall(All with { Limit = 9 }, out _));
    }

    [Fact]
    public void Versions_only_rise()
    {
        var ledger = Begun(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => ledger.Begin(1, [2], Noon));
        Assert.Throws<ArgumentOutOfRangeException>(() => ledger.BeginStale(1));
    }

    private static AnswerLedger Begun(params long[] sequences)
    {
        var ledger = new AnswerLedger(sequences.Length, 1_000);
        ledger.Begin(1, sequences, Noon);
        return ledger;
    }

    private static IndicatorValue Row(double? value, ValueState state) => new(null, Noon, Noon.AddHours(1), null, value, 1, state);

    private sealed class ModelFold
    {
        private readonly List<bool> _changes = [true];
        private readonly Queue<(long Sequence, bool Changed)> _onTheWay = [];
        private bool _changedSinceTold = true;
        private long _told = -1;

        public long Sequence => _changes.Count - 1;

        public void Advance(bool changes)
        {
            _changes.Add(changes);
            _changedSinceTold |= changes;
        }

        public void Send()
        {
            if (_told == Sequence || _onTheWay.Count > 0) return;
            _onTheWay.Enqueue((_told = Sequence, _changedSinceTold));
            _changedSinceTold = false;
        }

        public (long Sequence, bool Changed)? Deliver(bool lost)
        {
            if (!_onTheWay.TryDequeue(out var news)) return null;
            if (!lost) return news;
            (_changedSinceTold, _told) = (true, -1);
            return null;
        }

        /// <summary>The last sequence up to the given one that changed a cell: equal ones mean equal cells.</summary>
        public int ContentAt(long sequence) => _changes.FindLastIndex((int)sequence, changed => changed);
    }
}
