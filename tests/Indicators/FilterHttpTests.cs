using System.Net.Http.Json;
using System.Text;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

public sealed class FilterHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task Only_rows_of_which_the_filter_is_true_make_the_number_and_corrections_move_them_in_and_out()
    {
        var admin = await DatasetAsync("filtered");
        var made = await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/filtered", Definition("filtered", "kind IN ('traffic', 'background') AND no2 >= 10 AND NOT broken = TRUE")));
        Assert.Equal("kind IN ('traffic', 'background') AND no2 >= 10 AND NOT broken = TRUE", made.RootElement.GetProperty("filter").GetString());

        var push = await hub.AgencyAsync("senumvk");
        await PushAsync("""
            {"station":"a","time":"2026-03-02T08:00:00Z","kind":"traffic","no2":20,"broken":false}
            {"station":"b","time":"2026-03-02T08:00:00Z","kind":"background","no2":30,"broken":false}
            {"station":"c","time":"2026-03-02T08:00:00Z","kind":"industry","no2":500,"broken":false}
            {"station":"d","time":"2026-03-02T08:00:00Z","kind":"traffic","no2":9.9,"broken":false}
            {"station":"e","time":"2026-03-02T08:00:00Z","kind":"traffic","no2":600}
            {"station":"f","time":"2026-03-02T08:00:00Z","no2":700,"broken":false}
            """, "50 of 2");
        await PushAsync("""
            {"station":"b","time":"2026-03-02T08:00:00Z","kind":"industry","no2":30,"broken":false}
            {"station":"e","time":"2026-03-02T08:00:00Z","kind":"traffic","no2":600,"broken":false}
            """, "620 of 2");
        await PushAsync("""{"station":"a","time":"2026-03-02T08:00:00Z","@delete":true}""", "600 of 1");

        // Another filter is another definition, computed from everything stored.
        await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/filtered", Definition("filtered", "time < TIMESTAMP('2026-03-02T09:00:00+01:00') OR no2 > 600")));
        for (var tries = 0; await ValueAsync("") != "700 of 1" && tries < 500; tries++) await Task.Delay(10);
        Assert.Equal("700 of 1", await ValueAsync(""));

        async Task PushAsync(string lines, string expected)
        {
            using var body = new StringContent(lines, Encoding.UTF8, "application/x-ndjson");
            var receipt = await OkAsync(push.PostAsync("api/v1/datasets/filtered/feeds/default/records", body));
            Assert.Equal(expected, await ValueAsync("?watermark=" + receipt.RootElement.GetProperty("watermark").GetString()));
        }

        async Task<string> ValueAsync(string query)
        {
            var rows = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/filtered/values" + query))).RootElement.GetProperty("rows");
            return rows.GetArrayLength() == 0 ? "nothing" : $"{rows[0].GetProperty("value").GetRawText()} of {rows[0].GetProperty("count").GetRawText()}";
        }
    }

    [Fact]
    public async Task A_field_that_a_later_contract_adds_can_be_filtered_by_and_older_rows_do_not_have_it()
    {
        var admin = await DatasetAsync("growing");
        var push = await hub.AgencyAsync("senumvk");
        await OkAsync(push.PostAsJsonAsync("api/v1/datasets/growing/feeds/default/records", new[] { new { station = "a", time = "2026-03-02T08:00:00Z", no2 = 1 } }));
        var refused = await RefusedAsync(admin.PutAsJsonAsync("api/v1/indicators/growing", Definition("growing", "checked = TRUE")), 422, "invalid-indicator");
        Assert.Contains("checked", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);

        await DatasetAsync("growing", new { name = "checked", type = "boolean" });
        await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/growing", Definition("growing", "checked = TRUE")));
        await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/unchecked", Definition("growing", "checked IS NULL")));
        var receipt = await OkAsync(push.PostAsJsonAsync("api/v1/datasets/growing/feeds/default/records", new[] { new { station = "b", time = "2026-03-02T08:00:00Z", no2 = 2, @checked = true } }));
        var watermark = receipt.RootElement.GetProperty("watermark").GetString();
        foreach (var (indicator, value) in new[] { ("growing", 2), ("unchecked", 1) })
        {
            var rows = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/{indicator}/values?watermark={watermark}"))).RootElement.GetProperty("rows");
            Assert.Equal((value, 1), (rows[0].GetProperty("value").GetInt32(), rows[0].GetProperty("count").GetInt32()));
        }
    }

    [Theory]
    [InlineData("no3 > 40", "filter: Zeichen 1: das Feld „no3“ gibt es nicht; gemeint ist vielleicht no2.", "filter: character 1: the field “no3” does not exist; perhaps no2 is meant.")]
    [InlineData("no2 > 'much'", "filter: Zeichen 7: „no2“ (number) lässt sich nicht mit 'much' (ein Text) vergleichen; erwartet wird eine Zahl wie 40.5.",
        "filter: character 7: “no2” (number) cannot be compared with 'much' (a text); expected is a number such as 40.5.")]
    [InlineData("driver = 'Ada'", "filter: Zeichen 1: „driver“ ist personenbezogen; danach wird nie gefiltert.", "filter: character 1: “driver” is personal; it is never filtered by.")]
    [InlineData("no2 >", "filter: Zeichen 6: der Text ist zu Ende; erwartet wird ein Feld oder ein Wert: eine Zahl wie 40.5, 'Text', TRUE, FALSE, DATE('…') oder TIMESTAMP('…').",
        "filter: character 6: the text has ended; expected is a field or a value: a number such as 40.5, 'text', TRUE, FALSE, DATE('…') or TIMESTAMP('…').")]
    public async Task What_is_wrong_with_a_filter_is_said_in_the_readers_language(string filter, string german, string english)
    {
        var admin = await DatasetAsync("unfilterable");
        foreach (var (language, expected) in new[] { ("de", german), ("en", english) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "api/v1/indicators/unfilterable")
            {
                Content = JsonContent.Create(Definition("unfilterable", filter)),
                Headers = { { "Accept-Language", language } },
            };
            var problem = await RefusedAsync(admin.SendAsync(request), 422, "invalid-indicator");
            Assert.Equal(expected, problem.RootElement.GetProperty("detail").GetString());
        }

        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/unfilterable"), 404, "not-found");
    }

    private static object Definition(string dataset, string filter) => new
    {
        title = new { de = "Summe" },
        dataset,
        measure = new { function = "sum", field = "no2" },
        window = "P1D",
        access = "open",
        filter,
    };

    private async Task<HttpClient> DatasetAsync(string dataset, params object[] more)
    {
        var admin = await hub.AgencyAsync("senumvk", KeyRole.Admin);
        await OkAsync(admin.PutAsJsonAsync($"api/v1/datasets/{dataset}", new
        {
            title = new { de = dataset },
            publisher = "senumvk",
            license = "dl-de/by-2-0",
            legalBasis = "Art. 6 DSGVO",
            kind = "observations",
            schema = new
            {
                primaryKey = new[] { "station", "time" },
                fields = new object[]
                {
                    new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "no2", type = "number", role = "measure" },
                    new { name = "kind", type = "string", role = "dimension" }, new { name = "broken", type = "boolean" }, new { name = "driver", type = "string", role = "personal" },
                }.Concat(more),
            },
        }));
        await hub.ReleaseAsync(dataset);
        return admin;
    }
}
