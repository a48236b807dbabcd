using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// One rule by which quarantined rows are put right before they are checked anew: exactly one of its members is set.
/// Pure; values move as text, so that nothing is rounded.
/// </summary>
internal sealed record QuarantineRule
{
    public const int MostPlaces = 30;

    private const string DecimalComma = "decimalComma", ShiftDecimal = "shiftDecimal", Unit = "unit", Rename = "rename", RenameField = "renameField", Drop = "drop";

    private static readonly HashSet<string> s_members = ["field", Rename, ShiftDecimal, Unit, DecimalComma, RenameField, Drop];

    private QuarantineRule(string field) => Field = field;

    /// <summary>The field, or column, that the rule is about.</summary>
    public string Field { get; }

    /// <summary>A value that is written another way: <c>{ "from": "Pankow", "to": "03" }</c>.</summary>
    public (string From, string To)? RenamedValue { get; private init; }

    /// <summary>Places by which the decimal point moves to the right; negative to the left.</summary>
    public int? Places { get; private init; }

    /// <summary>The value has a decimal comma (and points or spaces between thousands).</summary>
    public bool HasDecimalComma { get; private init; }

    /// <summary>The name that the field has in the contract.</summary>
    public string? NewName { get; private init; }

    /// <summary>The field is left out.</summary>
    public bool Drops { get; private init; }

    /// <summary>Reads a rule.</summary>
    /// <param name="contract">Whose fields it may name.</param>
    /// <returns>Null where there is a fault, which is noted.</returns>
    public static QuarantineRule? Read(JsonElement element, CompiledContract contract, List<DocumentFault> faults)
    {
        var before = faults.Count;
        var reader = new JsonObjectReader(element, "rule", faults, s_members);
        var field = reader.Text("field", required: true);
        var given = s_members.Where(name => name != "field" && reader.Get(name).ValueKind != JsonValueKind.Undefined).ToArray();
        if (given.Length != 1)
        {
            reader.Fault("rule", "Genau eines von rename, shiftDecimal, unit, decimalComma, renameField und drop wird erwartet.", "Exactly one of rename, shiftDecimal, unit, decimalComma, renameField and drop is expected.");
            return null;
        }

        // A column that the contract does not know can be renamed or dropped, but has no value to put right.
        var known = field is not null && contract.OrdinalOf(field) >= 0;
        if (field is not null && !known && given[0] is not (RenameField or Drop))
            reader.Fault("rule.field", $"Das Feld „{field}“ gibt es im Vertrag nicht.", $"There is no field “{field}” in the contract.");
        if (faults.Count > before) return null;

        var rule = new QuarantineRule(field!);
        switch (given[0])
        {
            case Rename:
                var rename = new JsonObjectReader(reader.Get(Rename), "rule.rename", faults, new HashSet<string> { "from", "to" });
                var (from, to) = (rename.Text("from", required: true), rename.Text("to", required: true));
                if (faults.Count == before) rule = rule with { RenamedValue = (from!, to!) };
                break;
            case ShiftDecimal:
                if (reader.Integer(ShiftDecimal) is { } places && Math.Abs(places) is >= 1 and <= MostPlaces) rule = rule with { Places = places };
                else reader.Fault("rule.shiftDecimal", $"Hier wird eine ganze Zahl von -{MostPlaces} bis {MostPlaces} außer 0 erwartet.", $"An integer from -{MostPlaces} to {MostPlaces} other than 0 is expected.");
                break;
            case Unit:
                var target = contract.Fields[contract.OrdinalOf(field!)].Spec.Unit;
                if (reader.Text(Unit) is { } unit && target is not null && UnitShift.Between(unit, target) is { } shift) rule = rule with { Places = shift };
                else reader.Fault("rule.unit",
                    $"Von dieser Einheit nach „{target ?? "(keine)"}“ führt keine Verschiebung des Kommas; möglich sind metrische Vorsätze. Sonst shiftDecimal verwenden oder die Zeilen neu liefern.",
                    $"No shift of the decimal point leads from this unit to “{target ?? "(none)"}”; metric prefixes are possible. Else use shiftDecimal, or push the rows anew.");
                break;
            case DecimalComma:
                if (reader.Boolean(DecimalComma) == true) rule = rule with { HasDecimalComma = true };
                else reader.Fault("rule.decimalComma", "Hier wird true erwartet.", "true is expected here.");
                break;
            case RenameField:
                var name = reader.Text(RenameField);
                if (name is not null && contract.OrdinalOf(name) >= 0) rule = rule with { NewName = name };
                else reader.Fault("rule.renameField", $"Das Feld „{name}“ gibt es im Vertrag nicht.", $"There is no field “{name}” in the contract.");
                break;
            default:
                if (reader.Boolean(Drop) == true) rule = rule with { Drops = true };
                else reader.Fault("rule.drop", "Hier wird true erwartet.", "true is expected here.");
                break;
        }

        return faults.Count > before ? null : rule;
    }

    /// <summary>Puts a row right.</summary>
    /// <returns>Whether anything changed; a rule that does not fit a row leaves it as it is.</returns>
    public bool Apply(JsonObject row)
    {
        if (!row.TryGetPropertyValue(Field, out var value)) return false;
        if (Drops) return row.Remove(Field);
        if (NewName is { } name)
        {
            if (row.ContainsKey(name)) return false;
            row.Remove(Field);
            row.Add(name, value);
            return true;
        }

        if (Text(value) is not { } text) return false;
        if (RenamedValue is { } rename)
        {
            if (text != rename.From) return false;
            row[Field] = rename.To;
            return true;
        }

        if (HasDecimalComma)
        {
            var point = text.Replace(".", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).Replace("\u00A0", "", StringComparison.Ordinal).Replace(',', '.');
            if (point == text) return false;
            row[Field] = point;
            return true;
        }

        if (Places is not { } places || places == 0 || Shift(text, places) is not { } shifted) return false;
        row[Field] = shifted;
        return true;
    }

    /// <summary>The number with its decimal point moved to the right, digit by digit; null where the text is no number.</summary>
    internal static string? Shift(string text, int places)
    {
        var number = text.AsSpan().Trim();
        var exponentAt = number.IndexOfAny('e', 'E');
        if (exponentAt >= 0)
        {
            if (!int.TryParse(number[(exponentAt + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) || Math.Abs(exponent) > 400) return null;
            places += exponent;
            number = number[..exponentAt];
        }

        var negative = number is ['-', ..];
        if (number is ['-' or '+', ..]) number = number[1..];
        var point = number.IndexOf('.');
        var digits = point < 0 ? number.ToString() : string.Concat(number[..point], number[(point + 1)..]);
        if (digits.Length == 0 || digits.AsSpan().ContainsAnyExceptInRange('0', '9')) return null;

        var whole = (point < 0 ? digits.Length : point) + places;
        if (whole <= 0) (digits, whole) = (new string('0', 1 - whole) + digits, 1);
        if (whole > digits.Length) digits = digits.PadRight(whole, '0');
        var left = digits[..whole].TrimStart('0');
        var right = digits[whole..].TrimEnd('0');
        var moved = (left.Length == 0 ? "0" : left) + (right.Length == 0 ? "" : "." + right);
        return negative && moved != "0" ? "-" + moved : moved;
    }

    private static string? Text(JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.ToJsonString(),
        _ => null,
    };
}
