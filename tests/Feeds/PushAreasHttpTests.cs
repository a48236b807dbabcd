using System.Net;
using System.Net.Http.Headers;
using System.Text;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Feeds;

/// <summary>Where rows are, and what happens when there is too much at once, through the public route of a whole hub.</summary>
public sealed class PushAreasHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private const string City = """
        { "type": "FeatureCollection", "features": [
          { "type": "Feature", "properties": { "id": "01", "parent": null, "name": "Stadt", "level": 0 }, "geometry": null },
          { "type": "Feature", "properties": { "id": "0101", "parent": "01", "name": "West", "level": 1 }, "geometry": { "type": "Polygon", "coordinates": [[[13,52],[13.5,52],[13.5,53],[13,53],[13,52]]] } },
          { "type": "Feature", "properties": { "id": "0102", "parent": "01", "name": "Ost", "level": 1 }, "geometry": { "type": "Polygon", "coordinates": [[[13.5,52],[14,52],[14,53],[13.5,53],[13.5,52]]] } } ] }
        """;

    [Fact]
    public async Task A_row_is_in_the_area_it_names_or_in_that_of_its_point()
    {
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/push-city", new StringContent(City, Encoding.UTF8, "application/geo+json")));
        var agency = await hub.AgencyAsync("places-agency");
        await hub.PutAirQualityAsync("places", "places-agency", areaSystem: "push-city");
        var receipt = (await HubFixture.OkAsync(PushAsync(agency, "places", """
            station,time,area,lon,lat
            named,2026-11-23T01:00:00Z,01,13.2,52.5
            west,2026-11-23T02:00:00Z,,13.2,52.5
            border,2026-11-23T03:00:00Z,,13.5,52.5
            nowhere,2026-11-23T04:00:00Z,,,
            unknown,2026-11-23T05:00:00Z,99,,
            outside,2026-11-23T06:00:00Z,,12,52.5
            """))).RootElement;
        Assert.Equal(["unknown-area", "outside-all-areas"], receipt.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("code").GetString()));

        var path = $"api/v1/datasets/places/records?watermark={receipt.GetProperty("watermark").GetString()}";
        var rows = (await HubFixture.OkAsync(hub.Anonymous.GetAsync(path))).RootElement.GetProperty("rows");
        Assert.Equal(["01", "0101", "0101", null], rows.EnumerateArray().Select(r => r.GetProperty("@area").GetString()));
        var below = (await HubFixture.OkAsync(hub.Anonymous.GetAsync(path + "&area=0101"))).RootElement.GetProperty("rows");
        Assert.Equal(["west", "border"], below.EnumerateArray().Select(r => r.GetProperty("station").GetString()));

        // As they are given out they can be pushed again.
        var again = await hub.Anonymous.GetStringAsync(path + "&format=csv");
        Assert.Equal(4, (await HubFixture.OkAsync(PushAsync(agency, "places", again))).RootElement.GetProperty("duplicate").GetInt32());
    }

    [Fact]
    public async Task Rows_are_resolved_with_the_areas_that_hold_now()
    {
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/growing", new StringContent("id,parent,name,level\n01,,Stadt,0\n", Encoding.UTF8, "text/csv")));
        var agency = await hub.AgencyAsync("growing-agency");
        await hub.PutAirQualityAsync("growing", "growing-agency", areaSystem: "growing");
        const string Row = "station,time,area\na,2026-11-23T01:00:00Z,02\n";
        await HubFixture.RefusedAsync(PushAsync(agency, "growing", Row), 422, "all-quarantined");
        await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/areas/growing", new StringContent("id,parent,name,level\n01,,Stadt,0\n02,,Land,0\n", Encoding.UTF8, "text/csv")));
        Assert.Equal(1, (await HubFixture.OkAsync(PushAsync(agency, "growing", Row))).RootElement.GetProperty("accepted").GetInt32());
    }

    [Fact]
    public async Task When_memory_is_full_of_bodies_others_are_told_to_come_again()
    {
        await using var small = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Ingest:MaxWaitingBytes"] = "1048576" });
        var agency = await small.AgencyAsync("a");
        await small.PutAirQualityAsync("busy", "a");

        var slow = new SlowContent("[" + new string(' ', 1_100_000) + "]");
        var first = agency.PostAsync("api/v1/datasets/busy/feeds/default/records", slow);
        // Until the first has begun to be read.
        var budget = small.Services.GetRequiredService<BodyBudget>();
        var deadline = DateTime.UtcNow.AddSeconds(30);
        while (budget.Used == 0 && DateTime.UtcNow < deadline) await Task.Yield();

        using var second = await PushAsync(agency, "busy", "[]", "application/json");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, second.StatusCode);
        Assert.Equal("1", second.Headers.GetValues("Retry-After").Single());
        slow.Release();
        await HubFixture.OkAsync(first);
        await HubFixture.OkAsync(PushAsync(agency, "busy", "[]", "application/json"));
    }

    private static Task<HttpResponseMessage> PushAsync(HttpClient client, string dataset, string body, string type = "text/csv") =>
        client.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", new StringContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } });

    /// <summary>Sends its first byte and waits with the others.</summary>
    private sealed class SlowContent : HttpContent
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly byte[] _bytes;

        public SlowContent(string text)
        {
            _bytes = Encoding.UTF8.GetBytes(text);
            Headers.ContentType = new("application/json");
        }

        public void Release() => _released.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(_bytes.AsMemory(0, 1));
            await stream.FlushAsync();
            await _released.Task;
            await stream.WriteAsync(_bytes.AsMemory(1));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }
}
