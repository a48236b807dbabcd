using System.Text.Json;

using DataHub.Hosting;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

using Orleans.Runtime;

namespace DataHub.Tests;

public sealed class ErrorsTests : IAsyncLifetime
{
    private readonly HttpClient _client = new();
    private WebApplication _app = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.AddHubLogging();
        _app = builder.Build();
        _app.UseErrors(NullLogger.Instance);
        _app.MapGet("/broken", (Func<string>)(() => throw new InvalidOperationException("secret of the house")));
        _app.MapGet("/moving", (Func<string>)(() => throw new SiloUnavailableException("silo 17")));
        _app.MapGet("/late", (Func<string>)(() => throw new TimeoutException()));
        _app.MapGet("/half", async (HttpContext http) =>
        {
            await http.Response.WriteAsync(new string('x', 100_000));
            await http.Response.Body.FlushAsync();
            throw new InvalidOperationException("too late");
        });
        await _app.StartAsync();
        _client.BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task An_exception_becomes_a_problem_with_a_trace_and_none_of_its_words()
    {
        using var answer = await _client.GetAsync("broken");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(500, (int)answer.StatusCode);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        Assert.NotEmpty(JsonDocument.Parse(text).RootElement.GetProperty("traceId").GetString()!);
    }

    [Fact]
    public async Task Who_began_a_trace_finds_it_in_what_went_wrong()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "broken");
        request.Headers.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        using var answer = await _client.SendAsync(request);
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("traceId").GetString());
    }

    [Theory]
    [InlineData("moving")]
    [InlineData("late")]
    public async Task A_part_that_does_not_answer_is_503_with_when_to_repeat(string path)
    {
        using var answer = await _client.GetAsync(path);
        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
        Assert.DoesNotContain("silo 17", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_an_answer_never_looks_like_a_whole_one() =>
        await Assert.ThrowsAsync<HttpRequestException>(async () =>
        {
            using var answer = await _client.GetAsync("half");
            await answer.Content.ReadAsStringAsync();
        });
}
