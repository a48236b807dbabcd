using System.Net;

using DataHub.Support;

namespace DataHub.Catalog;

/// <summary>The page that shows the public interface to people.</summary>
public sealed class ApiPageTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task Every_operation_parameter_and_example_of_the_description_is_on_the_page()
    {
        var document = (await HubFixture.OkAsync(hub.Anonymous.GetAsync("openapi/v1.json"))).RootElement;
        var html = await hub.Anonymous.GetStringAsync("api");
        var text = WebUtility.HtmlDecode(html);
        var operations = 0;
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            Assert.Contains($"<code>{path.Name}</code>", html, StringComparison.Ordinal);
            foreach (var operation in path.Value.EnumerateObject())
            {
                operations++;
                Assert.Contains($"id=\"{ApiView.Anchor(operation.Name, path.Name)}\"", html, StringComparison.Ordinal);
                Assert.Contains(operation.Value.GetProperty("summary").GetString()!, text, StringComparison.Ordinal);
                if (operation.Value.TryGetProperty("parameters", out var parameters))
                    Assert.All(parameters.EnumerateArray(), parameter => Assert.Contains($"<code>{parameter.GetProperty("name").GetString()}</code>", html, StringComparison.Ordinal));
                if (!operation.Value.TryGetProperty("requestBody", out var body)) continue;
                foreach (var media in body.GetProperty("content").EnumerateObject())
                {
                    // The first words of an example, however it is laid out.
                    var example = media.Value.GetProperty("example");
                    var first = example.ValueKind == System.Text.Json.JsonValueKind.Object ? $"\"{example.EnumerateObject().First().Name}\":" : example.ToString().Split('\n')[0].TrimEnd('[');
                    Assert.Contains(first, text, StringComparison.Ordinal);
                }
            }
        }

        Assert.True(operations > 40);
        Assert.DoesNotContain("https://", html.Replace("https://hub.example", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_search_finds_without_JavaScript_too_and_both_languages_are_spoken()
    {
        var found = await hub.Anonymous.GetStringAsync("api?q=quarantine+REPLAY&lang=en");
        Assert.Contains("id=\"post-api-v1-datasets--dataset--quarantine-replay\"", found, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"get-api-v1-agencies\"", found, StringComparison.Ordinal);
        Assert.Contains("Public interface", found, StringComparison.Ordinal);
        Assert.Contains("value=\"&lt;b>&quot;\"", (await hub.Anonymous.GetStringAsync("api?q=%3Cb%3E%22")).Replace("&gt;", ">", StringComparison.Ordinal), StringComparison.Ordinal);
        using var german = await hub.Anonymous.GetAsync("api");
        Assert.Contains("Öffentliche Schnittstelle", WebUtility.HtmlDecode(await german.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", german.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.NotNull(german.Headers.ETag);
        using var nothing = await hub.Anonymous.GetAsync("api?q=" + new string('x', 5_000));
        Assert.Equal(HttpStatusCode.OK, nothing.StatusCode);
    }
}
