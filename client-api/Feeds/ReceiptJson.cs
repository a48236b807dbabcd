using System.Buffers;
using System.Text.Json;

namespace DataHub.Feeds;

/// <summary>Receipts and row errors as JSON (design §5).</summary>
internal static class ReceiptJson
{
    private static readonly JsonWriterOptions s_writing = new() { Encoder = WireJson.Options.Encoder };

    /// <summary>A receipt: <c>receipt, received, accepted, duplicate, quarantined, watermark, errors</c>.</summary>
    /// <param name="more">Members after these.</param>
    public static ReadOnlyMemory<byte> Render(PushReceipt receipt, string language, Action<Utf8JsonWriter>? more = null)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, s_writing);
        writer.WriteStartObject();
        writer.WriteString("receipt", receipt.Receipt);
        writer.WriteNumber("received", receipt.Counts.Received);
        writer.WriteNumber("accepted", receipt.Counts.Accepted);
        writer.WriteNumber("duplicate", receipt.Counts.Duplicate);
        writer.WriteNumber("quarantined", receipt.Counts.Quarantined);
        writer.WriteString("watermark", receipt.Watermark);
        writer.WriteStartArray("errors");
        foreach (var error in receipt.Errors) Write(writer, error, language);
        writer.WriteEndArray();
        if (ErrorsLink(receipt) is { } link) writer.WriteString("errorsLink", link);
        if (receipt.Outcomes is not null)
        {
            writer.WriteStartArray("rows");
            foreach (var outcome in receipt.Outcomes)
            {
                writer.WriteStartObject();
                writer.WriteNumber("row", outcome.Row);
                writer.WriteString("outcome", Word(outcome.Fate));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        more?.Invoke(writer);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>The same as extension members of a problem.</summary>
    public static (string Name, object? Value)[] Members(PushReceipt receipt, string language) =>
    [
        ("receipt", receipt.Receipt),
        ("received", receipt.Counts.Received),
        ("accepted", receipt.Counts.Accepted),
        ("duplicate", receipt.Counts.Duplicate),
        ("quarantined", receipt.Counts.Quarantined),
        ("watermark", receipt.Watermark),
        ("errors", receipt.Errors.Select(e => new RowErrorJson(e.Row, e.Field, e.Code, RowErrorCodes.Detail(e).In(language), e.Expected, e.Value)).ToArray()),
        ("errorsLink", ErrorsLink(receipt)),
        ("rows", receipt.Outcomes?.Select(o => new RowOutcomeJson(o.Row, Word(o.Fate))).ToArray()),
    ];

    /// <summary>Where all errors are; null where there are none, or nothing was stored.</summary>
    private static string? ErrorsLink(PushReceipt receipt) => receipt.Receipt is { } id && receipt.Counts.Quarantined > 0 ? $"/api/v1/receipts/{id}/errors" : null;

    /// <summary>A row's fate as it is told.</summary>
    public static string Word(RowFate fate) => fate switch
    {
        RowFate.New => "new",
        RowFate.Correction => "correction",
        RowFate.Retraction => "retraction",
        RowFate.Duplicate => "duplicate",
        _ => "quarantined",
    };

    /// <summary>One error: <c>row, field, code, detail, expected, value</c>; what is not there is left out.</summary>
    public static void Write(Utf8JsonWriter writer, RowError error, string language)
    {
        writer.WriteStartObject();
        writer.WriteNumber("row", error.Row);
        if (error.Field is not null) writer.WriteString("field", error.Field);
        writer.WriteString("code", error.Code);
        writer.WriteString("detail", RowErrorCodes.Detail(error).In(language));
        if (error.Expected is not null) writer.WriteString("expected", error.Expected);
        if (error.Value is not null) writer.WriteString("value", error.Value);
        writer.WriteEndObject();
    }
}

/// <summary>Why a row did not pass.</summary>
/// <param name="Row">Its number in the push, from 1.</param>
/// <param name="Code">A stable word.</param>
/// <param name="Detail">For people.</param>
/// <param name="Expected">What would have been right.</param>
/// <param name="Value">What stood there, shortened; masked where it is personal.</param>
internal sealed record RowErrorJson(
    int Row,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Field,
    string Code,
    string Detail,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Expected,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Value);

/// <summary>What a push is answered; for /openapi/v1.json.</summary>
/// <param name="Receipt">Its id; null for a dry run.</param>
/// <param name="Received">Rows in the body: accepted + duplicate + quarantined.</param>
/// <param name="Accepted">New, corrected and retracted.</param>
/// <param name="Watermark">To read what was pushed: ?watermark= of any query. Null for a dry run.</param>
/// <param name="ErrorsLink">All errors, where the first thousand are not all; absent where there are none.</param>
/// <param name="Rows">Of a dry run: what would become of the first thousand rows.</param>
/// <param name="Run">Of a stored receipt: the run of a pipeline that pushed, with its step and job; absent where none did, or the caller may not know of it.</param>
internal sealed record PushReceiptJson(
    string? Receipt, int Received, int Accepted, int Duplicate, int Quarantined, string? Watermark, RowErrorJson[] Errors,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? ErrorsLink,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] RowOutcomeJson[]? Rows,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Run = null,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Step = null,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Job = null);

/// <summary>What would become of a row.</summary>
/// <param name="Outcome">new, correction, retraction, duplicate or quarantined.</param>
internal sealed record RowOutcomeJson(int Row, string Outcome);
