using System.ComponentModel.DataAnnotations;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>What feeds and agencies may use that have no quota of their own. Section <c>DataHub:Quota</c>.</summary>
internal sealed class QuotaOptions
{
    public const string Section = "DataHub:Quota";

    /// <summary>Rows per second, 0 (no limit) to 1,000,000,000,000; default 0.</summary>
    [Range(0, FeedQuota.Most)]
    [Setting("Zeilen je Sekunde einer Datenquelle ohne eigenes Kontingent; 0: unbegrenzt", "Rows per second of a feed without a quota of its own; 0: no limit")]
    public long RowsPerSecond { get; set; }

    /// <summary>Bytes per second, 0 (no limit) to 1,000,000,000,000; default 0.</summary>
    [Range(0, FeedQuota.Most)]
    [Setting("Byte je Sekunde einer Datenquelle ohne eigenes Kontingent; 0: unbegrenzt", "Bytes per second of a feed without a quota of its own; 0: no limit")]
    public long BytesPerSecond { get; set; }

    /// <summary>Rows per day, 0 (no limit) to 1,000,000,000,000; default 0.</summary>
    [Range(0, FeedQuota.Most)]
    [Setting("Zeilen am Tag einer Datenquelle ohne eigenes Kontingent; 0: unbegrenzt", "Rows per day of a feed without a quota of its own; 0: no limit")]
    public long RowsPerDay { get; set; }

    /// <summary>Rows per second of all feeds of an agency, 0 (no limit) to 1,000,000,000,000; default 0.</summary>
    [Range(0, FeedQuota.Most)]
    [Setting("Zeilen je Sekunde einer Behörde ohne eigenes Kontingent; 0: unbegrenzt", "Rows per second of an agency without a quota of its own; 0: no limit")]
    public long AgencyRowsPerSecond { get; set; }

    /// <summary>Bytes per day of an agency, 0 (no limit) to 1,000,000,000,000; default 0.</summary>
    [Range(0, FeedQuota.Most)]
    [Setting("Byte am Tag einer Behörde ohne eigenes Kontingent; 0: unbegrenzt", "Bytes per day of an agency without a quota of its own; 0: no limit")]
    public long AgencyBytesPerDay { get; set; }

    /// <summary>Datasets of an agency that are not retired, 0 (no limit) to 1,000,000,000,000; default 0.</summary>
    [Range(0, FeedQuota.Most)]
    [Setting("Datensätze einer Behörde ohne eigenes Kontingent; 0: unbegrenzt", "Datasets of an agency without a quota of its own; 0: no limit")]
    public long AgencyDatasets { get; set; }

    public AgencyQuota Agency => new(AgencyRowsPerSecond, AgencyBytesPerDay, AgencyDatasets);

    public FeedQuota Default => new(Limit(RowsPerSecond), Limit(BytesPerSecond), Limit(RowsPerDay));

    private static long? Limit(long value) => value == 0 ? null : value;
}
