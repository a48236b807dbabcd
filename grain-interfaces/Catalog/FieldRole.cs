namespace DataHub.Catalog;

/// <summary>What a field of a dataset means to the hub (design §5).</summary>
public enum FieldRole
{
    None = 0,

    /// <summary>The instant a row belongs to; exactly one per dataset of observations.</summary>
    Time = 1,

    /// <summary>Id of an area of the dataset's area system.</summary>
    Area = 2,

    /// <summary>WGS 84 longitude in degrees, -180 to 180.</summary>
    Longitude = 3,

    /// <summary>WGS 84 latitude in degrees, -90 to 90.</summary>
    Latitude = 4,

    /// <summary>Part of the name of a series: rows that differ only in time.</summary>
    Series = 5,

    /// <summary>A number that indicators aggregate.</summary>
    Measure = 6,

    /// <summary>A category that indicators may group by.</summary>
    Dimension = 7,

    /// <summary>When a record's life began.</summary>
    Opened = 8,

    /// <summary>When a record's life ended; null while it is open.</summary>
    Closed = 9,

    /// <summary>Orders the versions of one key; a row that is not higher than what stands is a duplicate.</summary>
    Revision = 10,

    /// <summary>Personal data: never measured, filtered or grouped by, masked in messages.</summary>
    Personal = 11,
}
