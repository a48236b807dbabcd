using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Events of OpenLineage, held against its own schemas.</summary>
public sealed class LineageTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [SharedDataFact("openlineage/OpenLineage.json")]
    public async Task Every_event_of_a_complete_and_of_a_failed_run_is_valid_and_names_what_went_in_and_came_out()
    {
        var admin = await hub.AgencyAsync("herkunft", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "herkunft", "herkunft");
        await Pipes.PutJobAsync(admin, "herkunft", RunHttpTests.Job("herkunft", "herkunft"));
        var good = await Pipes.UploadAsync(admin, "gut.csv", "Zweigstelle;Tag;Ausleihen\nMitte;2026-11-02;120\n");
        var bad = await Pipes.UploadAsync(admin, "schlecht.csv", "Zweigstelle;Tag;Ausleihen\nMitte;2026-11-02;120\nMitte;2026-11-02;121\n");
        var complete = await Pipes.RunAsync(admin, "herkunft", new { files = new { datei = good } });
        var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "herkunft", new { files = new { datei = bad } }));

        var events = new List<JsonElement>();
        foreach (var run in new[] { complete, failed })
            events.AddRange((await OkAsync(admin.GetAsync($"api/v1/runs/{run.GetProperty("id").GetString()}/lineage"))).RootElement.GetProperty("events").EnumerateArray());

        // The run and its four steps begin and end; of the other the run and two steps.
        Assert.Equal(10 + 6, events.Count);
        var ofRun = events.Where(one => one.GetProperty("job").GetProperty("name").GetString() == "herkunft").ToArray();
        Assert.Equal(["START", "COMPLETE", "START", "FAIL"], ofRun.Select(one => one.GetProperty("eventType").GetString()));
        Assert.Equal($"file/{good}", ofRun[0].GetProperty("inputs")[0].GetProperty("name").GetString());
        Assert.Equal("dataset/herkunft", ofRun[1].GetProperty("outputs")[0].GetProperty("name").GetString());
        Assert.Contains("zweigstelle, tag", ofRun[3].GetProperty("run").GetProperty("facets").GetProperty("errorMessage").GetProperty("message").GetString(), StringComparison.Ordinal);
        var check = events.Last(one => one.GetProperty("job").GetProperty("name").GetString() == "herkunft.pruefung");
        Assert.Equal([false, true, true], check.GetProperty("inputs")[0].GetProperty("inputFacets").GetProperty("dataQualityAssertions").GetProperty("assertions").EnumerateArray().Select(one => one.GetProperty("success").GetBoolean()));
        Assert.Equal(ofRun[3].GetProperty("run").GetProperty("runId").GetString(), check.GetProperty("run").GetProperty("facets").GetProperty("parent").GetProperty("run").GetProperty("runId").GetString());

        // Of every column that SQL made, and of what was written, it is told where it comes from.
        var computed = Outputs("herkunft.passend").GetProperty("facets").GetProperty("columnLineage").GetProperty("fields");
        Assert.Equal(["branch Zweigstelle", "time Tag", "loans Ausleihen"], computed.EnumerateObject().Select(field => $"{field.Name} {Assert.Single(field.Value.GetProperty("inputFields").EnumerateArray()).GetProperty("field").GetString()}"));
        var from = Outputs("herkunft.schreiben").GetProperty("facets").GetProperty("columnLineage").GetProperty("fields").GetProperty("loans").GetProperty("inputFields")[0];
        Assert.Equal((Outputs("herkunft.passend").GetProperty("name").GetString(), "loans"), (from.GetProperty("name").GetString(), from.GetProperty("field").GetString()));
        Assert.False(Outputs("herkunft.datei").GetProperty("facets").TryGetProperty("columnLineage", out _));

        var faults = new List<string>();
        foreach (var one in events) Schemas.Validate(one, faults);
        Assert.Empty(faults);

        JsonElement Outputs(string job) => events.First(one => one.GetProperty("job").GetProperty("name").GetString() == job && one.GetProperty("eventType").GetString() == "COMPLETE").GetProperty("outputs")[0];
    }

    [SharedDataFact("openlineage/OpenLineage.json")]
    public void The_validator_of_this_test_finds_what_is_wrong()
    {
        var faults = new List<string>();
        Schemas.Validate(JsonDocument.Parse("""{ "eventType": "DONE", "eventTime": "gestern", "run": { "runId": "x", "facets": {} }, "job": { "name": "j" }, "producer": "urn:x", "schemaURL": "urn:x" }""").RootElement, faults);
        Assert.Equal(["$.eventTime: no date-time", "$.eventType: not one of its words", "$.job.namespace: missing", "$.run.runId: no uuid"], faults.Order(StringComparer.Ordinal));
    }

    /// <summary>As much of JSON Schema 2020-12 as the schemas of OpenLineage use.</summary>
    internal static class Schemas
    {
        private static readonly JsonElement s_root = JsonDocument.Parse(SharedData.Text("openlineage/OpenLineage.json")).RootElement;

        public static void Validate(JsonElement one, List<string> faults)
        {
            var found = new List<string>();
            Check(one, s_root.GetProperty("$defs").GetProperty("RunEvent"), s_root, "$", found);
            Facets(one, "$", found);
            faults.AddRange(found.Distinct());
        }

        /// <summary>Every facet is held against the schema that it names.</summary>
        private static void Facets(JsonElement value, string at, List<string> faults)
        {
            if (value.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in value.EnumerateArray()) Facets(item, at, faults);
            }

            if (value.ValueKind != JsonValueKind.Object) return;
            if (value.TryGetProperty("_schemaURL", out var url))
            {
                var name = url.GetString()!.Split('/')[^1];
                if (!SharedData.Has($"openlineage/{name}.json")) faults.Add($"{at}: no schema {name}");
                else
                {
                    var schema = JsonDocument.Parse(SharedData.Text($"openlineage/{name}.json")).RootElement;
                    if (!url.GetString()!.StartsWith(schema.GetProperty("$id").GetString()!, StringComparison.Ordinal)) faults.Add($"{at}: another version than {schema.GetProperty("$id").GetString()}");
                    Check(value, schema.GetProperty("$defs").GetProperty(name), schema, at, faults);
                }
            }

            foreach (var member in value.EnumerateObject()) Facets(member.Value, $"{at}.{member.Name}", faults);
        }

        private static void Check(JsonElement value, JsonElement schema, JsonElement root, string at, List<string> faults)
        {
            if (schema.TryGetProperty("$ref", out var reference))
            {
                var text = reference.GetString()!;
                var of = text.StartsWith('#') ? root : s_root;
                if (!text.StartsWith('#') && !text.Contains("/OpenLineage.json#", StringComparison.Ordinal)) return;
                Check(value, of.GetProperty("$defs").GetProperty(text.Split('/')[^1]), of, at, faults);
            }

            if (schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && !Is(value, type.GetString()!)) faults.Add($"{at}: no {type.GetString()}");
            if (schema.TryGetProperty("enum", out var words) && !words.EnumerateArray().Any(word => word.GetRawText() == value.GetRawText())) faults.Add($"{at}: not one of its words");
            if (schema.TryGetProperty("properties", out var properties) && value.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in properties.EnumerateObject())
                {
                    if (value.TryGetProperty(property.Name, out var member)) Check(member, property.Value, root, $"{at}.{property.Name}", faults);
                }
            }

            if (schema.TryGetProperty("required", out var required) && value.ValueKind == JsonValueKind.Object)
            {
                foreach (var name in required.EnumerateArray())
                {
                    if (!value.TryGetProperty(name.GetString()!, out _)) faults.Add($"{at}.{name.GetString()}: missing");
                }
            }

            if (schema.TryGetProperty("items", out var items) && value.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in value.EnumerateArray()) Check(item, items, root, at + "[]", faults);
            }

            if (schema.TryGetProperty("allOf", out var all))
            {
                foreach (var part in all.EnumerateArray().Reverse()) Check(value, part, root, at, faults);
            }

            if (schema.TryGetProperty("format", out var format) && value.ValueKind == JsonValueKind.String)
            {
                var well = format.GetString() switch
                {
                    "uuid" => Guid.TryParse(value.GetString(), out _),
                    "date-time" => DateTimeOffset.TryParse(value.GetString(), System.Globalization.CultureInfo.InvariantCulture, out _),
                    "uri" => Uri.TryCreate(value.GetString(), UriKind.Absolute, out _),
                    _ => true,
                };
                if (!well) faults.Add($"{at}: no {format.GetString()}");
            }
        }

        private static bool Is(JsonElement value, string type) => type switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            "number" => value.ValueKind == JsonValueKind.Number,
            _ => true,
        };
    }
}
