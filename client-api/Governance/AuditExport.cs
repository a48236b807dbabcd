using System.Buffers;
using System.Text;
using System.Text.Json;

using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Governance;

/// <summary>Entries as NDJSON or CSV with everything that verifying takes: a page, or page after page to the end.</summary>
/// <param name="first">The first page.</param>
/// <param name="more">Reads the page behind a place.</param>
/// <param name="whole">Whether pages follow until there is none.</param>
internal sealed class AuditExport(AuditPage first, AnswerFormat format, Func<long, Task<AuditPage>> more, bool whole) : IResult
{
    private static readonly SearchValues<char> s_quoted = SearchValues.Create("\",\r\n");
    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = AnswerFormats.ContentType(format);
        response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(httpContext.Request.Method)) return;
        var buffer = new ArrayBufferWriter<byte>(65_536);
        if (format == AnswerFormat.Csv) Encoding.UTF8.GetBytes("sequence,id,at,action,agency,actor,object,outcome,detail,link,leaf,salt,content\r\n", buffer);
        for (var page = first; ; page = await more(page.Next!.Value))
        {
            // The answer has begun: what is missing must not look like the end.
            if (page.Refusal != ReadRefusal.None)
            {
                httpContext.Abort();
                return;
            }

            foreach (var record in page.Records)
            {
                if (format == AnswerFormat.Csv) WriteCsv(buffer, record);
                else WriteLine(buffer, record);
            }

            await response.Body.WriteAsync(buffer.WrittenMemory, httpContext.RequestAborted);
            buffer.ResetWrittenCount();
            if (!whole || page.Next is null) return;
        }
    }

    /// <summary>An entry: what it says, and with what it is verified. Of deleted content only the hashes are there.</summary>
    public static void Write(Utf8JsonWriter writer, AuditRecord record)
    {
        var happened = record.Event;
        writer.WriteStartObject();
        writer.WriteNumber("sequence", record.Sequence);
        writer.WriteString("id", happened?.Id);
        if (happened is null) writer.WriteNull("at");
        else writer.WriteString("at", AnswerText.Instant(happened.At.UtcTicks));
        writer.WriteString("action", happened?.Action);
        writer.WriteString("agency", happened?.Agency);
        writer.WriteString("actor", happened?.Actor);
        writer.WriteString("object", happened?.Object);
        writer.WriteString("outcome", happened is null ? null : AuditContent.Word(happened.Outcome));
        if (happened is null) writer.WriteNull("detail");
        else WriteDetail(writer, happened);
        writer.WriteString("link", Convert.ToHexStringLower(record.Link));
        writer.WriteString("leaf", Convert.ToHexStringLower(record.Leaf));
        writer.WriteString("salt", record.Salt is null ? null : Convert.ToHexStringLower(record.Salt));
        writer.WriteString("content", record.Content is null ? null : Encoding.UTF8.GetString(record.Content));
        writer.WriteEndObject();
    }

    private static void WriteDetail(Utf8JsonWriter writer, AuditEvent happened)
    {
        writer.WriteStartObject("detail");
        foreach (var detail in happened.Detail) writer.WriteString(detail.Name, detail.Text);
        writer.WriteEndObject();
    }

    private static void WriteLine(ArrayBufferWriter<byte> to, AuditRecord record)
    {
        using (var writer = new Utf8JsonWriter(to, s_json)) Write(writer, record);
        to.Write("\n"u8);
    }

    private static void WriteCsv(ArrayBufferWriter<byte> to, AuditRecord record)
    {
        var happened = record.Event;
        string?[] cells =
        [
            FormattableString.Invariant($"{record.Sequence}"), happened?.Id, happened is null ? null : AnswerText.Instant(happened.At.UtcTicks), happened?.Action, happened?.Agency, happened?.Actor, happened?.Object,
            happened is null ? null : AuditContent.Word(happened.Outcome), happened is null ? null : JsonSerializer.Serialize(happened.Detail.ToDictionary(detail => detail.Name, detail => detail.Text), WireJson.Options),
            Convert.ToHexStringLower(record.Link), Convert.ToHexStringLower(record.Leaf), record.Salt is null ? null : Convert.ToHexStringLower(record.Salt), record.Content is null ? null : Encoding.UTF8.GetString(record.Content),
        ];
        for (var i = 0; i < cells.Length; i++)
        {
            if (i > 0) to.Write(","u8);
            if (cells[i] is not { } text) continue;
            Encoding.UTF8.GetBytes(text.AsSpan().ContainsAny(s_quoted) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text, to);
        }

        to.Write("\r\n"u8);
    }
}
