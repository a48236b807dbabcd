using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>
/// Values of a formula, each computed from the unrounded values of its inputs in IEEE doubles. A row stands wherever an
/// input has one. What is suppressed in an input suppresses what is made of it, and takes no part in ranks.
/// </summary>
internal sealed class FormulaValues : DerivedValues
{
    private readonly Formula _formula;
    private readonly InputValues[] _inputs;
    private readonly AreaTree? _areas;
    private readonly RollUpTarget _target;
    private readonly ValuesQuery _query;
    private readonly IndicatorSpec _spec;
    private readonly CalendarWindows _windows;
    private readonly Dictionary<string, long?> _populations = new(StringComparer.Ordinal);
    private readonly Dictionary<(Formula.Rank Rank, int Level, long Window, string Dimensions), double[]> _ranked = [];
    private readonly Lazy<ILookup<int, string>> _rankedAreas;

    /// <param name="spec">Of the formula.</param>
    /// <param name="inputs">In the order of <see cref="Formula.Ids"/>.</param>
    /// <param name="areas">Needed for populations, ranks and where <paramref name="target"/> has a level.</param>
    public FormulaValues(Formula formula, IndicatorSpec spec, InputValues[] inputs, AreaTree? areas, RollUpTarget target, ValuesQuery query)
    {
        (_formula, _spec, _inputs, _areas, _target, _query) = (formula, spec, inputs, areas, target, query);
        _windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        _rankedAreas = new(() => inputs.SelectMany(input => input.Level.Areas).Where(area => area.Length > 0 || target.Whole).Distinct(StringComparer.Ordinal).ToLookup(LevelOf));
    }

    public override bool GrowWithTime => Array.Exists(_inputs, input => input.Asked.GrowWithTime);

    public override IEnumerable<string> Areas => _inputs.SelectMany(input => input.Asked.Areas).Distinct(StringComparer.Ordinal);

    public override IEnumerable<CellRollUp.Place> After(CellRollUp.Place? cursor)
    {
        if (!_query.Latest) return Merged(cursor);
        var newest = new Dictionary<(string, string), CellRollUp.Place>();
        foreach (var place in _inputs.SelectMany(input => input.Asked.After(null)))
        {
            if (!newest.TryGetValue((place.Area, place.Dimensions), out var known) || known.Window < place.Window) newest[(place.Area, place.Dimensions)] = place;
        }

        return newest.Values.Where(place => cursor is not { } last || place.CompareTo(last) > 0).Order();
    }

    public override Derived At(CellRollUp.Place place)
    {
        var term = Compute(_formula.Root, Scope.Asked, place);
        return term.State switch
        {
            TermState.Known => new(term.Value + 0.0, term.Count),
            TermState.Suppressed => new(null, 0, Suppressed: true),
            TermState.Missing => new(null, 0, Lack: ValueState.Missing),
            _ => new(null, term.Count, Lack: ValueState.Undefined),
        };
    }

    /// <summary>Whether what a formula reads of an input there is not to be told.</summary>
    public bool IsSuppressed(int input, Scope scope, CellRollUp.Place place) => _inputs[input].At(scope, place).State == TermState.Suppressed;

    public override Derived? Find(CellRollUp.Place place) => Array.Exists(_inputs, input => input.Asked.Find(place) is not null) ? At(place) : null;

    /// <summary>The inputs' places, each once; not all at once, since open records have one in every window.</summary>
    private IEnumerable<CellRollUp.Place> Merged(CellRollUp.Place? cursor)
    {
        var heads = new PriorityQueue<IEnumerator<CellRollUp.Place>, CellRollUp.Place>();
        foreach (var input in _inputs) Advance(input.Asked.After(cursor).GetEnumerator());
        CellRollUp.Place? last = null;
        while (heads.TryDequeue(out var head, out var place))
        {
            Advance(head);
            if (place == last) continue;
            last = place;
            yield return place;
        }

        void Advance(IEnumerator<CellRollUp.Place> head)
        {
            if (head.MoveNext()) heads.Enqueue(head, head.Current);
            else head.Dispose();
        }
    }

    private Term Compute(Formula.Part part, Scope scope, CellRollUp.Place place)
    {
        switch (part)
        {
            case Formula.Number number: return Term.Of(number.Value, long.MaxValue);
            case Formula.Input input: return _inputs[input.Index].At(scope, place);
            case Formula.Population: return PopulationOf(scope, place.Area) is { } people ? Term.Of(people, long.MaxValue) : Term.Missing;
            case Formula.Minus minus: return Compute(minus.Of, scope, place).With(static x => -x);
            case Formula.Abs abs: return Compute(abs.Of, scope, place).With(Math.Abs);
            case Formula.Round round: return Compute(round.Of, scope, place).With(x => Decimals.Round(x, round.Places));
            case Formula.Operation operation:
                return Compute(operation.Left, scope, place).With(Compute(operation.Right, scope, place), operation.Sign switch
                {
                    '+' => static (x, y) => x + y,
                    '-' => static (x, y) => x - y,
                    '*' => static (x, y) => x * y,
                    _ => static (x, y) => x / y,
                });
            case Formula.Extreme extreme:
                var terms = extreme.Of.Select(of => Compute(of, scope, place));
                return terms.Aggregate((best, term) => best.With(term, extreme.Greatest ? Math.Max : Math.Min));
            case Formula.Share share: return Compute(share.Of, scope, place).With(Compute(share.Of, Scope.Whole, place with { Area = "" }), static (x, whole) => x / whole);
            case Formula.Previous previous: return Before(previous.Of, scope, place);
            case Formula.Change change: return Compute(change.Of, scope, place).With(Before(change.Of, scope, place), static (x, before) => x - before);
            case Formula.Rank rank: return RankOf(rank, scope, place);
            default: throw new InvalidOperationException($"{part} has no value");
        }
    }

