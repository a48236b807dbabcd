using System.Text.Json;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DataHub.Benchmarks;

/// <summary>What the hub is measured beside: the same server doing as little as can be done.</summary>
internal static class Limits
{
    public static async Task<int> ServeAsync(string address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add(address);

        // Reads the body, looks at every token and keeps nothing.
        app.MapPost("/discard", static async (HttpContext http) =>
        {
            var length = (int)http.Request.ContentLength!.Value;
            var body = System.Buffers.ArrayPool<byte>.Shared.Rent(length);
            try
            {
                await http.Request.Body.ReadExactlyAsync(body.AsMemory(0, length));
                Parse(body.AsSpan(0, length));
            }
            finally
            {
                System.Buffers.ArrayPool<byte>.Shared.Return(body);
            }

            http.Response.ContentType = "application/json";
            await http.Response.Body.WriteAsync(Receipt);
        });

        // A body of any size, made once, with its ETag.
        var content = Array.Empty<byte>();
        app.MapPut("/static", async (HttpContext http) =>
        {
            using var copy = new MemoryStream();
            await http.Request.Body.CopyToAsync(copy);
            content = copy.ToArray();
        });
        app.MapGet("/static", (HttpContext http) =>
        {
            http.Response.Headers.ETag = "\"static\"";
            if (http.Request.Headers.IfNoneMatch == "\"static\"")
            {
                http.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }

            http.Response.ContentType = "application/json";
            http.Response.ContentLength = content.Length;
            return http.Response.Body.WriteAsync(content).AsTask();
        });

        await app.StartAsync();
        Console.WriteLine("ready");
        // Ends with the program that started it, whatever became of that.
        await Console.In.ReadLineAsync();
        await app.StopAsync();
        return 0;
    }

    private static readonly byte[] Receipt = """{"receipt":"01J00000000000000000000000","received":1,"accepted":1,"duplicate":0,"quarantined":0,"watermark":"w1.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","errors":[]}"""u8.ToArray();

    private static void Parse(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number) _ = reader.GetDouble();
        }
    }
}
