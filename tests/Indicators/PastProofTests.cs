using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

/// <summary>
/// A generated stream with repeats, lateness, corrections and deletions over three partitions, and every function: what the
/// public routes say of the past and where each number comes from equals the oracle bit for bit (design I5, I8).
/// </summary>
public sealed class PastProofTests(PastProofTests.City city) : IClassFixture<PastProofTests.City>
{
    private static readonly DateTimeOffset Start = new(2026, 10, 24, 20, 0, 0, TimeSpan.Zero);

    private static readonly AreaTree Areas = new(new("past", 1,
    [
        new("01", null, "Eins", 0, null, null), new("0101", "01", "A", 1, null, null), new("010101", "0101", "a", 2, 100, null), new("010102", "0101", "b", 2, 300, null),
        new("02", null, "Zwei", 0, 1_000, null), new("0201", "02", "C", 1, null, null), new("020101", "0201", "d", 2, 50, null),
    ]));

    private static readonly Dictionary<string, double> Populations = new() { ["01"] = 400, ["0101"] = 400, ["010101"] = 100, ["010102"] = 300, ["02"] = 1_000, ["0201"] = 50, ["020101"] = 50 };

    private static readonly string?[] Places = [null, "010101", "010102", "020101", "02"];

    private static readonly OracleIndicator[] Indicators =
    [
        new("count", "count", null, "PT1H", "Europe/Berlin", true, []),
        new("count-kind", "count", "value", "P1D", "Europe/Berlin", false, ["kind"]),
        new("sum", "sum", "value", "PT3H", "Europe/Berlin", true, ["kind"]),
        new("mean", "mean", "value", "P1D", "Europe/Berlin", true, []),
        new("min", "min", "value", "PT1H", "Europe/Berlin", true, []),
        new("max", "max", "value", "P1W", "Europe/Berlin", false, []),
        new("last", "last", "value", "P1D", "Europe/Berlin", true, ["kind"]),
        new("stddev", "stddev", "value", "P1D", "Europe/Berlin", true, []),
        new("stddevsample", "stddevSample", "value", "PT6H", "Europe/Berlin", false, ["kind"]),
        new("p50", "p50", "value", "P1D", "Europe/Berlin", true, []),
        new("p90", "p90", "value", "P1D", "Europe/Berlin", false, []),
        new("p95", "p95", "value", "PT12H", "Europe/Berlin", true, []),
        new("p99", "p99", "value", "P1M", "Europe/Berlin", false, ["kind"]),
        new("distinct", "distinct", "value", "P1D", "Europe/Berlin", true, []),
        new("filtered-sum", "sum", "value", "PT3H", "Europe/Berlin", true, ["kind"]) { Filter = row => row.Values["value"] > 0 && row.Dimensions["kind"] is not null },
        new("filtered-count", "count", null, "P1D", "Europe/Berlin", true, []) { Filter = row => row.Dimensions["kind"] is not "k1" and not null || row.Values["value"] is null },
        new("filtered-max", "max", "value", "PT6H", "Europe/Berlin", false, []) { Filter = row => row.Values["value"] is >= -50 and <= 50 },
    ];

    private static readonly Dictionary<string, string> Filters = new()
    {
        ["filtered-sum"] = "value > 0 AND kind IS NOT NULL",
        ["filtered-count"] = "NOT kind = 'k1' OR value IS NULL",
        ["filtered-max"] = "value BETWEEN -50 AND 50",
        ["in-sum"] = "value > 0",
        ["case-bus"] = "kind = 'bus'",
    };

    /// <summary>Values that reach beyond their window, and what formulas are made of; those of records are about cases.</summary>
    private static readonly OracleIndicator[] Reaching =
    [
        new("sliding-sum", "sum", "value", "PT1H", "Europe/Berlin", true, []) { Covered = 6 },
        new("sliding-max", "max", "value", "PT3H", "Europe/Berlin", true, ["kind"]) { Covered = 4 },
        new("sliding-p90", "p90", "value", "P1D", "Europe/Berlin", false, []) { Covered = 7 },
        new("in-sum", "sum", "value", "PT1H", "Europe/Berlin", true, []) { Filter = row => row.Values["value"] > 0 },
        new("in-count", "count", null, "PT1H", "Europe/Berlin", true, []),
        new("in-slide", "mean", "value", "PT1H", "Europe/Berlin", true, []) { Covered = 3 },
        new("case-open", "open", null, "PT3H", "Europe/Berlin", true, []),
        new("case-bus", "open", null, "PT3H", "Europe/Berlin", true, []) { Filter = row => row.Dimensions["kind"] == "bus" },
        new("case-took", "mean", "@duration", "PT3H", "Europe/Berlin", true, []),
        new("case-kinds", "open", null, "P1D", "Europe/Berlin", true, ["kind"]),
    ];

    private static readonly Dictionary<string, string> Slidings = new() { ["sliding-sum"] = "PT6H", ["sliding-max"] = "PT12H", ["sliding-p90"] = "P7D", ["in-slide"] = "PT3H" };

