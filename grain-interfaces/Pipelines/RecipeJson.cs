using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// Recipes as JSON. Reading is strict: a member that nobody knows, one that is missing or of the wrong type, is a problem with its path.
/// What a recipe says is checked with <see cref="RecipeCheck"/>.
/// </summary>
internal static class RecipeJson
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, IndentSize = 2, NewLine = "\n" };

    /// <param name="utf8">At most <see cref="RecipeLimits.JsonBytes"/>; a byte order mark is passed over.</param>
    /// <param name="problems">All that is wrong with the text or with what it says; empty where a recipe is returned.</param>
    public static RecipeSpec? Read(ReadOnlyMemory<byte> utf8, out RecipeProblem[] problems)
    {
        var found = new RecipeProblems();
        var recipe = Read(utf8, found);
        problems = recipe is null || found.Any ? found.ToArray() : RecipeCheck.Check(recipe);
        return problems.Length == 0 ? recipe : null;
    }

    /// <summary>Indented JSON that reads back as the same recipe; members with their default are left out.</summary>
    public static string Write(RecipeSpec recipe)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var writer = new Utf8JsonWriter(buffer, s_options))
        {
            RecipeJsonWriter.Write(writer, recipe);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static RecipeSpec? Read(ReadOnlyMemory<byte> utf8, RecipeProblems problems)
    {
        if (utf8.Length > RecipeLimits.JsonBytes)
        {
            problems.Add("", RecipeCodes.TooMany, $"Ein Rezept hat höchstens {RecipeLimits.JsonBytes} Bytes.", $"A recipe has at most {RecipeLimits.JsonBytes} bytes.");
            return null;
        }

        if (utf8.Span.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        try
        {
            using var document = JsonDocument.Parse(utf8, new() { MaxDepth = 16 });
            var root = new RecipeObject(document.RootElement, "", problems);
            if (!root.IsObject) return null;
            if (Dispatch(root, problems) is not { } recipe) return null;
            root.Close();
            return recipe;
        }
        catch (JsonException exception)
        {
            var line = exception.LineNumber + 1;
            problems.Add("", RecipeCodes.NotJson, $"Das ist kein JSON (Zeile {line}).", $"This is not JSON (line {line}).");
            return null;
        }
    }

    private static RecipeSpec? Dispatch(RecipeObject root, RecipeProblems problems)
    {
        var had = root.Has("recipe");
        switch (root.Text("recipe"))
        {
            case RecipeWords.CompositeIndex: return CompositeIndex(root);
            case RecipeWords.LibraryUse: return LibraryUse(root);
            case RecipeWords.Rate: return Rate(root);
            default:
                const string Allowed = $"{RecipeWords.CompositeIndex}, {RecipeWords.LibraryUse}, {RecipeWords.Rate}";
                if (had) problems.Add("recipe", RecipeCodes.UnknownWord, $"Erlaubt sind: {Allowed}.", $"Allowed are: {Allowed}.");
                return null;
        }
    }

    private static CompositeIndexSpec CompositeIndex(RecipeObject o) => new(o.Text("id"), o.LocalText("title"), o.Text("key"), o.Objects("indices", required: true, Index))
    {
        Source = o.OptionalText("source"),
        Carry = o.Texts("carry"),
        Exclusions = o.Objects("exclusions", required: false, Exclusion),
        CrossClasses = o.Objects("crossClasses", required: false, CrossClass),
    };

    private static ExclusionSpec Exclusion(RecipeObject o) => new(o.Text("column"), o.LocalText("reason"))
    {
        EqualTo = o.OptionalText("equals"),
        NotEqualTo = o.OptionalText("notEquals"),
        IsNull = o.Flag("isNull"),
    };

    private static IndexSpec Index(RecipeObject o) => new(o.Text("id"), o.LocalText("name"), o.Objects("indicators", required: true, Indicator))
    {
        Standardisation = o.Word("standardisation", RecipeWords.Standardisations, Standardisation.ZScorePopulation),
        Combine = o.Word("combine", RecipeWords.Combinations, Combination.Sum),
        Restandardise = o.Word("restandardise", RecipeWords.Standardisations, Standardisation.None),
        Classes = o.Objects("classes", required: false, Class),
    };

    private static IndexIndicator Indicator(RecipeObject o) => new(o.Text("column"))
    {
        Direction = o.Word("direction", RecipeWords.Directions, IndicatorDirection.HigherIsMore),
        Weight = o.Number("weight") ?? 1,
    };

    private static IndexClass Class(RecipeObject o) => new(o.Text("label"), o.LocalText("name")) { Below = o.Number("below"), UpTo = o.Number("upTo") };

    private static CrossClassSpec CrossClass(RecipeObject o) => new(o.Text("id"), o.Objects("parts", required: true, Part));

    private static CrossPart Part(RecipeObject o) => new(o.Text("index")) { Before = o.OptionalText("before") ?? "", Texts = o.Texts("texts") };

    private static LibraryUseSpec LibraryUse(RecipeObject o) => new(o.Text("id"), o.LocalText("title"), o.Texts("groups", required: true), o.Text("stock"), o.Text("loans"))
    {
        Source = o.OptionalText("source"),
        Active = o.OptionalText("active"),
        Within = o.Texts("within"),
    };

    private static RateSpec Rate(RecipeObject o) => new(
        o.Text("id"), o.LocalText("title"), o.Text("area"), o.Text("date"), o.Text("count"),
        o.Object("population", required: true, p => new PopulationColumns(p.Text("area"), p.Text("from"), p.Text("inhabitants"))) ?? new("", "", ""))
    {
        Source = o.OptionalText("source"),
        Per = o.Number("per") ?? 1_000,
        Reform = o.Object("reform", required: false, r => new AreaReform(r.Date("on"), r.Text("oldArea"), r.Text("newArea"), r.Text("share"))),
    };
}
