using System.Globalization;
using System.Text;

namespace DataHub.Benchmarks;

/// <summary>The rows that are pushed and inserted: a thousand stations in 542 areas, each reporting once a minute.</summary>
internal static class Rows
{
    public const int Stations = 1_000;

    private static readonly DateTimeOffset Start = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);

    public static string Station(int row) => string.Create(CultureInfo.InvariantCulture, $"mc{row % Stations:D4}");

    public static DateTimeOffset Time(int row) => Start.AddMinutes(row / Stations);

    public static string Area(int row) => AreaId(row % Stations % 542);

    public static double Value(int row) => Math.Round(20 + (15 * Math.Sin(row * 0.37)) + (row % 7), 1);

    /// <summary>Twelve areas at level 0, 542 below them.</summary>
    public static string AreaId(int number) => string.Create(CultureInfo.InvariantCulture, $"{(number % 12) + 1:D2}{number:D6}");

    public static string AreasCsv()
    {
        var csv = new StringBuilder("id,parent,name,level\n");
        for (var top = 1; top <= 12; top++) csv.Append(CultureInfo.InvariantCulture, $"{top:D2},,Bezirk {top},0\n");
        for (var number = 0; number < 542; number++) csv.Append(CultureInfo.InvariantCulture, $"{AreaId(number)},{(number % 12) + 1:D2},Raum {number},1\n");
        return csv.ToString();
    }

    /// <summary>The same areas with polygons of 24 corners, side by side in a grid.</summary>
    public static byte[] AreasGeoJson()
    {
        var json = new StringBuilder("""{"type":"FeatureCollection","features":[""");
        for (var top = 1; top <= 12; top++) Feature($"{top:D2}", null, $"Bezirk {top}", 0, null);
        for (var number = 0; number < 542; number++) Feature(AreaId(number), $"{(number % 12) + 1:D2}", $"Raum {number}", 1, Polygon(13 + (number % 27 * 0.03), 52.3 + (number / 27 * 0.02)));
        json.Length--;
        return Encoding.UTF8.GetBytes(json.Append("]}").ToString());

        void Feature(string id, string? parent, string name, int level, string? geometry)
        {
            var above = parent is null ? "null" : $"\"{parent}\"";
            json.Append(CultureInfo.InvariantCulture,
                $$$"""{"type":"Feature","geometry":{{{geometry ?? "null"}}},"properties":{"id":"{{{id}}}","parent":{{{above}}},"name":"{{{name}}}","level":{{{level}}}}},""");
        }

        static string Polygon(double longitude, double latitude)
        {
            var corners = Enumerable.Range(0, 25).Select(corner => corner % 24 * Math.Tau / 24)
                .Select(angle => string.Create(CultureInfo.InvariantCulture, $"[{longitude + (0.01 * Math.Cos(angle)):F6},{latitude + (0.008 * Math.Sin(angle)):F6}]"));
            return $$"""{"type":"Polygon","coordinates":[[{{string.Join(',', corners)}}]]}""";
        }
    }

    /// <summary>One push: a JSON array of consecutive rows.</summary>
    public static byte[] Push(int first, int count)
    {
        var json = new StringBuilder("[");
        for (var row = first; row < first + count; row++)
        {
            if (row > first) json.Append(',');
            json.Append(CultureInfo.InvariantCulture,
                $$"""{"station":"{{Station(row)}}","time":"{{Time(row).UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}}","area":"{{Area(row)}}","no2":{{Value(row)}}}""");
        }

        return Encoding.UTF8.GetBytes(json.Append(']').ToString());
    }
}
