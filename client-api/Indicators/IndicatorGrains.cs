using System.Collections.Concurrent;

namespace DataHub.Indicators;

/// <summary>Indicators that are asked again and again: to make a reference anew costs as much as all that is decided for a poll.</summary>
internal sealed class IndicatorGrains(IGrainFactory grains)
{
    /// <summary>References that are kept; beyond it all are made anew.</summary>
    private const int MaxKept = 10_000;

    private readonly ConcurrentDictionary<string, IIndicatorGrain> _known = new(StringComparer.Ordinal);

    public IIndicatorGrain Get(string indicator)
    {
        if (_known.TryGetValue(indicator, out var known)) return known;
        if (_known.Count >= MaxKept) _known.Clear();
        return _known[indicator] = grains.GetGrain<IIndicatorGrain>(indicator);
    }
}
