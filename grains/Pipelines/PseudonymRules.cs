using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>How values become pseudonyms (<see cref="PseudonymiseStep"/>), and the life of the keys for it. Pure.</summary>
internal static class PseudonymRules
{
    /// <summary>As many as the hash has: RFC 2104, section 3, finds fewer weaker and more of no use.</summary>
    public const int KeyBytes = 32;

    /// <summary>Bytes of the code that are kept: more than the half that RFC 2104, section 5, asks for, and 32 characters of base 32 without a rest.</summary>
    private const int Kept = 20;

    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Begins every message, so that a key never makes anything but pseudonyms of this kind.</summary>
    private static ReadOnlySpan<byte> Domain => "datahub:pseudonym:1\0"u8;

    /// <summary>The columns of the step's table.</summary>
    /// <exception cref="StepException">One that is named is not there, or none would be left.</exception>
    public static TableColumn[] Columns(PseudonymiseStep step, TableColumn[] input)
    {
        foreach (var name in step.Columns) input.Find(step.Input, name);
        TableColumn[] columns = step.Drop ? [.. input.Where(column => !IsNamed(step, column))] : Array.ConvertAll(input, column => IsNamed(step, column) ? column with { Type = FieldType.String } : column);
        return columns.Length > 0 ? columns : throw new StepException(new($"Von der Tabelle „{step.Input}“ bliebe keine Spalte.", $"No column of the table “{step.Input}” would be left."));
    }

    /// <summary>Rows of the input as those of the step's table.</summary>
    /// <param name="key">Empty where nothing is made but columns left out.</param>
    /// <exception cref="StepException">A text is none that Unicode knows.</exception>
    public static RowBlock Apply(PseudonymiseStep step, TableColumn[] input, RowBlock rows, byte[] key, int version)
    {
        var columns = new List<Column>(input.Length);
        for (var c = 0; c < input.Length; c++)
        {
            if (!IsNamed(step, input[c])) columns.Add(rows.Columns[c]);
            else if (!step.Drop) columns.Add(Pseudonyms(input[c], rows.Columns[c], key, version));
        }

        return new() { Count = rows.Count, Columns = [.. columns] };
    }

    /// <summary>What is hashed of a value: the domain, a byte for the type, and the value. No two values have the same.</summary>
    public static byte[] Message(FieldType type, Column column, int row)
    {
        var tag = type switch
        {
            FieldType.Number => 'n',
            FieldType.Integer => 'i',
            FieldType.Boolean => 'b',
            FieldType.Date => 'd',
            FieldType.Time => 't',
            FieldType.DateTime => 'z',
            _ => 's',
        };
        byte[] value = column.Kind switch
        {
            ColumnKind.Text => s_utf8.GetBytes(column.Texts![row]!.Normalize(NormalizationForm.FormC)),
            ColumnKind.Boolean => [column.Booleans![row]],
            // −0 is 0, as it is everywhere in the hub.
            ColumnKind.Number => Eight(BitConverter.DoubleToInt64Bits(column.Numbers![row] + 0.0)),
            _ => Eight(column.Integers![row]),
        };
        return [.. Domain, (byte)tag, .. value];
    }

    /// <summary>The pseudonym of a message.</summary>
    public static string Text(byte[] key, int version, byte[] message)
    {
        Span<byte> code = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message, code);
        var text = new StringBuilder("v").Append(version.ToString(CultureInfo.InvariantCulture)).Append('.');
        var (bits, waiting) = (0, 0);
        foreach (var part in code[..Kept])
        {
            bits = ((bits << 8) | part) & 0xFFF;
            for (waiting += 8; waiting >= 5; waiting -= 5) text.Append(Alphabet[(bits >> (waiting - 5)) & 31]);
        }

        return text.ToString();
    }

    /// <summary>Why there can be no further version; null: there can.</summary>
    public static LocalText? Full(PseudonymKeysState state) => state.Versions.Length < PseudonymPurposes.MaxVersions
        ? null
        : new($"Ein Schlüssel hat höchstens {PseudonymPurposes.MaxVersions} Fassungen.", $"A key has at most {PseudonymPurposes.MaxVersions} versions.");

    public static PseudonymKeysState Rotate(PseudonymKeysState state, byte[] secret, string by, DateTimeOffset now) =>
        state with { Versions = [.. state.Versions, new(new(state.Versions.Length + 1, now, by), secret)] };

    public static PseudonymKeysState Destroy(PseudonymKeysState state, int version, string by, string reason, DateTimeOffset now) => state with
    {
        Versions = Array.ConvertAll(state.Versions, stored => stored.Info.Version == version ? new(stored.Info with { Destroyed = now, DestroyedBy = by, Reason = reason }, []) : stored),
    };

    private static Column Pseudonyms(TableColumn column, Column values, byte[] key, int version)
    {
        var texts = new string?[values.Length];
        for (var row = 0; row < texts.Length; row++)
        {
            if (values.IsNull(row)) continue;
            try
            {
                texts[row] = Text(key, version, Message(column.Type, values, row));
            }
            catch (ArgumentException)
            {
                // Half a surrogate pair: its message would be that of another text.
                throw new StepException(new($"In der Spalte „{column.Name}“ steht etwas, das kein Text ist (ein halbes Zeichen).", $"The column “{column.Name}” has something that is no text (half a character)."));
            }
        }

        return Column.OfTexts(texts);
    }

    private static byte[] Eight(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    private static bool IsNamed(PseudonymiseStep step, TableColumn column) => Array.Exists(step.Columns, column.Has);
}
