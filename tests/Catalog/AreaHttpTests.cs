using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Support;

namespace DataHub.Catalog;

public sealed class AreaHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string Tree = "id,parent,name,level,population\n01,,Mitte,0,100\n0110,01,Zentrum,1,60\n0120,01,\"Nord, außen\",1,40\n";

    [Fact]
    public async Task A_system_is_put_as_CSV_gets_polygons_by_merge_and_is_read_in_every_form()
    {
        using var first = await hub.Admin.PutAsync("api/v1/areas/forms?title=Probe", Csv(Tree));
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        var merged = await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/forms?merge=geometry", GeoJson("0110")));
        Assert.Equal(2, merged.RootElement.GetProperty("version").GetInt32());
        Assert.Equal(1, merged.RootElement.GetProperty("withGeometry").GetInt32());
        Assert.Equal("ring-not-closed", merged.RootElement.GetProperty("repaired")[0].GetProperty("problem").GetString());

        var page = (await HubFixture.OkAsync(hub.Anonymous.GetAsync("api/v1/areas/forms"))).RootElement;
        Assert.Equal((2, 2, 3, "Probe"), (page.GetProperty("version").GetInt32(), page.GetProperty("levels").GetInt32(), page.GetProperty("count").GetInt32(), page.GetProperty("title").GetProperty("de").GetString()));
        Assert.Equal(["01", "0110", "0120"], page.GetProperty("areas").EnumerateArray().Select(a => a.GetProperty("id").GetString()));
        Assert.Equal(JsonValueKind.Null, page.GetProperty("next").ValueKind);

        Assert.Equal("id,parent,name,level,population\r\n01,,Mitte,0,100\r\n0110,01,Zentrum,1,60\r\n0120,01,\"Nord, außen\",1,40\r\n", await GetAsync("api/v1/areas/forms", "text/csv"));
        using var polygons = JsonDocument.Parse(await GetAsync("api/v1/areas/forms?level=1", "application/geo+json"));
        Assert.Equal(2, polygons.RootElement.GetProperty("features").GetArrayLength());
        using var before = JsonDocument.Parse(await GetAsync("api/v1/areas/forms?version=1&format=geojson", "*/*"));
        Assert.All(before.RootElement.GetProperty("features").EnumerateArray(), f => Assert.Equal(JsonValueKind.Null, f.GetProperty("geometry").ValueKind));
    }

    [Fact]
    public async Task Pages_follow_one_another_by_their_links_and_stay_on_their_version()
    {
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/pages", Csv(Tree)));
        var ids = new List<string>();
        var next = "/api/v1/areas/pages?limit=1&level=1";
        while (next is not null)
        {
            var page = (await HubFixture.OkAsync(hub.Anonymous.GetAsync(next[1..]))).RootElement;
            ids.AddRange(page.GetProperty("areas").EnumerateArray().Select(a => a.GetProperty("id").GetString()!));
            next = page.GetProperty("next").GetString();
            if (next is not null) Assert.Contains("version=1", next, StringComparison.Ordinal);
        }

        Assert.Equal(["0110", "0120"], ids);
        Assert.Contains("pages", await GetAsync("api/v1/areas?limit=1000", "*/*"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_ETag_stands_for_the_bytes_and_HEAD_has_the_same_headers()
    {
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/tags", Csv(Tree)));
        using var get = await hub.Anonymous.GetAsync("api/v1/areas/tags?format=csv");
        using var head = await hub.Anonymous.SendAsync(new(HttpMethod.Head, "api/v1/areas/tags?format=csv"));
        Assert.Matches("^\"[0-9a-f]{32}\"$", get.Headers.ETag!.ToString());
        Assert.Equal(get.Headers.ETag, head.Headers.ETag);
        Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);

        using var again = new HttpRequestMessage(HttpMethod.Get, "api/v1/areas/tags?format=csv");
        again.Headers.IfNoneMatch.Add(get.Headers.ETag);
        using var unchanged = await hub.Anonymous.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);

        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/tags", Csv(Tree.Replace("Mitte", "Mitten", StringComparison.Ordinal))));
        using var changed = await hub.Anonymous.GetAsync("api/v1/areas/tags?format=csv");
        Assert.NotEqual(get.Headers.ETag, changed.Headers.ETag);
    }

    [Fact]
    public async Task Putting_the_same_again_changes_nothing()
    {
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/same", Csv(Tree)));

        var again = await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/same", Csv(Tree)));

        Assert.Equal((1, false), (again.RootElement.GetProperty("version").GetInt32(), again.RootElement.GetProperty("changed").GetBoolean()));
    }

    [Fact]
    public async Task A_new_version_reaches_the_datasets_and_rows_of_new_areas_pass_from_then_on()
    {
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/moving", Csv(Tree)));
        var agency = await hub.AgencyAsync("area-mover", KeyRole.Admin);
        await HubFixture.OkAsync(agency.PutAsJsonAsync("api/v1/datasets/moving", new
        {
            title = "Probe",
            publisher = "area-mover",
            license = "dl-de/by-2-0",
            kind = "observations",
            access = "open",
            areaSystem = "moving",
            schema = new
            {
                primaryKey = new[] { "time" },
                fields = new[] { new { name = "time", type = "datetime", role = "time" }, new { name = "area", type = "string", role = "area" } },
            },
        }));
        async Task<int> PushAsync(int minute) => (await HubFixture.OkAsync(agency.PostAsJsonAsync(
            "api/v1/datasets/moving/feeds/default/records",
            new[] { new { time = $"2026-11-01T00:{minute:d2}:00Z", area = "0110" }, new { time = $"2026-11-01T01:{minute:d2}:00Z", area = "0130" } })))
            .RootElement.GetProperty("accepted").GetInt32();

        Assert.Equal(1, await PushAsync(1));
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/moving", Csv(Tree + "0130,01,Süd,1,\n")));
        var dataset = await HubFixture.OkAsync(hub.Anonymous.GetAsync("api/v1/datasets/moving"));

        Assert.Equal(2, dataset.RootElement.GetProperty("areaVersion").GetInt32());
        Assert.Equal(2, await PushAsync(2));
    }

    [Fact]
    public async Task What_cannot_be_done_is_a_problem_that_says_why()
    {
        var agency = await hub.AgencyAsync("area-agency", KeyRole.Admin);
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/refusals", Csv(Tree)));

        await HubFixture.RefusedAsync(hub.Anonymous.PutAsync("api/v1/areas/refusals", Csv(Tree)), 401, "unauthorized");
        await HubFixture.RefusedAsync(agency.PutAsync("api/v1/areas/refusals", Csv(Tree)), 403, "forbidden");
        await HubFixture.RefusedAsync(hub.Admin.PutAsync("api/v1/areas/Lor", Csv(Tree)), 400, "invalid-id");
        await HubFixture.RefusedAsync(hub.Admin.PutAsync("api/v1/areas/refusals", Csv("a;b\n1;2")), 400, "invalid-csv");
        await HubFixture.RefusedAsync(hub.Admin.PutAsync("api/v1/areas/refusals", Csv(Tree + "02,09,X,1,\n")), 422, "invalid-areas");
        await HubFixture.RefusedAsync(hub.Admin.PutAsync("api/v1/areas/refusals?merge=geometry", GeoJson("09")), 422, "invalid-areas");
        await HubFixture.RefusedAsync(hub.Admin.PutAsync("api/v1/areas/none?merge=geometry", GeoJson("01")), 404, "not-found");
        await HubFixture.RefusedAsync(hub.Admin.PutAsync("api/v1/areas/refusals?merge=all", GeoJson("01")), 400, "invalid-parameter");
        await HubFixture.RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/areas/refusals", new { type = "Feature" }), 400, "invalid-json");
        await HubFixture.RefusedAsync(hub.Admin.PutAsync("api/v1/areas/refusals", new StringContent("x", Encoding.UTF8, "text/plain")), 415, "unsupported-type");
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/areas/none"), 404, "not-found");
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/areas/refusals?version=9"), 404, "not-found");
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/areas/refusals?level=x"), 400, "invalid-parameter");
        using var image = new HttpRequestMessage(HttpMethod.Get, "api/v1/areas/refusals");
        image.Headers.Accept.ParseAdd("image/png");
        await HubFixture.RefusedAsync(hub.Anonymous.SendAsync(image), 406, "not-acceptable");
    }

    private async Task<string> GetAsync(string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        using var response = await hub.Anonymous.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync();
    }

    private static StringContent Csv(string text) => new(text, Encoding.UTF8, "text/csv");

    private static StringContent GeoJson(string id) => new(
        $$$"""{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"{{{id}}}"},"geometry":{"type":"Polygon","coordinates":[[[13,52],[14,52],[14,53]]]}}]}""",
        Encoding.UTF8, "application/geo+json");
}
