namespace DataHub.Catalog;

/// <summary>A text for people, German first.</summary>
/// <param name="De">German; required wherever a text is required.</param>
/// <param name="En">English; falls back to German where absent.</param>
[GenerateSerializer, Immutable, Alias("datahub.LocalText")]
public sealed record LocalText([property: Id(0)] string De, [property: Id(1)] string? En)
{
    public string In(string language) => language == "en" ? En ?? De : De;
}
