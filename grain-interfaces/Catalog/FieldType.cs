namespace DataHub.Catalog;

/// <summary>The types of Frictionless Table Schema v1 (specs.frictionlessdata.io/table-schema, "Types and Formats").</summary>
public enum FieldType
{
    String = 0,
    Number = 1,
    Integer = 2,
    Boolean = 3,
    Object = 4,
    Array = 5,
    Date = 6,
    Time = 7,
    DateTime = 8,
    Year = 9,
    YearMonth = 10,
    Duration = 11,
    GeoPoint = 12,
    GeoJson = 13,
    Any = 14,
}
