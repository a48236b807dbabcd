using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Writes what <see cref="RecipeJson"/> reads.</summary>
internal static class RecipeJsonWriter
{
    public static void Write(Utf8JsonWriter to, RecipeSpec recipe)
    {
        to.WriteStartObject();
        to.WriteString("recipe", recipe switch
        {
            CompositeIndexSpec => RecipeWords.CompositeIndex,
            LibraryUseSpec => RecipeWords.LibraryUse,
            RateSpec => RecipeWords.Rate,
            _ => throw new ArgumentException($"{recipe.GetType().Name} has no form in JSON.", nameof(recipe)),
        });
        to.WriteString("id", recipe.Id);
        Local(to, "title", recipe.Title);
        Optional(to, "source", recipe.Source);
        switch (recipe)
        {
            case CompositeIndexSpec index: Members(to, index); break;
            case LibraryUseSpec library: Members(to, library); break;
            case RateSpec rate: Members(to, rate); break;
        }

        to.WriteEndObject();
    }

    private static void Members(Utf8JsonWriter to, CompositeIndexSpec spec)
    {
        to.WriteString("key", spec.Key);
        Texts(to, "carry", spec.Carry);
        Objects(to, "exclusions", spec.Exclusions, exclusion =>
        {
            to.WriteString("column", exclusion.Column);
            Optional(to, "equals", exclusion.EqualTo);
            Optional(to, "notEquals", exclusion.NotEqualTo);
            if (exclusion.IsNull) to.WriteBoolean("isNull", true);
            Local(to, "reason", exclusion.Reason);
        });
        Objects(to, "indices", spec.Indices, index => Members(to, index));
        Objects(to, "crossClasses", spec.CrossClasses, cross =>
        {
            to.WriteString("id", cross.Id);
            Objects(to, "parts", cross.Parts, part =>
            {
                to.WriteString("index", part.Index);
                if (part.Before.Length > 0) to.WriteString("before", part.Before);
                Texts(to, "texts", part.Texts);
            });
        });
    }

    private static void Members(Utf8JsonWriter to, IndexSpec index)
    {
        to.WriteString("id", index.Id);
        Local(to, "name", index.Name);
        Objects(to, "indicators", index.Indicators, indicator =>
        {
            to.WriteString("column", indicator.Column);
            to.WriteString("direction", RecipeWords.Of(RecipeWords.Directions, indicator.Direction));
            if (indicator.Weight != 1) to.WriteNumber("weight", indicator.Weight);
        });
        to.WriteString("standardisation", RecipeWords.Of(RecipeWords.Standardisations, index.Standardisation));
        to.WriteString("combine", RecipeWords.Of(RecipeWords.Combinations, index.Combine));
        to.WriteString("restandardise", RecipeWords.Of(RecipeWords.Standardisations, index.Restandardise));
        Objects(to, "classes", index.Classes, type =>
        {
            to.WriteString("label", type.Label);
            Local(to, "name", type.Name);
            if (type.Below is { } below) to.WriteNumber("below", below);
            if (type.UpTo is { } upTo) to.WriteNumber("upTo", upTo);
        });
    }

    private static void Members(Utf8JsonWriter to, LibraryUseSpec spec)
    {
        Texts(to, "groups", spec.Groups);
        Texts(to, "within", spec.Within);
        to.WriteString("stock", spec.Stock);
        to.WriteString("loans", spec.Loans);
        Optional(to, "active", spec.Active);
    }

    private static void Members(Utf8JsonWriter to, RateSpec spec)
    {
        to.WriteString("area", spec.Area);
        to.WriteString("date", spec.Date);
        to.WriteString("count", spec.Count);
        to.WriteNumber("per", spec.Per);
        to.WriteStartObject("population");
        to.WriteString("area", spec.Population.Area);
        to.WriteString("from", spec.Population.From);
        to.WriteString("inhabitants", spec.Population.Inhabitants);
        to.WriteEndObject();
        if (spec.Reform is not { } reform) return;
        to.WriteStartObject("reform");
        to.WriteString("on", reform.On.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        to.WriteString("oldArea", reform.OldArea);
        to.WriteString("newArea", reform.NewArea);
        to.WriteString("share", reform.Share);
        to.WriteEndObject();
    }

    private static void Local(Utf8JsonWriter to, string name, LocalText text)
    {
        to.WriteStartObject(name);
        to.WriteString("de", text.De);
        Optional(to, "en", text.En);
        to.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter to, string name, string? text)
    {
        if (text is not null) to.WriteString(name, text);
    }

    private static void Texts(Utf8JsonWriter to, string name, string[] texts)
    {
        if (texts.Length == 0) return;
        to.WriteStartArray(name);
        foreach (var text in texts) to.WriteStringValue(text);
        to.WriteEndArray();
    }

    private static void Objects<T>(Utf8JsonWriter to, string name, T[] items, Action<T> members)
    {
        if (items.Length == 0) return;
        to.WriteStartArray(name);
        foreach (var item in items)
        {
            to.WriteStartObject();
            members(item);
            to.WriteEndObject();
        }

        to.WriteEndArray();
    }
}
