using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Reads the members of one JSON object, each with its path; <see cref="Close"/> names those that nobody asked for.</summary>
internal sealed class RecipeObject
{
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly RecipeProblems _problems;
    private readonly string _path;

    public RecipeObject(JsonElement element, string path, RecipeProblems problems)
    {
        (_path, _problems) = (path, problems);
        if (element.ValueKind != JsonValueKind.Object)
        {
            IsObject = false;
            WrongType(path, "ein Objekt", "an object");
            return;
        }

        foreach (var member in element.EnumerateObject())
        {
            if (!_members.TryAdd(member.Name, member.Value))
                problems.Add(At(member.Name), RecipeCodes.DuplicateMember, "Das Feld steht zweimal da; es bleibt eines.", "The member is there twice; keep one.");
        }
    }

    public bool IsObject { get; } = true;

    public bool Has(string name) => _members.ContainsKey(name);

    public string Text(string name) => Take(name, required: true) is { } value ? AsText(value, At(name)) : "";

    public string? OptionalText(string name) => Take(name, required: false) is { } value ? AsText(value, At(name)) : null;

    public string[] Texts(string name, bool required = false) => Items(name, required, AsText);

    public double? Number(string name)
    {
        if (Take(name, required: false) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)) return number;
        WrongType(At(name), "eine Zahl", "a number");
        return null;
    }

    public bool Flag(string name)
    {
        if (Take(name, required: false) is not { } value) return false;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        WrongType(At(name), "true oder false", "true or false");
        return false;
    }

    public DateOnly Date(string name)
    {
        if (Take(name, required: true) is not { } value) return default;
        if (value.ValueKind == JsonValueKind.String && DateOnly.TryParseExact(value.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)) return date;
        WrongType(At(name), "ein Datum wie 2021-01-01", "a date such as 2021-01-01");
        return default;
    }

    public T Word<T>(string name, (string Word, T Value)[] words, T otherwise) where T : struct
    {
        if (OptionalText(name) is not { } word) return otherwise;
        foreach (var (known, value) in words)
        {
            if (known == word) return value;
        }

        var allowed = string.Join(", ", words.Select(w => w.Word));
        _problems.Add(At(name), RecipeCodes.UnknownWord, $"Erlaubt sind: {allowed}.", $"Allowed are: {allowed}.");
        return otherwise;
    }

    public LocalText LocalText(string name) => Object(name, required: true, o => new LocalText(o.Text("de"), o.OptionalText("en"))) ?? new LocalText("", null);

    public T? Object<T>(string name, bool required, Func<RecipeObject, T> read) where T : class =>
        Take(name, required) is { } value ? AsObject(value, At(name), read) : null;

    public T[] Objects<T>(string name, bool required, Func<RecipeObject, T> read) where T : class =>
        [.. Items(name, required, (value, path) => AsObject(value, path, read)).OfType<T>()];

    /// <summary>Whatever is left was never asked for.</summary>
    public void Close()
    {
        foreach (var name in _members.Keys.Order(StringComparer.Ordinal))
            _problems.Add(At(name), RecipeCodes.UnknownMember, "Dieses Feld gibt es hier nicht; ist es falsch geschrieben?", "There is no such member here; is it misspelt?");
    }

    private T? AsObject<T>(JsonElement element, string path, Func<RecipeObject, T> read) where T : class
    {
        var inner = new RecipeObject(element, path, _problems);
        if (!inner.IsObject) return null;
        var value = read(inner);
        inner.Close();
        return value;
    }

    private T[] Items<T>(string name, bool required, Func<JsonElement, string, T> read)
    {
        if (Take(name, required) is not { } value) return [];
        if (value.ValueKind == JsonValueKind.Array) return [.. value.EnumerateArray().Select((item, i) => read(item, $"{At(name)}[{i}]"))];
        WrongType(At(name), "eine Liste", "a list");
        return [];
    }

    private string AsText(JsonElement value, string path)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                return value.GetString()!;
            }
            catch (InvalidOperationException)
            {
                // System.Text.Json's word for half of a surrogate pair: no text either.
            }
        }

        WrongType(path, "ein Text", "a text");
        return "";
    }

    /// <summary>The member, which is thereby asked for; null where it is absent.</summary>
    private JsonElement? Take(string name, bool required)
    {
        if (_members.Remove(name, out var value)) return value;
        if (required) _problems.Add(At(name), RecipeCodes.MissingMember, "Dieses Feld fehlt.", "This member is missing.");
        return null;
    }

    private void WrongType(string path, string de, string en) => _problems.Add(path, RecipeCodes.WrongType, $"Hier steht {de}.", $"This is {en}.");

    private string At(string name) => _path.Length == 0 ? name : $"{_path}.{name}";
}
