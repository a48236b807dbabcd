using CsCheck;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>The pure rules of live changes: what an id means, what can be said since a mark, what a viewer is told.</summary>
public sealed class ChangesRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly Guid Log = new("5a2d7a5e-6a50-4b7c-9d0f-0f5f3c1d2e3f");
    private static readonly ValuesQuery All = new(null, null, false, null, null, null, null, 100);
    private static readonly IndicatorDefinition Definition = new(
        "no2", 3, new(new("x", null), "air", MeasureFunction.Sum, "no2", "PT1H", "Europe/Berlin", true, [], null, null, AccessClass.Open));

    private static readonly IndicatorSource Source = new("senumvk", ["air/0", "air/1"], "demo", 2, null);

    [Fact]
    public void An_id_is_read_as_it_was_written_and_nothing_else_is_an_id()
    {
        var id = new ChangesEventId(ChangesEventId.SelectionOf("no2", All), Mark(7, 9), true);
        var text = id.ToString();
        Assert.True(ChangesEventId.TryParse(text, out var read));
        Assert.Equal(id, read);
        Assert.NotEqual(id.Selection, ChangesEventId.SelectionOf("no2", All with { Area = "01" }));
        Assert.NotEqual(id.Selection, ChangesEventId.SelectionOf("no3", All));

        foreach (var other in (string?[])[null, "", "e1.", "e1.!", "e2." + text[3..], "w1.AAAA", new('e', 10_000)]) Assert.False(ChangesEventId.TryParse(other, out _));
        for (var length = 0; length < text.Length; length++) Assert.False(ChangesEventId.TryParse(text[..length], out _));
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            // Whatever a client makes of it, reading it throws nothing.
            var changed = text.ToCharArray();
            changed[random.Next(3, changed.Length)] = "AZaz09-_=."[random.Next(10)];
            Assert.Equal(ChangesEventId.TryParse(new(changed), out var any), any is not null);
        }
    }

    [Fact]
    public void A_watermark_with_any_byte_changed_is_another_one_or_none()
    {
        var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(Mark(7, 9).Watermark.ToString().AsSpan(3));
        for (var at = 0; at < bytes.Length; at++)
        {
            for (var value = 0; value < 256; value++)
            {
                var changed = (byte[])bytes.Clone();
                changed[at] = (byte)value;
                Assert.Equal(Watermark.TryParse("w1." + System.Buffers.Text.Base64Url.EncodeToString(changed), out var any), any is not null);
            }
        }
    }

    [Fact]
    public void What_changed_is_told_since_marks_of_the_same_definition_areas_and_log_only()
    {
        var good = Mark(5, 8);
        ChangeMark[] others = [good with { Definition = 2 }, good with { AreaVersion = 1 }, good with { Watermark = new(Guid.Empty, "air", [5, 8]) }, good with { Watermark = new(Log, "air", [5]) }];
        foreach (var other in others)
        {
            var own = ChangeRules.Plan(new(All, false, [other, good]), Definition, Source, Log, [4, 4], false);
            Assert.Equal((true, 0b01u), (own.IsFull, own.TooOld));
            var another = ChangeRules.Plan(new(All, false, [good, other]), Definition, Source, Log, [4, 4], false);
            Assert.Equal((false, 0b10u), (another.IsFull, another.TooOld));
            Assert.Equal([5, 8], another.Floors!);
        }

        Assert.True(ChangeRules.Plan(new(All, false, []), Definition, Source, Log, [4, 4], false).IsFull);
    }

    [Fact]
    public void An_answer_goes_back_to_the_oldest_mark_and_is_never_older_than_the_newest()
    {
        var plan = ChangeRules.Plan(new(All, false, [Mark(5, 8), Mark(3, 9)]), Definition, Source, Log, [4, 10], false);
        Assert.Equal((false, 0u), (plan.IsFull, plan.TooOld));
        Assert.Equal([3, 8], plan.Floors!);
        Assert.Equal([5, 10], plan.AtLeast);

        var tooMuch = ChangeRules.Plan(new(All, false, [Mark(5, 8), Mark(3, 9)]), Definition, Source, Log, [4, 10], true);
        Assert.Equal((true, 0b11u), (tooMuch.IsFull, tooMuch.TooOld));
        Assert.Null(tooMuch.Floors);
        Assert.Equal([5, 10], tooMuch.AtLeast);
    }

    [Fact]
    public void Every_partition_tells_of_the_windows_that_any_of_them_touched()
    {
        TouchedCell[] one = [new("a", 1, "", 5)], two = [new("b", 2, "", 6)];
        Assert.Equal([1, 2], ChangeRules.Missing([], [one, two], Definition.Spec)!.Order());
        Assert.Null(ChangeRules.Missing([1, 2], [one, two], Definition.Spec));
        Assert.Null(ChangeRules.Missing([], [one, one], Definition.Spec));
        Assert.Null(ChangeRules.Missing([], [[], []], Definition.Spec));

        // With coverage a value speaks of the window before: that and the one after are needed too.
        var hour = TimeSpan.TicksPerHour;
        TouchedCell[] touched = [new("a", 5 * hour, "", 5)];
        Assert.Equal([4 * hour, 5 * hour, 6 * hour], ChangeRules.Missing([], [touched], Definition.Spec with { Window = "PT1H", TimeZone = "UTC", Coverage = true })!.Order());
    }

    /// <summary>
    /// Rows come, change and go; viewers look now and then. Each one that applies what it is told to what it had holds
    /// what there is.
    /// </summary>
    [Fact]
    public void Viewers_that_look_when_they_like_hold_what_there_is() => Gen.Select(Gen.Bool, Gen.Int).Sample((latest, seed) =>
    {
        var random = new Random(seed);
        var state = new ChangesState(latest, maxGone: 3);
        var truth = new Dictionary<(int Hour, string Area), double>();
        var viewers = Enumerable.Range(0, 3).Select(_ => new Looker(latest)).ToArray();
        state.Apply(Page(ChangesKind.Full, 0, [], []));
        for (var turn = 1; turn <= 60; turn++)
        {
            var touched = new HashSet<(int Hour, string Area)>();
            for (var i = random.Next(4); i > 0; i--)
            {
                var place = (random.Next(4), $"a{random.Next(3)}");
                touched.Add(place);
                if (random.Next(3) == 0) truth.Remove(place);
                else truth[place] = random.Next(3);
            }

            var rows = truth.Where(row => touched.Contains(row.Key)).Select(row => Row(row.Key, row.Value));
            if (random.Next(10) == 0 || state.Apply(Page(ChangesKind.Part, turn, rows, touched)) == ChangesApplied.NeedsFull)
                Assert.Equal(ChangesApplied.Done, state.Apply(Page(ChangesKind.Full, turn, Expected().Select(row => Row(row.Key, row.Value)), [])));
            foreach (var viewer in viewers.Where(_ => random.Next(3) == 0)) Check(viewer);
        }

        foreach (var viewer in viewers) Check(viewer);

        IEnumerable<KeyValuePair<(int Hour, string Area), double>> Expected() =>
            latest ? truth.GroupBy(row => row.Key.Area).Select(area => area.MaxBy(row => row.Key.Hour)) : truth;

        void Check(Looker viewer)
        {
            viewer.Look(state);
            Assert.Equal(Expected().Select(row => Row(row.Key, row.Value)).OrderBy(Looker.Order), viewer.Rows.OrderBy(Looker.Order));
        }
    }, iter: 300);

    [Fact]
    public void A_window_that_ends_and_doubt_about_all_are_changes_and_only_once()
    {
        var state = new ChangesState(latest: false, maxGone: 10);
        var preliminary = Row((11, "a0"), 1) with { State = ValueState.Preliminary, To = Noon.AddMinutes(5) };
        state.Apply(Page(ChangesKind.Full, 1, [preliminary, Row((1, "a0"), 2)], []));
        Assert.Equal((1L, preliminary.To), (state.Step, state.Until));

        state.Apply(Page(ChangesKind.Part, 10, [], []));
        Assert.Equal(ValueState.Ok, Assert.Single(state.Since(1).Rows).State);
        Assert.Null(state.Until);
        state.Apply(Page(ChangesKind.Part, 11, [], []));
        Assert.Equal(2, state.Step);

        state.Doubt();
        state.Doubt();
        Assert.Equal(3, state.Step);
        Assert.All(state.Since(2).Rows, row => Assert.Equal(ValueState.Stale, row.State));
        Assert.Equal(ChangesApplied.NeedsFull, state.Apply(Page(ChangesKind.Part, 12, [], [])));
        state.Apply(Page(ChangesKind.Full, 12, [preliminary with { State = ValueState.Ok }, Row((1, "a0"), 2)], []));
        Assert.Equal((4L, 2), (state.Step, state.Since(3).Rows.Count));
    }

    private static ChangeMark Mark(params long[] sequences) => new(3, 2, new(Log, "air", sequences), Noon);

    private static IndicatorValue Row((int Hour, string Area) place, double value) =>
        new(place.Area, Noon.AddHours(place.Hour - 24), Noon.AddHours(place.Hour - 23), null, value, 1, ValueState.Ok);

    private static ChangesPage Page(ChangesKind kind, int turn, IEnumerable<IndicatorValue> rows, IEnumerable<(int Hour, string Area)> touched) => new(
        kind, new("no2", Definition, null, "demo", 2, null, "senumvk"), Mark(turn, turn) with { At = Noon.AddMinutes(turn) }, turn, "w", Noon, [.. rows],
        [.. touched.Select(place => new TouchedPlace(Row(place, 0).From, place.Area, null, 1))], 0);

    /// <summary>Keeps rows as the description of the route tells clients to.</summary>
    private sealed class Looker(bool latest)
    {
        private readonly Dictionary<string, IndicatorValue> _rows = [];
        private long _step;

        public IEnumerable<IndicatorValue> Rows => _rows.Values;

        public static string Order(IndicatorValue row) => $"{row.From:o}|{row.Area}";

        public void Look(ChangesState state)
        {
            if (_step == state.Step) return;
            if (_step == 0 || _step < state.Floor)
            {
                _rows.Clear();
                foreach (var row in state.All().Rows) _rows[Place(row)] = row;
            }
            else
            {
                var since = state.Since(_step);
                foreach (var row in since.Rows) _rows[Place(row)] = row;
                foreach (var row in since.Removed) _rows.Remove(Place(row));
            }

            _step = state.Step;
        }

        private string Place(IndicatorValue row) => latest ? row.Area! : Order(row);
    }
}
