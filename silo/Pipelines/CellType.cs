using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What the values of a column can all be read as, found out value by value.</summary>
/// <param name="zone">Of instants that are written without an offset; null: these are none.</param>
internal sealed class CellType(TimeZoneInfo? zone = null)
{
    private bool _any, _decided, _twofold;
    private bool _integer = true, _point = true, _comma = true, _boolean = true, _date = true, _germanDate = true, _instant = true, _time = true;

    /// <summary>All are numbers, and one at least only if its decimals are written with a comma.</summary>
    public bool NeedsComma => _any && _comma && !_point;

    /// <summary>All are numbers, and one at least only if its decimals are written with a point.</summary>
    public bool NeedsPoint => _any && _point && !_comma;

    /// <summary>Values mean one number with a decimal comma and another with a decimal point, and no value of the column says which is meant.</summary>
    public bool IsAmbiguous => _twofold && !_decided;

    public void Add(ReadOnlySpan<char> text)
    {
        _any = true;
        var named = IsName(text);
        if (_integer) _integer = !named && CellReader.TryInteger(text, out _);
        double point = 0, comma = 0;
        var (isPoint, isComma) = (!named && CellReader.TryNumber(text, '.', ',', out point), !named && CellReader.TryNumber(text, ',', '.', out comma));
        _point &= isPoint;
        _comma &= isComma;
        _decided |= isPoint != isComma;
        _twofold |= isPoint && isComma && point != comma;
        if (_boolean) _boolean = CellReader.TryBoolean(text, out _);
        if (_date) _date = CellReader.TryDate(text, german: false, out _);
        if (_germanDate) _germanDate = CellReader.TryDate(text, german: true, out _);
        if (_instant) _instant = CellReader.TryInstant(text, zone, out _);
        if (_time) _time = CellReader.TryTime(text, out _);
    }

    /// <param name="comma">Whether decimals are written with a comma.</param>
    public FieldType Narrowest(bool comma) =>
        !_any ? FieldType.String
        : _boolean ? FieldType.Boolean
        : _integer ? FieldType.Integer
        : (comma ? _comma : _point) ? FieldType.Number
        : _date || _germanDate ? FieldType.Date
        : _instant ? FieldType.DateTime
        : _time ? FieldType.Time
        : FieldType.String;

    /// <summary>01100101, +4930123 and 12E4 are names made of digits, as is what has more digits than a number can hold.</summary>
    private static bool IsName(ReadOnlySpan<char> text)
    {
        if (text.Length > 1 && text[0] == '0' && char.IsAsciiDigit(text[1])) return true;
        if (text[0] == '+' || (text.ContainsAny('e', 'E') && !text.Contains('.'))) return true;
        var digits = 0;
        foreach (var c in text)
            if (char.IsAsciiDigit(c)) digits++;
        return digits > 18 && !text.ContainsAny('.', ',');
    }
}
