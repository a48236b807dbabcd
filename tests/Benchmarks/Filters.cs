using System.Diagnostics;
using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Benchmarks;

/// <summary>What an indicator's filter costs per row, beside the same condition written by hand over the same columns.</summary>
internal static class Filters
{
    private const int Rows = 10_000;
    private const int Passes = 500;

    public static int Run(int repeats)
    {
        var contract = CompiledContract.Compile(new(1,
            [
                Field("station", FieldType.String, FieldRole.Series), Field("time", FieldType.DateTime, FieldRole.Time),
                Field("no2", FieldType.Number, FieldRole.Measure), Field("kind", FieldType.String, FieldRole.Dimension),
            ],
            ["station", "time"], [""]), DatasetKind.Observations);
        string?[] kinds = ["traffic", "background", "industry", null];
        var block = new RowBlock
        {
            Count = Rows,
            Columns =
            [
                Column.OfTexts([.. Enumerable.Range(0, Rows).Select(i => $"mc-{i % 100:D3}")]), Column.OfIntegers([.. Enumerable.Range(0, Rows).Select(i => (long)i)]),
                Column.OfNumbers([.. Enumerable.Range(0, Rows).Select(i => i % 13 == 0 ? double.NaN : i % 97)]), Column.OfTexts([.. Enumerable.Range(0, Rows).Select(i => kinds[i % 4])]),
            ],
        };

        Console.WriteLine("| filter | compiled, ns a row | written by hand, ns a row | bytes a row |");
        Console.WriteLine("| --- | ---: | ---: | ---: |");
        Measure("no2 > 40", (rows, row) => rows.Columns[2].Numbers![row] > 40);
        Measure("no2 >= 10 AND kind IN ('traffic', 'background') AND NOT station LIKE 'test-%'", (rows, row) =>
            rows.Columns[2].Numbers![row] >= 10 && rows.Columns[3].Texts![row] is "traffic" or "background" && rows.Columns[0].Texts![row] is { } station && !station.StartsWith("test-", StringComparison.Ordinal));
        return 0;

        void Measure(string filter, RowPredicate byHand)
        {
            var compiled = RowPredicates.For(contract, filter);
            if (Count(compiled, 1) != Count(byHand, 1)) throw new InvalidOperationException($"{filter}: the two do not say the same");
            var figures = new List<(double Compiled, double ByHand)>();
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            Count(compiled, Passes);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Count(byHand, Passes);
            for (var repeat = 0; repeat < repeats; repeat++) figures.Add((Nanoseconds(compiled), Nanoseconds(byHand)));
            var (a, b) = (figures.Select(f => f.Compiled).Order().ElementAt(repeats / 2), figures.Select(f => f.ByHand).Order().ElementAt(repeats / 2));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| `{filter}` | {a:F1} | {b:F1} | {allocated / (double)Rows / Passes:F0} |"));
        }

        double Nanoseconds(RowPredicate holds)
        {
            var start = Stopwatch.GetTimestamp();
            Count(holds, Passes);
            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Rows / Passes;
        }

        int Count(RowPredicate holds, int passes)
        {
            var count = 0;
            for (var pass = 0; pass < passes; pass++)
            {
                for (var row = 0; row < Rows; row++)
                    if (holds(block, row)) count++;
            }

            return count;
        }

        static FieldSpec Field(string name, FieldType type, FieldRole role) => new(name, type, null, role, FieldConstraints.None, null, null, null);
    }
}
