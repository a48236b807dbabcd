using DataHub.Storage.Postgres;

namespace DataHub.Operator;

/// <summary>Everything that <c>silo doctor</c> looks at.</summary>
/// <param name="At">By the database's clock; everything else is compared with it.</param>
/// <param name="Here">How far this machine's clock is ahead of the database's.</param>
/// <param name="MaxConnections">What one more silo would want to hold.</param>
internal sealed record DoctorFacts(string Database, DateTimeOffset At, TimeSpan Here, ServerFacts Server, SchemaFacts Schema, int MaxConnections)
{
    /// <summary>Null where the schema is not this program's: then nothing below is known.</summary>
    public Guid? Incarnation { get; init; }

    /// <summary>0 before the first start.</summary>
    public int Shards { get; init; }

    public IReadOnlyList<SiloFacts> Silos { get; init; } = [];

    public IReadOnlyList<PartitionFacts> Partitions { get; init; } = [];

    /// <summary>How far the clocks of the silos that answered are ahead of the database's, by their names.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Clocks { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>Why no silo could be asked although some stand as active; null where they answered or there is none.</summary>
    public string? NoAnswer { get; init; }

    /// <summary>Batches that a consumer cannot apply.</summary>
    public IReadOnlyList<HaltedBatch> Halted { get; init; } = [];

    /// <summary>Consumers that were asked and did not say in time how they are.</summary>
    public IReadOnlyList<string> Mute { get; init; } = [];

    /// <summary>A batch that waits for longer is a finding.</summary>
    public TimeSpan MaxLag { get; init; } = TimeSpan.FromSeconds(30);
}

/// <param name="Known">This program's.</param>
/// <param name="Missing">Migrations that are to be applied.</param>
/// <param name="Fault">Why the database is not for this program, or null.</param>
internal sealed record SchemaFacts(string Known, int Missing, string? Fault)
{
    public bool IsCurrent => Missing == 0 && Fault is null;
}

/// <summary>A batch that a consumer cannot apply; nothing of its partition is applied before it.</summary>
/// <param name="Consumer"><c>fold</c> or <c>history</c>.</param>
/// <param name="Since">When it was received; null where the log no longer says.</param>
internal sealed record HaltedBatch(string Partition, string Consumer, long Sequence, DateTimeOffset? Since, string Because);

/// <summary>What is wrong, and what to do.</summary>
/// <param name="Code">Stable.</param>
internal sealed record Finding(string Code, Catalog.LocalText Text, Catalog.LocalText Advice);
