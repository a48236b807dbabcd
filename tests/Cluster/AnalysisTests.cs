using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Support;

using Npgsql;

namespace DataHub.Cluster;

/// <summary>What analysts read with plain SQL, beside what the API answers.</summary>
public sealed class AnalysisTests
{
    private static readonly string[] s_functions = ["count", "sum", "mean", "min", "max", "last", "stddev", "stddevSample", "p50", "p95", "distinct"];

    private static readonly object[] s_fields =
    [
        new { name = "station", type = "string", role = "series", constraints = new { required = true } },
        new { name = "time", type = "datetime", role = "time", constraints = new { required = true } },
        new { name = "area", type = "string", role = "area" },
        new { name = "no2", type = "number", role = "measure" },
        new { name = "kind", type = "string", role = "dimension" },
        new { name = "observer", type = "string", role = "personal" },
        new { name = "steps", type = "integer" },
        new { name = "fine", type = "boolean" },
        new { name = "day", type = "date" },
        new { name = "clock", type = "time" },
        new { name = "month", type = "yearmonth" },
        new { name = "year", type = "year" },
        new { name = "note", type = "string" },
    ];

    [PostgresFact]
    public async Task Rows_and_cells_in_SQL_are_those_of_the_API_without_what_is_personal_internal_or_too_few()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 1, frontEnds: 1);
        var admin = cluster.Client(0, cluster.AdminKey);
        await HubFixture.OkAsync(admin.PutAsync("api/v1/areas/stadt", new StringContent("id,parent,name,level,population\n01,,Mitte,0,1000\n02,,Nord,0,\n0101,01,Altstadt,1,\n", Encoding.UTF8, "text/csv")));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = new { de = "Amt" } }));
        var made = await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/agencies/amt/keys", new { role = "admin" }));
        var second = cluster.Client(0, made.RootElement.GetProperty("key").GetString());
        await DatasetAsync(admin, second, "luft", "open", 1);
        await DatasetAsync(admin, second, "laerm", "open", 2);
        await DatasetAsync(admin, second, "geheim", "internal", 1);
        foreach (var dataset in new[] { "luft", "laerm", "geheim" })
        {
            foreach (var function in s_functions)
            {
                await HubFixture.OkAsync(admin.PutAsJsonAsync($"api/v1/indicators/{Id(dataset, function)}", new
                {
                    title = new { de = "Größe", en = "Quantity" },
                    dataset,
                    measure = new { function, field = "no2" },
                    window = function == "p50" ? "P1D" : "PT1H",
                    groupBy = function == "sum" ? new[] { "area", "kind" } : ["area"],
                    access = dataset == "geheim" ? "internal" : "open",
                    disclosure = new { minimumCount = function == "max" ? 3 : 0 },
                }));
            }
        }

        var watermarks = new Dictionary<string, string>();
        foreach (var dataset in new[] { "luft", "laerm", "geheim" })
        {
            await PushAsync(admin, dataset, [.. Enumerable.Range(0, 120).Select(Row)]);
            // Corrections, one into another hour and area, and a retraction.
            watermarks[dataset] = await PushAsync(admin, dataset,
            [
                With(Row(3), "no2", 99.25), With(With(Row(4), "area", "02"), "no2", null), new JsonObject { ["station"] = Row(5)["station"]!.DeepClone(), ["time"] = Row(5)["time"]!.DeepClone(), ["@delete"] = true },
            ]);
            await PushAsync(admin, dataset, [With(Row(6), "no2", "viel")], 422);
        }

        var (analyst, trusted) = (await LoginAsync(cluster, "datahub_analyst"), await LoginAsync(cluster, "datahub_analyst_internal"));
        await UntilAsync(trusted, "SELECT count(*) FROM analysis.indicators WHERE readable", 3L * s_functions.Length);

        // Every field of every row as the API tells it, but for what is personal.
        foreach (var dataset in new[] { "luft", "laerm" })
        {
            var told = (await HubFixture.OkAsync(admin.GetAsync($"api/v1/datasets/{dataset}/records?limit=1000&watermark={Uri.EscapeDataString(watermarks[dataset])}"))).RootElement.GetProperty("rows");
            var rows = told.EnumerateArray().Select(row => Content(row)).OrderBy(row => row.ToJsonString(), StringComparer.Ordinal).ToArray();
            Assert.Equal(119, rows.Length);
            var read = (await ReadAsync(analyst, $"SELECT content::text FROM analysis.rows_between('{dataset}', '2026-11-01', '2026-12-01')"))
                .Select(row => Content(JsonDocument.Parse((string)row[0]!).RootElement)).OrderBy(row => row.ToJsonString(), StringComparer.Ordinal).ToArray();
            Assert.Equal(rows.Length, read.Length);
            foreach (var (expected, actual) in rows.Zip(read)) Assert.True(JsonNode.DeepEquals(expected, actual), $"{expected.ToJsonString()}\n{actual.ToJsonString()}");
        }

        Assert.Equal(119L, (await ReadAsync(analyst, "SELECT count(*) FROM analysis.rows WHERE dataset = 'luft' AND content ? 'station' AND NOT content ? 'observer' AND feed = 'default' AND receipt IS NOT NULL"))[0][0]);
        Assert.Equal(122L, (await ReadAsync(analyst, "SELECT count(*) FROM analysis.row_versions WHERE dataset = 'luft'"))[0][0]);
        Assert.Equal(3L, (await ReadAsync(analyst, "SELECT count(*) FROM analysis.row_versions WHERE dataset = 'luft' AND known_until >= known_from"))[0][0]);
        Assert.Equal([120L + 3 + 1, 123L, 0L, 1L], (await ReadAsync(analyst, "SELECT received, accepted, duplicate, quarantined FROM analysis.feeds WHERE dataset = 'luft'"))[0]);
        Assert.Equal(["no2:not-a-number", "open", 1L], (await ReadAsync(analyst, "SELECT cause, state, rows FROM analysis.quarantine WHERE dataset = 'luft'"))[0]);
        Assert.Equal(["Mitte", 1000L], (await ReadAsync(analyst, "SELECT name, population FROM analysis.areas WHERE system = 'stadt' AND area = '01'"))[0]);

        // Every number as the API tells it; where a dataset has two partitions, those that can be told from parts.
        foreach (var function in s_functions)
        {
            await AssertSoonAsync(await CellsAsync(admin, Id("luft", function), watermarks["luft"]), () => CellsAsync(analyst, Id("luft", function)));
            if (function is "count" or "sum" or "min" or "max") await AssertSoonAsync(await CellsAsync(admin, $"laerm-{function}", watermarks["laerm"]), () => CellsAsync(analyst, $"laerm-{function}"));
        }

        Assert.Contains(await CellsAsync(analyst, "luft-max"), cell => cell.State == "suppressed" && cell.Value is null && cell.Count is null);
        Assert.Contains(await CellsAsync(analyst, "laerm-p95"), cell => cell.State == "missing");

        // What is internal is there for those alone who may see it.
        foreach (var sql in new[] { "SELECT count(*) FROM analysis.rows WHERE dataset = 'geheim'", "SELECT count(*) FROM analysis.cells WHERE indicator = 'geheim-sum'", "SELECT count(*) FROM analysis.feeds WHERE dataset = 'geheim'" })
        {
            Assert.Equal(0L, (await ReadAsync(analyst, sql))[0][0]);
            Assert.NotEqual(0L, (await ReadAsync(trusted, sql))[0][0]);
        }

        await DatasetAsync(admin, second, "luft", "internal", 1);
        await UntilAsync(analyst, "SELECT count(*) FROM analysis.rows WHERE dataset = 'luft'", 0L);
        Assert.Equal(119L, (await ReadAsync(trusted, "SELECT count(*) FROM analysis.rows WHERE dataset = 'luft'"))[0][0]);

        Assert.NotEmpty(await CellsAsync(analyst, "laerm-min"));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/indicators/laerm-min", new
        {
            title = new { de = "Größe", en = "Quantity" },
            dataset = "laerm",
            measure = new { function = "min", field = "no2" },
            window = "PT1H",
            groupBy = new[] { "area" },
            access = "internal",
        }));
        await UntilAsync(analyst, "SELECT count(*) FROM analysis.cells WHERE indicator = 'laerm-min'", 0L);

        // Ids that read as numbers are ids like any other.
        foreach (var dataset in new[] { "2024", "cafe", "1" }) await DatasetAsync(admin, second, dataset, "open", 1);
        await UntilAsync(analyst, "SELECT count(*) FROM analysis.datasets WHERE dataset IN ('2024', 'cafe', '1')", 3L);
        await DatasetAsync(admin, second, "cafe", "internal", 1);
        await UntilAsync(analyst, "SELECT count(*) FROM analysis.datasets WHERE dataset IN ('2024', 'cafe', '1') AND readable", 2L);

        foreach (var sql in new[] { "SELECT * FROM datahub.cell", "SELECT * FROM datahub.readable_version", "UPDATE analysis.areas SET name = ''", "DELETE FROM analysis.rows", "CREATE TABLE analysis.x (y int)" })
        {
            foreach (var login in new[] { analyst, trusted }) Assert.Contains((await Assert.ThrowsAsync<PostgresException>(() => ReadAsync(login, sql))).SqlState, new[] { "42501", "55000" });
        }
    }

    [PostgresFact]
    public async Task Every_view_and_column_for_analysts_says_what_it_is_and_a_span_of_time_is_found_by_the_index()
    {
        await using var scratch = await PostgresScratch.CreateAsync();
        Assert.Empty(await ReadAsync(
            scratch.ConnectionString,
            """
            SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
            WHERE n.nspname = 'analysis' AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)
            """));
        Assert.Empty(await ReadAsync(scratch.ConnectionString, "SELECT proname FROM pg_proc WHERE pronamespace = 'analysis'::regnamespace AND obj_description(oid) IS NULL"));
        await ReadAsync(scratch.ConnectionString, "SELECT datahub.add_history_years(ARRAY[2026])");
        var analyst = await LoginAsync(scratch.ConnectionString, "datahub_analyst");
        foreach (var (sql, condition) in new[]
                 {
                     ("SELECT * FROM analysis.rows_between('luft', '2026-11-01', '2026-12-01')", "Index Cond: ((partition_id = p.id) AND (day >="),
                     ("SELECT * FROM analysis.cells_between('luft-sum', '2026-11-01', '2026-12-01')", "Index Cond: ((fold_id = p.id) AND (window_from >="),
                 })
        {
            var plan = string.Join('\n', (await ReadAsync(analyst, "SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN " + sql)).Select(line => line[0]));
            Assert.True(plan.Contains(condition, StringComparison.Ordinal), plan);
        }
    }

    private static string Id(string dataset, string function) => function == "stddevSample" ? dataset + "-sample" : $"{dataset}-{function}";

    /// <summary>A row with a value of every type; whole numbers of every length that they are packed in.</summary>
    private static JsonObject Row(int i)
    {
        var steps = new[] { i, -i, 200, 60_000, 4_000_000_000, 4_611_686_018_427_387_904, -100, -30_000, -2_000_000_000, -4_611_686_018_427_387_904 }[i % 10];
        return new()
        {
            ["station"] = $"straße-{i % 7}",
            ["time"] = new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero).AddMinutes(i * 7).AddTicks(i % 3 * 1_234_567).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
            ["area"] = new[] { "01", "02", "0101" }[i % 3],
            ["no2"] = new[] { 0.1, 1e-12, 12345.678901234567, -3.5, 1e20, 7 }[i % 6] * (i + 1),
            ["kind"] = i % 4 == 0 ? null : $"art-{i % 2}",
            ["observer"] = "Erika Mustermann",
            ["steps"] = i % 11 == 0 ? null : steps,
            ["fine"] = i % 5 == 0 ? null : i % 2 == 0,
            ["day"] = $"2026-02-{1 + (i % 28):D2}",
            ["clock"] = i % 2 == 0 ? "07:05:00" : "23:59:59.5",
            ["month"] = $"1999-{1 + (i % 12):D2}",
            ["year"] = 1990 + i,
            ["note"] = i % 9 == 0 ? new string('ü', 40 + (i * 5)) : i % 13 == 0 ? null : $"Zeile\n{i} \"\\u0000\"",
        };
    }

    private static JsonObject With(JsonObject row, string field, JsonNode? value)
    {
        row[field] = value;
        return row;
    }

    /// <summary>The fields that are not personal and have a value, in one order, numbers as doubles.</summary>
    private static JsonObject Content(JsonElement row)
    {
        var content = new JsonObject();
        foreach (var field in row.EnumerateObject().Where(field => field.Value.ValueKind != JsonValueKind.Null && s_fields.Any(known => JsonSerializer.SerializeToElement(known).GetProperty("name").GetString() == field.Name)).OrderBy(field => field.Name, StringComparer.Ordinal))
        {
            if (field.Name == "observer") continue;
            content[field.Name] = field.Value.ValueKind == JsonValueKind.Number && field.Name == "no2" ? field.Value.GetDouble() : JsonNode.Parse(field.Value.GetRawText());
        }

        return content;
    }

    private static async Task DatasetAsync(HttpClient admin, HttpClient second, string dataset, string access, int partitions)
    {
        await HubFixture.OkAsync(admin.PutAsJsonAsync($"api/v1/datasets/{dataset}", new
        {
            title = new { de = dataset },
            publisher = "amt",
            license = "dl-de/by-2-0",
            legalBasis = "Art. 6 DSGVO",
            kind = "observations",
            access,
            areaSystem = "stadt",
            partitions,
            schema = new { primaryKey = new[] { "station", "time" }, fields = s_fields },
        }));
        await HubFixture.OkAsync(second.PostAsJsonAsync($"api/v1/datasets/{dataset}/release", new { state = "AVAILABLE" }));
    }

    private static async Task<string> PushAsync(HttpClient client, string dataset, JsonObject[] rows, int status = 200)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/datasets/{dataset}/feeds/default/records") { Content = new StringContent(new JsonArray([.. rows]).ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("watermark").GetString()!;
    }

    private sealed record ReadCell(DateTimeOffset From, DateTimeOffset To, string? Area, string Dimensions, double? Value, long? Count, string? State);

    private static async Task<ReadCell[]> CellsAsync(HttpClient client, string indicator, string watermark)
    {
        var values = await HubFixture.OkAsync(client.GetAsync($"api/v1/indicators/{indicator}/values?from=2026-11-01&to=2026-12-01&limit=10000&watermark={Uri.EscapeDataString(watermark)}"));
        return
        [
            .. values.RootElement.GetProperty("rows").EnumerateArray().Select(row => new ReadCell(
                row.GetProperty("from").GetDateTimeOffset(), row.GetProperty("to").GetDateTimeOffset(), row.GetProperty("area").GetString(), Dimensions(row.TryGetProperty("dimensions", out var dimensions) ? dimensions.GetRawText() : "{}"),
                Number(row.GetProperty("value"))?.GetDouble(), Number(row.GetProperty("count"))?.GetInt64(), row.GetProperty("state").GetString()))
                .Order(s_byPlace),
        ];

        static JsonElement? Number(JsonElement element) => element.ValueKind == JsonValueKind.Number ? element : null;
    }

    private static async Task<ReadCell[]> CellsAsync(string login, string indicator) =>
    [
        .. (await ReadAsync(login, $"SELECT window_from, window_to, area, dimensions::text, value, count, state FROM analysis.cells_between('{indicator}', '2026-11-01', '2026-12-01')"))
            .Select(row => new ReadCell(
                new((DateTime)row[0]!), new((DateTime)row[1]!), (string?)row[2], Dimensions((string?)row[3] ?? "{}"), (double?)row[4], (long?)row[5], (string)row[6]!))
            .Order(s_byPlace),
    ];

    private static readonly Comparer<ReadCell> s_byPlace = Comparer<ReadCell>.Create((a, b) =>
        a.From != b.From ? a.From.CompareTo(b.From) : a.Area != b.Area ? string.CompareOrdinal(a.Area, b.Area) : string.CompareOrdinal(a.Dimensions, b.Dimensions));

    private static string Dimensions(string json) => JsonNode.Parse(json)!.ToJsonString();

    private static Task<string> LoginAsync(ClusterProcesses cluster, string role) => LoginAsync(cluster.ConnectionString, role);

    private static async Task<string> LoginAsync(string owner, string role)
    {
        var name = $"login_{Guid.NewGuid():N}";
        await ReadAsync(owner, $"CREATE ROLE {name} LOGIN PASSWORD 'tests-only' IN ROLE {role}");
        return new NpgsqlConnectionStringBuilder(owner) { Username = name, Password = "tests-only" }.ConnectionString;
    }

    /// <summary>Folds write their cells once a second.</summary>
    private static async Task AssertSoonAsync(ReadCell[] expected, Func<Task<ReadCell[]>> actual)
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < TimeSpan.FromSeconds(20); await Task.Delay(200))
        {
            if ((await actual()).SequenceEqual(expected)) return;
        }

        Assert.Equal(expected, await actual());
    }

    private static async Task UntilAsync(string login, string sql, long expected)
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            var found = (await ReadAsync(login, sql))[0][0];
            if (Equals(found, expected)) return;
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"{sql}: {found}, not {expected}");
        }
    }

    private static async Task<List<object?[]>> ReadAsync(string login, string sql)
    {
        await using var connection = new NpgsqlConnection(login + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<object?[]>();
        do
        {
            while (await reader.ReadAsync()) rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(column => reader.IsDBNull(column) ? null : reader.GetValue(column))]);
        }
        while (await reader.NextResultAsync());
        return rows;
    }
}