    /// <summary>Rows below which a value is suppressed.</summary>
    private static readonly Dictionary<string, int> Minimums = new() { ["in-sum"] = 2, ["case-bus"] = 1 };

    /// <summary>Formulas made at random over the one kind of rows and the other.</summary>
    private static readonly OracleFormula[] Formulas =
    [
        .. Enumerable.Range(0, 48).Select(i => Tree(new Random(100 + i), i < 28 ? ["past-in-sum", "past-in-count", "past-in-slide"] : ["past-case-open", "past-case-bus", "past-case-took"], 3, true, true)),
    ];

    /// <summary>What the oracle does not know: values that slide and say how many series reported.</summary>
    private static readonly (string Id, IndicatorSpec Spec)[] Others =
    [
        ("slide", Spec(Indicators[2]) with { Window = "PT1H", Sliding = "PT6H", Coverage = true }),
        ("slide-days", Spec(Indicators[5]) with { Window = "P1D", Sliding = "P7D" }),
        ("coverage", Spec(Indicators[3]) with { Coverage = true, Decimals = 1 }),
    ];

    [Fact]
    public async Task A_thousand_answers_as_of_an_instant_equal_a_replay_of_what_had_been_received_by_then()
    {
        var random = new Random(41);
        for (var i = 0; i < 1_000; i++)
        {
            var indicator = Indicators[i % Indicators.Length];
            var push = city.Pushes[random.Next(city.Pushes.Count)];
            var instant = push.ReceivedAt.AddTicks(random.Next(2) * random.Next(1, 50_000));
            var byMark = random.Next(3) == 0;
            var known = byMark ? city.Pushes.Take(push.Number + 1) : city.Pushes.Where(other => other.ReceivedAt <= instant);
            var asOf = byMark ? push.Watermark : instant.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
            var from = Start.AddMinutes(random.Next(-600, 2_400));
            var to = from.AddMinutes(random.Next(1, 3_000));
            int? level = indicator.ByArea && random.Next(2) == 0 ? random.Next(3) : null;
            var whole = level is null && random.Next(4) == 0;

            var oracle = new Oracle().Play(known.Select(one => one.Rows));
            var wanted = oracle.Cells([whole ? indicator with { ByArea = false } : indicator], area => level is { } at ? Areas.AncestorAt(area, at) : area)
                .Where(cell => cell.Key.From >= from && cell.Key.From < to)
                .Select(cell => Line(cell.Key.From, cell.Key.Area, cell.Key.Dimensions, cell.Value.Value, cell.Value.Count)).Order(StringComparer.Ordinal);
            var path = $"api/v1/indicators/past-{indicator.Id}/values?limit=10000&from={Text(from)}&to={Text(to)}&asOf={asOf}"
                + (level is null ? "" : $"&level={level}") + (whole ? "&whole=true" : "");
            var answer = (await OkAsync(city.Hub.Anonymous.GetAsync(path))).RootElement;
            Assert.Equal(wanted, answer.GetProperty("rows").EnumerateArray().Select(row => Line(indicator, row)).Order(StringComparer.Ordinal));
            if (byMark) Assert.Equal(push.Watermark, answer.GetProperty("watermark").GetString());
        }
    }

    [Fact]
    public async Task Filtered_sliding_and_open_values_of_then_and_now_equal_a_replay()
    {
        var random = new Random(45);
        var told = 0;
        for (var i = 0; i < 600; i++)
        {
            var indicator = Reaching[i % Reaching.Length];
            var asked = Moment(random, IsOfCases(indicator.Id));
            var query = Part(random, indicator.ByArea, out var level, out var whole, out var from, out var to);
            var minimum = Minimums.GetValueOrDefault(indicator.Id);
            var wanted = ValuesOf(indicator, asked, level, whole, from, to)
                .Select(cell => cell.Value.Count < minimum ? $"{Text(cell.Key.From)}|{cell.Key.Area}|{cell.Key.Dimensions}||suppressed" : Line(cell.Key.From, cell.Key.Area, cell.Key.Dimensions, cell.Value.Value, cell.Value.Count)).Order(StringComparer.Ordinal).ToArray();
            var answer = (await OkAsync(city.Hub.Anonymous.GetAsync($"api/v1/indicators/past-{indicator.Id}/values?{query}{asked.Parameter}"))).RootElement;
            Assert.Equal(wanted, answer.GetProperty("rows").EnumerateArray()
                .Select(row => row.GetProperty("state").GetString() == "suppressed" ? $"{Place(indicator, row)}||suppressed" : Line(indicator, row)).Order(StringComparer.Ordinal));
            told += wanted.Length;
        }

        Assert.True(told > 5_000, $"{told} values");
    }

