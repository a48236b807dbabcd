using System.Text.Json;

using DataHub.Support;

namespace DataHub.Catalog;

public sealed class DatasetJsonTests
{
    private const string AirQuality = """
        { "title": { "de": "Luftgüte", "en": "Air quality" }, "publisher": "senumvk", "kind": "observations",
          "access": "open", "license": "dl-de/by-2-0", "areaSystem": "demo",
          "schema": { "primaryKey": ["station", "time"], "fields": [
            { "name": "station", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
            { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
            { "name": "area", "type": "string", "role": "area" },
            { "name": "no2", "type": "number", "role": "measure", "unit": "ug/m3", "constraints": { "minimum": 0, "maximum": 2000 } } ] } }
        """;

    private const string Everything = """
        { "title": "Alles", "description": { "de": "…" }, "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "partitions": 4,
          "schema": { "$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json", "primaryKey": "id", "missingValues": ["", "-"], "maxFuture": "PT2H", "fields": [
            { "name": "id", "title": "Nummer", "description": "Die Nummer", "example": "1", "constraints": { "pattern": "[0-9]+", "enum": ["1", "true"], "minLength": 1 } },
            { "name": "n", "type": "number", "decimalChar": ",", "groupChar": ".", "bareNumber": false, "constraints": { "enum": [1.5, 2] } },
            { "name": "b", "type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"], "constraints": { "enum": [true] } },
            { "name": "d", "type": "date", "format": "%d.%m.%Y", "timeZone": "Europe/Berlin", "role": "opened", "constraints": { "minimum": "01.01.2020" } },
            { "name": "o", "type": "object", "constraints": { "unique": true, "enum": [{ "a": 1 }] } } ] } }
        """;

    [Theory]
    [InlineData(AirQuality)]
    [InlineData(Everything)]
    public void What_is_put_is_got_and_can_be_put_again(string json)
    {
        var spec = Parse(json);
        CompiledContract.Compile(spec.Schema, spec.Kind);
        var info = new DatasetInfo("x", spec with { Schema = spec.Schema with { Version = 3 } }, [new("x/0", 1)], 2, [new("default", new("Vorgabe", null), TimeSpan.FromMinutes(15))], ["i"], DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        var rendered = DatasetJson.Render(info);
        using var document = JsonDocument.Parse(rendered);
        Assert.Equal(3, document.RootElement.GetProperty("schema").GetProperty("version").GetInt32());
        Assert.Equal("PT15M", document.RootElement.GetProperty("feeds")[0].GetProperty("rhythm").GetString());
        var again = Parse(System.Text.Encoding.UTF8.GetString(rendered));
        Assert.True(ContractEvolution.Same(spec.Schema, again.Schema));
        Assert.Equal(spec with { Schema = again.Schema, Partitions = 1, Wanted = ReleaseState.Available }, again);
    }

    [Fact]
    public void Numbers_and_booleans_stay_numbers_and_booleans()
    {
        var spec = Parse(AirQuality);
        Assert.Equal(("0", "2000"), (spec.Schema.Fields[3].Constraints.Minimum, spec.Schema.Fields[3].Constraints.Maximum));
        var rendered = System.Text.Encoding.UTF8.GetString(DatasetJson.Render(new("x", Parse(Everything), [], 0, [], [], default, default)));
        Assert.Contains("""
            "enum":[1.5,2]
            """, rendered, StringComparison.Ordinal);
        Assert.Contains("""
            "enum":[true]
            """, rendered, StringComparison.Ordinal);
        Assert.Contains("""
            "enum":["1","true"]
            """, rendered, StringComparison.Ordinal);
        Assert.Contains("Die Nummer", rendered, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "")]
    [InlineData("""{ "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [] } }""", "title")]
    [InlineData("""{ "title": { "en": "x" }, "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [] } }""", "title")]
    [InlineData("""{ "title": "x", "publisher": 1, "kind": "records", "schema": { "fields": [] } }""", "publisher")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "Records", "schema": { "fields": [] } }""", "kind")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records" }""", "schema")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { } }""", "schema.fields")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [], "primarykey": "id" } }""", "schema.primarykey")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [ 1 ] } }""", "schema.fields[0]")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [ { "name": "a" }, { "type": "string" } ] } }""", "schema.fields[1].name")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [ { "name": "a", "type": "float" } ] } }""", "schema.fields[0].type")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [ { "name": "a", "role": "none" } ] } }""", "schema.fields[0].role")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [ { "name": "a", "constraints": { "requird": true } } ] } }""", "schema.fields[0].constraints.requird")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [ { "name": "a", "constraints": { "minimum": true } } ] } }""", "schema.fields[0].constraints.minimum")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [], "maxFuture": "P1M" } }""", "schema.maxFuture")]
    [InlineData("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "fields": [], "missingValues": [1] } }""", "schema.missingValues")]
    public void Whatever_is_wrong_is_named_with_its_place(string json, string path)
    {
        var faults = new List<DocumentFault>();
        using var document = JsonDocument.Parse(json);
        Assert.Null(DatasetJson.Parse(document.RootElement, faults));
        Assert.Contains(path, faults.Select(f => f.Path));
        Assert.All(faults, f => Assert.NotNull(f.Detail.En));
    }

    [Fact]
    public void A_contract_of_the_standard_has_its_defaults()
    {
        var spec = Parse("""{ "title": "x", "publisher": "a", "license": "dl-de/by-2-0", "kind": "records", "schema": { "primaryKey": "id", "fields": [ { "name": "id" } ] } }""");
        Assert.True(ContractEvolution.Same(Contracts.Schema(["id"], Contracts.Field("id", FieldType.String)), spec.Schema));
        Assert.Equal((AccessClass.Internal, 1), (spec.Access, spec.Partitions));
    }

    private static DatasetSpec Parse(string json)
    {
        var faults = new List<DocumentFault>();
        using var document = JsonDocument.Parse(json);
        var spec = DatasetJson.Parse(document.RootElement, faults);
        Assert.Empty(faults);
        return spec!;
    }
}
