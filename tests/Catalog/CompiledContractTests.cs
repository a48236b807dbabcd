using DataHub.Feeds;
using DataHub.Support;

using static DataHub.Support.Contracts;

namespace DataHub.Catalog;

public sealed class CompiledContractTests
{
    private static readonly FieldSpec s_id = Field("id", FieldType.String);
    private static readonly FieldSpec s_time = Field("time", FieldType.DateTime, FieldRole.Time);

    public static TheoryData<string, DatasetKind, TableSchema> Wrong => new()
    {
        { ContractCodes.NoFields, DatasetKind.Records, Schema(["id"]) },
        { ContractCodes.TooManyFields, DatasetKind.Records, Schema(["f0"], [.. Enumerable.Range(0, 257).Select(i => Field($"f{i}", FieldType.String))]) },
        { ContractCodes.InvalidName, DatasetKind.Records, Schema(["id"], s_id, Field("@delete", FieldType.String)) },
        { ContractCodes.InvalidName, DatasetKind.Records, Schema(["id"], s_id, Field("", FieldType.String)) },
        { ContractCodes.InvalidName, DatasetKind.Records, Schema(["id"], s_id, Field("a\nb", FieldType.String)) },
        { ContractCodes.InvalidName, DatasetKind.Records, Schema(["id"], s_id, Field("\uD800", FieldType.String)) },
        { ContractCodes.InvalidName, DatasetKind.Records, Schema(["id"], s_id, Field(new('x', 129), FieldType.String)) },
        { ContractCodes.DuplicateField, DatasetKind.Records, Schema(["id"], s_id, s_id) },
        { ContractCodes.NoPrimaryKey, DatasetKind.Records, Schema([], s_id) },
        { ContractCodes.TooManyKeyFields, DatasetKind.Records, Schema([.. Enumerable.Range(0, 9).Select(i => $"f{i}")], [.. Enumerable.Range(0, 9).Select(i => Field($"f{i}", FieldType.String))]) },
        { ContractCodes.UnknownKeyField, DatasetKind.Records, Schema(["nobody"], s_id) },
        { ContractCodes.DuplicateKeyField, DatasetKind.Records, Schema(["id", "id"], s_id) },
        { ContractCodes.KeyFieldType, DatasetKind.Records, Schema(["o"], Field("o", FieldType.Object)) },
        { ContractCodes.KeyFieldRole, DatasetKind.Records, Schema(["p"], Field("p", FieldType.String, FieldRole.Personal)) },
        { ContractCodes.KeyFieldRole, DatasetKind.Records, Schema(["r"], Field("r", FieldType.Integer, FieldRole.Revision)) },
        { ContractCodes.NoTimeField, DatasetKind.Observations, Schema(["id"], s_id) },
        { ContractCodes.RoleTwice, DatasetKind.Observations, Schema(["id"], s_id, s_time, Field("t2", FieldType.DateTime, FieldRole.Time)) },
        { ContractCodes.RoleType, DatasetKind.Observations, Schema(["id"], s_id, s_time, Field("m", FieldType.String, FieldRole.Measure)) },
        { ContractCodes.RoleType, DatasetKind.Observations, Schema(["id"], s_id, Field("t", FieldType.Year, FieldRole.Time)) },
        { ContractCodes.RoleType, DatasetKind.Records, Schema(["id"], s_id, Field("d", FieldType.Number, FieldRole.Dimension)) },
        { ContractCodes.RoleKind, DatasetKind.Observations, Schema(["id"], s_id, s_time, Field("o", FieldType.DateTime, FieldRole.Opened)) },
        { ContractCodes.RoleKind, DatasetKind.Records, Schema(["id"], s_id, Field("s", FieldType.String, FieldRole.Series)) },
        { ContractCodes.PointIncomplete, DatasetKind.Records, Schema(["id"], s_id, Field("lon", FieldType.Number, FieldRole.Longitude)) },
        { ContractCodes.InvalidFormat, DatasetKind.Records, Schema(["id"], Field("id", FieldType.String, format: "iban")) },
        { ContractCodes.InvalidFormat, DatasetKind.Records, Schema(["id"], s_id, Field("d", FieldType.Date, format: "%d.%m")) },
        { ContractCodes.InvalidFormat, DatasetKind.Records, Schema(["id"], s_id, Field("d", FieldType.Date, format: "%Y-%m-%d%")) },
        { ContractCodes.InvalidFormat, DatasetKind.Records, Schema(["id"], s_id, Field("d", FieldType.Date, format: "%Q %Y-%m-%d")) },
        { ContractCodes.InvalidFormat, DatasetKind.Records, Schema(["id"], s_id, Field("t", FieldType.Time, format: "%I:%M")) },
        { ContractCodes.InvalidTimeZone, DatasetKind.Records, Schema(["id"], s_id, Field("d", FieldType.DateTime, timeZone: "Mars/Olympus")) },
        { ContractCodes.InvalidTimeZone, DatasetKind.Records, Schema(["id"], Field("id", FieldType.String, timeZone: "Europe/Berlin")) },
        { ContractCodes.InvalidNumberFormat, DatasetKind.Records, Schema(["id"], s_id, Field("n", FieldType.Number) with { DecimalChar = ",", GroupChar = "," }) },
        { ContractCodes.InvalidNumberFormat, DatasetKind.Records, Schema(["id"], s_id with { DecimalChar = "," }) },
        { ContractCodes.InvalidWords, DatasetKind.Records, Schema(["id"], s_id, Field("b", FieldType.Boolean) with { TrueValues = ["x"], FalseValues = ["x"] }) },
        { ContractCodes.InvalidWords, DatasetKind.Records, Schema(["id"], s_id) with { MissingValues = [.. Enumerable.Repeat("-", 101)] } },
        { ContractCodes.InvalidUnit, DatasetKind.Records, Schema(["id"], s_id with { Unit = new('m', 65) }) },
        { ContractCodes.InvalidMaxFuture, DatasetKind.Records, Schema(["id"], s_id) with { MaxFuture = TimeSpan.FromDays(-1) } },
        { ContractCodes.ConstraintType, DatasetKind.Records, Schema(["id"], Field("id", FieldType.String, constraints: new(Minimum: "1"))) },
        { ContractCodes.ConstraintType, DatasetKind.Records, Schema(["id"], s_id, Field("n", FieldType.Number, constraints: new(Pattern: "1"))) },
        { ContractCodes.ConstraintType, DatasetKind.Records, Schema(["id"], s_id, Field("n", FieldType.Number, constraints: new(MinLength: 1))) },
        { ContractCodes.InvalidBound, DatasetKind.Records, Schema(["id"], s_id, Field("n", FieldType.Number, constraints: new(Minimum: "low"))) },
        { ContractCodes.InvalidBound, DatasetKind.Records, Schema(["id"], s_id, Field("n", FieldType.Integer, constraints: new(Minimum: "2", Maximum: "1"))) },
        { ContractCodes.InvalidBound, DatasetKind.Records, Schema(["id"], Field("id", FieldType.String, constraints: new(MinLength: 2, MaxLength: 1))) },
        { ContractCodes.InvalidPattern, DatasetKind.Records, Schema(["id"], Field("id", FieldType.String, constraints: new(Pattern: "("))) },
        { ContractCodes.InvalidEnum, DatasetKind.Records, Schema(["id"], Field("id", FieldType.String, constraints: new(Enum: []))) },
        { ContractCodes.InvalidEnum, DatasetKind.Records, Schema(["id"], s_id, Field("n", FieldType.Integer, constraints: new(Enum: ["1", "two"]))) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_schema_that_cannot_be_a_contract_is_told_why(string code, DatasetKind kind, TableSchema schema)
    {
        var refusal = Assert.Throws<ContractException>(() => CompiledContract.Compile(schema, kind));
        Assert.Equal([code], refusal.Problems.Select(p => p.Code).Distinct());
        Assert.All(refusal.Problems, p => Assert.False(string.IsNullOrEmpty(p.Detail.De) || string.IsNullOrEmpty(p.Detail.En)));
    }

    [Fact]
    public void All_problems_of_a_schema_are_told_at_once()
    {
        var refusal = Assert.Throws<ContractException>(() => CompiledContract.Compile(
            Schema(["id", "nobody"], s_id, Field("m", FieldType.String, FieldRole.Measure)), DatasetKind.Observations));
        Assert.Equal([ContractCodes.UnknownKeyField, ContractCodes.RoleType, ContractCodes.NoTimeField], refusal.Problems.Select(p => p.Code));
    }

    [Fact]
    public void Roles_are_found_by_their_ordinals()
    {
        var contract = AirQuality;
        Assert.Equal([0, 1], contract.Key);
        Assert.Equal([0], contract.Series);
        Assert.Equal((1, 2, 4, 5, -1), (contract.TimeField, contract.AreaField, contract.LongitudeField, contract.LatitudeField, contract.RevisionField));
        Assert.True(contract.KeyIsSeriesAndTime);
        Assert.Equal(3, contract.OrdinalOf("no2"));
        Assert.Equal(-1, contract.OrdinalOf("NO2"));
        Assert.True(contract.Fields[0].Required && contract.Fields[1].Required && !contract.Fields[3].Required);
    }

    [Fact]
    public void Without_a_field_in_role_series_the_key_without_the_time_names_the_series()
    {
        var contract = Observations(["time", "id"], s_id, s_time);
        Assert.Equal([0], contract.Series);
        Assert.True(contract.KeyIsSeriesAndTime);
    }

    [Fact]
    public void A_key_beside_series_and_time_is_not_series_and_time()
    {
        Assert.False(Observations(["id"], s_id, s_time, Field("station", FieldType.String, FieldRole.Series)).KeyIsSeriesAndTime);
        Assert.False(Records(["id"], s_id).KeyIsSeriesAndTime);
    }

    [Fact]
    public void A_record_belongs_to_the_instant_it_was_opened()
    {
        var contract = Records(["id"], s_id, Field("opened", FieldType.DateTime, FieldRole.Opened));
        var block = new RowBlock { Count = 2, Columns = [Column.OfTexts(["a", "b"]), Column.OfIntegers([42, Column.NullInteger])] };
        Assert.Equal(42, contract.TimeTicks(block, 0));
        Assert.Equal(long.MinValue, contract.TimeTicks(block, 1));
    }

    [Theory]
    [InlineData("2026-01-15", null, "2026-01-14T23:00:00Z")]
    [InlineData("2026-07-15", null, "2026-07-14T22:00:00Z")]
    [InlineData("2026-03-29", null, "2026-03-28T23:00:00Z")]
    [InlineData("2026-03-30", null, "2026-03-29T22:00:00Z")]
    [InlineData("2026-07-15", "Etc/UTC", "2026-07-15T00:00:00Z")]
    // Midnight did not exist in Beirut on this day: it began at one.
    [InlineData("2021-03-28", "Asia/Beirut", "2021-03-27T22:00:00Z")]
    // Midnight came twice in Havana on this day: it began the first time.
    [InlineData("2021-11-07", "America/Havana", "2021-11-07T04:00:00Z")]
    public void A_day_belongs_to_the_instant_it_begins_in_its_zone(string date, string? zone, string instant)
    {
        var contract = Observations(["id", "day"], s_id, Field("day", FieldType.Date, FieldRole.Time, timeZone: zone));
        var day = DateOnly.Parse(date, System.Globalization.CultureInfo.InvariantCulture).DayNumber;
        Assert.Equal(DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture).UtcTicks, contract.TimeTicks(day));
    }

    [Fact]
    public void A_contract_may_gain_optional_fields_and_change_its_constraints()
    {
        var wanted = ContractEvolution.Arrange(
            Schema(["id"], Field("note", FieldType.String), Field("n", FieldType.Number, FieldRole.Measure, new(Minimum: "1")), s_id), Schema(["id"], s_id, Field("n", FieldType.Number)));
        Assert.Equal(["id", "n", "note"], wanted.Fields.Select(f => f.Name));
        Assert.True(CompiledContract.Compile(wanted, DatasetKind.Records).CanFollow(Records(["id"], s_id, Field("n", FieldType.Number)), out _));
    }

    public static TheoryData<string, TableSchema> Breaking => new()
    {
        { "a field gone", Schema(["id"], s_id) },
        { "another type", Schema(["id"], s_id, Field("n", FieldType.Integer)) },
        { "another role", Schema(["id"], s_id, Field("n", FieldType.Number, FieldRole.Personal)) },
        { "another key", Schema(["n"], s_id, Field("n", FieldType.Number)) },
        { "another order", Schema(["id"], Field("n", FieldType.Number), s_id) },
        { "a new field that is required", Schema(["id"], s_id, Field("n", FieldType.Number), Field("x", FieldType.String, constraints: new(Required: true))) },
        { "a new field that says when", Schema(["id"], s_id, Field("n", FieldType.Number), Field("x", FieldType.DateTime, FieldRole.Opened)) },
    };

    [Theory]
    [MemberData(nameof(Breaking))]
    public void A_contract_that_would_change_the_meaning_of_stored_rows_cannot_follow(string what, TableSchema schema)
    {
        var follows = CompiledContract.Compile(schema, DatasetKind.Records).CanFollow(Records(["id"], s_id, Field("n", FieldType.Number)), out var problems);
        Assert.False(follows, what);
        Assert.All(problems, p => Assert.Equal(ContractCodes.BreakingChange, p.Code));
    }

    [Fact]
    public void Schemas_are_the_same_whatever_their_version()
    {
        var schema = Schema(["id"], Field("id", FieldType.String, constraints: new(Enum: ["a"])));
        Assert.True(ContractEvolution.Same(schema, Schema(["id"], Field("id", FieldType.String, constraints: new(Enum: ["a"]))) with { Version = 9 }));
        Assert.False(ContractEvolution.Same(schema, Schema(["id"], Field("id", FieldType.String, constraints: new(Enum: ["b"])))));
    }
}