    [Fact]
    public async Task Formulas_made_at_random_equal_a_replay_then_and_now()
    {
        var random = new Random(46);
        var states = new Dictionary<string, int>();
        for (var i = 0; i < 480; i++)
        {
            var (number, tree) = (i % Formulas.Length, Formulas[i % Formulas.Length]);
            var inputs = tree.Names.Distinct().Select(name => Array.Find(Reaching, one => "past-" + one.Id == name)!).ToArray();
            var asked = Moment(random, IsOfCases(inputs[0].Id));
            var query = Part(random, byArea: true, out var level, out var whole, out var from, out var to);
            var evaluator = new FormulaOracle(
                inputs[0].Window, "Europe/Berlin", CellsOf(whole), CellsOf(true), inputs.ToDictionary(input => "past-" + input.Id, input => Minimums.GetValueOrDefault(input.Id)),
                area => Populations.TryGetValue(area, out var people) ? people : null, 1_400, 0, whole);
            var wanted = CellsOf(whole).Values.SelectMany(cells => cells.Keys).Distinct().Where(place => place.From >= from && place.From < to).Select(place =>
            {
                var term = evaluator.Compute(tree, place.Area, place.From, place.Dimensions);
                states[term.State] = states.GetValueOrDefault(term.State) + 1;
                return $"{Text(place.From)}|{place.Area}|" + term.State switch
                {
                    "ok" => $"ok {Bits(term.Value + 0.0)} {term.Count}",
                    "undefined" => $"undefined  {term.Count}",
                    "missing" => "missing  0",
                    _ => "suppressed  ",
                };
            }).Order(StringComparer.Ordinal);

            var answer = (await OkAsync(city.Hub.Anonymous.GetAsync($"api/v1/indicators/past-formula-{number}/values?{query}{asked.Parameter}"))).RootElement;
            var rows = answer.GetProperty("rows").EnumerateArray().Select(row =>
                $"{row.GetProperty("from").GetString()}|{(row.TryGetProperty("area", out var area) ? area.GetString() : null)}|{row.GetProperty("state").GetString()} {Bits(row.GetProperty("value"))} {(row.GetProperty("count").ValueKind == JsonValueKind.Null ? "" : row.GetProperty("count").GetRawText())}");
            Assert.True(wanted.SequenceEqual(rows.Order(StringComparer.Ordinal)), $"{tree} {query}{asked.Parameter}:\n{string.Join('\n', wanted)}\nbut\n{string.Join('\n', rows.Order(StringComparer.Ordinal))}");

            Dictionary<string, IReadOnlyDictionary<(string? Area, DateTimeOffset From, string Dimensions), OracleValue>> CellsOf(bool whole) => inputs.ToDictionary(
                input => "past-" + input.Id,
                input => (IReadOnlyDictionary<(string?, DateTimeOffset, string), OracleValue>)ValuesOf(input, asked, whole ? null : level, whole, DateTimeOffset.MinValue.AddYears(1), to)
                    .ToDictionary(cell => (cell.Key.Area, cell.Key.From, cell.Key.Dimensions), cell => cell.Value));
        }

        Assert.Equal(4, states.Count(state => state.Value > 100));
    }

    [Fact]
    public async Task Differences_of_formulas_lead_from_the_values_before_to_those_after()
    {
        var random = new Random(47);
        var told = 0;
        for (var i = 0; i < 96; i++)
        {
            var number = i % Formulas.Length;
            var pushes = IsOfCases(Formulas[number].Names.First()["past-".Length..]) ? city.Cases : city.Pushes;
            var first = random.Next(pushes.Count - 1);
            var last = random.Next(first, Math.Min(pushes.Count, first + 8));
            int? level = random.Next(3);
            var before = await ValuesAsync(pushes[first].Watermark);
            var after = await ValuesAsync(pushes[last].Watermark);
            var changed = new Dictionary<string, (string Before, string After, int Moved, HashSet<string> Rows)>();
            for (var next = $"/api/v1/indicators/past-formula-{number}/diff?level={level}&limit={random.Next(1, 30)}&since={pushes[first].Watermark}&until={pushes[last].Watermark}"; next is not null;)
            {
                var page = (await OkAsync(city.Hub.Anonymous.GetAsync(next))).RootElement;
                foreach (var cell in page.GetProperty("cells").EnumerateArray())
                {
                    var place = Place(Reaching[3], cell);
                    if (!changed.TryGetValue(place, out var known)) changed[place] = known = (Side(cell.GetProperty("before")), Side(cell.GetProperty("after")), cell.GetProperty("moved").ValueKind == JsonValueKind.Null ? -1 : cell.GetProperty("moved").GetInt32(), []);
                    if (!cell.TryGetProperty("rows", out var rows)) continue;
                    Assert.All(rows.EnumerateArray(), row => Assert.True(known.Rows.Add(row.TryGetProperty("station", out var station) ? $"{station}{row.GetProperty("time")}" : row.GetProperty("id").GetRawText())));
                    Assert.All(rows.EnumerateArray(), row => Assert.NotEmpty(row.GetProperty("through").EnumerateArray()));
                }

                next = page.GetProperty("next").GetString();
            }

            // What is open counts on in every later window, though rows move only those of opening and closing.
            var counts = Formulas[number].Names.All(name => !name.Contains("case-", StringComparison.Ordinal) || name.EndsWith("took", StringComparison.Ordinal));
            foreach (var place in before.Keys.Union(after.Keys))
            {
                var sides = (before.GetValueOrDefault(place, "-"), after.GetValueOrDefault(place, "-"));
                if (changed.Remove(place, out var said))
                {
                    Assert.True(sides == (said.Before, said.After), $"{Formulas[number]} {place} {pushes[first].Watermark} {first} {last} {level}: {sides}, but {said}");
                    Assert.Equal(Math.Max(0, said.Moved), said.Rows.Count);
                    told += said.Rows.Count;
                }
                else if (counts)
                {
                    Assert.Equal(sides.Item1, sides.Item2);
                }
            }

            Assert.Empty(changed);

            async Task<Dictionary<string, string>> ValuesAsync(string asOf) => (await OkAsync(city.Hub.Anonymous.GetAsync($"api/v1/indicators/past-formula-{number}/values?level={level}&limit=10000&to=2026-11-10&asOf={asOf}")))
                .RootElement.GetProperty("rows").EnumerateArray().ToDictionary(row => Place(Reaching[3], row), Side);
        }

        Assert.True(told > 500, $"{told} rows");

        static string Side(JsonElement side) => side.ValueKind == JsonValueKind.Null ? "-" : $"{Bits(side.GetProperty("value"))} {side.GetProperty("count").GetRawText()} {side.GetProperty("state").GetString()}";
    }

