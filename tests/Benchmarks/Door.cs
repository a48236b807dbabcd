using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace DataHub.Benchmarks;

/// <summary>
/// What it costs that values are read through an agreement: polls of an indicator that is not open by its publisher's key
/// and by a key of the other side, in turns, the same values, each decided by the indicator's grain. Beside them those that
/// stand for many agreements about the dataset.
/// </summary>
internal sealed class Door(int polls, int repeats) : IAsyncDisposable
{
    private const int Connections = 32, Others = 100;
    private const string Path = "/api/v1/indicators/door-mean/values?level=0&from=2026-11-23";

    private readonly EmbeddedHub _process = new();

    public async Task<int> RunAsync()
    {
        await _process.StartAsync();
        var hub = new HubUnderLoad(_process.Address, "door") { Agency = "door" };
        await hub.DescribeAsync(_process.AdminKey);
        using var http = new HttpClient { BaseAddress = _process.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _process.AdminKey);
        await hub.PushAsync(hub.Prepare(1_000, 20), 4);
        await SendAsync(HttpMethod.Put, "/api/v1/indicators/door-mean", """{ "title": { "de": "mean" }, "dataset": "door", "measure": { "function": "mean", "field": "no2" }, "window": "PT1H", "groupBy": ["area"], "access": "internal" }""");
        var own = await KeyAsync("door");
        for (var i = 0; i < Others; i++) await AgreeAsync($"other{i:D3}", i);
        var key = await AgreeAsync("reader", Others);
        await Task.Delay(TimeSpan.FromSeconds(1));

        using var byRight = new Load(_process.Address, own, Connections);
        using var through = new Load(_process.Address, key, Connections);
        through.Http.DefaultRequestHeaders.Add("DataHub-Purpose", "planung");
        var etag = (await EtagAsync(byRight, own), await EtagAsync(through, key));
        (Load Load, EntityTagHeaderValue? Has)[] rounds = [(byRight, null), (through, null), (byRight, etag.Item1), (through, etag.Item2)];
        var rates = rounds.Select(_ => new List<double>()).ToArray();
        var costs = rounds.Select(_ => new List<double>()).ToArray();
        for (var repeat = -1; repeat < repeats; repeat++)
        {
            for (var round = 0; round < rounds.Length; round++)
            {
                var before = _process.Process.Cpu;
                var rate = await rounds[round].Load.PollAsync(polls, Path, rounds[round].Has);
                var cost = (_process.Process.Cpu - before).TotalMicroseconds / polls;
                // Until the code that the hub runs is compiled for good.
                if (repeat < 0) continue;
                rates[round].Add(rate);
                costs[round].Add(cost);
            }
        }

        double[] Medians(List<double>[] all) => [.. all.Select(one => one.Order().ElementAt(one.Count / 2))];
        var (perSecond, each) = (Medians(rates), Medians(costs));
        Console.WriteLine(Table.Machine(repeats));
        Console.WriteLine();
        Console.WriteLine($"| an indicator that is not open, {Others + 1} agreements about its dataset | polls/s by right | through an agreement | µs of the hub's processors a poll by right | through an agreement | more | goal |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var (name, at) in new[] { ("200", 0), ("304", 2) })
            Console.WriteLine($"| {name} | {perSecond[at]:N0} | {perSecond[at + 1]:N0} | {each[at]:N1} | {each[at + 1]:N1} | {(each[at + 1] / each[at]) - 1:P1} | ≤ 5 % |");
        return 0;

        async Task<EntityTagHeaderValue> EtagAsync(Load load, string bearer)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Path);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
            using var answer = await load.Http.SendAsync(request);
            answer.EnsureSuccessStatusCode();
            return answer.Headers.ETag!;
        }

        async Task<string> AgreeAsync(string agency, int number)
        {
            await SendAsync(HttpMethod.Put, $"/api/v1/agencies/{agency}", """{ "name": { "de": "Amt" } }""");
            await SendAsync(HttpMethod.Put, $"/api/v1/agreements/v{number:D3}", $$"""
                { "title": "Probe", "provider": "door", "recipient": "{{agency}}", "dataset": "door", "purposes": [ { "id": "planung", "text": "Planung" } ], "legalBasis": "§ 1", "use": { "publication": "aggregatesOnly", "networks": ["127.0.0.0/8"] },
                  "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht", "every": "P30D", "missed": "notice" } ],
                  "term": { "from": "{{DateTimeOffset.UtcNow.AddMinutes(-5):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "until": "{{DateTimeOffset.UtcNow.AddYears(1):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "notice": "P1M" } }
                """);
            var admin = await KeyAsync(agency, "admin");
            foreach (var (act, side) in new[] { ("acknowledge-charter", "provider"), ("offer", "provider"), ("acknowledge-charter", "recipient"), ("agree", "provider"), ("agree", "recipient") })
                await SendAsync(HttpMethod.Post, $"/api/v1/agreements/v{number:D3}/acts", $$"""{ "act": "{{act}}", "side": "{{side}}" }""", side == "recipient" ? admin : null);
            return await KeyAsync(agency);
        }

        async Task<string> KeyAsync(string agency, string role = "read") => JsonDocument.Parse(await SendAsync(HttpMethod.Post, $"/api/v1/agencies/{agency}/keys", $$"""{ "role": "{{role}}" }""")).RootElement.GetProperty("key").GetString()!;

        async Task<string> SendAsync(HttpMethod method, string path, string body, string? bearer = null)
        {
            using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            if (bearer is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
            using var response = await http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return response.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{path}: {(int)response.StatusCode} {text}");
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
