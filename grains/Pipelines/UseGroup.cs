using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Adds up the rows of one group.</summary>
/// <param name="firstRow">Where the group's own columns are read.</param>
/// <param name="whole">Of what its shares are.</param>
internal sealed class UseGroup(int firstRow, UseTotal whole)
{
    private readonly ExactSum _stock = new();
    private readonly ExactSum _loans = new();
    private readonly ExactSum _active = new();
    private bool _missing;
    private bool _activeMissing;

    public int FirstRow => firstRow;

    /// <summary>NaN: the value is missing.</summary>
    public void Add(double stock, double loans, double? active)
    {
        _missing |= double.IsNaN(stock) || double.IsNaN(loans);
        _activeMissing |= active is { } items && double.IsNaN(items);
        if (!double.IsNaN(stock)) _stock.Add(stock);
        if (!double.IsNaN(loans)) _loans.Add(loans);
        if (active is { } loaned && !double.IsNaN(loaned)) _active.Add(loaned);
    }

    /// <summary>Once all rows are added. A group in which a value is missing counts in no total.</summary>
    public void AddToWhole()
    {
        if (_missing) return;
        whole.Stock.Add(_stock);
        whole.Loans.Add(_loans);
    }

    /// <summary>Once all groups are in their totals.</summary>
    public UseFigures Read(bool withActive)
    {
        if (_missing) return new() { State = UseFigures.ValueMissing };
        var (stock, loans) = (_stock.Round(), _loans.Round());
        var active = withActive && !_activeMissing ? _active.Round() : (double?)null;
        var ofStock = Quotient(stock, whole.Stock.Round());
        var ofLoans = Quotient(loans, whole.Loans.Round());
        return new()
        {
            Stock = stock,
            Loans = loans,
            Active = active,
            ShareOfStock = ofStock,
            ShareOfLoans = ofLoans,
            Turnover = Quotient(loans, stock),
            Efficiency = ofLoans is { } above && ofStock is { } below ? Quotient(above, below) : null,
            Activation = active is { } items ? Quotient(items, stock) : null,
            State = stock == 0 ? UseFigures.NoStock : ofLoans is null ? UseFigures.NoLoans : withActive && _activeMissing ? UseFigures.ActiveMissing : null,
        };
    }

    private static double? Quotient(double above, double below) => below == 0 ? null : above / below;
}
