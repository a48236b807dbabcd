using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>What somebody wants done to quarantined rows.</summary>
/// <param name="Select">Which; open ones only.</param>
/// <param name="Corrections">Values by row, to be put over what came; each row once.</param>
/// <param name="Rule">Applied to every selected row; null: none.</param>
/// <param name="RuleText">What is changed, as it is recorded; null where nothing is.</param>
internal sealed record QuarantineRequest(
    QuarantineActKind Kind, QuarantineQuery Select, IReadOnlyDictionary<QuarantineId, JsonObject> Corrections, QuarantineRule? Rule, string? RuleText, string? Reason)
{
    public const int MostRows = 10_000;
    public const int DefaultRows = 1_000;
    public const int LongestReason = 1_000;

    private static readonly HashSet<string> s_replay = ["select", "rows", "rule", "reason", "limit", "after"], s_discard = ["select", "reason", "limit", "after"];
    private static readonly HashSet<string> s_select = ["ids", "cause", "value", "feed", "receipt"], s_row = ["id", "values"];

    /// <summary>Reads the body of a replay or a discard; everything wrong with it is noted.</summary>
    public static QuarantineRequest? Read(JsonElement body, QuarantineActKind kind, CompiledContract contract, List<DocumentFault> faults)
    {
        var reader = new JsonObjectReader(body, "", faults, kind == QuarantineActKind.Replay ? s_replay : s_discard);
        var reason = reader.Text("reason", required: kind == QuarantineActKind.Discard);
        if (reason is { Length: 0 or > LongestReason }) reader.Fault("reason", $"1 bis {LongestReason} Zeichen.", $"1 to {LongestReason} characters.");
        var limit = reader.Integer("limit") ?? DefaultRows;
        if (limit is < 1 or > MostRows) reader.Fault("limit", $"1 bis {MostRows}.", $"1 to {MostRows}.");
        QuarantineId? after = null;
        if (reader.Text("after") is { } place)
        {
            if (QuarantineId.TryParse(place, out var id)) after = id;
            else reader.Fault("after", "after muss aus dem next einer früheren Antwort stammen.", "after must come from the next of an earlier answer.");
        }

        var corrections = kind == QuarantineActKind.Replay ? ReadRows(reader, faults) : [];
        var rule = kind == QuarantineActKind.Replay && reader.Get("rule") is { ValueKind: not JsonValueKind.Undefined } given ? QuarantineRule.Read(given, contract, faults) : null;
        var query = ReadSelect(reader, faults, corrections, new(null, after, limit, null) { State = QuarantineState.Open });
        if (faults.Count > 0) return null;

        var recorded = rule is null && corrections.Count == 0 ? null : new JsonObject();
        if (rule is not null) recorded!["rule"] = JsonNode.Parse(reader.Get("rule").GetRawText());
        if (corrections.Count > 0)
        {
            recorded!["rows"] = corrections.Count;
            recorded["fields"] = new JsonArray([.. corrections.Values.SelectMany(values => values.Select(v => v.Key)).Distinct(StringComparer.Ordinal).Select(name => (JsonNode)name)]);
        }

        return new(kind, query, corrections, rule, recorded?.ToJsonString(WireJson.Options), reason);
    }

    private static Dictionary<QuarantineId, JsonObject> ReadRows(JsonObjectReader reader, List<DocumentFault> faults)
    {
        var corrections = new Dictionary<QuarantineId, JsonObject>();
        var rows = reader.Get("rows");
        if (rows.ValueKind == JsonValueKind.Undefined) return corrections;
        if (rows.ValueKind != JsonValueKind.Array || rows.GetArrayLength() is 0 or > MostRows)
        {
            reader.Fault("rows", $"Hier wird ein Array von 1 bis {MostRows} Zeilen erwartet.", $"An array of 1 to {MostRows} rows is expected.");
            return corrections;
        }

        var number = 0;
        foreach (var row in rows.EnumerateArray())
        {
            var path = $"rows[{number++}]";
            var one = new JsonObjectReader(row, path, faults, s_row);
            var values = one.Get("values");
            if (!QuarantineId.TryParse(one.Text("id", required: true), out var id)) one.Fault($"{path}.id", "Keine Kennung einer Zeile der Quarantäne, wie q0.17.3.", "No id of a quarantined row, such as q0.17.3.");
            else if (values.ValueKind != JsonValueKind.Object) one.Fault($"{path}.values", "Hier wird ein Objekt mit den richtigen Werten erwartet.", "An object with the right values is expected.");
            else if (!corrections.TryAdd(id, JsonObject.Create(values)!)) one.Fault($"{path}.id", $"{id} steht zweimal da.", $"{id} stands here twice.");
            if (faults.Count >= 100) break;
        }

        return corrections;
    }

    private static QuarantineQuery ReadSelect(JsonObjectReader reader, List<DocumentFault> faults, Dictionary<QuarantineId, JsonObject> corrections, QuarantineQuery query)
    {
        var select = reader.Get("select");
        if (select.ValueKind == JsonValueKind.Undefined)
        {
            // Corrected rows select themselves; everything there is must be said.
            if (corrections.Count == 0) reader.Missing("select");
            return query with { Ids = [.. corrections.Keys], Limit = MostRows };
        }

        if (corrections.Count > 0) reader.Fault("select", "Entweder select oder rows.", "Either select or rows.");
        var one = new JsonObjectReader(select, "select", faults, s_select);
        var texts = one.Texts("ids");
        QuarantineId[]? ids = null;
        if (texts is not null)
        {
            var bad = texts.FirstOrDefault(text => !QuarantineId.TryParse(text, out _));
            if (bad is not null || texts.Length is 0 or > MostRows) one.Fault("select.ids", $"1 bis {MostRows} Kennungen wie q0.17.3{(bad is null ? "" : $"; „{bad}“ ist keine")}.", $"1 to {MostRows} ids such as q0.17.3{(bad is null ? "" : $"; “{bad}” is none")}.");
            else ids = [.. texts.Select(text => QuarantineId.TryParse(text, out var id) ? id : default)];
        }

        var narrowed = query with { Feed = one.Text("feed"), Cause = one.Text("cause"), Value = one.Text("value"), Receipt = one.Text("receipt"), Ids = ids };
        if (ids is not null && (narrowed.Feed ?? narrowed.Cause ?? narrowed.Value ?? narrowed.Receipt) is not null)
            one.Fault("select", "Neben ids gibt es keine weitere Auswahl.", "Beside ids there is no other selection.");
        return ids is null ? narrowed : narrowed with { Limit = MostRows };
    }
}
