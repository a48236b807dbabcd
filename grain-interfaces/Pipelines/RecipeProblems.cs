using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Collects what is wrong, up to <see cref="RecipeLimits.Problems"/>.</summary>
internal sealed class RecipeProblems
{
    private readonly List<RecipeProblem> _all = [];

    public bool Any => _all.Count > 0;

    public void Add(string path, string code, string de, string en)
    {
        if (_all.Count < RecipeLimits.Problems) _all.Add(new(path, code, new LocalText(de, en)));
    }

    public RecipeProblem[] ToArray() => [.. _all];
}
