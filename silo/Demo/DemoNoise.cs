namespace DataHub.Demo;

/// <summary>Chance that depends only on the seed and on what it is asked about, so that a value can be made again at any time.</summary>
internal static class DemoNoise
{
    /// <summary>At least 0, less than 1: always the same for the same arguments.</summary>
    public static double Hash(long seed, long first, long second = 0, long third = 0) => (Mix(seed, first, second, third) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number that stands for a text; the same in every process.</summary>
    public static long Of(string text)
    {
        var hash = 0xCBF29CE484222325;
        foreach (var c in text) hash = (hash ^ c) * 0x100000001B3;
        return (long)hash;
    }

    /// <summary>Value noise: smooth along the line, about independent one apart, 0 to 1 with mean 0.5.</summary>
    public static double Along(long seed, double at)
    {
        var cell = Math.Floor(at);
        var ease = Ease(at - cell);
        return Hash(seed, (long)cell) + (ease * (Hash(seed, (long)cell + 1) - Hash(seed, (long)cell)));
    }

    /// <summary>Value noise in space and time.</summary>
    public static double In(long seed, double x, double y, double time)
    {
        double cx = Math.Floor(x), cy = Math.Floor(y), ct = Math.Floor(time);
        double ex = Ease(x - cx), ey = Ease(y - cy), et = Ease(time - ct);
        double Corner(int dx, int dy, int dt) => Hash(seed, (long)cx + dx, (long)cy + dy, (long)ct + dt);
        double Row(int dy, int dt) => Corner(0, dy, dt) + (ex * (Corner(1, dy, dt) - Corner(0, dy, dt)));
        double Plane(int dt) => Row(0, dt) + (ey * (Row(1, dt) - Row(0, dt)));
        return Plane(0) + (et * (Plane(1) - Plane(0)));
    }

    private static double Ease(double t) => t * t * (3 - (2 * t));

    private static ulong Mix(long seed, long first, long second, long third)
    {
        var random = new DemoRandom((ulong)seed ^ ((ulong)first * 0x9E3779B97F4A7C15) ^ ((ulong)second * 0xC2B2AE3D27D4EB4F) ^ ((ulong)third * 0x165667B19E3779F9));
        return random.NextBits();
    }
}
