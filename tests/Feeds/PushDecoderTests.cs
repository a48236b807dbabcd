using System.Globalization;
using System.Text;
using System.Text.Json;

using CsCheck;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.Contracts;

namespace DataHub.Feeds;

public sealed class PushDecoderTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A square around Berlin with the id 11, in a system that also knows 12.</summary>
    private sealed class TwoAreas : IRowAreas
    {
        public string System => "two";

        public int Count => 2;

        public string Id(int number) => number == 0 ? "11" : "12";

        public int Find(string id) => id switch { "11" => 0, "12" => 1, _ => -1 };

        public int Locate(double longitude, double latitude) => longitude is > 13 and < 14 && latitude is > 52 and < 53 ? 0 : -1;
    }

    private static readonly CompiledContract s_everything = Records(
        ["id"],
        Field("id", FieldType.Integer),
        Field("text", FieldType.String, constraints: new(MinLength: 2, MaxLength: 5, Pattern: "[a-zü-]*")),
        Field("slow", FieldType.String, constraints: new(Pattern: "(?=a)(a+)+b")),
        Field("kind", FieldType.String, FieldRole.Dimension, new(Enum: ["bin", "lamp"])),
        Field("name", FieldType.String, FieldRole.Personal, new(MaxLength: 10)),
        Field("mail", FieldType.String, format: "email"),
        Field("link", FieldType.String, format: "uri"),
        Field("binary", FieldType.String, format: "binary"),
        Field("uuid", FieldType.String, format: "uuid", constraints: new(Unique: true)),
        Field("number", FieldType.Number, FieldRole.Measure, new(Minimum: "0", Maximum: "2000")),
        Field("count", FieldType.Integer),
        Field("yes", FieldType.Boolean),
        Field("object", FieldType.Object),
        Field("array", FieldType.Array),
        Field("date", FieldType.Date),
        Field("clock", FieldType.Time),
        Field("opened", FieldType.DateTime, FieldRole.Opened),
        Field("local", FieldType.DateTime, timeZone: "Europe/Berlin"),
        Field("year", FieldType.Year),
        Field("month", FieldType.YearMonth),
        Field("duration", FieldType.Duration),
        Field("point", FieldType.GeoPoint),
        Field("shape", FieldType.GeoJson),
        Field("must", FieldType.Boolean, constraints: new(Required: true)),
        Field("area", FieldType.String, FieldRole.Area),
        Field("lon", FieldType.Number, FieldRole.Longitude),
        Field("lat", FieldType.Number, FieldRole.Latitude),
        Field("closed", FieldType.DateTime, FieldRole.Closed));

    public static TheoryData<string, string?, string> Faults => new()
    {
        { RowErrorCodes.MalformedRow, null, "17" },
        { RowErrorCodes.RowTooLarge, null, $"{{\"id\":1,\"must\":true,\"text\":null{new string(' ', 5_000)}}}" },
        { RowErrorCodes.UnknownField, "nobody", """{"id":1,"must":true,"nobody":{"a":[1]}}""" },
        { RowErrorCodes.DuplicateField, "count", """{"id":1,"must":true,"count":1,"count":{"a":2}}""" },
        { RowErrorCodes.InvalidDelete, "@delete", """{"id":1,"must":true,"@delete":"yes"}""" },
        { RowErrorCodes.InvalidText, "text", """{"id":1,"must":true,"text":"\ud800"}""" },
        { RowErrorCodes.NotAString, "text", """{"id":1,"must":true,"text":1}""" },
        { RowErrorCodes.NotAnEmail, "mail", """{"id":1,"must":true,"mail":"nobody"}""" },
        { RowErrorCodes.NotAUri, "link", """{"id":1,"must":true,"link":"no where"}""" },
        { RowErrorCodes.NotBase64, "binary", """{"id":1,"must":true,"binary":"?"}""" },
        { RowErrorCodes.NotAUuid, "uuid", """{"id":1,"must":true,"uuid":"1"}""" },
        { RowErrorCodes.NotANumber, "number", """{"id":1,"must":true,"number":"viel"}""" },
        { RowErrorCodes.NumberOutOfRange, "number", """{"id":1,"must":true,"number":1e400}""" },
        { RowErrorCodes.NotAnInteger, "count", """{"id":1,"must":true,"count":1.5}""" },
        { RowErrorCodes.IntegerOutOfRange, "count", """{"id":1,"must":true,"count":99999999999999999999}""" },
        { RowErrorCodes.NotABoolean, "yes", """{"id":1,"must":true,"yes":"vielleicht"}""" },
        { RowErrorCodes.NotAnObject, "object", """{"id":1,"must":true,"object":[1]}""" },
        { RowErrorCodes.NotAnArray, "array", """{"id":1,"must":true,"array":{"a":1}}""" },
        { RowErrorCodes.NotADate, "date", """{"id":1,"must":true,"date":"2026-02-29"}""" },
        { RowErrorCodes.NotATime, "clock", """{"id":1,"must":true,"clock":"25:00:00"}""" },
        { RowErrorCodes.NotADateTime, "opened", """{"id":1,"must":true,"opened":"gestern"}""" },
        { RowErrorCodes.NotAYear, "year", """{"id":1,"must":true,"year":20260}""" },
        { RowErrorCodes.NotAYearMonth, "month", """{"id":1,"must":true,"month":"2026-00"}""" },
        { RowErrorCodes.NotADuration, "duration", """{"id":1,"must":true,"duration":"lange"}""" },
        { RowErrorCodes.NotAGeoPoint, "point", """{"id":1,"must":true,"point":"181,0"}""" },
        { RowErrorCodes.NotGeoJson, "shape", """{"id":1,"must":true,"shape":{"type":"Kreis"}}""" },
        { RowErrorCodes.NoOffset, "opened", """{"id":1,"must":true,"opened":"2026-11-23T08:00:00"}""" },
        { RowErrorCodes.SkippedLocalTime, "local", """{"id":1,"must":true,"local":"2026-03-29T02:30:00"}""" },
        { RowErrorCodes.AmbiguousLocalTime, "local", """{"id":1,"must":true,"local":"2026-10-25T02:30:00"}""" },
        { RowErrorCodes.TooFarInTheFuture, "opened", """{"id":1,"must":true,"opened":"2026-11-24T12:00:01Z"}""" },
        { RowErrorCodes.ClosedBeforeOpened, "closed", """{"id":1,"must":true,"opened":"2026-11-23T08:00:00Z","closed":"2026-11-23T07:59:59Z"}""" },
        { RowErrorCodes.Required, "must", """{"id":1,"must":null}""" },
        { RowErrorCodes.NotUnique, "uuid", """{"id":2,"must":true,"uuid":"00112233-4455-6677-8899-aabbccddeeff"}""" },
        { RowErrorCodes.TooShort, "text", """{"id":1,"must":true,"text":"a"}""" },
        { RowErrorCodes.TooLong, "text", """{"id":1,"must":true,"text":"abcdef"}""" },
        { RowErrorCodes.BelowMinimum, "number", """{"id":1,"must":true,"number":-1}""" },
        { RowErrorCodes.AboveMaximum, "number", """{"id":1,"must":true,"number":9999}""" },
        { RowErrorCodes.PatternMismatch, "text", """{"id":1,"must":true,"text":"ABC"}""" },
        { RowErrorCodes.PatternTimeout, "slow", $$"""{"id":1,"must":true,"slow":"{{new string('a', 60)}}"}""" },
        { RowErrorCodes.NotInEnum, "kind", """{"id":1,"must":true,"kind":"tree"}""" },
        { RowErrorCodes.UnknownArea, "area", """{"id":1,"must":true,"area":"99"}""" },
        { RowErrorCodes.OutsideAllAreas, "lon", """{"id":1,"must":true,"lon":9,"lat":52.5}""" },
        { RowErrorCodes.IncompletePoint, "lat", """{"id":1,"must":true,"lon":13.4}""" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_row_that_does_not_pass_is_quarantined_with_its_reason_and_kept_as_it_came(string code, string? field, string row)
    {
        const string Good = """{"id":7,"must":true,"uuid":"00112233-4455-6677-8899-aabbccddeeff","lon":13.4,"lat":52.5}""";
        var push = Decode(PushFormat.Json, $"[{Good},{row},{Good}]", s_everything, new TwoAreas(), new() { MaxRowBytes = 4_096 });

        Assert.Equal(3, push.Received);
        Assert.Equal(2, push.Rows.Count);
        Assert.Equal([1, 3], push.Rows.Numbers!);
        Assert.Equal("11", push.Rows.AreaId(1));
        var quarantined = Assert.Single(push.Quarantined);
        var error = Assert.Single(quarantined.Errors);
        Assert.Equal((2, field, code), (error.Row, error.Field, error.Code));
        if (code != RowErrorCodes.RowTooLarge) Assert.Equal(row, quarantined.Raw);
        else Assert.True(quarantined.Raw.Length < 1_100);
        Assert.Contains(code, RowErrorCodes.All);
    }

    [Fact]
    public void Every_code_is_tried_and_has_a_sentence_in_both_languages()
    {
        // What this format or one row cannot show: those have tests of their own.
        string[] others = [RowErrorCodes.OlderThanRetention, RowErrorCodes.OtherPartition, RowErrorCodes.AmbiguousNumber, RowErrorCodes.TooManyFields, RowErrorCodes.TooDeep, RowErrorCodes.NotJson, RowErrorCodes.WrongCellCount, RowErrorCodes.BrokenQuotes];
        Assert.Equal(RowErrorCodes.All, Faults.Select(f => (string)f[0]).Concat(others).Order(StringComparer.Ordinal));
        Assert.Equal(RowErrorCodes.All, typeof(RowErrorCodes).GetFields().Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!).Order(StringComparer.Ordinal));
        foreach (var code in RowErrorCodes.All)
        {
            var text = RowErrorCodes.Detail(new(1, "x", code, "EXPECTED", null));
            Assert.NotEqual(code, text.De);
            Assert.NotEqual(text.De, text.En);
            Assert.Equal(text.De.Contains("EXPECTED", StringComparison.Ordinal), text.En!.Contains("EXPECTED", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void An_error_says_what_was_expected_and_what_stood_there()
    {
        var push = Decode(PushFormat.Json, """[{"id":1,"must":true,"number":9999}]""", s_everything);
        var error = push.Quarantined[0].Errors[0];
        Assert.Equal(new RowError(1, "number", RowErrorCodes.AboveMaximum, "2000", "9999"), error);
        Assert.Equal("2000 is the maximum", RowErrorCodes.Detail(error).En);
        Assert.Equal("2000 ist das Maximum", RowErrorCodes.Detail(error).De);
    }

    [Fact]
    public void Values_in_errors_are_shortened_and_those_of_personal_fields_masked()
    {
        var push = Decode(PushFormat.Json, $$"""[{"id":1,"must":true,"name":"Erika Mustermann","text":"{{new string('a', 500)}}"}]""", s_everything);
        var errors = push.Quarantined[0].Errors;
        Assert.Equal("•••", errors[0].Value);
        Assert.Equal(100, errors[1].Value!.Length);
        Assert.EndsWith("…", errors[1].Value, StringComparison.Ordinal);
    }

    [Fact]
    public void All_errors_of_a_row_are_told_up_to_a_limit()
    {
        var push = Decode(PushFormat.Json, """[{"id":1,"number":-1,"count":"x","year":"y"}]""", s_everything);
        Assert.Equal([RowErrorCodes.BelowMinimum, RowErrorCodes.NotAnInteger, RowErrorCodes.NotAYear, RowErrorCodes.Required], push.Quarantined[0].Errors.Select(e => e.Code));
        push = Decode(PushFormat.Json, """[{"id":1,"number":-1,"count":"x","year":"y"}]""", s_everything, null, new() { MaxErrorsPerRow = 2 });
        Assert.Equal(2, push.Quarantined[0].Errors.Length);
    }

    [Theory]
    [InlineData(PushFormat.Json, """{"id":1,"must":null,"number":"viel","@delete":true}""")]
    [InlineData(PushFormat.Json, """[{"@delete":true,"id":1}]""")]
    [InlineData(PushFormat.NdJson, """{"@delete":true,"id":1,"opened":"2999-01-01T00:00:00Z"}""")]
    [InlineData(PushFormat.Csv, "@delete,id,number\ntrue,1,viel\n")]
    public void Of_a_retraction_only_the_key_counts(PushFormat format, string body)
    {
        var push = Decode(format, body, s_everything, new TwoAreas());
        Assert.Empty(push.Quarantined);
        Assert.True(push.Rows.IsDelete(0));
        Assert.Equal(1, push.Rows.Columns[0].Integers![0]);
        Assert.All(push.Rows.Columns.Skip(1), c => Assert.True(c.IsNull(0)));
        Assert.Null(push.Rows.AreaId(0));
    }

    [Fact]
    public void A_retraction_without_its_key_is_quarantined()
    {
        var push = Decode(PushFormat.Json, """{"@delete":true}""", s_everything);
        Assert.Equal(("id", RowErrorCodes.Required), (push.Quarantined[0].Errors[0].Field, push.Quarantined[0].Errors[0].Code));
    }

    [Fact]
    public void The_same_value_under_the_same_key_is_a_correction_not_a_clash()
    {
        const string Row = """{"id":1,"must":true,"uuid":"00112233-4455-6677-8899-aabbccddeeff"}""";
        Assert.Equal(2, Decode(PushFormat.Json, $"[{Row},{Row}]", s_everything).Rows.Count);
    }

    [Fact]
    public void An_area_named_goes_before_the_point_and_neither_is_no_area()
    {
        var push = Decode(PushFormat.Csv, "id,must,area,lon,lat\n1,1,12,13.4,52.5\n2,1,,13.4,52.5\n3,1,,,\n", s_everything, new TwoAreas());
        Assert.Equal(["12", "11", null], Enumerable.Range(0, 3).Select(push.Rows.AreaId));
        Assert.Null(Decode(PushFormat.Csv, "id,must,area\n1,1,99\n", s_everything).Rows.AreaOf);
    }

    public static TheoryData<PushFormat, string, string, string> Unreadable => new()
    {
        { PushFormat.Json, "", "invalid-json", "Byte 0" },
        { PushFormat.Json, "[{\"id\":1},\n{\"id\":", "invalid-json", "Zeile 2" },
        { PushFormat.Json, "[{\"id\":1}] x", "invalid-json", "Byte 11" },
        { PushFormat.Json, "17", "invalid-json", "JSON-Array" },
        { PushFormat.Json, $"[{new string('[', 40)}{new string(']', 40)}]", "too-deep", "32" },
        { PushFormat.Csv, "", "invalid-csv", "Feldnamen" },
        { PushFormat.Csv, "id,id\n", "invalid-csv", "zweimal" },
        { PushFormat.Csv, "id,\n1,2\n", "invalid-csv", "Spalte 2" },
        { PushFormat.Csv, "\"id\n", "invalid-csv", "ab Byte 1 " },
        { PushFormat.Json, "[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4}]", "too-many-rows", "3 Zeilen" },
        { PushFormat.NdJson, "{}\n{}\n\n{}\n{}", "too-many-rows", "3 Zeilen" },
        { PushFormat.Csv, "id\n1\n2\n3\n4\n", "too-many-rows", "3 Zeilen" },
    };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public void A_body_that_is_not_what_it_says_is_refused_with_the_place(PushFormat format, string body, string type, string place)
    {
        var refusal = PushDecoder.Decode(format, Encoding.UTF8.GetBytes(body), s_everything, null, new() { MaxRows = 3 }, s_now).Refusal;
        Assert.NotNull(refusal);
        Assert.Equal(type, refusal.Type.Word);
        Assert.Contains(place, refusal.Detail.De, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused_with_their_place()
    {
        var refusal = PushText.Prepare(PushFormat.NdJson, new byte[] { (byte)'i', (byte)'d', (byte)'\n', 0xC3, 0x28 }, null, null).Refusal;
        Assert.Equal("invalid-body", refusal!.Type.Word);
        Assert.Contains("3", refusal.Detail.De, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_line_of_ndjson_costs_only_itself()
    {
        var push = Decode(PushFormat.NdJson, "{\"id\":1,\"must\":true}\r\n{\"id\":2,\n\n[1]\n{\"id\":4,\"must\":true} 5\n{\"id\":5,\"must\":true}", s_everything);
        Assert.Equal(5, push.Received);
        Assert.Equal([1, 5], Enumerable.Range(0, 2).Select(push.Rows.Number));
        Assert.Equal([RowErrorCodes.NotJson, RowErrorCodes.MalformedRow, RowErrorCodes.NotJson], push.Quarantined.SelectMany(q => q.Errors).Select(e => e.Code));
        Assert.Equal("Die Zeile ist ab ihrem Byte 22 kein lesbares JSON", RowErrorCodes.Detail(push.Quarantined[2].Errors[0]).De);
        Assert.Equal("\"{\\\"id\\\":2,\"", push.Quarantined[0].Raw.Replace("\\u0022", "\\\"", StringComparison.Ordinal));
        Assert.Equal("[1]", push.Quarantined[1].Raw);
    }

    [Fact]
    public void A_broken_record_of_csv_costs_only_its_line()
    {
        var push = Decode(PushFormat.Csv, "\uFEFFid,must,name\r\n1,1,\"a\"\"b\r\n,c\"\r\n\r\n2,1,\"x\"y\r\n3,1\r\n4,1,\"never closed\r\n5,1,z\r\n6,x,\"q\"", s_everything);
        Assert.Equal(6, push.Received);
        Assert.Equal(["a\"b\r\n,c", "z"], push.Rows.Columns[4].Texts!.AsEnumerable());
        Assert.Equal([2, 3, 4, 6], push.Quarantined.Select(q => q.Row));
        Assert.Equal([("broken-quotes", "5"), ("wrong-cell-count", "3"), ("broken-quotes", "5"), ("not-a-boolean", null)], push.Quarantined.Select(q => (q.Errors[0].Code, q.Errors[0].Code == "not-a-boolean" ? null : q.Errors[0].Expected)));
        Assert.Equal(["\"2,1,\\\"x\\\"y\"", "\"3,1\"", "\"4,1,\\\"never closed\"", """{"id":"6","must":"x","name":"q"}"""],
            push.Quarantined.Select(q => q.Raw.Replace("\\u0022", "\\\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Missing_values_are_null_in_csv_only()
    {
        var contract = CompiledContract.Compile(Schema(["id"], Field("id", FieldType.Integer), Field("t", FieldType.String)) with { MissingValues = ["", "k. A."] }, DatasetKind.Records);
        var csv = Decode(PushFormat.Csv, "id,t\n1,\n2,k. A.\n3,x\n", contract);
        Assert.Equal([null, null, "x"], csv.Rows.Columns[1].Texts!.AsEnumerable());
        var none = CompiledContract.Compile(contract.Schema with { MissingValues = [] }, DatasetKind.Records);
        Assert.Equal(["", "k. A."], Decode(PushFormat.Csv, "id,t\n1,\n2,k. A.\n", none).Rows.Columns[1].Texts!.AsEnumerable());
        var json = Decode(PushFormat.Json, """[{"id":1,"t":""},{"id":2,"t":"k. A."}]""", contract);
        Assert.Equal(["", "k. A."], json.Rows.Columns[1].Texts!.AsEnumerable());
    }

    [Fact]
    public void Many_more_rows_than_a_body_looks_like_are_read_with_all_that_belongs_to_them()
    {
        var push = Decode(PushFormat.Csv, "id,must,area,text,@delete\n" + string.Join('\n', Enumerable.Range(0, 3_000).Select(i => (i % 5) switch
        {
            0 => $"{i},1,12,{(char)('a' + (i % 26))}b,",
            1 => $"{i},1,11,,",
            2 => $"{i},x,11,cd,",
            3 => $"{i},,,,true",
            _ => $"{i},0,,ef,",
        })), s_everything, new TwoAreas());

        Assert.Equal((3_000, 2_400, 600), (push.Received, push.Rows.Count, push.Quarantined.Count));
        Assert.Equal(["12", "11"], push.Rows.Areas);
        for (var row = 0; row < push.Rows.Count; row++)
        {
            var i = (int)push.Rows.Columns[0].Integers![row];
            var (must, area, text) = (i % 5) switch { 0 => (1, "12", $"{(char)('a' + (i % 26))}b"), 1 => (1, "11", null), 3 => (Column.NullBoolean, null, null), _ => (0, (string?)null, (string?)"ef") };
            Assert.Equal((i + 1, i % 5 == 3, area), (push.Rows.Number(row), push.Rows.IsDelete(row), push.Rows.AreaId(row)));
            Assert.Equal(text, push.Rows.Columns[1].Texts![row]);
            Assert.Equal(must, push.Rows.Columns[23].Booleans![row]);
            Assert.True(push.Rows.Columns[9].IsNull(row));
        }

        // What one push leaves behind is nothing to the next.
        Assert.Equal(["11"], Decode(PushFormat.Json, """[{"id":1,"must":true,"area":"11"}]""", s_everything, new TwoAreas()).Rows.Areas);
    }

    [Fact]
    public void The_same_header_of_csv_means_what_contract_and_profile_say_each_time()
    {
        const string Body = "id,a,b\n1,2,3\n";
        var (numbers, texts) = (Records(["id"], Field("id", FieldType.Integer), Field("a", FieldType.Number), Field("b", FieldType.Number)), Records(["id"], Field("id", FieldType.Integer), Field("b", FieldType.String), Field("a", FieldType.String)));
        var swapped = new CsvProfile { Header = [new("a", "b"), new("b", "a")] };
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(2, Decode(PushFormat.Csv, Body, numbers).Rows.Columns[1].Numbers![0]);
            Assert.Equal("3", Decode(PushFormat.Csv, Body, texts).Rows.Columns[1].Texts![0]);
            Assert.Equal(3, PushDecoder.Decode(PushFormat.Csv, Encoding.UTF8.GetBytes(Body), numbers, null, new(), s_now, 1, swapped).Push!.Rows.Columns[1].Numbers![0]);
            Assert.Equal(5, Decode(PushFormat.Csv, "id,a,b\n4,5,6\n", numbers).Rows.Columns[1].Numbers![0]);
            Assert.Equal(5, Decode(PushFormat.Csv, "id,a,b\r\n4,5,6\r\n", numbers).Rows.Columns[1].Numbers![0]);
        }
    }

    [Theory]
    [InlineData(PushFormat.Json, "[]")]
    [InlineData(PushFormat.NdJson, "")]
    [InlineData(PushFormat.NdJson, "\n \r\n")]
    [InlineData(PushFormat.Csv, "id,must\n")]
    public void A_push_may_have_no_rows(PushFormat format, string body)
    {
        var push = Decode(format, body, s_everything);
        Assert.Equal((0, 0), (push.Received, push.Rows.Count));
        Assert.Equal(s_everything.Fields.Length, push.Rows.Columns.Length);
    }

    [Fact]
    public void Too_long_values_are_quarantined_not_fatal()
    {
        var options = new IngestOptions { MaxFieldLength = 256 };
        var text = new string('x', 257);
        foreach (var push in (DecodedPush[])[
            Decode(PushFormat.Json, $$"""[{"id":1,"must":true,"mail":"{{text}}"}]""", s_everything, null, options),
            Decode(PushFormat.Json, "[{\"id\":1,\"must\":true,\"object\":{\"a\":\"" + text + "\"}}]", s_everything, null, options),
            Decode(PushFormat.Csv, $"id,must,mail\n1,1,{text}\n", s_everything, null, options)])
            Assert.Equal((RowErrorCodes.TooLong, "256"), (push.Quarantined[0].Errors[0].Code, push.Quarantined[0].Errors[0].Expected));
    }

    private sealed record Sample(long Id, string? Text, double? Number, bool? Yes, DateTime? Opened, string? Note);

    private static readonly Gen<Sample> s_sample =
        from id in Gen.Long[-5, 5]
        from text in Gen.OneOf(Gen.Const("ab"), Gen.Const("über"), Gen.Const((string)null!), Gen.Const("TOO LONG"))
        from number in Gen.OneOf(Gen.Double[-10, 2100].Select(d => (double?)d), Gen.Int[0, 5].Select(i => (double?)i), Gen.Const((double?)null))
        from yes in Gen.OneOf(Gen.Const((bool?)true), Gen.Const((bool?)false), Gen.Const((bool?)null))
        from opened in Gen.OneOf(Gen.DateTime[new DateTime(2020, 1, 1), new DateTime(2026, 11, 25)].Select(d => (DateTime?)d), Gen.Const((DateTime?)null))
        from note in Gen.OneOf(Gen.String[Gen.OneOf(Gen.Char[' ', '~'], Gen.Char['ä', 'ü'], Gen.Const('\n'), Gen.Const('"'), Gen.Const(',')), 1, 12], Gen.Const((string)null!))
        select new Sample(id, text, number, yes, opened, note);

    [Fact]
    public void The_same_rows_are_the_same_block_in_every_format()
    {
        var contract = Records(["id"],
            Field("id", FieldType.Integer), Field("text", FieldType.String, constraints: new(MaxLength: 4)), Field("number", FieldType.Number, constraints: new(Minimum: "0", Maximum: "2000")),
            Field("yes", FieldType.Boolean), Field("opened", FieldType.DateTime, FieldRole.Opened), Field("note", FieldType.String));
        s_sample.Array[0, 30].Sample(samples =>
        {
            var objects = samples.Select(s => JsonSerializer.Serialize(new
            {
                id = s.Id,
                text = s.Text,
                number = s.Number,
                yes = s.Yes,
                opened = s.Opened?.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture),
                note = s.Note,
            })).ToArray();
            var csv = new StringBuilder("note,id,text,number,yes,opened\r\n");
            foreach (var s in samples)
            {
                csv.Append(Cell(s.Note)).Append(',').Append(s.Id).Append(',').Append(Cell(s.Text)).Append(',')
                    .Append(s.Number?.ToString("R", CultureInfo.InvariantCulture)).Append(',').Append(s.Yes).Append(',')
                    .Append(s.Opened?.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture)).Append("\r\n");
            }

            var json = Decode(PushFormat.Json, $"[{string.Join(",\n", objects)}]", contract);
            Same(json, Decode(PushFormat.NdJson, string.Join('\n', objects), contract));
            Same(json, Decode(PushFormat.Csv, csv.ToString(), contract));
            Assert.Equal(samples.Length, json.Rows.Count + json.Quarantined.Count);
        }, iter: 300);

        static string Cell(string? text) => text is null ? "" : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    [Fact]
    public void Nothing_that_is_sent_makes_the_decoder_fail()
    {
        // Bytes, and pieces of what is nearly right in an order that is not.
        var pieces = Gen.OneOf(
            Gen.Byte.Array[0, 6],
            Gen.OneOf([.. ((string[])["[", "]", "{", "}", "\"", ",", ":", "\n", "\r\n", "\"id\"", "id", "must", "1", "true", "null", "-", "1e999", "\"\\ud800\"", "@delete", "\"@delete\"", "area", "é", "\uFEFF", "\0", "{\"id\":1,\"must\":true}", "\"\"", "opened", "2026-03-29T02:30:00"])
                .Select(p => Gen.Const(Encoding.UTF8.GetBytes(p)))]));
        Gen.Select(pieces.Array[0, 40], Gen.Int[0, 2], Gen.Int[1, 8]).Sample((parts, format, maxRows) =>
        {
            var body = parts.SelectMany(p => p).ToArray();
            var result = PushDecoder.Decode((PushFormat)format, body, s_everything, new TwoAreas(), new() { MaxRows = maxRows, MaxFieldLength = 256, MaxDepth = 3 }, s_now);
            if (result.Push is null)
            {
                Assert.NotNull(result.Refusal);
                return;
            }

            Assert.Equal(result.Push.Received, result.Push.Rows.Count + result.Push.Quarantined.Count);
            Assert.All(result.Push.Quarantined, q => Assert.NotEmpty(q.Errors));
            foreach (var quarantined in result.Push.Quarantined) JsonDocument.Parse(quarantined.Raw, new() { MaxDepth = 64 }).Dispose();
            for (var row = 0; row < result.Push.Rows.Count; row++)
            {
                RowKeys.Key(s_everything, result.Push.Rows, row);
                RowPacking.Pack(result.Push.Rows, row);
            }
        }, iter: 20_000);
    }

    private static void Same(DecodedPush expected, DecodedPush actual)
    {
        Assert.Equal(expected.Rows.Count, actual.Rows.Count);
        for (var row = 0; row < expected.Rows.Count; row++)
        {
            Assert.Equal(RowPacking.Pack(expected.Rows, row), RowPacking.Pack(actual.Rows, row));
            Assert.Equal(expected.Rows.Number(row), actual.Rows.Number(row));
        }

        Assert.Equal(
            expected.Quarantined.SelectMany(q => q.Errors).Select(e => (e.Row, e.Field, e.Code)).Order(),
            actual.Quarantined.SelectMany(q => q.Errors).Select(e => (e.Row, e.Field, e.Code)).Order());
    }

    private static DecodedPush Decode(PushFormat format, string body, CompiledContract contract, IRowAreas? areas = null, IngestOptions? options = null)
    {
        var result = PushDecoder.Decode(format, Encoding.UTF8.GetBytes(body), contract, areas, options ?? new(), s_now);
        Assert.True(result.Push is not null, result.Refusal?.Detail.De);
        return result.Push!;
    }
}
