using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using static DataHub.Support.HubFixture;

namespace DataHub.Tests.Catalog;

public sealed class DatasetHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task A_dataset_is_put_by_its_publisher_and_read_by_everybody()
    {
        var admin = await hub.AgencyAsync("amt-a", KeyRole.Admin);
        using var created = await admin.PutAsync("api/v1/datasets/luft-a", Body("amt-a"));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("/api/v1/datasets/luft-a", created.Headers.Location?.ToString());

        var found = (await OkAsync(hub.Anonymous.GetAsync("api/v1/datasets/luft-a"))).RootElement;
        Assert.Equal("Luftgüte", found.GetProperty("title").GetProperty("de").GetString());
        Assert.Equal(1, found.GetProperty("schema").GetProperty("version").GetInt32());
        Assert.Equal("default", found.GetProperty("feeds")[0].GetProperty("id").GetString());

        // What was answered can be put back and changes nothing.
        using var again = await admin.PutAsync("api/v1/datasets/luft-a", new StringContent(found.GetRawText(), Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(found.GetRawText(), await again.Content.ReadAsStringAsync());

        var list = await OkAsync(hub.Anonymous.GetAsync("api/v1/datasets"));
        Assert.Contains(list.RootElement.GetProperty("datasets").EnumerateArray(), d => d.GetProperty("id").GetString() == "luft-a");
    }

    [Fact]
    public async Task Every_version_of_the_contract_has_entered_every_partition_when_the_put_is_answered()
    {
        var admin = await hub.AgencyAsync("amt-b", KeyRole.Admin);
        await OkAsync(admin.PutAsync("api/v1/datasets/luft-b", Body("amt-b", body => body["partitions"] = 3)));
        Assert.All(await LogAsync("luft-b", 3), batches => Assert.Equal([(BatchKind.Control, 1)], batches));

        await OkAsync(admin.PutAsync("api/v1/datasets/luft-b", Body("amt-b", body =>
        {
            body["partitions"] = 3;
            body["schema"]!["fields"]!.AsArray().Add(new JsonObject { ["name"] = "pm10", ["type"] = "number", ["role"] = "measure" });
        })));
        Assert.All(await LogAsync("luft-b", 3), batches => Assert.Equal([(BatchKind.Control, 1), (BatchKind.Control, 2)], batches));
    }

    [Fact]
    public async Task What_must_not_be_is_refused_with_the_reason()
    {
        var admin = await hub.AgencyAsync("amt-c", KeyRole.Admin);
        await RefusedAsync(hub.Anonymous.PutAsync("api/v1/datasets/luft-c", Body("amt-c")), 401, "unauthorized");
        await RefusedAsync((await hub.AgencyAsync("amt-c")).PutAsync("api/v1/datasets/luft-c", Body("amt-c")), 403, "forbidden");
        await RefusedAsync(admin.PutAsync("api/v1/datasets/luft-c", Body("platform")), 403, "forbidden");
        await RefusedAsync(admin.PutAsync("api/v1/datasets/Luft", Body("amt-c")), 400, "invalid-id");
        await RefusedAsync(admin.PutAsync("api/v1/datasets/luft-c", Body("amt-c", body => body["areaSystem"] = "nirgends")), 422, "invalid-dataset");
        await RefusedAsync(hub.Admin.PutAsync("api/v1/datasets/luft-c", Body("niemand")), 422, "invalid-dataset");
        await RefusedAsync(admin.PutAsync("api/v1/datasets/luft-c", Body("amt-c", body => body["kind"] = "things")), 400, "invalid-json");
        var refused = await RefusedAsync(admin.PutAsync("api/v1/datasets/luft-c", Body("amt-c", body => body["schema"]!["primaryKey"] = new JsonArray("nix"))), 422, "invalid-contract");
        Assert.NotEmpty(refused.RootElement.GetProperty("errors").EnumerateArray());
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/luft-c"), 404, "not-found");

        await OkAsync(admin.PutAsync("api/v1/datasets/luft-c", Body("amt-c")));
        var breaking = await RefusedAsync(admin.PutAsync("api/v1/datasets/luft-c", Body("amt-c", body => body["schema"]!["fields"]![2]!["type"] = "integer")), 409, "incompatible-contract");
        Assert.Equal("no2", breaking.RootElement.GetProperty("errors")[0].GetProperty("field").GetString());
        await RefusedAsync(admin.PutAsync("api/v1/datasets/luft-c", Body("amt-c", body => body["partitions"] = 2)), 409, "conflict");
    }

    [Fact]
    public async Task Feeds_are_put_and_read()
    {
        var admin = await hub.AgencyAsync("amt-d", KeyRole.Admin);
        await OkAsync(admin.PutAsync("api/v1/datasets/luft-d", Body("amt-d")));
        using var created = await admin.PutAsJsonAsync("api/v1/datasets/luft-d/feeds/messnetz", new { title = "Messnetz", rhythm = "PT15M" });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("PT15M", (await OkAsync(hub.Anonymous.GetAsync("api/v1/datasets/luft-d/feeds/messnetz"))).RootElement.GetProperty("rhythm").GetString());

        var page = (await OkAsync(hub.Anonymous.GetAsync("api/v1/datasets/luft-d/feeds?limit=1"))).RootElement;
        Assert.Equal("default", page.GetProperty("feeds")[0].GetProperty("id").GetString());
        page = (await OkAsync(hub.Anonymous.GetAsync(page.GetProperty("next").GetString()))).RootElement;
        Assert.Equal("messnetz", page.GetProperty("feeds")[0].GetProperty("id").GetString());
        Assert.Null(page.GetProperty("next").GetString());

        await RefusedAsync(admin.PutAsJsonAsync("api/v1/datasets/luft-d/feeds/messnetz", new { rhythm = "viertelstündlich" }), 422, "invalid-feed");
        await RefusedAsync(hub.Anonymous.PutAsJsonAsync("api/v1/datasets/luft-d/feeds/messnetz", new { }), 401, "unauthorized");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/luft-d/feeds/nix"), 404, "not-found");
    }

    [Fact]
    public async Task A_restart_keeps_the_dataset_and_writes_nothing_anew()
    {
        await using var own = await StartAsync();
        var admin = await own.AgencyAsync("amt", KeyRole.Admin);
        await OkAsync(admin.PutAsync("api/v1/datasets/luft", Body("amt")));
        var before = (await OkAsync(own.Anonymous.GetAsync("api/v1/datasets/luft"))).RootElement.GetRawText();

        await own.RestartAsync();
        Assert.Equal(before, (await OkAsync(own.Anonymous.GetAsync("api/v1/datasets/luft"))).RootElement.GetRawText());
        await OkAsync(own.Admin.PutAsync("api/v1/datasets/luft", Body("amt")));
        Assert.Single(await own.Services.GetRequiredService<ILogStore>().ReadPartitionAsync("luft/0", 0, 10, 1 << 20, default));
    }

    private async Task<List<(BatchKind Kind, int Contract)[]>> LogAsync(string dataset, int partitions)
    {
        var log = hub.Services.GetRequiredService<ILogStore>();
        var found = new List<(BatchKind, int)[]>();
        for (var i = 0; i < partitions; i++)
        {
            found.Add([.. (await log.ReadPartitionAsync($"{dataset}/{i}", 0, 10, 1 << 20, default)).Select(batch => (batch.Kind, batch.ContractVersion))]);
        }

        return found;
    }

    private static StringContent Body(string publisher, Action<JsonObject>? change = null)
    {
        var body = JsonNode.Parse(
            """
            { "title": { "de": "Luftgüte", "en": "Air quality" }, "kind": "observations", "access": "open", "license": "dl-de/by-2-0",
              "schema": { "primaryKey": ["station", "time"], "fields": [
                { "name": "station", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "no2", "type": "number", "role": "measure", "unit": "ug/m3", "constraints": { "minimum": 0, "maximum": 2000 } } ] } }
            """)!.AsObject();
        body["publisher"] = publisher;
        change?.Invoke(body);
        return new(body.ToJsonString(), Encoding.UTF8, "application/json");
    }
}
