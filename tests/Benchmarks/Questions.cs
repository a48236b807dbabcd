using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace DataHub.Benchmarks;

/// <summary>Questions that pages and maps ask beside the last values: the first time after a change, once more, and with what is known already.</summary>
internal sealed class Questions(HubUnderLoad hub, string dataset)
{
    private static readonly DateTimeOffset s_year = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private int _change;

    /// <summary>A year of hours in one area: the question and what it is about.</summary>
    public (string Name, string Path, int Rows) Year => ("windowed query, a year of hours of one area", $"/api/v1/indicators/{dataset}-mean/values?area={Rows.AreaId(0)}&from=2024-01-01T00:00:00Z&to=2024-12-31T00:00:00Z&limit=10000", 8_760);

    /// <summary>One window of all areas, within what <see cref="SeriesRows"/> has pushed.</summary>
    public (string Name, string Path, int Rows) Map(string format) => ($"map of one hour, 542 areas, {format}", $"/api/v1/indicators/{dataset}-mean/values?level=1&from=2025-01-01T00:00:00Z&to=2025-01-01T01:00:00Z&format={format}", 542);

    /// <summary>Pushes what <see cref="Year"/> asks for: a row an hour.</summary>
    public async Task PrepareAsync()
    {
        using var http = Client();
        for (var hour = 0; hour < 8_760; hour += 876)
        {
            var rows = Enumerable.Range(hour, 876).Select(h => string.Create(CultureInfo.InvariantCulture, $$"""{"station":"year","time":"{{s_year.AddHours(h).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}}","area":"{{Rows.AreaId(0)}}","no2":{{h % 97}}}"""));
            await PushAsync(http, $"[{string.Join(',', rows)}]");
        }

        await hub.WaitAsync(http);
    }

    /// <returns>Milliseconds, sorted: for the first answer after a change, for one more, and for one that is known; and the bytes of a whole one.</returns>
    public async Task<(double[] Changed, double[] Again, double[] Known, int Bytes)> AskAsync(string path, int probes)
    {
        using var http = Client();
        var (changed, again, known, bytes) = (new double[probes], new double[probes], new double[probes], 0);
        for (var probe = -1; probe < probes; probe++)
        {
            // One row more, in another window: the version is another, and nothing that was kept holds.
            await PushAsync(http, string.Create(CultureInfo.InvariantCulture, $$"""{"station":"change","time":"{{s_year.AddYears(-1).AddMinutes(_change++).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}}","area":"{{Rows.AreaId(1)}}","no2":1}"""));
            await hub.WaitAsync(http);
            var (first, tag, size) = await GetAsync(path, null);
            var (second, _, _) = await GetAsync(path, null);
            var (third, _, rest) = await GetAsync(path, tag);
            if (rest != 0) throw new InvalidOperationException($"{path}: it was known, and was answered with {rest} bytes");
            // The very first has everything to load.
            if (probe >= 0) (changed[probe], again[probe], known[probe], bytes) = (first, second, third, size);
        }

        Array.Sort(changed);
        Array.Sort(again);
        Array.Sort(known);
        return (changed, again, known, bytes);

        async Task<(double Milliseconds, EntityTagHeaderValue? Tag, int Bytes)> GetAsync(string asked, EntityTagHeaderValue? has)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, asked);
            if (has is not null) request.Headers.IfNoneMatch.Add(has);
            var clock = Stopwatch.GetTimestamp();
            using var answer = await http.SendAsync(request);
            var body = await answer.Content.ReadAsByteArrayAsync();
            var time = Stopwatch.GetElapsedTime(clock).TotalMilliseconds;
            if (has is null) answer.EnsureSuccessStatusCode();
            return (time, answer.Headers.ETag, body.Length);
        }
    }

    private HttpClient Client()
    {
        var http = new HttpClient { BaseAddress = hub.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", hub.Key);
        return http;
    }

    private async Task PushAsync(HttpClient http, string rows)
    {
        hub.Expect(rows.Split("\"station\"").Length - 1);
        using var push = await http.SendAsync(Load.Post(HubUnderLoad.PushPath(dataset), Encoding.UTF8.GetBytes(rows)));
        if (hub.Note(push) == 0) throw new InvalidOperationException($"{(int)push.StatusCode} {await push.Content.ReadAsStringAsync()}");
    }
}
