using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What the values of a column can all be read as, found out value by value.</summary>
internal sealed class CellType
{
    private bool _any;
    private bool _integer = true, _point = true, _comma = true, _boolean = true, _date = true, _germanDate = true, _instant = true, _time = true;

    /// <summary>A value is a number only if its decimals are written with a comma.</summary>
    public bool NeedsComma => _any && _comma && !_point;

    /// <summary>A value is a number only if its decimals are written with a point.</summary>
    public bool NeedsPoint => _any && _point && !_comma;

    /// <summary>A value means one number with a decimal comma and another with a decimal point.</summary>
    public bool IsAmbiguous { get; private set; }

    public void Add(ReadOnlySpan<char> text)
    {
        _any = true;
        // 01100101 is a name made of digits, not a number.
        var named = text.Length > 1 && text[0] == '0' && char.IsAsciiDigit(text[1]);
        if (_integer) _integer = !named && CellReader.TryInteger(text, out _);
        if (_point) _point = !named && CellReader.TryNumber(text, '.', null, out _);
        if (_comma) _comma = !named && CellReader.TryNumber(text, ',', '.', out _);
        IsAmbiguous |= _point && _comma && text.ContainsAny('.', ',');
        if (_boolean) _boolean = CellReader.TryBoolean(text, out _);
        if (_date) _date = CellReader.TryDate(text, german: false, out _);
        if (_germanDate) _germanDate = CellReader.TryDate(text, german: true, out _);
        if (_instant) _instant = CellReader.TryInstant(text, out _);
        if (_time) _time = CellReader.TryTime(text, out _);
    }

    /// <param name="comma">Whether the file writes decimals with a comma.</param>
    public FieldType Narrowest(bool comma) =>
        !_any ? FieldType.String
        : _boolean ? FieldType.Boolean
        : _integer ? FieldType.Integer
        : (comma ? _comma : _point) ? FieldType.Number
        : _date || _germanDate ? FieldType.Date
        : _instant ? FieldType.DateTime
        : _time ? FieldType.Time
        : FieldType.String;
}
