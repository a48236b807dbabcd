using System.Net;
using System.Net.Http.Json;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using static DataHub.Support.HubFixture;

namespace DataHub.Tests.Catalog;

/// <summary>The front page and the page of a number, for somebody who may read more than the public.</summary>
public sealed class SignedInPagesTests
{
    private const string Explain = "/indicators/zaehlung/explain?from=2026-11-23T08:00:00Z", Title = "Interne Zählung";

    [Fact]
    public async Task What_somebody_may_read_is_on_their_pages_and_on_nobody_elses()
    {
        await using var hub = await StartAsync(new Dictionary<string, string?> { ["DataHub:SignIn:Local"] = "true" }, services: services => services.AddSingleton(new LocalPerson("ada", new("Ada", null))));
        await SignInTokenTests.InternalDatasetAsync(hub, "umwelt");
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/indicators/zaehlung", new { title = new { de = Title }, dataset = "umwelt", measure = new { function = "count" }, window = "PT1H" }));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/umwelt/groups/leser/members/local:ada", new { why = "Test" }));
        using var nobody = new PageBrowser(hub.Address);
        using var ada = new PageBrowser(hub.Address);
        using (var signedIn = await ada.PostAsync("/signin/local", ("person", "ada"))) Assert.Equal(HttpStatusCode.SeeOther, signedIn.StatusCode);
        await UntilAsync(async () => (await ada.PageAsync(Explain)).Contains(Title[..7], StringComparison.Ordinal));

        // Each after the other, twice: what was made for one must not be given to the other.
        for (var round = 0; round < 2; round++)
        {
            foreach (var path in new[] { "/", "/?indicator=zaehlung", Explain })
            {
                using (var answer = await nobody.PageAnswerAsync(path))
                {
                    Assert.Equal(path == "/" ? HttpStatusCode.OK : HttpStatusCode.NotFound, answer.StatusCode);
                    Assert.DoesNotContain(Title, WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync()), StringComparison.Ordinal);
                    Assert.False(answer.Headers.CacheControl?.Private);
                }

                using (var answer = await ada.PageAnswerAsync(path)) await OwnAsync(answer, path);
            }
        }

        using (var key = hub.With(await hub.KeyAsync("umwelt", KeyRole.Read)))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/?indicator=zaehlung");
            request.Headers.Accept.ParseAdd("text/html");
            using var answer = await key.SendAsync(request);
            await OwnAsync(answer, "key");
        }

        // Pages of other hosts read what the public reads.
        using (var framed = await ada.SendAsync(HttpMethod.Get, "/?indicator=zaehlung", null, "cross-site", "no-cors")) Assert.Equal(HttpStatusCode.NotFound, framed.StatusCode);

        using var grants = await OkAsync(hub.Admin.GetAsync("api/v1/dataspaces/umwelt/grants"));
        await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/umwelt/grants/{grants.RootElement.GetProperty("grants")[0].GetProperty("id").GetString()}/revocation", new { why = "Test" }));
        await Task.Delay(1_100);
        foreach (var path in new[] { "/?indicator=zaehlung", Explain })
        {
            using var answer = await ada.PageAnswerAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        static async Task OwnAsync(HttpResponseMessage answer, string path)
        {
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {(int)answer.StatusCode}");
            Assert.Contains(Title, WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync()), StringComparison.Ordinal);
            Assert.True(answer.Headers.CacheControl is { Private: true, NoStore: true }, $"{path}: {answer.Headers.CacheControl}");
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> reached)
    {
        for (var tries = 0; !await reached(); tries++)
        {
            Assert.True(tries < 100, "not reached");
            await Task.Delay(100);
        }
    }
}
