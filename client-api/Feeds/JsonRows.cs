using System.Buffers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>Reads rows from JSON objects into a <see cref="RowAssembler"/>. For one push and one thread.</summary>
internal sealed class JsonRows(CompiledContract contract, RowAssembler rows, IngestOptions options) : IDisposable
{
    private readonly TextPool _pool = TextPool.OfThisThread;

    // Which field stood at which place in the row before: most clients write all rows alike.
    private readonly int[] _order = NewOrder(contract.Fields.Length);
    private char[] _scratch = ArrayPool<char>.Shared.Rent(1_024);

    public void Dispose() => ArrayPool<char>.Shared.Return(_scratch);

    /// <summary>
    /// Reads the object that the reader stands at the start of; afterwards it stands at its end. The row has been begun.
    /// </summary>
    /// <exception cref="JsonException">The text is not JSON, or lies too deep.</exception>
    public void ReadObject(ref Utf8JsonReader reader)
    {
        for (var place = 0; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; place++)
        {
            if (place == options.MaxColumns) rows.Fail(null, RowErrorCodes.TooManyFields, options.MaxColumns.ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (place >= options.MaxColumns)
            {
                reader.Skip();
                continue;
            }

            var ordinal = OrdinalAt(place, ref reader, out var name);
            reader.Read();
            if (ordinal >= 0)
            {
                if (rows.See(ordinal)) ReadValue(ref reader, ordinal);
                else reader.Skip();
            }
            else if (name == "@delete")
            {
                ReadDelete(ref reader);
            }
            else if (name == "@area")
            {
                // What the hub itself adds when it gives rows out: they can be pushed again as they are.
                reader.Skip();
            }
            else
            {
                rows.Fail(name, name is null ? RowErrorCodes.InvalidText : RowErrorCodes.UnknownField, null);
                reader.Skip();
            }
        }
    }

    /// <summary>A row's text for quarantine: as it came where that is JSON, else as a JSON string; shortened beyond the limit.</summary>
    public static string Raw(ReadOnlySpan<byte> row, bool isJson, int maxBytes)
    {
        if (row.Length <= maxBytes && isJson) return Encoding.UTF8.GetString(row);
        var text = Encoding.UTF8.GetString(row.Length <= maxBytes ? row : row[..Math.Min(row.Length, 1_000)]);
        return JsonSerializer.Serialize(row.Length <= maxBytes ? text : text + "…", WireJson.Options);
    }

    private void ReadDelete(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.True: rows.Delete(true); break;
            case JsonTokenType.False or JsonTokenType.Null: break;
            default:
                rows.Fail("@delete", RowErrorCodes.InvalidDelete, "true, false");
                reader.Skip();
                break;
        }
    }

    private void ReadValue(scoped ref Utf8JsonReader reader, int ordinal)
    {
        var field = contract.Fields[ordinal];
        FieldValue value;
        FieldFault fault;
        ReadOnlySpan<char> told;
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return;
            case JsonTokenType.String:
                if (!TryCopy(ref reader, options.MaxFieldLength, out told, out var code))
                {
                    rows.Fail(ordinal, code, code == RowErrorCodes.TooLong ? Limit() : null, default);
                    return;
                }

                fault = field.Read(told, _pool, out value);
                break;
            case JsonTokenType.Number:
                var digits = reader.ValueSpan;
                // No number needs more; the digits of a longer one are not all looked at.
                if (digits.Length > 400)
                {
                    rows.Fail(ordinal, RowErrorCodes.TooLong, "400", default);
                    return;
                }

                told = _scratch.AsSpan(0, Encoding.ASCII.GetChars(digits, _scratch));
                fault = field.ReadNumber(told, out value);
                break;
            case JsonTokenType.True or JsonTokenType.False:
                told = reader.TokenType == JsonTokenType.True ? "true" : "false";
                fault = field.ReadBoolean(reader.TokenType == JsonTokenType.True, out value);
                break;
            default:
                ReadNested(ref reader, ordinal, field);
                return;
        }

        if (fault.IsNone) rows.Set(ordinal, value);
        else rows.Fail(ordinal, fault.Code!, fault.Expected, told);
    }

    private void ReadNested(ref Utf8JsonReader reader, int ordinal, CompiledField field)
    {
        var start = reader.TokenStartIndex;
        FieldFault fault;
        if (field.TakesJson)
        {
            // Measured before it is read: a value of many megabytes must not become objects.
            var end = reader;
            end.Skip();
            if (end.BytesConsumed - start > options.MaxFieldLength)
            {
                reader = end;
                rows.Fail(ordinal, RowErrorCodes.TooLong, Limit(), default);
                return;
            }

            using var document = JsonDocument.ParseValue(ref reader);

            fault = field.ReadJson(document.RootElement, out var value);
            if (fault.IsNone) rows.Set(ordinal, value);
            else rows.Fail(ordinal, fault.Code!, fault.Expected, document.RootElement.GetRawText());
            return;
        }

        var token = reader.TokenType;
        reader.Skip();
        fault = field.WrongType(out _);
        rows.Fail(ordinal, fault.Code!, fault.Expected, token == JsonTokenType.StartObject ? "{…}" : "[…]");
    }

    /// <returns>The field's ordinal, or −1 with the name; a null name is not valid Unicode.</returns>
    private int OrdinalAt(int place, scoped ref Utf8JsonReader reader, out string? name)
    {
        name = null;
        if (place < _order.Length && _order[place] is >= 0 and var expected && !reader.ValueIsEscaped && reader.ValueSpan.SequenceEqual(contract.Fields[expected].NameUtf8))
            return expected;

        if (!TryCopy(ref reader, int.MaxValue, out var characters, out _)) return -1;
        var ordinal = contract.OrdinalOf(characters);
        if (ordinal < 0) name = characters.Length <= 1_000 ? characters.ToString() : characters[..1_000].ToString();
        else if (place < _order.Length) _order[place] = ordinal;
        return ordinal;
    }

    private bool TryCopy(scoped ref Utf8JsonReader reader, int limit, out ReadOnlySpan<char> text, out string code)
    {
        text = default;
        code = RowErrorCodes.TooLong;
        // An escape takes up to six bytes for one character.
        if (reader.ValueSpan.Length > 6L * limit) return false;
        if (reader.ValueSpan.Length > _scratch.Length)
        {
            ArrayPool<char>.Shared.Return(_scratch);
            _scratch = ArrayPool<char>.Shared.Rent(reader.ValueSpan.Length);
        }

        try
        {
            text = _scratch.AsSpan(0, reader.CopyString(_scratch));
        }
        catch (InvalidOperationException)
        {
            // System.Text.Json's word for an escaped surrogate without its other half.
            code = RowErrorCodes.InvalidText;
            return false;
        }

        return text.Length <= limit;
    }

    private string Limit() => options.MaxFieldLength.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static int[] NewOrder(int fields)
    {
        var order = new int[fields];
        for (var i = 0; i < fields; i++) order[i] = i;
        return order;
    }
}
