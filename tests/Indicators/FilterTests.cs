using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

public sealed class FilterTests
{
    private static readonly FieldSpec[] Fields =
    [
        Field("station", FieldType.String, FieldRole.Series), Field("time", FieldType.DateTime, FieldRole.Time), Field("no2", FieldType.Number, FieldRole.Measure),
        Field("cars", FieldType.Integer), Field("open", FieldType.Boolean), Field("day", FieldType.Date), Field("clock", FieldType.Time), Field("month", FieldType.YearMonth),
        Field("built", FieldType.Year), Field("length", FieldType.Duration), Field("place", FieldType.GeoPoint), Field("name", FieldType.String, FieldRole.Personal),
        Field("pm2-5", FieldType.Number), Field("date", FieldType.String), Field("in", FieldType.Integer), Field("a\"b", FieldType.Integer), Field("straße", FieldType.String),
    ];

    private static readonly CompiledContract Contract = CompiledContract.Compile(new(1, Fields, ["station", "time"], [""]), DatasetKind.Observations);

    private static readonly FilterLimits Limits = FilterLimits.Of(new());

    private static readonly Dictionary<string, object?> Row = new()
    {
        ["station"] = "mc-117",
        ["time"] = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.FromHours(1)),
        ["no2"] = 40.5,
        ["cars"] = 9_007_199_254_740_993,
        ["open"] = true,
        ["day"] = new DateOnly(2026, 11, 24),
        ["clock"] = new TimeOnly(8, 30),
        ["month"] = (2026, 11),
        ["built"] = 1_999L,
        ["pm2-5"] = -3.0,
        ["date"] = "Tag",
        ["in"] = 7L,
        ["a\"b"] = 0L,
        ["straße"] = "Karl-Marx-Straße 𝄞 100%",
    };

    [Theory]
    [InlineData("no2 > 40")]
    [InlineData("no2 = 40.5 and no2=4.05E1 AnD no2 = 405e-1")]
    [InlineData("40 < no2")]
    [InlineData("no2 <> 40")]
    [InlineData("not no2 <= .5")]
    [InlineData("\"no2\" >= +40.5")]
    [InlineData("\"pm2-5\" = -3 AND \"in\" = 7 AND \"a\"\"b\" = 0 AND date = 'Tag'")]
    [InlineData("cars = 9007199254740993 AND cars <> 9007199254740992 AND cars > 9007199254740992 AND cars < 9007199254740993.9e3")]
    [InlineData("cars > 2.5 AND cars < 1e30 AND cars > -1e30 AND NOT cars = 2.5 AND cars <> 1e19")]
    [InlineData("cars > no2 AND no2 < cars AND cars <> no2")]
    [InlineData("open = TRUE AND open <> FALSE AND NOT (open = FALSE) AND open IN (TRUE)")]
    [InlineData("day = DATE('2026-11-24') AND day > DATE('2026-11-23')")]
    [InlineData("time = TIMESTAMP('2026-11-24T07:00:00Z') AND time < timestamp('2026-11-24T08:00:00.001+01:00')")]
    [InlineData("time BETWEEN TIMESTAMP('2026-11-24T08:00:00+01:00') AND TIMESTAMP('2026-11-24T09:00:00+01:00')")]
    [InlineData("clock >= '08:30' AND clock < '08:30:00.5' AND month = '2026-11' AND month NOT IN ('2026-10', '2026-12')")]
    [InlineData("built BETWEEN 1990 AND 1999 AND built NOT BETWEEN 2000 AND 2010 AND built = 1999.0")]
    [InlineData("no2 IN (1, 2, 3, 4, 5, 40.5) AND no2 NOT IN (1, 2, 3, 4, 5, 6) AND no2 IN (cars, 40.5)")]
    [InlineData("station IN ('a', 'b', 'c', 'd', 'e', 'mc-117') AND cars IN (1, 2, 3, 4.5, 1e300, 9007199254740993)")]
    [InlineData("station LIKE 'mc-%' AND station LIKE '%117' AND station LIKE '%-%' AND station LIKE 'mc-117' AND station LIKE 'm__1%7'")]
    [InlineData("station NOT LIKE 'MC-%' AND station NOT LIKE 'mc' AND station NOT LIKE '_c' AND station NOT LIKE ''")]
    [InlineData("straße LIKE '%Straße _ 100\\%' AND straße NOT LIKE '%Straße __ 100\\%' AND straße LIKE '%' AND straße LIKE '%%x%%a%' OR straße LIKE 'K%x-%𝄞%'")]
    [InlineData("station <> 'it''s' AND station < 'o\\'x' AND 'o\\'x' = 'o''x' AND 'a\\b' LIKE '%\\\\_' AND 'a\\\\' LIKE '%\\\\' AND station NOT LIKE '%\\\\'")]
    [InlineData("length IS NULL AND place IS NULL AND no2 IS NOT NULL AND NOT length IS NOT NULL")]
    [InlineData("TRUE AND NOT FALSE")]
    [InlineData("no2 > 100 AND no2 > 50 OR no2 > 40")]
    [InlineData("no2 > 40 OR no2 > 50 AND no2 > 100")]
    [InlineData("(no2 > 40 OR no2 > 50) AND NOT (no2 > 100 OR NOT no2 > 40)")]
    [InlineData("\n\tno2>40\r\n")]
    public void It_is_true(string filter)
    {
        Assert.Null(RowPredicates.Fault(filter, Fields, Limits)?.En);
        Assert.True(Holds(filter, Row));
        Assert.False(Holds($"NOT ({filter})", Row));
    }

    [Theory]
    [InlineData("no2 > 40")]
    [InlineData("no2 <> 40")]
    [InlineData("no2 IN (40.5, 41)")]
    [InlineData("no2 IN (1, 2, 3, 4, 5, 6)")]
    [InlineData("no2 BETWEEN 1 AND 2")]
    [InlineData("cars <> 1")]
    [InlineData("cars > no2")]
    [InlineData("cars IN (1, 2, 3, 4, 5, 6)")]
    [InlineData("open = FALSE")]
    [InlineData("open <> FALSE")]
    [InlineData("station = 'x'")]
    [InlineData("station > 'x'")]
    [InlineData("station LIKE '%'")]
    [InlineData("station IN ('a', 'b', 'c', 'd', 'e', 'f')")]
    [InlineData("time > TIMESTAMP('2026-11-24T07:00:00Z')")]
    [InlineData("day <> DATE('2026-11-24')")]
    [InlineData("clock <> '08:00'")]
    public void Over_null_it_is_neither_true_nor_false(string filter)
    {
        var nothing = new Dictionary<string, object?>();
        Assert.False(Holds(filter, nothing));
        Assert.False(Holds($"NOT ({filter})", nothing));
        Assert.False(Holds($"({filter}) AND TRUE", nothing));
        Assert.True(Holds($"({filter}) OR TRUE", nothing));
        Assert.True(Holds($"NOT (({filter}) AND FALSE)", nothing));
    }

    [Fact]
    public void Texts_are_ordered_as_keys_are()
    {
        Assert.True(FilterOrder.Texts("\uFFFD", "𝄞") < 0);
        Assert.True(FilterOrder.Texts("a", "ab") < 0);
        Assert.True(FilterOrder.Texts("Z", "a") < 0);
        Assert.Equal(0, FilterOrder.Texts("ä", "ä"));
    }

    [Fact]
    public void A_field_that_came_with_a_later_contract_is_null_in_older_rows()
    {
        var older = CompiledContract.Compile(Contract.Schema with { Fields = Fields[..3] }, DatasetKind.Observations);
        var block = new RowBlock { Count = 1, Columns = [Column.OfTexts(["a"]), Column.OfIntegers([0]), Column.OfNumbers([50])] };
        Assert.True(RowPredicates.For(older, "no2 > 40 AND cars IS NULL")(block, 0));
        Assert.False(RowPredicates.For(older, "cars > 1 OR cars <= 1 OR straße LIKE '%' OR cars IN (1, no2) OR cars IS NOT NULL")(block, 0));
        Assert.False(RowPredicates.For(older, "NOT (cars > 1 AND straße NOT LIKE '%')")(block, 0));
        Assert.True(RowPredicates.For(older, "NOT (cars > 1 AND no2 < 40)")(block, 0));
    }

    [Fact]
    public void It_is_compiled_once_for_a_contract_version()
    {
        Assert.Same(RowPredicates.For(Contract, "no2 > 41"), RowPredicates.For(Contract, "no2 > 41"));
        var other = CompiledContract.Compile(Contract.Schema with { Version = 2 }, DatasetKind.Observations);
        Assert.NotSame(RowPredicates.For(Contract, "no2 > 41"), RowPredicates.For(other, "no2 > 41"));
    }

    [Fact]
    public void A_row_costs_no_memory()
    {
        var holds = RowPredicates.For(Contract, "no2 > 40 AND station IN ('a', 'b', 'c', 'd', 'e', 'mc-117') AND straße LIKE '%x%y%' OR cars < no2 OR day > DATE('2026-01-01') AND station >= 'm' AND open = TRUE");
        var block = Block(Row);
        holds(block, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++) holds(block, 0);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData("no > 40", "Zeichen 1: das Feld „no“ gibt es nicht; gemeint ist vielleicht no2.", "character 1: the field “no” does not exist; perhaps no2 is meant.")]
    [InlineData("pm2-5 > 3", "Zeichen 4: gefunden -, erwartet wird =, <>, <, <=, >, >=, IS NULL, IN, BETWEEN oder LIKE (mit NOT davor auch verneint).",
        "character 4: found -, expected is =, <>, <, <=, >, >=, IS NULL, IN, BETWEEN or LIKE (with NOT before it for the opposite).")]
    [InlineData("pm25 > 3", "Zeichen 1: das Feld „pm25“ gibt es nicht; gemeint ist vielleicht \"pm2-5\".", "character 1: the field “pm25” does not exist; perhaps \"pm2-5\" is meant.")]
    [InlineData("station = Hauptstraße", "Zeichen 11: das Feld „Hauptstraße“ gibt es nicht; ein Text wird 'Hauptstraße' geschrieben; Felder sind station, time, no2, cars, open, *",
        "character 11: the field “Hauptstraße” does not exist; a text is written 'Hauptstraße'; fields are station, *")]
    [InlineData("station = \"statio\"", "Zeichen 11: das Feld „statio“ gibt es nicht; gemeint ist vielleicht station oder der Text 'statio'.", "*perhaps station or the text 'statio' is meant.")]
    [InlineData("name = 'Ada'", "Zeichen 1: „name“ ist personenbezogen; danach wird nie gefiltert.", "character 1: “name” is personal; it is never filtered by.")]
    [InlineData("no2 > 1 OR name IS NULL", "Zeichen 12: „name“ ist personenbezogen*", "character 12: “name” is personal*")]
    [InlineData("no2 > 'viel'", "Zeichen 7: „no2“ (number) lässt sich nicht mit 'viel' (ein Text) vergleichen; erwartet wird eine Zahl wie 40.5.",
        "character 7: “no2” (number) cannot be compared with 'viel' (a text); expected is a number such as 40.5.")]
    [InlineData("5 = station", "Zeichen 1: „station“ (string) lässt sich nicht mit 5 (eine Zahl) vergleichen; erwartet wird ein Text wie 'Text'.", "character 1: *")]
    [InlineData("no2 = station", "Zeichen 7: „no2“ (number) lässt sich nicht mit „station“ (string) vergleichen; *", "*")]
    [InlineData("time > DATE('2026-11-24')", "*erwartet wird ein Zeitpunkt wie TIMESTAMP('2026-11-24T08:00:00+01:00').", "*expected is an instant such as TIMESTAMP('2026-11-24T08:00:00+01:00').")]
    [InlineData("day > TIMESTAMP('2026-11-24T00:00:00Z')", "*erwartet wird ein Datum wie DATE('2026-11-24').", "*expected is a date such as DATE('2026-11-24').")]
    [InlineData("day > '2026-11-24'", "*erwartet wird ein Datum wie DATE('2026-11-24').", "*")]
    [InlineData("day > DATE('24.11.2026')", "Zeichen 12: '24.11.2026' ist kein Datum; erwartet wird DATE('2026-11-24').", "character 12: '24.11.2026' is no date; expected is DATE('2026-11-24').")]
    [InlineData("day > DATE('2026-02-29')", "Zeichen 12: '2026-02-29' ist kein Datum*", "*")]
    [InlineData("time > TIMESTAMP('2026-11-24T08:00:00')", "Zeichen 18: '2026-11-24T08:00:00' sagt keinen Abstand zu UTC; *", "*says no offset from UTC*")]
    [InlineData("clock > '8 Uhr'", "Zeichen 9: '8 Uhr' ist nicht eine Uhrzeit; erwartet wird '08:30:00'.", "character 9: '8 Uhr' is not a time of day; expected is '08:30:00'.")]
    [InlineData("month > 11", "*erwartet wird ein Monat wie '2026-11'.", "*expected is a month such as '2026-11'.")]
    [InlineData("open > TRUE", "Zeichen 1: TRUE und FALSE haben keine Reihenfolge; erwartet wird = oder <>.", "*")]
    [InlineData("open", "Zeichen 5: der Text ist zu Ende; erwartet wird =, *", "character 5: the text has ended; expected is =, *")]
    [InlineData("length > 'PT1H'", "Zeichen 1: „length“ (duration) lässt sich nur mit IS NULL prüfen.", "character 1: “length” (duration) can only be asked for IS NULL.")]
    [InlineData("no2 LIKE '4%'", "Zeichen 1: LIKE vergleicht Texte; „no2“ (number) ist keiner.", "*")]
    [InlineData("station LIKE station", "Zeichen 14: gefunden station, erwartet wird ein Muster wie 'Haupt%'*", "*")]
    [InlineData("no2 = NULL", "Zeichen 7: gefunden NULL, erwartet wird IS NULL oder IS NOT NULL (nichts ist gleich NULL).", "*expected is IS NULL or IS NOT NULL (nothing equals NULL).")]
    [InlineData("5 IS NULL", "Zeichen 1: vor IS NULL steht ein Feld.", "*")]
    [InlineData("no2 IS 5", "Zeichen 8: gefunden 5, erwartet wird NULL oder NOT NULL.", "*")]
    [InlineData("no2 NOT 5", "Zeichen 9: gefunden 5, erwartet wird IN, BETWEEN oder LIKE.", "*")]
    [InlineData("no2 == 5", "Zeichen 5: gefunden ==, erwartet wird =.", "*")]
    [InlineData("no2 != 5", "Zeichen 5: gefunden !=, erwartet wird <>.", "*")]
    [InlineData("no2 > 5 && cars > 3", "Zeichen 9: gefunden &&, erwartet wird AND.", "*")]
    [InlineData("no2 > 1,5", "Zeichen 8: gefunden ,, erwartet wird AND, OR oder das Ende.", "*")]
    [InlineData("no2 > 5 * 3", "Zeichen 9: gefunden *; gerechnet wird in Filtern nicht.", "character 9: found *; filters do not calculate.")]
    [InlineData("no2 > 5 }", "Zeichen 9: das Zeichen } gehört in keinen Filter.", "*")]
    [InlineData("station = „a“", "Zeichen 11: gefunden „; Texte stehen in geraden einfachen Anführungszeichen: 'Text'.", "*")]
    [InlineData("station = 'a", "Zeichen 11: der Text wird nicht beendet; *", "*")]
    [InlineData("\"station = 'a'", "Zeichen 1: der Feldname wird nicht beendet; *", "*")]
    [InlineData("no2 > 5x", "Zeichen 7: 5x ist keine Zahl; *", "*")]
    [InlineData("no2 > 5e", "Zeichen 7: 5e ist keine Zahl; *", "*")]
    [InlineData("no2 > 1e999", "Zeichen 7: die Zahl 1e999 ist zu groß.", "*")]
    [InlineData("no2 > - cars", "Zeichen 9: gefunden cars, erwartet wird eine Zahl.", "*")]
    [InlineData("casei(station) = 'a'", "Zeichen 1: die Funktion casei gibt es hier nicht, *", "*there is no function casei here*")]
    [InlineData("(no2 > 5", "Zeichen 9: der Text ist zu Ende; erwartet wird AND, OR oder „)“.", "character 9: the text has ended; expected is AND, OR or “)”.")]
    [InlineData("no2 > 5)", "Zeichen 8: gefunden ), erwartet wird AND, OR oder das Ende.", "*")]
    [InlineData("no2 > 5 AND", "Zeichen 12: der Text ist zu Ende; erwartet wird eine Bedingung: *", "*")]
    [InlineData("no2 IN ()", "Zeichen 9: gefunden ), erwartet wird ein Feld oder ein Wert: *", "*")]
    [InlineData("no2 IN (1 2)", "Zeichen 11: gefunden 2, erwartet wird „,“ oder „)“.", "*")]
    [InlineData("no2 IN (1, 'a')", "Zeichen 12: „no2“ (number) lässt sich nicht mit 'a' (ein Text) vergleichen; *", "*")]
    [InlineData("no2 BETWEEN 1, 2", "Zeichen 14: gefunden ,, erwartet wird AND mit der oberen Grenze.", "*")]
    [InlineData(" ", "leer; *", "empty; *")]
    public void What_is_wrong_is_said_with_its_place_and_what_is_expected(string filter, string german, string english)
    {
        var fault = RowPredicates.Fault(filter, Fields, Limits);
        Assert.NotNull(fault);
        AssertLike(german, fault.De);
        AssertLike(english, fault.In("en"));
    }

    [Fact]
    public void Limits_are_kept_and_what_was_taken_once_is_read_for_ever()
    {
        var deep = new string('(', 32) + "no2 > 1" + new string(')', 32);
        Assert.Null(RowPredicates.Fault(deep, Fields, Limits));
        AssertLike("Zeichen 33: höchstens 32 Klammern und NOT ineinander.", RowPredicates.Fault($"({deep})", Fields, Limits)!.De);
        AssertLike("*at most 32 parentheses*", RowPredicates.Fault(string.Concat(Enumerable.Repeat("NOT ", 33)) + "no2 > 1", Fields, Limits)!.In("en"));

        var wide = string.Join(" OR ", Enumerable.Repeat("no2 > 1", 100));
        Assert.Null(RowPredicates.Fault(wide, Fields, Limits));
        AssertLike("*höchstens 100 Bedingungen.", RowPredicates.Fault(wide + " OR no2 > 1", Fields, Limits)!.De);

        var items = string.Join(',', Enumerable.Range(0, 1_000));
        Assert.Null(RowPredicates.Fault($"cars IN ({items})", Fields, Limits));
        AssertLike("*höchstens 1000 Werte in IN.", RowPredicates.Fault($"cars IN ({items}, 5)", Fields, Limits)!.De);
        AssertLike("höchstens 10000 Zeichen; es sind 10001.", RowPredicates.Fault("no2 > 1".PadRight(10_001), Fields, Limits)!.De);

        // Whatever the options say now.
        var most = string.Join(" AND ", Enumerable.Range(0, 1_000).Select(i => $"cars <> {i}"));
        Assert.True(Holds(new string('(', 100) + most + new string(')', 100), Row));
    }

    internal static FieldSpec Field(string name, FieldType type, FieldRole role = FieldRole.None) => new(name, type, null, role, FieldConstraints.None, null, null, null);

    private static bool Holds(string filter, Dictionary<string, object?> row) => RowPredicates.For(Contract, filter)(Block(row), 0);

    private static RowBlock Block(Dictionary<string, object?> row) => new() { Count = 1, Columns = [.. Fields.Select(field => Of(field, row.GetValueOrDefault(field.Name)))] };

    private static Column Of(FieldSpec field, object? value) => CompiledField.KindOf(field.Type) switch
    {
        ColumnKind.Text => Column.OfTexts([(string?)value]),
        ColumnKind.Number => Column.OfNumbers([(double?)value ?? double.NaN]),
        ColumnKind.Boolean => Column.OfBooleans([value is bool flag ? flag ? (byte)1 : (byte)0 : Column.NullBoolean]),
        _ => Column.OfIntegers(
        [
            value switch
            {
                null => Column.NullInteger,
                DateTimeOffset instant => instant.UtcTicks,
                DateOnly day => day.DayNumber,
                TimeOnly time => time.Ticks,
                (int year, int month) => (year * 12) + month - 1,
                _ => (long)value,
            },
        ]),
    };

    /// <summary>A star at either end stands for anything.</summary>
    private static void AssertLike(string expected, string actual)
    {
        var (open, close) = (expected.StartsWith('*'), expected.Length > 1 && expected.EndsWith('*'));
        var text = expected.Trim('*');
        var holds = (open, close) switch
        {
            (true, true) => actual.Contains(text, StringComparison.Ordinal),
            (true, false) => actual.EndsWith(text, StringComparison.Ordinal),
            (false, true) => actual.StartsWith(text, StringComparison.Ordinal),
            _ => actual == text,
        };
        Assert.True(holds, actual);
    }
}
