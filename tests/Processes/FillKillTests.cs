using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Feeds;
using DataHub.Support;

using Xunit.Abstractions;

namespace DataHub.Processes;

/// <summary>The built hub killed with SIGKILL again and again while definitions change and are filled under load (design I4, I5, §2.5).</summary>
[Collection(ProcessesCollection.Name)]
public sealed class FillKillTests(ITestOutputHelper output)
{
    private const int Kills = 10;
    private const int StoredBefore = 20_000;

    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Functions = ["sum", "count", "max", "min"];

    /// <summary>Small steps, so that every kill meets a fill under way.</summary>
    private static readonly Dictionary<string, string> Settings = new() { ["DATAHUB__FOLD__CATCHUPROWS"] = "100" };

    /// <summary>What was acknowledged, by the sequence it got: key to value, null for a deletion.</summary>
    private readonly ConcurrentDictionary<long, (int Key, double? Value)[]> _acknowledged = new();
    private readonly ConcurrentDictionary<int, string> _functionOf = new();
    private readonly ConcurrentQueue<(int Definition, long Sequence, double? Value, long Count)> _answers = new();
    private readonly ConcurrentQueue<string> _broken = new();

    [Fact]
    public async Task Ten_kills_while_definitions_are_filled_never_show_a_wrong_number_for_the_definition_that_is_named()
    {
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName, environment: Settings);
        var port = hub.Address.Port;
        using var http = new HttpClient { BaseAddress = hub.Address, Timeout = TimeSpan.FromSeconds(20) };
        try
        {
            var admin = (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim();
            await SendAsync(http, HttpMethod.Put, admin, "/api/v1/agencies/senumvk", """{ "name": { "de": "Umwelt" } }""");
            await SendAsync(http, HttpMethod.Put, admin, "/api/v1/datasets/fill", """
                { "title": { "de": "Nachgeholt" }, "publisher": "senumvk", "license": "dl-de/by-2-0", "kind": "observations", "access": "open",
                  "schema": { "primaryKey": ["station", "time"], "fields": [
                    { "name": "station", "type": "string", "role": "series", "constraints": { "required": true } },
                    { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                    { "name": "value", "type": "number", "role": "measure" } ] } }
                """);
            var push = (string)(await SendAsync(http, HttpMethod.Post, admin, "/api/v1/agencies/senumvk/keys", """{ "role": "push" }"""))["key"]!;
            for (var from = 0; from < StoredBefore; from += 1_000) await PushAsync(http, push, [.. Enumerable.Range(from, 1_000).Select(key => (key, (double?)(key % 101)))]);

            using var load = new CancellationTokenSource();
            var pushing = Task.Run(() => PushUntilAsync(http, push, load.Token));
            var reading = Task.Run(() => ReadUntilAsync(http, load.Token));
            var random = new Random(20261126);
            for (var kill = 0; kill < Kills; kill++)
            {
                await DefineAsync(http, admin, Functions[kill % Functions.Length]);
                if (kill % 3 == 2) await DefineAsync(http, admin, Functions[(kill + 1) % Functions.Length]);
                await Task.Delay(random.Next(20, 900));
                await hub.KillAsync();
                await hub.DisposeAsync();
                hub = await HubProcess.StartAsync(folder.FullName, port, Settings);
                // Every third definition may be filled to its end before the next change.
                if (kill % 3 == 0) await AnswersAsync(http, _functionOf.Keys.Max());
            }

            var last = await DefineAsync(http, admin, "sum");
            await AnswersAsync(http, last);
            await load.CancelAsync();
            await Task.WhenAll(pushing, reading);
            await ReadAsync(http, _acknowledged.Keys.Max());

            Assert.Empty(_broken);
            Check();
            output.WriteLine($"{Kills} kills; {_acknowledged.Count} pushes acknowledged, {_answers.Count} answers of {_answers.Select(a => a.Definition).Distinct().Count()} definitions checked.");
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    /// <summary>Every answer is what the rows acknowledged up to its watermark make under the definition it names.</summary>
    private void Check()
    {
        var standing = new Dictionary<int, double>();
        var pushes = new Queue<KeyValuePair<long, (int Key, double? Value)[]>>(_acknowledged.OrderBy(push => push.Key));
        var answers = _answers.OrderBy(answer => answer.Sequence).ToArray();
        Assert.NotEmpty(answers);
        foreach (var (definition, sequence, value, count) in answers)
        {
            while (pushes.TryPeek(out var push) && push.Key <= sequence)
            {
                foreach (var (key, written) in pushes.Dequeue().Value)
                {
                    if (written is { } number) standing[key] = number;
                    else standing.Remove(key);
                }
            }

            var expected = _functionOf[definition] switch
            {
                "sum" => standing.Values.Sum(),
                "count" => standing.Count,
                "max" => standing.Values.Max(),
                _ => standing.Values.Min(),
            };
            Assert.True(expected == value && standing.Count == count, $"definition {definition} ({_functionOf[definition]}) at {sequence}: {value} of {count} rows, must be {expected} of {standing.Count}");
        }

        Assert.Empty(pushes);
        var final = answers[^1];
        Assert.Equal(_functionOf.Keys.Max(), final.Definition);
    }

    private async Task<int> DefineAsync(HttpClient http, string admin, string function)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var info = await SendAsync(http, HttpMethod.Put, admin, "/api/v1/indicators/fill",
                    $$"""{ "title": { "de": "{{function}}" }, "dataset": "fill", "measure": { "function": "{{function}}", "field": "value" }, "window": "P1Y", "groupBy": [], "access": "open" }""");
                var definition = (int)(info["pending"] ?? info)["definition"]!;
                _functionOf[definition] = function;
                return definition;
            }
            catch (Exception e) when (attempt < 100 && (Unreachable.Is(e) || e is TaskCanceledException))
            {
                await Task.Delay(50);
            }
        }
    }

    private async Task AnswersAsync(HttpClient http, int definition)
    {
        for (var tries = 0; tries < 1_200; tries++)
        {
            if (await ReadAsync(http, 0) == definition) return;
            await Task.Delay(50);
        }

        Assert.Fail($"definition {definition} does not answer");
    }

    private async Task ReadUntilAsync(HttpClient http, CancellationToken stop)
    {
        var (answered, version) = (false, 0);
        while (!stop.IsCancellationRequested && _broken.IsEmpty)
        {
            var read = await ReadAsync(http, 0);
            if (read is null)
            {
                await Task.Delay(10, CancellationToken.None);
                continue;
            }

            answered = true;
            if (read < version) _broken.Enqueue($"definition {read} answered after {version}");
            version = read.Value;
        }

        if (!answered) _broken.Enqueue("nothing was ever answered");
    }

    /// <returns>The definition that answered; null where none did.</returns>
    private async Task<int?> ReadAsync(HttpClient http, long atLeast)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var answer = await http.GetAsync("/api/v1/indicators/fill/values");
                var text = await answer.Content.ReadAsStringAsync();
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    var json = JsonDocument.Parse(text).RootElement;
                    var row = json.GetProperty("rows")[0];
                    if (row.GetProperty("state").GetString() == "stale") return null;
                    if (!Watermark.TryParse(json.GetProperty("watermark").GetString(), out var watermark)) throw new FormatException(text);
                    _answers.Enqueue((json.GetProperty("definition").GetInt32(), watermark!.Sequences[0], row.GetProperty("value").GetDouble(), row.GetProperty("count").GetInt64()));
                    if (watermark.Sequences[0] >= atLeast) return json.GetProperty("definition").GetInt32();
                }
                else if ((int)answer.StatusCode < 500 && answer.StatusCode != HttpStatusCode.NotFound)
                {
                    _broken.Enqueue($"{(int)answer.StatusCode} {text}");
                    return null;
                }
            }
            catch (Exception e) when (Unreachable.Is(e) || e is TaskCanceledException)
            {
                // The hub is dead or dying.
            }

            if (atLeast == 0 || attempt > 200) return null;
            await Task.Delay(20);
        }
    }

    /// <summary>New rows, corrections and deletions, of the latest and of the greatest and smallest too.</summary>
    private async Task PushUntilAsync(HttpClient http, string key, CancellationToken stop)
    {
        var random = new Random(7);
        for (var next = StoredBefore; !stop.IsCancellationRequested; next += 5)
        {
            var fresh = Enumerable.Range(next, 5).Select(number => (number, (double?)random.Next(-500, 500)));
            var earlier = Enumerable.Range(0, 4).Select(_ => random.Next(next)).Distinct().Select(number => (number, random.Next(3) == 0 ? null : (double?)random.Next(-1_000, 1_000)));
            await PushAsync(http, key, [.. fresh, .. earlier]);
        }
    }

    private async Task PushAsync(HttpClient http, string key, (int Key, double? Value)[] rows)
    {
        var body = new JsonArray([.. rows.Select(row => (JsonNode)(row.Value is { } value
            ? new JsonObject { ["station"] = $"s{row.Key % 50}", ["time"] = Time(row.Key), ["value"] = value }
            : new JsonObject { ["station"] = $"s{row.Key % 50}", ["time"] = Time(row.Key), ["@delete"] = true }))]).ToJsonString();
        var idempotencyKey = Guid.NewGuid().ToString("N");
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/datasets/fill/feeds/default/records") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
                request.Headers.Authorization = new("Bearer", key);
                request.Headers.Add("Idempotency-Key", idempotencyKey);
                using var answer = await http.SendAsync(request);
                var text = await answer.Content.ReadAsStringAsync();
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    if (!Watermark.TryParse((string?)JsonNode.Parse(text)!["watermark"], out var watermark)) throw new FormatException(text);
                    if ((int)JsonNode.Parse(text)!["accepted"]! > 0 && !_acknowledged.TryAdd(watermark!.Sequences[0], rows)) _broken.Enqueue($"sequence {watermark.Sequences[0]} was given twice");
                    return;
                }

                if ((int)answer.StatusCode < 500 && answer.StatusCode != HttpStatusCode.TooManyRequests) throw new InvalidOperationException(text);
            }
            catch (Exception e) when (Unreachable.Is(e) || e is TaskCanceledException)
            {
                // Nobody knows what became of it: again, with the same key.
            }

            await Task.Delay(50);
        }

        throw new TimeoutException("not acknowledged: " + body);

        static string Time(int number) => Start.AddMinutes(number).UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
    }

    private static async Task<JsonNode> SendAsync(HttpClient http, HttpMethod method, string key, string path, string json)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", key);
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        if ((int)answer.StatusCode >= 500) throw new HttpRequestException(text);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }
}
