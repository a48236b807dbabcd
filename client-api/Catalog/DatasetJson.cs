using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using System.Xml;

using Microsoft.AspNetCore.Http;

namespace DataHub.Catalog;

/// <summary>A dataset as JSON (design §5).</summary>
internal static class DatasetJson
{
    private static readonly FrozenDictionary<string, DatasetKind> s_kinds = Enum.GetValues<DatasetKind>().ToFrozenDictionary(ContractWords.Of, StringComparer.Ordinal);
    private static readonly FrozenDictionary<string, AccessClass> s_access = Enum.GetValues<AccessClass>().ToFrozenDictionary(ContractWords.Of, StringComparer.Ordinal);

    private static readonly FrozenSet<string> s_members = FrozenSet.Create(StringComparer.Ordinal,
        "title", "publisher", "kind", "access", "license", "areaSystem", "schema", "description", "partitions", "dataspace", "legalBasis", "state",
        // What the hub adds when it answers: an answer changed by hand can be put back.
        "id", "areaVersion", "feeds", "indicators", "issued", "modified", "release", "frozen");

    private static readonly FrozenDictionary<string, ReleaseState> s_states = Enum.GetValues<ReleaseState>().ToFrozenDictionary(AccessWords.Of, StringComparer.Ordinal);

    private static readonly JsonWriterOptions s_writing = new() { Encoder = WireJson.Options.Encoder };

    /// <summary>Reads a dataset that somebody puts; whether it may stand is the grain's to say.</summary>
    /// <returns>The dataset, or a 400 problem that names every fault with its place.</returns>
    public static (DatasetSpec? Spec, IResult? Problem) Parse(HttpContext http, JsonElement body)
    {
        var faults = new List<DocumentFault>();
        var spec = Parse(body, faults);
        if (spec is not null) return (spec, null);
        var language = Language.Of(http);
        var first = faults[0];
        return (null, Problems.Problem(http, ProblemTypes.InvalidJson,
            new($"{At(first)}{first.Detail.De}", $"{At(first)}{first.Detail.En}"),
            ("errors", faults.Select(f => new { path = f.Path, detail = f.Detail.In(language) }).ToArray())));

        static string At(DocumentFault fault) => fault.Path.Length == 0 ? "" : fault.Path + ": ";
    }

    /// <inheritdoc cref="Parse(HttpContext, JsonElement)"/>
    /// <returns>Null where anything was noted in <paramref name="faults"/>.</returns>
    internal static DatasetSpec? Parse(JsonElement body, List<DocumentFault> faults)
    {
        var dataset = new JsonObjectReader(body, "", faults, s_members);
        var title = dataset.LocalText("title", required: true);
        var publisher = dataset.Text("publisher", required: true);
        var kind = dataset.Word("kind", s_kinds, required: true);
        var access = dataset.Word("access", s_access) ?? AccessClass.Internal;
        var license = dataset.Text("license");
        var areas = dataset.Text("areaSystem");
        var description = dataset.LocalText("description");
        var partitions = dataset.Integer("partitions") ?? 1;
        var dataspace = dataset.Text("dataspace");
        var legalBasis = dataset.Text("legalBasis");
        var state = dataset.Word("state", s_states);
        TableSchema? schema = null;
        if (dataset.Get("schema") is { ValueKind: not JsonValueKind.Undefined } element) schema = TableSchemaJson.Parse(element, "schema", faults);
        else dataset.Missing("schema");
        return faults.Count > 0 ? null : new(title!, publisher!, kind!.Value, access, license, areas, schema!, description) { Partitions = partitions, Dataspace = dataspace, LegalBasis = legalBasis, Wanted = state };
    }

    /// <summary>The state that a word means.</summary>
    public static bool TryState(string word, out ReleaseState state) => s_states.TryGetValue(word, out state);

    /// <summary>The dataset as it stands, in UTF-8; the same dataset always in the same bytes.</summary>
    public static byte[] Render(DatasetInfo dataset)
    {
        var buffer = new ArrayBufferWriter<byte>(2_048);
        using var writer = new Utf8JsonWriter(buffer, s_writing);
        Write(writer, dataset);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The same into a larger document.</summary>
    public static void Write(Utf8JsonWriter writer, DatasetInfo dataset)
    {
        var spec = dataset.Spec;
        writer.WriteStartObject();
        writer.WriteString("id", dataset.Id);
        TableSchemaJson.Local(writer, "title", spec.Title);
        TableSchemaJson.Local(writer, "description", spec.Description);
        writer.WriteString("publisher", spec.Publisher);
        writer.WriteString("kind", ContractWords.Of(spec.Kind));
        writer.WriteString("access", ContractWords.Of(spec.Access));
        writer.WriteString("state", AccessWords.Of(dataset.State));
        if (spec.Dataspace is not null) writer.WriteString("dataspace", spec.Dataspace);
        if (spec.LegalBasis is not null) writer.WriteString("legalBasis", spec.LegalBasis);
        if (spec.License is not null) writer.WriteString("license", spec.License);
        if (spec.AreaSystem is not null)
        {
            writer.WriteString("areaSystem", spec.AreaSystem);
            writer.WriteNumber("areaVersion", dataset.AreaVersion);
        }

        writer.WriteNumber("partitions", dataset.Partitions.Length);
        writer.WritePropertyName("schema");
        TableSchemaJson.Write(writer, spec.Schema);
        writer.WriteStartArray("feeds");
        foreach (var feed in dataset.Feeds) WriteFeed(writer, feed);
        writer.WriteEndArray();
        writer.WriteStartArray("indicators");
        foreach (var indicator in dataset.Indicators) writer.WriteStringValue(indicator);
        writer.WriteEndArray();
        if (dataset.Release is { } release)
        {
            writer.WriteStartObject("release");
            if (release.ReadyAt is { } ready) writer.WriteString("ready", ready.UtcDateTime);
            if (release.ReleasedAt is { } released) writer.WriteString("released", released.UtcDateTime);
            writer.WriteEndObject();
        }

        if (dataset.Frozen is { } frozen)
        {
            writer.WriteStartObject("frozen");
            writer.WriteString("agreement", frozen.Agreement);
            writer.WriteString("at", frozen.At.UtcDateTime);
            writer.WriteEndObject();
        }

        writer.WriteString("issued", dataset.Issued.UtcDateTime);
        writer.WriteString("modified", dataset.Modified.UtcDateTime);
        writer.WriteEndObject();
    }

    /// <summary>One feed: <c>{ "id", "title", "rhythm", "csv" }</c>.</summary>
    public static void WriteFeed(Utf8JsonWriter writer, FeedInfo feed)
    {
        writer.WriteStartObject();
        writer.WriteString("id", feed.Id);
        TableSchemaJson.Local(writer, "title", feed.Title);
        if (feed.Rhythm is { } rhythm) writer.WriteString("rhythm", XmlConvert.ToString(rhythm));
        if (feed.Csv is { } csv)
        {
            writer.WritePropertyName("csv");
            JsonSerializer.Serialize(writer, CsvProfileJson.Of(csv), WireJson.Options);
        }

        writer.WriteEndObject();
    }
}
