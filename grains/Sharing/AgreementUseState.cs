namespace DataHub.Sharing;

/// <summary>How many rows were given of a day by an agreement that limits them.</summary>
/// <param name="Day">UTC.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementUseState")]
public sealed record AgreementUseState([property: Id(0)] DateOnly Day, [property: Id(1)] long Rows)
{
    public AgreementUseState()
        : this(default, 0)
    {
    }
}
