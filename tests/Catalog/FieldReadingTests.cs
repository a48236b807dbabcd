using System.Globalization;
using System.Text.Json;

using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Catalog;

public sealed class FieldReadingTests
{
    [Theory]
    [InlineData("default", "2026-02-28", "2026-02-28")]
    [InlineData("default", "2026-02-29", null)]
    [InlineData("default", "28.02.2026", null)]
    [InlineData("any", "8.2.2026", "2026-02-08")]
    [InlineData("any", "20260208", "2026-02-08")]
    [InlineData("any", "8. Februar 2026", "2026-02-08")]
    [InlineData("%d.%m.%Y", "08.02.2026", "2026-02-08")]
    [InlineData("%d.%m.%Y", "8.2.2026", "2026-02-08")]
    [InlineData("%d.%m.%Y", "08.02.26", null)]
    [InlineData("%d.%m.%Y", "31.02.2026", null)]
    [InlineData("%d.%m.%Y", "08.02.2026 ", null)]
    [InlineData("%d/%m/%y", "08/02/69", "1969-02-08")]
    [InlineData("%d/%m/%y", "08/02/68", "2068-02-08")]
    [InlineData("fmt:%Y%m%d", "20260208", "2026-02-08")]
    [InlineData("%Y-%j", "2024-366", "2024-12-31")]
    [InlineData("%Y-%j", "2025-366", null)]
    [InlineData("%a, %d %b %Y", "Mo, 08 Mär 2026", "2026-03-08")]
    [InlineData("%A %d %B %Y", "Sunday 08 March 2026", "2026-03-08")]
    [InlineData("%d%%%m%%%Y", "08%02%2026", "2026-02-08")]
    public void Dates(string format, string text, string? date)
    {
        var fault = Read(FieldType.Date, text, out var value, format);
        if (date is null) Assert.Equal(RowErrorCodes.NotADate, fault.Code);
        else Assert.Equal(date, DateOnly.FromDayNumber((int)value.Integer).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("default", "08:05:09", "08:05:09.0000000")]
    [InlineData("default", "08:05:09.1234567", "08:05:09.1234567")]
    [InlineData("default", "08:05:09.123456789", "08:05:09.1234567")]
    [InlineData("default", "08:05", "08:05:00.0000000")]
    [InlineData("default", "24:00:00", null)]
    [InlineData("default", "08:05:60", null)]
    [InlineData("default", "08:05:09.", null)]
    [InlineData("any", "8:05 PM", "20:05:00.0000000")]
    [InlineData("%H.%M", "8.05", "08:05:00.0000000")]
    [InlineData("%I:%M %p", "12:05 am", "00:05:00.0000000")]
    [InlineData("%I:%M %p", "13:05 am", null)]
    [InlineData("%H:%M:%S.%f", "08:05:09.25", "08:05:09.2500000")]
    public void Times(string format, string text, string? time)
    {
        var fault = Read(FieldType.Time, text, out var value, format);
        if (time is null) Assert.Equal(RowErrorCodes.NotATime, fault.Code);
        else Assert.Equal(time, new TimeOnly(value.Integer).ToString("HH:mm:ss.fffffff", CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("default", "2026-11-23T08:00:00Z", null, "2026-11-23T08:00:00.0000000")]
    [InlineData("default", "2026-11-23T08:00:00.5+01:00", null, "2026-11-23T07:00:00.5000000")]
    [InlineData("default", "2026-11-23 08:00+0130", null, "2026-11-23T06:30:00.0000000")]
    [InlineData("default", "2026-11-23T08:00:00-05", null, "2026-11-23T13:00:00.0000000")]
    [InlineData("default", "2026-11-23T08:00:00", null, RowErrorCodes.NoOffset)]
    [InlineData("default", "2026-11-23T08:00:00", "Europe/Berlin", "2026-11-23T07:00:00.0000000")]
    [InlineData("default", "2026-07-23T08:00:00", "Europe/Berlin", "2026-07-23T06:00:00.0000000")]
    [InlineData("default", "2026-03-29T02:30:00", "Europe/Berlin", RowErrorCodes.SkippedLocalTime)]
    [InlineData("default", "2026-03-29T03:00:00", "Europe/Berlin", "2026-03-29T01:00:00.0000000")]
    [InlineData("default", "2026-10-25T02:30:00", "Europe/Berlin", RowErrorCodes.AmbiguousLocalTime)]
    [InlineData("default", "2026-10-25T02:30:00+01:00", "Europe/Berlin", "2026-10-25T01:30:00.0000000")]
    [InlineData("default", "2026-11-23T08:00:00+15:00", null, RowErrorCodes.NotADateTime)]
    [InlineData("default", "0001-01-01T00:00:00+01:00", null, RowErrorCodes.NotADateTime)]
    [InlineData("default", "9999-12-31T23:59:59-01:00", null, RowErrorCodes.NotADateTime)]
    [InlineData("default", "23.11.2026 08:00", null, RowErrorCodes.NotADateTime)]
    [InlineData("any", "23.11.2026 08:00", "Europe/Berlin", "2026-11-23T07:00:00.0000000")]
    [InlineData("any", "Mon, 23 Nov 2026 08:00:00 GMT", null, "2026-11-23T08:00:00.0000000")]
    [InlineData("any", "20261123T080000Z", null, "2026-11-23T08:00:00.0000000")]
    [InlineData("%d.%m.%Y %H:%M", "23.11.2026 08:00", "Europe/Berlin", "2026-11-23T07:00:00.0000000")]
    [InlineData("%d.%m.%Y %H:%M", "23.11.2026 08:00", null, RowErrorCodes.NoOffset)]
    [InlineData("%Y-%m-%dT%H:%M:%S%z", "2026-11-23T08:00:00+01:00", null, "2026-11-23T07:00:00.0000000")]
    [InlineData("%d.%m.%Y %H:%M %Z", "23.11.2026 08:00 UTC", null, "2026-11-23T08:00:00.0000000")]
    public void Instants(string format, string text, string? zone, string expected)
    {
        var fault = Read(FieldType.DateTime, text, out var value, format, zone);
        Assert.Equal(expected, fault.Code ?? new DateTime(value.Integer).ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("23.4", "23.4")]
    [InlineData("-0", "0")]
    [InlineData("+1e3", "1000")]
    [InlineData("1e150", "1E+150")]
    [InlineData("1e-140", "1E-140")]
    [InlineData("1.0000001e150", RowErrorCodes.NumberOutOfRange)]
    [InlineData("9.9e-141", RowErrorCodes.NumberOutOfRange)]
    [InlineData("-1e300", RowErrorCodes.NumberOutOfRange)]
    [InlineData("1e400", RowErrorCodes.NumberOutOfRange)]
    [InlineData("NaN", RowErrorCodes.NumberOutOfRange)]
    [InlineData("INF", RowErrorCodes.NumberOutOfRange)]
    [InlineData("-INF", RowErrorCodes.NumberOutOfRange)]
    [InlineData("1,5", RowErrorCodes.NotANumber)]
    [InlineData(" 1", RowErrorCodes.NotANumber)]
    [InlineData("", RowErrorCodes.NotANumber)]
    [InlineData("0x10", RowErrorCodes.NotANumber)]
    public void Numbers(string text, string expected)
    {
        var fault = Read(FieldType.Number, text, out var value);
        Assert.Equal(expected, fault.Code ?? value.Number.ToString("R", CultureInfo.InvariantCulture));
        if (fault.IsNone) Assert.False(double.IsNegative(value.Number) && value.Number == 0, "−0 is 0");
    }

    [Theory]
    [InlineData("1.234,5", "1234.5")]
    [InlineData("1234,5 €", "1234.5")]
    [InlineData("ca. -3,5 %", "-3.5")]
    [InlineData("Preis: ,5", "0.5")]
    [InlineData("keine", RowErrorCodes.NotANumber)]
    [InlineData("1,2,3", RowErrorCodes.NotANumber)]
    public void Numbers_as_people_write_them(string text, string expected)
    {
        var field = Compile(Contracts.Field("x", FieldType.Number) with { DecimalChar = ",", GroupChar = ".", BareNumber = false });
        var fault = field.Read(text, null, out var value);
        Assert.Equal(expected, fault.Code ?? value.Number.ToString("R", CultureInfo.InvariantCulture));
    }

    [Fact]
    public void A_point_is_no_decimal_where_the_contract_has_a_comma()
    {
        var field = Compile(Contracts.Field("x", FieldType.Number) with { DecimalChar = "," });
        Assert.Equal(RowErrorCodes.NotANumber, field.Read("1.5", null, out _).Code);
        // JSON's own numbers have a point all the same.
        Assert.True(field.ReadNumber("1.5", out var value).IsNone);
        Assert.Equal(1.5, value.Number);
    }

    [Theory]
    [InlineData("42", "42")]
    [InlineData("-9223372036854775807", "-9223372036854775807")]
    // The least integer stands for null.
    [InlineData("-9223372036854775808", RowErrorCodes.IntegerOutOfRange)]
    [InlineData("9223372036854775808", RowErrorCodes.IntegerOutOfRange)]
    [InlineData("5.0", RowErrorCodes.NotAnInteger)]
    [InlineData("", RowErrorCodes.NotAnInteger)]
    public void Integers(string text, string expected)
    {
        var fault = Read(FieldType.Integer, text, out var value);
        Assert.Equal(expected, fault.Code ?? value.Integer.ToString(CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(FieldType.Year, "default", "2026", "2026")]
    [InlineData(FieldType.Year, "default", "0000", RowErrorCodes.NotAYear)]
    [InlineData(FieldType.Year, "default", "26", RowErrorCodes.NotAYear)]
    [InlineData(FieldType.YearMonth, "default", "2026-03", "24314")]
    [InlineData(FieldType.YearMonth, "default", "2026-13", RowErrorCodes.NotAYearMonth)]
    [InlineData(FieldType.Boolean, "default", "TRUE", "1")]
    [InlineData(FieldType.Boolean, "default", "0", "0")]
    [InlineData(FieldType.Boolean, "default", "ja", RowErrorCodes.NotABoolean)]
    public void Small_things(FieldType type, string format, string text, string expected)
    {
        var fault = Read(type, text, out var value, format);
        Assert.Equal(expected, fault.Code ?? value.Integer.ToString(CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(FieldType.Duration, "default", "P01Y00M4DT12H30M05.50S", "P1Y4DT12H30M5.5S")]
    [InlineData(FieldType.Duration, "default", "PT0.0S", "PT0S")]
    [InlineData(FieldType.Duration, "default", "-P2W", "-P2W")]
    [InlineData(FieldType.Duration, "default", "P1M", "P1M")]
    [InlineData(FieldType.Duration, "default", "PT1M", "PT1M")]
    [InlineData(FieldType.Duration, "default", "P1DT", RowErrorCodes.NotADuration)]
    [InlineData(FieldType.Duration, "default", "P1D1Y", RowErrorCodes.NotADuration)]
    [InlineData(FieldType.Duration, "default", "P1Y1Y", RowErrorCodes.NotADuration)]
    [InlineData(FieldType.Duration, "default", "PT1.5H", RowErrorCodes.NotADuration)]
    [InlineData(FieldType.Duration, "default", "P", RowErrorCodes.NotADuration)]
    [InlineData(FieldType.GeoPoint, "default", "13.40, 52.5", "13.4,52.5")]
    [InlineData(FieldType.GeoPoint, "default", "52.5", RowErrorCodes.NotAGeoPoint)]
    [InlineData(FieldType.GeoPoint, "default", "181,52", RowErrorCodes.NotAGeoPoint)]
    [InlineData(FieldType.GeoPoint, "array", "[13.4, \"52.5\"]", "13.4,52.5")]
    [InlineData(FieldType.GeoPoint, "array", "[13.4]", RowErrorCodes.NotAGeoPoint)]
    [InlineData(FieldType.GeoPoint, "object", "{\"lat\": 52.5, \"lon\": 13.4}", "13.4,52.5")]
    [InlineData(FieldType.GeoPoint, "object", "{\"lat\": 52.5}", RowErrorCodes.NotAGeoPoint)]
    [InlineData(FieldType.Object, "default", "{\"b\": 1.0, \"a\": [true, null, \"ü\"]}", "{\"a\":[true,null,\"ü\"],\"b\":1}")]
    [InlineData(FieldType.Object, "default", "{\"a\": 1, \"a\": 2}", RowErrorCodes.InvalidText)]
    [InlineData(FieldType.Object, "default", "[]", RowErrorCodes.NotAnObject)]
    [InlineData(FieldType.Object, "default", "{", RowErrorCodes.NotAnObject)]
    [InlineData(FieldType.Array, "default", "[1e0, -0, 0.5]", "[1,0,0.5]")]
    [InlineData(FieldType.Array, "default", "{}", RowErrorCodes.NotAnArray)]
    [InlineData(FieldType.GeoJson, "default", "{\"type\":\"Point\",\"coordinates\":[1,2]}", "{\"coordinates\":[1,2],\"type\":\"Point\"}")]
    [InlineData(FieldType.GeoJson, "default", "{\"type\":\"Point\"}", RowErrorCodes.NotGeoJson)]
    [InlineData(FieldType.GeoJson, "topojson", "{\"type\":\"Topology\",\"arcs\":[]}", "{\"arcs\":[],\"type\":\"Topology\"}")]
    [InlineData(FieldType.GeoJson, "topojson", "{\"type\":\"Point\",\"coordinates\":[1,2]}", RowErrorCodes.NotGeoJson)]
    [InlineData(FieldType.Any, "default", "whatever", "whatever")]
    [InlineData(FieldType.String, "email", "amt@example.org", "amt@example.org")]
    [InlineData(FieldType.String, "email", "amt@@example.org", RowErrorCodes.NotAnEmail)]
    [InlineData(FieldType.String, "email", "amt", RowErrorCodes.NotAnEmail)]
    [InlineData(FieldType.String, "uri", "https://example.org/a?b#c", "https://example.org/a?b#c")]
    [InlineData(FieldType.String, "uri", "example.org", RowErrorCodes.NotAUri)]
    [InlineData(FieldType.String, "binary", "AQID", "AQID")]
    [InlineData(FieldType.String, "binary", "AQI", RowErrorCodes.NotBase64)]
    [InlineData(FieldType.String, "uuid", "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff")]
    [InlineData(FieldType.String, "uuid", "{00112233-4455-6677-8899-aabbccddeeff}", RowErrorCodes.NotAUuid)]
    public void Texts(FieldType type, string format, string text, string expected)
    {
        var fault = Read(type, text, out var value, format);
        Assert.Equal(expected, fault.Code ?? value.Text);
    }

    [Theory]
    [InlineData(FieldType.String, "ab", null)]
    [InlineData(FieldType.String, "a", RowErrorCodes.TooShort)]
    [InlineData(FieldType.String, "abcd", RowErrorCodes.TooLong)]
    // Three characters to people, six units to the machine.
    [InlineData(FieldType.String, "😀😀😀", null)]
    [InlineData(FieldType.String, "😀", RowErrorCodes.TooShort)]
    [InlineData(FieldType.Array, "[1,2,3,4]", RowErrorCodes.TooLong)]
    [InlineData(FieldType.Object, "{\"a\":1}", RowErrorCodes.TooShort)]
    public void Lengths(FieldType type, string text, string? code) =>
        Assert.Equal(code, Compile(Contracts.Field("x", type, constraints: new(MinLength: 2, MaxLength: 3))).Read(text, null, out _).Code);

    [Theory]
    [InlineData(FieldType.Number, "0.5", "1.5", "0.5", null)]
    [InlineData(FieldType.Number, "0.5", "1.5", "0.49", RowErrorCodes.BelowMinimum)]
    [InlineData(FieldType.Number, "0.5", "1.5", "1.51", RowErrorCodes.AboveMaximum)]
    [InlineData(FieldType.Integer, "1", "3", "4", RowErrorCodes.AboveMaximum)]
    [InlineData(FieldType.Date, "2026-01-01", "2026-12-31", "2025-12-31", RowErrorCodes.BelowMinimum)]
    [InlineData(FieldType.DateTime, "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", "2026-01-01T00:00:00+01:00", RowErrorCodes.BelowMinimum)]
    [InlineData(FieldType.Time, "08:00:00", "18:00:00", "18:00:01", RowErrorCodes.AboveMaximum)]
    [InlineData(FieldType.Year, "2000", "2026", "2027", RowErrorCodes.AboveMaximum)]
    [InlineData(FieldType.YearMonth, "2026-01", "2026-06", "2025-12", RowErrorCodes.BelowMinimum)]
    public void Bounds(FieldType type, string minimum, string maximum, string text, string? code) =>
        Assert.Equal(code, Compile(Contracts.Field("x", type, constraints: new(Minimum: minimum, Maximum: maximum))).Read(text, null, out _).Code);

    [Theory]
    [InlineData(FieldType.String, new[] { "a", "b" }, "a", null)]
    [InlineData(FieldType.String, new[] { "a", "b" }, "A", RowErrorCodes.NotInEnum)]
    [InlineData(FieldType.Number, new[] { "1.0", "2" }, "1", null)]
    [InlineData(FieldType.Number, new[] { "1.0", "2" }, "3", RowErrorCodes.NotInEnum)]
    [InlineData(FieldType.Boolean, new[] { "true" }, "0", RowErrorCodes.NotInEnum)]
    [InlineData(FieldType.Date, new[] { "2026-01-01" }, "2026-01-01", null)]
    [InlineData(FieldType.Array, new[] { "[1, 2]" }, "[1,2]", null)]
    public void Enums(FieldType type, string[] allowed, string text, string? code) =>
        Assert.Equal(code, Compile(Contracts.Field("x", type, constraints: new(Enum: allowed))).Read(text, null, out _).Code);

    [Theory]
    [InlineData("[A-Z]{2}[0-9]+", "AB12", null)]
    [InlineData("[A-Z]{2}[0-9]+", "xAB12", RowErrorCodes.PatternMismatch)]
    [InlineData("a|b", "ab", RowErrorCodes.PatternMismatch)]
    [InlineData("(?!x).*", "y", null)]
    [InlineData("(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", RowErrorCodes.PatternMismatch)]
    [InlineData("(?=a)(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", RowErrorCodes.PatternTimeout)]
    public void Patterns(string pattern, string text, string? code) =>
        Assert.Equal(code, Compile(Contracts.Field("x", FieldType.String, constraints: new(Pattern: pattern))).Read(text, null, out _).Code);

    [Fact]
    public void Longitude_and_latitude_lie_on_the_globe_whatever_the_contract_says()
    {
        var contract = Contracts.AirQuality;
        Assert.Equal(RowErrorCodes.AboveMaximum, contract.Fields[contract.LongitudeField].Read("180.1", null, out _).Code);
        Assert.Equal(RowErrorCodes.BelowMinimum, contract.Fields[contract.LatitudeField].Read("-90.1", null, out _).Code);
    }

    [Fact]
    public void Texts_of_keys_are_bounded_without_a_constraint()
    {
        var field = Compile(Contracts.Field("x", FieldType.String), isKey: true);
        Assert.Null(field.Read(new string('x', ContractLimits.KeyTextLength), null, out _).Code);
        Assert.Equal(RowErrorCodes.TooLong, field.Read(new string('x', ContractLimits.KeyTextLength + 1), null, out _).Code);
    }

    [Fact]
    public void Json_values_are_read_by_the_fields_type()
    {
        Assert.Equal(RowErrorCodes.NotAString, Compile(Contracts.Field("x", FieldType.String)).ReadNumber("1", out _).Code);
        Assert.Equal(RowErrorCodes.NotAString, Compile(Contracts.Field("x", FieldType.String)).ReadBoolean(true, out _).Code);
        Assert.Equal(RowErrorCodes.NotANumber, Compile(Contracts.Field("x", FieldType.Number)).ReadBoolean(true, out _).Code);
        Assert.Equal(RowErrorCodes.NotADate, Compile(Contracts.Field("x", FieldType.Date)).ReadNumber("1", out _).Code);
        Assert.True(Compile(Contracts.Field("x", FieldType.Year)).ReadNumber("2026", out var year).IsNone);
        Assert.Equal(2026, year.Integer);
        Assert.True(Compile(Contracts.Field("x", FieldType.Boolean)).ReadNumber("1", out var boolean).IsNone);
        Assert.Equal(1, boolean.Integer);
        Assert.True(Compile(Contracts.Field("x", FieldType.Any)).ReadNumber("1.0", out var any).IsNone);
        Assert.Equal("1", any.Text);
        using var document = JsonDocument.Parse("\"\\ud800\"");
        Assert.False(CanonicalJson.TryWrite(document.RootElement, out _));
    }

    private static FieldFault Read(FieldType type, string text, out FieldValue value, string? format = null, string? zone = null) =>
        Compile(Contracts.Field("x", type, format: format, timeZone: zone)).Read(text, null, out value);

    private static CompiledField Compile(FieldSpec spec, bool isKey = false)
    {
        var problems = new List<ContractProblem>();
        var field = CompiledField.Compile(spec, 0, isKey, isKey, problems);
        Assert.Empty(problems);
        return field;
    }
}
