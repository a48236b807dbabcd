using System.Net;

using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Tests;

public sealed class HostTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task It_is_live_started_and_ready()
    {
        foreach (var check in new[] { "live", "startup", "ready" }) await OkAsync(hub.Anonymous.GetAsync("health/" + check));
    }

    [Fact]
    public async Task Metrics_are_prometheus_text()
    {
        await OkAsync(hub.Anonymous.GetAsync("api/v1/agencies"));
        var text = await hub.Anonymous.GetStringAsync("metrics");
        Assert.Contains("# TYPE http_server_request_duration_seconds histogram\n", text, StringComparison.Ordinal);
        Assert.Matches("http_route=\"/api/v1/agencies/?\"", text);
        Assert.All(text.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches("^(# (HELP|TYPE) [a-z_0-9]+ .*|[a-zA-Z_0-9]+(\\{.*\\})? [-+0-9.eEInfNa]+)$", line));
    }

    [Fact]
    public async Task The_public_interface_describes_itself()
    {
        var document = (await OkAsync(hub.Anonymous.GetAsync("openapi/v1.json"))).RootElement;
        Assert.True(document.GetProperty("paths").TryGetProperty("/api/v1/agencies/{agency}/keys", out _));
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var name = $"{operation.Name} {path.Name}";
                Assert.True(operation.Value.TryGetProperty("summary", out _), name + " has no summary");
                if (operation.Value.TryGetProperty("requestBody", out var body)) HasExamples(name + " request", body);
                foreach (var response in operation.Value.GetProperty("responses").EnumerateObject().Where(response => response.Name is "200" or "201")) HasExamples($"{name} {response.Name}", response.Value);
            }
        }

        static void HasExamples(string name, System.Text.Json.JsonElement body)
        {
            if (!body.TryGetProperty("content", out var content)) return;
            foreach (var media in content.EnumerateObject()) Assert.True(media.Value.TryGetProperty("example", out _), $"{name} {media.Name} has no example");
        }
    }

    [Fact]
    public async Task Every_error_has_a_page_that_explains_it_in_both_languages()
    {
        var list = await hub.Anonymous.GetStringAsync("problems");
        foreach (var type in ProblemTypes.All)
        {
            Assert.Contains($"/problems/{type.Word}", list, StringComparison.Ordinal);
            var page = WebUtility.HtmlDecode(await hub.Anonymous.GetStringAsync("problems/" + type.Word));
            Assert.Contains(type.Help.De, page, StringComparison.Ordinal);
            Assert.Contains(type.Help.En!, page, StringComparison.Ordinal);
        }

        await RefusedAsync(hub.Anonymous.GetAsync("problems/nix"), 404, "not-found");
    }

    [Fact]
    public async Task Unknown_addresses_and_methods_are_problems_too()
    {
        await RefusedAsync(hub.Anonymous.GetAsync("nix"), 404, "not-found");
        var refused = await RefusedAsync(hub.Anonymous.DeleteAsync("api/v1/agencies"), 405, "method-not-allowed");
        Assert.Contains("GET", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_of_other_hosts_may_read_and_nothing_else()
    {
        using var read = new HttpRequestMessage(HttpMethod.Get, "api/v1/agencies") { Headers = { { "Origin", "https://example.org" } } };
        using var answer = await hub.Anonymous.SendAsync(read);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());

        using var mayRead = await PreflightAsync("GET");
        Assert.Equal(HttpStatusCode.NoContent, mayRead.StatusCode);
        Assert.DoesNotContain("Authorization", mayRead.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.OrdinalIgnoreCase);
        using var mayWrite = await PreflightAsync("PUT");
        Assert.False(mayWrite.Headers.Contains("Access-Control-Allow-Origin"));

        Task<HttpResponseMessage> PreflightAsync(string method) => hub.Anonymous.SendAsync(new(HttpMethod.Options, "api/v1/agencies")
        {
            Headers = { { "Origin", "https://example.org" }, { "Access-Control-Request-Method", method } },
        });
    }

    [Fact]
    public async Task The_dashboard_is_off_unless_asked_for_and_then_for_platform_admins_only()
    {
        await RefusedAsync(hub.Admin.GetAsync("dashboard/"), 404, "not-found");

        await using var own = await StartAsync(new Dictionary<string, string?> { ["DataHub:Dashboard:Enabled"] = "true" });
        foreach (var path in new[] { "dashboard/", "dashboard/DashboardCounters", "dashboard/version" })
        {
            await RefusedAsync(own.Anonymous.GetAsync(path), 401, "unauthorized");
            await RefusedAsync((await own.AgencyAsync("amt", DataHub.Catalog.KeyRole.Admin)).GetAsync(path), 403, "forbidden");
            using var shown = await own.Admin.GetAsync(path);
            Assert.True(shown.IsSuccessStatusCode, $"{path} → {shown.StatusCode}");
        }
    }
}
