using System.Net;
using System.Text;

namespace DataHub.Support;

/// <summary>Cookies and redirects as a browser has them, one step at a time.</summary>
internal sealed class PageBrowser : IDisposable
{
    private readonly HttpClient _http;

    public PageBrowser(Uri hub)
    {
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer(), UseCookies = true }) { BaseAddress = hub };
        Origin = hub.GetLeftPart(UriPartial.Authority);
    }

    public string Origin { get; }

    public List<string> SetCookies { get; } = [];

    public void Dispose() => _http.Dispose();

    public Task<HttpResponseMessage> GetAsync(string address) => SendAsync(new(HttpMethod.Get, address));

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        var answer = await _http.SendAsync(request);
        if (answer.Headers.TryGetValues("Set-Cookie", out var cookies)) SetCookies.AddRange(cookies);
        return answer;
    }

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string address, string? origin, string? site = null, string? mode = null, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method, address) { Content = content };
        if (origin is not null) request.Headers.TryAddWithoutValidation("Origin", origin);
        if (site is not null) request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", site);
        if (mode is not null) request.Headers.TryAddWithoutValidation("Sec-Fetch-Mode", mode);
        return SendAsync(request);
    }

    public Task<HttpResponseMessage> PageAnswerAsync(string address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.ParseAdd("text/html");
        return SendAsync(request);
    }

    /// <summary>A form of one of the hub's pages, as a browser sends it.</summary>
    public Task<HttpResponseMessage> PostAsync(string address, params (string Name, string Value)[] fields) =>
        SendAsync(HttpMethod.Post, address, Origin, content: new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))));

    public async Task<string> PageAsync(string address)
    {
        using var answer = await PageAnswerAsync(address);
        return await answer.Content.ReadAsStringAsync();
    }

    public Task<string> FollowAsync(string address) => FollowAsync(new HttpRequestMessage(HttpMethod.Get, address));

    /// <summary>Where a sign-in ends on the hub.</summary>
    public async Task<string> FollowAsync(HttpRequestMessage request)
    {
        for (var steps = 0; steps < 6; steps++)
        {
            using var answer = await SendAsync(request);
            var text = new StringBuilder().Append(request.RequestUri).Append(" → ").Append((int)answer.StatusCode).Append(' ').Append(await answer.Content.ReadAsStringAsync()).ToString();
            Assert.True(answer.StatusCode is HttpStatusCode.Redirect or HttpStatusCode.SeeOther, text);
            var next = answer.Headers.Location!.ToString();
            if (next.StartsWith('/')) return next;
            request = new HttpRequestMessage(HttpMethod.Get, next);
        }

        throw new InvalidOperationException("too many steps");
    }

    /// <summary>The address at the hub that the issuer sends the browser to.</summary>
    public async Task<string> UntilCallbackAsync(string address)
    {
        using var begun = await GetAsync(address);
        using var answered = await GetAsync(begun.Headers.Location!.ToString());
        return answered.Headers.Location!.ToString();
    }
}
