using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Reads events of OpenLineage as others send them: what the schema of a RunEvent (2-0-2) demands, with the place of the first fault. Pure.</summary>
internal static class OpenLineageCheck
{
    private static readonly string[] s_types = ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"];

    /// <summary>One event, or an array of up to <see cref="ForeignJobs.Events"/>.</summary>
    /// <param name="now">Events of more than a day later are of a clock that goes wrong.</param>
    /// <returns>The events, or what is wrong with the first that is, with its path.</returns>
    public static ((ForeignJob Job, ForeignEvent Event)[]? Events, LocalText? Fault) Read(JsonElement body, string? dataspace, DateTimeOffset now)
    {
        try
        {
            if (body.ValueKind != JsonValueKind.Array) return ([One(body, "$", dataspace, now)], null);
            if (body.GetArrayLength() is 0 or > ForeignJobs.Events) throw Fault("$", $"1 bis {ForeignJobs.Events} Ereignisse", $"1 to {ForeignJobs.Events} events");
            return ([.. body.EnumerateArray().Select((one, i) => One(one, $"$[{i.ToString(CultureInfo.InvariantCulture)}]", dataspace, now))], null);
        }
        catch (WireJsonException e)
        {
            return (null, e.Detail);
        }
    }

    private static (ForeignJob Job, ForeignEvent Event) One(JsonElement one, string at, string? dataspace, DateTimeOffset now)
    {
        if (one.ValueKind != JsonValueKind.Object) throw Fault(at, "ein Objekt wird erwartet", "an object is expected");
        if (Encoding.UTF8.GetByteCount(one.GetRawText()) > ForeignJobs.EventBytes) throw Fault(at, $"höchstens {ForeignJobs.EventBytes} Byte", $"at most {ForeignJobs.EventBytes} bytes");
        var time = Instant(one, "eventTime", at);
        if (time > now.AddDays(1)) throw Fault(at + ".eventTime", "liegt mehr als einen Tag in der Zukunft; die Uhr des Werkzeugs geht falsch", "is more than a day in the future; the tool's clock is wrong");
        Uri(one, "producer", at);
        Uri(one, "schemaURL", at);
        var type = one.TryGetProperty("eventType", out _) ? Text(one, "eventType", at) : "OTHER";
        if (!s_types.Contains(type, StringComparer.Ordinal)) throw Fault(at + ".eventType", "eines von " + string.Join(", ", s_types), "one of " + string.Join(", ", s_types));
        var run = Object(one, "run", at);
        if (!Guid.TryParseExact(Text(run, "runId", at + ".run"), "D", out var id)) throw Fault(at + ".run.runId", "eine UUID wird erwartet", "a UUID is expected");
        Facets(run, "facets", at + ".run");
        var job = Object(one, "job", at);
        var (space, name) = (Text(job, "namespace", at + ".job"), Text(job, "name", at + ".job"));
        if (ForeignJobs.Agency(space) is null)
        {
            throw Fault(at + ".job.namespace", $"die Kennung der Behörde, allein oder vor „.“ oder „:“, höchstens {ForeignJobs.NamespaceLength} Zeichen", $"the agency's id, alone or before “.” or “:”, at most {ForeignJobs.NamespaceLength} characters");
        }

        if (name.Length is 0 or > ForeignJobs.NameLength) throw Fault(at + ".job.name", $"1 bis {ForeignJobs.NameLength} Zeichen", $"1 to {ForeignJobs.NameLength} characters");
        Facets(job, "facets", at + ".job");
        var datasets = Datasets(one, "inputs", at, isOutput: false).Concat(Datasets(one, "outputs", at, isOutput: true)).Distinct().ToArray();
        return (new(space, name, dataspace), new(id, type, time, one.GetRawText(), datasets));
    }

    /// <summary>All are looked at; those of the hub are given back.</summary>
    private static List<ForeignDataset> Datasets(JsonElement one, string member, string at, bool isOutput)
    {
        var found = new List<ForeignDataset>();
        if (!one.TryGetProperty(member, out var all)) return found;
        if (all.ValueKind != JsonValueKind.Array) throw Fault($"{at}.{member}", "eine Liste wird erwartet", "an array is expected");
        foreach (var (dataset, i) in all.EnumerateArray().Select((dataset, i) => (dataset, i)))
        {
            var place = $"{at}.{member}[{i.ToString(CultureInfo.InvariantCulture)}]";
            if (dataset.ValueKind != JsonValueKind.Object) throw Fault(place, "ein Objekt wird erwartet", "an object is expected");
            var (space, name) = (Text(dataset, "namespace", place), Text(dataset, "name", place));
            Facets(dataset, "facets", place);
            Facets(dataset, isOutput ? "outputFacets" : "inputFacets", place);
            if (space is OpenLineageEvents.Namespace or OpenLineageEvents.Namespace + "://" && name.StartsWith("dataset/", StringComparison.Ordinal) && CatalogIds.IsValid(name["dataset/".Length..]))
                found.Add(new(name["dataset/".Length..], isOutput, Version(dataset)));
        }

        return found;
    }

    private static string? Version(JsonElement dataset) =>
        dataset.TryGetProperty("facets", out var facets) && facets.TryGetProperty("version", out var version) && version.TryGetProperty("datasetVersion", out var text) && text.ValueKind == JsonValueKind.String
        && Watermark.TryParse(text.GetString(), out _) ? text.GetString() : null;

    private static void Facets(JsonElement of, string member, string at)
    {
        if (!of.TryGetProperty(member, out var facets)) return;
        if (facets.ValueKind != JsonValueKind.Object) throw Fault($"{at}.{member}", "ein Objekt wird erwartet", "an object is expected");
        foreach (var facet in facets.EnumerateObject())
        {
            var place = $"{at}.{member}.{facet.Name}";
            if (facet.Value.ValueKind != JsonValueKind.Object) throw Fault(place, "ein Objekt wird erwartet", "an object is expected");
            Uri(facet.Value, "_producer", place);
            Uri(facet.Value, "_schemaURL", place);
        }
    }

    private static JsonElement Object(JsonElement of, string member, string at) => of.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Object
        ? value
        : throw Fault($"{at}.{member}", "fehlt, oder ist kein Objekt", "is missing, or is no object");

    private static string Text(JsonElement of, string member, string at) => of.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw Fault($"{at}.{member}", "fehlt, oder ist kein Text", "is missing, or is no text");

    private static void Uri(JsonElement of, string member, string at)
    {
        if (!System.Uri.TryCreate(Text(of, member, at), UriKind.Absolute, out _)) throw Fault($"{at}.{member}", "eine Adresse (URI) wird erwartet", "a URI is expected");
    }

    private static DateTimeOffset Instant(JsonElement of, string member, string at) =>
        DateTimeOffset.TryParse(Text(of, member, at), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant
            : throw Fault($"{at}.{member}", "ein Zeitpunkt wird erwartet, wie 2026-11-28T07:31:00Z", "an instant is expected, such as 2026-11-28T07:31:00Z");

    private static WireJsonException Fault(string path, string de, string en) => new(new($"{path}: {de}.", $"{path}: {en}."));
}
