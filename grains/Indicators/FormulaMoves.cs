namespace DataHub.Indicators;

/// <summary>Which rows moved a formula's values: those that moved what the values are made of.</summary>
internal sealed class FormulaMoves
{
    private readonly FormulaRead[] _reads;
    private readonly FormulaRead[] _standing;
    private readonly CalendarWindows _windows;
    private readonly Func<string, int> _levelOf;
    private readonly Dictionary<(int Input, FormulaValues.Scope Scope, CellRollUp.Place Place, int Level), List<MovedRow>> _moved = [];

    /// <param name="levelOf">Areas for which this is the same are compared with one another.</param>
    public FormulaMoves(Formula formula, CalendarWindows windows, Func<string, int> levelOf)
    {
        (_reads, _windows, _levelOf) = (FormulaRead.Of(formula), windows, levelOf);
        _standing = [.. formula.Ids.Select((_, input) => new FormulaRead(input, FormulaValues.Scope.Asked, 0)).Except(_reads)];
    }

    /// <summary>What <see cref="Add"/> must be given.</summary>
    public IEnumerable<(int Input, FormulaValues.Scope Scope)> Needs => _reads.Concat(_standing).Select(read => (read.Input, read.Scope)).Distinct();

    /// <summary>Begins of the first and the last window in which an input moved; null where none did.</summary>
    public (long First, long Last)? Windows { get; private set; }

    /// <summary>Takes in what moved an input's values of one scope.</summary>
    public void Add(int input, FormulaValues.Scope scope, IEnumerable<MovedRow> rows)
    {
        foreach (var row in rows)
        {
            var key = Key(input, scope, row.Place);
            if (!_moved.TryGetValue(key, out var known)) _moved[key] = known = [];
            known.Add(row);
            var window = row.Place.Window;
            Windows = Windows is { } all ? (Math.Min(all.First, window), Math.Max(all.Last, window)) : (window, window);
        }
    }

    /// <summary>Whether anything moved that the value at a place is made of, or that makes it stand there.</summary>
    public bool MayHaveMoved(CellRollUp.Place place) => Of(place, stands: true).Any();

    /// <summary>Whether anything moved that the value at a place is made of in its own area.</summary>
    public bool MovedItself(CellRollUp.Place place) => Of(place).Any(one => one.Read.Scope == FormulaValues.Scope.Asked);

    /// <summary>The rows behind a place, each as often as it moved something that the value is made of.</summary>
    /// <param name="stands">Also those of the inputs there that only make a value stand there: a formula has one wherever an input has.</param>
    public IEnumerable<(FormulaRead Read, MovedRow Row)> Of(CellRollUp.Place place, bool stands = false)
    {
        foreach (var read in stands ? _reads.Concat(_standing) : _reads)
        {
            var window = place.Window;
            for (var i = 0; i < read.Back && window > 0; i++) window = _windows.Floor(window - 1);
            if (!_moved.TryGetValue(Key(read.Input, read.Scope, place with { Window = window }), out var rows)) continue;
            foreach (var row in rows) yield return (read, row);
        }
    }

    /// <summary>All areas that are compared with one another lie together.</summary>
    private (int, FormulaValues.Scope, CellRollUp.Place, int) Key(int input, FormulaValues.Scope scope, CellRollUp.Place place) => scope switch
    {
        FormulaValues.Scope.Asked => (input, scope, place, 0),
        FormulaValues.Scope.Level => (input, scope, place with { Area = "" }, _levelOf(place.Area)),
        _ => (input, scope, place with { Area = "" }, 0),
    };
}
