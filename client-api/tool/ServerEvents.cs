using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace DataHub.Tool;

/// <summary>One event of a stream.</summary>
/// <param name="Type">Its name; <c>message</c> where it has none.</param>
/// <param name="Id">The id that stands after it; null: none was given yet.</param>
internal sealed record ServerEvent(string Type, string? Id, string Data);

/// <summary>Reads server-sent events as the HTML standard says (§9.2.6).</summary>
internal sealed class ServerEvents(Stream stream)
{
    /// <summary>Longest event, in characters.</summary>
    private const int Longest = 64 * 1024 * 1024;

    /// <summary>How long the server asks to wait before the next connection; null: it does not say.</summary>
    public TimeSpan? Retry { get; private set; }

    /// <param name="silence">A stream that says nothing, not even a comment, for so long is broken.</param>
    /// <exception cref="TimeoutException">It was silent for so long.</exception>
    public async IAsyncEnumerable<ServerEvent> ReadAsync(TimeSpan silence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        string? type = null, id = null;
        var data = new StringBuilder();
        while (await LineAsync(reader, silence, cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                if (data.Length > 0) yield return new(type ?? "message", id, data.ToString(0, data.Length - 1));
                type = null;
                data.Clear();
                continue;
            }

            if (line[0] == ':') continue;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var (field, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..]);
            if (value.StartsWith(' ')) value = value[1..];
            switch (field)
            {
                case "event": type = value; break;
                case "id" when !value.Contains('\0', StringComparison.Ordinal): id = value; break;
                case "retry" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds): Retry = TimeSpan.FromMilliseconds(milliseconds); break;
                case "data" when data.Length + value.Length < Longest: data.Append(value).Append('\n'); break;
                case "data": throw new IOException(Words.Say("Ein Ereignis ist zu groß.", "An event is too large."));
            }
        }
    }

    private static async Task<string?> LineAsync(StreamReader reader, TimeSpan silence, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(silence);
        try
        {
            return await reader.ReadLineAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(Words.Say($"seit {silence.TotalSeconds:0} s kein Lebenszeichen", $"no sign of life for {silence.TotalSeconds:0} s"));
        }
    }
}
