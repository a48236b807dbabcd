using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Sharing;

/// <summary>What a question for a single record needs, which records an agreement gives, and what the log keeps. Pure.</summary>
internal static class EvidenceRules
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is wrong with a question, its key aside; null: nothing.</summary>
    public static LocalText? Fault(EvidenceRequest request, StatedUse? use) =>
        string.IsNullOrWhiteSpace(use?.Purpose)
            ? new("DataHub-Purpose: Die Kopfzeile muss den Zweck nennen.", "DataHub-Purpose: The header must name the purpose.")
            : Text("legalNorm", request.LegalNorm, EvidenceLimits.MaxNorm) ?? Text("procedure", request.Procedure, EvidenceLimits.MaxProcedure)
                ?? Text("fileNumber", request.FileNumber, EvidenceLimits.MaxFileNumber) ?? Text("requester", request.Requester, EvidenceLimits.MaxRequester);

    /// <summary>What is wrong with a text that somebody has to give; null: nothing.</summary>
    public static LocalText? Text(string member, string? text, int most) =>
        string.IsNullOrWhiteSpace(text) ? new($"{member}: fehlt.", $"{member}: is missing.")
        : text.Length > most ? new($"{member}: höchstens {most} Zeichen.", $"{member}: at most {most} characters.")
        : text.Any(char.IsControl) ? new($"{member}: ohne Steuerzeichen.", $"{member}: without control characters.")
        : null;

    /// <summary>The key of a record, or what is wrong with it. Values are never told again.</summary>
    public static (EvidenceKey? Key, LocalText? Fault) Key(CompiledContract contract, EvidenceKeyPart[]? parts)
    {
        parts ??= [];
        var columns = RowPacking.Unpack(contract, [(RowPacking.Pack(RowBlock.Empty, 0), null)]).Columns;
        foreach (var ordinal in contract.Key)
        {
            var field = contract.Fields[ordinal];
            var given = Array.FindAll(parts, part => part.Field == field.Name);
            if (given.Length != 1) return (null, new($"key.{field.Name}: fehlt; der ganze Schlüssel ist nötig: {Names()}.", $"key.{field.Name}: is missing; the whole key is needed: {Names()}."));
            if (Column(field, given[0].Json) is not { } column)
                return (null, new($"key.{field.Name}: Der Wert passt nicht zum Feld ({ContractWords.Of(field.Type)}).", $"key.{field.Name}: The value does not fit the field ({ContractWords.Of(field.Type)})."));
            columns[ordinal] = column;
        }

        if (Array.Find(parts, part => !contract.Schema.PrimaryKey.Contains(part.Field)) is { Field: { } other })
            return (null, new($"key.{Short(other)}: gehört nicht zum Schlüssel: {Names()}.", $"key.{Short(other)}: is no part of the key: {Names()}."));
        var block = new RowBlock { Count = 1, Columns = columns };
        return (new(RowKeys.Key(contract, block, 0), block), null);

        string Names() => string.Join(", ", contract.Schema.PrimaryKey);

        static string Short(string name) => name.Length <= 60 ? name : name[..60] + "…";
    }

    /// <summary>Whether an agreement gives a record: by its period, areas and filter, as it gives rows.</summary>
    /// <param name="block">The row by itself.</param>
    /// <param name="time">Ticks; <see cref="long.MinValue"/> where it has none.</param>
    /// <param name="area">Its area; null where it has none.</param>
    /// <param name="areas">The agreement's areas with all below them; null where it does not name any.</param>
    public static bool Gives(AgreementTerms terms, CompiledContract contract, RowBlock block, long time, string? area, IReadOnlySet<string>? areas) =>
        !(time < terms.Data.From?.UtcTicks) && !(time >= terms.Data.To?.UtcTicks)
        && (terms.Data.Areas is null || (area is not null && areas?.Contains(area) == true))
        && (terms.Data.Filter is not { } filter || Indicators.RowPredicates.For(contract, filter)(block, 0));

    /// <summary>What is answered: the record as JSON text, with these fields in the contract's order; <c>null</c> where there is none.</summary>
    public static string Content(CompiledContract contract, RowBlock? block, IReadOnlySet<string> fields)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var writer = new Utf8JsonWriter(buffer, s_json);
        if (block is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            writer.WriteStartObject();
            foreach (var field in contract.Fields.Where(field => fields.Contains(field.Name)))
            {
                writer.WritePropertyName(field.Name);
                AnswerText.Write(writer, field.Spec, block.Columns[field.Ordinal], 0);
            }

            writer.WriteEndObject();
        }

        writer.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>How the log names a record: HMAC-SHA-256 of 1 and the key's canonical bytes, in hexadecimal.</summary>
    public static string RecordHash(byte[] secret, byte[] key) => Convert.ToHexStringLower(HMACSHA256.HashData(secret, (byte[])[1, .. key]));

    /// <summary>The salt of an entry, which only its answer has: HMAC-SHA-256 of 2 and the entry's id.</summary>
    public static byte[] Salt(byte[] secret, string id) => HMACSHA256.HashData(secret, (byte[])[2, .. Encoding.UTF8.GetBytes(id)]);

    /// <summary>SHA-256 of the salt and the content in UTF-8.</summary>
    public static byte[] ContentHash(byte[] salt, string content) => SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(content)]);

    /// <summary>Whether an entry is not to be kept any more.</summary>
    public static bool IsOver(DateTimeOffset at, DateTimeOffset now, TimeSpan kept) => now - at >= kept;

    /// <summary>Whether a day may have entries that are not to be kept, and whether it has none else.</summary>
    public static (bool Some, bool All) IsOver(DateOnly day, DateTimeOffset now, TimeSpan kept)
    {
        var begin = new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
        return (IsOver(begin, now, kept), now - begin >= kept + TimeSpan.FromDays(1));
    }

    public static string PartKey(string dataset, DateOnly day, int part) => string.Create(CultureInfo.InvariantCulture, $"{dataset}/{day:yyyy-MM-dd}/{part}");

    public static string RecordKey(string dataset, string recordHash) => $"{dataset}/{recordHash}";

    private static Column? Column(CompiledField field, string json)
    {
        if (json.Length > EvidenceLimits.MaxKeyText) return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            var (value, fault) = (default(FieldValue), default(FieldFault));
            fault = document.RootElement.ValueKind switch
            {
                JsonValueKind.String => field.Read(document.RootElement.GetString(), null, out value),
                JsonValueKind.Number => field.ReadNumber(document.RootElement.GetRawText(), out value),
                JsonValueKind.True or JsonValueKind.False => field.ReadBoolean(document.RootElement.GetBoolean(), out value),
                _ => field.WrongType(out value),
            };
            if (!fault.IsNone) return null;
            return field.Kind switch
            {
                ColumnKind.Text => Feeds.Column.OfTexts([value.Text]),
                ColumnKind.Number => Feeds.Column.OfNumbers([value.Number]),
                ColumnKind.Integer => Feeds.Column.OfIntegers([value.Integer]),
                _ => Feeds.Column.OfBooleans([(byte)value.Integer]),
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <param name="Bytes">Canonical (<see cref="RowKeys"/>).</param>
/// <param name="Block">One row that has nothing but the key.</param>
internal sealed record EvidenceKey(byte[] Bytes, RowBlock Block);