    [Fact]
    public async Task A_thousand_numbers_are_explained_and_folded_again_from_their_rows_to_the_same_number()
    {
        var random = new Random(42);
        var corrected = 0;
        for (var i = 0; i < 1_000; i++)
        {
            var indicator = Indicators[i % Indicators.Length];
            var push = city.Pushes[random.Next(city.Pushes.Count / 3, city.Pushes.Count)];
            var present = random.Next(3) == 0;
            int? level = indicator.ByArea ? random.Next(3) : null;
            var whole = random.Next(5) == 0;
            if (whole) level = null;
            var rows = city.Pushes.Take(present ? city.Pushes.Count : push.Number + 1).Select(one => one.Rows);
            var cells = new Oracle().Play(rows).Cells([whole ? indicator with { ByArea = false } : indicator], area => level is { } at ? Areas.AncestorAt(area, at) : area).ToArray();
            if (cells.Length == 0) continue;
            var (cell, value) = cells[random.Next(cells.Length)];

            var dimensions = indicator.Dimensions.Length == 0 ? "" : $"&dim.kind={Uri.EscapeDataString(cell.Dimensions == "\0" ? "" : cell.Dimensions)}";
            var path = $"api/v1/indicators/past-{indicator.Id}/explain?limit={random.Next(1, 40)}&from={Text(cell.From)}{dimensions}"
                + (cell.Area is null ? "" : $"&area={cell.Area}") + (whole ? "&whole=true" : "") + (present ? $"&watermark={city.Pushes[^1].Watermark}" : $"&asOf={push.Watermark}");
            var (listed, next, pages) = (new HashSet<string>(), (string?)path, 0);
            while (next is not null)
            {
                var page = (await OkAsync(city.Hub.Anonymous.GetAsync(next))).RootElement;
                Assert.Equal(Bits(value.Value), Bits(page.GetProperty("value")));
                Assert.Equal(Bits(value.Value), Bits(page.GetProperty("recomputed")));
                Assert.Equal((value.Count, value.Count), (page.GetProperty("count").GetInt64(), page.GetProperty("rowCount").GetInt64()));
                Assert.Equal(value.Count, page.GetProperty("sources").EnumerateArray().Sum(source => source.GetProperty("rows").GetInt64()));
                foreach (var row in page.GetProperty("rows").EnumerateArray())
                {
                    Assert.True(listed.Add(row.GetProperty("station").GetString() + row.GetProperty("time").GetString()));
                    var by = city.Pushes.Single(one => one.Receipt == row.GetProperty("receipt").GetString());
                    Assert.Equal(by.ReceivedAt, row.GetProperty("receivedAt").GetDateTimeOffset());
                    corrected += row.GetProperty("corrections").GetArrayLength();
                }

                next = page.GetProperty("next").GetString();
                Assert.True(++pages < 500);
            }

            Assert.Equal(value.Count, listed.Count);
        }

        Assert.True(corrected > 100, $"{corrected} corrections");
    }

