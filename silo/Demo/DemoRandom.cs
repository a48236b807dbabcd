namespace DataHub.Demo;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed on every machine and in every version of
/// .NET, which <see cref="System.Random"/> does not promise.
/// </summary>
/// <param name="seed">Any number; neighbouring seeds give unrelated sequences.</param>
internal sealed class DemoRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong NextBits()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A sequence of its own for a part of the work, so that changing one part does not change the others.</summary>
    public static DemoRandom For(int seed, string part)
    {
        var mixed = 0xCBF29CE484222325 ^ (ulong)(uint)seed;
        foreach (var c in part) mixed = (mixed ^ c) * 0x100000001B3;
        return new(mixed);
    }

    /// <summary>At least 0, less than 1.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>At least 0, less than <paramref name="limit"/>.</summary>
    public int Next(int limit) => (int)(NextDouble() * limit);

    public double Between(double from, double to) => from + (NextDouble() * (to - from));

    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>Normal distribution, mean 0, standard deviation 1 (Box and Muller).</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>Poisson distribution; for means above 30 its normal approximation.</summary>
    public int Poisson(double mean)
    {
        if (mean > 30) return Math.Max(0, (int)Math.Round(mean + (Math.Sqrt(mean) * Normal())));
        var limit = Math.Exp(-mean);
        var count = 0;
        for (var product = NextDouble(); product > limit; product *= NextDouble()) count++;
        return count;
    }

    public T Pick<T>(IReadOnlyList<T> from) => from[Next(from.Count)];

    /// <summary>Fisher and Yates.</summary>
    public T[] Shuffled<T>(IEnumerable<T> items)
    {
        T[] shuffled = [.. items];
        for (var i = shuffled.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
        }

        return shuffled;
    }
}
