using System.Net;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DataHub.Support;

/// <summary>A proxy on 127.0.0.1 that forwards every request and loses some of the answers: the sender sees its connection break.</summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None });
    private int _forwarded, _lost;

    private LossyProxy(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>Requests that the target answered.</summary>
    public int Forwarded => _forwarded;

    /// <summary>Answers that were lost.</summary>
    public int Lost => _lost;

    /// <param name="loses">Told the number of a request, from 1: whether its answer is lost.</param>
    public static async Task<LossyProxy> StartAsync(Uri target, Func<int, bool> loses)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var proxy = new LossyProxy(app);
        app.Run(async http =>
        {
            using var request = new HttpRequestMessage(new(http.Request.Method), new Uri(target, http.Request.Path.Value!.TrimStart('/') + http.Request.QueryString));
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            if (body.Length > 0) request.Content = new ByteArrayContent(body.ToArray());
            foreach (var (name, values) in http.Request.Headers)
            {
                if (name is "Host" or "Connection" or "Transfer-Encoding" or "Content-Length") continue;
                if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values)) request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }

            using var answer = await proxy._http.SendAsync(request, http.RequestAborted);
            var bytes = await answer.Content.ReadAsByteArrayAsync();
            if (loses(Interlocked.Increment(ref proxy._forwarded)))
            {
                Interlocked.Increment(ref proxy._lost);
                http.Abort();
                return;
            }

            http.Response.StatusCode = (int)answer.StatusCode;
            foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            {
                if (name != "Transfer-Encoding") http.Response.Headers[name] = values.ToArray();
            }

            http.Response.ContentLength = bytes.Length;
            await http.Response.Body.WriteAsync(bytes);
        });
        await app.StartAsync();
        proxy.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/");
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _http.Dispose();
    }
}
