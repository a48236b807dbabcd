using System.Globalization;
using System.Numerics;
using System.Text;

using CsCheck;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>
/// Generated filters over generated rows: the compiled predicate says true exactly where an evaluation with three values
/// does, that walks the expression and shares no code with the hub.
/// </summary>
public sealed class FilterEqualsEvaluationTests
{
    private static readonly FieldSpec[] Fields =
    [
        FilterTests.Field("id", FieldType.Integer), FilterTests.Field("n", FieldType.Number), FilterTests.Field("m", FieldType.Number), FilterTests.Field("i", FieldType.Integer),
        FilterTests.Field("y", FieldType.Year), FilterTests.Field("t", FieldType.String), FilterTests.Field("u", FieldType.Any), FilterTests.Field("b", FieldType.Boolean),
        FilterTests.Field("c", FieldType.Boolean), FilterTests.Field("d", FieldType.Date), FilterTests.Field("s", FieldType.DateTime), FilterTests.Field("clock", FieldType.Time),
        FilterTests.Field("month", FieldType.YearMonth),
    ];

    private static readonly double?[] Numbers = [null, -1.5, 0, 2, 2.5, 3, 40, 9_007_199_254_740_992, 9.3e18, 1e150];
    private static readonly long?[] Integers = [null, -2, 0, 2, 3, 40, 9_007_199_254_740_993, long.MaxValue, long.MinValue + 1];
    private static readonly long?[] Years = [null, 1999, 2, 40];
    private static readonly string?[] Texts = [null, "", "a", "ab", "b", "aab", "A%", "a_b", "ä", "𝄞", "\uFFFD", "o'x", "a\\b", "2"];
    private static readonly bool?[] Booleans = [null, true, false];
    private static readonly DateOnly?[] Days = [null, new(2026, 3, 29), new(2026, 11, 24), new(1999, 1, 1)];
    private static readonly DateTimeOffset?[] Instants = [null, new(2026, 3, 29, 1, 0, 0, TimeSpan.Zero), new(2026, 11, 24, 7, 0, 0, TimeSpan.Zero), new(2026, 11, 24, 7, 0, 0, 1, TimeSpan.Zero)];
    private static readonly TimeOnly?[] Clocks = [null, new(0, 0), new(8, 30), new(8, 30, 1)];
    private static readonly (int Year, int Month)?[] Months = [null, (2026, 1), (2026, 11), (1999, 12)];

    private static readonly Gen<object?[]> GenRow = Gen.Int[0, 1_000_000].Array[13].Select(random => (object?[])
    [
        0L, Pick(Numbers, random[1]), Pick(Numbers, random[2]), Pick(Integers, random[3]), Pick(Years, random[4]), Pick(Texts, random[5]), Pick(Texts, random[6]),
        Pick(Booleans, random[7]), Pick(Booleans, random[8]), Pick(Days, random[9]), Pick(Instants, random[10]), Pick(Clocks, random[11]), Pick(Months, random[12]),
    ]);

    private sealed record Node(string Text, Func<object?[], bool?> Of)
    {
        public override string ToString() => Text;
    }

    /// <summary>A number in a filter: beside a double it is read as one, as rows are; beside a whole number nothing is rounded.</summary>
    private sealed record Written(double Near, object Exact);

    private sealed record Operand(string Text, Func<object?[], object?> Of);

    private static readonly CompiledContract Contract = CompiledContract.Compile(new(1, Fields, ["id"], [""]), DatasetKind.Records);

    /// <summary>The same without the last fields, as if they had come later.</summary>
    private static readonly CompiledContract Older = CompiledContract.Compile(new(1, Fields[..7], ["id"], [""]), DatasetKind.Records);

    [Fact]
    public void The_predicate_is_true_where_the_evaluation_is()
    {
        var trues = 0;
        var rows = 0;
        Gen.Select(GenNode(3), GenRow.Array[1, 20]).Sample((node, generated) =>
        {
            Assert.Null(RowPredicates.Fault(node.Text, Fields, FilterLimits.Greatest)?.En);
            var block = Block(generated, Fields.Length);
            var holds = RowPredicates.For(Contract, node.Text);
            var cut = Block(generated, 7);
            var older = RowPredicates.For(Older, node.Text);
            for (var row = 0; row < generated.Length; row++)
            {
                var expected = node.Of(generated[row]) == true;
                Assert.Equal(expected, holds(block, row));
                Assert.Equal(node.Of([.. generated[row][..7], .. new object?[6]]) == true, older(cut, row));
                Interlocked.Add(ref trues, expected ? 1 : 0);
                Interlocked.Increment(ref rows);
            }
        }, iter: 1_500, threads: 1, print: sample => $"{sample.Item1.Text} over {string.Join(" | ", sample.Item2.Select(row => string.Join(", ", row.Select(value => value ?? "null"))))}");

        // Neither answer is rare, so the equality says something.
        Assert.InRange(trues, rows / 10, rows * 9 / 10);
    }