    [Fact]
    public async Task Differences_lead_from_the_values_before_to_those_after_and_list_every_row_that_moved_one()
    {
        var random = new Random(43);
        for (var i = 0; i < 150; i++)
        {
            var indicator = Indicators[i % Indicators.Length];
            var first = random.Next(city.Pushes.Count - 1);
            var last = random.Next(first, Math.Min(city.Pushes.Count, first + 8));
            int? level = indicator.ByArea ? random.Next(3) : null;
            Func<string, string?> areaAt = area => level is { } at ? Areas.AncestorAt(area, at) : area;
            var before = new Oracle().Play(city.Pushes.Take(first + 1).Select(one => one.Rows)).Cells([indicator], areaAt);
            var after = new Oracle().Play(city.Pushes.Take(last + 1).Select(one => one.Rows)).Cells([indicator], areaAt);

            var changed = new Dictionary<string, (string Before, string After)>();
            var path = $"/api/v1/indicators/past-{indicator.Id}/diff?limit={random.Next(1, 30)}&since={city.Pushes[first].Watermark}&until={city.Pushes[last].Watermark}{(level is null ? "" : $"&level={level}")}";
            for (var next = path; next is not null;)
            {
                var page = (await OkAsync(city.Hub.Anonymous.GetAsync(next))).RootElement;
                foreach (var cell in page.GetProperty("cells").EnumerateArray())
                {
                    Assert.NotEmpty(cell.GetProperty("rows").EnumerateArray());
                    changed[Place(indicator, cell)] = (Side(cell.GetProperty("before")), Side(cell.GetProperty("after")));
                }

                next = page.GetProperty("next").GetString();
            }

            foreach (var cell in before.Keys.Union(after.Keys))
            {
                var (old, fresh) = (Of(before, cell), Of(after, cell));
                var place = $"{Text(cell.From)}|{cell.Area}|{cell.Dimensions}";
                if (changed.Remove(place, out var told)) Assert.Equal((old, fresh), told);
                else Assert.Equal(old, fresh);
            }

            Assert.Empty(changed);
        }

        static string Of(IReadOnlyDictionary<OracleCell, OracleValue> cells, OracleCell cell) => cells.TryGetValue(cell, out var value) ? $"{Bits(value.Value)} {value.Count}" : "-";

        static string Side(JsonElement value) => value.ValueKind == JsonValueKind.Null ? "-" : $"{Bits(value.GetProperty("value"))} {value.GetProperty("count").GetInt64()}";
    }

    [Fact]
    public async Task From_history_the_present_is_what_the_folds_say_byte_for_byte()
    {
        var last = city.Pushes[^1].Watermark;
        foreach (var id in Indicators.Select(indicator => indicator.Id).Concat(Others.Select(other => other.Id)))
        {
            foreach (var query in new[] { "values?limit=10000", "values?whole=true", "latest?limit=10000", "latest?whole=true", "values?limit=10000&from=2026-10-25T03:30:00Z&to=2026-10-25T09:00:00Z", "latest?to=2026-10-25T05:00:00Z" })
            {
                var present = (await OkAsync(city.Hub.Anonymous.GetAsync($"api/v1/indicators/past-{id}/{query}&watermark={last}"))).RootElement;
                var past = (await OkAsync(city.Hub.Anonymous.GetAsync($"api/v1/indicators/past-{id}/{query}&asOf={last}"))).RootElement;
                Assert.Equal(present.GetProperty("rows").GetRawText(), past.GetProperty("rows").GetRawText());
            }
        }
    }

    [Fact]
    public async Task A_sliding_value_is_explained_by_the_rows_of_all_windows_that_it_covers()
    {
        var random = new Random(44);
        for (var i = 0; i < 60; i++)
        {
            var (id, spec) = Others[i % 2];
            var push = city.Pushes[random.Next(40, city.Pushes.Count)];
            var rows = (await OkAsync(city.Hub.Anonymous.GetAsync($"api/v1/indicators/past-{id}/values?whole=true&limit=10000&asOf={push.Watermark}"))).RootElement.GetProperty("rows");
            var value = rows[random.Next(rows.GetArrayLength())];
            var dimension = spec.Dimensions.Length == 0 ? "" : $"&dim.kind={Uri.EscapeDataString(value.GetProperty("dimensions").GetProperty("kind").GetString() ?? "")}";
            var page = (await OkAsync(city.Hub.Anonymous.GetAsync($"api/v1/indicators/past-{id}/explain?whole=true&limit=10000&from={value.GetProperty("from").GetString()}{dimension}&asOf={push.Watermark}"))).RootElement;
            Assert.Equal(value.GetProperty("value").GetRawText(), page.GetProperty("recomputed").GetRawText());
            Assert.Equal(value.GetProperty("value").GetRawText(), page.GetProperty("value").GetRawText());
            Assert.Equal(value.GetProperty("count").GetInt32(), page.GetProperty("rows").GetArrayLength());
        }
    }

