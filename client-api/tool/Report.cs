using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

using Spectre.Console;

namespace DataHub.Tool;

/// <summary>
/// What the program says. Results go to standard output, for people or (<c>--json</c>) as one JSON object a line;
/// everything else goes to standard error.
/// </summary>
internal sealed class Report
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly IAnsiConsole _out = Make(Console.Out, Console.IsOutputRedirected), _err = Make(Console.Error, Console.IsErrorRedirected);
    private readonly Lock _lock = new();

    public Report(bool json) => IsJson = json;

    public bool IsJson { get; }

    /// <summary>Whether somebody watches, so that a bar may be drawn.</summary>
    public bool IsWatched { get; } = !Console.IsErrorRedirected && !Console.IsOutputRedirected;

    /// <summary>Where progress is drawn.</summary>
    public IAnsiConsole Progress => _err;

    /// <summary>A result: a line for people, or an event for programs.</summary>
    /// <param name="text">Null: people are not told.</param>
    /// <param name="kind">Name of the event.</param>
    public void Result(string? text, string kind, JsonObject members)
    {
        if (!IsJson)
        {
            if (text is not null) Say(text);
            return;
        }

        members.Insert(0, "event", kind);
        Write(Console.Out, members.ToJsonString(s_json));
    }

    /// <summary>A document of the hub: as it came for programs, by <paramref name="show"/> for people.</summary>
    public void Document(JsonElement document, Action<JsonElement> show)
    {
        if (IsJson) Write(Console.Out, JsonSerializer.Serialize(document, s_json));
        else show(document);
    }

    /// <summary>A line of text for people on standard output.</summary>
    public void Say(string text) => Line(_out, Console.Out, text);

    /// <summary>A table for people on standard output.</summary>
    public void Table(string[] columns, IEnumerable<string[]> rows)
    {
        if (Console.IsOutputRedirected)
        {
            // For cut and awk: a tab between cells, no frame, nothing broken over lines.
            Write(Console.Out, string.Join('\t', columns));
            foreach (var row in rows) Write(Console.Out, string.Join('\t', row.Select(Flat)));
            return;
        }

        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in columns) table.AddColumn(new TableColumn(Markup.Escape(column)));
        foreach (var row in rows) table.AddRow([.. row.Select(cell => Markup.Escape(Flat(cell)))]);
        lock (_lock) _out.Write(table);
    }

    /// <summary>Something worth knowing that is no result.</summary>
    public void Note(string text) => Line(_err, Console.Error, text);

    /// <summary>Why something did not work.</summary>
    public void Error(string text) => Line(_err, Console.Error, Words.Say("Fehler: ", "Error: ") + text);

    /// <summary>What the hub refused, and why.</summary>
    public void Refusal(string what, HubAnswer answer)
    {
        var problem = answer.Problem;
        if (IsJson)
        {
            var members = new JsonObject { ["event"] = "refused", ["what"] = what, ["status"] = answer.Status };
            if (answer.Body is { ValueKind: JsonValueKind.Object } body) members["problem"] = JsonObject.Create(body);
            Write(Console.Out, members.ToJsonString(s_json));
        }

        Error($"{what}: {problem}");
    }

    private void Line(IAnsiConsole console, TextWriter plain, string text)
    {
        // A terminal may be drawing a bar: only its own console writes above it.
        if (IsWatched) lock (_lock) console.WriteLine(text);
        else Write(plain, text);
    }

    private void Write(TextWriter writer, string line)
    {
        lock (_lock)
        {
            writer.WriteLine(line);
            writer.Flush();
        }
    }

    /// <summary>Text of others on one line, without what could steer a terminal.</summary>
    internal static string Flat(string text)
    {
        var flat = new StringBuilder(text.Length);
        foreach (var c in text) flat.Append(char.IsControl(c) ? ' ' : c);
        return flat.ToString();
    }

    private static IAnsiConsole Make(TextWriter writer, bool redirected) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(writer),
        Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
        Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
    });
}
