using System.Text.Json;
using System.Xml;

namespace DataHub.Catalog;

/// <summary>One thing that is wrong with a document, with its place.</summary>
/// <param name="Path">Such as <c>schema.fields[2].type</c>.</param>
internal sealed record DocumentFault(string Path, LocalText Detail);

/// <summary>
/// Reads the members of one object of a description and notes everything that is wrong with it, so that a person can
/// put it right in one go.
/// </summary>
internal sealed class JsonObjectReader
{
    private readonly JsonElement _object;
    private readonly string _path;
    private readonly List<DocumentFault> _faults;

    /// <param name="element">Anything; what is not an object is a fault and has no members.</param>
    /// <param name="path">Its place; empty for the document.</param>
    /// <param name="members">The members that it may have; any other is a fault.</param>
    public JsonObjectReader(JsonElement element, string path, List<DocumentFault> faults, IReadOnlySet<string> members)
    {
        (_object, _path, _faults) = (element, path, faults);
        if (element.ValueKind != JsonValueKind.Object)
        {
            Fault(path, "Hier wird ein Objekt erwartet.", "An object is expected here.");
            return;
        }

        foreach (var member in element.EnumerateObject())
        {
            if (members.Contains(member.Name)) continue;
            var nearest = members.FirstOrDefault(m => m.Equals(member.Name, StringComparison.OrdinalIgnoreCase));
            Fault(PathOf(member.Name), nearest is null ? "Dieses Feld gibt es hier nicht." : $"Dieses Feld gibt es hier nicht; gemeint ist vielleicht {nearest}.",
                nearest is null ? "There is no such member here." : $"There is no such member here; perhaps {nearest} is meant.");
        }
    }

    public string PathOf(string member) => _path.Length == 0 ? member : $"{_path}.{member}";

    public void Fault(string path, string de, string en) => _faults.Add(new(path, new(de, en)));

    /// <summary>The member; undefined where it is absent or null.</summary>
    public JsonElement Get(string member) =>
        _object.ValueKind == JsonValueKind.Object && _object.TryGetProperty(member, out var value) && value.ValueKind != JsonValueKind.Null ? value : default;

    public string? Text(string member, bool required = false)
    {
        var value = Get(member);
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        if (value.ValueKind != JsonValueKind.Undefined) Fault(PathOf(member), "Hier wird ein Text erwartet.", "A text is expected here.");
        else if (required) Missing(member);
        return null;
    }

    public LocalText? LocalText(string member, bool required = false)
    {
        var value = Get(member);
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            if (required) Missing(member);
            return null;
        }

        try
        {
            return value.Deserialize<LocalText>(WireJson.Options);
        }
        catch (JsonException)
        {
            Fault(PathOf(member), "Hier wird ein Text oder { \"de\": \"…\", \"en\": \"…\" } erwartet; die deutsche Form ist Pflicht.", "A text or { \"de\": \"…\", \"en\": \"…\" } is expected here; the German form is required.");
            return null;
        }
    }

    public bool? Boolean(string member)
    {
        var value = Get(member);
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        if (value.ValueKind != JsonValueKind.Undefined) Fault(PathOf(member), "Hier wird true oder false erwartet.", "true or false is expected here.");
        return null;
    }

    public int? Integer(string member)
    {
        var value = Get(member);
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)) return number;
        if (value.ValueKind != JsonValueKind.Undefined) Fault(PathOf(member), "Hier wird eine ganze Zahl erwartet.", "An integer is expected here.");
        return null;
    }

    /// <summary>A word of a list, in lower case.</summary>
    /// <param name="words">All that are allowed.</param>
    public T? Word<T>(string member, IReadOnlyDictionary<string, T> words, bool required = false)
        where T : struct
    {
        var value = Get(member);
        if (value.ValueKind == JsonValueKind.String && words.TryGetValue(value.GetString()!, out var word)) return word;
        if (value.ValueKind != JsonValueKind.Undefined)
            Fault(PathOf(member), $"Erlaubt sind: {string.Join(", ", words.Keys)}.", $"Allowed are: {string.Join(", ", words.Keys)}.");
        else if (required)
            Missing(member);
        return null;
    }

    /// <summary>A duration of days, hours, minutes and seconds in ISO 8601.</summary>
    public TimeSpan? Duration(string member)
    {
        var text = Text(member);
        if (text is null) return null;
        if (TryDuration(text, out var duration)) return duration;
        Fault(PathOf(member), "Hier wird eine Dauer aus Tagen, Stunden, Minuten und Sekunden nach ISO 8601 erwartet, etwa P1D oder PT15M.", "A duration of days, hours, minutes and seconds as in ISO 8601 is expected here, such as P1D or PT15M.");
        return null;
    }

    /// <summary>A duration of days, hours, minutes and seconds in ISO 8601; years and months have no fixed length.</summary>
    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Split('T')[0].AsSpan().ContainsAny('Y', 'M')) return false;
        try
        {
            duration = XmlConvert.ToTimeSpan(text);
            return true;
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return false;
        }
    }

    public string[]? Texts(string member)
    {
        var value = Get(member);
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String))
            return [.. value.EnumerateArray().Select(v => v.GetString()!)];
        Fault(PathOf(member), "Hier wird ein Array von Texten erwartet.", "An array of texts is expected here.");
        return null;
    }

    public void Missing(string member) => Fault(PathOf(member), "Diese Angabe fehlt.", "This member is missing.");
}
