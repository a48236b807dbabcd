using System.Globalization;
using System.Numerics;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Makes values comparable. Exact sums and one rounding per figure: the order of the values does not matter to the last bit.</summary>
internal static class Standardiser
{
    /// <summary>Results nearer to 0 than this are 0: smaller ones cannot be summed exactly.</summary>
    private const double Least = 1e-140;

    /// <param name="values">Finite.</param>
    /// <param name="how">What to do with them.</param>
    /// <param name="described">By what they were made comparable; null where they stay as they are.</param>
    /// <returns>Null: fewer than two values, or all of them equal.</returns>
    public static double[]? Of(double[] values, Standardisation how, out LocalText? described)
    {
        described = null;
        if (how == Standardisation.None) return values;
        if (values.Length < 2) return null;

        var (least, greatest) = (values.Min(), values.Max());
        if (least == greatest) return null;
        if (how == Standardisation.Rank)
        {
            described = new($"Ränge von 1 bis {values.Length}", $"ranks from 1 to {values.Length}");
            return Ranks(values);
        }

        var (from, by) = how == Standardisation.MinMax ? (least, greatest - least) : (Mean(values), Deviation(values, sample: how == Standardisation.ZScoreSample));
        described = how == Standardisation.MinMax
            ? new($"kleinster Wert {Text(least)}, größter {Text(greatest)}, n = {values.Length}", $"least value {Text(least)}, greatest {Text(greatest)}, n = {values.Length}")
            : new($"Mittelwert {Text(from)}, Standardabweichung {Text(by)}, n = {values.Length}", $"mean {Text(from)}, standard deviation {Text(by)}, n = {values.Length}");
        var results = new double[values.Length];
        for (var i = 0; i < values.Length; i++) results[i] = Settle((values[i] - from) / by);
        return results;
    }

    /// <summary>Adds 0 so that −0 becomes 0.</summary>
    public static double Settle(double value) => Math.Abs(value) < Least ? 0 : value + 0.0;

    /// <summary>The exact sum, rounded, divided by the count, as the hub's means are.</summary>
    private static double Mean(double[] values)
    {
        var sum = new ExactSum();
        foreach (var value in values) sum.Add(value);
        return sum.Round() / values.Length;
    }

    /// <summary>√((n · Σx² − (Σx)²) / (n · n)) or, of a sample, / (n · (n − 1)); rounded once.</summary>
    private static double Deviation(double[] values, bool sample)
    {
        var (sum, squares) = (new ExactSum(), new ExactSquares());
        foreach (var value in values)
        {
            sum.Add(value);
            squares.Add(value);
        }

        var wholeSum = sum.ToWhole(out var sumLow);
        var wholeSquares = squares.ToWhole(out var squaresLow);
        var low = Math.Min(sumLow, squaresLow / 2);
        wholeSum <<= 32 * (sumLow - low);
        wholeSquares <<= 32 * (squaresLow - 2 * low);
        BigInteger count = values.Length;
        return ExactRoot.Of(count * wholeSquares - wholeSum * wholeSum, count * (sample ? count - 1 : count), ExactSum.Unit + 32 * low);
    }

    private static double[] Ranks(double[] values)
    {
        var sorted = (double[])values.Clone();
        var rows = new int[values.Length];
        for (var i = 0; i < rows.Length; i++) rows[i] = i;
        Array.Sort(sorted, rows);
        var results = new double[values.Length];
        for (int start = 0, end; start < rows.Length; start = end)
        {
            for (end = start + 1; end < rows.Length && sorted[end] == sorted[start];) end++;

            // Ranks start + 1 to end; their average less 1.
            var rank = (start + end - 1) / 2.0;
            for (var i = start; i < end; i++) results[rows[i]] = rank / (values.Length - 1);
        }

        return results;
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
