namespace DataHub.Indicators;

/// <summary>How far a definition is that does not answer yet.</summary>
/// <param name="Done">Accepted rows that it covers; while it reads history, rows read.</param>
/// <param name="Of">Accepted rows that there are. Rows that replaced or took away others count too, so that it can be done sooner.</param>
/// <param name="Phase">Over several partitions the least advanced one.</param>
[GenerateSerializer, Immutable, Alias("datahub.DefinitionProgress")]
public readonly record struct DefinitionProgress([property: Id(0)] long Done, [property: Id(1)] long Of, [property: Id(2)] FillPhase Phase)
{
    /// <summary>0 to 1; 1 only once it has joined.</summary>
    public double Share => Phase == FillPhase.Joined ? 1 : Of <= 0 ? 0 : Math.Min(0.9999, Math.Floor(10_000.0 * Done / Of) / 10_000);

    /// <summary>This and another partition's together.</summary>
    public DefinitionProgress With(DefinitionProgress other) => new(Done + other.Done, Of + other.Of, (FillPhase)Math.Min((int)Phase, (int)other.Phase));

    /// <summary>The further one of what was told before and what is the case, both of one definition: told progress never goes back.</summary>
    public DefinitionProgress After(DefinitionProgress before) => Phase < before.Phase || Share < before.Share || Done < before.Done ? before : this;
}

public enum FillPhase
{
    /// <summary>Reads the rows that stood when it began.</summary>
    History = 0,

    /// <summary>Reads what came since.</summary>
    Log = 1,

    /// <summary>Has joined.</summary>
    Joined = 2,
}
