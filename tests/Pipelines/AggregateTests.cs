using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Logging.Abstractions;

namespace DataHub.Pipelines;

/// <summary>Aggregates as the engine computes them; what is expected was reckoned by hand or by code of its own.</summary>
[Collection(nameof(SqlEngineTests))]
public sealed class AggregateTests
{
    private static readonly TableColumn[] s_columns = [new("Ort", FieldType.String), new("zeit", FieldType.DateTime), new("x", FieldType.Number), new("n", FieldType.Integer)];

    private readonly DuckDbEngine _engine = new(NullLogger<DuckDbEngine>.Instance);

    [Fact]
    public async Task Every_function_gives_what_is_reckoned_by_hand()
    {
        var step = new AggregateStep("t", [new("ort")],
        [
            new("zeilen", "count"), new("werte", "count") { Column = "x" }, new("verschieden", "countDistinct") { Column = "n" }, new("summe", "sum") { Column = "x" }, new("summe_n", "sum") { Column = "n" },
            new("mittel", "mean") { Column = "n" }, new("kleinster", "min") { Column = "x" }, new("letzter", "max") { Column = "Zeit" }, new("mitte", "median") { Column = "x" }, new("q", "quantile") { Column = "n", Share = 0.25 },
        ]);
        var late = Instant("2026-03-02T00:00:00Z");
        var result = await RunAsync(step, Rows(("a", "2026-03-01T00:00:00Z", 1.5, 4), ("a", "2026-03-02T00:00:00Z", 2.5, 4), ("a", "2026-02-01T00:00:00Z", null, 1), (null, "2026-03-01T00:00:00Z", null, null)));

        // Of 1, 4 and 4 a quarter lies below 2.5: halfway between the first and the second.
        Assert.Equal(["a", 3L, 2L, 2L, 4.0, 9L, 3.0, 1.5, late, 2.0, 2.5], result[0]);
        Assert.Equal([null, 1L, 0L, 0L, null, null, null, null, Instant("2026-03-01T00:00:00Z"), null, null], result[1]);
        Assert.Equal(2, result.Length);
    }

    [Fact]
    public async Task All_rows_together_are_one_group_and_no_rows_too()
    {
        var step = new AggregateStep("t", [], [new("n", "count"), new("summe", "sum") { Column = "n" }]);
        Assert.Equal([2L, 5L], Assert.Single(await RunAsync(step, Rows(("a", "2026-03-01T00:00:00Z", null, 2), ("b", "2026-03-01T00:00:00Z", null, 3)))));
        Assert.Equal([0L, null], Assert.Single(await RunAsync(step, Rows())));
        Assert.Empty(await RunAsync(step with { MinimumCount = 2 }, Rows()));
    }

