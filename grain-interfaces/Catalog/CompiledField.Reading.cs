using System.Buffers.Text;
using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

using DataHub.Feeds;

namespace DataHub.Catalog;

public sealed partial class CompiledField
{
    /// <summary>The largest magnitude of a number (design §2.5): sums of squares stay exact.</summary>
    public const double LargestNumber = 1e150;

    /// <summary>The smallest magnitude of a number that is not 0.</summary>
    public const double SmallestNumber = 1e-140;

    private const string NumberRange = "1e-140 … 1e150";

    private static readonly FrozenSet<string> s_geometryTypes = FrozenSet.Create(StringComparer.Ordinal,
        "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection", "Feature", "FeatureCollection");

    /// <summary>Reads and checks a value written as text: a CSV cell, or a JSON string.</summary>
    /// <param name="pool">Repeating texts come from here; null: each is made anew.</param>
    public FieldFault Read(ReadOnlySpan<char> text, TextPool? pool, out FieldValue value)
    {
        var fault = Parse(text, pool, out value);
        return fault.IsNone ? Check(value) : fault;
    }

    /// <summary>Reads and checks a JSON number.</summary>
    /// <param name="raw">As it stood in the JSON, for fields that read it as digits.</param>
    public FieldFault ReadNumber(ReadOnlySpan<char> raw, out FieldValue value)
    {
        FieldFault fault;
        switch (Type)
        {
            case FieldType.Number:
                // JSON's numbers have a point, whatever the field's texts have.
                fault = double.TryParse(raw, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    ? Take(number, out value)
                    : Fault(RowErrorCodes.NotANumber, null, out value);
                break;
            case FieldType.Integer:
                fault = ParseInteger(raw, out value);
                break;
            case FieldType.Any:
                using (var document = JsonDocument.Parse(raw.ToString()))
                    fault = ParseJson(document.RootElement, out value);
                break;
            case FieldType.Boolean or FieldType.Year:
                fault = Parse(raw, null, out value);
                break;
            default:
                fault = WrongType(out value);
                break;
        }

        return fault.IsNone ? Check(value) : fault;
    }

    /// <summary>Reads and checks a number that is a double already; for fields of type number.</summary>
    public FieldFault ReadNumber(double number, out FieldValue value)
    {
        var fault = Type == FieldType.Number ? Take(number, out value) : WrongType(out value);
        return fault.IsNone ? Check(value) : fault;
    }

    /// <summary>Reads and checks an instant; for fields of type datetime.</summary>
    /// <param name="ticks">UTC.</param>
    public FieldFault ReadInstant(long ticks, out FieldValue value)
    {
        var fault = Type == FieldType.DateTime && ticks >= 0 && ticks <= DateTime.MaxValue.Ticks ? TakeInteger(ticks, out value) : WrongType(out value);
        return fault.IsNone ? Check(value) : fault;
    }

    /// <summary>Reads and checks a date; for fields of type date.</summary>
    /// <param name="days">Since 0001-01-01.</param>
    public FieldFault ReadDate(long days, out FieldValue value)
    {
        var fault = Type == FieldType.Date && days >= 0 && days <= DateOnly.MaxValue.DayNumber ? TakeInteger(days, out value) : WrongType(out value);
        return fault.IsNone ? Check(value) : fault;
    }

    /// <summary>Reads and checks a time of day; for fields of type time.</summary>
    /// <param name="ticks">Since midnight.</param>
    public FieldFault ReadTime(long ticks, out FieldValue value)
    {
        var fault = Type == FieldType.Time && ticks is >= 0 and < TimeSpan.TicksPerDay ? TakeInteger(ticks, out value) : WrongType(out value);
        return fault.IsNone ? Check(value) : fault;
    }

    /// <summary>Reads and checks a JSON boolean.</summary>
    public FieldFault ReadBoolean(bool boolean, out FieldValue value)
    {
        FieldFault fault;
        if (Type == FieldType.Boolean) fault = TakeInteger(boolean ? 1 : 0, out value);
        else if (Type == FieldType.Any) fault = TakeText(boolean ? "true" : "false", out value);
        else fault = WrongType(out value);
        return fault.IsNone ? Check(value) : fault;
    }

    /// <summary>Whether a JSON object or array can be a value at all; if not, it need not be read.</summary>
    public bool TakesJson => Type is FieldType.Object or FieldType.Array or FieldType.GeoJson or FieldType.Any
        || (Type == FieldType.GeoPoint && _format != "default");

    /// <summary>Reads and checks a JSON object or array.</summary>
    public FieldFault ReadJson(JsonElement element, out FieldValue value)
    {
        var fault = ParseJson(element, out value);
        return fault.IsNone ? Check(value) : fault;
    }

    /// <summary>What a value of another type is told.</summary>
    public FieldFault WrongType(out FieldValue value) => Type switch
    {
        FieldType.String => Fault(RowErrorCodes.NotAString, null, out value),
        FieldType.Number => Fault(RowErrorCodes.NotANumber, null, out value),
        FieldType.Integer => Fault(RowErrorCodes.NotAnInteger, null, out value),
        FieldType.Boolean => Fault(RowErrorCodes.NotABoolean, $"{_true!.First()}, {_false!.First()}", out value),
        FieldType.Object => Fault(RowErrorCodes.NotAnObject, null, out value),
        FieldType.Array => Fault(RowErrorCodes.NotAnArray, null, out value),
        FieldType.Date => Fault(RowErrorCodes.NotADate, Form("YYYY-MM-DD"), out value),
        FieldType.Time => Fault(RowErrorCodes.NotATime, Form("hh:mm:ss"), out value),
        FieldType.DateTime => Fault(RowErrorCodes.NotADateTime, Form("YYYY-MM-DDThh:mm:ssZ"), out value),
        FieldType.Year => Fault(RowErrorCodes.NotAYear, null, out value),
        FieldType.YearMonth => Fault(RowErrorCodes.NotAYearMonth, null, out value),
        FieldType.Duration => Fault(RowErrorCodes.NotADuration, null, out value),
        FieldType.GeoPoint => Fault(RowErrorCodes.NotAGeoPoint, _format switch { "array" => "[13.4, 52.5]", "object" => "{\"lon\": 13.4, \"lat\": 52.5}", _ => "13.4,52.5" }, out value),
        FieldType.GeoJson => Fault(RowErrorCodes.NotGeoJson, _format == "topojson" ? "TopoJSON" : "GeoJSON (RFC 7946)", out value),
        _ => Fault(RowErrorCodes.InvalidText, null, out value),
    };

    private string Form(string standard) => _format switch { "default" => standard, "any" => standard + " …", _ => _format };

    private FieldFault Parse(ReadOnlySpan<char> text, TextPool? pool, out FieldValue value)
    {
        switch (Type)
        {
            case FieldType.String: return ParseString(text, pool, out value);
            case FieldType.Number: return ParseNumber(text, out value);
            case FieldType.Integer: return ParseInteger(text, out value);
            case FieldType.Boolean:
                if (_true!.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text)) return TakeInteger(1, out value);
                if (_false!.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text)) return TakeInteger(0, out value);
                return WrongType(out value);
            case FieldType.Date: return ParseDate(text, out value);
            case FieldType.Time: return ParseTime(text, out value);
            case FieldType.DateTime: return ParseInstant(text, out value);
            case FieldType.Year:
                return text.Length == 4 && ClockText.Digits(text, out var year) && year > 0 ? TakeInteger(year, out value) : WrongType(out value);
            case FieldType.YearMonth:
                return text.Length == 7 && text[4] == '-' && ClockText.Digits(text[..4], out var y) && y > 0 && ClockText.Digits(text[5..], out var month) && month is >= 1 and <= 12
                    ? TakeInteger((y * 12L) + month - 1, out value)
                    : WrongType(out value);
            case FieldType.Duration:
                return DurationText.TryCanonical(text, out var duration) ? TakeText(duration, out value) : WrongType(out value);
            case FieldType.GeoPoint when _format == "default": return ParsePoint(text, out value);
            case FieldType.Any: return TakeText(pool?.Get(text) ?? text.ToString(), out value);
            default: return ParseJsonText(text, out value);
        }
    }

    private FieldFault ParseString(ReadOnlySpan<char> text, TextPool? pool, out FieldValue value)
    {
        switch (_format)
        {
            case "email" when !IsEmail(text): return Fault(RowErrorCodes.NotAnEmail, null, out value);
            case "uri" when text.Length > 8_000 || text.ContainsAny(' ', '\n', '\t') || !Uri.TryCreate(text.ToString(), UriKind.Absolute, out _): return Fault(RowErrorCodes.NotAUri, null, out value);
            case "binary" when !Base64.IsValid(text): return Fault(RowErrorCodes.NotBase64, null, out value);
            case "uuid" when !Guid.TryParseExact(text, "D", out _): return Fault(RowErrorCodes.NotAUuid, null, out value);
            default: return TakeText(pool?.Get(text) ?? text.ToString(), out value);
        }
    }

    /// <summary>Not the grammar of RFC 5321, but what is never an address: one @ with something on both sides, no white space.</summary>
    private static bool IsEmail(ReadOnlySpan<char> text)
    {
        var at = text.IndexOf('@');
        if (at is < 1 or > 64 || text.Length > 254 || text[(at + 1)..].Contains('@')) return false;
        foreach (var c in text)
            if (char.IsWhiteSpace(c) || char.IsControl(c)) return false;
        var domain = text[(at + 1)..];
        return domain.Length > 0 && domain[0] != '.' && domain[^1] != '.' && domain.IndexOf("..", StringComparison.Ordinal) < 0;
    }

    private FieldFault ParseNumber(ReadOnlySpan<char> text, out FieldValue value)
    {
        Span<char> plain = stackalloc char[64];
        if (text is "INF" or "-INF") return Fault(RowErrorCodes.NumberOutOfRange, NumberRange, out value);
        if (!TryPlain(text, ref plain) || !double.TryParse(plain, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number))
            return WrongType(out value);
        return Take(number, out value);
    }

    private FieldFault ParseInteger(ReadOnlySpan<char> text, out FieldValue value)
    {
        Span<char> plain = stackalloc char[64];
        if (!TryPlain(text, ref plain)) return WrongType(out value);
        if (long.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) && integer != Column.NullInteger) return TakeInteger(integer, out value);
        var digits = plain.Length > 0 && plain[0] is '-' or '+' ? plain[1..] : plain;
        return digits.Length > 0 && !digits.ContainsAnyExceptInRange('0', '9') ? Fault(RowErrorCodes.IntegerOutOfRange, null, out value) : WrongType(out value);
    }

    /// <summary>Brings a number into the form of JSON: without text around it, without group characters, with a point.</summary>
    /// <returns>False where it is longer than any number needs.</returns>
    private bool TryPlain(ReadOnlySpan<char> text, ref Span<char> plain)
    {
        if (!_spec.BareNumber)
        {
            var first = text.IndexOfAnyInRange('0', '9');
            var last = text.LastIndexOfAnyInRange('0', '9');
            if (first < 0) return false;
            if (first > 0 && text[first - 1] == _decimal) first--;
            if (first > 0 && text[first - 1] is '-' or '+') first--;
            text = text[first..(last + 1)];
        }

        if (text.Length > plain.Length) return false;
        var length = 0;
        foreach (var c in text)
        {
            if (c == _group) continue;
            // A point that is neither the decimal nor the group character is not part of a number here.
            if (c == '.' && _decimal != '.') return false;
            plain[length++] = c == _decimal ? '.' : c;
        }

        plain = plain[..length];
        return true;
    }

    private static FieldFault Take(double number, out FieldValue value)
    {
        var magnitude = Math.Abs(number);
        if (!(magnitude <= LargestNumber) || (magnitude < SmallestNumber && magnitude != 0)) return Fault(RowErrorCodes.NumberOutOfRange, NumberRange, out value);
        // Adding positive zero makes −0 to 0 and leaves everything else.
        value = new() { Number = number + 0.0 };
        return FieldFault.None;
    }

    private FieldFault ParseDate(ReadOnlySpan<char> text, out FieldValue value)
    {
        var read = _strptime is not null
            ? _strptime.TryRead(text, out var day, out _, out _)
            : _format == "any" ? ClockText.TryAnyDate(text, out day) : ClockText.TryDate(text, out day);
        return read ? TakeInteger(day, out value) : WrongType(out value);
    }

    private FieldFault ParseTime(ReadOnlySpan<char> text, out FieldValue value)
    {
        long ticks;
        bool read;
        if (_strptime is not null) read = _strptime.TryRead(text, out _, out ticks, out _);
        else if (_format == "any") read = ClockText.TryAnyTime(text, out ticks);
        else read = ClockText.TryTime(text, out ticks, out var used) && used == text.Length;
        return read ? TakeInteger(ticks, out value) : WrongType(out value);
    }

    private FieldFault ParseInstant(ReadOnlySpan<char> text, out FieldValue value)
    {
        long ticks, time;
        long? offset;
        bool read;
        if (_strptime is not null)
        {
            read = _strptime.TryRead(text, out ticks, out time, out offset);
            ticks = (ticks * TimeSpan.TicksPerDay) + time;
        }
        else
        {
            read = _format == "any" ? ClockText.TryAnyInstant(text, out ticks, out offset) : ClockText.TryInstant(text, out ticks, out offset);
        }

        if (!read) return WrongType(out value);
        if (offset is null)
        {
            if (_zone is null) return Fault(RowErrorCodes.NoOffset, "Z, +01:00", out value);
            var local = new DateTime(ticks, DateTimeKind.Unspecified);
            if (_zone.IsInvalidTime(local)) return Fault(RowErrorCodes.SkippedLocalTime, _spec.TimeZone, out value);
            if (_zone.IsAmbiguousTime(local)) return Fault(RowErrorCodes.AmbiguousLocalTime, _spec.TimeZone, out value);
            offset = _zone.GetUtcOffset(local).Ticks;
        }

        ticks -= offset.Value;
        return ticks >= 0 && ticks <= DateTime.MaxValue.Ticks ? TakeInteger(ticks, out value) : WrongType(out value);
    }

    private FieldFault ParsePoint(ReadOnlySpan<char> text, out FieldValue value)
    {
        var comma = text.IndexOf(',');
        return comma > 0
            && double.TryParse(text[..comma].Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var longitude)
            && double.TryParse(text[(comma + 1)..].Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var latitude)
            ? TakePoint(longitude, latitude, out value)
            : WrongType(out value);
    }

    private FieldFault TakePoint(double longitude, double latitude, out FieldValue value) =>
        Math.Abs(longitude) <= 180 && Math.Abs(latitude) <= 90
            ? TakeText(string.Create(CultureInfo.InvariantCulture, $"{longitude + 0.0:R},{latitude + 0.0:R}"), out value)
            : WrongType(out value);

    private FieldFault ParseJsonText(ReadOnlySpan<char> text, out FieldValue value)
    {
        try
        {
            using var document = JsonDocument.Parse(text.ToString(), new JsonDocumentOptions { MaxDepth = ContractLimits.JsonDepth });
            return ParseJson(document.RootElement, out value);
        }
        catch (JsonException)
        {
            return WrongType(out value);
        }
    }

    private FieldFault ParseJson(JsonElement element, out FieldValue value)
    {
        int length;
        switch (Type, element.ValueKind)
        {
            case (FieldType.Any, JsonValueKind.String):
                // System.Text.Json has checked the text when it was read.
                return TakeText(element.GetString()!, out value);
            case (FieldType.Object, JsonValueKind.Object):
                length = element.EnumerateObject().Count();
                break;
            case (FieldType.Array, JsonValueKind.Array):
                length = element.GetArrayLength();
                break;
            case (FieldType.GeoPoint, JsonValueKind.Array) when _format == "array" && element.GetArrayLength() == 2:
                return TryDouble(element[0], out var x) && TryDouble(element[1], out var y) ? TakePoint(x, y, out value) : WrongType(out value);
            case (FieldType.GeoPoint, JsonValueKind.Object) when _format == "object":
                return element.EnumerateObject().Count() == 2 && element.TryGetProperty("lon", out var lon) && TryDouble(lon, out x) && element.TryGetProperty("lat", out var lat) && TryDouble(lat, out y)
                    ? TakePoint(x, y, out value)
                    : WrongType(out value);
            case (FieldType.GeoJson, JsonValueKind.Object) when IsGeoJson(element):
            case (FieldType.Any, _):
                length = 0;
                break;
            default:
                return WrongType(out value);
        }

        if (length < _minLength) return Fault(RowErrorCodes.TooShort, Text(_minLength), out value);
        if (length > _maxLength) return Fault(RowErrorCodes.TooLong, Text(_maxLength), out value);
        return CanonicalJson.TryWrite(element, out var text) ? TakeText(text, out value) : Fault(RowErrorCodes.InvalidText, null, out value);
    }

    private static bool TryDouble(JsonElement element, out double number)
    {
        number = 0;
        return element.ValueKind switch
        {
            JsonValueKind.Number => element.TryGetDouble(out number),
            JsonValueKind.String => double.TryParse(element.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out number),
            _ => false,
        };
    }

    /// <summary>The type and the member that the type must have (RFC 7946 §3); coordinates are not looked into.</summary>
    private bool IsGeoJson(JsonElement element)
    {
        if (!element.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String) return false;
        var word = type.GetString()!;
        if (_format == "topojson") return word == "Topology" && element.TryGetProperty("arcs", out var arcs) && arcs.ValueKind == JsonValueKind.Array;
        if (!s_geometryTypes.Contains(word)) return false;
        return word switch
        {
            "Feature" => element.TryGetProperty("geometry", out var geometry) && geometry.ValueKind is JsonValueKind.Object or JsonValueKind.Null,
            "FeatureCollection" => element.TryGetProperty("features", out var features) && features.ValueKind == JsonValueKind.Array,
            "GeometryCollection" => element.TryGetProperty("geometries", out var geometries) && geometries.ValueKind == JsonValueKind.Array,
            _ => element.TryGetProperty("coordinates", out var coordinates) && coordinates.ValueKind == JsonValueKind.Array,
        };
    }

    private FieldFault Check(in FieldValue value)
    {
        switch (Kind)
        {
            case ColumnKind.Number:
                if (value.Number < _minNumber) return new(RowErrorCodes.BelowMinimum, _minExpected);
                if (value.Number > _maxNumber) return new(RowErrorCodes.AboveMaximum, _maxExpected);
                return _enumNumbers is null || _enumNumbers.Contains(value.Number) ? FieldFault.None : new(RowErrorCodes.NotInEnum, _enumExpected);
            case ColumnKind.Text:
                return CheckText(value.Text!);
            default:
                if (value.Integer < _minInteger) return new(RowErrorCodes.BelowMinimum, _minExpected);
                if (value.Integer > _maxInteger) return new(RowErrorCodes.AboveMaximum, _maxExpected);
                return _enumIntegers is null || _enumIntegers.Contains(value.Integer) ? FieldFault.None : new(RowErrorCodes.NotInEnum, _enumExpected);
        }
    }

    private FieldFault CheckText(string text)
    {
        if (Type == FieldType.String)
        {
            if (_minLength is { } least && text.Length < 2L * least && Length(text) < least) return new(RowErrorCodes.TooShort, Text(least));
            if (_maxLength is { } most && text.Length > most && Length(text) > most) return new(RowErrorCodes.TooLong, Text(most));
            try
            {
                if (_pattern is not null && !_pattern.IsMatch(text)) return new(RowErrorCodes.PatternMismatch, _spec.Constraints.Pattern);
            }
            catch (RegexMatchTimeoutException)
            {
                return new(RowErrorCodes.PatternTimeout, _spec.Constraints.Pattern);
            }
        }

        return _enumTexts is null || _enumTexts.Contains(text) ? FieldFault.None : new(RowErrorCodes.NotInEnum, _enumExpected);
    }

    /// <summary>Characters as people count them in a contract: code points, not UTF-16 units.</summary>
    private static int Length(string text)
    {
        var length = text.Length;
        foreach (var c in text)
            if (char.IsLowSurrogate(c)) length--;
        return length;
    }

    private static string Text(int? number) => number.GetValueOrDefault().ToString(CultureInfo.InvariantCulture);

    private static FieldFault TakeText(string text, out FieldValue value)
    {
        value = new() { Text = text };
        return FieldFault.None;
    }

    private static FieldFault TakeInteger(long integer, out FieldValue value)
    {
        value = new() { Integer = integer };
        return FieldFault.None;
    }

    private static FieldFault Fault(string code, string? expected, out FieldValue value)
    {
        value = default;
        return new(code, expected);
    }
}