    [Fact]
    public async Task Differences_of_sliding_values_lead_from_the_one_to_the_other()
    {
        var (first, last) = (city.Pushes[80].Watermark, city.Pushes[84].Watermark);
        var before = await ValuesAsync(first);
        var after = await ValuesAsync(last);
        var told = new Dictionary<string, (string, string)>();
        for (var next = $"api/v1/indicators/past-slide/diff?whole=true&limit=1000&since={first}&until={last}"; next is not null;)
        {
            var page = (await OkAsync(city.Hub.Anonymous.GetAsync(next))).RootElement;
            foreach (var cell in page.GetProperty("cells").EnumerateArray()) told[Place(Indicators[2], cell)] = (Value(cell.GetProperty("before")), Value(cell.GetProperty("after")));
            next = page.GetProperty("next").GetString();
        }

        foreach (var place in before.Keys.Union(after.Keys))
        {
            var sides = (before.GetValueOrDefault(place, ""), after.GetValueOrDefault(place, ""));
            if (told.TryGetValue(place, out var said)) Assert.Equal(sides, said);
            else Assert.Equal(sides.Item1, sides.Item2);
        }

        Assert.NotEmpty(told);

        async Task<Dictionary<string, string>> ValuesAsync(string asOf) => (await OkAsync(city.Hub.Anonymous.GetAsync($"api/v1/indicators/past-slide/values?whole=true&limit=10000&asOf={asOf}")))
            .RootElement.GetProperty("rows").EnumerateArray().ToDictionary(row => Place(Indicators[2], row), Value);

        static string Value(JsonElement side) => side.ValueKind == JsonValueKind.Null ? "" : side.GetProperty("value").GetRawText();
    }

    private static IndicatorSpec Spec(OracleIndicator indicator) => new(
        new(indicator.Id, null), IsOfCases(indicator.Id) ? "past-cases" : "past", Enum.Parse<MeasureFunction>(indicator.Function, ignoreCase: true), indicator.Field,
        indicator.Window, indicator.TimeZone, indicator.ByArea, indicator.Dimensions, null, null, AccessClass.Open)
    {
        Filter = Filters.GetValueOrDefault(indicator.Id),
        Sliding = Slidings.GetValueOrDefault(indicator.Id),
        MinimumCount = Minimums.GetValueOrDefault(indicator.Id),
    };

    private static bool IsOfCases(string id) => id.StartsWith("case-", StringComparison.Ordinal);

