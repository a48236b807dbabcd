using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

/// <summary>Formulas through the public door, over a tree of areas with populations.</summary>
public sealed class FormulaHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private static readonly TableSchema s_schema = Contracts.Schema(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series),
        Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
        Contracts.Field("area", FieldType.String, FieldRole.Area),
        Contracts.Field("n", FieldType.Number, FieldRole.Measure),
        Contracts.Field("m", FieldType.Number, FieldRole.Measure));

    [Fact]
    public async Task A_formula_over_two_indicators_is_a_number_for_each_place_where_one_of_them_has_one()
    {
        var city = await CityAsync("ratio");
        await city.PutAsync("rate", new { formula = "ratioa / ratiob * 1000", decimals = 1 });
        var watermark = await city.PushAsync(
            Row("a", 8, "010101", n: 2, m: 16), Row("b", 8, "010102", n: 1, m: 8), Row("c", 8, "020101", n: 5), Row("a", 9, "010101", n: 3, m: 0));
        Assert.Equal(
            "010101@08=125/1ok 010102@08=125/1ok 020101@08=null/0missing 010101@09=null/1undefined",
            await city.RowsAsync("rate", $"watermark={watermark}"));
        Assert.Equal("01@08=125/2ok 02@08=null/0missing 01@09=null/1undefined", await city.RowsAsync("rate", $"level=0&watermark={watermark}"));
        Assert.Equal("-@08=333.3/2ok -@09=null/1undefined", await city.RowsAsync("rate", $"whole=true&watermark={watermark}"));
        Assert.Equal("010102@08=125/1ok 020101@08=null/0missing 010101@09=null/1undefined", await city.RowsAsync("rate", $"watermark={watermark}", "latest"));

        // A correction of what an input counts changes the formula.
        watermark = await city.PushAsync(Row("c", 8, "020101", n: 5, m: 4), Row("a", 9, "010101", n: 3, m: 6));
        Assert.Equal("01@08=125/2ok 02@08=1250/1ok 01@09=500/1ok", await city.RowsAsync("rate", $"level=0&watermark={watermark}"));
    }

    [Fact]
    public async Task Per_inhabitant_takes_the_areas_own_population_or_the_sum_of_its_parts()
    {
        var city = await CityAsync("people");
        await city.PutAsync("rate", new { formula = "peoplea / population * 1000" });
        var watermark = await city.PushAsync(Row("a", 8, "010101", n: 2), Row("b", 8, "010102", n: 1), Row("c", 8, "020101", n: 5), Row("d", 8, null, n: 7));

        // 010101: 100, 010102: 300, 0101 and 01: their sum; 020101: 50, 0201: nothing said, so 50; 02: 1000 of its own.
        Assert.Equal("-@08=null/0missing 010101@08=20/1ok 010102@08=3.3333333333333335/1ok 020101@08=100/1ok", await city.RowsAsync("rate", $"watermark={watermark}"));
        Assert.Equal("-@08=null/0missing 0101@08=7.5/2ok 0201@08=100/1ok", await city.RowsAsync("rate", $"level=1&watermark={watermark}"));
        Assert.Equal("-@08=null/0missing 01@08=7.5/2ok 02@08=5/1ok", await city.RowsAsync("rate", $"level=0&watermark={watermark}"));
        Assert.Equal("-@08=10.714285714285714/4ok", await city.RowsAsync("rate", $"whole=true&watermark={watermark}"));
    }

    [Fact]
    public async Task A_share_is_of_all_areas_together_in_the_same_window_even_where_only_one_is_asked_for()
    {
        var city = await CityAsync("share");
        await city.PutAsync("part", new { formula = "share(sharea) * 100" });
        await city.PutAsync("ofmeans", new { formula = "share(\"share-mean\")" });
        var watermark = await city.PushAsync(Row("a", 8, "010101", n: 2), Row("b", 8, "010102", n: 1), Row("c", 8, "020101", n: 5), Row("d", 9, "020101", n: 5));
        Assert.Equal("010101@08=25/1ok 010102@08=12.5/1ok 020101@08=62.5/1ok 020101@09=100/1ok", await city.RowsAsync("part", $"watermark={watermark}"));
        Assert.Equal("01@08=37.5/2ok", await city.RowsAsync("part", $"area=01&watermark={watermark}"));
        Assert.Equal("010102@08=12.5/1ok", await city.RowsAsync("part", $"area=010102&watermark={watermark}", "latest"));
        Assert.Equal("-@08=100/3ok -@09=100/1ok", await city.RowsAsync("part", $"whole=true&watermark={watermark}"));

        // Not of the sum of means: of the mean over all.
        Assert.Equal("01@08=0.5625/2ok", await city.RowsAsync("ofmeans", $"area=01&watermark={watermark}"));
    }

    [Fact]
    public async Task Changes_look_at_the_window_before_in_pages_and_in_the_latest_values_too()
    {
        var city = await CityAsync("change");
        await city.PutAsync("more", new { formula = "change(changea)" });
        await city.PutAsync("before", new { formula = "previous(previous(changea))" });
        var watermark = await city.PushAsync([.. Enumerable.Range(8, 6).Select(hour => Row("a", hour, "010101", n: hour * hour)), Row("b", 8, "020101", n: 1), Row("b", 9, "020101", n: 4)]);
        Assert.Equal("010101@11=21/1ok 010101@12=23/1ok", await city.RowsAsync("more", $"from=2026-03-02T11:00:00Z&to=2026-03-02T13:00:00Z&watermark={watermark}"));
        Assert.Equal("010101@08=null/0missing", await city.RowsAsync("more", $"area=010101&to=2026-03-02T09:00:00Z&watermark={watermark}"));
        Assert.Equal("020101@09=3/1ok 010101@13=25/1ok", await city.RowsAsync("more", $"watermark={watermark}", "latest"));
        Assert.Equal("020101@09=null/0missing 010101@13=121/1ok", await city.RowsAsync("before", $"watermark={watermark}", "latest"));
        var (seen, pages) = (new List<string>(), 0);
        for (var path = $"/api/v1/indicators/change-more/values?limit=3&watermark={watermark}"; path is not null; pages++)
        {
            var page = (await OkAsync(hub.Anonymous.GetAsync(path))).RootElement;
            seen.AddRange(page.GetProperty("rows").EnumerateArray().Select(Row));
            path = page.GetProperty("next").GetString();
        }

        Assert.Equal(3, pages);
        Assert.Equal(await city.RowsAsync("more", $"watermark={watermark}"), string.Join(' ', seen));
    }

    [Fact]
    public async Task A_rank_counts_all_areas_of_the_level_and_ties_share_the_smaller()
    {
        var city = await CityAsync("rank");
        await city.PutAsync("place", new { formula = "rank(ranka)" });
        await city.PutAsync("climb", new { formula = "change(rank(ranka))" });
        var watermark = await city.PushAsync(
            Row("a", 8, "010101", n: 5), Row("b", 8, "010102", n: 5), Row("c", 8, "020101", n: 3), Row("d", 8, null, n: 100),
            Row("a", 9, "010101", n: 1), Row("b", 9, "010102", n: 2), Row("c", 9, "020101", n: 3));
        Assert.Equal(
            "-@08=null/0missing 010101@08=1/1ok 010102@08=1/1ok 020101@08=3/1ok 010101@09=3/1ok 010102@09=2/1ok 020101@09=1/1ok", await city.RowsAsync("place", $"watermark={watermark}"));
        Assert.Equal("020101@08=3/1ok 020101@09=1/1ok", await city.RowsAsync("place", $"area=020101&watermark={watermark}"));
        Assert.Equal("01@08=1/2ok 02@08=2/1ok 01@09=1/2ok 02@09=1/1ok", await city.RowsAsync("place", $"level=0&watermark={watermark}&limit=1000", skipNull: true));
        Assert.Equal("010101@09=2/1ok 010102@09=1/1ok 020101@09=-2/1ok", await city.RowsAsync("climb", $"watermark={watermark}&from=2026-03-02T09:00:00Z"));
        Assert.Equal("020101@09=-2/1ok", await city.RowsAsync("climb", $"watermark={watermark}&area=020101", "latest"));
    }

    [Fact]
    public async Task What_is_suppressed_in_an_input_suppresses_the_formula_and_no_rank_tells_of_it()
    {
        var city = await CityAsync("hidden", minimumCount: 2);
        foreach (var (name, formula) in new[] { ("sum", "hiddena + 1"), ("share", "share(hiddena)"), ("change", "change(hiddena)"), ("rank", "rank(hiddena)"), ("most", "max(hiddena, hiddenb)") })
            await city.PutAsync(name, new { formula });
        var watermark = await city.PushAsync(
            Row("a", 8, "010101", n: 5), Row("b", 8, "010101", n: 6), Row("c", 8, "010102", n: 90), Row("d", 8, "020101", n: 3), Row("e", 8, "020101", n: 4),
            Row("a", 9, "010101", n: 7), Row("c", 9, "010102", n: 1), Row("d", 9, "010102", n: 1));
        const string At8 = "to=2026-03-02T09:00:00Z";
        Assert.Equal("010101@08=12/2ok 010102@08=null/nullsuppressed 020101@08=8/2ok", await city.RowsAsync("sum", $"{At8}&watermark={watermark}"));
        Assert.Equal("010101@08=0.10185185185185185/2ok 010102@08=null/nullsuppressed 020101@08=0.06481481481481481/2ok", await city.RowsAsync("share", $"{At8}&watermark={watermark}"));
        Assert.Equal("010101@08=1/2ok 010102@08=null/nullsuppressed 020101@08=2/2ok", await city.RowsAsync("rank", $"{At8}&watermark={watermark}"));
        Assert.Equal("010101@09=null/nullsuppressed 010102@09=null/nullsuppressed", await city.RowsAsync("change", $"from=2026-03-02T09:00:00Z&watermark={watermark}"));

        // Suppressed and missing together are suppressed: nothing is told of either.
        Assert.Equal("010101@08=null/0missing 010102@08=null/nullsuppressed 020101@08=null/0missing", await city.RowsAsync("most", $"{At8}&watermark={watermark}"));
    }

    [Fact]
    public async Task A_formulas_own_rounding_target_and_disclosure_apply_on_top()
    {
        var city = await CityAsync("ontop");
        await city.PutAsync("rate", new { formula = "ontopa / 3", decimals = 2, unit = "1/3", target = new { value = 1.7, direction = "below" }, disclosure = new { minimumCount = 2 } });
        var watermark = await city.PushAsync(Row("a", 8, "010101", n: 2), Row("b", 8, "010101", n: 3), Row("c", 8, "020101", n: 5), Row("d", 8, "010102", n: 5), Row("e", 8, "010102", n: 6));
        var answer = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/ontop-rate/values?watermark={watermark}"))).RootElement;
        Assert.Equal("1/3", answer.GetProperty("unit").GetString());
        Assert.Equal(
            """{"area":"010101","from":"2026-03-02T08:00:00Z","to":"2026-03-02T09:00:00Z","value":1.67,"count":2,"state":"ok","target":"met"}""",
            answer.GetProperty("rows")[0].GetRawText());
        Assert.Equal(
            """{"area":"010102","from":"2026-03-02T08:00:00Z","to":"2026-03-02T09:00:00Z","value":3.67,"count":2,"state":"ok","target":"missed"}""",
            answer.GetProperty("rows")[1].GetRawText());
        Assert.Equal("020101@08=null/nullsuppressed", Row(answer.GetProperty("rows")[2]));
        Assert.Contains("010101,2026-03-02T08:00:00Z,2026-03-02T09:00:00Z,1.67,2,ok,met\r\n", await hub.Anonymous.GetStringAsync("api/v1/indicators/ontop-rate/values?format=csv"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_an_input_changes_every_answer_is_right_for_the_definition_it_names()
    {
        var city = await CityAsync("renewed");
        await city.PutAsync("diff", new { formula = "reneweda - renewedb" });
        var watermark = await city.PushAsync([.. Enumerable.Range(0, 200).Select(i => Row($"s{i}", 8, "010101", n: 1, m: 3))]);
        Assert.Equal("010101@08=-400/200ok", await city.RowsAsync("diff", $"watermark={watermark}"));

        // What is computed from the same rows by two definitions of an input: never the one's number under the other's version.
        var first = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/renewed-diff"))).RootElement;
        Assert.Equal("""[{"indicator":"reneweda","definition":1},{"indicator":"renewedb","definition":1}]""", first.GetProperty("inputs").GetRawText());
        await OkAsync(city.Agency.PutAsJsonAsync("api/v1/indicators/reneweda", Measure("renewed", "reneweda", "sum", "m")));
        var definitions = new List<int>();
        for (var tries = 0; ; tries++)
        {
            var answer = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/renewed-diff/values?whole={(tries % 2 == 0 ? "true" : "false")}"))).RootElement;
            var definition = answer.GetProperty("definition").GetInt32();
            Assert.Equal(definition == 1 ? -400 : 0, answer.GetProperty("rows")[0].GetProperty("value").GetDouble());
            Assert.True(definitions.Count == 0 || definition >= definitions[^1], "the definition went back");
            definitions.Add(definition);
            if (definition > 1) break;
            Assert.True(tries < 1_000, "the new definition never answered");
            await Task.Delay(10);
        }

        var after = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/renewed-diff"))).RootElement;
        Assert.NotEqual(1, after.GetProperty("inputs")[0].GetProperty("definition").GetInt32());
        Assert.Equal(1, after.GetProperty("inputs")[1].GetProperty("definition").GetInt32());
        Assert.Equal(JsonValueKind.Null, after.GetProperty("pending").ValueKind);
        watermark = await city.PushAsync(Row("s0", 8, "010101", n: 1, m: 4));
        Assert.Equal("010101@08=0/200ok", await city.RowsAsync("diff", $"watermark={watermark}"));
    }

    [Fact]
    public async Task A_formula_is_no_more_open_than_its_inputs_are_now()
    {
        var city = await CityAsync("closed");
        await city.PutAsync("rate", new { formula = "closeda / closedb" });
        await city.PutAsync("own", new { formula = "closeda / closedb", access = "internal" });
        await city.PushAsync(Row("a", 8, "010101", n: 6, m: 3));
        await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/closed-rate/values"));
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/closed-own/values"), 401, "unauthorized");

        await OkAsync(city.Agency.PutAsJsonAsync("api/v1/indicators/closedb", Measure("closed", "closedb", "sum", "m", access: "internal")));
        for (var tries = 0; ; tries++)
        {
            using var answer = await hub.Anonymous.GetAsync("api/v1/indicators/closed-rate/values");
            if (answer.StatusCode == System.Net.HttpStatusCode.Unauthorized) break;
            Assert.True(tries < 200, "still open though an input is not"); // at most the lease of half a second
            await Task.Delay(10);
        }

        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/values?indicator=closeda,closed-rate"), 401, "unauthorized");
        await OkAsync(city.Agency.GetAsync("api/v1/indicators/closed-rate/values"));
        var refused = await RefusedAsync(city.TryPutAsync("third", new { formula = "closedb * 2" }), 422, "invalid-indicator");
        Assert.Contains("closedb", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_formulas_number_is_evaluated_again_and_leads_to_the_rows_behind_its_inputs()
    {
        var city = await CityAsync("told");
        await city.PutAsync("rate", new { formula = "tolda / toldb + share(tolda) + previous(toldb)", decimals = 3 });
        await city.PushAsync(Row("a", 7, "010101", n: 4, m: 2), Row("a", 8, "010101", n: 2, m: 16), Row("c", 8, "020101", n: 5, m: 1));
        var watermark = await city.PushAsync(Row("a", 8, "010101", n: 3, m: 16));

        var answer = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/told-rate/values?from=2026-03-02T08:00:00Z&level=0&watermark={watermark}"))).RootElement;
        var value = answer.GetProperty("rows")[0].GetProperty("value").GetDouble();
        Assert.Equal(Math.Round((3 / 16.0) + (3 / 8.0) + 2, 3, MidpointRounding.AwayFromZero), value);
        var links = answer.GetProperty("explainedBy").GetString()!;
        foreach (var asked in new[] { $"api/v1/indicators/told-rate/explain?watermark={watermark}", links.TrimStart('/') })
        {
            var explained = (await OkAsync(hub.Anonymous.GetAsync($"{asked}&from=2026-03-02T08:00:00Z&area=01"))).RootElement;
            Assert.Equal((value, value), (explained.GetProperty("value").GetDouble(), explained.GetProperty("recomputed").GetDouble()));
            Assert.False(explained.TryGetProperty("rows", out _));
            var inputs = explained.GetProperty("inputs").EnumerateArray().ToArray();
            Assert.Equal(["tolda", "toldb"], inputs.Select(input => input.GetProperty("indicator").GetString()));

            // Each link leads to the rows at the same place and moment, whatever was corrected since.
            await city.PushAsync(Row("a", 8, "010101", n: 1_000, m: 16));
            var behind = (await OkAsync(hub.Anonymous.GetAsync(inputs[0].GetProperty("explainedBy").GetString()!.TrimStart('/')))).RootElement;
            Assert.Equal((3.0, 3.0), (behind.GetProperty("value").GetDouble(), behind.GetProperty("recomputed").GetDouble()));
            var row = Assert.Single(behind.GetProperty("rows").EnumerateArray().ToArray());
            Assert.Equal((3.0, 2.0), (row.GetProperty("n").GetDouble(), row.GetProperty("corrections")[0].GetProperty("n").GetDouble()));
            watermark = await city.PushAsync(Row("a", 8, "010101", n: 3, m: 16));
        }
    }

    [Fact]
    public async Task A_difference_of_a_formula_is_its_value_before_and_after_and_the_rows_that_moved_an_input()
    {
        var city = await CityAsync("drift", partitions: 1);
        await city.PutAsync("rate", new { formula = "drifta / driftb", decimals = 2 });
        var since = await city.PushAsync(Row("a", 8, "010101", n: 6, m: 3), Row("b", 8, "020101", n: 4, m: 2), Row("c", 9, "010101", n: 1), Row("d", 10, "010101", n: 8, m: 4));
        await city.PushAsync(Row("a", 8, "010101", n: 9, m: 3));
        await city.PushAsync(Row("c", 9, "010101", n: 1, m: 4), Row("e", 9, "010101", n: 3, m: 4), """{"station":"d","time":"2026-03-02T10:00:00Z","@delete":true}""");
        var until = await city.PushAsync(Row("f", 11, "020101", n: 1, m: 0));

        const string All = "010101@08:2/1ok→3/1ok:1 corrected:a(drifta) ; 010101@09:null/0missing→0.5/2ok:2 corrected:c(driftb) new:e(drifta,driftb)"
            + " ; 010101@10:2/1ok→:1 retracted:d(drifta,driftb) ; 020101@11:→null/1undefined:1 new:f(drifta,driftb)";
        var page = await DiffAsync(city, "rate", $"since={since}&until={until}");
        Assert.Equal(All, Lines(page));
        Assert.Equal((since, until, JsonValueKind.Null), (page.GetProperty("since").GetString(), page.GetProperty("until").GetString(), page.GetProperty("next").ValueKind));
        Assert.Equal("01@08:2/1ok→3/1ok:1 corrected:a(drifta)", Lines(await DiffAsync(city, "rate", $"since={since}&until={until}&area=01&to=2026-03-02T09:00:00Z")));
        Assert.Equal("-@08:2/2ok→2.6/2ok:1 corrected:a(drifta)", Lines(await DiffAsync(city, "rate", $"since={since}&until={until}&whole=true&to=2026-03-02T09:00:00Z")));
        Assert.Equal("", Lines(await DiffAsync(city, "rate", $"since={until}")));

        // What each side says is what was answered as of its moment.
        foreach (var (side, mark) in new[] { ("before", since), ("after", until) })
        {
            var told = page.GetProperty("cells").EnumerateArray().Where(cell => cell.GetProperty(side).ValueKind != JsonValueKind.Null)
                .Select(cell => $"{Place(cell)}={Value(cell.GetProperty(side))}");
            Assert.Equal([], told.Except((await city.RowsAsync("rate", $"asOf={mark}")).Split(' ')));
        }

        // Each input's link leads to what moved itself.
        var inputs = page.GetProperty("inputs").EnumerateArray().ToArray();
        Assert.Equal(["drifta", "driftb"], inputs.Select(input => input.GetProperty("indicator").GetString()));
        var own = (await OkAsync(hub.Anonymous.GetAsync(inputs[0].GetProperty("movedBy").GetString()!.TrimStart('/')))).RootElement;
        Assert.Equal((since, until), (own.GetProperty("since").GetString(), own.GetProperty("until").GetString()));
        Assert.Equal("08 09 10 11", string.Join(' ', own.GetProperty("cells").EnumerateArray().Select(cell => cell.GetProperty("from").GetString()![11..13])));

        var (seen, next) = (new List<string>(), $"/api/v1/indicators/drift-rate/diff?since={since}&until={until}&limit=1");
        while (next is not null)
        {
            var one = (await OkAsync(hub.Anonymous.GetAsync(next))).RootElement;
            seen.Add(Lines(one));
            next = one.GetProperty("next").GetString();
        }

        Assert.Equal(
            ["010101@08:2/1ok→3/1ok:1 corrected:a(drifta)", "010101@09:null/0missing→0.5/2ok:2 corrected:c(driftb)", "010101@09:null/0missing→0.5/2ok:2 new:e(drifta,driftb)",
                "010101@10:2/1ok→:1 retracted:d(drifta,driftb)", "020101@11:→null/1undefined:1 new:f(drifta,driftb)"],
            seen);
    }

    [Fact]
    public async Task What_compares_areas_or_windows_is_moved_by_rows_of_the_others_too()
    {
        var city = await CityAsync("others");
        await city.PutAsync("part", new { formula = "share(othersa)" });
        await city.PutAsync("place", new { formula = "rank(othersa)" });
        await city.PutAsync("more", new { formula = "change(othersa)" });
        var since = await city.PushAsync(
            Row("a", 8, "010101", n: 1), Row("b", 8, "010102", n: 2), Row("c", 8, "020101", n: 5), Row("a", 9, "010101", n: 10), Row("c", 9, "020101", n: 10));
        var until = await city.PushAsync(Row("b", 8, "010102", n: 4));
        Assert.Equal(
            "010101@08:0.125/1ok→0.1/1ok:1 corrected:b(othersa) ; 010102@08:0.25/1ok→0.4/1ok:1 corrected:b(othersa) ; 020101@08:0.625/1ok→0.5/1ok:1 corrected:b(othersa)",
            Lines(await DiffAsync(city, "part", $"since={since}")));

        // No rank changed: told only where the row is.
        Assert.Equal("010102@08:2/1ok→2/1ok:1 corrected:b(othersa)", Lines(await DiffAsync(city, "place", $"since={since}")));
        await city.PushAsync(Row("b", 8, "010102", n: 6));
        Assert.Equal(
            "010102@08:2/1ok→1/1ok:1 corrected:b(othersa) ; 020101@08:1/1ok→2/1ok:1 corrected:b(othersa)", Lines(await DiffAsync(city, "place", $"since={until}")));

        // A row of eight o'clock moves the change at nine, where that alone is asked for too.
        var later = await city.PushAsync(Row("a", 8, "010101", n: 3));
        Assert.Equal("010101@09:9/1ok→7/1ok:1 corrected:a(othersa)", Lines(await DiffAsync(city, "more", $"since={until}&until={later}&from=2026-03-02T09:00:00Z")));
        Assert.Equal("020101@08:0.5/1ok→0.35714285714285715/1ok:2 corrected:a(othersa) corrected:b(othersa)", Lines(await DiffAsync(city, "part", $"since={until}&until={later}&area=020101")));
    }

    [Fact]
    public async Task A_difference_tells_nothing_of_suppressed_inputs_and_no_rows_that_are_not_open()
    {
        var city = await CityAsync("veiled", minimumCount: 2);
        await city.PutAsync("place", new { formula = "rank(veileda)" });
        await city.PutAsync("sum", new { formula = "veileda + veiledb" });
        var since = await city.PushAsync(Row("a", 8, "010101", n: 1), Row("b", 8, "010101", n: 2), Row("c", 8, "020101", n: 3), Row("d", 8, "020101", n: 4), Row("e", 8, "010102", n: 41.5));
        await city.PushAsync(Row("a", 8, "010101", n: 9), Row("e", 8, "010102", n: 42.5));
        foreach (var suffix in new[] { "place", "sum" })
        {
            var text = await hub.Anonymous.GetStringAsync($"api/v1/indicators/veiled-{suffix}/diff?since={since}");
            Assert.DoesNotContain("42.5", text, StringComparison.Ordinal);
            Assert.DoesNotContain("41.5", text, StringComparison.Ordinal);
        }

        Assert.Equal("010101@08:2/2ok→1/2ok:null ; 010102@08:null/nullsuppressed→null/nullsuppressed:null ; 020101@08:1/2ok→2/2ok:null", Lines(await DiffAsync(city, "place", $"since={since}")));
        var mine = Lines((await OkAsync(city.Agency.GetAsync($"api/v1/indicators/veiled-place/diff?since={since}"))).RootElement);
        Assert.Contains("020101@08:1/2ok→2/2ok:2 corrected:a(veileda) corrected:e(veileda)", mine, StringComparison.Ordinal);

        // Rows that are not open: numbers alone, and no page or cursor that tells of a row.
        var closed = await hub.Grains.GetGrain<IDatasetGrain>("veiled").GetAsync(Caller.Hub);
        await hub.Grains.GetGrain<IDatasetGrain>("veiled").PutAsync(Caller.Hub, closed!.Spec with { Access = AccessClass.Internal });
        foreach (var suffix in new[] { "veiled-sum", "veileda" })
        {
            var (pages, next) = (0, $"/api/v1/indicators/{suffix}/diff?since={since}&limit=1");
            for (; next is not null; pages++)
            {
                var page = (await OkAsync(hub.Anonymous.GetAsync(next))).RootElement;
                Assert.False(Assert.Single(page.GetProperty("cells").EnumerateArray()).TryGetProperty("rows", out _));
                next = page.GetProperty("next").GetString();
                if (next is not null) Assert.EndsWith(".9223372036854775807.", next, StringComparison.Ordinal);
            }

            Assert.Equal(2, pages);
        }
    }

    [Fact]
    public async Task A_formula_neither_explains_itself_nor_says_what_moved_once_an_input_is_closed()
    {
        var city = await CityAsync("shut");
        await city.PutAsync("rate", new { formula = "shuta + 0" });
        var since = await city.PushAsync(Row("a", 8, "010101", n: 6));
        await city.PushAsync(Row("a", 8, "010101", n: 7));
        await OkAsync(city.Agency.PutAsJsonAsync("api/v1/indicators/shuta", Measure("shut", "shuta", "sum", "n", access: "internal")));
        foreach (var path in new[] { "explain?from=2026-03-02T08:00:00Z&area=010101", $"explain?from=2026-03-02T08:00:00Z&area=010101&asOf={since}", $"diff?since={since}" })
        {
            await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/shut-rate/" + path), 401, "unauthorized");
            await OkAsync(city.Agency.GetAsync("api/v1/indicators/shut-rate/" + path));
        }

        // Who may read is explained as it is decided.
        var right = (await OkAsync(hub.Anonymous.GetAsync("api/v1/access?object=indicator:shut-rate&right=read-rows"))).RootElement.GetProperty("rights")[0];
        Assert.False(right.GetProperty("allowed").GetBoolean());
    }

    private async Task<JsonElement> DiffAsync(City city, string suffix, string query) =>
        (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/{city.Name}-{suffix}/diff?{query}"))).RootElement;

    /// <summary>Each cell's place, value before and after, how many rows moved it, and these with the inputs they came through.</summary>
    private static string Lines(JsonElement page) => string.Join(" ; ", page.GetProperty("cells").EnumerateArray().Select(cell =>
    {
        var rows = cell.TryGetProperty("rows", out var told)
            ? told.EnumerateArray().Select(row => $"{row.GetProperty("change").GetString()}:{row.GetProperty("station").GetString()}({string.Join(',', row.GetProperty("through").EnumerateArray().Select(input => input.GetString()))})")
            : [];
        return string.Join(' ', rows.Prepend($"{Place(cell)}:{Value(cell.GetProperty("before"))}→{Value(cell.GetProperty("after"))}:{cell.GetProperty("moved").GetRawText()}"));
    }));

    private static string Place(JsonElement cell) => $"{(cell.TryGetProperty("area", out var area) ? area.GetString() ?? "-" : "-")}@{cell.GetProperty("from").GetString()![11..13]}";

    private static string Value(JsonElement side) =>
        side.ValueKind == JsonValueKind.Null ? "" : $"{side.GetProperty("value").GetRawText()}/{side.GetProperty("count").GetRawText()}{side.GetProperty("state").GetString()}";

    [Fact]
    public async Task A_formulas_published_figure_is_reproduced_after_corrections_of_its_inputs()
    {
        var city = await CityAsync("figure", partitions: 1);
        await city.PutAsync("rate", new { formula = "share(figurea) + previous(figurea) / population + rank(figureb)" });
        await city.PushAsync([.. Enumerable.Range(8, 4).SelectMany(hour => new[] { Row("a", hour, "010101", n: hour, m: 1), Row("b", hour, "010102", n: 2, m: hour), Row("c", hour, "020101", n: 1, m: 9) })]);
        var watermark = await city.PushAsync(Row("d", 11, "010101", n: 5));
        foreach (var query in new[] { "level=2", "level=0", "area=010102", "whole=true", "from=2026-03-02T10:00:00Z&level=2" })
        {
            foreach (var route in new[] { "values", "latest" })
            {
                var answer = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/figure-rate/{route}?{query}&watermark={watermark}"))).RootElement;
                var published = string.Join(' ', answer.GetProperty("rows").EnumerateArray().Select(Row));
                Assert.NotEqual("", published);
                await city.PushAsync(Row("a", 10, "010101", n: 1_000, m: 1_000), Row("b", 11, "010102", n: 77, m: 0), Row("z", 13, "020101", n: 3, m: 3));
                Assert.NotEqual(published, await city.RowsAsync("rate", $"{query}&watermark={await city.PushAsync(Row("y", 8, "020101", n: 4, m: 4))}", route));
                Assert.Equal(published, await city.RowsAsync("rate", $"{query}&asOf={answer.GetProperty("watermark").GetString()}", route));
                await city.PushAsync(Row("a", 10, "010101", n: 10, m: 1), Row("b", 11, "010102", n: 2, m: 11), Delete("z", 13));
                watermark = await city.PushAsync(Delete("y", 8));
            }
        }

        static string Delete(string station, int hour) => $$"""{"station":"{{station}}","time":"2026-03-02T{{hour:00}}:00:00Z","@delete":true}""";
    }

    [Fact]
    public async Task What_is_wrong_with_a_formula_is_said_where_it_stands()
    {
        var city = await CityAsync("wrong");
        await city.PutAsync("rate", new { formula = "wronga / wrongb" });
        foreach (var (body, detail) in new (object, string)[]
        {
            (new { formula = "wronga / (wrongb" }, "formula, Zeichen 17: Hier endet sie; erwartet wird ein Rechenzeichen (+ - * /) oder „)“."),
            (new { formula = "wronga / wrongc" }, "formula, Zeichen 10: Den Indikator „wrongc“ gibt es auf dem Datensatz „wrong“ nicht; eine Formel nimmt nur Indikatoren ihres eigenen Datensatzes. Gemeint: wronga?"),
            (new { formula = "wronga - wrong - rate" }, "formula, Zeichen 10: Den Indikator „wrong“ gibt es auf dem Datensatz „wrong“ nicht; eine Formel nimmt nur Indikatoren ihres eigenen Datensatzes. Gemeint: \"wrong-mean\", mit Anführungszeichen?"),
            (new { formula = "wronga * \"wrong-rate\"" }, "formula, Zeichen 10: „wrong-rate“ ist selbst eine Formel; möglich sind nur gemessene Indikatoren."),
            (new { formula = "wronga", measure = new { function = "count" } }, "formula: Entweder measure oder formula."),
            (new { formula = "wronga", filter = "n > 3" }, "filter: Das gehört zu den Indikatoren, aus denen eine Formel gebildet wird, nicht zur Formel."),
            (new { formula = "wronga", window = "P1D" }, "window, timeZone, groupBy: Bei einer Formel sind es die der Indikatoren, aus denen sie gebildet wird: PT1H Europe/Berlin [area]. Weglassen oder so angeben."),
        })
        {
            var refused = await RefusedAsync(city.TryPutAsync("other", body), 422, "invalid-indicator");
            Assert.Equal(detail, refused.RootElement.GetProperty("detail").GetString());
        }

        // An input keeps its window as long as it is used; and what says the same as the inputs may be said.
        var daily = new Dictionary<string, object?>(Measure("wrong", "wronga", "sum", "n")) { ["window"] = "P1D" };
        var used = await RefusedAsync(city.Agency.PutAsJsonAsync("api/v1/indicators/wronga", daily), 409);
        Assert.EndsWith("berechnet werden: wrong-rate.", used.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await city.PutAsync("same", new { formula = "round(wronga, 1)", window = "PT1H", timeZone = "Europe/Berlin", groupBy = new[] { "area" } });
        var stands = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/wrong-same"))).RootElement;
        Assert.Equal(("round(wronga, 1)", "PT1H", JsonValueKind.Null), (stands.GetProperty("formula").GetString(), stands.GetProperty("window").GetString(), stands.GetProperty("measure").ValueKind));
    }

    [Fact]
    public async Task Open_records_per_inhabitant_and_what_changed_since_the_window_before_are_right_for_every_window()
    {
        var agency = await hub.AgencyAsync("cases-agency", KeyRole.Admin);
        await CityAsync("peopled-areas");
        await hub.PutDatasetAsync("cases", "cases-agency", DatasetKind.Records, Contracts.Schema(
            ["id"],
            Contracts.Field("id", FieldType.String),
            Contracts.Field("area", FieldType.String, FieldRole.Area),
            Contracts.Field("from", FieldType.DateTime, FieldRole.Opened),
            Contracts.Field("to", FieldType.DateTime, FieldRole.Closed)), 2, "peopled");
        var city = new City(hub, agency, "cases");
        await OkAsync(agency.PutAsJsonAsync("api/v1/indicators/casesopen", new
        {
            title = new { de = "offen" },
            dataset = "cases",
            measure = new { function = "open" },
            window = "PT1H",
            groupBy = new[] { "area" },
            access = "open",
        }));
        await city.PutAsync("rate", new { formula = "casesopen / population * 1000 + 0 * change(casesopen)" });
        await city.PutAsync("place", new { formula = "rank(casesopen)" });
        await city.PutAsync("part", new { formula = "share(casesopen)" });
        var watermark = await city.PushAsync(
            Case("a", "010101", 8, 10), Case("b", "010101", 8, null), Case("c", "010102", 9, 11), Case("d", "010102", 9, null), Case("e", "010102", 10, null), Case("f", "020101", 8, 9));
        const string Hours = "from=2026-03-02T09:00:00Z&to=2026-03-02T12:00:00Z";
        Assert.Equal(
            "010101@09=20/2ok 010102@09=null/0missing 020101@09=0/0ok 010101@10=10/1ok 010102@10=10/2ok 020101@10=0/0ok 010101@11=10/1ok 010102@11=6.666666666666667/2ok 020101@11=0/0ok",
            await city.RowsAsync("rate", $"{Hours}&watermark={watermark}"));
        Assert.Equal("01@09=1/4ok 02@09=2/0ok 01@10=1/4ok 02@10=2/0ok 01@11=1/3ok 02@11=2/0ok", await city.RowsAsync("place", $"{Hours}&level=0&watermark={watermark}"));
        Assert.Equal("010102@10=0.75/3ok", (await city.RowsAsync("part", $"from=2026-03-02T10:00:00Z&to=2026-03-02T11:00:00Z&area=010102&watermark={watermark}")));
        var latest = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/cases-part/latest?area=010102&watermark={watermark}"))).RootElement.GetProperty("rows")[0];
        Assert.Equal(2 / 3.0, latest.GetProperty("value").GetDouble());

        static string Case(string id, string area, int opened, int? closed) => JsonSerializer.Serialize(new
        {
            id,
            area,
            from = string.Create(CultureInfo.InvariantCulture, $"2026-03-02T{opened:00}:00:00Z"),
            to = closed is { } hour ? string.Create(CultureInfo.InvariantCulture, $"2026-03-02T{hour:00}:00:00Z") : null,
        });
    }

    private static Dictionary<string, object?> Measure(string dataset, string id, string function, string field, string access = "open", int minimumCount = 0) => new()
    {
        ["title"] = new { de = id },
        ["dataset"] = dataset,
        ["measure"] = new { function, field },
        ["window"] = "PT1H",
        ["groupBy"] = new[] { "area" },
        ["access"] = access,
        ["disclosure"] = new { minimumCount },
    };

    private static string Row(JsonElement row) =>
        $"{(row.TryGetProperty("area", out var area) ? area.GetString() ?? "-" : "-")}@{row.GetProperty("from").GetString()![11..13]}={row.GetProperty("value").GetRawText()}/{row.GetProperty("count").GetRawText()}{row.GetProperty("state").GetString()}";

    private static string Row(string station, int hour, string? area, double? n = null, double? m = null) =>
        JsonSerializer.Serialize(new { station, time = string.Create(CultureInfo.InvariantCulture, $"2026-03-02T{hour:00}:00:00Z"), area, n, m });

    /// <summary>A dataset over areas with populations, with the open indicators <c>{name}a</c> (sum of n), <c>{name}b</c> (sum of m) and <c>{name}-mean</c>.</summary>
    private async Task<City> CityAsync(string name, int minimumCount = 0, int partitions = 2)
    {
        var agency = await hub.AgencyAsync($"{name}-agency", KeyRole.Admin);
        await hub.Grains.GetGrain<IAreaSystemGrain>("peopled").PutAsync(Caller.Hub, new("Demo", null),
        [
            new("01", null, "Eins", 0, null, null), new("0101", "01", "A", 1, null, null), new("010101", "0101", "a", 2, 100, null), new("010102", "0101", "b", 2, 300, null),
            new("02", null, "Zwei", 0, 1_000, null), new("0201", "02", "C", 1, null, null), new("020101", "0201", "d", 2, 50, null),
        ], null);
        await hub.PutDatasetAsync(name, $"{name}-agency", DatasetKind.Observations, s_schema, partitions, "peopled");
        var city = new City(hub, agency, name);
        foreach (var (id, function, field) in new[] { ($"{name}a", "sum", "n"), ($"{name}b", "sum", "m"), ($"{name}-mean", "mean", "n") })
        {
            await OkAsync(agency.PutAsJsonAsync($"api/v1/indicators/{id}", Measure(name, id, function, field, minimumCount: minimumCount)));
        }

        return city;
    }

    private sealed record City(HubFixture Hub, HttpClient Agency, string Name)
    {
        /// <summary>Puts <c>{name}-{suffix}</c>, open unless it says something else.</summary>
        public async Task<JsonElement> PutAsync(string suffix, object body) => (await OkAsync(TryPutAsync(suffix, body))).RootElement;

        public Task<HttpResponseMessage> TryPutAsync(string suffix, object body)
        {
            var all = JsonSerializer.SerializeToNode(body)!.AsObject();
            all.TryAdd("title", new System.Text.Json.Nodes.JsonObject { ["de"] = suffix });
            all.TryAdd("dataset", Name);
            all.TryAdd("access", "open");
            return Agency.PutAsJsonAsync($"api/v1/indicators/{Name}-{suffix}", all);
        }

        public async Task<string> PushAsync(params string[] rows)
        {
            var content = new StringContent(string.Join('\n', rows), Encoding.UTF8, "application/x-ndjson");
            return (await OkAsync(Agency.PostAsync($"api/v1/datasets/{Name}/feeds/default/records", content))).RootElement.GetProperty("watermark").GetString()!;
        }

        public async Task<string> RowsAsync(string suffix, string query, string route = "values", bool skipNull = false)
        {
            var answer = await OkAsync(Hub.Anonymous.GetAsync($"api/v1/indicators/{Name}-{suffix}/{route}?{query}"));
            var rows = answer.RootElement.GetProperty("rows").EnumerateArray().Select(Row).Where(row => !skipNull || row[0] != '-').ToArray();
            return string.Join(' ', rows);
        }
    }
}
