using DataHub.Catalog;

namespace DataHub.Support;

/// <summary>Short ways to write contracts in tests.</summary>
internal static class Contracts
{
    /// <summary>The dataset of design §5, with a point besides.</summary>
    public static CompiledContract AirQuality { get; } = Observations(
        ["station", "time"],
        Field("station", FieldType.String, FieldRole.Series, new(Required: true, MaxLength: 64)),
        Field("time", FieldType.DateTime, FieldRole.Time, new(Required: true)),
        Field("area", FieldType.String, FieldRole.Area),
        Field("no2", FieldType.Number, FieldRole.Measure, new(Minimum: "0", Maximum: "2000")),
        Field("lon", FieldType.Number, FieldRole.Longitude),
        Field("lat", FieldType.Number, FieldRole.Latitude));

    public static FieldSpec Field(string name, FieldType type, FieldRole role = FieldRole.None, FieldConstraints? constraints = null, string? format = null, string? timeZone = null) =>
        new(name, type, format, role, constraints ?? FieldConstraints.None, null, timeZone, null);

    public static TableSchema Schema(string[] key, params FieldSpec[] fields) => new(1, fields, key, [""]);

    public static CompiledContract Observations(string[] key, params FieldSpec[] fields) => CompiledContract.Compile(Schema(key, fields), DatasetKind.Observations);

    public static CompiledContract Records(string[] key, params FieldSpec[] fields) => CompiledContract.Compile(Schema(key, fields), DatasetKind.Records);
}
