namespace DataHub.Pipelines;

/// <summary>
/// Berlin's Monitoring Soziale Stadtentwicklung as a recipe that ships with the hub (<c>Recipes/social-monitoring.json</c>): status and
/// dynamics of the planning areas, from unemployment, benefits beside work or without it, and child poverty.
/// </summary>
internal static class SocialMonitoring
{
    private const string Name = "DataHub.Pipelines.Recipes.social-monitoring.json";

    public static CompositeIndexSpec Spec { get; } = Read();

    private static CompositeIndexSpec Read()
    {
        using var stream = typeof(SocialMonitoring).Assembly.GetManifestResourceStream(Name) ?? throw new InvalidOperationException($"{Name} is not part of the program.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return RecipeJson.Read(bytes, out var problems) as CompositeIndexSpec
            ?? throw new InvalidOperationException($"{Name} is not a composite index: {string.Join("; ", problems.Select(p => $"{p.Path} {p.Code}"))}");
    }
}
