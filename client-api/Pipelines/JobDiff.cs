using System.Text.Json;
using System.Text.Json.Nodes;

namespace DataHub.Pipelines;

/// <summary>What differs between two definitions, place by place. What has an id is the same thing in both, wherever it stands.</summary>
internal static class JobDiff
{
    public static JobChangeJson[] Of(JobSpec before, JobSpec after)
    {
        var changes = new List<JobChangeJson>();
        Compare("", JsonSerializer.SerializeToNode(before, WireJson.Options), JsonSerializer.SerializeToNode(after, WireJson.Options), changes);
        return [.. changes];
    }

    private static void Compare(string path, JsonNode? before, JsonNode? after, List<JobChangeJson> changes)
    {
        if (JsonNode.DeepEquals(before, after)) return;
        switch (before, after)
        {
            case (JsonObject earlier, JsonObject later):
                foreach (var name in earlier.Select(member => member.Key).Union(later.Select(member => member.Key))) Compare(path.Length == 0 ? name : $"{path}.{name}", earlier[name], later[name], changes);
                break;
            case (JsonArray earlier, JsonArray later) when Ids(earlier) is { } known && Ids(later) is { } other:
                foreach (var id in known.Keys.Union(other.Keys)) Compare($"{path}[{id}]", known.GetValueOrDefault(id), other.GetValueOrDefault(id), changes);
                string[] was = [.. known.Keys.Where(other.ContainsKey)], now = [.. other.Keys.Where(known.ContainsKey)];
                if (!was.SequenceEqual(now)) changes.Add(new(path, JsonSerializer.SerializeToNode(was), JsonSerializer.SerializeToNode(now)));
                break;
            default:
                changes.Add(new(path, before?.DeepClone(), after?.DeepClone()));
                break;
        }
    }

    /// <summary>The things of a list by their ids, in its order; null: they have none.</summary>
    private static Dictionary<string, JsonNode>? Ids(JsonArray list)
    {
        var found = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var item in list)
        {
            if (item is not JsonObject thing || thing["id"]?.GetValueKind() != JsonValueKind.String || !found.TryAdd(thing["id"]!.GetValue<string>(), thing)) return null;
        }

        return found;
    }
}

/// <param name="Path">Such as <c>steps[mittel].transform.sql</c>; with the list itself its order has changed.</param>
/// <param name="Before">Null: it was not there.</param>
/// <param name="After">Null: it is not there any more.</param>
internal sealed record JobChangeJson(string Path, JsonNode? Before, JsonNode? After);