    // ---- expressions with their meaning ----

    private static Gen<Node> GenNode(int depth)
    {
        if (depth == 0) return GenCondition;
        var inner = GenNode(depth - 1);
        return Gen.Frequency(
            (2, GenCondition),
            (2, inner.Array[2, 4].Select(parts => new Node(string.Join(" AND ", parts.Select(Closed)), row => And(parts.Select(part => part.Of(row)))))),
            (2, inner.Array[2, 4].Select(parts => new Node(string.Join(" or ", parts.Select(Closed)), row => Not(And(parts.Select(part => Not(part.Of(row)))))))),
            (2, inner.Select(part => new Node($"NOT {Closed(part)}", row => Not(part.Of(row))))));

        static string Closed(Node node) => $"({node.Text})";
    }

    private static readonly Gen<(Operand[] Fields, Gen<Operand> Literal)> GenType = One<(Operand[], Gen<Operand>)>(
        ([Field(1), Field(2), Field(3), Field(4)], Gen.OneOf(
            One(Numbers[1..]).Select(n => new Operand(n!.Value.ToString("R", CultureInfo.InvariantCulture), _ => new Written(n.Value, n.Value))),
            One(Integers[1..]).Select(i => new Operand(i!.Value.ToString(CultureInfo.InvariantCulture), _ => new Written(i.Value, i.Value))))),
        ([Field(5), Field(6)], One(Texts[1..]).Select(t => new Operand(Quoted(t!), _ => t))),
        ([Field(7), Field(8)], Gen.Bool.Select(b => new Operand(b ? "TRUE" : "false", _ => b))),
        ([Field(9)], One(Days[1..]).Select(d => new Operand($"DATE('{d:yyyy-MM-dd}')", _ => d))),
        ([Field(10)], Gen.Select(One(Instants[1..]), Gen.Int[-10, 12]).Select((s, hours) => new Operand($"TIMESTAMP('{s!.Value.ToOffset(TimeSpan.FromHours(hours)):yyyy-MM-ddTHH:mm:ss.fffzzz}')", _ => s))));

    private static readonly Gen<Node> GenCondition = Gen.Frequency(
        (6, GenType.SelectMany(type => Gen.Select(GenOperand(type), GenOperand(type), One("=", "<>", "<", "<=", ">", ">=")))
            .Select((a, b, comparison) => (a, b, comparison: IsBoolean(a) ? "<>" : comparison))
            .Select(test => new Node($"{test.a.Text} {test.comparison} {test.b.Text}", row => Compare(test.a.Of(row), test.comparison, test.b.Of(row))))),
        (2, GenType.Where(type => !IsBoolean(type.Fields[0])).SelectMany(type => Gen.Select(GenOperand(type), GenOperand(type), GenOperand(type), Gen.Bool))
            .Select((value, low, high, not) => new Node($"{value.Text} {(not ? "NOT " : "")}BETWEEN {low.Text} and {high.Text}", row =>
                NotIf(not, And([Compare(value.Of(row), ">=", low.Of(row)), Compare(value.Of(row), "<=", high.Of(row))]))))),
        (3, GenType.SelectMany(type => Gen.Select(GenOperand(type), Gen.Frequency((1, GenOperand(type)), (4, type.Literal)).Array[1, 8], Gen.Bool))
            .Select((value, items, not) => new Node($"{value.Text} {(not ? "not " : "")}IN ({string.Join(", ", items.Select(item => item.Text))})", row =>
                NotIf(not, Not(And(items.Select(item => Not(Compare(value.Of(row), "=", item.Of(row)))))))))),
        (3, Gen.Select(Gen.OneOf(One(Field(5), Field(6)), One(Texts[1..]).Select(t => new Operand(Quoted(t!), _ => t))), One("a", "b", "%", "_", "\\%", "\\_", "\\\\", "ä", "𝄞").Array[0, 5], Gen.Bool)
            .Select((value, pattern, not) => new Node($"{value.Text} {(not ? "NOT " : "")}LIKE {Quoted(string.Concat(pattern))}", row =>
                NotIf(not, value.Of(row) is string text ? Like([.. text.EnumerateRunes()], pattern) : null)))),
        (2, Gen.Select(Gen.Int[1, 12], Gen.Bool).Select((field, not) => new Node($"{Fields[field].Name} IS {(not ? "NOT " : "")}NULL", row => (row[field] is null) != not))),
        (1, Gen.Select(One("=", "<>", "<", "<=", ">", ">="), One(Clocks[1..])).Select((comparison, clock) =>
            new Node($"clock {comparison} '{clock!.Value.ToString("HH:mm:ss", CultureInfo.InvariantCulture)}'", row => Compare(row[11], comparison, clock)))),
        (1, Gen.Select(One("=", "<>", "<", "<=", ">", ">="), One(Months[1..])).Select((comparison, month) =>
            new Node($"'{month!.Value.Year:D4}-{month.Value.Month:D2}' {comparison} month", row => Compare(month, comparison, row[12])))),
        (1, Gen.Bool.Select(value => new Node(value ? "true" : "FALSE", _ => value))));

