using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Catalog;

/// <summary>A dataset's life: DRAFT, READY, AVAILABLE, RETIRED, and who takes which step.</summary>
public sealed class ReleaseHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private static readonly object[] s_fields = [new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure" }];
    private static readonly object s_person = new { name = "name", type = "string", role = "personal" };

    [Fact]
    public async Task A_complete_dataset_of_somebody_who_may_release_is_available_at_once_and_an_incomplete_one_says_what_is_missing()
    {
        var admin = await hub.AgencyAsync("sofort", KeyRole.Admin);
        Assert.Equal("AVAILABLE", State(await OkAsync(PutAsync(admin, "sofort-a", "sofort"))));
        Assert.Equal("DRAFT", State(await OkAsync(PutAsync(admin, "sofort-b", "sofort", license: null))));

        var missing = (await OkAsync(admin.GetAsync("api/v1/datasets/sofort-b/release"))).RootElement;
        var checks = missing.GetProperty("checklist").EnumerateArray().ToDictionary(check => check.GetProperty("code").GetString()!, check => (check.GetProperty("required").GetBoolean(), check.GetProperty("fulfilled").GetBoolean()));
        Assert.Equal((true, false), checks["license"]);
        Assert.Equal((true, true), checks["title"]);
        Assert.Equal((false, false), checks["description"]);
        var refused = (await RefusedAsync(StepAsync(admin, "sofort-b", "AVAILABLE"), 409, "conflict")).RootElement;
        Assert.Contains("Lizenz", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(refused.GetProperty("checklist").EnumerateArray(), check => check.GetProperty("code").GetString() == "license" && !check.GetProperty("fulfilled").GetBoolean());
        await RefusedAsync(StepAsync(admin, "sofort-b", "FERTIG"), 422, "invalid-dataset");
    }

    [Fact]
    public async Task What_is_a_draft_is_nowhere_for_others_and_released_it_is_on_every_route_in_one_step()
    {
        var (admin, other) = (await hub.AgencyAsync("schritt", KeyRole.Admin), await hub.AgencyAsync("fremd", KeyRole.Admin));
        await OkAsync(PutAsync(admin, "schritt", "schritt", state: "DRAFT"));
        await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/schritt-summe", new { title = "Summe", dataset = "schritt", measure = new { function = "sum", field = "value" }, window = "PT1H", access = "open" }));
        var receipt = await OkAsync(admin.PostAsync("api/v1/datasets/schritt/feeds/default/records", new StringContent("""[{"station":"a","time":"2026-11-01T00:10:00Z","value":1}]""", Encoding.UTF8, "application/json")));
        var watermark = Uri.EscapeDataString(receipt.RootElement.GetProperty("watermark").GetString()!);
        string[] routes =
        [
            "datasets/schritt", "datasets/schritt/release", "datasets/schritt/csvw", "datasets/schritt/feeds", $"datasets/schritt/records?watermark={watermark}", "indicators/schritt-summe", "indicators/schritt-summe/csvw",
            "indicators/schritt-summe/definitions", $"indicators/schritt-summe/values?watermark={watermark}", "indicators/schritt-summe/latest", $"indicators/schritt-summe/explain?from=2026-11-01T00:00:00Z&watermark={watermark}",
        ];
        foreach (var route in routes)
        {
            foreach (var client in new[] { hub.Anonymous, other })
            {
                using var answer = await client.GetAsync("api/v1/" + route);
                Assert.True(answer.StatusCode == HttpStatusCode.NotFound, $"{route}: {(int)answer.StatusCode}");
            }
        }

        Assert.DoesNotContain("schritt", await hub.Anonymous.GetStringAsync("api/v1/datasets?limit=1000"), StringComparison.Ordinal);
        Assert.DoesNotContain("schritt", await hub.Anonymous.GetStringAsync("api/v1/indicators?limit=1000"), StringComparison.Ordinal);
        await OkAsync(StepAsync(admin, "schritt", "READY"));
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/schritt"), 404);

        await OkAsync(StepAsync(admin, "schritt", "AVAILABLE"));
        foreach (var route in routes) await OkAsync(hub.Anonymous.GetAsync("api/v1/" + route));
        Assert.Contains("schritt", await hub.Anonymous.GetStringAsync("api/v1/datasets?limit=1000"), StringComparison.Ordinal);

        await OkAsync(StepAsync(admin, "schritt", "DRAFT"));
        foreach (var route in routes) await RefusedAsync(hub.Anonymous.GetAsync("api/v1/" + route), 404);
    }

    [Fact]
    public async Task Whoever_has_no_right_takes_no_step_and_a_retired_dataset_is_read_and_takes_no_rows()
    {
        var admin = await hub.AgencyAsync("alt", KeyRole.Admin);
        await OkAsync(PutAsync(admin, "alt", "alt"));
        await RefusedAsync(StepAsync(hub.Anonymous, "alt", "RETIRED"), 401);
        await RefusedAsync(StepAsync(await hub.AgencyAsync("alt", KeyRole.Push), "alt", "RETIRED"), 403);
        await RefusedAsync(StepAsync(admin, "gibtesnicht", "RETIRED"), 404);
        await OkAsync(StepAsync(admin, "alt", "RETIRED"));
        await OkAsync(StepAsync(admin, "alt", "RETIRED"));

        // A log believes a dataset's description for half a second.
        HttpStatusCode status = default;
        for (var tries = 0; status != HttpStatusCode.Conflict && tries < 100; tries++, await Task.Delay(20))
        {
            using var answer = await admin.PostAsync("api/v1/datasets/alt/feeds/default/records", new StringContent("""[{"station":"a","time":"2026-11-01T00:10:00Z","value":1}]""", Encoding.UTF8, "application/json"));
            status = answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.Conflict, status);
    }

    [Fact]
    public async Task Personal_data_is_released_by_two_with_a_legal_basis_and_so_is_every_change_that_gives_more_of_it()
    {
        var (first, second) = (await hub.AgencyAsync("amtshilfe", KeyRole.Admin), await hub.AgencyAsync("amtshilfe", KeyRole.Admin));
        await OkAsync(first.PutAsJsonAsync("api/v1/dataspaces/amtshilfe", new { title = "Hilfe", owner = "amtshilfe" }));
        object[] fields = [.. s_fields, s_person];
        Assert.Equal("DRAFT", State(await OkAsync(PutAsync(first, "akten", "amtshilfe", fields: fields))));
        Assert.Contains("Rechtsgrundlage", (await RefusedAsync(StepAsync(first, "akten", "READY"), 409)).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await OkAsync(PutAsync(first, "akten", "amtshilfe", fields: fields, legalBasis: "§ 3 BlnDSG"));
        await RefusedAsync(StepAsync(first, "akten", "AVAILABLE"), 409);
        await OkAsync(StepAsync(first, "akten", "READY"));
        await RefusedAsync(StepAsync(first, "akten", "AVAILABLE"), 409);
        await OkAsync(StepAsync(second, "akten", "AVAILABLE"));

        // A better title is no release; more fields, others who read it, everybody: are.
        await OkAsync(PutAsync(first, "akten", "amtshilfe", fields: fields, legalBasis: "§ 3 BlnDSG", title: "Akten"));
        object[] more = [.. fields, new { name = "mail", type = "string", role = "personal" }];
        await RefusedAsync(PutAsync(first, "akten", "amtshilfe", fields: more, legalBasis: "§ 3 BlnDSG"), 409, "conflict");
        await RefusedAsync(PutAsync(first, "akten", "amtshilfe", fields: fields, legalBasis: "§ 3 BlnDSG", dataspace: "amtshilfe"), 409, "conflict");
        await RefusedAsync(PutAsync(first, "akten", "amtshilfe", fields: fields, legalBasis: "§ 3 BlnDSG", access: "open"), 409, "conflict");

        await OkAsync(StepAsync(first, "akten", "DRAFT"));
        await OkAsync(PutAsync(first, "akten", "amtshilfe", fields: more, legalBasis: "§ 3 BlnDSG", dataspace: "amtshilfe"));
        await OkAsync(StepAsync(second, "akten", "READY"));

        // Whoever changes what was declared ready declares it anew.
        await OkAsync(PutAsync(first, "akten", "amtshilfe", fields: more, legalBasis: "§ 4 BlnDSG", dataspace: "amtshilfe"));
        await RefusedAsync(StepAsync(first, "akten", "AVAILABLE"), 409);
        await OkAsync(StepAsync(second, "akten", "AVAILABLE"));
        var noted = (await OkAsync(first.GetAsync("api/v1/audit?object=dataset:akten&action=dataset.released&limit=1"))).RootElement.GetProperty("entries")[0].GetProperty("detail");
        Assert.Equal(("READY", "AVAILABLE"), (noted.GetProperty("stateFrom").GetString(), noted.GetProperty("state").GetString()));
    }

    private static string? State(JsonDocument dataset) => dataset.RootElement.GetProperty("state").GetString();

    private static Task<HttpResponseMessage> StepAsync(HttpClient client, string dataset, string state) => client.PostAsJsonAsync($"api/v1/datasets/{dataset}/release", new { state });

    private static Task<HttpResponseMessage> PutAsync(
        HttpClient client, string dataset, string publisher, string? license = "dl-de/by-2-0", string? state = null, object[]? fields = null, string? legalBasis = null, string? title = null, string? dataspace = null, string? access = null)
    {
        var body = new Dictionary<string, object>
        {
            ["title"] = title ?? dataset,
            ["publisher"] = publisher,
            ["kind"] = "observations",
            ["access"] = access ?? (fields is null ? "open" : "internal"),
            ["schema"] = new { primaryKey = new[] { "station", "time" }, fields = fields ?? s_fields },
        };
        foreach (var (name, value) in new[] { ("license", license), ("state", state), ("legalBasis", legalBasis), ("dataspace", dataspace) })
        {
            if (value is not null) body[name] = value;
        }

        return client.PutAsJsonAsync($"api/v1/datasets/{dataset}", body);
    }
}
