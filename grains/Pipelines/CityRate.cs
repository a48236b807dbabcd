using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>All areas of one date together: all counts by all inhabitants, not the mean of their rates.</summary>
internal sealed class CityRate
{
    private readonly double[] _descending;

    private CityRate(double? rate, double[] descending) => (Rate, _descending) = (rate, descending);

    /// <summary>Null where no area has a rate.</summary>
    public double? Rate { get; }

    /// <param name="cells">Of one date; those without a rate count neither above nor below.</param>
    /// <param name="per">Inhabitants that rates are per.</param>
    public static CityRate Of(RateCell[] cells, double per)
    {
        var (counts, inhabitants) = (new ExactSum(), new ExactSum());
        foreach (var cell in cells)
        {
            if (cell.Rate is null) continue;
            counts.Add(cell.Count!.Value);
            inhabitants.Add(cell.Inhabitants!.Value);
        }

        double[] descending = [.. cells.Select(cell => cell.Rate).OfType<double>().OrderDescending()];
        return new(descending.Length == 0 ? null : counts.Round() * per / inhabitants.Round(), descending);
    }

    /// <summary>1 for the highest; equal rates share the lowest number.</summary>
    public int RankOf(double rate)
    {
        var (low, high) = (0, _descending.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_descending[middle] > rate) low = middle + 1;
            else high = middle;
        }

        return low + 1;
    }
}