    /// <summary>A moment to be asked about: by a watermark, an instant, or now.</summary>
    private Asked Moment(Random random, bool ofCases)
    {
        var pushes = ofCases ? city.Cases : city.Pushes;
        var push = pushes[random.Next(pushes.Count)];
        switch (random.Next(3))
        {
            case 0: return new(pushes.Select(one => one.Rows), DateTimeOffset.UtcNow, $"&watermark={pushes[^1].Watermark}");
            case 1: return new(pushes.Take(push.Number + 1).Select(one => one.Rows), push.Number + 1 < pushes.Count ? pushes[push.Number + 1].ReceivedAt : DateTimeOffset.UtcNow, $"&asOf={push.Watermark}");
            default:
                var instant = push.ReceivedAt.AddTicks(random.Next(2) * random.Next(1, 50_000));
                return new(pushes.Where(one => one.ReceivedAt <= instant).Select(one => one.Rows), instant, "&asOf=" + instant.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));
        }
    }

    private static string Part(Random random, bool byArea, out int? level, out bool whole, out DateTimeOffset from, out DateTimeOffset to)
    {
        from = Start.AddMinutes(random.Next(-600, 2_400));
        to = from.AddMinutes(random.Next(1, 3_000));
        level = byArea && random.Next(2) == 0 ? random.Next(3) : null;
        whole = level is null && random.Next(4) == 0;
        return $"limit=10000&from={Text(from)}&to={Text(to)}{(level is null ? "" : $"&level={level}")}{(whole ? "&whole=true" : "")}";
    }

    private static IEnumerable<KeyValuePair<OracleCell, OracleValue>> ValuesOf(OracleIndicator indicator, Asked asked, int? level, bool whole, DateTimeOffset from, DateTimeOffset to)
    {
        var oracle = new Oracle().Play(asked.Rows);
        return oracle.Values(whole ? indicator with { ByArea = false } : indicator, from, to, asked.Now, area => level is { } at ? Areas.AncestorAt(area, at) : area);
    }

    private static OracleFormula Tree(Random random, string[] inputs, int depth, bool mayShare, bool mayRank)
    {
        // A formula begins with an input, so that there is one.
        return new("+", 0, null, [new("*", 0, null, [new("number", 0.5, null, []), Input()]), Part(depth, mayShare, mayRank)]);

        OracleFormula Input() => new("input", 0, inputs[random.Next(inputs.Length)], []);

        OracleFormula Part(int depth, bool mayShare, bool mayRank)
        {
            if (depth == 0) return random.Next(6) switch { 0 => new("number", random.Next(30) / 10.0, null, []), 1 => new("population", 0, null, []), _ => Input() };
            switch (random.Next(9))
            {
                case 0 or 1: return new(new[] { "+", "-", "*", "/", "min", "max" }[random.Next(6)], 0, null, [Part(depth - 1, mayShare, mayRank), Part(depth - 1, mayShare, mayRank)]);
                case 2 or 3: return new(new[] { "sign", "abs", "previous", "change" }[random.Next(4)], 0, null, [Part(depth - 1, mayShare, mayRank)]);
                case 4: return new("round", random.Next(4), null, [Part(depth - 1, mayShare, mayRank)]);
                case 5 or 6 when mayShare: return new("share", 0, null, [Part(depth - 1, false, false)]);
                case 7 when mayRank: return new("rank", 0, null, [Part(depth - 1, mayShare, false)]);
                default: return Part(depth - 1, mayShare, mayRank);
            }
        }
    }

    private static string Line(DateTimeOffset from, string? area, string dimensions, double? value, long count) => $"{Text(from)}|{area}|{dimensions}|{Bits(value)}|{count}";

    private static string Line(OracleIndicator indicator, JsonElement row) =>
        $"{Place(indicator, row)}|{Bits(row.GetProperty("value"))}|{row.GetProperty("count").GetInt64()}";

    private static string Place(OracleIndicator indicator, JsonElement row) =>
        $"{row.GetProperty("from").GetString()}|{(row.TryGetProperty("area", out var area) ? area.GetString() : null)}|"
        + (indicator.Dimensions.Length == 0 ? "" : row.GetProperty("dimensions").GetProperty("kind").GetString() ?? "\0");

    private static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static long? Bits(double? value) => value is { } number ? BitConverter.DoubleToInt64Bits(number) : null;

    private static long? Bits(JsonElement value) => value.ValueKind == JsonValueKind.Null ? null : BitConverter.DoubleToInt64Bits(value.GetDouble());

    /// <param name="Rows">What was known then.</param>
    /// <param name="Now">When that was.</param>
    private sealed record Asked(IEnumerable<OracleRow[]> Rows, DateTimeOffset Now, string Parameter);

    public sealed record Push(int Number, int Partition, OracleRow[] Rows, string Receipt, DateTimeOffset ReceivedAt, string Watermark);

    /// <summary>A hub in which the stream has been pushed.</summary>
    public sealed class City : IAsyncLifetime
    {
        public HubFixture Hub { get; private set; } = null!;

        public List<Push> Pushes { get; } = [];

        /// <summary>Pushes of records that are opened and closed.</summary>
        public List<Push> Cases { get; } = [];

        public async Task InitializeAsync()
        {
            Hub = await StartAsync();
            await Hub.KeyAsync("senumvk", KeyRole.Admin);
            await Hub.Grains.GetGrain<IAreaSystemGrain>("past").PutAsync(Caller.Hub, new("Past", null), Areas.System.Areas.ToArray(), null);
            var rows = await Hub.PutDatasetAsync("past", "senumvk", DatasetKind.Observations, Contracts.Schema(
                ["station", "time"],
                Contracts.Field("station", FieldType.String, FieldRole.Series), Contracts.Field("time", FieldType.DateTime, FieldRole.Time), Contracts.Field("area", FieldType.String, FieldRole.Area),
                Contracts.Field("kind", FieldType.String, FieldRole.Dimension), Contracts.Field("value", FieldType.Number, FieldRole.Measure)), partitions: 3, areaSystem: "past");
            var cases = await Hub.PutDatasetAsync("past-cases", "senumvk", DatasetKind.Records, Contracts.Schema(
                ["id"],
                Contracts.Field("id", FieldType.Integer), Contracts.Field("begun", FieldType.DateTime, FieldRole.Opened), Contracts.Field("ended", FieldType.DateTime, FieldRole.Closed),
                Contracts.Field("area", FieldType.String, FieldRole.Area), Contracts.Field("kind", FieldType.String, FieldRole.Dimension)), partitions: 3, areaSystem: "past");
            var formulas = Formulas.Select((formula, i) => ($"formula-{i}", new IndicatorSpec(
                new(formula.ToString(), null), formula.Names.First().StartsWith("past-case", StringComparison.Ordinal) ? "past-cases" : "past", MeasureFunction.Count, null,
                IndicatorSpec.OfInputs, IndicatorSpec.OfInputs, false, [IndicatorSpec.OfInputs], null, null, AccessClass.Open)
            { Formula = formula.ToString() }));
            foreach (var (id, spec) in Indicators.Concat(Reaching).Select(indicator => (indicator.Id, Spec(indicator))).Concat(Others).Concat(formulas))
            {
                var put = await Hub.Grains.GetGrain<IIndicatorGrain>("past-" + id).PutAsync(Caller.Hub, spec);
                Assert.True(put.Refusal == CatalogRefusal.None, put.Detail?.De);
            }

            await StreamAsync(rows, "past", Pushes, new Random(40), Generate, Block);
            await StreamAsync(cases, "past-cases", Cases, new Random(48), GenerateCase, CaseBlock);
        }

        private async Task StreamAsync(DatasetInfo dataset, string name, List<Push> pushes, Random random, Func<Random, int, OracleRow> generate, Func<OracleRow[], RowBlock> block)
        {
            var incarnation = await Hub.Services.GetRequiredService<ILogStore>().IncarnationAsync(CancellationToken.None);
            var sequences = new long[3];
            for (var number = 0; number < 150; number++)
            {
                var partition = random.Next(3);
                // Now and then a push is sent once more as a new one: all its rows are repeats or corrections back.
                var rows = number > 3 && random.Next(6) == 0
                    ? pushes.Where(push => push.Partition == partition).OrderBy(_ => random.Next()).Select(push => push.Rows).FirstOrDefault() ?? []
                    : [.. Enumerable.Range(0, random.Next(1, 14)).Select(_ => generate(random, partition))];
                var at = dataset.Partitions[partition];
                var result = await Hub.Grains.GetGrain<ILogShardGrain>(at.Shard).AppendAsync(Caller.Hub, new PushPart(
                    name, at.Key, "default", $"01{(name == "past" ? "PAST" : "CASE")}{number:D20}", null, new byte[32], 0, 1, dataset.ContractVersion, dataset.AreaVersion, block(rows), []));
                Assert.True(result.Refusal == AppendRefusal.None, $"{result.Refusal} {result.Detail}");
                sequences[partition] = result.Receipt!.Sequence;
                pushes.Add(new(number, partition, rows, result.Receipt.Push.Receipt, result.Receipt.ReceivedAt, new Watermark(incarnation, name, [.. sequences]).ToString()));
            }
        }

        public async Task DisposeAsync() => await Hub.DisposeAsync();

        private static OracleRow Generate(Random random, int partition)
        {
            var time = Start.AddMinutes(10 * random.Next(0, 40) * (random.Next(4) == 0 ? 6 : 1));
            var value = random.Next(8) switch
            {
                0 => (double?)null,
                1 => random.NextDouble() * 2e9 - 1e9,
                2 => new[] { 0.0, 1e150, -1e150, 1e-140, 0.1, 1e16, 3 }[random.Next(7)],
                _ => Math.Round(random.NextDouble() * 100 - 50, 1) + 0.0,
            };
            return new(
                [$"s{(random.Next(5) * 3) + partition:D2}", time.UtcTicks], time, Places[random.Next(Places.Length)],
                new Dictionary<string, double?> { ["value"] = value },
                new Dictionary<string, string?> { ["kind"] = new[] { null, "k\"0", "k1" }[random.Next(3)] }, random.Next(8) == 0)
            {
                Texts = new Dictionary<string, string?> { ["value"] = value?.ToString("R", CultureInfo.InvariantCulture) },
            };
        }

        private static OracleRow GenerateCase(Random random, int partition)
        {
            var opened = Start.AddMinutes(10 * random.Next(0, 300));
            return new(
                [(long)((random.Next(30) * 3) + partition)], opened, Places[random.Next(Places.Length)], new Dictionary<string, double?>(),
                new Dictionary<string, string?> { ["kind"] = new[] { null, "bus", "tram" }[random.Next(3)] }, random.Next(10) == 0)
            {
                Opened = opened,
                Closed = random.Next(4) == 0 ? null : opened.AddMinutes(10 * random.Next(0, 200)),
            };
        }

        private static RowBlock CaseBlock(OracleRow[] rows)
        {
            var areas = rows.Select(row => row.Area).OfType<string>().Distinct().ToArray();
            return new()
            {
                Count = rows.Length,
                Columns =
                [
                    Column.OfIntegers([.. rows.Select(row => (long)row.Key[0]!)]),
                    Column.OfIntegers([.. rows.Select(row => row.Opened!.Value.UtcTicks)]),
                    Column.OfIntegers([.. rows.Select(row => row.Delete || row.Closed is null ? Column.NullInteger : row.Closed.Value.UtcTicks)]),
                    Column.OfTexts([.. rows.Select(row => row.Delete ? null : row.Area)]),
                    Column.OfTexts([.. rows.Select(row => row.Delete ? null : row.Dimensions["kind"])]),
                ],
                Areas = areas,
                AreaOf = [.. rows.Select(row => row.Delete || row.Area is null ? -1 : Array.IndexOf(areas, row.Area))],
                Deletes = rows.Any(row => row.Delete) ? [.. rows.Select(row => row.Delete)] : null,
            };
        }

        private static RowBlock Block(OracleRow[] rows)
        {
            var areas = rows.Select(row => row.Area).OfType<string>().Distinct().ToArray();
            return new()
            {
                Count = rows.Length,
                Columns =
                [
                    Column.OfTexts([.. rows.Select(row => (string)row.Key[0]!)]),
                    Column.OfIntegers([.. rows.Select(row => row.Time!.Value.UtcTicks)]),
                    Column.OfTexts([.. rows.Select(row => row.Delete ? null : row.Area)]),
                    Column.OfTexts([.. rows.Select(row => row.Delete ? null : row.Dimensions["kind"])]),
                    Column.OfNumbers([.. rows.Select(row => row.Delete ? double.NaN : row.Values["value"] ?? double.NaN)]),
                ],
                Areas = areas,
                AreaOf = [.. rows.Select(row => row.Delete || row.Area is null ? -1 : Array.IndexOf(areas, row.Area))],
                Deletes = rows.Any(row => row.Delete) ? [.. rows.Select(row => row.Delete)] : null,
            };
        }
    }
}
