using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Short words for what tests of pipelines do through the public routes.</summary>
internal static class Pipes
{
    /// <summary>Uploads a file in one go.</summary>
    /// <returns>Its id.</returns>
    public static async Task<string> UploadAsync(HttpClient client, string name, byte[] content, string? agency = null)
    {
        using var body = new ByteArrayContent(content);
        var made = await OkAsync(client.PostAsync($"api/v1/files?name={Uri.EscapeDataString(name)}{(agency is null ? "" : "&agency=" + agency)}", body));
        Assert.True(made.RootElement.GetProperty("complete").GetBoolean());
        return made.RootElement.GetProperty("id").GetString()!;
    }

    public static Task<string> UploadAsync(HttpClient client, string name, string content) => UploadAsync(client, name, Encoding.UTF8.GetBytes(content));

    public static Task<JsonDocument> PutJobAsync(HttpClient client, string job, string definition) =>
        OkAsync(client.PutAsync($"api/v1/jobs/{job}", new StringContent(definition, Encoding.UTF8, "application/json")));

    /// <summary>Starts a run.</summary>
    /// <returns>Its id.</returns>
    public static async Task<string> StartAsync(HttpClient client, string job, object order) =>
        (await OkAsync(client.PostAsJsonAsync($"api/v1/jobs/{job}/runs", order))).RootElement.GetProperty("id").GetString()!;

    /// <summary>Waits until a run has ended.</summary>
    /// <returns>The run.</returns>
    public static async Task<JsonElement> EndAsync(HttpClient client, string run, int seconds = 60)
    {
        var until = DateTime.UtcNow.AddSeconds(seconds);
        while (true)
        {
            var now = (await OkAsync(client.GetAsync($"api/v1/runs/{run}"))).RootElement;
            if (now.GetProperty("state").GetString() is "complete" or "fail" or "abort") return now;
            Assert.True(DateTime.UtcNow < until, $"the run did not end: {now.GetRawText()}");
            await Task.Delay(50);
        }
    }

    /// <summary>Starts a run that must become complete.</summary>
    public static async Task<JsonElement> RunAsync(HttpClient client, string job, object order, int seconds = 60)
    {
        var run = await EndAsync(client, await StartAsync(client, job, order), seconds);
        Assert.True(run.GetProperty("state").GetString() == "complete", run.GetRawText());
        return run;
    }

    public static JsonElement Step(JsonElement run, string id) => run.GetProperty("steps").EnumerateArray().Single(step => step.GetProperty("id").GetString() == id);

    public static async Task<string> TableAsync(HttpClient client, JsonElement run, string step)
    {
        using var answer = await client.GetAsync($"api/v1/runs/{run.GetProperty("id").GetString()}/steps/{step}/table");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text;
    }

    /// <summary>An open dataset of loans, with an indicator that sums them up by day.</summary>
    public static async Task LoansAsync(HttpClient admin, string id, string agency)
    {
        await OkAsync(admin.PutAsync($"api/v1/datasets/{id}", new StringContent($$"""
            { "title": "Ausleihen", "publisher": "{{agency}}", "kind": "observations", "access": "open", "license": "dl-de/by-2-0",
              "schema": { "primaryKey": ["branch", "time"], "fields": [
                { "name": "branch", "type": "string", "role": "series", "constraints": { "required": true } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "loans", "type": "integer", "role": "measure", "constraints": { "minimum": 0 } } ] } }
            """, Encoding.UTF8, "application/json")));
        await OkAsync(admin.PutAsJsonAsync($"api/v1/indicators/{id}-daily", new { title = "Ausleihen je Tag", dataset = id, measure = new { function = "sum", field = "loans" }, window = "P1D", timeZone = "UTC", groupBy = Array.Empty<string>(), access = "open" }));
    }

    public static readonly MediaTypeHeaderValue Pieces = new("application/offset+octet-stream");
}
