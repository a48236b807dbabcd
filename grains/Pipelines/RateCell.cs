using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>One area on one date.</summary>
internal sealed class RateCell
{
    public const string CountMissing = "count-missing";

    /// <summary>No number of inhabitants holds on the date.</summary>
    public const string NoPopulation = "no-population";

    /// <summary>Nobody lives there.</summary>
    public const string NoInhabitants = "no-inhabitants";

    private readonly ExactSum _count = new();
    private bool _missing;

    /// <summary>Null where one of the values that make it up is missing.</summary>
    public double? Count => _missing ? null : _count.Round();

    public double? Inhabitants { get; private set; }

    public double? Rate { get; private set; }

    /// <summary>Why there is no rate; null: there is one.</summary>
    public string? State { get; private set; }

    /// <summary>NaN: the value is missing.</summary>
    public void Add(double count)
    {
        if (double.IsNaN(count)) _missing = true;
        else _count.Add(count);
    }

    /// <summary>Once all is added.</summary>
    public void Divide(double? inhabitants, double per)
    {
        Inhabitants = inhabitants;
        State = Count is null ? CountMissing : inhabitants is null ? NoPopulation : inhabitants == 0 ? NoInhabitants : null;
        Rate = State is null ? Count * per / inhabitants : null;
    }
}