    private Term Before(Formula.Part part, Scope scope, CellRollUp.Place place) =>
        place.Window <= 0 ? Term.Missing : Compute(part, scope, place with { Window = _windows.Floor(place.Window - 1) });

    /// <summary>1 for the greatest of the areas that have a row; equal values share the smaller number. Only values that may be told are counted.</summary>
    private Term RankOf(Formula.Rank rank, Scope scope, CellRollUp.Place place)
    {
        var own = Compute(rank.Of, scope, place);
        if (own.State != TermState.Known) return own;
        if (place.Area.Length == 0 && !_target.Whole) return Term.Missing; // rows without an area are no area

        var key = (rank, LevelOf(place.Area), place.Window, place.Dimensions);
        if (!_ranked.TryGetValue(key, out var values))
        {
            // Pages go by window: what lies far behind is not asked for again.
            if (_ranked.Count >= 10_000) _ranked.Clear();
            values =
            [
                .. _rankedAreas.Value[key.Item2].Select(area => place with { Area = area }).Where(other => Array.Exists(_inputs, input => input.Level.Find(other) is not null))
                    .Select(other => Compute(rank.Of, Scope.Level, other)).Where(Counts).Select(term => term.Value),
            ];
            Array.Sort(values);
            _ranked[key] = values;
        }

        return Counts(own) ? Term.Of(1 + values.Length - NotAbove(values, own.Value), own.Count) : Term.Suppressed;

        bool Counts(Term term) => term.State == TermState.Known && term.Count >= _spec.MinimumCount;
    }

    private int LevelOf(string area) => LevelOf(area, _areas, _target);

    /// <summary>Where areas were asked for as rows carry them, only those of one level are compared.</summary>
    public static int LevelOf(string area, AreaTree? areas, RollUpTarget target) => target.Level is null && areas is not null && areas.TryGet(area, out var found) ? found.Level : -1;

    /// <summary>What an input's values are rolled up to for a part of the formula.</summary>
    public static RollUpTarget TargetOf(Scope scope, RollUpTarget target) => scope switch
    {
        Scope.Level when target.Area is not null => target with { Area = null },
        Scope.Whole when !target.Whole => new(null, null, 0, Whole: true),
        _ => target,
    };

    /// <summary>How many of the sorted values are not greater.</summary>
    private static int NotAbove(double[] values, double value)
    {
        var (low, high) = (0, values.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (values[middle] <= value) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private long? PopulationOf(Scope scope, string area)
    {
        if (_areas is null) return null;
        if (scope == Scope.Whole || _target.Whole || !_spec.ByArea) return Sum(_areas.AtLevel(0));
        return _areas.TryGet(area, out var found) ? Of(found) : null;

        long? Of(Area one)
        {
            if (one.Population is not null) return one.Population;
            if (_populations.TryGetValue(one.Id, out var known)) return known;
            var parts = _areas.DescendantsAt(one.Id, one.Level + 1);
            return _populations[one.Id] = parts.Count == 0 ? null : Sum(parts.Select(id => _areas.TryGet(id, out var part) ? part : one));
        }

        // A part that nobody counted leaves the whole unknown.
        long? Sum(IEnumerable<Area> parts) => parts.Aggregate((long?)0, (sum, part) => sum + Of(part));
    }

    /// <summary>Whose values a part of a formula is about.</summary>
    internal enum Scope
    {
        /// <summary>The areas that were asked for.</summary>
        Asked = 0,

        /// <summary>All areas of the answer's level.</summary>
        Level = 1,

        /// <summary>All areas together.</summary>
        Whole = 2,
    }

    /// <summary>One input's values.</summary>
    /// <param name="MinimumCount">The input's own rule of disclosure.</param>
    /// <param name="Level">The same as <paramref name="Asked"/> where all areas were asked for or no rank is.</param>
    internal sealed record InputValues(int MinimumCount, DerivedValues Asked, DerivedValues Level, DerivedValues Whole)
    {
        public Term At(Scope scope, CellRollUp.Place place)
        {
            var values = scope switch { Scope.Asked => Asked, Scope.Level => Level, _ => Whole };
            if (values.Find(place) is not { } derived) return Term.Missing;
            if (derived.Suppressed || derived.Count < MinimumCount) return Term.Suppressed;
            return derived.Value is { } value ? Term.Of(value, derived.Count) : new(0, derived.Count, TermState.Undefined);
        }
    }

    /// <summary>The later prevails where two meet.</summary>
    internal enum TermState
    {
        Known = 0,
        Undefined = 1,
        Missing = 2,
        Suppressed = 3,
    }

    /// <param name="Count">The least rows behind anything it is made of; the greatest number where there are none.</param>
    internal readonly record struct Term(double Value, long Count, TermState State)
    {
        public static Term Missing => new(0, 0, TermState.Missing);

        public static Term Suppressed => new(0, 0, TermState.Suppressed);

        public static Term Of(double value, long count) => double.IsFinite(value) ? new(value, count, TermState.Known) : new(0, count, TermState.Undefined);

        public Term With(Func<double, double> operation) => State == TermState.Known ? Of(operation(Value), Count) : this;

        public Term With(Term other, Func<double, double, double> operation)
        {
            var state = State > other.State ? State : other.State;
            var count = Math.Min(Count, other.Count);
            return state == TermState.Known ? Of(operation(Value, other.Value), count) : new(0, count, state);
        }
    }
}
