namespace DataHub.Indicators;

/// <summary>Which rows moved a formula's values: those that moved what the values are made of.</summary>
internal sealed class FormulaMoves
{
    private readonly FormulaRead[] _reads;
    private readonly CalendarWindows _windows;
    private readonly Func<string, int> _levelOf;
    private readonly Dictionary<(int Input, FormulaValues.Scope Scope, CellRollUp.Place Place, int Level), List<MovedRow>> _moved = [];

    /// <param name="levelOf">Areas for which this is the same are compared with one another.</param>
    public FormulaMoves(FormulaRead[] reads, CalendarWindows windows, Func<string, int> levelOf) => (_reads, _windows, _levelOf) = (reads, windows, levelOf);

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

    /// <summary>Whether anything moved that the value at a place is made of.</summary>
    /// <param name="ownOnly">Only the inputs' values of the same area.</param>
    public bool Moved(CellRollUp.Place place, bool ownOnly = false) => Of(place, ownOnly).Any();

    /// <summary>The rows behind a place, each as often as it moved something that the value is made of.</summary>
    public IEnumerable<(FormulaRead Read, MovedRow Row)> Of(CellRollUp.Place place, bool ownOnly = false)
    {
        foreach (var read in _reads)
        {
            if (ownOnly && read.Scope != FormulaValues.Scope.Asked) continue;
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
