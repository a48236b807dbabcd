using System.ComponentModel.DataAnnotations;

namespace DataHub.Storage.Postgres;

/// <summary>Where and how silos of a cluster store. Section <c>DataHub:Postgres</c>.</summary>
internal sealed class PostgresOptions
{
    public const string Section = "DataHub:Postgres";

    /// <summary>
    /// Npgsql's connection string, such as <c>Host=db;Database=datahub;Username=silo;Password=…</c>. Set: the hub runs as
    /// a silo of a cluster on PostgreSQL 15 or newer. Empty (default): embedded, on SQLite.
    /// </summary>
    [Setting("Verbindung zu PostgreSQL; gesetzt läuft der Hub als Silo eines Clusters", "Connection to PostgreSQL; where set the hub runs as a silo of a cluster")]
    public string ConnectionString { get; set; } = "";

    /// <summary>Connections that one silo may hold in all, 8 to 500: stores, grains' state, membership, wake-ups. Default 30.</summary>
    [Range(8, 500)]
    [Setting("Verbindungen zu PostgreSQL, die ein Silo höchstens hält", "Connections to PostgreSQL that one silo holds at most")]
    public int MaxConnections { get; set; } = 30;

    /// <summary>How long a starting silo waits for a database that does not answer or is still to be migrated, 0 to 10 min. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    [Setting("Wie lange ein startendes Silo auf die Datenbank und ihre Migration wartet", "How long a starting silo waits for the database and its migration")]
    public TimeSpan StartPatience { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a statement may take before it is given up, 1 s to 10 min. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    [Setting("Längste Dauer einer Anweisung an PostgreSQL", "Longest time of a statement to PostgreSQL")]
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long making a connection, or waiting for a free one, may take, 1 s to 1 min. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    [Setting("Längste Wartezeit auf eine Verbindung zu PostgreSQL", "Longest wait for a connection to PostgreSQL")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
