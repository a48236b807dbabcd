using System.Collections.Immutable;

namespace DataHub.Indicators;

/// <summary>The classes of a coloured map: at most five, with about as many areas in each, equal values always together.</summary>
/// <remarks>
/// The bounds of a class are the smallest and the greatest value in it. So every number of the legend stands in the
/// table too, and there is no bound that a value might lie on.
/// </remarks>
public sealed class Choropleth
{
    /// <summary>More shades than this are hard to tell apart.</summary>
    public const int MaxClasses = 5;

    private Choropleth(ImmutableArray<ValueClass> classes) => Classes = classes;

    /// <summary>From the smallest values to the greatest; empty where there is no value.</summary>
    public ImmutableArray<ValueClass> Classes { get; }

    /// <param name="values">In any order; must be finite.</param>
    public static Choropleth Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var distinct = sorted.Distinct().Count();
        var wanted = Math.Min(MaxClasses, distinct);
        var classes = ImmutableArray.CreateBuilder<ValueClass>();
        for (var from = 0; from < sorted.Length;)
        {
            var left = wanted - classes.Count;
            var to = left <= 1 ? sorted.Length : from + Math.Max(1, (sorted.Length - from + left / 2) / left);
            while (to < sorted.Length && sorted[to] == sorted[to - 1]) to++;
            classes.Add(new(sorted[from], sorted[to - 1], to - from));
            from = to;
        }

        return new(classes.ToImmutable());
    }

    /// <summary>The place of a value's class, from 0; -1 where it is in none.</summary>
    public int ClassOf(double value)
    {
        for (var i = 0; i < Classes.Length; i++)
        {
            if (value >= Classes[i].Least && value <= Classes[i].Greatest) return i;
        }

        return -1;
    }

    /// <summary>Which of the five shades a class has: few classes are spread over the whole scale.</summary>
    public int ShadeOf(int place) => Classes.Length <= 1 ? MaxClasses / 2 : place * (MaxClasses - 1) / (Classes.Length - 1);
}

/// <param name="Least">Smallest value in the class.</param>
/// <param name="Greatest">Greatest value in the class.</param>
/// <param name="Areas">How many areas are in it.</param>
public sealed record ValueClass(double Least, double Greatest, int Areas);
