using System.Net.Http.Headers;
using System.Text.Json;

namespace DataHub.Support;

/// <summary>A viewer of live changes as any program could be one: reads server-sent events by their standard and keeps the rows that they leave.</summary>
internal sealed class ChangesViewer(HttpClient client, string path) : IAsyncDisposable
{
    // Of last values there is one for each area and combination of dimensions, whatever its window.
    private readonly bool _latest = !path.Contains("from=", StringComparison.Ordinal);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _rows = new(StringComparer.Ordinal);
    private readonly List<(string Name, int Rows, int Removed)> _events = [];
    private CancellationTokenSource? _stop;
    private Task _reading = Task.CompletedTask;

    /// <summary>Of the last event that had one; sent when it connects again.</summary>
    public string? LastId { get; set; }

    public int Heartbeats { get; private set; }

    /// <summary>Why the stream ended; null while it goes on.</summary>
    public Exception? Ended { get; private set; }

    public bool IsOver => _reading.IsCompleted;

    /// <summary>Rows sent that were the same as what had been sent before.</summary>
    public int Unchanged { get; private set; }

    public (string Name, int Rows, int Removed)[] Events
    {
        get
        {
            lock (_gate) return [.. _events];
        }
    }

    /// <summary>Rows as they stand, each as its JSON text, in order.</summary>
    public string[] Rows
    {
        get
        {
            lock (_gate) return [.. _rows.OrderBy(row => row.Key, StringComparer.Ordinal).Select(row => row.Value)];
        }
    }

    /// <summary>Rows of an answer to a poll in the same form.</summary>
    public static string[] RowsOf(JsonElement answer) =>
        [.. answer.GetProperty("rows").EnumerateArray().OrderBy(Place, StringComparer.Ordinal).Select(row => row.GetRawText())];

    /// <summary>Connects, or connects again with what was seen last; returns once the answer has begun.</summary>
    public async Task ConnectAsync()
    {
        _stop = new();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (LastId is not null) request.Headers.Add("Last-Event-ID", LastId);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _stop.Token);
        if (!response.IsSuccessStatusCode)
        {
            var text = await response.Content.ReadAsStringAsync();
            var status = (int)response.StatusCode;
            response.Dispose();
            throw new HttpRequestException($"{status} {text}", null, response.StatusCode);
        }

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        Ended = null;
        _reading = Task.Run(() => ReadAsync(response, _stop.Token));
    }

    public async Task DisconnectAsync()
    {
        if (_stop is null) return;
        await _stop.CancelAsync();
        await _reading;
        _stop.Dispose();
        _stop = null;
    }

    public async ValueTask DisposeAsync() => await DisconnectAsync();

    private async Task ReadAsync(HttpResponseMessage response, CancellationToken stop)
    {
        using var answer = response;
        try
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
            var (name, data, id) = ("message", "", (string?)null);
            while (await reader.ReadLineAsync(stop) is { } line)
            {
                if (line.Length == 0)
                {
                    if (data.Length > 0) Take(name, data);
                    if (id is not null) LastId = id;
                    (name, data, id) = ("message", "", null);
                }
                else if (line[0] == ':')
                {
                    Heartbeats++;
                }
                else
                {
                    var colon = line.IndexOf(':', StringComparison.Ordinal);
                    var value = line[(colon + 1)..].TrimStart(' ');
                    switch (line[..colon])
                    {
                        case "event": name = value; break;
                        case "data": data += value; break;
                        case "id": id = value; break;
                    }
                }
            }
        }
        catch (Exception e)
        {
            Ended = e;
        }
    }

    private void Take(string name, string data)
    {
        using var document = JsonDocument.Parse(data);
        lock (_gate)
        {
            if (name == "reset")
            {
                _events.Add((name, 0, 0));
                return;
            }

            var (rows, removed) = (document.RootElement.GetProperty("rows"), document.RootElement.GetProperty("removed"));
            _events.Add((name, rows.GetArrayLength(), removed.GetArrayLength()));
            if (name == "state" && document.RootElement.GetProperty("part").GetInt32() == 1) _rows.Clear();
            foreach (var row in rows.EnumerateArray())
            {
                if (name == "change" && _rows.TryGetValue(PlaceOf(row), out var known) && known == row.GetRawText()) Unchanged++;
                _rows[PlaceOf(row)] = row.GetRawText();
            }

            foreach (var place in removed.EnumerateArray()) _rows.Remove(PlaceOf(place));
        }
    }

    private string PlaceOf(JsonElement row) => Place(row, _latest);

    private static string Place(JsonElement row) => Place(row, false);

    private static string Place(JsonElement row, bool latest) =>
        $"{(latest ? "" : row.GetProperty("from").GetString())}|{(row.TryGetProperty("area", out var area) ? area.GetString() : "")}|{(row.TryGetProperty("dimensions", out var dimensions) ? dimensions.GetRawText() : "")}";
}