    [Fact]
    public async Task Sums_and_means_do_not_depend_on_the_order_of_rows_and_carry_what_is_small()
    {
        var step = new AggregateStep("t", [new("Ort")], [new("summe", "sum") { Column = "x" }, new("mittel", "mean") { Column = "x" }]);
        var random = new Random(7);
        var rows = Enumerable.Range(0, 400).Select(i => ((string?)(i % 4 == 0 ? "a" : "b"), "2026-03-01T00:00:00Z", (double?)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-8, 16))), (long?)1))
            .Concat(Enumerable.Repeat(((string?)"zehntel", "2026-03-01T00:00:00Z", (double?)0.1, (long?)1), 10)).ToArray();
        var first = await RunAsync(step, Rows(rows));
        for (var i = 0; i < 3; i++)
        {
            random.Shuffle(rows);
            Assert.Equal(first.SelectMany(row => row), (await RunAsync(step, Rows(rows))).SelectMany(row => row));
        }

        // One after the other they come to 0.9999999999999999.
        Assert.Equal(["zehntel", 1.0, 0.1], first.Single(row => (string?)row[0] == "zehntel"));
        foreach (var group in rows.GroupBy(row => row.Item1))
        {
            // Exactly, in units of the smallest number there is; what is allowed is two roundings of all that is added.
            var exact = group.Aggregate(System.Numerics.BigInteger.Zero, (sum, row) => sum + Units(row.Item3!.Value));
            var error = System.Numerics.BigInteger.Abs(exact - Units((double)first.Single(row => (string?)row[0] == group.Key)[1]!));
            Assert.True(error <= Units(group.Sum(row => Math.Abs(row.Item3!.Value)) * 4.5e-16), group.Key);
        }
    }

    [Fact]
    public async Task Windows_of_time_follow_the_calendar_of_their_zone()
    {
        string[] times = ["2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-11-29T12:00:00Z"];
        var rows = Rows([.. times.Select(time => ((string?)"a", time, (double?)null, (long?)null))]);
        Assert.Equal([Day(2026, 3, 1), Day(2026, 4, 1), Day(2026, 10, 1), Day(2026, 11, 1)], await WindowsAsync("month"));
        Assert.Equal([Day(2026, 3, 31), Day(2026, 4, 1), Day(2026, 10, 25), Day(2026, 11, 29)], await WindowsAsync("day"));
        Assert.Equal([Day(2026, 3, 30), Day(2026, 10, 19), Day(2026, 11, 23)], await WindowsAsync("week"));
        Assert.Equal([Day(2026, 1, 1), Day(2026, 4, 1), Day(2026, 10, 1)], await WindowsAsync("quarter"));
        Assert.Equal([Day(2026, 3, 1), Day(2026, 10, 1), Day(2026, 11, 1)], await WindowsAsync("month", "UTC"));
        // The clock shows 2:30 twice that night, in two different hours.
        Assert.Equal([Instant("2026-03-31T21:00:00Z"), Instant("2026-03-31T22:00:00Z"), Instant("2026-10-25T00:00:00Z"), Instant("2026-10-25T01:00:00Z"), Instant("2026-11-29T12:00:00Z")], await WindowsAsync("hour"));
        // Kathmandu's clocks are at 5:45 when it is midnight here.
        Assert.Equal(Instant("2026-03-31T21:15:00Z"), (await WindowsAsync("hour", "Asia/Kathmandu"))[0]);

        async Task<object?[]> WindowsAsync(string unit, string? zone = null) =>
            [.. (await RunAsync(new("t", [new("zeit") { Unit = unit, Zone = zone, Name = "fenster" }], [new("n", "count")]), rows)).Select(row => row[0])];
    }

    [Fact]
    public async Task Small_groups_are_left_out_and_counted()
    {
        var step = new AggregateStep("t", [new("ort")], [new("n", "count")]) { MinimumCount = 3 };
        var rows = Rows([.. "aaabbcddd".Select(ort => ((string?)ort.ToString(), "2026-03-01T00:00:00Z", (double?)null, (long?)null))]);
        Assert.Equal(["a", 3L, "d", 3L], (await RunAsync(step, rows)).SelectMany(row => row));
        var (_, batches) = await _engine.RunAsync([SqlTables.Input("t", s_columns, rows)], AggregateRules.LeftOut(step, s_columns)!);
        Assert.Equal(2L, batches.Values()[0][0]);
        Assert.Equal("2 Gruppen mit weniger als 3 Zeilen sind weggelassen.", AggregateRules.Note(step, 2)!.Text.De);
        Assert.Null(AggregateRules.Note(step, 0));
    }

    [Fact]
    public void A_column_that_is_not_there_or_no_number_is_refused()
    {
        Assert.Contains("keine Spalte „ort2“", Refused(new("t", [new("ort2")], [new("n", "count")])), StringComparison.Ordinal);
        Assert.Contains("„Ort“ der Tabelle „t“ ist von der Art string", Refused(new("t", [], [new("n", "sum") { Column = "Ort" }])), StringComparison.Ordinal);
        Assert.Contains("nötig ist: date, datetime", Refused(new("t", [new("n") { Unit = "day" }], [new("z", "count")])), StringComparison.Ordinal);

        AggregateStep days = new("t", [new("tag") { Unit = "month", Zone = "Europe/Berlin" }], [new("n", "count")]);
        Assert.Contains("„tag“ der Tabelle „t“ hat Tage, keine Zeitpunkte", Assert.Throws<StepException>(() => AggregateRules.Columns(days, [new("tag", FieldType.Date)])).Reason.De, StringComparison.Ordinal);

        static string Refused(AggregateStep step) => Assert.Throws<StepException>(() => AggregateRules.Columns(step, s_columns)).Reason.De;
    }

    private async Task<object?[][]> RunAsync(AggregateStep step, Column[] rows)
    {
        var (columns, batches) = await _engine.RunAsync([SqlTables.Input("t", s_columns, rows)], AggregateRules.Statement(step, s_columns));
        Assert.Equal(AggregateRules.Columns(step, s_columns), columns);
        return batches.Values();
    }

    private static Column[] Rows(params (string? Ort, string Zeit, double? X, long? N)[] rows) =>
    [
        Column.OfTexts([.. rows.Select(row => row.Ort)]), Column.OfIntegers([.. rows.Select(row => Instant(row.Zeit))]), Column.OfNumbers([.. rows.Select(row => row.X ?? double.NaN)]),
        Column.OfIntegers([.. rows.Select(row => row.N ?? Column.NullInteger)]),
    ];

    private static System.Numerics.BigInteger Units(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var (exponent, mantissa) = ((int)((bits >> 52) & 0x7FF), bits & 0xFFFFFFFFFFFFF);
        var units = exponent == 0 ? mantissa : new System.Numerics.BigInteger(mantissa | (1L << 52)) << (exponent - 1);
        return value < 0 ? -units : units;
    }

    private static long Day(int year, int month, int day) => new DateOnly(year, month, day).DayNumber;

    private static long Instant(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture).UtcTicks;
}