    private static Gen<T> One<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Gen<Operand> GenOperand((Operand[] Fields, Gen<Operand> Literal) type) => Gen.Frequency((3, One(type.Fields)), (2, type.Literal));

    private static Operand Field(int index) => new($"\"{Fields[index].Name}\"", row => row[index]);

    private static bool IsBoolean(Operand operand) => operand.Text is "\"b\"" or "\"c\"" or "TRUE" or "false";

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    // ---- what they mean ----

    private static bool? Not(bool? value) => !value;

    private static bool? NotIf(bool not, bool? value) => not ? !value : value;

    private static bool? And(IEnumerable<bool?> parts) => parts.Aggregate((bool?)true, (all, part) => all & part);

    private static bool? Compare(object? a, string comparison, object? b)
    {
        if (a is null || b is null) return null;
        (a, b) = (Read(a, b), Read(b, a));
        var order = (a, b) switch
        {
            (string x, string y) => Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y)),
            (double or long, double or long) => Exact(a).CompareTo(Exact(b)),
            _ => Comparer<object>.Default.Compare(a, b),
        };
        return comparison switch { "=" => order == 0, "<>" => order != 0, "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    private static object Read(object value, object beside) => value is Written written ? beside is double ? written.Near : written.Exact : value;

    private static BigInteger Exact(object number) => number is long whole ? whole * BigInteger.Pow(2, 1_074) : Oracle.Exact((double)number);

    private static bool Like(ReadOnlySpan<Rune> text, ReadOnlySpan<string> pattern)
    {
        if (pattern.IsEmpty) return text.IsEmpty;
        if (pattern[0] == "%") return Like(text, pattern[1..]) || (!text.IsEmpty && Like(text[1..], pattern));
        return !text.IsEmpty && (pattern[0] == "_" || pattern[0].TrimStart('\\') == text[0].ToString() || (pattern[0] == "\\\\" && text[0].Value == '\\')) && Like(text[1..], pattern[1..]);
    }

    // ---- rows ----

    private static object? Pick<T>(T[] values, int random) => values[random % values.Length];

    private static RowBlock Block(object?[][] rows, int columns) => new()
    {
        Count = rows.Length,
        Columns = [.. Enumerable.Range(0, columns).Select(field => Fields[field].Type switch
        {
            FieldType.String or FieldType.Any => Column.OfTexts([.. rows.Select(row => (string?)row[field])]),
            FieldType.Number => Column.OfNumbers([.. rows.Select(row => (double?)row[field] ?? double.NaN)]),
            FieldType.Boolean => Column.OfBooleans([.. rows.Select(row => row[field] is bool b ? b ? (byte)1 : (byte)0 : (byte)255)]),
            _ => Column.OfIntegers([.. rows.Select(row => row[field] switch
            {
                null => long.MinValue,
                DateOnly day => day.DayNumber,
                DateTimeOffset instant => instant.UtcTicks,
                TimeOnly clock => clock.Ticks,
                (int year, int month) => (year * 12L) + month - 1,
                var whole => (long)whole,
            })]),
        })],
    };
}
